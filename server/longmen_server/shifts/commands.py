"""The commands of shifts: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import shifts_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.merchants.model import terminal_not_found
from longmen_server.merchants.tables import TERMINAL, TERMINAL_STATE
from longmen_server.shifts import encode
from longmen_server.shifts.model import ShiftRow, shift_not_found, shift_open
from longmen_server.shifts.tables import OPEN_SHIFT, SHIFT
from longmen_server.stores.cashiers import find_worker
from longmen_server.stores.model import check_one_worker, store_closed
from longmen_server.stores.tables import ANY_CASHIER, CASHIER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.platform.ids import CashierId, ShiftId, TerminalId

__all__ = ["CloseShift", "OpenShift"]


class OpenShift(Command):
    """Begin a cashier's time at a till."""

    __slots__ = ("actor", "cashier_id", "cashier_label", "shift_id", "terminal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        shift_id: ShiftId,
        terminal_id: TerminalId,
        cashier_label: str,
        actor: MerchantActor,
        cashier_id: CashierId | None = None,
    ) -> None:
        super().__init__(book, request)
        self.shift_id = shift_id
        self.terminal_id = terminal_id
        self.cashier_label = cashier_label
        self.cashier_id = cashier_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the till, its open shift and its store, and the cashier."""
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.terminal_id)
            yield RowKey(TERMINAL_STATE, self.terminal_id)
            yield RowKey(OPEN_SHIFT, self.terminal_id)
        elif stage == STAGE_LINK:
            terminal = working_set.get(TERMINAL, self.terminal_id)
            if self.cashier_id is not None:
                yield RowKey(CASHIER, self.cashier_id)
            elif terminal is not None:
                yield RowKey(ANY_CASHIER, terminal.merchant_id)
            present = working_set.get(OPEN_SHIFT, self.terminal_id)
            if present is not None:
                yield RowKey(SHIFT, present)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Begin it unless another one is open, the store is closed or the cashier may not."""
        terminal = working_set.get(TERMINAL, self.terminal_id)
        if terminal is None or not self.actor.may_use(terminal.merchant_id):
            raise terminal_not_found(self.terminal_id)
        check_one_worker(self.cashier_id, self.cashier_label)
        present = working_set.get(OPEN_SHIFT, self.terminal_id)
        known = None if present is None else working_set.get(SHIFT, present)
        # Closed meanwhile: the pointer was read before the lock on the shift was had.
        if known is not None and known.closed_at_us is None:
            raise shift_open(known.shift_id)
        till = working_set.get(TERMINAL_STATE, self.terminal_id)
        store_id = None if till is None else till.store_id
        if till is not None and till.store_closed and store_id is not None:
            raise store_closed(store_id)
        worker = find_worker(working_set, self.cashier_id, terminal.merchant_id)
        row = ShiftRow(
            shift_id=self.shift_id,
            merchant_id=terminal.merchant_id,
            terminal_id=self.terminal_id,
            cashier_label=self.cashier_label if worker is None else worker.number,
            opened_at_us=working_set.next_stamp(),
            closed_at_us=None,
            cashier_id=self.cashier_id,
            store_id=store_id,
        )
        working_set.insert(SHIFT, row.shift_id, row)
        working_set.insert(OPEN_SHIFT, self.terminal_id, row.shift_id)
        return pb.OpenShiftResponse(
            shift=encode.shift(row), committed_at=working_set.committed_at
        ).SerializeToString()


class CloseShift(Command):
    """End a shift."""

    __slots__ = ("actor", "shift_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, shift_id: ShiftId, actor: MerchantActor
    ) -> None:
        super().__init__(book, request)
        self.shift_id = shift_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the shift."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(SHIFT, self.shift_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """End it; one that has ended already stays as it is."""
        row = working_set.get(SHIFT, self.shift_id)
        if row is None or not self.actor.may_use(row.merchant_id):
            raise shift_not_found(self.shift_id)
        if row.closed_at_us is None:
            row = working_set.edit(SHIFT, self.shift_id)
            row.closed_at_us = working_set.next_stamp()
        return pb.CloseShiftResponse(
            shift=encode.shift(row), committed_at=working_set.committed_at
        ).SerializeToString()
