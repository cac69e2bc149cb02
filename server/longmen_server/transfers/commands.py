"""The commands that make transfers: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen.transfers.v1 import transfers_service_pb2 as pb
from longmen_server.accounts.model import PhoneKey
from longmen_server.accounts.tables import PHONE_PAYEE
from longmen_server.challenges.model import stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.encode import reason_value
from longmen_server.ledger.model import PostingIntent, PostingKind
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import Movement, MovementKind
from longmen_server.platform.ids import TRANSACTION
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge, settle
from longmen_server.transfers import encode, intents
from longmen_server.transfers.model import (
    DONE,
    HOLD_DURATION_US,
    ScheduleRow,
    Standing,
    TransferKind,
    TransferState,
    due_at,
)
from longmen_server.transfers.tables import SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from longmen_server.accounts.model import Actor
    from longmen_server.auto_conversions.funding import AutoFunding
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow, PostingOutcome
    from longmen_server.limits.movement import Asker
    from longmen_server.platform.ids import AccountId, TransactionId
    from longmen_server.risk.guard import Guard, Verdict

_TRANSFER_STATE_CHANGED = event_pb2.EVENT_TYPE_TRANSFER_STATE_CHANGED


@dataclass(slots=True, frozen=True, kw_only=True)
class Payment:
    """What one payment is to be."""

    transaction_id: TransactionId
    payee_id: AccountId | None
    """The payee's account; None when the payee is named by phone number."""
    phone_index: bytes
    """What the payee's phone number is found by; empty when the payee is named by account."""
    amount: int
    currency_code: str
    description: str
    reference: str
    payee_text: str = ""
    """How the payer named the payee, masked, for the payer to recognise."""

    @property
    def phone_key(self) -> PhoneKey:
        """Where the payee's account is found by phone number."""
        return PhoneKey(self.phone_index, self.currency_code)

    def payee_keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the payee's account, by phone number after finding who that is."""
        if stage == STAGE_ACCOUNT:
            payee_id = self.found_payee(working_set)
            if payee_id is not None:
                yield RowKey(ACCOUNT, payee_id)
                yield from enforce.keys(stage, payee_id=payee_id)
        elif stage == STAGE_POINTER and self.payee_id is None:
            yield RowKey(PHONE_PAYEE, self.phone_key)

    def found_payee(self, working_set: WorkingSet) -> AccountId | None:
        """Return the payee's account, once it is known who is behind a phone number."""
        if self.payee_id is not None:
            return self.payee_id
        found = working_set.get(PHONE_PAYEE, self.phone_key)
        return None if found is None else found.account_id


def find_wallet_account(
    working_set: WorkingSet, account_id: AccountId, currency_code: str, actor: Actor
) -> AccountRow:
    """Return the account that an actor moves money on.

    Raises:
        Refusal: ACCOUNT_NOT_FOUND when it is not there or not the actor's, CURRENCY_MISMATCH.
    """
    account = working_set.get(ACCOUNT, account_id)
    if (
        account is None
        or account.chart_code != CUSTOMER_DEPOSITS
        or not actor.may_use(account.owner_id)
    ):
        raise account_not_found(account_id)
    if account.currency_code != currency_code:
        raise Refusal(
            "CURRENCY_MISMATCH",
            "the amount is in another currency than the account",
            metadata={"expected": account.currency_code, "actual": currency_code},
            field="amount.currency_code",
        )
    return account


def find_payee(working_set: WorkingSet, payment: Payment, payer_id: AccountId) -> AccountRow:
    """Return the account that a payment goes to.

    Raises:
        Refusal: PAYEE_NOT_FOUND, the same for everyone who cannot be reached; PAYER_IS_PAYEE;
            PAYEE_CURRENCY_UNAVAILABLE.
    """
    payee_id = payment.payee_id
    if payee_id is None:
        found = working_set.get(PHONE_PAYEE, payment.phone_key)
        if found is None or found.target_book != working_set.book:
            raise payee_not_found()
        if found.account_id is None:
            raise payee_currency_unavailable(payment.currency_code)
        payee_id = found.account_id
    if payee_id == payer_id:
        raise Refusal("PAYER_IS_PAYEE", "payer and payee are the same account", field="payee")
    payee = working_set.get(ACCOUNT, payee_id)
    if payee is None or payee.chart_code != CUSTOMER_DEPOSITS:
        raise payee_not_found()
    if payee.currency_code != payment.currency_code:
        raise payee_currency_unavailable(payment.currency_code)
    return payee


def movement_of(
    payment: Payment, payer: AccountRow, payee: AccountRow, asker: Asker, *, later: bool = False
) -> Movement:
    """Return what a payment is about to do.

    Between accounts of one customer no payment is made, but the balance still counts.
    """
    return Movement(
        kind=MovementKind.TRANSFER,
        asker=asker,
        transaction_id=payment.transaction_id,
        amount=payment.amount,
        currency_code=payment.currency_code,
        payer_id=payer.account_id,
        payee_id=payee.account_id,
        customer_id=payer.owner_id,
        is_own=payer.owner_id is not None and payer.owner_id == payee.owner_id,
        is_held=later,
    )


def payee_not_found() -> Refusal:
    """Return the refusal for a payee that is not there or cannot be reached."""
    return Refusal("PAYEE_NOT_FOUND", "no payee can be reached by this", field="payee")


def payee_currency_unavailable(currency_code: str) -> Refusal:
    """Return the refusal for a payee without an account in a currency."""
    return Refusal(
        "PAYEE_CURRENCY_UNAVAILABLE",
        "the payee has no account in the currency",
        metadata={"currency_code": currency_code},
    )


def tell_state(working_set: WorkingSet, transfer_id: TransactionId, state: TransferState) -> int:
    """Tell a transfer's new state by an event, and return when it came to it."""
    at_us = working_set.next_stamp()
    payload = encode.state_change(transfer_id, state)
    working_set.emit(Event(_TRANSFER_STATE_CHANGED, transfer_id, 0, at_us, payload, payload))
    return at_us


def schedule(
    working_set: WorkingSet,
    transfer_id: TransactionId,
    kind: TransferKind,
    state: TransferState,
    *,
    due_at_us: int | None = None,
    settlement_id: TransactionId | None = None,
    failure_code: str | None = None,
) -> None:
    """Begin to keep a transfer's state, and tell it."""
    at_us = tell_state(working_set, transfer_id, state)
    row = ScheduleRow(
        transaction_id=transfer_id,
        kind=kind,
        state=state,
        due_at_us=due_at_us,
        settlement_id=settlement_id,
        failure_code=failure_code,
        reason_text=None,
        created_at_us=at_us,
        updated_at_us=at_us,
    )
    working_set.insert(SCHEDULE, transfer_id, row)


class CreateTransfer(Command):
    """Pay from one wallet account to another, at once or later."""

    __slots__ = ("actor", "delay", "funding", "gate", "guard", "payer_id", "payment", "zone")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        payer_id: AccountId,
        payment: Payment,
        delay: int,
        actor: Actor,
        zone: ZoneInfo,
        gate: Gate | None = None,
        guard: Guard | None = None,
        funding: AutoFunding | None = None,
    ) -> None:
        super().__init__(book, request)
        self.gate = gate
        self.guard = guard
        self.funding = funding
        """What exchanges what the payer lacks, if the payer agreed to that; None for nothing."""
        self.payer_id = payer_id
        self.payment = payment
        self.delay = delay
        self.actor = actor
        self.zone = zone

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name payer and payee, the latter by phone number first where that is how it is named."""
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
        yield from enforce.keys(stage, payer_id=self.payer_id)
        yield from self.payment.payee_keys(working_set, stage)
        payee_id = self.payment.found_payee(working_set)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage, payee_id)
        if self.guard is not None:
            device_id = None if self.gate is None else self.gate.device_id
            yield from self.guard.keys(
                working_set, stage, payer_id=self.payer_id, payee_id=payee_id, device_id=device_id
            )
        if self.funding is not None:
            yield from self.funding.keys(
                working_set, stage, payer_id=self.payer_id, guard=self.guard
            )

    def decide(self, working_set: WorkingSet) -> bytes:
        """Pay, or hold the money until it is due."""
        payment = self.payment
        payer = find_wallet_account(working_set, self.payer_id, payment.currency_code, self.actor)
        payee = find_payee(working_set, payment, self.payer_id)
        due_at_us = due_at(self.delay, working_set.now_us, self.zone)
        asker = asker_of(working_set, self.actor, self.gate)
        covered = None
        if self.funding is not None:
            covered = self.funding.cover(
                working_set,
                payer,
                payment.amount,
                payment.transaction_id,
                asker=asker,
                guard=self.guard,
            )
        movement = movement_of(payment, payer, payee, asker, later=due_at_us is not None)
        verdict = judge(working_set, self.guard, movement)
        least = enforce.reserve(working_set, verdict.held(movement))
        if covered is not None:
            least = stronger(least, covered.least)
        if self.gate is not None:
            intent = intents.of_transfer(payment, self.payer_id, payee.account_id, self.delay)
            self.gate.demand(working_set, intent, stronger(least, verdict.least))
        stands = stands_after(verdict, due_at_us, working_set.now_us)
        later = stands is not DONE
        outcome = pay(working_set, self.payer_id, payee.account_id, payment, later=later)
        if later:
            schedule(
                working_set,
                payment.transaction_id,
                TransferKind.PAYMENT,
                stands.state,
                due_at_us=stands.due_at_us,
            )
        settle(working_set, verdict)
        return pb.CreateTransferResponse(
            transfer=encode.transfer(outcome.posting, stands, with_reference=True),
            available_minor_units=outcome.debit.available,
            auto_conversion=None if covered is None else covered.message(),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided about the payment."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
        if self.funding is not None:
            transaction_id = self.payment.transaction_id
            self.funding.refused(working_set, refusal, transaction_id, self.guard)


def stands_after(verdict: Verdict, due_at_us: int | None, now_us: int) -> Standing:
    """Return where a payment stands once it is made: done, or waiting.

    Args:
        verdict: of risk, which may hold or delay it.
        due_at_us: when the payer wants it paid; None for at once.
        now_us: the present time, in microseconds.
    """
    if verdict.is_reviewed:
        return Standing(TransferState.HELD)
    due_at_us = verdict.due_at(due_at_us, now_us)
    return DONE if due_at_us is None else Standing(TransferState.SCHEDULED, due_at_us)


def pay(
    working_set: WorkingSet,
    payer_id: AccountId,
    payee_id: AccountId,
    payment: Payment,
    *,
    later: bool,
) -> PostingOutcome:
    """Book a payment, or a hold for it."""
    return book_posting(
        working_set,
        PostingIntent(
            transaction_id=payment.transaction_id,
            kind=PostingKind.PENDING if later else PostingKind.POST,
            debit_account_id=payer_id,
            credit_account_id=payee_id,
            currency_code=payment.currency_code,
            amount=payment.amount,
            hold_duration_us=HOLD_DURATION_US,
            code=PostingCode.PAYMENT,
            reference=payment.reference or None,
            description=payment.description or None,
        ),
    )[0]


class BatchTransfers(Command):
    """Pay many payees from one account, each with a result of its own."""

    __slots__ = ("actor", "gate", "guards", "payer_id", "payments")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        payer_id: AccountId,
        payments: Sequence[Payment],
        actor: Actor,
        gate: Gate | None = None,
        guards: Sequence[Guard] = (),
    ) -> None:
        super().__init__(book, request)
        self.gate = gate
        self.guards = guards
        """One for each payment, or none at all."""
        self.payer_id = payer_id
        self.payments = payments
        self.actor = actor

    @property
    def weight(self) -> int:
        """One for each payment."""
        return len(self.payments)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the payer and all payees."""
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
        yield from enforce.keys(stage, payer_id=self.payer_id)
        for payment in self.payments:
            yield from payment.payee_keys(working_set, stage)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        device_id = None if self.gate is None else self.gate.device_id
        for guard, payment in zip(self.guards, self.payments, strict=False):
            yield from guard.keys(
                working_set,
                stage,
                payer_id=self.payer_id,
                payee_id=payment.found_payee(working_set),
                device_id=device_id,
            )

    def decide(self, working_set: WorkingSet) -> bytes:
        """Pay one after the other; a refused one leaves no trace but its result."""
        payer = working_set.get(ACCOUNT, self.payer_id)
        currency = payer.currency_code if payer is not None else ""
        find_wallet_account(working_set, self.payer_id, currency, self.actor)
        if self.gate is not None:
            intent = intents.of_batch(self.payments, self.payer_id, currency)
            self.gate.demand(working_set, intent)
        asker = asker_of(working_set, self.actor, self.gate)
        results = [
            self._one(working_set, payment, asker, guard)
            for payment, guard in zip_longest(self.payments, self.guards)
        ]
        payer = working_set.get(ACCOUNT, self.payer_id)
        assert payer is not None, "checked before"
        return pb.BatchTransfersResponse(
            results=results,
            available_minor_units=payer.available,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    def _one(
        self, working_set: WorkingSet, payment: Payment, asker: Asker, guard: Guard | None
    ) -> transfer_pb2.BatchItemResult:
        """Pay one of them, at once or not at all: none waits, since nobody is asked for one."""
        mark = working_set.mark()
        try:
            currency = payment.currency_code
            payer = find_wallet_account(working_set, self.payer_id, currency, self.actor)
            payee = find_payee(working_set, payment, self.payer_id)
            movement = movement_of(payment, payer, payee, asker)
            verdict = judge(working_set, guard, movement)
            enforce.reserve(working_set, movement)
            pay(working_set, self.payer_id, payee.account_id, payment, later=False)
            settle(working_set, verdict)
        except Refusal as refusal:
            working_set.rollback(mark)
            if guard is not None:
                guard.refused(working_set, refusal)
            return transfer_pb2.BatchItemResult(
                reason=reason_value(refusal.reason), reason_metadata=refusal.metadata
            )
        return transfer_pb2.BatchItemResult(transfer_id=TRANSACTION.encode(payment.transaction_id))
