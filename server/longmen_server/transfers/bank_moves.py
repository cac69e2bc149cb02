"""The commands between a wallet and its owner's bank account, by way of the clearing. All pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen.transfers.v1 import transfers_service_pb2 as pb
from longmen_server.challenges.model import stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.ledger.chart import BANK_CLEARING, CHART, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.commands import open_account
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent, PostingKind
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import Movement, MovementKind
from longmen_server.risk.guard import judge, settle
from longmen_server.transfers import encode, intents
from longmen_server.transfers.commands import find_wallet_account, schedule, stands_after
from longmen_server.transfers.model import (
    DONE,
    HOLD_DURATION_US,
    Direction,
    InstructionRow,
    InstructionState,
    Standing,
    TransferKind,
    TransferState,
    check_bank_account,
)
from longmen_server.transfers.tables import INSTRUCTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.limits.movement import Asker
    from longmen_server.platform.ids import AccountId, TransactionId
    from longmen_server.platform.refusal import Refusal
    from longmen_server.risk.guard import Guard
    from longmen_server.transfers.model import SealedAccount

__all__ = ["ClearingMove", "TopUp", "Withdraw", "open_clearing_account"]


@dataclass(slots=True, frozen=True, kw_only=True)
class ClearingMove:
    """What one top-up or withdrawal is to be."""

    transaction_id: TransactionId
    account_id: AccountId
    amount: int
    currency_code: str
    bank_account: str
    """As the customer gave it, to be checked; never stored."""
    sealed_account: SealedAccount
    description: str
    reference: str


class ClearingCommand(Command):
    """A command that moves money between a wallet and the bank's clearing."""

    __slots__ = ("actor", "clearing_id", "guard", "move")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        move: ClearingMove,
        actor: Actor,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request)
        self.guard = guard
        self.move = move
        self.actor = actor
        self.clearing_id = system_account_id(book, move.currency_code, BANK_CLEARING)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet's account and the clearing's."""
        del working_set
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.move.account_id)
            yield RowKey(ACCOUNT, self.clearing_id)

    def check(self, working_set: WorkingSet) -> AccountRow:
        """Refuse what may not be moved, then see that there is a clearing account."""
        move = self.move
        account = find_wallet_account(working_set, move.account_id, move.currency_code, self.actor)
        check_bank_account(move.bank_account)
        if working_set.get(ACCOUNT, self.clearing_id) is None:
            open_clearing_account(working_set, self.clearing_id, move.currency_code)
        return account

    def movement(
        self,
        account: AccountRow,
        kind: MovementKind,
        asker: Asker,
        *,
        payer_id: AccountId | None = None,
        payee_id: AccountId | None = None,
    ) -> Movement:
        """Return what the move is about to do; a withdrawal is held until the clearing answers."""
        return Movement(
            kind=kind,
            asker=asker,
            transaction_id=self.move.transaction_id,
            amount=self.move.amount,
            currency_code=self.move.currency_code,
            payer_id=payer_id,
            payee_id=payee_id,
            customer_id=account.owner_id,
            is_own=True,
            is_held=kind == MovementKind.WITHDRAWAL,
        )

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave what was decided about the movement."""
        if self.guard is not None:
            self.guard.refused(working_set, refusal)

    def instruct(
        self, working_set: WorkingSet, direction: Direction, at_us: int, *, waits: bool = False
    ) -> None:
        """Queue the instruction to the clearing, or let it wait while risk holds the money."""
        move = self.move
        row = InstructionRow(
            transaction_id=move.transaction_id,
            direction=direction,
            state=InstructionState.HELD if waits else InstructionState.QUEUED,
            account_id=move.account_id,
            amount=move.amount,
            currency_code=move.currency_code,
            bank_account=move.sealed_account.sealed,
            key_owner=move.sealed_account.key_owner,
            reference=move.reference or None,
            clearing_code=None,
            created_at_us=at_us,
            updated_at_us=at_us,
        )
        working_set.insert(INSTRUCTION, move.transaction_id, row)


def open_clearing_account(
    working_set: WorkingSet, account_id: AccountId, currency_code: str
) -> None:
    """Open the bank's clearing account of a currency, which nobody needed before."""
    line = CHART[BANK_CLEARING]
    open_account(
        working_set,
        AccountRow(
            account_id=account_id,
            currency_code=currency_code,
            account_type=line.account_type,
            chart_code=line.code,
            state=AccountState.OPEN,
            debits_posted=0,
            credits_posted=0,
            debits_pending=0,
            credits_pending=0,
            floor_minor_units=line.floor_minor_units,
            ceiling_minor_units=None,
            version=0,
            booked_at_us=0,
            created_at_us=0,
            owner_id=None,
            description=line.name,
        ),
    )


class TopUp(ClearingCommand):
    """Bring money into a wallet, and instruct the clearing to collect it."""

    __slots__ = ()

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the class of the wallet's owner too."""
        yield from super().keys(working_set, stage)
        yield from enforce.keys(stage, payee_id=self.move.account_id)
        if self.guard is not None:
            yield from self.guard.keys(working_set, stage, payee_id=self.move.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Credit the wallet at once: the bank trusts its own side of the clearing."""
        account = self.check(working_set)
        move = self.move
        asker = asker_of(working_set, self.actor, None)
        movement = self.movement(account, MovementKind.TOP_UP, asker, payee_id=move.account_id)
        verdict = judge(working_set, self.guard, movement)
        enforce.reserve(working_set, movement)
        outcome = book_posting(
            working_set,
            PostingIntent(
                transaction_id=move.transaction_id,
                debit_account_id=self.clearing_id,
                credit_account_id=move.account_id,
                currency_code=move.currency_code,
                amount=move.amount,
                code=PostingCode.TOP_UP,
                reference=move.reference or None,
                description=move.description or None,
            ),
        )[0]
        self.instruct(working_set, Direction.COLLECT, outcome.posting.booked_at_us)
        settle(working_set, verdict)
        return pb.TopUpResponse(
            transfer=encode.transfer(outcome.posting, DONE, with_reference=True),
            available_minor_units=outcome.credit.available,
            committed_at=working_set.committed_at,
        ).SerializeToString()


class Withdraw(ClearingCommand):
    """Hold money of a wallet, and instruct the clearing to pay it out."""

    __slots__ = ("gate",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        move: ClearingMove,
        actor: Actor,
        gate: Gate | None = None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request, move=move, actor=actor, guard=guard)
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what every move needs, and what limits and its approval do."""
        yield from super().keys(working_set, stage)
        yield from enforce.keys(stage, payer_id=self.move.account_id)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if self.guard is not None:
            device_id = None if self.gate is None else self.gate.device_id
            yield from self.guard.keys(
                working_set, stage, payer_id=self.move.account_id, device_id=device_id
            )

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided about the withdrawal."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        super().refused(working_set, refusal)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Hold the money until the clearing has answered."""
        account = self.check(working_set)
        move = self.move
        asker = asker_of(working_set, self.actor, self.gate)
        movement = self.movement(account, MovementKind.WITHDRAWAL, asker, payer_id=move.account_id)
        verdict = judge(working_set, self.guard, movement)
        least = enforce.reserve(working_set, movement)
        if self.gate is not None:
            intent = intents.of_withdrawal(move)
            self.gate.demand(working_set, intent, stronger(least, verdict.least))
        outcome = book_posting(
            working_set,
            PostingIntent(
                transaction_id=move.transaction_id,
                kind=PostingKind.PENDING,
                debit_account_id=move.account_id,
                credit_account_id=self.clearing_id,
                currency_code=move.currency_code,
                amount=move.amount,
                hold_duration_us=HOLD_DURATION_US,
                code=PostingCode.WITHDRAWAL,
                reference=move.reference or None,
                description=move.description or None,
            ),
        )[0]
        stands = stands_after(verdict, None, working_set.now_us)
        waits = stands is not DONE
        if not waits:
            stands = Standing(TransferState.PROCESSING)
        at_us = outcome.posting.booked_at_us
        self.instruct(working_set, Direction.PAY_OUT, at_us, waits=waits)
        schedule(
            working_set,
            move.transaction_id,
            TransferKind.WITHDRAWAL,
            stands.state,
            due_at_us=stands.due_at_us,
        )
        settle(working_set, verdict)
        return pb.WithdrawResponse(
            transfer=encode.transfer(outcome.posting, stands, with_reference=True),
            available_minor_units=outcome.debit.available,
            committed_at=working_set.committed_at,
        ).SerializeToString()
