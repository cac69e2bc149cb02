"""Merchants' QR codes: what we write we read, and what others write too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.payments.codes import tlv
from longmen_server.payments.codes.merchant_code import (
    ADDITIONAL,
    Account,
    MerchantCode,
    Tip,
    TipKind,
    amount_text,
    build,
    parse,
)
from longmen_server.payments.codes.tlv import CodeError
from longmen_server.platform.money import currencies, numeric_code

OURS = Account("26", "cn.longmen", (("01", "mer_1"),))
PLAIN = MerchantCode(
    accounts=(OURS,),
    category_code="5812",
    currency_code="CNY",
    country_code="CN",
    name="BEST NOODLES",
    city="BEIJING",
)

#: The example of EMV QRCPS Merchant-Presented Mode 1.1, annex A, element for element.
PUBLISHED = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.72530315655020162330304"
    "12340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)


def test_the_standards_own_example_is_read() -> None:
    code = parse(PUBLISHED)
    assert code.account_of("d15600000001") == Account("31", "D15600000001", (("03", "12345678"),))
    assert code.account_of("cn.longmen") is None
    assert (code.name, code.local_name, code.local_city) == ("BEST TRANSPORT", "最佳运输", "北京")
    assert (code.amount_minor_units, code.currency_code) == (2372, "CNY")
    assert (code.dynamic, code.tip) == (True, Tip(TipKind.ASK))
    assert code.additional == {
        "store_label": "1234",
        "customer_label": "***",
        "terminal_label": "A6008667",
        "consumer_data_request": "ME",
    }


printable = st.characters(codec="utf-8", exclude_categories=("C", "Z"))
texts = st.text(printable, min_size=1, max_size=15)


@st.composite
def codes(draw: st.DrawFn) -> MerchantCode:
    currency = draw(st.sampled_from([c for c in sorted(currencies()) if numeric_code(c)]))
    amounts = st.integers(1, 10**9)
    tips = st.one_of(
        st.none(),
        st.just(Tip(TipKind.ASK)),
        st.builds(Tip, st.just(TipKind.FIXED), amounts),
        st.builds(Tip, st.just(TipKind.PERCENT), st.integers(1, 9999)),
    )
    local = draw(st.booleans())
    return MerchantCode(
        accounts=(OURS, Account("31", "D15600000001", (("03", draw(texts)),))),
        category_code=draw(st.from_regex(r"\A[0-9]{4}\Z")),
        currency_code=currency,
        country_code="CN",
        name=draw(texts),
        city=draw(texts),
        dynamic=draw(st.booleans()),
        amount_minor_units=draw(st.none() | amounts),
        tip=draw(tips),
        postal_code=draw(st.sampled_from(["", "100000"])),
        additional=draw(st.dictionaries(st.sampled_from(sorted(ADDITIONAL)), texts, max_size=3)),
        language="ZH" if local else "",
        local_name=draw(texts) if local else "",
        local_city=draw(texts) if local else "",
    )


@given(codes())
def test_what_is_written_is_read(code: MerchantCode) -> None:
    assert parse(build(code)) == code


@given(codes(), st.data())
def test_any_changed_character_is_noticed(code: MerchantCode, data: st.DataObject) -> None:
    text = build(code)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(printable.filter(lambda new: new.upper() != text[at].upper()))
    with pytest.raises(CodeError):
        parse(text[:at] + other + text[at + 1 :])


@given(st.text(max_size=200))
def test_anything_else_is_refused_and_never_breaks(text: str) -> None:
    with pytest.raises(CodeError):
        parse(text)
    with pytest.raises(CodeError):
        parse(tlv.seal(text) if text.isprintable() else text)


def sealed(*elements: tuple[str, str]) -> str:
    return tlv.seal("".join(tlv.element(number, value) for number, value in elements))


BASE = {
    "00": "01",
    "26": tlv.element("00", "cn.longmen"),
    "52": "5812",
    "53": "156",
    "58": "CN",
    "59": "NOODLES",
    "60": "BEIJING",
}


@pytest.mark.parametrize(
    ("changes", "problem", "path"),
    [
        ({"00": "02"}, "format_unknown", "00"),
        ({"01": "13"}, "initiation_unknown", "01"),
        ({"26": ""}, "account_missing", "02-51"),
        ({"26": "0102ab"}, "scheme_missing", "26.00"),
        ({"26": "00"}, "element_cut_short", "26"),
        ({"26": "0099ab"}, "value_cut_short", "26.00"),
        ({"52": "581"}, "category_not_four_digits", "52"),
        ({"52": ""}, "element_missing", "52"),
        ({"53": "CNY"}, "currency_not_three_digits", "53"),
        ({"53": "000"}, "currency_unknown", "53"),
        ({"54": "0"}, "amount_zero", "54"),
        ({"54": "0.00"}, "amount_zero", "54"),
        ({"54": "1.234"}, "amount_too_fine", "54"),
        ({"54": "01"}, "amount_malformed", "54"),
        ({"54": "-1"}, "amount_malformed", "54"),
        ({"54": "1e3"}, "amount_malformed", "54"),
        ({"54": "1,00"}, "amount_malformed", "54"),
        ({"54": "١"}, "amount_malformed", "54"),
        ({"54": "12345678901234"}, "amount_malformed", "54"),
        ({"55": "04"}, "tip_kind_unknown", "55"),
        ({"55": "02"}, "tip_value_not_of_its_kind", "56"),
        ({"55": "01", "57": "5"}, "tip_value_not_of_its_kind", "57"),
        ({"56": "1.00"}, "tip_without_kind", "56"),
        ({"55": "03", "57": "0"}, "percentage_malformed", "57"),
        ({"55": "03", "57": "100"}, "percentage_malformed", "57"),
        ({"58": "cn"}, "country_not_two_letters", "58"),
        ({"59": "x" * 26}, "value_too_long", "59"),
        ({"59": "a\u202eb"}, "value_not_printable", "59"),
        ({"60": ""}, "element_missing", "60"),
        ({"62": "01"}, "element_cut_short", "62"),
        ({"62": tlv.element("01", "x" * 26)}, "value_too_long", "62.01"),
        ({"64": tlv.element("00", "ZH")}, "element_missing", "64.01"),
        ({"64": "0003ZHO0101x"}, "language_not_two_letters", "64.00"),
    ],
)
def test_every_rule_names_its_element(changes: dict[str, str], problem: str, path: str) -> None:
    elements = {**BASE, **changes}
    with pytest.raises(CodeError) as caught:
        parse(sealed(*((n, elements[n]) for n in sorted(elements) if elements[n])))
    assert (caught.value.problem, caught.value.path) == (problem, path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "crc_missing"),
        ("6304", "crc_missing"),
        ("6304FFFF", "crc_wrong"),
        (build(PLAIN)[:-1] + "x", "crc_wrong"),
        (build(PLAIN) + "0", "crc_missing"),
        ("0" * 513, "too_long"),
        ("\ud8006304FFFF", "not_unicode"),
        (tlv.seal("0a02xx"), "id_not_digits"),
        (tlv.seal("000x01"), "length_not_digits"),
        (tlv.seal("0000"), "length_zero"),
        (tlv.seal("000201000201"), "id_repeated"),
    ],
)
def test_what_is_no_code_is_told_apart(text: str, problem: str) -> None:
    with pytest.raises(CodeError) as caught:
        parse(text)
    assert caught.value.problem == problem


def test_a_checksum_in_lower_case_is_the_same_number() -> None:
    text = build(replace(PLAIN, city="SHANGHAI"))
    assert parse(text[:-4] + text[-4:].lower()).city == "SHANGHAI"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1, "CNY", "0.01"), (2372, "CNY", "23.72"), (100, "JPY", "100"), (1, "KWD", "0.001")],
)
def test_amounts_have_the_currencys_own_decimals(amount: int, currency: str, text: str) -> None:
    assert amount_text(amount, currency) == text


@pytest.mark.parametrize("amount", [0, -1, 10**13])
def test_amounts_that_no_code_can_carry(amount: int) -> None:
    with pytest.raises(CodeError):
        amount_text(amount, "CNY")
