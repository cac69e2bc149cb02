"""The rules of settlement: what a business date came to, and what of it is paid out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import SETTLEMENT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import AccountId, MerchantId, SettlementId, TransactionId

SETTLEMENT_DAYS_DEFAULT: Final = 1
"""The n of T+n for merchants without a plan."""


class SettlementState(IntEnum):
    """Where a settlement stands; values of longmen.merchants.v1.SettlementState."""

    PENDING = 1
    SETTLED = 2
    CARRIED = 3


class Sums(NamedTuple):
    """What the movements of a merchant's account came to, in minor units."""

    sale_count: int = 0
    sales: int = 0
    refund_count: int = 0
    refunds: int = 0
    fees: int = 0
    fees_returned: int = 0
    other: int = 0
    """What the bank booked by hand; below zero where it was taken."""
    tips: int = 0
    tips_returned: int = 0

    @property
    def net(self) -> int:
        """What the bank owes for all of it; below zero where the merchant does."""
        owed = self.sales + self.tips - self.refunds - self.tips_returned
        return owed - self.fees + self.fees_returned + self.other


@dataclass(slots=True)
class SettlementRow:
    """What one business date of a merchant came to, and what became of it."""

    settlement_id: SettlementId
    merchant_id: MerchantId
    account_id: AccountId
    business_date: str
    settlement_date: str
    state: int
    currency_code: str
    from_version: int
    """The last version of the merchant's account before the date's movements."""
    to_version: int
    """The version of the last of them."""
    sale_count: int
    sales: int
    refund_count: int
    refunds: int
    fees: int
    fees_returned: int
    other: int
    tips: int
    tips_returned: int
    carried_in: int
    paid: int
    carried_out: int
    transaction_id: TransactionId | None
    created_at_us: int
    settled_at_us: int | None

    def copy(self) -> SettlementRow:
        """Return a copy for a command to change."""
        return replace(self)

    @property
    def sums(self) -> Sums:
        """What the movements came to."""
        return Sums(
            self.sale_count,
            self.sales,
            self.refund_count,
            self.refunds,
            self.fees,
            self.fees_returned,
            self.other,
            self.tips,
            self.tips_returned,
        )


@dataclass(slots=True)
class PositionRow:
    """How far a merchant's business dates are closed and settled."""

    merchant_id: MerchantId
    closed_version: int
    """The last version of the merchant's account that a closed date has."""
    closed_date: str
    settled_date: str
    """The last business date that was settled or carried; empty before the first."""
    carried: int
    """What was left by it; below zero where the merchant owes it."""

    def copy(self) -> PositionRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A business date of a merchant, read and to be closed."""

    merchant_id: MerchantId
    business_date: str
    from_version: int
    to_version: int
    sums: Sums


def payout(carried: int, net: int, available: int) -> int:
    """Return what is paid out: what is owed by now, but no more than is there."""
    return max(0, min(carried + net, available))


def settlement_not_found(settlement_id: SettlementId) -> Refusal:
    """Return the refusal for a settlement that is not there, or not the caller's to see."""
    return Refusal(
        "SETTLEMENT_NOT_FOUND",
        "no such settlement",
        metadata={"settlement_id": SETTLEMENT.encode(settlement_id)},
        field="settlement_id",
    )


def bill_not_ready(business_date: str, end_us: int) -> Refusal:
    """Return the refusal for the bill of a day that is not closed."""
    return Refusal(
        "BILL_NOT_READY",
        "the business date is not closed yet",
        metadata={"business_date": business_date, "end_time_us": str(end_us)},
        field="business_date",
    )
