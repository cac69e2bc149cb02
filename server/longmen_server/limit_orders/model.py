"""The rules of alerts and limit orders: when a rate is there, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.fx.model import shown
from longmen_server.platform.ids import (
    CONVERSION,
    LIMIT_ORDER,
    RATE_ALERT,
    TransactionId,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import (
        AccountId,
        ConversionId,
        CustomerId,
        LimitOrderId,
        RateAlertId,
    )

DAY_US: Final = 86_400 * 1_000_000
VALID_DAYS_DEFAULT: Final = 30
WAITING_MAX: Final = 50
"""Alerts that one customer, and limit orders that one account may have waiting: nobody follows
more, and each of them is looked at whenever rates change."""
HOLD_MARGIN_US: Final = DAY_US
"""How much longer than its order money is held, so that the order ends before the hold does."""


class RateDirection(IntEnum):
    """Which way a rate has to come; values of longmen.fx.v1.RateDirection."""

    AT_LEAST = 1
    AT_MOST = 2


class AlertState(IntEnum):
    """Where an alert stands; values of longmen.fx.v1.RateAlertState."""

    WAITING = 1
    TOLD = 2
    DELETED = 3
    EXPIRED = 4


class OrderState(IntEnum):
    """Where a limit order stands; values of longmen.fx.v1.LimitOrderState."""

    OPEN = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    DECLINED = 5


class WaitingKey(NamedTuple):
    """Whose alerts, or orders of which account, are counted, and when."""

    owner_id: CustomerId | AccountId
    now_us: int


@dataclass(slots=True)
class WaitingRow:
    """How many alerts or orders wait."""

    key: WaitingKey
    count: int

    def copy(self) -> WaitingRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class AlertRow:
    """One alert."""

    alert_id: RateAlertId
    customer_id: CustomerId
    state: int
    direction: int
    created_at_us: int
    expires_at_us: int
    told_at_us: int | None
    source_currency: str
    target_currency: str
    rate: str
    told_rate: str | None

    def copy(self) -> AlertRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    def state_at(self, now_us: int) -> AlertState:
        """Where it stands at a moment: time ends what told nothing."""
        if self.state == AlertState.WAITING and now_us >= self.expires_at_us:
            return AlertState.EXPIRED
        return AlertState(self.state)

    def is_reached(self, mid: Fraction) -> bool:
        """Whether a rate is what it waits for."""
        limit = Fraction(Decimal(self.rate))
        return mid >= limit if self.direction == RateDirection.AT_LEAST else mid <= limit


@dataclass(slots=True)
class OrderRow:
    """One limit order; its id is that of the transaction that holds its money."""

    limit_order_id: LimitOrderId
    customer_id: CustomerId | None
    """The owner of both accounts; None for accounts without an owner."""
    from_account_id: AccountId
    to_account_id: AccountId
    conversion_id: ConversionId | None
    state: int
    amount: int
    created_at_us: int
    expires_at_us: int
    approved: int
    """Bits of the kinds of factors that approved it when it was placed; 0 for none."""
    source_currency: str
    target_currency: str
    rate: str

    def copy(self) -> OrderRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def hold(self) -> tuple[TransactionId, int]:
        """What holds its money."""
        return TransactionId(self.limit_order_id), 0

    @property
    def limit(self) -> Fraction:
        """The rate it waits for, exactly."""
        return Fraction(Decimal(self.rate))

    def state_at(self, now_us: int) -> OrderState:
        """Where it stands at a moment: time ends what was not filled."""
        if self.state == OrderState.OPEN and now_us >= self.expires_at_us:
            return OrderState.EXPIRED
        return OrderState(self.state)


def alert_not_found(alert_id: RateAlertId) -> Refusal:
    """Return the refusal for an alert that is not there, or not the caller's to see."""
    return Refusal(
        "FX_ALERT_NOT_FOUND",
        "no such alert",
        metadata={"alert_id": RATE_ALERT.encode(alert_id)},
        field="alert_id",
    )


def order_not_found(limit_order_id: LimitOrderId) -> Refusal:
    """Return the refusal for an order that is not there, or not the caller's to see."""
    return Refusal(
        "FX_LIMIT_ORDER_NOT_FOUND",
        "no such limit order",
        metadata={"limit_order_id": LIMIT_ORDER.encode(limit_order_id)},
        field="limit_order_id",
    )


def check_open(order: OrderRow, now_us: int) -> None:
    """Refuse to end what has ended otherwise.

    Raises:
        Refusal: FX_LIMIT_ORDER_ENDED.
    """
    state = order.state_at(now_us)
    if state == OrderState.OPEN:
        return
    filled = order.conversion_id
    raise Refusal(
        "FX_LIMIT_ORDER_ENDED",
        "the limit order has ended",
        metadata={
            "limit_order_id": LIMIT_ORDER.encode(order.limit_order_id),
            "state": state.name,
            "conversion_id": "" if filled is None else CONVERSION.encode(filled),
        },
    )


def reached(present: Fraction) -> Refusal:
    """Return the refusal to wait for what is there already."""
    return Refusal(
        "FX_RATE_REACHED",
        "the rate is there already",
        metadata={"present_rate": shown(present)},
        field="rate",
    )


def check_waiting(count: int) -> None:
    """Refuse one more than a customer may have waiting.

    Raises:
        Refusal: FX_WAITING_LIMIT.
    """
    if count >= WAITING_MAX:
        raise Refusal(
            "FX_WAITING_LIMIT",
            "as many wait already as there may be",
            metadata={"limit": str(WAITING_MAX)},
        )
