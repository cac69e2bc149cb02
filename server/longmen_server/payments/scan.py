"""Our own codes for merchants and orders: what they carry, and what a scanned one names.

Our template of the EMV code has the merchant's id under 01 and, in the code of one sale, the
order's id under 02; both as the 32 hexadecimal digits of their text forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.payments.codes import merchant_code
from longmen_server.payments.codes.merchant_code import Account, MerchantCode
from longmen_server.payments.codes.tlv import CodeError
from longmen_server.payments.tips import code_tip
from longmen_server.platform.ids import (
    MERCHANT,
    ORDER,
    MalformedIdError,
    MerchantId,
    OrderId,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payments.codes.merchant_code import Tip
    from longmen_server.payments.model import OrderRow

__all__ = ["SCHEME", "Scanned", "order_code", "read_code", "static_code"]

SCHEME: Final = "org.longmen"
"""What our template is known by among those of other schemes."""

_TEMPLATE: Final = "26"
_MERCHANT, _ORDER = "01", "02"


class Scanned(NamedTuple):
    """What a code of ours names."""

    merchant_id: MerchantId
    order_id: OrderId | None
    amount: int | None
    currency_code: str


def order_code(merchant: MerchantRow, order: OrderRow) -> str:
    """Return the code of one sale.

    Raises:
        Refusal: INVALID_REQUEST for an amount with more digits than the standard has places.
    """
    code = _code(
        merchant,
        ((_MERCHANT, order.merchant_id.hex()), (_ORDER, order.order_id.hex())),
        amount=order.amount,
        tip=code_tip(order),
    )
    try:
        return merchant_code.build(code)
    except CodeError as error:
        raise Refusal(
            "INVALID_REQUEST",
            "no code can say the amount",
            metadata={"rules": f"code.{error.problem}"},
            field="amount",
        ) from error


def static_code(merchant: MerchantRow) -> str:
    """Return the code that a merchant prints."""
    return merchant_code.build(_code(merchant, ((_MERCHANT, merchant.merchant_id.hex()),)))


def _code(
    merchant: MerchantRow,
    fields: tuple[tuple[str, str], ...],
    *,
    amount: int | None = None,
    tip: Tip | None = None,
) -> MerchantCode:
    return MerchantCode(
        accounts=(Account(_TEMPLATE, SCHEME, fields),),
        category_code=merchant.category_code,
        currency_code=merchant.currency_code,
        country_code=merchant.country_code,
        name=merchant.name,
        city=merchant.city,
        dynamic=amount is not None,
        amount_minor_units=amount,
        tip=tip,
        language=merchant.local_language,
        local_name=merchant.local_name,
    )


def read_code(text: str) -> Scanned:
    """Read a scanned code; nothing of it is proven but that it is well made.

    Raises:
        Refusal: CODE_MALFORMED, CODE_UNKNOWN_SCHEME.
    """
    try:
        code = merchant_code.parse(text)
        account = code.account_of(SCHEME)
        if account is None:
            raise _unknown(code)
        fields = dict(account.fields)
        order = fields.get(_ORDER)
        return Scanned(
            MERCHANT.decode(f"{MERCHANT.prefix}{fields.get(_MERCHANT, '')}"),
            None if order is None else ORDER.decode(f"{ORDER.prefix}{order}"),
            code.amount_minor_units,
            code.currency_code,
        )
    except MalformedIdError:
        raise code_refusal(CodeError("id_malformed", path=_TEMPLATE)) from None
    except CodeError as error:
        raise code_refusal(error) from error


def code_refusal(error: CodeError) -> Refusal:
    """Return the refusal of a code that is not what it should be."""
    return Refusal(
        "CODE_MALFORMED",
        str(error),
        metadata={"problem": error.problem, "path": error.path, "offset": str(error.offset)},
        field="code",
    )


def _unknown(code: MerchantCode) -> Refusal:
    schemes = [one.scheme or one.id for one in code.accounts]
    return Refusal(
        "CODE_UNKNOWN_SCHEME",
        "the code is another scheme's",
        metadata={"scheme": ",".join(schemes)},
        field="code",
    )
