"""Money is exact, and says no to everything that may not be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen.type.v1 import money_pb2
from longmen_client import Money, MoneyError, total
from longmen_client.money import exponent_of

amounts = st.integers(-(2**63), 2**63 - 1)
small = st.integers(-(2**40), 2**40)
currencies = st.sampled_from(["CNY", "JPY", "KWD", "CLF", "USD"])


@pytest.mark.parametrize(
    ("text", "currency", "minor_units"),
    [
        ("12.34", "CNY", 1234),
        ("12", "CNY", 1200),
        ("12.340000000000000000000000", "CNY", 1234),
        ("-0.01", "CNY", -1),
        ("+7", "JPY", 7),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
        ("0", "USD", 0),
        ("92233720368547758.07", "USD", 2**63 - 1),
    ],
)
def test_decimal_text_is_exact(text: str, currency: str, minor_units: int) -> None:
    assert Money.of(text, currency) == Money(minor_units, currency)
    assert Money.of(Decimal(text), currency) == Money(minor_units, currency)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (12.34, "CNY"),
        (0.0, "CNY"),
        (True, "CNY"),
        (None, "CNY"),
        ("12.345", "CNY"),
        ("1.5", "JPY"),
        ("1.0000000000000000000000000000000000000000000001", "CNY"),
        (Decimal("1.0000000000000000000000000000000000000000000001"), "CNY"),
        (Decimal("1e-999999"), "CNY"),
        (Decimal("1e999999"), "CNY"),
        (Decimal("NaN"), "CNY"),
        (Decimal("Infinity"), "CNY"),
        ("1e3", "CNY"),
        ("1,000.00", "CNY"),
        (" 1", "CNY"),
        ("1.", "CNY"),
        ("", "CNY"),
        ("١٢", "CNY"),
        ("92233720368547758.08", "USD"),
        ("1", "XYZ"),
        ("1", "cny"),
        ("1", "XAU"),
    ],
)
def test_what_is_no_exact_amount_is_refused(amount: Any, currency: str) -> None:
    with pytest.raises(MoneyError):
        Money.of(amount, currency)


@pytest.mark.parametrize("minor_units", [1.0, True, "1", None, 2**63, -(2**63) - 1])
def test_minor_units_are_whole_64_bit_numbers(minor_units: Any) -> None:
    with pytest.raises(MoneyError):
        Money(minor_units, "CNY")


@given(amounts, currencies)
def test_text_and_message_come_back(minor_units: int, currency: str) -> None:
    money = Money(minor_units, currency)

    assert Money.of(money.text(), currency) == money
    assert Money.of(money.amount, currency) == money
    assert Money.from_proto(money.to_proto()) == money
    assert Money.from_proto(money_pb2.Money.FromString(money.to_proto().SerializeToString())) == (
        money
    )


@given(small, small, currencies)
def test_arithmetic_is_that_of_integers(left: int, right: int, currency: str) -> None:
    one, other = Money(left, currency), Money(right, currency)

    assert (one + other).minor_units == left + right
    assert (one - other).minor_units == left - right
    assert (one * 3).minor_units == (3 * one).minor_units == 3 * left
    assert (-one).minor_units == -left
    assert abs(one).minor_units == abs(left)
    assert (one < other) == (left < right)
    assert (one <= other) == (left <= right)
    assert (one > other) == (left > right)
    assert (one >= other) == (left >= right)
    assert bool(one) == bool(left)


@given(small, st.integers(1, 50))
def test_shares_add_up(minor_units: int, parts: int) -> None:
    shares = Money(minor_units, "CNY").split(parts)

    assert total(shares, "CNY") == Money(minor_units, "CNY")
    assert max(shares) - min(shares) <= Money(1, "CNY")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(MoneyError, match="CNY and USD"):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(MoneyError):
        Money(1, "CNY") < Money(1, "USD")  # noqa: B015 - the comparison is what is tried


@pytest.mark.parametrize("factor", [1.5, True, Decimal(2)])
def test_a_factor_is_a_whole_number(factor: Any) -> None:
    with pytest.raises(MoneyError):
        Money(1, "CNY") * factor


@pytest.mark.parametrize("other", [1, 1.0, "CNY 1", Decimal(1)])
def test_numbers_are_no_money(other: Any) -> None:
    with pytest.raises(MoneyError):
        Money(1, "CNY") + other


def test_no_share_of_nothing() -> None:
    with pytest.raises(MoneyError):
        Money(1, "CNY").split(0)


def test_the_sum_of_nothing_is_nothing() -> None:
    assert total([], "JPY") == Money.zero("JPY")


def test_text_for_people() -> None:
    assert str(Money(123456789, "CNY")) == "CNY 1234567.89"
    assert Money(123456789, "CNY").text(grouping=True) == "1,234,567.89"
    assert str(Money(-5, "KWD")) == "KWD -0.005"
    assert str(Money(7, "JPY")) == "JPY 7"


def test_exponents_are_those_of_iso_4217() -> None:
    found = {code: exponent_of(code) for code in ("CNY", "JPY", "KWD", "CLF", "IQD", "USD")}

    assert found == {"CNY": 2, "JPY": 0, "KWD": 3, "CLF": 4, "IQD": 3, "USD": 2}
