"""The commands that hold money for orders, take it, and give back the rest. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import authorizations_service_pb2 as pb
from longmen_server.challenges.model import stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import HoldState, PostingIntent, PostingKind
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT, HOLD
from longmen_server.ledger.watching import hold_keys
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import Asker, Channel, MovementKind
from longmen_server.payments import authorizations, encode, fees, model, tips
from longmen_server.payments.authorizations import (
    LEGS_MAX,
    AuthorizationRow,
    CaptureNumber,
    CaptureRow,
    leg_id,
)
from longmen_server.payments.commands import find_order, move, movement_of
from longmen_server.payments.discretion import told_to_merchant
from longmen_server.payments.encode_authorizations import authorization_message, capture_message
from longmen_server.payments.intents import of_purchase
from longmen_server.payments.model import OrderState, Step
from longmen_server.payments.returns import account_keys
from longmen_server.payments.tables import ORDER
from longmen_server.payments.tables_authorizations import AUTHORIZATION, CAPTURE
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow, HoldRow, PostingOutcome
    from longmen_server.limits.movement import Movement
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import AccountId, CaptureId, OrderId, TransactionId
    from longmen_server.risk.guard import Guard

__all__ = [
    "AuthorizeOrder",
    "CaptureOrder",
    "IncrementAuthorization",
    "ReleaseHolds",
    "VoidOrder",
]


class _HoldCommand(Command):
    """A command about an order whose money is held."""

    __slots__ = ("order_id",)

    def __init__(self, book: int, request: RequestKey | None, *, order_id: OrderId) -> None:
        super().__init__(book, request)
        self.order_id = order_id

    @property
    def weight(self) -> int:
        """As many postings as there may be holds, and as many releases."""
        return 2 * LEGS_MAX

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name all holds there can be, the order, then both accounts."""
        if stage == STAGE_POINTER:
            for number in range(LEGS_MAX):
                yield RowKey(HOLD, (leg_id(self.order_id, number), 0))
        elif stage == STAGE_LINK:
            yield RowKey(ORDER, self.order_id)
            yield RowKey(AUTHORIZATION, self.order_id)
        elif stage == STAGE_ACCOUNT:
            yield from account_keys(working_set, working_set.get(ORDER, self.order_id))
            for number in range(LEGS_MAX):
                yield from hold_keys(working_set.get(HOLD, (leg_id(self.order_id, number), 0)))

    def held(self, working_set: WorkingSet, order: OrderRow, step: Step) -> AuthorizationRow:
        """Return what is held for an order.

        Raises:
            Refusal: of the order's state; ORDER_NOT_AUTHORIZED.
        """
        row = working_set.get(AUTHORIZATION, self.order_id)
        state = order.state_at(working_set.now_us)
        if row is None and state in model.OPEN_STATES:
            raise model.not_authorized(self.order_id)
        if row is None or state != OrderState.AUTHORIZED:
            raise model.refused_step(order, state, step)
        return row

    def open_holds(self, working_set: WorkingSet, legs: int) -> list[HoldRow]:
        """Return the holds that have something left, oldest first.

        Raises:
            Refusal: CONTENTION, which uses nothing up, when one is not there yet: it was committed
                after the holds were read, and before the order was.
        """
        found: list[HoldRow] = []
        for number in range(legs):
            hold = working_set.get(HOLD, (leg_id(self.order_id, number), 0))
            if hold is None:
                refusal = Refusal("CONTENTION", "more was held meanwhile; ask again")
                refusal.final = False
                raise refusal
            found.append(hold)
        return [hold for hold in found if hold.state == HoldState.HELD]


class AuthorizeOrder(Command):
    """Hold the money of an order."""

    __slots__ = (
        "actor",
        "amount",
        "currency_code",
        "gate",
        "guard",
        "hold_us",
        "order_id",
        "payer_id",
        "percent",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        order_id: OrderId,
        payer_id: AccountId,
        amount: int,
        currency_code: str,
        hold_us: int,
        percent: int,
        actor: Actor,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request)
        self.guard = guard
        self.order_id = order_id
        self.payer_id = payer_id
        self.amount = amount
        self.currency_code = currency_code
        self.hold_us = hold_us
        self.percent = percent
        """What the merchant's category tolerates; it never changes."""
        self.actor = actor
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the order, then both accounts."""
        order = working_set.get(ORDER, self.order_id)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        yield from guard_keys(
            working_set, stage, self.guard, self.gate, payer_id=self.payer_id, bought=order
        )
        if stage == STAGE_LINK:
            yield RowKey(ORDER, self.order_id)
            yield RowKey(AUTHORIZATION, self.order_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
            yield from enforce.keys(stage, payer_id=self.payer_id)
            if order is not None:
                yield RowKey(ACCOUNT, order.account_id)
                # A capture in the same batch charges a fee, and found no payer when it named rows.
                yield from fees.fee_keys(working_set, order.plan_id, order.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Hold it unless it is too late, or not what the payer saw."""
        order = working_set.get(ORDER, self.order_id)
        if order is None or not order.amount:
            raise model.order_not_found(self.order_id)
        payer = find_wallet_account(working_set, self.payer_id, self.currency_code, self.actor)
        model.check_amount(order, self.amount, self.currency_code)
        if order.tip:
            raise tips.tip_mismatch(order)
        model.check_alone(order)
        asker = asker_of(working_set, self.actor, self.gate)
        movement = movement_of(
            MovementKind.PAYMENT, order, payer, asker, leg_id(self.order_id, 0), is_held=True
        )
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        state = model.advance(order, Step.AUTHORIZE, working_set.now_us)
        if self.gate is not None:
            self.gate.demand(
                working_set,
                of_purchase(order.merchant_id, self.payer_id, self.amount, self.currency_code),
                least,
            )
        outcome = _hold(working_set, order, self.payer_id, self.amount, self.hold_us, leg=0)
        settle(working_set, verdict)
        changed = working_set.edit(ORDER, self.order_id)
        changed.payer_account_id = self.payer_id
        changed.captured = 0
        changed.expires_at_us = working_set.now_us + self.hold_us
        order = move(working_set, self.order_id, state)
        row = AuthorizationRow(self.order_id, self.amount, 0, self.percent, 1, order.updated_at_us)
        working_set.insert(AUTHORIZATION, self.order_id, row)
        return pb.AuthorizeOrderResponse(
            order=encode.order(order, working_set.now_us),
            authorization=authorization_message(row, order, (), working_set.now_us),
            available_minor_units=outcome.debit.available,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)


class IncrementAuthorization(_HoldCommand):
    """Hold more for an order."""

    __slots__ = ("actor", "amount", "currency_code", "gate", "guard")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        order_id: OrderId,
        amount: int,
        currency_code: str,
        actor: Actor,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request, order_id=order_id)
        self.guard = guard
        self.amount = amount
        self.currency_code = currency_code
        self.actor = actor
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what every command about holds needs, what approves it, and the payer's class."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        yield from super().keys(working_set, stage)
        order = working_set.get(ORDER, self.order_id)
        if order is not None:
            payer_id = order.payer_account_id
            yield from enforce.keys(stage, payer_id=payer_id)
            yield from guard_keys(
                working_set, stage, self.guard, self.gate, payer_id=payer_id, bought=order
            )

    def decide(self, working_set: WorkingSet) -> bytes:
        """Hold it until the first hold ends."""
        order = working_set.get(ORDER, self.order_id)
        if order is None or not order.amount:
            raise model.order_not_found(self.order_id)
        payer_id = order.payer_account_id
        payer = None if payer_id is None else working_set.get(ACCOUNT, payer_id)
        if payer is not None and not self.actor.may_use(payer.owner_id):
            raise model.order_not_found(self.order_id)
        if payer is None and self.actor.customer_id is not None:
            # Whose it will be is nobody's to be told.
            raise model.order_not_found(self.order_id)
        row = self.held(working_set, order, Step.AUTHORIZE)
        assert payer is not None, "an authorized order has a payer"
        find_wallet_account(working_set, payer.account_id, self.currency_code, self.actor)
        movement = self._movement(working_set, order, payer, row)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        authorizations.check_increment(row)
        if self.gate is not None:
            self.gate.demand(
                working_set,
                of_purchase(order.merchant_id, payer.account_id, self.amount, self.currency_code),
                least,
            )
        left_us = order.expires_at_us - working_set.now_us
        _hold(working_set, order, payer.account_id, self.amount, left_us, leg=row.legs)
        settle(working_set, verdict)
        row = working_set.edit(AUTHORIZATION, self.order_id)
        row.authorized += self.amount
        row.legs += 1
        order = move(working_set, self.order_id, OrderState.AUTHORIZED)
        return pb.IncrementAuthorizationResponse(
            authorization=authorization_message(row, order, (), working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _movement(
        self, working_set: WorkingSet, order: OrderRow, payer: AccountRow, row: AuthorizationRow
    ) -> Movement:
        """Return what holding more is about to do: all that is held for an order is one payment."""
        return movement_of(
            MovementKind.PAYMENT,
            order,
            payer,
            asker_of(working_set, self.actor, self.gate),
            leg_id(self.order_id, row.legs),
            amount=self.amount,
            together=row.authorized + self.amount,
            is_held=True,
        )

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)


class CaptureOrder(_HoldCommand):
    """Take all or part of what is held."""

    __slots__ = ("actor", "asked", "capture_id", "number", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        order_id: OrderId,
        asked: pb.CaptureOrderRequest,
        actor: MerchantActor,
        capture_id: CaptureId,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(book, request, order_id=order_id)
        self.number = CaptureNumber(order_id, asked.capture_number)
        self.asked = asked
        self.actor = actor
        self.capture_id = capture_id
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the capture of the number, what every command about holds needs, and the limits."""
        if stage == STAGE_POINTER:
            yield RowKey(CAPTURE, self.number)
        yield from super().keys(working_set, stage)
        order = working_set.get(ORDER, self.order_id)
        if order is not None:
            yield from enforce.keys(stage, payer_id=order.payer_account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it, unless the number's capture was made before."""
        order = find_order(working_set, self.order_id, self.actor)
        known = working_set.get(CAPTURE, self.number)
        if known is None:
            known, order = self._take(working_set, order)
        else:
            self._check_same(known, order)
        return pb.CaptureOrderResponse(
            capture=capture_message(known, order.currency_code),
            order=encode.order(order, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _take(self, working_set: WorkingSet, order: OrderRow) -> tuple[CaptureRow, OrderRow]:
        asked = self.asked
        amount = asked.amount.minor_units
        row = self.held(working_set, order, Step.CAPTURE_PART)
        if asked.amount.currency_code != order.currency_code:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "the amount is in another currency than the order",
                metadata={
                    "expected": order.currency_code,
                    "actual": asked.amount.currency_code,
                },
                field="amount.currency_code",
            )
        authorizations.check_capture(row, order, amount)
        holds = self.open_holds(working_set, row.legs)
        held = sum(hold.remaining for hold in holds)
        is_last = asked.final or amount >= held
        try:
            over, ordinal = self._book(working_set, order, holds, is_last=is_last)
        except Refusal as refusal:
            raise told_to_merchant(refusal) from refusal
        captured = (order.captured or 0) + amount
        fee = fees.charge(working_set, order, captured, self.transaction_id, ordinal=ordinal)
        if over:
            working_set.edit(AUTHORIZATION, self.order_id).over_captured += over
        changed = working_set.edit(ORDER, self.order_id)
        changed.captured = captured
        changed.fee += fee
        changed.transaction_id = self.transaction_id
        changed.paid_at_us = working_set.last_stamp
        step = Step.CAPTURE_REST if is_last else Step.CAPTURE_PART
        state = model.TRANSITIONS[OrderState.AUTHORIZED][step]
        order = move(working_set, self.order_id, state)
        capture = CaptureRow(
            capture_id=self.capture_id,
            order_id=self.order_id,
            capture_number=asked.capture_number,
            amount=amount,
            final=asked.final,
            transaction_id=self.transaction_id,
            created_at_us=order.updated_at_us,
        )
        working_set.insert(CAPTURE, self.number, capture)
        return capture, order

    def _book(
        self,
        working_set: WorkingSet,
        order: OrderRow,
        holds: Sequence[HoldRow],
        *,
        is_last: bool,
    ) -> tuple[int, int]:
        """Take the amount from the holds, oldest first; return what went beyond them.

        Returns:
            What was taken beyond the holds, and the next free ordinal of the transaction.
        """
        left, ordinal = self.asked.amount.minor_units, 0
        for hold in holds:
            part = min(left, hold.remaining)
            if not part and not is_last:
                break
            outcomes = book_posting(
                working_set,
                PostingIntent(
                    transaction_id=self.transaction_id,
                    ordinal=ordinal,
                    kind=PostingKind.CAPTURE if part else PostingKind.VOID,
                    pending=(hold.transaction_id, hold.ordinal),
                    currency_code=order.currency_code,
                    amount=part,
                    final=is_last and bool(part),
                    code=PostingCode.PURCHASE,
                    reference=order.order_number,
                    description=(order.description or None) if part else None,
                ),
            )
            ordinal += len(outcomes)
            left -= part
        if left:
            self._count_over(working_set, order, left)
            book_posting(
                working_set,
                PostingIntent(
                    transaction_id=self.transaction_id,
                    ordinal=ordinal,
                    debit_account_id=order.payer_account_id,
                    credit_account_id=order.account_id,
                    currency_code=order.currency_code,
                    amount=left,
                    code=PostingCode.PURCHASE,
                    reference=order.order_number,
                    description=order.description or None,
                ),
            )
            ordinal += 1
        return left, ordinal

    def _count_over(self, working_set: WorkingSet, order: OrderRow, left: int) -> None:
        """Let limits judge what goes beyond the holds; the payer approved the order as it was."""
        payer_id = order.payer_account_id
        payer = None if payer_id is None else working_set.get(ACCOUNT, payer_id)
        assert payer is not None, "an authorized order has a payer"
        asker, kind = Asker(Channel.MERCHANT), MovementKind.PAYMENT
        movement = movement_of(kind, order, payer, asker, self.transaction_id, amount=left)
        enforce.reserve(working_set, movement)

    def _check_same(self, known: CaptureRow, order: OrderRow) -> None:
        asked = self.asked
        fields = {
            "amount": (known.amount, order.currency_code)
            == (asked.amount.minor_units, asked.amount.currency_code),
            "final": known.final == asked.final,
        }
        differing = [name for name, same in fields.items() if not same]
        if differing:
            raise authorizations.number_reused(known, differing)


class VoidOrder(_HoldCommand):
    """Give back what is held and not captured."""

    __slots__ = ("actor", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        order_id: OrderId,
        actor: MerchantActor,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(book, request, order_id=order_id)
        self.actor = actor
        self.transaction_id = transaction_id

    def decide(self, working_set: WorkingSet) -> bytes:
        """Release it: the order is closed, or paid for what was captured."""
        order = find_order(working_set, self.order_id, self.actor)
        row = self.held(working_set, order, Step.CLOSE)
        _release(working_set, order, self.open_holds(working_set, row.legs), self.transaction_id)
        order = move(
            working_set, self.order_id, model.advance(order, Step.CLOSE, working_set.now_us)
        )
        return pb.VoidOrderResponse(
            order=encode.order(order, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class ReleaseHolds(_HoldCommand):
    """Give back what is held for an order that is no longer authorized."""

    __slots__ = ("transaction_id",)

    def __init__(self, book: int, order_id: OrderId, *, transaction_id: TransactionId) -> None:
        super().__init__(book, None, order_id=order_id)
        self.transaction_id = transaction_id

    def decide(self, working_set: WorkingSet) -> bytes:
        """Release what is left, if anything is; what has expired is released by time."""
        order = working_set.get(ORDER, self.order_id)
        row = working_set.get(AUTHORIZATION, self.order_id)
        if order is None or row is None or order.state == OrderState.AUTHORIZED:
            return b"passed"
        now_us = working_set.now_us
        holds = [
            hold for hold in self.open_holds(working_set, row.legs) if now_us < hold.expires_at_us
        ]
        _release(working_set, order, holds, self.transaction_id)
        return b"done"


def _hold(
    working_set: WorkingSet,
    order: OrderRow,
    payer_id: AccountId,
    amount: int,
    hold_us: int,
    *,
    leg: int,
) -> PostingOutcome:
    return book_posting(
        working_set,
        PostingIntent(
            transaction_id=leg_id(order.order_id, leg),
            kind=PostingKind.PENDING,
            debit_account_id=payer_id,
            credit_account_id=order.account_id,
            currency_code=order.currency_code,
            amount=amount,
            hold_duration_us=hold_us,
            code=PostingCode.PURCHASE,
            reference=order.order_number,
            description=order.description or None,
        ),
    )[0]


def _release(
    working_set: WorkingSet,
    order: OrderRow,
    holds: Sequence[HoldRow],
    transaction_id: TransactionId,
) -> None:
    for ordinal, hold in enumerate(holds):
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=transaction_id,
                ordinal=ordinal,
                kind=PostingKind.VOID,
                pending=(hold.transaction_id, hold.ordinal),
                code=PostingCode.PURCHASE,
                reference=order.order_number,
            ),
        )
