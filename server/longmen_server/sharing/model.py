"""The rules of sharing: how much is held, who gets it, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.platform.ids import MERCHANT, ORDER
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import AccountId, MerchantId, OrderId, TransactionId


class ReceiverState(IntEnum):
    """Whether a receiver is given shares; values of longmen.payments.v1.ReceiverState."""

    PENDING = 1
    ACTIVE = 2
    REMOVED = 3


class SharingState(IntEnum):
    """Whether an order is shared; values of longmen.payments.v1.SharingState."""

    OPEN = 1
    ENDED = 2


class ReceiverKey(NamedTuple):
    """Who shares, and with whom."""

    merchant_id: MerchantId
    receiver_id: MerchantId


class ShareNumber(NamedTuple):
    """A share or a return by the merchant's own number."""

    order_id: OrderId
    number: str


@dataclass(slots=True)
class ReceiverRow:
    """A merchant that another one shares with."""

    merchant_id: MerchantId
    receiver_id: MerchantId
    state: int
    created_at_us: int
    updated_at_us: int

    def copy(self) -> ReceiverRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(slots=True)
class SharingRow:
    """What of an order's money is kept for others."""

    order_id: OrderId
    merchant_id: MerchantId
    account_id: AccountId
    """The merchant's."""
    currency_code: str
    state: int
    held: int
    shared: int
    returned: int
    released: int
    share_count: int
    cap_percent: int
    """Of the policy that it was held under."""
    ends_at_us: int
    version: int
    created_at_us: int
    updated_at_us: int

    def copy(self) -> SharingRow:
        """Return a copy for a command to change."""
        return replace(self)

    @property
    def left(self) -> int:
        """What is held and neither shared nor released."""
        return self.held - self.shared - self.released

    def is_open(self, now_us: int) -> bool:
        """Whether it can be shared at a moment: time ends it, whether noted or not."""
        return self.state == SharingState.OPEN and now_us < self.ends_at_us


@dataclass(slots=True)
class ShareRow:
    """What one receiver got of an order."""

    order_id: OrderId
    share_number: str
    receiver_id: MerchantId
    receiver_account_id: AccountId
    amount: int
    returned: int
    transaction_id: TransactionId
    description: str
    created_at_us: int

    def copy(self) -> ShareRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class ShareReturnRow:
    """What came back of a share; it never changes."""

    order_id: OrderId
    return_number: str
    share_number: str
    amount: int
    in_proportion: bool
    """Whether the merchant named no amount."""
    transaction_id: TransactionId
    created_at_us: int


def cap(brought: int, percent: int) -> int:
    """Return the most that may be kept for others, of what an order brought and still has."""
    return brought * percent // 100


def to_release(row: SharingRow, brought: int) -> int:
    """Return what a refund has to release, so that no more is kept than may be.

    Args:
        row: as it stands.
        brought: what the order has brought once the refund is made.
    """
    beyond = row.left + row.shared - row.returned - cap(brought, row.cap_percent)
    return max(0, min(row.left, beyond))


def in_proportion(amount: int, *, paid: int, refunded: int) -> int:
    """Return what of a share goes back with refunds so far: all of it by the last cent."""
    return amount * refunded // paid if paid else 0


def receiver_not_found(receiver_id: MerchantId) -> Refusal:
    """Return the refusal of a receiver that the merchant does not have."""
    return Refusal(
        "RECEIVER_NOT_FOUND",
        "the merchant has no such receiver",
        metadata={"receiver_id": MERCHANT.encode(receiver_id)},
        field="receiver_id",
    )


def check_receiver(row: ReceiverRow | None, receiver_id: MerchantId, state: ReceiverState) -> None:
    """Refuse a receiver that is not in a state.

    Raises:
        Refusal: RECEIVER_NOT_FOUND, RECEIVER_STATE_CONFLICT.
    """
    if row is None:
        raise receiver_not_found(receiver_id)
    if row.state != state:
        name = ReceiverState(row.state).name
        raise Refusal(
            "RECEIVER_STATE_CONFLICT",
            f"the receiver is {name.lower()}",
            metadata={"receiver_id": MERCHANT.encode(receiver_id), "state": name},
            field="receiver_id",
        )


def sharing_not_found(order_id: OrderId) -> Refusal:
    """Return the refusal of an order of which nothing is held."""
    return Refusal(
        "SHARING_NOT_FOUND",
        "nothing of the order is held to be shared",
        metadata={"order_id": ORDER.encode(order_id)},
        field="order_id",
    )


def beyond(reason: str, key: str, amount: int, currency_code: str) -> Refusal:
    """Return the refusal of an amount that is too large, with the largest that is not."""
    return Refusal(
        reason,
        "that is more than there may be",
        metadata={key: str(amount), "currency_code": currency_code},
        field="amount",
    )


def number_reused(field: str, differing: list[str]) -> Refusal:
    """Return the refusal of a number that stands for another content."""
    return Refusal(
        "SHARE_NUMBER_REUSED",
        "the number belongs to another share or return",
        metadata={"fields": ",".join(differing)},
        field=field,
    )


def check_currency(actual: str, expected: str) -> None:
    """Refuse an amount in another currency than the order.

    Raises:
        Refusal: CURRENCY_MISMATCH.
    """
    if actual != expected:
        raise Refusal(
            "CURRENCY_MISMATCH",
            "the amount is in another currency than the order",
            metadata={"expected": expected, "actual": actual},
            field="amount.currency_code",
        )
