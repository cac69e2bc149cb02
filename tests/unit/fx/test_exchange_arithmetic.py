"""Exact exchange: published samples, and that no order of exchanges ever profits a customer."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longmen_server.fx.model import (
    Deal,
    Terms,
    buy,
    client_rate,
    cross,
    minor_ratio,
    parse_rate,
    sell,
    shown,
    value,
)
from longmen_server.platform.money import MINOR_UNITS_MAXIMUM, currencies
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

# The fixing of 30 October 2026, and what stands at the ends of the exponents.
RATES = {
    "EUR": Decimal(1),
    "USD": Decimal("1.1172"),
    "JPY": Decimal("175.68"),
    "CNY": Decimal("7.4326"),
    "IDR": Decimal("20275.17"),
    "KWD": Decimal("0.34251"),
    "CLF": Decimal("0.026571"),
    "GBP": Decimal("0.8338"),
}
CODES = st.sampled_from(sorted(RATES))
AMOUNTS = st.integers(1, 10**13)
TERMS = st.builds(Terms, st.integers(0, 500), st.integers(0, 300))


def ratio(source: str, target: str) -> Fraction:
    return minor_ratio(cross(RATES[source], RATES[target]), source, target)


# -- published samples -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mid", "spread", "digits", "published"),
    [
        ("1.12415", 200, 6, "1.10167"),
        ("0.000629871", 200, 6, "0.000617274"),
        ("1.4695", 150, 8, "1.4474575"),
    ],
)
def test_customers_rates_are_the_published_ones(
    mid: str, spread: int, digits: int, published: str
) -> None:
    assert shown(client_rate(Fraction(Decimal(mid)), spread), digits) == published


def test_a_cross_is_the_fraction_of_two_rates() -> None:
    assert cross(RATES["USD"], RATES["CNY"]) == Fraction(74326, 11172)
    assert shown(cross(RATES["USD"], RATES["CNY"])) == "6.65288220551"
    # Rounded to four digits first, a million dollars would be worth 178.00 less.
    assert sell(100_000_000, ratio("USD", "CNY"), Terms(0)).target == 665_288_220


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(1), "1"),
        (Fraction(1, 3), "0.333333333333"),
        (Fraction(20275), "20275"),
        (Fraction(10), "10"),
        (Fraction(999_999_999_999_9, 10), "1000000000000"),
    ],
)
def test_rates_are_shown_as_plain_decimals(rate: Fraction, text: str) -> None:
    assert shown(rate) == text


@pytest.mark.parametrize(
    ("source", "amount", "target", "gets"),
    [
        ("JPY", 1_000, "CNY", 4_230),  # no minor unit: 1,000 yen
        ("CNY", 4_231, "JPY", 1_000),
        ("KWD", 1_000, "CNY", 2_170),  # three digits: one dinar is 21.70 at this rate
        ("CLF", 10_000, "JPY", 6_611),  # four digits
        ("EUR", 1, "IDR", 20_275),
    ],
)
def test_exponents_are_the_currencies_own(source: str, amount: int, target: str, gets: int) -> None:
    assert sell(amount, ratio(source, target), Terms(0)).target == gets


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.0", "-1", "+1", "1e3", "1E-9", "NaN", "Infinity", "1,5", " 1", "1.", ".5", "01",
     "1.1234567890123", "1234567890123", "\u0661"],
)  # fmt: skip
def test_what_is_no_plain_decimal_above_zero_is_no_rate(text: str) -> None:
    assert parse_rate(text) is None


def test_a_plain_decimal_is_the_exact_rate() -> None:
    assert parse_rate("0.83380") == Decimal("0.8338")


# -- refusals ----------------------------------------------------------------------------------


def test_less_than_one_minor_unit_is_refused() -> None:
    with pytest.raises(Refusal, match="FX_AMOUNT_TOO_SMALL"):
        sell(2, ratio("IDR", "KWD"), Terms(0))


@pytest.mark.parametrize("deal", [sell, buy])
def test_amounts_that_overflow_are_refused(deal: Callable[..., Deal]) -> None:
    pair = ("EUR", "IDR") if deal is sell else ("IDR", "EUR")
    with pytest.raises(Refusal, match="FX_AMOUNT_TOO_LARGE"):
        deal(MINOR_UNITS_MAXIMUM // 2, ratio(*pair), Terms(0))


# -- properties --------------------------------------------------------------------------------


def dealt(amount: int, source: str, target: str, terms: Terms) -> Deal:
    """The sale of an amount, if it is worth anything."""
    deal = None
    with suppress(Refusal):
        deal = sell(amount, ratio(source, target), terms)
    assume(deal is not None)
    assert deal is not None
    return deal


@given(AMOUNTS, CODES, CODES, TERMS)
def test_there_and_back_never_profits_a_customer(
    amount: int, source: str, target: str, terms: Terms
) -> None:
    there = dealt(amount, source, target, terms)
    back = dealt(there.target, target, source, terms)
    assert back.target <= amount


@given(AMOUNTS, CODES, CODES, TERMS)
def test_to_buy_and_sell_back_never_profits_a_customer(
    amount: int, source: str, target: str, terms: Terms
) -> None:
    bought = buy(amount, ratio(source, target), terms)
    assert dealt(amount, target, source, terms).target <= bought.source
    again = buy(bought.source, ratio(target, source), terms)
    assert again.source >= amount


@given(AMOUNTS, CODES, CODES, CODES, TERMS)
def test_a_round_through_three_currencies_never_profits_a_customer(
    amount: int, first: str, second: str, third: str, terms: Terms
) -> None:
    out = dealt(amount, first, second, terms)
    on = dealt(out.target, second, third, terms)
    assert dealt(on.target, third, first, terms).target <= amount


@given(AMOUNTS, CODES, CODES, TERMS)
def test_the_mid_market_value_is_split_without_a_rest(
    amount: int, source: str, target: str, terms: Terms
) -> None:
    deal = dealt(amount, source, target, terms)
    exact = deal.exchanged * ratio(source, target)
    assert deal.mid_value == exact.numerator // exact.denominator
    assert deal.source == amount
    assert min(deal.fee, deal.spread) >= 0
    # Two sums rounded down leave at most one unit, and never take one.
    assert deal.residue in {0, 1}


@given(AMOUNTS, CODES, CODES, TERMS)
def test_a_fixed_target_costs_the_least_that_pays_for_it(
    amount: int, source: str, target: str, terms: Terms
) -> None:
    deal = buy(amount, ratio(source, target), terms)
    assert deal.target == amount
    assert min(deal.fee, deal.spread, deal.residue) >= 0
    assert dealt(deal.source, source, target, terms).target >= amount
    if deal.source > 1:
        try:
            less = sell(deal.source - 1, ratio(source, target), terms).target
        except Refusal:
            less = 0
        assert less < amount


@given(CODES, CODES, TERMS)
def test_the_rate_to_buy_at_is_the_inverse_of_the_rate_to_sell_at(
    source: str, target: str, terms: Terms
) -> None:
    mid = cross(RATES[source], RATES[target])
    assert mid * cross(RATES[target], RATES[source]) == 1
    bid = client_rate(mid, terms.spread_basis_points)
    ask = 1 / client_rate(1 / mid, terms.spread_basis_points)
    assert bid <= mid <= ask


def test_every_pair_of_currencies_goes_there_and_back() -> None:
    terms = Terms(30)
    codes = sorted(currencies())
    for source in codes:
        for target in ("CNY", "JPY", "KWD", "CLF"):
            mid = Fraction(7919, 104_729)
            there = sell(10**9, minor_ratio(mid, source, target), terms)
            back = sell(there.target, minor_ratio(1 / mid, target, source), terms)
            assert back.target < 10**9


def test_values_are_rounded_to_the_nearest_even() -> None:
    assert [value(n, Fraction(1, 2)) for n in (1, 3, -1, -3, 4)] == [0, 2, 0, -2, 2]
