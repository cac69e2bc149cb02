"""Merchant-presented QR codes: EMV QRCPS Merchant-Presented Mode 1.1, built and read.

Lengths count characters, the checksum runs over UTF-8 bytes. Templates of other schemes are kept as
they are, so that a code that carries several schemes can be paid by each of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from longmen_server.payments.codes import tlv
from longmen_server.payments.codes.tlv import CodeError, Element
from longmen_server.platform.money import (
    UnknownCurrencyError,
    alpha_code,
    exponent_of,
    numeric_code,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAYLOAD_FORMAT: Final = "01"
STATIC, DYNAMIC = "11", "12"
AMOUNT: Final = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]*))?", re.ASCII)
AMOUNT_CHARACTERS_MAX: Final = 13
PERCENT: Final = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,2}))?", re.ASCII)
PROMPT: Final = "***"
"""A value of the additional data that the payer's application is to ask for."""
NAME_CHARACTERS_MAX, CITY_CHARACTERS_MAX, POSTAL_CHARACTERS_MAX = 25, 15, 10

#: Ids of the additional data (62) by our names, in their order.
ADDITIONAL: Final[Mapping[str, str]] = {
    "bill_number": "01",
    "mobile_number": "02",
    "store_label": "03",
    "loyalty_number": "04",
    "reference_label": "05",
    "customer_label": "06",
    "terminal_label": "07",
    "purpose": "08",
    "consumer_data_request": "09",
}
ADDITIONAL_CHARACTERS_MAX: Final = 25


class TipKind(Enum):
    """How a tip comes about (55)."""

    ASK = "01"
    FIXED = "02"
    PERCENT = "03"


@dataclass(frozen=True, slots=True)
class Tip:
    """A tip or convenience fee."""

    kind: TipKind
    value: int = 0
    """Minor units when fixed, basis points when a percentage, 0 when the payer is asked."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where one scheme finds the merchant (02 to 51)."""

    id: str
    """The element's id: 02 to 25 belong to card schemes, 26 to 51 hold a template."""
    scheme: str
    """Globally unique identifier of a template's scheme; empty for 02 to 25."""
    fields: tuple[tuple[str, str], ...] = ()
    """Ids and values of a template beside its scheme."""
    value: str = ""
    """The value of 02 to 25."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantCode:
    """What a merchant's code says."""

    accounts: tuple[Account, ...]
    category_code: str
    """ISO 18245 merchant category, four digits."""
    currency_code: str
    """ISO 4217, three letters."""
    country_code: str
    """ISO 3166-1, two letters."""
    name: str
    city: str
    dynamic: bool = False
    """Whether the code is for one payment only."""
    amount_minor_units: int | None = None
    """None lets the payer type it."""
    tip: Tip | None = None
    postal_code: str = ""
    additional: Mapping[str, str] = field(default_factory=dict)
    """Additional data by the names of ADDITIONAL; `***` asks the payer for it."""
    language: str = ""
    """ISO 639-1, of the name and city in their own script."""
    local_name: str = ""
    local_city: str = ""

    def account_of(self, scheme: str) -> Account | None:
        """Return where a scheme finds the merchant, or None when it is not named."""
        wanted = scheme.upper()
        return next((one for one in self.accounts if one.scheme.upper() == wanted), None)


def build(code: MerchantCode) -> str:
    """Write a code.

    Raises:
        CodeError: a value breaks a rule of the standard; it names the element.
    """
    text = "".join(_elements(code))
    sealed = tlv.seal(text)
    # What we write, everybody must be able to read: ourselves first.
    parse(sealed)
    return sealed


def _elements(code: MerchantCode) -> Iterator[str]:
    yield tlv.element("00", PAYLOAD_FORMAT)
    yield tlv.element("01", DYNAMIC if code.dynamic else STATIC)
    for account in sorted(code.accounts, key=lambda one: one.id):
        if account.scheme:
            yield tlv.template(account.id, (("00", account.scheme), *account.fields))
        else:
            yield tlv.element(account.id, account.value)
    yield tlv.element("52", code.category_code)
    yield tlv.element("53", _numeric(code.currency_code))
    if code.amount_minor_units is not None:
        yield tlv.element("54", amount_text(code.amount_minor_units, code.currency_code))
    if code.tip is not None:
        yield from _tip_elements(code.tip, code.currency_code)
    yield tlv.element("58", code.country_code)
    yield tlv.element("59", code.name)
    yield tlv.element("60", code.city)
    if code.postal_code:
        yield tlv.element("61", code.postal_code)
    unknown = code.additional.keys() - ADDITIONAL.keys()
    assert not unknown, f"no additional data is called {unknown}"
    if any(code.additional.values()):
        yield tlv.template("62", ((ADDITIONAL[n], code.additional[n]) for n in _named(code)))
    if code.language:
        local = (("00", code.language), ("01", code.local_name), ("02", code.local_city))
        yield tlv.template("64", local)


def _named(code: MerchantCode) -> list[str]:
    return [name for name in ADDITIONAL if name in code.additional]


def _tip_elements(tip: Tip, currency_code: str) -> Iterator[str]:
    yield tlv.element("55", tip.kind.value)
    if tip.kind is TipKind.FIXED:
        yield tlv.element("56", amount_text(tip.value, currency_code))
    elif tip.kind is TipKind.PERCENT:
        whole, rest = divmod(tip.value, 100)
        yield tlv.element("57", f"{whole}.{rest:02d}" if rest else str(whole))


def parse(text: str) -> MerchantCode:
    """Read a code.

    Elements that we do not know are skipped, as the standard asks; those we know have to be right.

    Raises:
        CodeError: what is wrong, in which element and where.
    """
    found = tlv.fields(tlv.unseal(text))
    first = next(iter(found), "")
    if first != "00" or found["00"].value != PAYLOAD_FORMAT:
        raise CodeError("format_unknown", path="00")
    currency_code = _currency(_needed(found, "53"))
    local = _local(found.get("64"))
    return MerchantCode(
        accounts=_accounts(found),
        category_code=_matched(_needed(found, "52"), r"[0-9]{4}", "category_not_four_digits"),
        currency_code=currency_code,
        country_code=_matched(_needed(found, "58"), r"[A-Z]{2}", "country_not_two_letters"),
        name=_text(_needed(found, "59"), NAME_CHARACTERS_MAX),
        city=_text(_needed(found, "60"), CITY_CHARACTERS_MAX),
        dynamic=_initiation(found.get("01")),
        amount_minor_units=_amount(found.get("54"), currency_code),
        tip=_tip(found, currency_code),
        postal_code=_optional_text(found.get("61"), POSTAL_CHARACTERS_MAX),
        additional=_additional(found.get("62")),
        language=local[0],
        local_name=local[1],
        local_city=local[2],
    )


def _needed(found: Mapping[str, Element], number: str) -> Element:
    element = found.get(number)
    if element is None:
        raise CodeError("element_missing", path=number)
    return element


def _matched(element: Element, pattern: str, problem: str, path: str = "") -> str:
    if re.fullmatch(pattern, element.value, re.ASCII) is None:
        raise CodeError(problem, path=path or element.id, offset=element.offset)
    return element.value


def _text(element: Element, longest: int, path: str = "") -> str:
    where = path or element.id
    if len(element.value) > longest:
        raise CodeError("value_too_long", path=where, offset=element.offset + longest)
    if not element.value.isprintable():
        raise CodeError("value_not_printable", path=where, offset=element.offset)
    return element.value


def _optional_text(element: Element | None, longest: int) -> str:
    return "" if element is None else _text(element, longest)


def _initiation(element: Element | None) -> bool:
    if element is None:
        return False
    return _matched(element, f"{STATIC}|{DYNAMIC}", "initiation_unknown") == DYNAMIC


def _accounts(found: Mapping[str, Element]) -> tuple[Account, ...]:
    accounts = [_account(element) for number, element in found.items() if "02" <= number <= "51"]
    if not accounts:
        raise CodeError("account_missing", path="02-51")
    return tuple(accounts)


def _account(element: Element) -> Account:
    if element.id < "26":
        return Account(element.id, "", value=element.value)
    inner = tlv.fields(element.value, path=element.id, offset=element.offset)
    scheme = inner.pop("00", None)
    if scheme is None:
        raise CodeError("scheme_missing", path=f"{element.id}.00", offset=element.offset)
    rest = tuple((one.id, one.value) for one in inner.values())
    return Account(element.id, _text(scheme, 32, f"{element.id}.00"), rest)


def _currency(element: Element) -> str:
    number = _matched(element, r"[0-9]{3}", "currency_not_three_digits")
    try:
        return alpha_code(int(number))
    except UnknownCurrencyError:
        raise CodeError("currency_unknown", path="53", offset=element.offset) from None


def _numeric(currency_code: str) -> str:
    try:
        return f"{numeric_code(currency_code):03d}"
    except UnknownCurrencyError:
        raise CodeError("currency_unknown", path="53") from None


def _amount(element: Element | None, currency_code: str) -> int | None:
    if element is None:
        return None
    value, exponent = element.value, exponent_of(currency_code)
    match = AMOUNT.fullmatch(value)
    if match is None or len(value) > AMOUNT_CHARACTERS_MAX:
        raise CodeError("amount_malformed", path=element.id, offset=element.offset)
    decimals = match[2] or ""
    if len(decimals) > exponent:
        raise CodeError("amount_too_fine", path=element.id, offset=element.offset)
    amount = int(match[1] + decimals.ljust(exponent, "0"))
    if amount == 0:
        raise CodeError("amount_zero", path=element.id, offset=element.offset)
    return amount


def amount_text(minor_units: int, currency_code: str) -> str:
    """An amount as a code writes it, without needless zeros after the point's own.

    Raises:
        CodeError: `amount_zero` for one that is not above zero, `amount_too_large`.
    """
    if minor_units <= 0:
        raise CodeError("amount_zero", path="54")
    exponent = exponent_of(currency_code)
    digits = str(minor_units).rjust(exponent + 1, "0")
    text = f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits
    if len(text) > AMOUNT_CHARACTERS_MAX:
        raise CodeError("amount_too_large", path="54")
    return text


def _tip(found: Mapping[str, Element], currency_code: str) -> Tip | None:
    element = found.get("55")
    if element is None:
        stray = found.get("56") or found.get("57")
        if stray is not None:
            raise CodeError("tip_without_kind", path=stray.id, offset=stray.offset)
        return None
    kind = TipKind(_matched(element, "01|02|03", "tip_kind_unknown"))
    expected = {TipKind.FIXED: "56", TipKind.PERCENT: "57"}.get(kind)
    for number in ("56", "57"):
        if (number in found) != (number == expected):
            raise CodeError("tip_value_not_of_its_kind", path=number, offset=element.offset)
    if kind is TipKind.FIXED:
        return Tip(kind, _amount(found["56"], currency_code) or 0)
    return Tip(kind, _percent(found["57"])) if kind is TipKind.PERCENT else Tip(kind)


def _percent(element: Element) -> int:
    match = PERCENT.fullmatch(element.value)
    points = 0 if match is None else int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if points == 0:
        raise CodeError("percentage_malformed", path=element.id, offset=element.offset)
    return points


def _additional(element: Element | None) -> dict[str, str]:
    if element is None:
        return {}
    inner = tlv.fields(element.value, path="62", offset=element.offset)
    return {
        name: _text(inner[number], ADDITIONAL_CHARACTERS_MAX, f"62.{number}")
        for name, number in ADDITIONAL.items()
        if number in inner
    }


def _local(element: Element | None) -> tuple[str, str, str]:
    if element is None:
        return "", "", ""
    inner = tlv.fields(element.value, path="64", offset=element.offset)
    for number in ("00", "01"):
        if number not in inner:
            raise CodeError("element_missing", path=f"64.{number}", offset=element.offset)
    language = _matched(inner["00"], r"[A-Za-z]{2}", "language_not_two_letters", "64.00")
    name = _text(inner["01"], NAME_CHARACTERS_MAX, "64.01")
    city = _text(inner["02"], CITY_CHARACTERS_MAX, "64.02") if "02" in inner else ""
    return language, name, city
