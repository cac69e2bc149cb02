"""The market is a judge: what its tills wrote down is held against the bank's books."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from longmen_merchant.bills import Bill, BillLine
from longmen_server.demo.shop.books import Books, StallBooks
from longmen_server.demo.shop.evening import compare_bill
from longmen_server.demo.shop.market import Market, Stall
from longmen_server.demo.shop.plan import SMALL_MARKET, ShopPlan, Terms
from longmen_server.demo.tally import Tally

TERMS = Terms(60, 1, pro_rata=True)


class Judge:
    """As much of a market as a bill is compared by."""

    def __init__(self) -> None:
        self.books = Books(stalls=[StallBooks(TERMS)])
        self.tally = Tally()

    def expect(self, holds: object, text: str) -> bool:
        return Market.expect(cast("Any", self), holds, text)

    def judged(self, lines: list[tuple[str, str, str, int]]) -> list[str]:
        """The problems of a bill with these lines."""
        bill = [
            BillLine(place, "", kind, number, refund, "", "", amount, "CNY", 0)
            for place, (kind, number, refund, amount) in enumerate(lines, start=1)
        ]
        counts: dict[str, int] = {}
        sums: dict[str, int] = {}
        for line in bill:
            counts[line.type] = counts.get(line.type, 0) + 1
            sums[line.type] = sums.get(line.type, 0) + line.minor_units
        stall = cast("Stall", SimpleNamespace(place=0))
        compare_bill(cast("Any", self), stall, Bill(tuple(bill), counts, sums, "CNY", ""))
        return self.tally.problems


def judge() -> tuple[Judge, list[tuple[str, str, str, int]]]:
    """A stall with a sale, a refund of a third, and a sale that only a lost till knew of."""
    one = Judge()
    sold = one.books.sold(0, "acct_1", order_id="ord_1", order_number="1", amount=3_000)
    one.books.refunded(sold, "r", 1_000)
    one.books.sold(0, "acct_2", order_id="ord_2", order_number="2", amount=500, listed=False)
    bill = [
        ("SALE", "1", "", 3_000),
        ("FEE", "1", "", -19),
        ("REFUND", "1", "r", -1_000),
        ("FEE_RETURN", "1", "", 6),
        ("SALE", "2", "", 500),
        ("FEE", "2", "", -4),
    ]
    return one, bill


def test_a_true_bill_has_no_problem() -> None:
    one, bill = judge()
    assert one.judged(bill) == []
    assert one.books.stalls[0].net == 2_483
    assert dict(one.books.wallets) == {"acct_1": -2_000, "acct_2": -500}
    assert [line.order_number for line in one.books.stalls[0].lines] == ["1", "1"]


@pytest.mark.parametrize("place", range(6))
def test_every_line_of_a_bill_counts(place: int) -> None:
    one, bill = judge()
    kind, number, refund, amount = bill[place]
    bill[place] = (kind, number, refund, amount + 1)
    assert one.judged(bill)


def test_sales_that_change_places_are_noticed() -> None:
    one, bill = judge()
    bill[0], bill[4] = ("SALE", "1", "", 500), ("SALE", "2", "", 3_000)
    assert one.judged(bill) == ["the bill of stall 0 has other lines than its merchant"]


@pytest.mark.parametrize(
    ("amount", "terms", "fee"),
    [
        (1_000, Terms(25, 0, pro_rata=False), 3),
        (1_000, Terms(38, 0, pro_rata=False), 4),
        (100, Terms(60, 1, pro_rata=False), 2),
        (1, Terms(60, 5, pro_rata=False), 1),
    ],
)
def test_fees_are_reckoned_in_decimals(amount: int, terms: Terms, fee: int) -> None:
    assert terms.fee(amount) == fee


def test_every_stall_and_every_shopper_has_a_turn() -> None:
    plan = SMALL_MARKET
    trades = list(plan.trades("scanned", plan.merchants * plan.customers, plan.customers))
    assert {one.stall for one in trades} == set(range(plan.merchants))
    assert {one.shopper for one in trades} == set(range(plan.customers))
    assert trades == list(plan.trades("scanned", len(trades), plan.customers))
    other = ShopPlan(seed=2).trades("scanned", len(trades), plan.customers)
    assert [one.amount for one in trades] != [one.amount for one in other]
