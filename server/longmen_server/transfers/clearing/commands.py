"""The commands of the clearing's job: instructions that were sent, and answers that came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import Command, RowKey
from longmen_server.engine.family import STAGE_POINTER, STAGE_RECORD
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import REVERSAL
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers.commands import schedule
from longmen_server.transfers.model import (
    FINAL_STATES,
    Direction,
    InstructionState,
    TransferKind,
    TransferState,
)
from longmen_server.transfers.settlement import JobCommand
from longmen_server.transfers.tables import INSTRUCTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import TransactionId
    from longmen_server.transfers.clearing.port import Confirmation
    from longmen_server.transfers.model import InstructionRow
    from longmen_server.transfers.settlement import Loaded

_OPEN = frozenset({InstructionState.QUEUED, InstructionState.SENT})


class MarkSent(Command):
    """Note that instructions were handed to the clearing."""

    __slots__ = ("transfer_ids",)

    def __init__(self, book: int, transfer_ids: Sequence[TransactionId]) -> None:
        super().__init__(book, None)
        self.transfer_ids = transfer_ids

    @property
    def weight(self) -> int:
        """One for each instruction."""
        return len(self.transfer_ids)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the instructions."""
        del working_set
        if stage == STAGE_POINTER:
            for transfer_id in self.transfer_ids:
                yield RowKey(INSTRUCTION, transfer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Mark those that are still queued; an answer may have overtaken the mark."""
        at_us = working_set.next_stamp()
        for transfer_id in self.transfer_ids:
            row = working_set.get(INSTRUCTION, transfer_id)
            if row is not None and row.state == InstructionState.QUEUED:
                row = working_set.edit(INSTRUCTION, transfer_id)
                row.state = InstructionState.SENT
                row.updated_at_us = at_us
        return b""


class SettleInstruction(JobCommand):
    """Do what the clearing's answer to an instruction demands."""

    __slots__ = ("code", "confirmed")

    def __init__(
        self, book: int, confirmation: Confirmation, *, settlement_id: TransactionId
    ) -> None:
        super().__init__(
            book, None, transfer_id=confirmation.transaction_id, settlement_id=settlement_id
        )
        self.confirmed = confirmation.confirmed
        self.code = confirmation.code

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name instruction and transfer, their accounts, and an earlier reversal."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(INSTRUCTION, self.transfer_id)
        elif stage == STAGE_RECORD:
            yield RowKey(REVERSAL, self.transfer_id)

    def settle(self, working_set: WorkingSet) -> str:
        """Settle an instruction that has no answer yet; the first answer counts."""
        row = working_set.get(INSTRUCTION, self.transfer_id)
        loaded = self.load(working_set)
        if row is None or loaded is None:
            return "MISSING"
        if row.state not in _OPEN:
            return InstructionState(row.state).name
        mark = working_set.mark()
        try:
            self._follow(working_set, row, loaded)
        except Refusal as refusal:
            # The clearing moved money, or refused to, and the wallet could not follow.
            working_set.rollback(mark)
            self._fail(working_set, loaded, refusal)
            return self._close(working_set, InstructionState.UNRECOVERED)
        return self._close(
            working_set,
            InstructionState.CONFIRMED if self.confirmed else InstructionState.REFUSED,
        )

    def _follow(self, working_set: WorkingSet, row: InstructionRow, loaded: Loaded) -> None:
        """Bring the wallet to what the clearing has answered."""
        if row.direction == Direction.PAY_OUT:
            if self.confirmed:
                self.capture(working_set, loaded.posting)
                self.move_to(working_set, TransferState.COMPLETED)
            else:
                self.void(working_set, loaded.posting)
                self.move_to(working_set, TransferState.FAILED, failure_code=self.code)
        elif not self.confirmed:
            self._take_back(working_set, loaded)

    def _take_back(self, working_set: WorkingSet, loaded: Loaded) -> None:
        """Reverse a top-up that the clearing did not collect."""
        posting = loaded.posting
        if working_set.get(REVERSAL, self.transfer_id) is None:
            book_posting(
                working_set,
                PostingIntent(
                    transaction_id=self.settlement_id,
                    debit_account_id=posting.credit_account_id,
                    credit_account_id=posting.debit_account_id,
                    currency_code=posting.currency_code,
                    amount=posting.amount,
                    code=posting.code,
                    description=posting.description,
                    reverses_transaction_id=self.transfer_id,
                ),
            )
            reversal = (self.transfer_id, self.settlement_id)
            working_set.insert(REVERSAL, self.transfer_id, reversal)
        schedule(
            working_set,
            self.transfer_id,
            TransferKind.TOP_UP,
            TransferState.FAILED,
            settlement_id=self.settlement_id,
            failure_code=self.code,
        )

    def _fail(self, working_set: WorkingSet, loaded: Loaded, refusal: Refusal) -> None:
        """Say of a withdrawal that it failed in the ledger; a top-up stays what it was."""
        kept = loaded.schedule
        if kept is not None and TransferState(kept.state) not in FINAL_STATES:
            self.move_to(
                working_set, TransferState.FAILED, failure_code=refusal.reason, settled=False
            )

    def _close(self, working_set: WorkingSet, state: InstructionState) -> str:
        row = working_set.edit(INSTRUCTION, self.transfer_id)
        row.state = state
        row.clearing_code = self.code or None
        row.updated_at_us = working_set.next_stamp()
        return state.name
