"""Realised and unrealised results: average cost, both ways, and not a unit lost between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.platform.refusal import Refusal
from longmen_server.positions.model import Flows, Opening, Result, check_date, result_of

AMOUNTS = st.integers(0, 10**12)
NONE = Opening(0, 0)


@pytest.mark.parametrize(
    ("opening", "flows", "value", "result"),
    [
        # 100.00 bought for 700.00 are worth 710.00: nothing is sold.
        (NONE, Flows(10_000, 70_000, 0, 0), 71_000, Result(0, 1_000)),
        # 40.00 of them sold for 290.00: 10.00 above their cost; the rest is worth 6.00 more.
        (NONE, Flows(10_000, 70_000, 4_000, 29_000), 42_600, Result(1_000, 600)),
        # All sold, for less than they cost.
        (NONE, Flows(10_000, 70_000, 10_000, 69_000), 0, Result(-1_000, 0)),
        # What was there is of one average with what was bought: 7.10 of 7.00 and 7.20.
        (Opening(10_000, 70_000), Flows(10_000, 72_000, 5_000, 36_000), 106_500, Result(500, 0)),
        # Sold first: 100.00 for 700.00 would cost 710.00 to buy.
        (NONE, Flows(0, 0, 10_000, 70_000), -71_000, Result(0, -1_000)),
        # Sold before, bought now for less.
        (Opening(-10_000, -70_000), Flows(4_000, 27_600, 0, 0), -42_000, Result(400, 0)),
        # From above zero to below: what there was has its result, the rest is sold ahead.
        (Opening(1_000, 7_000), Flows(0, 0, 3_000, 21_300), -14_400, Result(100, -200)),
        (NONE, Flows(0, 0, 0, 0), 0, Result(0, 0)),
    ],
)
def test_results_are_those_of_average_cost(
    opening: Opening, flows: Flows, value: int, result: Result
) -> None:
    assert result_of(opening, flows, value) == result


@given(st.integers(-(10**12), 10**12), AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_both_parts_are_the_whole(
    amount: int, worth: int, bought: int, paid: int, sold: int, got: int, value: int
) -> None:
    opening = Opening(amount, worth if amount > 0 else -worth if amount < 0 else 0)
    end = amount + bought - sold
    value = value if end > 0 else -value if end < 0 else 0
    flows = Flows(bought, paid if bought else 0, sold, got if sold else 0)
    result = result_of(opening, flows, value)
    cost = opening.cost + flows.bought_for - flows.sold_for
    assert sum(result) == value - cost
    if not end:
        assert result.unrealised == 0
    if not sold and amount >= 0:
        assert result.realised == 0
    if not bought and amount <= 0:
        assert result.realised == 0


def test_business_dates_are_closed_in_order() -> None:
    check_date("2026-11-02", present="2026-11-02", last="2026-11-01")
    check_date("2026-11-02", present="2026-11-03", last="2026-11-02")
    for day, reason in (
        ("2026-11-03", "FX_REVALUATION_EARLY"),
        ("2026-10-31", "FX_REVALUATION_SUPERSEDED"),
    ):
        with pytest.raises(Refusal, match=reason):
            check_date(day, present="2026-11-02", last="2026-11-01")
