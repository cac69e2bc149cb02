"""What a till is told, as plain frozen values."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from longmen.payments.v1 import order_pb2
from longmen_client.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_client._errors import LongmenError

__all__ = ["Charge", "Limits", "Outcome", "RefundMade", "Resumed"]

UNREACHABLE = "UNREACHABLE"
"""Reason of a sale that was given up because the bank could not be reached."""
DECLINED = "DECLINED"
"""Reason of a sale that the payer turned down on the own device."""

_BROKEN = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
_NOT_THE_SALE = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


class Outcome(enum.Enum):
    """How a sale ended. There is no third."""

    PAID = "paid"
    """The merchant has the money: hand the goods over."""
    NOT_PAID = "not paid"
    """The merchant does not have it, or has given it back: keep the goods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a till waits. Every figure has its unit, its default and the reason for it."""

    charge_ms: int = 60_000
    """Milliseconds that a payer has to approve, from the scan on: as long as a queue is patient."""
    settle_ms: int = 15_000
    """Milliseconds to find out how a sale ended when that is in doubt, before it is given up."""
    attempt_ms: int = 4_000
    """Milliseconds for one attempt at a call: a link that swallows everything is given up after."""
    expires_s: int = 180
    """Seconds after which an order of the till cannot be paid any more, whatever happens to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """How a sale ended, or stands after a scan that did not pay."""

    outcome: Outcome
    order_number: str
    amount: Money
    """Without the tip."""
    tip: Money | None = None
    """What was paid besides; None without a tip, and unless paid."""
    order_id: str = ""
    """Empty where the sale never reached the bank, as far as the till knows."""
    transaction_id: str = ""
    """Of the payment in the ledger; empty unless paid."""
    reason: str = ""
    """Why it is not paid: a reason of the contract, DECLINED or UNREACHABLE; empty when paid."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Facts about the reason."""
    may_scan_again: bool = False
    """Whether the sale is still open, and another code can be scanned for it."""
    reversal_pending: bool = False
    """Whether the till has still to tell the bank that the sale was given up; `resume` does."""

    @property
    def paid(self) -> bool:
        """Whether to hand the goods over."""
        return self.outcome is Outcome.PAID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMade:
    """Money that went back."""

    refund_id: str
    refund_number: str
    order_id: str
    amount: Money
    order_state: str
    """Of the order after it, such as PARTIALLY_REFUNDED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What was found out of what the till had not finished."""

    charges: tuple[Charge, ...] = ()
    refunds: tuple[RefundMade, ...] = ()
    errors: tuple[LongmenError, ...] = ()
    """Of refunds and reversals that the bank refuses, or that it could not be asked for."""


def is_in_doubt(error: LongmenError) -> bool:
    """Whether a failed call says nothing about what the bank did, so that it has to be asked."""
    return error.outcome_unknown or error.code in _BROKEN or error.details.code in _BROKEN


def is_about_the_caller(error: LongmenError) -> bool:
    """Whether a refusal says that the till itself is set up wrong, which no cashier can mend."""
    return error.details.code in _NOT_THE_SALE or error.details.reason == "INVALID_REQUEST"


def charge_of(order: order_pb2.Order, order_number: str, amount: Money, reason: str = "") -> Charge:
    """The charge that an order tells of."""
    paid = order.state in {
        order_pb2.ORDER_STATE_PAID,
        order_pb2.ORDER_STATE_PARTIALLY_REFUNDED,
        order_pb2.ORDER_STATE_REFUNDED,
    }
    return Charge(
        outcome=Outcome.PAID if paid else Outcome.NOT_PAID,
        order_number=order_number,
        amount=amount,
        tip=Money.from_proto(order.tip) if paid and order.tip.minor_units else None,
        order_id=order.order_id,
        transaction_id=order.transaction_id if paid else "",
        reason="" if paid else reason or f"ORDER_{state_name(order.state)}",
    )


def state_name(state: int) -> str:
    """The name of an order's state, such as PAID; its number when it is newer than this client."""
    try:
        name = order_pb2.OrderState.Name(state)  # type: ignore[arg-type]  # enums are ints
    except ValueError:
        return str(state)
    return name.removeprefix("ORDER_STATE_")
