"""The rules of orders: their states, which step leads where, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import COMBINED, ORDER, TERMINAL
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.ids import (
        AccountId,
        CombinedId,
        MerchantId,
        OrderId,
        PlanId,
        RefundId,
        TerminalId,
        TransactionId,
    )

SECOND_US: Final = 1_000_000
EXPIRES_SECONDS_DEFAULT: Final = 900
"""How long an order can be paid when its merchant does not say: 15 minutes."""
SCAN_EXPIRES_SECONDS_DEFAULT: Final = 180
"""The same of an order that begins with a scan: 3 minutes, as Alipay has it, for somebody stands at
the till and waits."""

SETTLING_US: Final = 60 * SECOND_US
"""For how long after an order's time nobody is told that it is not paid, unless that is noted: what
began before is decided by the time it began at, however long it waited for locks and disk. No call
lasts longer than half of it."""


class OrderState(IntEnum):
    """Where an order stands; values are those of longmen.payments.v1.OrderState."""

    CREATED = 1
    PENDING_PAYER = 2
    NEEDS_AUTH = 3
    PROCESSING = 4
    AUTHORIZED = 5
    PAID = 6
    PARTIALLY_REFUNDED = 7
    REFUNDED = 8
    CLOSED = 9
    EXPIRED = 10
    REVERSED = 11


class Step(Enum):
    """What can happen to an order."""

    PRESENT = "present"
    """A code is shown to a payer."""
    ASK_PAYER = "ask_payer"
    """The payer is asked to confirm."""
    PAY = "pay"
    CLOSE = "close"
    DECLINE = "decline"
    """The payer turns down what was asked."""
    EXPIRE = "expire"
    REFUND_PART = "refund_part"
    REFUND_REST = "refund_rest"
    REVERSE = "reverse"
    AUTHORIZE = "authorize"
    """The money is held, to be taken later."""
    CAPTURE_PART = "capture_part"
    CAPTURE_REST = "capture_rest"
    """The last of the held money is taken, or the rest released."""


class Answer(IntEnum):
    """What a till has to know; values are those of longmen.payments.v1.OrderAnswer."""

    PAID = 1
    NOT_PAID_AND_CLOSED = 2
    STILL_POSSIBLE = 3
    NEVER_SEEN = 4


class AttemptOutcome(IntEnum):
    """What a scan led to at once; values are those of longmen.payments.v1.AttemptOutcome."""

    PAID = 1
    ASKED = 2
    REFUSED = 3


class ReversalOutcome(IntEnum):
    """What a reversal did; values are those of longmen.payments.v1.ReversalOutcome."""

    RETURNED = 1
    CLOSED = 2
    BLOCKED = 3


OPEN_STATES: Final = frozenset(
    {
        OrderState.CREATED,
        OrderState.PENDING_PAYER,
        OrderState.NEEDS_AUTH,
        OrderState.PROCESSING,
        OrderState.AUTHORIZED,
    }
)
"""States in which an order may yet be paid."""

AWAITED_STATES: Final = OPEN_STATES - {OrderState.AUTHORIZED}
"""States in which a till waits for a payer."""

PAID_STATES: Final = frozenset(
    {OrderState.PAID, OrderState.PARTIALLY_REFUNDED, OrderState.REFUNDED}
)
"""States in which the merchant was paid, whatever went back since."""

_WHILE_OPEN: Final[Mapping[Step, OrderState]] = {
    Step.PAY: OrderState.PAID,
    Step.CLOSE: OrderState.CLOSED,
    Step.EXPIRE: OrderState.EXPIRED,
    Step.REVERSE: OrderState.CLOSED,
}
_RETURNS: Final[Mapping[Step, OrderState]] = {
    Step.REFUND_PART: OrderState.PARTIALLY_REFUNDED,
    Step.REFUND_REST: OrderState.REFUNDED,
    Step.REVERSE: OrderState.REVERSED,
}
TRANSITIONS: Final[Mapping[OrderState, Mapping[Step, OrderState]]] = {
    OrderState.CREATED: {
        **_WHILE_OPEN,
        Step.AUTHORIZE: OrderState.AUTHORIZED,
        Step.PRESENT: OrderState.PENDING_PAYER,
        Step.ASK_PAYER: OrderState.NEEDS_AUTH,
    },
    OrderState.PENDING_PAYER: {
        **_WHILE_OPEN,
        Step.AUTHORIZE: OrderState.AUTHORIZED,
        Step.PRESENT: OrderState.PENDING_PAYER,
        Step.ASK_PAYER: OrderState.NEEDS_AUTH,
        Step.DECLINE: OrderState.PENDING_PAYER,
    },
    OrderState.NEEDS_AUTH: {
        **_WHILE_OPEN,
        Step.AUTHORIZE: OrderState.AUTHORIZED,
        Step.ASK_PAYER: OrderState.NEEDS_AUTH,
        Step.DECLINE: OrderState.PENDING_PAYER,
    },
    OrderState.PROCESSING: _WHILE_OPEN,
    # What was captured stays paid, whatever becomes of the rest: see `advance`.
    OrderState.AUTHORIZED: {
        Step.CAPTURE_PART: OrderState.AUTHORIZED,
        Step.CAPTURE_REST: OrderState.PAID,
        Step.CLOSE: OrderState.CLOSED,
        Step.EXPIRE: OrderState.EXPIRED,
        Step.REVERSE: OrderState.CLOSED,
    },
    OrderState.PAID: _RETURNS,
    OrderState.PARTIALLY_REFUNDED: _RETURNS,
    # A till repeats a reversal until it is answered: what is settled stays as it is.
    OrderState.REFUNDED: {Step.REVERSE: OrderState.REFUNDED},
    OrderState.CLOSED: {Step.CLOSE: OrderState.CLOSED, Step.REVERSE: OrderState.CLOSED},
    OrderState.EXPIRED: {
        Step.CLOSE: OrderState.CLOSED,
        Step.EXPIRE: OrderState.EXPIRED,
        Step.REVERSE: OrderState.CLOSED,
    },
    OrderState.REVERSED: {Step.REVERSE: OrderState.REVERSED},
}
"""Which step leads where; whatever is not here is refused with the reason of the state."""

_REFUSED_BY: Final[Mapping[OrderState, str]] = {
    **dict.fromkeys(PAID_STATES, "ORDER_PAID"),
    OrderState.AUTHORIZED: "ORDER_AUTHORIZED",
    OrderState.CLOSED: "ORDER_CLOSED",
    OrderState.EXPIRED: "ORDER_EXPIRED",
    OrderState.REVERSED: "ORDER_REVERSED",
}


@dataclass(slots=True)
class OrderRow:
    """One order."""

    order_id: OrderId
    merchant_id: MerchantId
    order_number: str
    state: int
    amount: int
    """0 for a number that was resolved before any order came."""
    currency_code: str
    refunded: int
    account_id: AccountId
    """The merchant's account."""
    expires_at_us: int
    description: str
    terminal_id: TerminalId | None
    trace_number: int | None
    business_date: str | None
    payer_account_id: AccountId | None
    transaction_id: TransactionId | None
    paid_at_us: int | None
    version: int
    created_at_us: int
    updated_at_us: int
    plan_id: PlanId | None = None
    """What the merchant pays, as agreed when the order was registered; None pays nothing."""
    fee: int = 0
    """What the merchant was charged."""
    fee_returned: int = 0
    """What of the fee went back with refunds."""
    captured: int | None = None
    """What the merchant took of held money; None for an order that was never authorized."""
    tip: int = 0
    """Paid besides the amount, or to be paid; 0 while the payer is to say it."""
    tip_refunded: int = 0
    """What of the tip went back."""
    tip_mode: int = 0
    """What the order's code says of tips, by TipMode."""
    tip_value: int = 0
    """Minor units of a fixed tip, basis points of a share."""
    combined_id: CombinedId | None = None
    """The combined order that it is part of, and is paid with."""

    def copy(self) -> OrderRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return OrderRow(*_order_columns(self))

    @property
    def paid(self) -> int:
        """What the merchant gets once it is paid, in minor units."""
        return self.amount if self.captured is None else self.captured

    @property
    def total(self) -> int:
        """What a payer pays, the tip included, in minor units."""
        return self.amount + self.tip

    @property
    def remaining(self) -> int:
        """What was paid and did not go back, the tip included, in minor units."""
        return self.paid + self.tip - self.refunded - self.tip_refunded

    def state_at(self, now_us: int) -> OrderState:
        """Where it stands at a moment: time closes what was not paid, whether noted or not."""
        state = OrderState(self.state)
        if state in OPEN_STATES and now_us >= self.expires_at_us:
            return OrderState.PAID if self.captured else OrderState.EXPIRED
        return state


_order_columns: Final = attrgetter(*OrderRow.__slots__)


@dataclass(slots=True, frozen=True)
class RefundRow:
    """One refund; it never changes."""

    refund_id: RefundId
    order_id: OrderId
    refund_number: str
    amount: int
    currency_code: str
    transaction_id: TransactionId
    reason_text: str
    created_at_us: int
    tip: int = 0
    """The tip's share of the amount."""
    terminal_id: TerminalId | None = None
    """The till that gave it back; None where it counts for the till of the sale."""
    business_date: str | None = None
    """That till's."""


@dataclass(slots=True, frozen=True)
class AttemptRow:
    """One scan of a payer's code for an order; it never changes."""

    order_id: OrderId
    created_at_us: int
    outcome: int
    reason: str
    """Why it was refused; empty otherwise."""
    account_id: AccountId | None
    """What was to be paid from; None where no device of ours made the code."""


class OrderNumber(NamedTuple):
    """An order by its merchant's own number."""

    merchant_id: MerchantId
    order_number: str


class RefundNumber(NamedTuple):
    """A refund by its merchant's own number."""

    order_id: OrderId
    refund_number: str


class TerminalReference(NamedTuple):
    """A sale by the till's own reference, as ISO 8583 has it in fields 41, 11 and 13."""

    terminal_id: TerminalId
    business_date: str
    trace_number: int

    @property
    def metadata(self) -> dict[str, str]:
        """The reference as facts of a refusal."""
        return {
            "terminal_id": TERMINAL.encode(self.terminal_id),
            "trace_number": str(self.trace_number),
            "business_date": self.business_date,
        }


@dataclass(slots=True, frozen=True)
class TerminalReferenceRow:
    """What became of a till's reference first: a sale, or a reversal that came before it."""

    terminal_id: TerminalId
    business_date: str
    trace_number: int
    order_id: OrderId | None
    """None where the reversal came first: the sale is refused for ever."""
    created_at_us: int


def advance(order: OrderRow, step: Step, now_us: int) -> OrderState:
    """Return the state that a step leads to.

    Raises:
        Refusal: ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED, ORDER_REVERSED, ORDER_NOT_PAID,
            REFUND_EXCEEDS_PAYMENT.
    """
    state = order.state_at(now_us)
    target = TRANSITIONS[state].get(step)
    if state == OrderState.AUTHORIZED and order.captured:
        # Part of it was taken: that is paid, and only a refund gives it back.
        target = {
            Step.CLOSE: OrderState.PAID,
            Step.EXPIRE: OrderState.PAID,
            Step.REVERSE: None,
        }.get(step, target)
    if target is None:
        raise refused_step(order, state, step)
    return target


def refused_step(order: OrderRow, state: OrderState, step: Step) -> Refusal:
    """Return why a step is impossible in a state."""
    if step in {Step.REFUND_PART, Step.REFUND_REST}:
        if state == OrderState.REFUNDED:
            return refund_exceeds(order)
        if state != OrderState.REVERSED:
            return Refusal(
                "ORDER_NOT_PAID",
                f"the order is {state.name.lower()}, so there is nothing to return",
                metadata={"order_id": ORDER.encode(order.order_id), "state": state.name},
            )
    if step in {Step.CAPTURE_PART, Step.CAPTURE_REST} and state in AWAITED_STATES:
        return not_authorized(order.order_id)
    reason = _REFUSED_BY.get(state, "ORDER_CLOSED")
    metadata = {"order_id": ORDER.encode(order.order_id)}
    if reason == "ORDER_EXPIRED":
        metadata["expire_time_us"] = str(order.expires_at_us)
    return Refusal(reason, f"the order is {state.name.lower()}", metadata=metadata)


def answer_of(order: OrderRow | None, now_us: int) -> Answer:
    """Return what a till has to know of an order, which never changes once it is not paid."""
    if order is None:
        return Answer.NEVER_SEEN
    if order.state_at(now_us) in PAID_STATES:
        return Answer.PAID
    is_open = order.state in OPEN_STATES and now_us < order.expires_at_us + SETTLING_US
    return Answer.STILL_POSSIBLE if is_open else Answer.NOT_PAID_AND_CLOSED


def refund_exceeds(order: OrderRow) -> Refusal:
    """Return the refusal of a refund that is larger than what is left."""
    return Refusal(
        "REFUND_EXCEEDS_PAYMENT",
        "refunds together would be more than was paid",
        metadata={
            "remaining_minor_units": str(order.remaining),
            "currency_code": order.currency_code,
        },
        field="amount",
    )


def order_not_found(order_id: OrderId) -> Refusal:
    """Return the refusal for an order that is not there, or not the caller's to see."""
    return Refusal(
        "ORDER_NOT_FOUND",
        "no such order",
        metadata={"order_id": ORDER.encode(order_id)},
        field="order_id",
    )


def check_alone(order: OrderRow) -> None:
    """Refuse to pay by itself what is part of a combined order.

    Raises:
        Refusal: ORDER_COMBINED.
    """
    if order.combined_id is not None:
        raise Refusal(
            "ORDER_COMBINED",
            "the order is part of a combined one and is paid with it",
            metadata={
                "order_id": ORDER.encode(order.order_id),
                "combined_order_id": COMBINED.encode(order.combined_id),
            },
            field="order_id",
        )


def terminal_busy(last: OrderRow) -> Refusal:
    """Return the refusal of a second open order of a till."""
    return Refusal(
        "TERMINAL_BUSY",
        "the terminal has another order open",
        metadata={"order_id": ORDER.encode(last.order_id), "order_number": last.order_number},
        field="terminal_id",
    )


def not_authorized(order_id: OrderId) -> Refusal:
    """Return the refusal for an order that nothing is held for."""
    return Refusal(
        "ORDER_NOT_AUTHORIZED",
        "nothing is held for the order",
        metadata={"order_id": ORDER.encode(order_id)},
        field="order_id",
    )


def check_amount(order: OrderRow, amount: int, currency_code: str) -> None:
    """Refuse a payment of another amount than the order's.

    Raises:
        Refusal: AMOUNT_MISMATCH.
    """
    if (order.amount, order.currency_code) != (amount, currency_code):
        raise Refusal(
            "AMOUNT_MISMATCH",
            "the amount is not the order's",
            metadata={
                "expected_minor_units": str(order.amount),
                "currency_code": order.currency_code,
            },
            field="amount",
        )


def check_window(paid_at_us: int | None, window_us: int, now_us: int, *, reason: str) -> None:
    """Refuse to undo what was paid too long ago.

    Raises:
        Refusal: REVERSAL_WINDOW_PASSED or REFUND_WINDOW_PASSED, whichever is given.
    """
    if paid_at_us is not None and now_us - paid_at_us > window_us:
        days = window_us // (86_400 * SECOND_US)
        raise Refusal(
            reason,
            f"the order was paid more than {days} days ago",
            metadata={"window_days": str(days)},
        )
