"""Queues events for merchants' endpoints, from the journal, from where it stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import MessageToDict

from longmen.events.v1 import event_pb2
from longmen_server.events.queries import EventFilter, heads, next_events
from longmen_server.jobs.job import Done
from longmen_server.ledger.encode import microseconds
from longmen_server.platform.ids import MERCHANT, DeliveryId, new_id
from longmen_server.webhooks import queries
from longmen_server.webhooks.model import DeliveryRow, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.jobs.job import Workplace
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId
    from longmen_server.webhooks.model import EndpointRow

__all__ = ["WebhookQueue"]

EVENTS_MAX: Final = 500
"""Events taken from the journal at a time."""
_TOLD: Final = EventFilter(
    frozenset(
        {
            event_pb2.EVENT_TYPE_ORDER_CHANGED,
            event_pb2.EVENT_TYPE_SETTLEMENT_CHANGED,
            event_pb2.EVENT_TYPE_PAYOUT_CHANGED,
            event_pb2.EVENT_TYPE_SHARING_CHANGED,
            event_pb2.EVENT_TYPE_MANDATE_CHANGED,
        }
    )
)
_REST_US: Final = 60_000_000
"""How often the cursor moves on while nobody is to be told anything."""


class WebhookQueue:
    """Reads the journal behind a cursor that moves in the transaction that queues.

    A crash repeats a page at most, and an event goes to an endpoint once: so nothing is lost and
    nothing is queued twice.
    """

    name = "webhook_queue"

    def __init__(self) -> None:
        self._rested_at_us: dict[int, int] = {}

    async def take(self, workplace: Workplace) -> Done:
        """Queue what some events are to tell."""
        book, connection = workplace.book, workplace.connection
        if not await queries.has_endpoints(connection, book):
            await self._rest(workplace)
            return Done(0, more=False)
        async with connection.transaction():
            await connection.execute(b"set transaction isolation level repeatable read")
            position = await queries.read_cursor(connection, book)
            page = await next_events(connection, book, position, _TOLD, limit=EVENTS_MAX)
            rows = await _deliveries(workplace, page.events)
            if rows:
                await queries.insert_deliveries(connection, book, rows)
            moved = {
                writer: sequence
                for writer, sequence in page.position.items()
                if position.get(writer) != sequence
            }
            if moved:
                await queries.save_cursor(connection, book, moved)
        return Done(len(rows), more=not page.caught_up)

    async def _rest(self, workplace: Workplace) -> None:
        """Let the cursor keep up while nobody listens, so that the first endpoint waits little."""
        book, now_us = workplace.book, workplace.clock.now_us()
        if now_us - self._rested_at_us.get(book, 0) < _REST_US:
            return
        self._rested_at_us[book] = now_us
        present = await heads(workplace.connection, book)
        if present:
            await queries.save_cursor(workplace.connection, book, present)


async def _deliveries(workplace: Workplace, events: Sequence[event_pb2.Event]) -> list[DeliveryRow]:
    """Return what events are to be told whom: those who listened when they happened."""
    told = [(_merchant_of(event), event) for event in events]
    endpoints = await _listening(
        workplace.connection, workplace.book, {merchant_id for merchant_id, _ in told}
    )
    rows = []
    for merchant_id, event in told:
        for endpoint in endpoints.get(merchant_id, ()):
            kind = _kind(event)
            at_us = microseconds(event.booked_time)
            if endpoint.created_at_us < at_us and endpoint.wants(kind):
                rows.append(_delivery(workplace, endpoint, event, kind, at_us))
    return rows


async def _listening(
    connection: Connection, book: int, merchant_ids: set[MerchantId]
) -> Mapping[MerchantId, Sequence[EndpointRow]]:
    if not merchant_ids:
        return {}
    return await queries.listening(connection, book, sorted(merchant_ids))


def _change(event: event_pb2.Event) -> Any:
    payload = event.WhichOneof("payload")
    assert payload is not None, "each of these types has a payload"
    return getattr(event, payload)


def _merchant_of(event: event_pb2.Event) -> MerchantId:
    return MERCHANT.decode(_change(event).merchant_id)


def _kind(event: event_pb2.Event) -> str:
    """Return what receivers know an event as, such as order.paid."""
    change = _change(event)
    if event.type == event_pb2.EVENT_TYPE_ORDER_CHANGED:
        return f"order.{change.state.lower()}"
    if event.type == event_pb2.EVENT_TYPE_SETTLEMENT_CHANGED:
        return f"settlement.{change.state.lower()}"
    if event.type == event_pb2.EVENT_TYPE_PAYOUT_CHANGED:
        return f"payout.{change.state.lower()}"
    if event.type == event_pb2.EVENT_TYPE_SHARING_CHANGED:
        return f"sharing.{change.state.lower()}"
    return f"mandate.{(change.state if change.cause == 'ASKED' else change.cause).lower()}"


def _delivery(
    workplace: Workplace, endpoint: EndpointRow, event: event_pb2.Event, kind: str, at_us: int
) -> DeliveryRow:
    sequence = getattr(_change(event), "version", at_us)
    body = {
        "id": event.event_id,
        "type": kind,
        "time": event.booked_time.ToJsonString(),
        "sequence": sequence,
        "data": MessageToDict(_change(event), preserving_proto_field_name=True),
    }
    return DeliveryRow(
        delivery_id=DeliveryId(new_id(workplace.book, workplace.clock)),
        endpoint_id=endpoint.endpoint_id,
        merchant_id=endpoint.merchant_id,
        event_id=event.event_id,
        kind=kind,
        subject_id=event.subject_id,
        sequence=sequence,
        state=DeliveryState.PENDING,
        attempts=0,
        due_at_us=workplace.clock.now_us(),
        created_at_us=workplace.clock.now_us(),
        settled_at_us=None,
        last_status=0,
        last_failure="",
        body=json.dumps(body),
    )
