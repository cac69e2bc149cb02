"""What everybody at the market knows: the merchants' own lists, and what each wallet paid.

They are kept from the tills' and phones' answers alone, and judge the bank's books in the evening.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from longmen.merchants.v1 import settlement_pb2
from longmen_server.demo.plan import CURRENCY

if TYPE_CHECKING:
    from longmen_server.demo.shop.plan import Terms

SALE, REFUND = "SALE", "REFUND"
TYPES = (SALE, "TIP", REFUND, "TIP_REFUND", "FEE", "FEE_RETURN")
"""Of a bill's lines, in the order of the report."""
KINDS = {
    SALE: settlement_pb2.BILL_LINE_KIND_SALE,
    REFUND: settlement_pb2.BILL_LINE_KIND_REFUND,
}


@dataclass(slots=True)
class Receipt:
    """One sale that was paid."""

    stall: int
    account_id: str
    """Who paid."""
    order_id: str
    order_number: str
    amount: int
    """Without the tip."""
    tip: int = 0
    refunded: int = 0
    tip_refunded: int = 0

    @property
    def total(self) -> int:
        """What was paid, tip and all."""
        return self.amount + self.tip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a merchant's own list."""

    kind: str
    order_number: str
    refund_number: str
    amount: int

    def listed(self) -> settlement_pb2.ListedLine:
        """The line as Reconcile takes it."""
        line = settlement_pb2.ListedLine(
            kind=KINDS[self.kind],
            order_number=self.order_number,
            refund_number=self.refund_number,
        )
        line.amount.minor_units, line.amount.currency_code = self.amount, CURRENCY
        return line


@dataclass(slots=True)
class StallBooks:
    """What one merchant wrote down."""

    terms: Terms
    lines: list[Line] = field(default_factory=list)
    unlisted: list[Receipt] = field(default_factory=list)
    """Sales that only a lost till knew of."""
    covered: list[Receipt] = field(default_factory=list)
    """Sales without a network that the bank paid in their payers' place."""
    totals: Counter[str] = field(default_factory=Counter)
    """Minor units by type of a bill's lines, with their signs, those of lost tills included."""
    counts: Counter[str] = field(default_factory=Counter)
    paid_out: int = 0
    """Minor units that the merchant has got."""

    @property
    def net(self) -> int:
        """What the bank owes for all of it."""
        return sum(self.totals.values())

    def book(self, kind: str, signed: int) -> None:
        """Add a movement; those of nothing are none."""
        if signed:
            self.totals[kind] += signed
            self.counts[kind] += 1


@dataclass
class Books:
    """Everything that was written down."""

    stalls: list[StallBooks] = field(default_factory=list)
    wallets: Counter[str] = field(default_factory=Counter)
    """What each wallet must have, by account id."""
    receipts: list[Receipt] = field(default_factory=list)
    forwarded: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Amounts of the sales that tills had stored, by what became of them."""

    @property
    def paid_orders(self) -> set[tuple[int, str]]:
        """Everything that was paid: by stall and order id."""
        kept = [one for books in self.stalls for one in (*books.unlisted, *books.covered)]
        return {(one.stall, one.order_id) for one in (*self.receipts, *kept)}

    def brought(self, account_id: str, amount: int) -> None:
        """Somebody came with money."""
        self.wallets[account_id] += amount

    def sold(
        self,
        stall: int,
        account_id: str,
        *,
        order_id: str,
        order_number: str,
        amount: int,
        tip: int = 0,
        listed: bool = True,
    ) -> Receipt:
        """Something was paid.

        Args:
            stall: the seller's place.
            account_id: who paid; empty where the bank did.
            order_id: the bank's id of it.
            order_number: the merchant's.
            amount: without the tip.
            tip: besides.
            listed: whether the merchant knows of it.
        """
        receipt = Receipt(stall, account_id, order_id, order_number, amount, tip)
        books = self.stalls[stall]
        if listed:
            books.lines.append(Line(SALE, order_number, "", amount))
            kept = self.receipts if account_id else books.covered
            kept.append(receipt)
        else:
            books.unlisted.append(receipt)
        books.book(SALE, amount)
        books.book("TIP", tip)
        books.book("FEE", -books.terms.fee(amount))
        if account_id:
            self.wallets[account_id] -= receipt.total
        return receipt

    def refunded(self, receipt: Receipt, refund_number: str, amount: int) -> None:
        """Money went back; of a tip as much as of the goods, rounded down until all is back."""
        books = self.stalls[receipt.stall]
        back = receipt.refunded + receipt.tip_refunded + amount
        tip = int(Decimal(receipt.tip) * back // receipt.total) - receipt.tip_refunded
        goods = amount - tip
        if goods:
            books.lines.append(Line(REFUND, receipt.order_number, refund_number, goods))
        books.book(REFUND, -goods)
        books.book("TIP_REFUND", -tip)
        fee = books.terms.fee(receipt.amount)
        before, after = (
            books.terms.fee_returned(fee, refunded=refunded, paid=receipt.amount)
            for refunded in (receipt.refunded, receipt.refunded + goods)
        )
        books.book("FEE_RETURN", after - before)
        receipt.refunded += goods
        receipt.tip_refunded += tip
        self.wallets[receipt.account_id] += amount

    def facts(self) -> dict[str, Any]:
        """Figures for the report."""
        totals: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for books in self.stalls:
            totals.update(books.totals)
            counts.update(books.counts)
        return {
            kind.lower(): {"count": counts[kind], "minor_units": totals[kind]} for kind in TYPES
        }

    def stored_facts(self) -> dict[str, Any]:
        """Figures of what was sold without a network, for the report."""
        return {
            outcome.lower(): {"count": len(amounts), "minor_units": sum(amounts)}
            for outcome, amounts in self.forwarded.items()
        }
