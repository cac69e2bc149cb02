from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.platform.money import (
    MINOR_UNITS_MAXIMUM,
    MINOR_UNITS_MINIMUM,
    CurrencyMismatchError,
    Money,
    Rounding,
    UnknownCurrencyError,
    currencies,
    exponent_of,
)

amounts = st.integers(MINOR_UNITS_MINIMUM, MINOR_UNITS_MAXIMUM)
codes = st.sampled_from(sorted(currencies()))


@pytest.mark.parametrize(
    ("code", "exponent"), [("JPY", 0), ("CNY", 2), ("EUR", 2), ("KWD", 3), ("IQD", 3), ("CLF", 4)]
)
def test_exponents_are_those_of_iso_4217(code: str, exponent: int) -> None:
    assert exponent_of(code) == exponent


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "cny", "ABC", "", "CNYY"])
def test_what_has_no_minor_units_is_no_currency(code: str) -> None:
    with pytest.raises(UnknownCurrencyError):
        Money(1, code)


@given(amounts, codes)
def test_text_reads_back_as_the_same_money(minor_units: int, code: str) -> None:
    money = Money(minor_units, code)
    assert Money.parse(money.format_amount(), code) == money


@given(amounts, codes)
def test_the_decimal_is_exact(minor_units: int, code: str) -> None:
    money = Money(minor_units, code)
    assert money.to_decimal() * 10 ** exponent_of(code) == minor_units
    for rounding in Rounding:
        assert Money.from_decimal(money.to_decimal(), code, rounding=rounding) == money


@pytest.mark.parametrize(
    ("text", "code", "minor_units"),
    [
        ("12.34", "CNY", 1234),
        ("12.3", "CNY", 1230),
        ("12", "CNY", 1200),
        ("0.05", "CNY", 5),
        ("-0.05", "CNY", -5),
        ("1234", "JPY", 1234),
        ("1.234", "KWD", 1234),
        ("92233720368547758.07", "CNY", MINOR_UNITS_MAXIMUM),
    ],
)
def test_parsing(text: str, code: str, minor_units: int) -> None:
    assert Money.parse(text, code) == Money(minor_units, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12.345", "CNY"),
        ("1.5", "JPY"),
        ("1e3", "CNY"),
        ("NaN", "CNY"),
        ("Infinity", "CNY"),
        ("+1", "CNY"),
        ("1,000", "CNY"),
        ("1_000", "CNY"),
        ("٣", "CNY"),
        (" 1", "CNY"),
        ("1\n", "CNY"),
        ("0x10", "CNY"),
        ("01", "CNY"),
        (".5", "CNY"),
        ("1.", "CNY"),
        ("", "CNY"),
        ("-", "CNY"),
    ],
)
def test_texts_that_are_no_plain_amount_are_refused(text: str, code: str) -> None:
    with pytest.raises(ValueError, match=r"plain decimal|digits after the point"):
        Money.parse(text, code)


@pytest.mark.parametrize("text", ["92233720368547758.08", "-92233720368547758.09", "9" * 19])
def test_amounts_beyond_64_bits_are_refused(text: str) -> None:
    with pytest.raises(OverflowError):
        Money.parse(text, "CNY")


@pytest.mark.parametrize("value", [1.0, True, Decimal(1), "1", None])
def test_only_an_int_is_minor_units(value: Any) -> None:
    with pytest.raises(TypeError):
        Money(value, "CNY")


def test_floats_do_not_get_in_anywhere() -> None:
    a_float: Any = 12.34
    with pytest.raises(TypeError):
        Money.parse(a_float, "CNY")
    with pytest.raises(TypeError):
        Money.from_decimal(a_float, "CNY", rounding=Rounding.HALF_EVEN)
    with pytest.raises(TypeError):
        Money(1, "CNY") + a_float


@pytest.mark.parametrize(
    ("rounding", "minor_units"),
    [
        (Rounding.HALF_EVEN, (2, 2, -2, 1)),
        (Rounding.HALF_UP, (2, 3, -3, 1)),
        (Rounding.DOWN, (1, 2, -2, 0)),
        (Rounding.UP, (2, 3, -3, 1)),
    ],
)
def test_rounding_rules(rounding: Rounding, minor_units: tuple[int, ...]) -> None:
    texts = ("0.015", "0.025", "-0.025", "0.006")
    rounded = [Money.from_decimal(Decimal(t), "CNY", rounding=rounding).minor_units for t in texts]
    assert rounded == list(minor_units)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_not_rounded(text: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        Money.from_decimal(Decimal(text), "CNY", rounding=Rounding.DOWN)


@given(st.integers(-(2**61), 2**61), st.integers(-(2**61), 2**61), codes)
def test_sums_and_orders_are_those_of_the_minor_units(one: int, other: int, code: str) -> None:
    left, right = Money(one, code), Money(other, code)
    assert (left + right).minor_units == one + other
    assert (left - right).minor_units == one - other
    assert (-left).minor_units == -one
    assert (left < right, left <= right) == (one < other, one <= other)
    assert (left > right, left >= right) == (one > other, one >= other)
    assert bool(left) == (one != 0)


def test_a_sum_beyond_64_bits_is_refused() -> None:
    with pytest.raises(OverflowError):
        Money(MINOR_UNITS_MAXIMUM, "CNY") + Money(1, "CNY")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatchError):
        Money(1, "CNY") + Money(1, "JPY")
    with pytest.raises(CurrencyMismatchError):
        assert Money(1, "CNY") < Money(2, "JPY")
