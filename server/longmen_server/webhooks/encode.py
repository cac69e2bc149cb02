"""Endpoints and deliveries as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import webhook_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import DELIVERY, ENDPOINT, MERCHANT
from longmen_server.webhooks.model import DeliveryState, EndpointState

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from longmen_server.webhooks.model import DeliveryRow, EndpointRow


def endpoint(row: EndpointRow, now_us: int) -> webhook_pb2.Endpoint:
    """Return an endpoint, without its secrets."""
    until_us = row.previous_until_us
    return webhook_pb2.Endpoint(
        endpoint_id=ENDPOINT.encode(row.endpoint_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        url=row.url,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        types=row.types.split(),
        failing_since_time=_time(row.failing_since_us),
        previous_secret_end_time=_time(until_us if until_us and until_us > now_us else None),
        create_time=timestamp(row.created_at_us),
    )


def delivery(row: DeliveryRow) -> webhook_pb2.Delivery:
    """Return a delivery."""
    is_pending = row.state == DeliveryState.PENDING
    return webhook_pb2.Delivery(
        delivery_id=DELIVERY.encode(row.delivery_id),
        endpoint_id=ENDPOINT.encode(row.endpoint_id),
        event_id=row.event_id,
        type=row.kind,
        subject_id=row.subject_id,
        sequence=row.sequence,
        state=row.state,  # type: ignore[arg-type]
        attempt_count=row.attempts,
        last_status=row.last_status,
        last_failure=row.last_failure,
        body=row.body,
        create_time=timestamp(row.created_at_us),
        due_time=_time(row.due_at_us if is_pending else None),
        settle_time=_time(row.settled_at_us),
    )


def change(row: EndpointRow, cause: str) -> bytes:
    """Return the payload of the event that tells what became of an endpoint."""
    return event_pb2.EndpointChange(
        endpoint_id=ENDPOINT.encode(row.endpoint_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=EndpointState(row.state).name,
        cause=cause,
    ).SerializeToString(deterministic=True)


def _time(at_us: int | None) -> Timestamp | None:
    return None if at_us is None else timestamp(at_us)
