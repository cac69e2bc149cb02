"""What is read of webhooks, and how the sender keeps its books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.adapters import (
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    Uuid,
    UuidArray,
)
from longmen_server.platform.ids import DeliveryId, EndpointId, MerchantId, book_of
from longmen_server.webhooks.model import DeliveryRow, DeliveryState, EndpointRow, EndpointState
from longmen_server.webhooks.tables import DELIVERY_COLUMNS, ENDPOINT_COLUMNS, delivery_insert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.platform.database import Connection

__all__ = [
    "Attempted",
    "due_deliveries",
    "due_endpoints",
    "expire_deliveries",
    "has_endpoints",
    "insert_deliveries",
    "list_deliveries",
    "list_endpoints",
    "listening",
    "note_endpoint",
    "read_cursor",
    "save_cursor",
    "settle_deliveries",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""
_ENABLED: Final = int(EndpointState.ENABLED)
_PENDING: Final = int(DeliveryState.PENDING)

_ENDPOINTS: Final = (
    f"select {ENDPOINT_COLUMNS} from webhook_endpoint"
    " where book = $1 and merchant_id = $2 and endpoint_id < $3"
    " order by endpoint_id desc limit $4"
).encode()
_DELIVERIES: Final = (
    f"select {DELIVERY_COLUMNS} from webhook_delivery"
    " where book = $1 and merchant_id = $2 and delivery_id < $3"
    " and (endpoint_id = $4::uuid or $4::uuid is null) and (state = $5 or $5::smallint = 0)"
    " order by delivery_id desc limit $6"
).encode()
_ANY: Final = (
    f"select 1 from webhook_endpoint where book = $1 and state = {_ENABLED} limit 1".encode()
)
_LISTENING: Final = (
    f"select {ENDPOINT_COLUMNS} from webhook_endpoint"
    f" where book = $1 and merchant_id = any($2) and state = {_ENABLED} order by endpoint_id"
).encode()
_CURSOR: Final = b"select writer, sequence from webhook_cursor where book = $1"
_SAVE: Final = (
    b"insert into webhook_cursor (book, writer, sequence)"
    b" select $1, u.w, u.s from unnest($2, $3) as u (w, s)"
    b" on conflict (book, writer) do update set sequence = excluded.sequence"
    b" where webhook_cursor.sequence < excluded.sequence"
)
# An endpoint whose last attempt failed rests, whatever comes for it meanwhile.
_DUE_ENDPOINTS: Final = (
    f"select {ENDPOINT_COLUMNS} from webhook_endpoint as e where book = $1 and state = {_ENABLED}"
    " and resume_at_us <= $2 and endpoint_id <> all($3) and exists (select 1"
    f" from webhook_delivery as d where d.book = $1 and d.endpoint_id = e.endpoint_id"
    f" and d.state = {_PENDING} and d.due_at_us <= $2) order by resume_at_us limit $4"
).encode()
# What waits for another try holds up the later events of its own subject, and no others.
_DUE: Final = (
    f"select {DELIVERY_COLUMNS} from webhook_delivery as d"
    f" where book = $1 and endpoint_id = $2 and state = {_PENDING} and due_at_us <= $3"
    " and not exists (select 1 from webhook_delivery as w where w.book = $1"
    f" and w.endpoint_id = d.endpoint_id and w.state = {_PENDING} and w.due_at_us > $3"
    " and w.subject_id = d.subject_id and w.subject_id <> '' and w.sequence < d.sequence)"
    " order by created_at_us, subject_id, sequence limit $4"
).encode()
_SETTLE: Final = (
    b"update webhook_delivery as d set state = u.s, attempts = d.attempts + 1, due_at_us = u.d,"
    b" last_status = u.c, last_failure = u.f,"
    b" settled_at_us = case when u.s = 1 then null else $2 end"
    b" from unnest($3, $4, $5, $6, $7) as u (i, s, d, c, f)"
    b" where d.book = $1 and d.delivery_id = u.i and d.state = 1"
)
_NOTE: Final = (
    b"update webhook_endpoint set failures = $3::int, resume_at_us = $4, failing_since_us ="
    b" case when $3::int = 0 then null else coalesce(failing_since_us, $5::bigint) end"
    b" where book = $1 and endpoint_id = $2"
    b" and (failures <> $3::int or failing_since_us is not null or $3::int > 0)"
)
_FAILURES: Final = b"select failures from webhook_endpoint where book = $1 and endpoint_id = $2"
_EXPIRE: Final = (
    b"update webhook_delivery set state = $3::smallint, settled_at_us = $4::bigint, last_failure ="
    b" case when last_failure = '' then 'too_late' else last_failure end"
    b" where book = $1 and state = 1 and created_at_us < $2"
)


async def list_endpoints(
    connection: Connection, merchant_id: MerchantId, *, before: bytes, limit: int
) -> list[EndpointRow]:
    """Return up to `limit` endpoints of a merchant, newest first."""
    cursor = await connection.execute(
        _ENDPOINTS, (book_of(merchant_id), Uuid(merchant_id), Uuid(before or _LAST_ID), limit)
    )
    return [EndpointRow(*record) for record in await cursor.fetchall()]


async def list_deliveries(
    connection: Connection,
    merchant_id: MerchantId,
    *,
    endpoint_id: EndpointId | None,
    state: int,
    before: bytes,
    limit: int,
) -> list[DeliveryRow]:
    """Return up to `limit` deliveries to a merchant, newest first."""
    cursor = await connection.execute(
        _DELIVERIES,
        (
            book_of(merchant_id),
            Uuid(merchant_id),
            Uuid(before or _LAST_ID),
            None if endpoint_id is None else Uuid(endpoint_id),
            state,
            limit,
        ),
    )
    return [DeliveryRow(*record) for record in await cursor.fetchall()]


# -- from the journal to deliveries ------------------------------------------------------------


async def has_endpoints(connection: Connection, book: int) -> bool:
    """Whether anybody is to be told anything."""
    cursor = await connection.execute(_ANY, (book,))
    return await cursor.fetchone() is not None


async def listening(
    connection: Connection, book: int, merchant_ids: Sequence[MerchantId]
) -> dict[MerchantId, list[EndpointRow]]:
    """Return the enabled endpoints of merchants."""
    cursor = await connection.execute(_LISTENING, (book, UuidArray(merchant_ids)))
    found: dict[MerchantId, list[EndpointRow]] = {}
    for record in await cursor.fetchall():
        row = EndpointRow(*record)
        found.setdefault(row.merchant_id, []).append(row)
    return found


async def read_cursor(connection: Connection, book: int) -> dict[int, int]:
    """Return how far each writer's journal was read."""
    cursor = await connection.execute(_CURSOR, (book,))
    return dict(await cursor.fetchall())


async def save_cursor(connection: Connection, book: int, position: Mapping[int, int]) -> None:
    """Remember how far each writer's journal was read; never back."""
    await connection.execute(
        _SAVE, (book, Int2Array(list(position)), Int8Array(list(position.values())))
    )


async def insert_deliveries(connection: Connection, book: int, rows: Sequence[DeliveryRow]) -> None:
    """Queue deliveries; what is queued already stays as it is."""
    statement = delivery_insert(book, rows)
    await connection.execute(statement.sql, statement.parameters)


# -- sending -----------------------------------------------------------------------------------


class Attempted(NamedTuple):
    """What became of one attempt."""

    delivery_id: DeliveryId
    state: int
    due_at_us: int
    status: int
    failure: str


async def due_endpoints(
    connection: Connection, book: int, *, now_us: int, busy: Sequence[EndpointId], limit: int
) -> list[EndpointRow]:
    """Return endpoints that something is due for, the longest rested first."""
    cursor = await connection.execute(_DUE_ENDPOINTS, (book, now_us, UuidArray(busy), limit))
    return [EndpointRow(*record) for record in await cursor.fetchall()]


async def due_deliveries(
    connection: Connection, endpoint_id: EndpointId, *, now_us: int, limit: int
) -> list[DeliveryRow]:
    """Return what is due for an endpoint, in the order to be sent."""
    cursor = await connection.execute(
        _DUE, (book_of(endpoint_id), Uuid(endpoint_id), now_us, limit)
    )
    return [DeliveryRow(*record) for record in await cursor.fetchall()]


async def settle_deliveries(
    connection: Connection, book: int, attempts: Sequence[Attempted], *, now_us: int
) -> None:
    """Note what became of attempts."""
    await connection.execute(
        _SETTLE,
        (
            book,
            now_us,
            UuidArray([one.delivery_id for one in attempts]),
            Int2Array([one.state for one in attempts]),
            Int8Array([one.due_at_us for one in attempts]),
            Int4Array([one.status for one in attempts]),
            TextArray([one.failure for one in attempts]),
        ),
    )


async def failures_of(connection: Connection, endpoint_id: EndpointId) -> int:
    """Return how many attempts in a row an endpoint has failed."""
    cursor = await connection.execute(_FAILURES, (book_of(endpoint_id), Uuid(endpoint_id)))
    record = await cursor.fetchone()
    return 0 if record is None else int(record[0])


async def note_endpoint(
    connection: Connection,
    endpoint_id: EndpointId,
    *,
    failures: int,
    resume_at_us: int,
    now_us: int,
) -> None:
    """Note how an endpoint does: 0 failures when it took what it was sent last."""
    await connection.execute(
        _NOTE, (book_of(endpoint_id), Uuid(endpoint_id), failures, resume_at_us, now_us)
    )


async def expire_deliveries(
    connection: Connection, book: int, *, before_us: int, now_us: int
) -> int:
    """Give up what was queued before a moment; return how many."""
    cursor = await connection.execute(_EXPIRE, (book, before_us, int(DeliveryState.FAILED), now_us))
    return cursor.rowcount
