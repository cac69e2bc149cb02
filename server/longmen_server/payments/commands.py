"""The commands that register and pay orders: what each needs, and what it decides. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.challenges.model import stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import Movement, MovementKind
from longmen_server.merchants.commands import see_terminal
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.tables import MERCHANT, TERMINAL, TERMINAL_STATE
from longmen_server.payments import encode, fees, model, scan, tips
from longmen_server.payments.intents import of_purchase
from longmen_server.payments.model import (
    OrderNumber,
    OrderRow,
    OrderState,
    Step,
    TerminalReference,
    TerminalReferenceRow,
)
from longmen_server.payments.policy import policy_at
from longmen_server.payments.tables import ORDER, ORDER_NUMBER, TERMINAL_REFERENCE
from longmen_server.payments.tables_authorizations import RELEASE
from longmen_server.payments.tips import TipMode
from longmen_server.plans.tables import PLANS
from longmen_server.platform.ids import ORDER as ORDER_TEXT
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.stores.model import store_closed
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.auto_conversions.funding import AutoFunding, Covered
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow, PostingOutcome
    from longmen_server.limits.movement import Asker
    from longmen_server.merchants.model import MerchantActor, MerchantRow
    from longmen_server.platform.ids import (
        AccountId,
        CombinedId,
        MerchantId,
        OrderId,
        TerminalId,
        TransactionId,
    )
    from longmen_server.risk.guard import Guard

_ORDER_CHANGED = event_pb2.EVENT_TYPE_ORDER_CHANGED


@dataclass(slots=True, frozen=True, kw_only=True)
class Sale:
    """What an order is to be."""

    order_id: OrderId
    merchant_id: MerchantId
    order_number: str
    amount: int
    currency_code: str
    expires_seconds: int
    description: str
    reference: TerminalReference | None
    supersede: bool = False
    """Whether the order that the till has open is closed for it."""
    tip: int = 0
    """Paid besides the amount; 0 where the payer is to say it."""
    tip_mode: int | None = 0
    """What the code says of tips, see OrderRow; None where a scan goes with whatever it said."""
    tip_value: int = 0
    combined_id: CombinedId | None = None
    """The combined order that it is part of."""
    at_till: bool = True
    """Whether a customer waits for it at the till now; not so for what the till had stored."""

    @property
    def terminal_id(self) -> TerminalId | None:
        """The till that sells it, if one does."""
        return None if self.reference is None else self.reference.terminal_id

    @property
    def number(self) -> OrderNumber:
        """Where the order is found by its merchant's number."""
        return OrderNumber(self.merchant_id, self.order_number)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name merchant, till, and the order that has the number already."""
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.merchant_id)
            yield RowKey(PLANS, self.merchant_id)
            yield RowKey(ORDER_NUMBER, self.number)
            if self.reference is not None:
                yield RowKey(TERMINAL, self.reference.terminal_id)
                yield RowKey(TERMINAL_REFERENCE, self.reference)
                yield RowKey(TERMINAL_STATE, self.reference.terminal_id)
        elif stage == STAGE_LINK:
            found = working_set.get(ORDER_NUMBER, self.number)
            if found is not None:
                yield RowKey(ORDER, found)
            if self.reference is not None:
                till = working_set.get(TERMINAL_STATE, self.reference.terminal_id)
                if till is not None and till.last_order_id is not None:
                    yield RowKey(ORDER, till.last_order_id)


def find_merchant(working_set: WorkingSet, merchant_id: MerchantId) -> MerchantRow:
    """Return a merchant.

    Raises:
        Refusal: MERCHANT_NOT_FOUND.
    """
    merchant = working_set.get(MERCHANT, merchant_id)
    if merchant is None:
        raise merchant_not_found(merchant_id)
    return merchant


def find_order(working_set: WorkingSet, order_id: OrderId, actor: MerchantActor) -> OrderRow:
    """Return an order that a merchant, or the bank for it, works on.

    Raises:
        Refusal: ORDER_NOT_FOUND when it is not there, or another merchant's.
    """
    order = working_set.get(ORDER, order_id)
    if order is None or not actor.may_use(order.merchant_id):
        raise model.order_not_found(order_id)
    return order


def register(working_set: WorkingSet, sale: Sale, merchant: MerchantRow) -> OrderRow:
    """Return the order of a sale: the one that has its number already, or a new one.

    Raises:
        Refusal: ORDER_NUMBER_REUSED, ORDER_CLOSED, CURRENCY_MISMATCH, TERMINAL_NOT_FOUND,
            TERMINAL_REFERENCE_REVERSED, TERMINAL_REFERENCE_REUSED, TERMINAL_BUSY,
            STORE_CLOSED, TIP_LIMIT_EXCEEDED.
    """
    known_id = working_set.get(ORDER_NUMBER, sale.number)
    if known_id is not None:
        known = working_set.get(ORDER, known_id)
        assert known is not None, "a number leads to its order"
        _check_same(known, sale)
        return known
    if sale.currency_code != merchant.currency_code:
        raise Refusal(
            "CURRENCY_MISMATCH",
            "the amount is in another currency than the merchant's",
            metadata={"expected": merchant.currency_code, "actual": sale.currency_code},
            field="amount.currency_code",
        )
    percent_max = policy_at(working_set.now_us).tip_percent_max
    tips.check_limit(sale.tip, sale.amount, percent_max, sale.currency_code)
    at_us = working_set.next_stamp()
    _claim_reference(working_set, sale, at_us)
    _occupy_till(working_set, sale)
    reference = sale.reference
    order = OrderRow(
        order_id=sale.order_id,
        merchant_id=sale.merchant_id,
        order_number=sale.order_number,
        state=OrderState.CREATED,
        amount=sale.amount,
        currency_code=sale.currency_code,
        refunded=0,
        account_id=merchant.account_id,
        expires_at_us=working_set.now_us + sale.expires_seconds * model.SECOND_US,
        description=sale.description,
        terminal_id=None if reference is None else reference.terminal_id,
        trace_number=None if reference is None else reference.trace_number,
        business_date=None if reference is None else reference.business_date,
        payer_account_id=None,
        transaction_id=None,
        paid_at_us=None,
        version=0,
        created_at_us=at_us,
        updated_at_us=at_us,
        plan_id=fees.plan_of(working_set, merchant.merchant_id),
        tip=sale.tip,
        tip_mode=sale.tip_mode or 0,
        tip_value=sale.tip_value,
        combined_id=sale.combined_id,
    )
    working_set.insert(ORDER, order.order_id, order)
    working_set.insert(ORDER_NUMBER, sale.number, order.order_id)
    return order


def _check_same(known: OrderRow, sale: Sale) -> None:
    """Refuse another content under a number that is taken, and what was resolved before it came."""
    if not known.amount:
        raise model.refused_step(known, OrderState.CLOSED, Step.PAY)
    reference = sale.reference
    fields = {
        "amount": (known.amount, known.currency_code) == (sale.amount, sale.currency_code),
        "description": known.description == sale.description,
        "tip": known.tip == sale.tip or known.tip_mode == TipMode.ASK,
        "tip_offer": sale.tip_mode is None
        or (known.tip_mode, known.tip_value) == (sale.tip_mode, sale.tip_value),
        "terminal_id": known.terminal_id == (None if reference is None else reference.terminal_id),
        "trace_number": known.trace_number
        == (None if reference is None else reference.trace_number),
        "business_date": known.business_date
        == (None if reference is None else reference.business_date),
    }
    differing = [name for name, same in fields.items() if not same]
    if differing:
        raise Refusal(
            "ORDER_NUMBER_REUSED",
            "the number belongs to an order with another content",
            metadata={
                "order_id": ORDER_TEXT.encode(known.order_id),
                "fields": ",".join(differing),
            },
            field="order_number",
        )


def _claim_reference(working_set: WorkingSet, sale: Sale, at_us: int) -> None:
    """Take the till's reference for the sale, unless it was reversed or taken before."""
    reference = sale.reference
    if reference is None:
        return
    terminal = working_set.get(TERMINAL, reference.terminal_id)
    if terminal is None or terminal.merchant_id != sale.merchant_id:
        raise terminal_not_found(reference.terminal_id)
    taken = working_set.get(TERMINAL_REFERENCE, reference)
    if taken is not None:
        if taken.order_id is None:
            raise Refusal(
                "TERMINAL_REFERENCE_REVERSED",
                "the till reversed the sale before it arrived",
                metadata=reference.metadata,
            )
        raise Refusal(
            "TERMINAL_REFERENCE_REUSED",
            "the till's reference belongs to another order",
            metadata={"order_id": ORDER_TEXT.encode(taken.order_id)},
            field="trace_number",
        )
    row = TerminalReferenceRow(*reference, sale.order_id, at_us)
    working_set.insert(TERMINAL_REFERENCE, reference, row)


def _occupy_till(working_set: WorkingSet, sale: Sale) -> None:
    """Make the sale the till's one open order, so that nobody pays the customer's before by it."""
    if sale.reference is None or not sale.at_till:
        return
    terminal_id = sale.reference.terminal_id
    till = working_set.get(TERMINAL_STATE, terminal_id)
    if till is not None and till.store_closed:
        assert till.store_id is not None, "a closed store is some store"
        raise store_closed(till.store_id)
    if till is not None and till.last_order_id is not None:
        last = working_set.get(ORDER, till.last_order_id)
        state = None if last is None else last.state_at(working_set.now_us)
        if last is not None and state in model.AWAITED_STATES:
            if not sale.supersede:
                raise model.terminal_busy(last)
            move(working_set, last.order_id, OrderState.CLOSED)
    till = see_terminal(working_set, terminal_id)
    till.last_order_id = sale.order_id


def move(working_set: WorkingSet, order_id: OrderId, state: OrderState) -> OrderRow:
    """Bring an order to a state, and tell it by an event."""
    order = working_set.edit(ORDER, order_id)
    if order.state == OrderState.AUTHORIZED != state:
        # Whoever does not release the holds at once lets the job do it.
        working_set.append(RELEASE, order_id)
    order.state = state
    order.version += 1
    order.updated_at_us = working_set.next_stamp()
    payload = encode.change(order)
    working_set.emit(Event(_ORDER_CHANGED, order_id, 0, order.updated_at_us, payload, payload))
    return order


def movement_of(
    kind: MovementKind,
    bought: OrderRow | Sale,
    payer: AccountRow,
    asker: Asker,
    transaction_id: TransactionId,
    *,
    amount: int = 0,
    together: int = 0,
    is_held: bool = False,
) -> Movement:
    """Return what paying for something is about to do.

    Args:
        kind: how it is paid.
        bought: the order, or the sale that becomes one.
        payer: who pays.
        asker: who asks for it.
        transaction_id: of the posting.
        amount: in minor units, where it is not the whole.
        together: the whole of the payment that this adds to; 0 when it is one by itself.
        is_held: whether the money is held first.
    """
    reference = bought.reference if isinstance(bought, Sale) else bought
    return Movement(
        kind=kind,
        asker=asker,
        transaction_id=transaction_id,
        amount=amount or bought.amount,
        currency_code=bought.currency_code,
        payer_id=payer.account_id,
        customer_id=payer.owner_id,
        is_held=is_held,
        together=together,
        merchant_id=bought.merchant_id,
        terminal_id=None if reference is None else reference.terminal_id,
    )


def cover(
    working_set: WorkingSet,
    funding: AutoFunding | None,
    guard: Guard | None,
    payer: AccountRow,
    movement: Movement,
) -> Covered | None:
    """Exchange what a payer lacks for a payment, who has agreed to it; None where nothing is.

    Raises:
        Refusal: as :meth:`AutoFunding.cover`.
    """
    if funding is None:
        return None
    amount, transaction_id = movement.amount, movement.transaction_id
    return funding.cover(
        working_set, payer, amount, transaction_id, asker=movement.asker, guard=guard
    )


def pay(
    working_set: WorkingSet,
    order: OrderRow,
    payer_id: AccountId,
    transaction_id: TransactionId,
    *,
    effective_at_us: int | None = None,
    tip: int | None = None,
    combined: bool = False,
) -> tuple[OrderRow, PostingOutcome]:
    """Move the money of an order from a wallet to its merchant, and let it be paid.

    Args:
        working_set: of the command.
        order: to be paid.
        payer_id: account that pays.
        transaction_id: of the payment.
        effective_at_us: when it counts from; None for now.
        tip: what the payer gives besides; None gives the order's.
        combined: whether all parts of its combined order are paid.

    Raises:
        Refusal: of the order's state, or of the posting.
    """
    state = model.advance(order, Step.PAY, working_set.now_us)
    if not combined:
        model.check_alone(order)
    tip = order.tip if tip is None else tip
    purchase = PostingIntent(
        transaction_id=transaction_id,
        debit_account_id=payer_id,
        credit_account_id=order.account_id,
        currency_code=order.currency_code,
        amount=order.amount,
        code=PostingCode.PURCHASE,
        reference=order.order_number,
        description=order.description or None,
        effective_at_us=effective_at_us,
    )
    first = outcome = book_posting(working_set, purchase)[0]
    if tip:
        besides = replace(purchase, ordinal=1, amount=tip, code=PostingCode.TIP)
        outcome = book_posting(working_set, besides)[0]
    paid = move(working_set, order.order_id, state)
    paid.payer_account_id = payer_id
    paid.transaction_id = transaction_id
    paid.paid_at_us = first.posting.booked_at_us
    paid.tip = tip
    ordinal = 2 if tip else 1
    paid.fee = fees.charge(working_set, order, order.amount, transaction_id, ordinal=ordinal)
    return paid, outcome


class CreateOrder(Command):
    """Register a sale and show its code."""

    __slots__ = ("sale",)

    def __init__(self, book: int, request: RequestKey | None, *, sale: Sale) -> None:
        super().__init__(book, request)
        self.sale = sale

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what the sale needs."""
        return self.sale.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register it, unless its number has an order; return the code either way."""
        merchant = find_merchant(working_set, self.sale.merchant_id)
        order = register(working_set, self.sale, merchant)
        if order.state == OrderState.CREATED:
            state = model.TRANSITIONS[OrderState.CREATED][Step.PRESENT]
            order = move(working_set, order.order_id, state)
        return pb.CreateOrderResponse(
            order=encode.order(order, working_set.now_us),
            code=scan.order_code(merchant, order),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class PayOrder(Command):
    """Pay an order that the payer confirmed."""

    __slots__ = (
        "actor",
        "amount",
        "currency_code",
        "funding",
        "gate",
        "guard",
        "order_id",
        "payer_id",
        "tip",
        "transaction_id",
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
        actor: Actor,
        transaction_id: TransactionId,
        gate: Gate | None = None,
        guard: Guard | None = None,
        tip: int = 0,
        funding: AutoFunding | None = None,
    ) -> None:
        super().__init__(book, request)
        self.guard = guard
        self.funding = funding
        self.order_id = order_id
        self.payer_id = payer_id
        self.amount = amount
        self.tip = tip
        self.currency_code = currency_code
        self.actor = actor
        self.transaction_id = transaction_id
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the order, then both accounts."""
        order = working_set.get(ORDER, self.order_id)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        yield from guard_keys(
            working_set, stage, self.guard, self.gate, payer_id=self.payer_id, bought=order
        )
        if self.funding is not None:
            yield from self.funding.keys(
                working_set, stage, payer_id=self.payer_id, guard=self.guard
            )
        if stage == STAGE_LINK:
            yield RowKey(ORDER, self.order_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
            yield from enforce.keys(stage, payer_id=self.payer_id)
            if order is not None:
                yield RowKey(ACCOUNT, order.account_id)
                yield from fees.fee_keys(working_set, order.plan_id, order.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Pay unless it is too late, or not what the payer saw."""
        order = working_set.get(ORDER, self.order_id)
        if order is None or not order.amount:
            raise model.order_not_found(self.order_id)
        payer = find_wallet_account(working_set, self.payer_id, self.currency_code, self.actor)
        model.check_amount(order, self.amount, self.currency_code)
        percent_max = policy_at(working_set.now_us).tip_percent_max
        tips.check_payers_tip(order, self.tip, self.currency_code, percent_max)
        total = self.amount + self.tip
        asker = asker_of(working_set, self.actor, self.gate)
        kind = MovementKind.PAYMENT
        movement = movement_of(kind, order, payer, asker, self.transaction_id, amount=total)
        covered = cover(working_set, self.funding, self.guard, payer, movement)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if covered is not None:
            least = stronger(least, covered.least)
        if self.gate is not None:
            self.gate.demand(
                working_set,
                of_purchase(order.merchant_id, self.payer_id, total, self.currency_code),
                least,
            )
        paid, outcome = pay(working_set, order, self.payer_id, self.transaction_id, tip=self.tip)
        settle(working_set, verdict)
        return pb.PayOrderResponse(
            payment=encode.payment(paid),
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
