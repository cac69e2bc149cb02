"""The commands of mandates. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import mandates_service_pb2 as pb
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.movement import Asker, Channel, MovementKind
from longmen_server.mandates import encode, model
from longmen_server.mandates.model import HOUR_US, MandateNumber, MandateRow
from longmen_server.mandates.tables import MANDATE, NUMBER
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments import encode as orders
from longmen_server.payments import fees
from longmen_server.payments.commands import find_merchant, movement_of, pay, register
from longmen_server.payments.discretion import told_to_merchant
from longmen_server.payments.model import PAID_STATES
from longmen_server.payments.tables import ORDER, ORDER_NUMBER
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import MANDATE as MANDATE_TEXT
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.settlements.calendar import CALENDAR
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.payments.commands import Sale
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import MandateId, TransactionId
    from longmen_server.risk.guard import Guard

__all__ = ["AnnounceCharge", "ChargeMandate", "SetMandateState", "SignMandate"]


class SignMandate(Command):
    """Give a merchant leave to charge an account."""

    __slots__ = ("actor", "gate", "wanted")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        wanted: MandateRow,
        actor: Actor,
        gate: Gate | None,
    ) -> None:
        """Take the mandate, whose expiry still counts from zero."""
        super().__init__(book, request)
        self.wanted = wanted
        self.actor = actor
        self.gate = gate

    @property
    def _number(self) -> MandateNumber:
        return MandateNumber(self.wanted.merchant_id, self.wanted.mandate_number)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant, the mandate of the number, and the account."""
        wanted = self.wanted
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, wanted.merchant_id)
            yield RowKey(NUMBER, self._number)
        elif stage == STAGE_LINK:
            found = working_set.get(NUMBER, self._number)
            if found is not None:
                yield RowKey(MANDATE, found)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, wanted.account_id)
            yield from enforce.keys(stage, payer_id=wanted.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Sign it, unless its number has a mandate."""
        wanted = self.wanted
        payer = find_wallet_account(
            working_set, wanted.account_id, wanted.currency_code, self.actor
        )
        merchant = find_merchant(working_set, wanted.merchant_id)
        if merchant.currency_code != wanted.currency_code:
            raise _currency_mismatch(merchant.currency_code, wanted.currency_code)
        found = working_set.get(NUMBER, self._number)
        if found is not None:
            known = working_set.get(MANDATE, found)
            assert known is not None, "a number leads to its mandate"
            _check_same(known, wanted)
            return self._reply(working_set, known)
        enforce.check_single(working_set, payer, wanted.single_cap)
        if self.gate is not None:
            self.gate.demand(working_set, _intent(wanted))
        row = wanted.copy()
        row.created_at_us = row.updated_at_us = working_set.next_stamp()
        row.expires_at_us += row.created_at_us
        working_set.insert(MANDATE, row.mandate_id, row)
        working_set.insert(NUMBER, self._number, row.mandate_id)
        _tell(working_set, row, "SIGNED")
        return self._reply(working_set, row)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    @staticmethod
    def _reply(working_set: WorkingSet, row: MandateRow) -> bytes:
        return pb.SignMandateResponse(
            mandate=encode.mandate(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class SetMandateState(Command):
    """Pause, resume or terminate a mandate."""

    __slots__ = ("mandate_id", "merchant", "payer", "state")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        mandate_id: MandateId,
        state: int,
        payer: Actor | None,
        merchant: MerchantActor | None,
    ) -> None:
        """Take who asks: for a payer or for a merchant, one of the two."""
        super().__init__(book, request)
        self.mandate_id = mandate_id
        self.state = state
        self.payer = payer
        self.merchant = merchant

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the mandate, then its account, whose owner may change it."""
        if stage == STAGE_LINK:
            yield RowKey(MANDATE, self.mandate_id)
        elif stage == STAGE_ACCOUNT:
            row = working_set.get(MANDATE, self.mandate_id)
            if row is not None:
                yield RowKey(ACCOUNT, row.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Change it; one that is in the state already stays in it."""
        row = self._load(working_set)
        by_merchant = self.merchant is not None
        model.check_change(row, self.state, working_set.now_us, by_merchant=by_merchant)
        if row.state != self.state:
            row = working_set.edit(MANDATE, self.mandate_id)
            row.state = self.state
            row.announced = 0
            _change(working_set, row, "ASKED")
        return pb.SetMandateStateResponse(
            mandate=encode.mandate(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _load(self, working_set: WorkingSet) -> MandateRow:
        row = working_set.get(MANDATE, self.mandate_id)
        account = None if row is None else working_set.get(ACCOUNT, row.account_id)
        if row is None or account is None:
            raise model.mandate_not_found(self.mandate_id)
        if self.merchant is not None and not self.merchant.may_use(row.merchant_id):
            raise model.mandate_not_found(self.mandate_id)
        if self.payer is not None and not self.payer.may_use(account.owner_id):
            raise model.mandate_not_found(self.mandate_id)
        return row


class _MerchantsCommand(Command):
    """What a merchant does with a mandate."""

    __slots__ = ("actor", "mandate_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        mandate_id: MandateId,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.mandate_id = mandate_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the mandate."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(MANDATE, self.mandate_id)

    def load(self, working_set: WorkingSet, currency_code: str) -> MandateRow:
        """Return the mandate.

        Raises:
            Refusal: MANDATE_NOT_FOUND, CURRENCY_MISMATCH.
        """
        row = working_set.get(MANDATE, self.mandate_id)
        if row is None or not self.actor.may_use(row.merchant_id):
            raise model.mandate_not_found(self.mandate_id)
        if row.currency_code != currency_code:
            raise _currency_mismatch(row.currency_code, currency_code)
        return row

    @staticmethod
    def check(working_set: WorkingSet, row: MandateRow, amount: int, at_us: int) -> None:
        """Refuse a charge that the mandate does not let, now or in the cycle of a later moment.

        Raises:
            Refusal: MANDATE_NOT_ACTIVE, MANDATE_CAP_EXCEEDED.
        """
        day = business_date(at_us, CALENDAR.zone)
        reset_us = encode.cycle_end_us(row, at_us)
        model.check_charge(row, amount, working_set.now_us, day, reset_us)


class AnnounceCharge(_MerchantsCommand):
    """Tell the payer of the next charge."""

    __slots__ = ("amount", "currency_code")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        mandate_id: MandateId,
        actor: MerchantActor,
        amount: int,
        currency_code: str,
    ) -> None:
        super().__init__(book, request, mandate_id=mandate_id, actor=actor)
        self.amount = amount
        self.currency_code = currency_code

    def decide(self, working_set: WorkingSet) -> bytes:
        """Announce it, in the place of what was announced before."""
        row = self.load(working_set, self.currency_code)
        # What is announced at the end of a cycle is charged in the next one.
        from_us = working_set.now_us + row.notice_hours * HOUR_US
        self.check(working_set, row, self.amount, from_us)
        row = working_set.edit(MANDATE, self.mandate_id)
        row.announced = self.amount
        row.charge_from_us = from_us
        _change(working_set, row, "ANNOUNCED")
        return pb.AnnounceChargeResponse(
            mandate=encode.mandate(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class ChargeMandate(_MerchantsCommand):
    """Take money from a payer for an order."""

    __slots__ = ("guard", "sale", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        mandate_id: MandateId,
        actor: MerchantActor,
        sale: Sale,
        transaction_id: TransactionId,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request, mandate_id=mandate_id, actor=actor)
        self.guard = guard
        self.sale = sale
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name mandate, merchant and the order of the number, then both accounts."""
        yield from super().keys(working_set, stage)
        yield from self.sale.keys(working_set, stage)
        row = working_set.get(MANDATE, self.mandate_id)
        payer_id = None if row is None else row.account_id
        yield from guard_keys(
            working_set, stage, self.guard, None, payer_id=payer_id, bought=self.sale
        )
        if stage != STAGE_ACCOUNT:
            return
        merchant = working_set.get(MERCHANT, self.sale.merchant_id)
        if row is not None and merchant is not None:
            yield RowKey(ACCOUNT, row.account_id)
            yield RowKey(ACCOUNT, merchant.account_id)
            yield from enforce.keys(stage, payer_id=row.account_id)
            found = working_set.get(ORDER_NUMBER, self.sale.number)
            known = None if found is None else working_set.get(ORDER, found)
            plan_id = (
                fees.plan_of(working_set, merchant.merchant_id) if known is None else known.plan_id
            )
            yield from fees.fee_keys(working_set, plan_id, merchant.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it, unless the number's order was paid before."""
        sale = self.sale
        row = self.load(working_set, sale.currency_code)
        if row.merchant_id != sale.merchant_id:
            raise model.mandate_not_found(self.mandate_id)
        merchant = find_merchant(working_set, sale.merchant_id)
        order = register(working_set, sale, merchant)
        if order.order_id == sale.order_id or order.state not in PAID_STATES:
            self.check(working_set, row, sale.amount, working_set.now_us)
            model.check_notice(row, sale.amount, working_set.now_us)
            try:
                order = self._take(working_set, order, row)
            except Refusal as refusal:
                raise told_to_merchant(refusal) from refusal
            row = self._count(working_set)
        return pb.ChargeMandateResponse(
            order=orders.order(order, working_set.now_us),
            mandate=encode.mandate(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _take(self, working_set: WorkingSet, order: OrderRow, row: MandateRow) -> OrderRow:
        payer = working_set.get(ACCOUNT, row.account_id)
        assert payer is not None, "a mandate has an account"
        asker = Asker(Channel.MERCHANT)
        kind = MovementKind.MANDATE_CHARGE
        movement = movement_of(kind, order, payer, asker, self.transaction_id)
        verdict = judge(working_set, self.guard, movement)
        enforce.reserve(working_set, movement)
        paid = pay(working_set, order, row.account_id, self.transaction_id)[0]
        settle(working_set, verdict)
        return paid

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave what was decided about the charge."""
        if self.guard is not None:
            self.guard.refused(working_set, refusal)

    def _count(self, working_set: WorkingSet) -> MandateRow:
        """Count the charge in its cycle; what was announced is made."""
        today = business_date(working_set.now_us, CALENDAR.zone)
        row = working_set.edit(MANDATE, self.mandate_id)
        row.count(self.sale.amount, today)
        row.announced = 0
        _change(working_set, row, "CHARGED")
        return row


def _change(working_set: WorkingSet, row: MandateRow, cause: str) -> None:
    row.version += 1
    row.updated_at_us = working_set.next_stamp()
    _tell(working_set, row, cause)


def _tell(working_set: WorkingSet, row: MandateRow, cause: str) -> None:
    payload = encode.change(row, cause)
    kind = event_pb2.EVENT_TYPE_MANDATE_CHANGED
    working_set.emit(Event(kind, row.mandate_id, 0, row.updated_at_us, payload, payload))


def _intent(row: MandateRow) -> Intent:
    """Return what a payer is told that signing does: the text an approval is bound to."""
    merchant = MERCHANT_TEXT.encode(row.merchant_id)
    single = Money(row.single_cap, row.currency_code)
    cycle = Money(row.cycle_cap, row.currency_code)
    span = model.Cycle(row.cycle).name.lower()
    return Intent(
        operation=Operation.MANDATE,
        text=(
            f"Let merchant {merchant} take up to {single} at a time and {cycle} a {span}"
            f" from {ACCOUNT_TEXT.encode(row.account_id)} by itself."
        ),
        amount=row.cycle_cap,
        currency_code=row.currency_code,
        payee=merchant,
    )


def _check_same(known: MandateRow, wanted: MandateRow) -> None:
    """Refuse another content under a number that is taken.

    Raises:
        Refusal: MANDATE_NUMBER_REUSED.
    """
    names = {
        "account_id": "from_account_id",
        "single_cap": "single_cap",
        "cycle_cap": "cycle_cap",
        "cycle": "cycle",
        "notice_hours": "notice_hours",
        "description": "description",
    }
    differing = [
        shown for name, shown in names.items() if getattr(known, name) != getattr(wanted, name)
    ]
    if differing:
        # Whose number it is, nobody else is told.
        same_payer = known.account_id == wanted.account_id
        raise Refusal(
            "MANDATE_NUMBER_REUSED",
            "the number belongs to a mandate with another content",
            metadata={
                "mandate_id": MANDATE_TEXT.encode(known.mandate_id) if same_payer else "",
                "fields": ",".join(differing) if same_payer else "from_account_id",
            },
            field="mandate_number",
        )


def _currency_mismatch(expected: str, actual: str) -> Refusal:
    return Refusal(
        "CURRENCY_MISMATCH",
        "the amount is in another currency",
        metadata={"expected": expected, "actual": actual},
        field="amount.currency_code",
    )
