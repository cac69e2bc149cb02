"""The commands that give money back: refunds by merchants, reversals by tills. All pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import holds as limits
from longmen_server.merchants.model import terminal_not_found
from longmen_server.merchants.tables import TERMINAL
from longmen_server.payments import encode, fees, model, tips
from longmen_server.payments.authorizations import LEGS_MAX, leg_id
from longmen_server.payments.commands import find_order, move
from longmen_server.payments.model import (
    OrderState,
    RefundNumber,
    RefundRow,
    ReversalOutcome,
    Step,
    TerminalReferenceRow,
)
from longmen_server.payments.policy import policy_at
from longmen_server.payments.references import check_giving_till
from longmen_server.payments.tables import ORDER, REFUND, TERMINAL_REFERENCE
from longmen_server.platform.ids import REFUND as REFUND_TEXT
from longmen_server.platform.refusal import Refusal
from longmen_server.sharing.releasing import held_keys, release_for_refund
from longmen_server.sharing.tables import SHARING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.payments.model import OrderRow, TerminalReference
    from longmen_server.platform.ids import OrderId, RefundId, TerminalId, TransactionId


def account_keys(working_set: WorkingSet, order: OrderRow | None) -> Iterable[RowKey]:
    """Name the accounts between which an order's money moved."""
    if order is not None and order.payer_account_id is not None:
        yield RowKey(ACCOUNT, order.account_id)
        yield RowKey(ACCOUNT, order.payer_account_id)
        yield from fees.fee_keys(working_set, order.plan_id, order.currency_code)


def payments_of(order: OrderRow) -> list[TransactionId]:
    """Return the transactions that an order's money moved by, holds included."""
    found = [] if order.transaction_id is None else [order.transaction_id]
    if order.captured is not None:
        found += [leg_id(order.order_id, number) for number in range(LEGS_MAX)]
    return found


def return_keys(working_set: WorkingSet, order: OrderRow | None) -> Iterable[RowKey]:
    """Name what giving money back needs: the accounts, and what limits keep of the payment."""
    yield from account_keys(working_set, order)
    if order is not None and order.payer_account_id is not None:
        yield from limits.return_keys(order.payer_account_id, payments_of(order))
        yield from held_keys(working_set, order.order_id)


def give_back(
    working_set: WorkingSet,
    order: OrderRow,
    step: Step,
    amount: int,
    transaction_id: TransactionId,
    text: str,
) -> OrderRow:
    """Move money of a paid order back to its payer.

    Raises:
        Refusal: of the order's state, or of the posting.
    """
    state = model.advance(order, step, working_set.now_us)
    tip = tips.share_of_refund(order, amount)
    goods = amount - tip
    # What is held to be shared comes first: then the merchant has it to give back.
    release_for_refund(working_set, order, order.paid - order.refunded - goods, transaction_id)
    fee = fees.fee_to_return(working_set, order, goods, whole=step == Step.REVERSE)
    fees.check_shortfall(working_set, order, amount, fee)
    back = PostingIntent(
        transaction_id=transaction_id,
        debit_account_id=order.account_id,
        credit_account_id=order.payer_account_id,
        currency_code=order.currency_code,
        amount=goods,
        code=PostingCode.REFUND,
        reference=order.order_number,
        description=text or None,
    )
    if goods:
        book_posting(working_set, back)
    # Of a refund that is all tip no fee goes back, for no fee is charged on tips.
    fees.return_fee(working_set, order, fee, transaction_id)
    if tip:
        ordinal = 0 if not goods else 2 if fee else 1
        besides = replace(back, ordinal=ordinal, amount=tip, code=PostingCode.TIP_REFUND)
        book_posting(working_set, besides)
    paid = (order.amount if order.captured is None else order.captured) + order.tip
    returned = order.refunded + order.tip_refunded + amount
    limits.give_back(working_set, payments_of(order), paid=paid, returned=returned)
    # The event tells what has gone back, so the sums are changed before it is told.
    changed = working_set.edit(ORDER, order.order_id)
    changed.refunded += goods
    changed.tip_refunded += tip
    changed.fee_returned += fee
    return move(working_set, order.order_id, state)


class RefundOrder(Command):
    """Return all or part of a payment."""

    __slots__ = ("actor", "asked", "number", "refund_id", "terminal_id", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        order_id: OrderId,
        asked: pb.RefundOrderRequest,
        actor: MerchantActor,
        refund_id: RefundId,
        transaction_id: TransactionId,
        terminal_id: TerminalId | None = None,
    ) -> None:
        super().__init__(book, request)
        self.terminal_id = terminal_id
        self.number = RefundNumber(order_id, asked.refund_number)
        self.asked = asked
        self.actor = actor
        self.refund_id = refund_id
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the refund of the number, the order, then both accounts."""
        order_id = self.number.order_id
        if stage == STAGE_POINTER:
            yield RowKey(REFUND, self.number)
            if self.terminal_id is not None:
                yield RowKey(TERMINAL, self.terminal_id)
        elif stage == STAGE_LINK:
            yield RowKey(ORDER, order_id)
            yield RowKey(SHARING, order_id)
        elif stage == STAGE_ACCOUNT:
            yield from return_keys(working_set, working_set.get(ORDER, order_id))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Return the money, unless the number's refund was made before."""
        order = find_order(working_set, self.number.order_id, self.actor)
        known = working_set.get(REFUND, self.number)
        if known is None:
            known, order = self._make(working_set, order)
        else:
            self._check_same(known)
        return pb.RefundOrderResponse(
            refund=encode.refund(known),
            order=encode.order(order, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _make(self, working_set: WorkingSet, order: OrderRow) -> tuple[RefundRow, OrderRow]:
        asked, terminal_id = self.asked, self.terminal_id
        check_giving_till(asked)
        if terminal_id is not None:
            till = working_set.get(TERMINAL, terminal_id)
            # Any till of the merchant gives back what any of its stores has sold.
            if till is None or till.merchant_id != order.merchant_id:
                raise terminal_not_found(terminal_id)
        amount, now_us = asked.amount.minor_units, working_set.now_us
        step = Step.REFUND_PART if amount < order.remaining else Step.REFUND_REST
        model.advance(order, step, now_us)
        model.check_window(
            order.paid_at_us,
            policy_at(now_us).refund_window_us,
            now_us,
            reason="REFUND_WINDOW_PASSED",
        )
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
        if amount > order.remaining:
            raise model.refund_exceeds(order)
        tip = tips.share_of_refund(order, amount)
        order = give_back(working_set, order, step, amount, self.transaction_id, asked.reason_text)
        row = RefundRow(
            refund_id=self.refund_id,
            order_id=order.order_id,
            refund_number=asked.refund_number,
            amount=amount,
            currency_code=order.currency_code,
            transaction_id=self.transaction_id,
            reason_text=asked.reason_text,
            created_at_us=order.updated_at_us,
            tip=tip,
            terminal_id=terminal_id,
            business_date=asked.business_date or None,
        )
        working_set.insert(REFUND, self.number, row)
        return row, order

    def _check_same(self, known: RefundRow) -> None:
        asked = self.asked
        fields = {
            "amount": (known.amount, known.currency_code)
            == (asked.amount.minor_units, asked.amount.currency_code),
            "reason_text": known.reason_text == asked.reason_text,
            "terminal_id": known.terminal_id == self.terminal_id,
            "business_date": (known.business_date or "") == asked.business_date,
        }
        differing = [name for name, same in fields.items() if not same]
        if differing:
            raise Refusal(
                "REFUND_NUMBER_REUSED",
                "the number belongs to a refund with another content",
                metadata={
                    "refund_id": REFUND_TEXT.encode(known.refund_id),
                    "fields": ",".join(differing),
                },
                field="refund_number",
            )


class ReverseByTerminalRef(Command):
    """Undo a sale by the till's reference, or bar it when it has not arrived."""

    __slots__ = ("actor", "reference", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        reference: TerminalReference,
        actor: MerchantActor,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(book, request)
        self.reference = reference
        self.actor = actor
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the till and its reference, the order behind it, then both accounts."""
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.reference.terminal_id)
            yield RowKey(TERMINAL_REFERENCE, self.reference)
            return
        found = working_set.get(TERMINAL_REFERENCE, self.reference)
        if found is None or found.order_id is None:
            return
        if stage == STAGE_LINK:
            yield RowKey(ORDER, found.order_id)
            yield RowKey(SHARING, found.order_id)
        elif stage == STAGE_ACCOUNT:
            yield from return_keys(working_set, working_set.get(ORDER, found.order_id))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give back what was paid, close what was not, bar what has not come."""
        reference = self.reference
        terminal = working_set.get(TERMINAL, reference.terminal_id)
        if terminal is None or not self.actor.may_use(terminal.merchant_id):
            raise terminal_not_found(reference.terminal_id)
        found = working_set.get(TERMINAL_REFERENCE, reference)
        order = None
        if found is None:
            row = TerminalReferenceRow(*reference, None, working_set.next_stamp())
            working_set.insert(TERMINAL_REFERENCE, reference, row)
        elif found.order_id is not None:
            known = working_set.get(ORDER, found.order_id)
            assert known is not None, "a reference leads to its order"
            order = self._undo(working_set, known)
        now_us = working_set.now_us
        return pb.ReverseByTerminalRefResponse(
            outcome=int(_outcome(order)),  # type: ignore[arg-type]
            order=None if order is None else encode.order(order, now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _undo(self, working_set: WorkingSet, order: OrderRow) -> OrderRow:
        now_us = working_set.now_us
        state = model.advance(order, Step.REVERSE, now_us)
        if state == OrderState.REVERSED and order.state != state:
            model.check_window(
                order.paid_at_us,
                policy_at(now_us).reversal_window_us,
                now_us,
                reason="REVERSAL_WINDOW_PASSED",
            )
            return give_back(
                working_set, order, Step.REVERSE, order.remaining, self.transaction_id, ""
            )
        return order if order.state == state else move(working_set, order.order_id, state)


def _outcome(order: OrderRow | None) -> ReversalOutcome:
    if order is None:
        return ReversalOutcome.BLOCKED
    if order.state == OrderState.CLOSED:
        return ReversalOutcome.CLOSED
    return ReversalOutcome.RETURNED
