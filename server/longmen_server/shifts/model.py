"""The rules of shifts: a till has one open at a time, and a closed one never changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.platform.ids import SHIFT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import CashierId, MerchantId, ShiftId, StoreId, TerminalId

__all__ = [
    "DayFilter",
    "DayLine",
    "DayOrder",
    "Grouping",
    "ShiftRow",
    "Totals",
    "shift_not_found",
    "shift_open",
]


@dataclass(slots=True)
class ShiftRow:
    """One shift."""

    shift_id: ShiftId
    merchant_id: MerchantId
    terminal_id: TerminalId
    cashier_label: str
    opened_at_us: int
    closed_at_us: int | None
    cashier_id: CashierId | None = None
    """The registered cashier; None where the merchant goes by labels."""
    store_id: StoreId | None = None
    """The registered store that the till stood in when it began."""

    def copy(self) -> ShiftRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class Totals:
    """What a till has taken and given back, in minor units of its merchant's currency."""

    sales_count: int
    sales: int
    refunds_count: int
    refunds: int
    unpaid_count: int
    tips: int = 0
    tips_returned: int = 0


class Grouping(IntEnum):
    """By what a day is told apart; values are those of longmen.merchants.v1.TotalsGrouping."""

    STORE = 1
    CASHIER = 2
    TERMINAL = 3


@dataclass(slots=True, frozen=True)
class DayLine:
    """What one store, cashier or till has taken on a day."""

    key: str
    """'i' and the id of what the line is of, 'l' and a cashier's label, or '0' for neither."""
    cashier_label: str
    totals: Totals

    @property
    def subject(self) -> bytes | None:
        """The id of what the line is of; None for a label, and for neither."""
        return bytes.fromhex(self.key[1:].replace("-", "")) if self.key[0] == "i" else None


class DayFilter(NamedTuple):
    """What a day's orders are narrowed to; None for all."""

    store_id: StoreId | None
    cashier_id: CashierId | None
    terminal_id: TerminalId | None


@dataclass(slots=True, frozen=True)
class DayOrder:
    """An order, and the store and the shift it counts for."""

    order: OrderRow
    store_id: StoreId | None
    cashier_id: CashierId | None
    cashier_label: str


def shift_open(shift_id: ShiftId) -> Refusal:
    """Return the refusal of a second open shift of a till."""
    return Refusal(
        "SHIFT_OPEN",
        "the terminal has a shift open",
        metadata={"shift_id": SHIFT.encode(shift_id)},
        field="terminal_id",
    )


def shift_not_found(shift_id: ShiftId) -> Refusal:
    """Return the refusal for a shift that is not there, or not the caller's to see."""
    return Refusal(
        "SHIFT_NOT_FOUND",
        "no such shift",
        metadata={"shift_id": SHIFT.encode(shift_id)},
        field="shift_id",
    )
