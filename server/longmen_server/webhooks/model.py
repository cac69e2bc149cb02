"""The rules of webhooks: when a delivery is tried again, and when an endpoint is given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import DELIVERY, ENDPOINT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import DeliveryId, EndpointId, MerchantId

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
LIFETIME_US: Final = 72 * HOUR_US
"""How long a delivery is tried."""
LADDER_S: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400)
"""Pauses after each failed attempt; the last one stays."""
JITTER: Final = 0.2
"""How far a pause may differ, as a share of it: receivers that come back are not stormed."""
ENDPOINTS_MAX: Final = 5
"""Endpoints of a merchant that are not failed."""
TEST_TYPE: Final = "webhook.test"
GONE: Final = 410
"""The HTTP status by which a receiver says that nobody is to come again."""


class EndpointState(IntEnum):
    """Whether an endpoint is sent anything; values of longmen.merchants.v1.EndpointState."""

    ENABLED = 1
    DISABLED = 2
    FAILED = 3


class DeliveryState(IntEnum):
    """What became of a delivery; values of longmen.merchants.v1.DeliveryState."""

    PENDING = 1
    DELIVERED = 2
    FAILED = 3


@dataclass(slots=True)
class EndpointRow:
    """Where a merchant is told what happens."""

    endpoint_id: EndpointId
    merchant_id: MerchantId
    url: str
    types: str
    """Separated by blanks; empty means all."""
    state: int
    secret: bytes
    """Sealed for this endpoint."""
    previous_secret: bytes | None
    previous_until_us: int | None
    notice_address: bytes | None
    """Sealed for this endpoint."""
    created_at_us: int
    failing_since_us: int | None
    """Since when it has taken nothing; the sender keeps it."""

    def copy(self) -> EndpointRow:
        """Return a copy for a command to change."""
        return replace(self)

    def wants(self, kind: str) -> bool:
        """Whether it is told of events of a type."""
        return not self.types or kind in self.types.split(" ")


@dataclass(slots=True)
class DeliveryRow:
    """One event on its way to one endpoint."""

    delivery_id: DeliveryId
    endpoint_id: EndpointId
    merchant_id: MerchantId
    event_id: str
    kind: str
    subject_id: str
    sequence: int
    state: int
    attempts: int
    due_at_us: int
    created_at_us: int
    settled_at_us: int | None
    last_status: int
    last_failure: str
    body: str

    def copy(self) -> DeliveryRow:
        """Return a copy for a command to change."""
        return replace(self)


def pause_us(attempts: int, salt: bytes) -> int:
    """Return how long to wait after so many failed attempts, in microseconds.

    The jitter follows from the salt, so that a test and a second process come to the same.
    """
    step = LADDER_S[min(attempts, len(LADDER_S)) - 1] * SECOND_US
    drawn = sha256(salt + attempts.to_bytes(4, "big")).digest()[0] / 255
    return round(step * (1 + JITTER * (2 * drawn - 1)))


def endpoint_not_found(endpoint_id: EndpointId) -> Refusal:
    """Return the refusal for an endpoint that is not there, or not the caller's to see."""
    return Refusal(
        "ENDPOINT_NOT_FOUND",
        "no such endpoint",
        metadata={"endpoint_id": ENDPOINT.encode(endpoint_id)},
        field="endpoint_id",
    )


def delivery_not_found(delivery_id: DeliveryId) -> Refusal:
    """Return the refusal for a delivery that is not there, or not the caller's to see."""
    return Refusal(
        "DELIVERY_NOT_FOUND",
        "no such delivery",
        metadata={"delivery_id": DELIVERY.encode(delivery_id)},
        field="delivery_id",
    )


def check_enabled(row: EndpointRow) -> None:
    """Refuse to send to an endpoint that is switched off.

    Raises:
        Refusal: ENDPOINT_DISABLED.
    """
    if row.state != EndpointState.ENABLED:
        raise Refusal(
            "ENDPOINT_DISABLED",
            "the endpoint is switched off",
            metadata={"endpoint_id": ENDPOINT.encode(row.endpoint_id)},
            field="endpoint_id",
        )


def check_limit(count: int) -> None:
    """Refuse one endpoint too many.

    Raises:
        Refusal: ENDPOINT_LIMIT_REACHED.
    """
    if count >= ENDPOINTS_MAX:
        raise Refusal(
            "ENDPOINT_LIMIT_REACHED",
            "the merchant has as many endpoints as one may have",
            metadata={"limit": str(ENDPOINTS_MAX)},
        )
