"""The commands that end transfers, or stop them from ending: by people, by time, by the clearing.

All of them lock the transfer's hold and its schedule row, so whichever comes first decides, and the
others find what it decided.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from longmen.transfers.v1 import transfers_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.ledger.model import PostingIntent, PostingKind
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT, HOLD, TRANSACTION_POSTINGS
from longmen_server.ledger.watching import hold_keys
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.rows import HELD_STATES, HoldState, held_by_risk
from longmen_server.risk.tables import RISK_HOLD
from longmen_server.transfers import encode, model
from longmen_server.transfers.commands import tell_state
from longmen_server.transfers.model import InstructionState, Standing, TransferKind, TransferState
from longmen_server.transfers.tables import INSTRUCTION, SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import HoldRow, PostingRow
    from longmen_server.platform.ids import TransactionId
    from longmen_server.transfers.model import ScheduleRow


class Loaded(NamedTuple):
    """A transfer as loaded and locked."""

    posting: PostingRow
    schedule: ScheduleRow | None
    hold: HoldRow | None
    stands: Standing


class TransferCommand(Command):
    """A command about one transfer that was made before."""

    __slots__ = ("settlement_id", "transfer_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        transfer_id: TransactionId,
        settlement_id: TransactionId,
    ) -> None:
        super().__init__(book, request)
        self.transfer_id = transfer_id
        self.settlement_id = settlement_id
        """Transaction id of the capture, void or reversal, if there will be one."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name posting, hold and schedule, what risk and the clearing have, then both accounts."""
        if stage == STAGE_POINTER:
            yield RowKey(HOLD, (self.transfer_id, 0))
            yield RowKey(TRANSACTION_POSTINGS, self.transfer_id)
            yield RowKey(SCHEDULE, self.transfer_id)
            yield RowKey(INSTRUCTION, self.transfer_id)
            yield RowKey(RISK_HOLD, self.transfer_id)
        elif stage == STAGE_ACCOUNT:
            for posting in working_set.get(TRANSACTION_POSTINGS, self.transfer_id) or ():
                yield RowKey(ACCOUNT, posting.debit_account_id)
                yield RowKey(ACCOUNT, posting.credit_account_id)
            yield from hold_keys(working_set.get(HOLD, (self.transfer_id, 0)))

    def load(self, working_set: WorkingSet) -> Loaded | None:
        """Return the transfer, or None when there is none."""
        postings = working_set.get(TRANSACTION_POSTINGS, self.transfer_id)
        if not postings or not model.is_transfer(postings[0]):
            return None
        schedule = working_set.get(SCHEDULE, self.transfer_id)
        hold = working_set.get(HOLD, (self.transfer_id, 0))
        stands = model.standing(postings[0], schedule, hold, working_set.now_us)
        return Loaded(postings[0], schedule, hold, stands)

    def capture(self, working_set: WorkingSet, posting: PostingRow) -> None:
        """Pay out what is held. The movement says what the transfer said."""
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.settlement_id,
                kind=PostingKind.CAPTURE,
                pending=(self.transfer_id, 0),
                final=True,
                code=posting.code,
                reference=posting.reference,
                description=posting.description,
            ),
        )

    def void(self, working_set: WorkingSet, posting: PostingRow) -> None:
        """Give back what is held."""
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.settlement_id,
                kind=PostingKind.VOID,
                pending=(self.transfer_id, 0),
                code=posting.code,
                reference=posting.reference,
                description=posting.description,
            ),
        )

    def move_to(
        self,
        working_set: WorkingSet,
        state: TransferState,
        *,
        failure_code: str | None = None,
        settled: bool = True,
    ) -> Standing:
        """Bring the transfer to a state, and tell it."""
        row = working_set.edit(SCHEDULE, self.transfer_id)
        row.state = state
        row.failure_code = failure_code
        if settled:
            row.settlement_id = self.settlement_id
        row.updated_at_us = tell_state(working_set, self.transfer_id, state)
        self._let_go(working_set, state)
        return Standing(state, row.due_at_us, failure_code or "")

    def _let_go(self, working_set: WorkingSet, state: TransferState) -> None:
        """Note what became of money that risk holds, and of the instruction that waits for it."""
        ended = state in model.FINAL_STATES or state == TransferState.PROCESSING
        back = state in {TransferState.CANCELLED, TransferState.FAILED}
        present = working_set.get(RISK_HOLD, self.transfer_id)
        if ended and present is not None and present.state in HELD_STATES:
            hold = working_set.edit(RISK_HOLD, self.transfer_id)
            hold.state = HoldState.RETURNED if back else HoldState.RELEASED
            hold.changed_at_us = working_set.now_us
        instruction = working_set.get(INSTRUCTION, self.transfer_id)
        if ended and instruction is not None and instruction.state == InstructionState.HELD:
            row = working_set.edit(INSTRUCTION, self.transfer_id)
            row.state = InstructionState.WITHDRAWN if back else InstructionState.QUEUED
            row.updated_at_us = working_set.next_stamp()

    def pay_out(self, working_set: WorkingSet, posting: PostingRow) -> Standing:
        """Let the money go: to the payee at once, or to the bank account through the clearing."""
        if model.KIND_BY_CODE[posting.code] == TransferKind.WITHDRAWAL:
            return self.move_to(working_set, TransferState.PROCESSING, settled=False)
        self.capture(working_set, posting)
        return self.move_to(working_set, TransferState.COMPLETED)

    def give_back(self, working_set: WorkingSet, posting: PostingRow, code: str = "") -> Standing:
        """Give the money back to its payer."""
        self.void(working_set, posting)
        return self.move_to(working_set, TransferState.CANCELLED, failure_code=code or None)


class ChangeTransfer(TransferCommand):
    """A change of a transfer that its payer or the bank asks for."""

    __slots__ = ("actor",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        transfer_id: TransactionId,
        settlement_id: TransactionId,
        actor: Actor,
    ) -> None:
        super().__init__(book, request, transfer_id=transfer_id, settlement_id=settlement_id)
        self.actor = actor

    def load_own(self, working_set: WorkingSet) -> Loaded:
        """Return the transfer.

        Raises:
            Refusal: TRANSFER_NOT_FOUND when there is none, or the actor is not who pays it.
        """
        loaded = self.load(working_set)
        if loaded is None:
            raise model.transfer_not_found(self.transfer_id)
        posting = loaded.posting
        # What a top-up concerns is its credit account; everything else is its payer's to change.
        is_top_up = model.KIND_BY_CODE[posting.code] == TransferKind.TOP_UP
        own_id = posting.credit_account_id if is_top_up else posting.debit_account_id
        account = working_set.get(ACCOUNT, own_id)
        if account is None or not self.actor.may_use(account.owner_id):
            raise model.transfer_not_found(self.transfer_id)
        return loaded

    def check_risk(self, working_set: WorkingSet, *states: HoldState) -> None:
        """Refuse what risk does not leave to the actor.

        Raises:
            Refusal: TRANSFER_HELD_BY_RISK while its hold is in one of the states.
        """
        hold = working_set.get(RISK_HOLD, self.transfer_id)
        if hold is not None and hold.state in states:
            raise held_by_risk(hold)


class HoldTransfer(ChangeTransfer):
    """Stop a transfer from being released by time."""

    __slots__ = ("reason_text",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        transfer_id: TransactionId,
        settlement_id: TransactionId,
        actor: Actor,
        reason_text: str,
    ) -> None:
        super().__init__(
            book, request, transfer_id=transfer_id, settlement_id=settlement_id, actor=actor
        )
        self.reason_text = reason_text

    def decide(self, working_set: WorkingSet) -> bytes:
        """Hold it."""
        loaded = self.load_own(working_set)
        model.check_can_hold(loaded.stands.state)
        stands = self.move_to(working_set, TransferState.HELD, settled=False)
        working_set.edit(SCHEDULE, self.transfer_id).reason_text = self.reason_text or None
        return pb.HoldTransferResponse(
            transfer=encode.transfer(loaded.posting, stands, with_reference=True),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class ReleaseTransfer(ChangeTransfer):
    """Pay a transfer out now."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Let what is held go; what risk holds is not let go by a customer, nor before its case."""
        loaded = self.load_own(working_set)
        model.check_can_release(loaded.stands.state, by_bank=True)
        if not self.actor.is_bank:
            self.check_risk(working_set, HoldState.DELAYED)
        self.check_risk(working_set, HoldState.REVIEWED)
        model.check_can_release(loaded.stands.state, by_bank=self.actor.is_bank)
        stands = self.pay_out(working_set, loaded.posting)
        return pb.ReleaseTransferResponse(
            transfer=encode.transfer(loaded.posting, stands, with_reference=True),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class CancelTransfer(ChangeTransfer):
    """Take a transfer back."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Void what is held, unless somebody has to look at it first."""
        loaded = self.load_own(working_set)
        model.check_can_cancel(loaded.stands.state)
        self.check_risk(working_set, HoldState.REVIEWED)
        stands = self.give_back(working_set, loaded.posting)
        return pb.CancelTransferResponse(
            transfer=encode.transfer(loaded.posting, stands, with_reference=True),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class JobCommand(TransferCommand):
    """A step of the server's own jobs; its reply is the name of the state it left."""

    __slots__ = ()

    @abstractmethod
    def settle(self, working_set: WorkingSet) -> str:
        """Do the step, or nothing if it is not to be done any more."""

    def decide(self, working_set: WorkingSet) -> bytes:
        """Do the step."""
        return self.settle(working_set).encode()


class PayDue(JobCommand):
    """Pay a transfer out because its time has come."""

    __slots__ = ()

    def settle(self, working_set: WorkingSet) -> str:
        """Capture, or fail the transfer if the ledger will not."""
        loaded = self.load(working_set)
        if loaded is None or loaded.schedule is None:
            return "MISSING"
        kept = TransferState(loaded.schedule.state)
        if kept in model.FINAL_STATES:
            return kept.name
        stands = loaded.stands
        if stands.state in model.FINAL_STATES:
            # The ledger has decided on the money; the schedule follows.
            code = stands.failure_code or None
            return self.move_to(
                working_set, stands.state, failure_code=code, settled=False
            ).state.name
        due_at_us = loaded.schedule.due_at_us
        waits = kept != TransferState.SCHEDULED or due_at_us is None
        if waits or (due_at_us is not None and due_at_us > working_set.now_us):
            return kept.name
        return self._pay(working_set, loaded.posting).state.name

    def _pay(self, working_set: WorkingSet, posting: PostingRow) -> Standing:
        mark = working_set.mark()
        try:
            return self.pay_out(working_set, posting)
        except Refusal as refusal:
            working_set.rollback(mark)
            self.void(working_set, posting)
            return self.move_to(working_set, TransferState.FAILED, failure_code=refusal.reason)
