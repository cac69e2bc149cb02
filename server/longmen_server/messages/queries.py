"""The queue of messages as the job of their delivery reads and settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.messages.model import MessageRow, MessageState
from longmen_server.platform.adapters import Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import MessageId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection

__all__ = ["Settlement", "due_messages", "expire_messages", "settle_messages"]


_DUE: Final = (
    b"select message_id, channel, kind, created_at_us, expires_at_us, attempts, sealed"
    b" from message_outbox where book = $1 and state = 1 and due_at_us <= $2"
    b" and expires_at_us > $2 order by due_at_us, message_id limit $3"
)
_EXPIRE: Final = (
    b"update message_outbox set state = 4, sealed = null, settled_at_us = $2"
    b" where book = $1 and state = 1 and expires_at_us <= $2"
)
_SETTLE: Final = (
    b"update message_outbox as m set state = u.s, attempts = m.attempts + 1, due_at_us = u.d,"
    b" failure = nullif(u.f, ''), settled_at_us = case when u.s = 1 then null else $2 end,"
    b" sealed = case when u.s = 1 then m.sealed end"
    b" from unnest($3::uuid[], $4::int2[], $5::int8[], $6::text[]) as u (i, s, d, f)"
    b" where m.book = $1 and m.message_id = u.i and m.state = 1"
)


class Settlement(NamedTuple):
    """What has become of a message by one attempt."""

    message_id: MessageId
    state: MessageState
    """QUEUED is tried again when it is due."""
    due_at_us: int
    failure: str
    """Why it was not taken, in a word of ours; empty when it was."""


async def due_messages(
    connection: Connection, book: int, *, now_us: int, limit: int
) -> list[MessageRow]:
    """Messages whose time to be tried has come, the longest waiting first."""
    cursor = await connection.execute(_DUE, (book, now_us, limit))
    return [
        MessageRow(
            message_id=MessageId(message_id),
            channel=channel,
            kind=kind,
            created_at_us=created_at_us,
            expires_at_us=expires_at_us,
            attempts=attempts,
            sealed=sealed,
        )
        for message_id, channel, kind, created_at_us, expires_at_us, attempts, sealed in (
            await cursor.fetchall()
        )
    ]


async def expire_messages(connection: Connection, book: int, *, now_us: int) -> int:
    """Give up what is no longer worth delivering, and delete its content; return how many."""
    cursor = await connection.execute(_EXPIRE, (book, now_us))
    return cursor.rowcount


async def settle_messages(
    connection: Connection, book: int, settlements: Sequence[Settlement], *, now_us: int
) -> None:
    """Note what has become of messages; whatever is not tried again loses its content."""
    await connection.execute(
        _SETTLE,
        (
            book,
            now_us,
            UuidArray([one.message_id for one in settlements]),
            Int2Array([one.state for one in settlements]),
            Int8Array([one.due_at_us for one in settlements]),
            TextArray([one.failure for one in settlements]),
        ),
    )
