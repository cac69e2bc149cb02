"""Generated from longmen_merchant/_async/shop.py by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import shift_pb2, store_pb2
from longmen_client.errors import ShiftOpen
from longmen_merchant.takings import OpenedShift, Takings, takings_of

if TYPE_CHECKING:
    from longmen.merchants.v1 import merchant_pb2
    from longmen_client._sync.client import Client

__all__ = ["Shop"]


class Shop:
    """What a merchant's own systems do about its stores, its cashiers and their shifts.

    Every method may raise LongmenError: what was asked for was refused, or could not be asked.
    """

    def __init__(self, bank: Client, merchant_id: str) -> None:
        """Take the connection and whose shops they are."""
        self._bank = bank
        self.merchant_id = merchant_id

    def add_store(
        self, number: str, name: str, *, address: str = "", city: str = ""
    ) -> store_pb2.Store:
        """Register a shop under the merchant's own number."""
        made = self._bank.stores.create_store(
            merchant_id=self.merchant_id, number=number, name=name, address=address, city=city
        )
        return made.message.store

    def stores(self) -> list[store_pb2.Store]:
        """Every shop, open and closed, in the order they were registered."""
        found = self._bank.stores.list_stores(merchant_id=self.merchant_id)
        return [one for page in found.pages() for one in page.stores]

    def close_store(self, store_id: str) -> store_pb2.Store:
        """Let the tills of a shop take no new orders."""
        return (self._bank.stores.close_store(store_id=store_id)).message.store

    def reopen_store(self, store_id: str) -> store_pb2.Store:
        """Let the tills of a closed shop sell again."""
        return (self._bank.stores.reopen_store(store_id=store_id)).message.store

    def add_till(self, label: str, *, store_id: str = "") -> merchant_pb2.Terminal:
        """Register a till in a shop, or in none."""
        made = self._bank.merchants.create_terminal(
            merchant_id=self.merchant_id, label=label, store_id=store_id
        )
        return made.message.terminal

    def move_till(self, terminal_id: str, store_id: str = "") -> merchant_pb2.Terminal:
        """Put a till into a shop, or into none; what it has sold stays where it was sold."""
        moved = self._bank.stores.move_terminal(terminal_id=terminal_id, store_id=store_id)
        return moved.message.terminal

    def add_cashier(self, number: str, name: str) -> store_pb2.Cashier:
        """Register somebody who works at the tills under the merchant's own number."""
        made = self._bank.cashiers.create_cashier(
            merchant_id=self.merchant_id, number=number, name=name
        )
        return made.message.cashier

    def cashiers(self, *, with_left: bool = False) -> list[store_pb2.Cashier]:
        """Who works at the tills; on demand also who has left."""
        state = store_pb2.CASHIER_STATE_ACTIVE
        if with_left:
            state = store_pb2.CASHIER_STATE_UNSPECIFIED
        found = self._bank.cashiers.list_cashiers(merchant_id=self.merchant_id, state=state)
        return [one for page in found.pages() for one in page.cashiers]

    def cashier_left(self, cashier: store_pb2.Cashier) -> store_pb2.Cashier:
        """Let somebody open no shift any more."""
        return self._update(cashier, store_pb2.CASHIER_STATE_LEFT)

    def cashier_is_back(self, cashier: store_pb2.Cashier) -> store_pb2.Cashier:
        """Let somebody who had left open shifts again."""
        return self._update(cashier, store_pb2.CASHIER_STATE_ACTIVE)

    def open_shift(self, terminal_id: str, who: store_pb2.Cashier | str) -> OpenedShift:
        """Begin a shift at a till, or go on with the one that is open there.

        Args:
            terminal_id: of the till.
            who: a registered cashier, or a label where the merchant has registered none.
        """
        label, cashier_id = (who, "") if isinstance(who, str) else ("", who.cashier_id)
        try:
            made = self._bank.shifts.open_shift(
                terminal_id=terminal_id, cashier_label=label, cashier_id=cashier_id
            )
        except ShiftOpen as present:
            return OpenedShift(present.metadata["shift_id"], goes_on=True)
        return OpenedShift(made.message.shift.shift_id, goes_on=False)

    def close_shift(self, shift_id: str) -> Takings:
        """End a shift and return what its till took in it."""
        self._bank.shifts.close_shift(shift_id=shift_id)
        found = self._bank.shifts.get_shift(shift_id=shift_id)
        return takings_of(shift_pb2.DayLine(totals=found.totals))

    def day(
        self,
        business_date: str,
        by: shift_pb2.TotalsGrouping.ValueType = shift_pb2.TOTALS_GROUPING_STORE,
        *,
        store_id: str = "",
    ) -> list[Takings]:
        """What one business date of the tills came to, by store, by cashier or by till.

        Args:
            business_date: YYYY-MM-DD, of the tills.
            by: what a line is of.
            store_id: the only store to count; empty for all.
        """
        found = self._bank.shifts.list_day_totals(
            merchant_id=self.merchant_id,
            business_date=business_date,
            grouping=by,
            store_id=store_id,
        )
        return [takings_of(line) for line in found]

    def _update(
        self, cashier: store_pb2.Cashier, state: store_pb2.CashierState.ValueType
    ) -> store_pb2.Cashier:
        changed = self._bank.cashiers.update_cashier(
            cashier_id=cashier.cashier_id, name=cashier.name, state=state
        )
        return changed.message.cashier
