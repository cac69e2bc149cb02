"""What a store, a cashier, a till or a shift has taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen_client.money import Money

if TYPE_CHECKING:
    from longmen.merchants.v1 import shift_pb2

__all__ = ["OpenedShift", "Takings", "takings_of"]


@dataclass(frozen=True)
class OpenedShift:
    """A shift that is open at a till."""

    shift_id: str
    goes_on: bool
    """Whether it was open before, such as when the till was cut off."""


@dataclass(frozen=True)
class Takings:
    """What was sold and given back, tips included."""

    of: str
    """Id of the store, cashier or till, a cashier's label, or empty for neither."""
    sales_count: int
    sales: Money
    tips: Money
    refunds_count: int
    refunds: Money
    """What went back, the tips with it."""
    unpaid_count: int

    @property
    def net(self) -> Money:
        """What is left of sales and tips; below zero where more came back than was sold."""
        minor_units = self.sales.minor_units + self.tips.minor_units - self.refunds.minor_units
        return Money(minor_units, self.sales.currency_code)


def takings_of(line: shift_pb2.DayLine) -> Takings:
    """Return a line as takings."""
    sums = line.totals
    code = sums.sales.currency_code
    return Takings(
        of=line.store_id or line.cashier_id or line.cashier_label or line.terminal_id,
        sales_count=sums.sales_count,
        sales=Money(sums.sales.minor_units, code),
        tips=Money(sums.tips.minor_units, code),
        refunds_count=sums.refunds_count,
        refunds=Money(sums.refunds.minor_units + sums.tips_returned.minor_units, code),
        unpaid_count=sums.unpaid_count,
    )
