"""The commands of billers and their bills. All pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import bills_service_pb2 as pb
from longmen_server.billers import encode, model
from longmen_server.billers.model import BillerRow, BillNumber, DueRow, DueState
from longmen_server.billers.tables import BILLER, DUE, NUMBER
from longmen_server.challenges.model import Intent, Operation, stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import MovementKind
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments import encode as orders
from longmen_server.payments import fees
from longmen_server.payments.commands import cover, find_merchant, movement_of, pay, register
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.settlements.calendar import CALENDAR
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.auto_conversions.funding import AutoFunding
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.payments.commands import Sale
    from longmen_server.platform.ids import AccountId, BillerId, DueId, TransactionId
    from longmen_server.risk.guard import Guard

__all__ = ["CancelDue", "CreateBiller", "PayDue", "SendDues", "SentDue", "SetBillerState"]


def today_of(working_set: WorkingSet) -> dt.date:
    """Return the business date, by which bills fall due."""
    return business_date(working_set.now_us, CALENDAR.zone)


class CreateBiller(Command):
    """Publish a biller."""

    __slots__ = ("actor", "wanted")

    def __init__(
        self, book: int, request: RequestKey | None, *, wanted: BillerRow, actor: MerchantActor
    ) -> None:
        """Take the biller, whose currency is its merchant's."""
        super().__init__(book, request)
        self.wanted = wanted
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.wanted.merchant_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Publish it."""
        merchant = find_merchant(working_set, self.wanted.merchant_id)
        row = self.wanted.copy()
        row.currency_code = merchant.currency_code
        row.created_at_us = row.updated_at_us = working_set.next_stamp()
        working_set.insert(BILLER, row.biller_id, row)
        _tell_biller(working_set, row)
        return pb.CreateBillerResponse(
            biller=encode.biller(row), committed_at=working_set.committed_at
        ).SerializeToString()


class SetBillerState(Command):
    """Open or close a biller."""

    __slots__ = ("actor", "biller_id", "state")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        biller_id: BillerId,
        state: int,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.biller_id = biller_id
        self.state = state
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the biller."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(BILLER, self.biller_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Change it; one that is in the state already stays in it."""
        row = find_biller(working_set, self.biller_id, self.actor)
        if row.state != self.state:
            row = working_set.edit(BILLER, self.biller_id)
            row.state = self.state
            row.version += 1
            row.updated_at_us = working_set.next_stamp()
            _tell_biller(working_set, row)
        return pb.SetBillerStateResponse(
            biller=encode.biller(row), committed_at=working_set.committed_at
        ).SerializeToString()


@dataclass(frozen=True, slots=True)
class SentDue:
    """A bill as it was sent: the row that it becomes, and the number that is sealed in it."""

    row: DueRow
    account_number: str

    @property
    def number(self) -> BillNumber:
        """Where it is found by its biller's number."""
        return BillNumber(self.row.biller_id, self.row.bill_number)


class SendDues(Command):
    """Take the bills of a biller, all or none."""

    __slots__ = ("actor", "biller_id", "sent")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        biller_id: BillerId,
        sent: Sequence[SentDue],
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.biller_id = biller_id
        self.sent = sent
        self.actor = actor

    @property
    def weight(self) -> int:
        """One for each bill."""
        return len(self.sent)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the biller, and the bills that have the numbers."""
        if stage == STAGE_POINTER:
            for one in self.sent:
                yield RowKey(NUMBER, one.number)
        elif stage == STAGE_LINK:
            yield RowKey(BILLER, self.biller_id)
            for one in self.sent:
                found = working_set.get(NUMBER, one.number)
                if found is not None:
                    yield RowKey(DUE, found)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep those that are new, if all of them are good."""
        biller = find_biller(working_set, self.biller_id, self.actor)
        model.check_open(biller)
        today, created = today_of(working_set), 0
        reply = pb.SendDuesResponse(committed_at=working_set.committed_at)
        for place, one in enumerate(self.sent):
            row, is_new = self._take(working_set, biller, one, f"dues[{place}]")
            created += is_new
            reply.dues.append(encode.due(row, model.masked(one.account_number), today))
        reply.created_count = created
        return reply.SerializeToString()

    @staticmethod
    def _take(
        working_set: WorkingSet, biller: BillerRow, one: SentDue, field: str
    ) -> tuple[DueRow, bool]:
        """Return a bill as it stands, and whether it is new."""
        model.check_number(biller.account_format, one.account_number, f"{field}.account_number")
        if one.row.currency_code != biller.currency_code:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "the amount is in another currency than the biller's",
                metadata={"expected": biller.currency_code, "actual": one.row.currency_code},
                field=f"{field}.amount.currency_code",
            )
        found = working_set.get(NUMBER, one.number)
        if found is not None:
            known = working_set.get(DUE, found)
            assert known is not None, "a number leads to its bill"
            model.check_same(known, one.row, f"{field}.bill_number")
            return known, False
        row = one.row.copy()
        row.merchant_id = biller.merchant_id
        row.created_at_us = row.updated_at_us = working_set.next_stamp()
        working_set.insert(DUE, row.due_id, row)
        working_set.insert(NUMBER, one.number, row.due_id)
        _tell_due(working_set, row)
        return row, True


class CancelDue(Command):
    """Take a bill back."""

    __slots__ = ("actor", "due_id", "masked_number")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        due_id: DueId,
        masked_number: str,
        actor: MerchantActor,
    ) -> None:
        """Take the bill, and its account number as it is shown."""
        super().__init__(book, request)
        self.due_id = due_id
        self.masked_number = masked_number
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the bill."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(DUE, self.due_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it back unless it is paid or over."""
        row = working_set.get(DUE, self.due_id)
        if row is None or not self.actor.may_use(row.merchant_id):
            raise model.due_not_found(self.due_id)
        today = today_of(working_set)
        model.check_payable(row, today)
        row = working_set.edit(DUE, self.due_id)
        row.state = DueState.CANCELLED
        _change_due(working_set, row)
        return pb.CancelDueResponse(
            due=encode.due(row, self.masked_number, today), committed_at=working_set.committed_at
        ).SerializeToString()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What never changes of a bill, read before it is paid."""

    biller_id: BillerId
    sale: Sale
    """The order it is paid by; its number is the bill's id."""
    masked_number: str


class PayDue(Command):
    """Pay a bill that the payer was shown."""

    __slots__ = (
        "actor",
        "amount",
        "bill",
        "currency_code",
        "due_id",
        "funding",
        "gate",
        "guard",
        "payer_id",
        "transaction_id",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        due_id: DueId,
        bill: Bill | None,
        payer_id: AccountId,
        amount: int,
        currency_code: str,
        actor: Actor,
        transaction_id: TransactionId,
        gate: Gate | None = None,
        guard: Guard | None = None,
        funding: AutoFunding | None = None,
    ) -> None:
        """Take what is paid; `bill` is None where there was none when it was read."""
        super().__init__(book, request)
        self.funding = funding
        self.due_id = due_id
        self.bill = bill
        self.payer_id = payer_id
        self.amount = amount
        self.currency_code = currency_code
        self.actor = actor
        self.transaction_id = transaction_id
        self.gate = gate
        self.guard = guard

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name bill, biller and the sale's rows, then both accounts."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        bill = self.bill
        if bill is None:
            return
        yield from bill.sale.keys(working_set, stage)
        yield from guard_keys(
            working_set, stage, self.guard, self.gate, payer_id=self.payer_id, bought=bill.sale
        )
        if self.funding is not None:
            yield from self.funding.keys(
                working_set, stage, payer_id=self.payer_id, guard=self.guard
            )
        if stage == STAGE_LINK:
            yield RowKey(DUE, self.due_id)
            yield RowKey(BILLER, bill.biller_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
            yield from enforce.keys(stage, payer_id=self.payer_id)
            merchant = working_set.get(MERCHANT, bill.sale.merchant_id)
            if merchant is not None:
                yield RowKey(ACCOUNT, merchant.account_id)
                plan_id = fees.plan_of(working_set, bill.sale.merchant_id)
                yield from fees.fee_keys(working_set, plan_id, merchant.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Pay it, unless it was paid or is over."""
        bill = self.bill
        row = None if bill is None else working_set.get(DUE, self.due_id)
        if bill is None or row is None:
            raise model.due_not_found(self.due_id)
        biller = working_set.get(BILLER, bill.biller_id)
        assert biller is not None, "a bill has a biller"
        payer = find_wallet_account(working_set, self.payer_id, self.currency_code, self.actor)
        today = today_of(working_set)
        model.check_payable(row, today)
        model.check_open(biller)
        model.check_due_amount(row, self.amount, self.currency_code)
        asker = asker_of(working_set, self.actor, self.gate)
        movement = movement_of(MovementKind.PAYMENT, bill.sale, payer, asker, self.transaction_id)
        covered = cover(working_set, self.funding, self.guard, payer, movement)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if covered is not None:
            least = stronger(least, covered.least)
        if self.gate is not None:
            self.gate.demand(working_set, _intent(row, biller, self.payer_id), least)
        merchant = find_merchant(working_set, bill.sale.merchant_id)
        order = register(working_set, bill.sale, merchant)
        paid, outcome = pay(working_set, order, self.payer_id, self.transaction_id)
        settle(working_set, verdict)
        row = working_set.edit(DUE, self.due_id)
        row.state = DueState.PAID
        row.order_id = paid.order_id
        row.payer_account_id = self.payer_id
        row.paid_at_us = paid.paid_at_us
        _change_due(working_set, row)
        return pb.PayDueResponse(
            due=encode.due(row, bill.masked_number, today),
            payment=orders.payment(paid),
            available_minor_units=outcome.debit.available,
            auto_conversion=None if covered is None else covered.message(),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
        if self.funding is not None:
            self.funding.refused(working_set, refusal, self.transaction_id, self.guard)


def find_biller(working_set: WorkingSet, biller_id: BillerId, actor: MerchantActor) -> BillerRow:
    """Return a biller that its merchant, or the bank for it, works on.

    Raises:
        Refusal: BILLER_NOT_FOUND when it is not there, or another merchant's.
    """
    row = working_set.get(BILLER, biller_id)
    if row is None or not actor.may_use(row.merchant_id):
        raise model.biller_not_found(biller_id)
    return row


def _intent(row: DueRow, biller: BillerRow, payer_id: AccountId) -> Intent:
    """Return what a payer is told that paying does: the text an approval is bound to."""
    told = Money(row.amount, row.currency_code)
    return Intent(
        operation=Operation.PURCHASE,
        text=(
            f"Pay {told} from {ACCOUNT_TEXT.encode(payer_id)} to {biller.name}"
            f" for bill {row.bill_number} of {row.period}."
        ),
        amount=row.amount,
        currency_code=row.currency_code,
        payee=MERCHANT_TEXT.encode(row.merchant_id),
    )


def _change_due(working_set: WorkingSet, row: DueRow) -> None:
    row.version += 1
    row.updated_at_us = working_set.next_stamp()
    _tell_due(working_set, row)


def _tell_due(working_set: WorkingSet, row: DueRow) -> None:
    payload = encode.due_change(row)
    kind = event_pb2.EVENT_TYPE_DUE_CHANGED
    working_set.emit(Event(kind, row.due_id, 0, row.updated_at_us, payload, payload))


def _tell_biller(working_set: WorkingSet, row: BillerRow) -> None:
    payload = encode.biller_change(row)
    kind = event_pb2.EVENT_TYPE_BILLER_CHANGED
    working_set.emit(Event(kind, row.biller_id, 0, row.updated_at_us, payload, payload))
