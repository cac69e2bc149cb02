"""Reads of verifications, devices and sessions, and the note of when sessions were last used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.identity.model import DeviceRow, SessionRow
from longmen_server.platform.adapters import Int8Array, Uuid, UuidArray
from longmen_server.platform.ids import CustomerId, DeviceId, SessionId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import VerificationId

__all__ = [
    "CustomerSessions",
    "ended_sessions",
    "find_device",
    "find_key_holder",
    "find_session",
    "find_verification",
    "list_devices",
    "list_every_session",
    "list_sessions",
    "note_seen",
    "wallet_exists",
]

FIRST_ID: Final = bytes(16)
"""Before every id."""

_SESSION_COLUMNS: Final = (
    b"session_id, customer_id, device_id, created_at_us, seen_at_us, ends_at_us,"
    b" family_digest, refresh_digest, ended_at_us, end_cause"
)
_DEVICE_COLUMNS: Final = (
    b"device_id, customer_id, algorithm, public_key, thumbprint, name, state,"
    b" enrolled_at_us, cooling_until_us, revoked_at_us, cooling_used, told_at_us"
)
_VERIFICATION: Final = (
    b"select customer_id, device_id, nonce from identity_verification"
    b" where book = $1 and verification_id = $2"
)
_KEY_HOLDER: Final = (
    b"select device_id from identity_device"
    b" where book = $1 and customer_id = $2 and thumbprint = $3 and state = 1"
)
_SESSION: Final = (
    b"select " + _SESSION_COLUMNS + b" from identity_session where book = $1 and session_id = $2"
)
_SESSIONS: Final = (
    b"select " + _SESSION_COLUMNS + b" from identity_session where book = $1 and customer_id = $2"
    b" and ended_at_us is null and ends_at_us > $3 and session_id > $4"
    b" order by session_id limit $5"
)
_EVERY_SESSION: Final = (
    b"select " + _SESSION_COLUMNS + b" from identity_session where book = $1 and customer_id = $2"
    b" and session_id > $3 order by session_id limit $4"
)
_DEVICE: Final = (
    b"select " + _DEVICE_COLUMNS + b" from identity_device where book = $1 and device_id = $2"
)
_DEVICES: Final = (
    b"select " + _DEVICE_COLUMNS + b" from identity_device where book = $1 and customer_id = $2"
    b" and device_id > $3 order by device_id limit $4"
)
_WALLET: Final = b"select true from wallet where book = $1 and customer_id = $2"
_ENDED: Final = b"select session_id from identity_session where book = $1 and ended_at_us > $2"
WRITING: Final = b"set transaction isolation level read committed, read write"
_SEEN: Final = (
    b"update identity_session as s set seen_at_us = u.t"
    b" from unnest($2::uuid[], $3::int8[]) as u (i, t)"
    b" where s.book = $1 and s.session_id = u.i and s.seen_at_us < u.t"
)


async def find_verification(
    connection: Connection, book: int, verification_id: VerificationId
) -> tuple[CustomerId | None, DeviceId | None, bytes] | None:
    """Return whose a verification is, the enrolled device, and its nonce; None when unknown."""
    cursor = await connection.execute(_VERIFICATION, (book, Uuid(verification_id)))
    record = await cursor.fetchone()
    return None if record is None else (record[0], record[1], record[2])


async def find_key_holder(
    connection: Connection, book: int, customer_id: CustomerId, thumbprint: str
) -> DeviceId | None:
    """Return the active device of a customer that has a key."""
    cursor = await connection.execute(_KEY_HOLDER, (book, Uuid(customer_id), thumbprint))
    record = await cursor.fetchone()
    return None if record is None else DeviceId(record[0])


async def find_session(
    connection: Connection, book: int, session_id: SessionId
) -> SessionRow | None:
    """Return a session."""
    cursor = await connection.execute(_SESSION, (book, Uuid(session_id)))
    record = await cursor.fetchone()
    return None if record is None else SessionRow(*record)


async def list_sessions(
    connection: Connection,
    book: int,
    customer_id: CustomerId,
    *,
    now_us: int,
    after: bytes,
    limit: int,
) -> list[SessionRow]:
    """Return up to `limit` sessions that go on, in the order they began."""
    parameters = (book, Uuid(customer_id), now_us, Uuid(after or FIRST_ID), limit)
    cursor = await connection.execute(_SESSIONS, parameters)
    return [SessionRow(*record) for record in await cursor.fetchall()]


async def list_every_session(
    connection: Connection, book: int, customer_id: CustomerId, *, after: bytes, limit: int
) -> list[SessionRow]:
    """Return up to `limit` sessions in the order they began, those that ended included."""
    parameters = (book, Uuid(customer_id), Uuid(after or FIRST_ID), limit)
    cursor = await connection.execute(_EVERY_SESSION, parameters)
    return [SessionRow(*record) for record in await cursor.fetchall()]


async def find_device(connection: Connection, book: int, device_id: DeviceId) -> DeviceRow | None:
    """Return a device."""
    cursor = await connection.execute(_DEVICE, (book, Uuid(device_id)))
    record = await cursor.fetchone()
    return None if record is None else DeviceRow(*record)


async def list_devices(
    connection: Connection, book: int, customer_id: CustomerId, *, after: bytes, limit: int
) -> list[DeviceRow]:
    """Return up to `limit` devices in the order they were enrolled."""
    parameters = (book, Uuid(customer_id), Uuid(after or FIRST_ID), limit)
    cursor = await connection.execute(_DEVICES, parameters)
    return [DeviceRow(*record) for record in await cursor.fetchall()]


async def wallet_exists(connection: Connection, book: int, customer_id: CustomerId) -> bool:
    """Whether there is such a customer."""
    cursor = await connection.execute(_WALLET, (book, Uuid(customer_id)))
    return await cursor.fetchone() is not None


async def ended_sessions(connection: Connection, book: int, *, since_us: int) -> list[SessionId]:
    """Return the sessions that were ended after a moment."""
    cursor = await connection.execute(_ENDED, (book, since_us))
    return [SessionId(session_id) for (session_id,) in await cursor.fetchall()]


async def note_seen(connection: Connection, book: int, seen: Mapping[SessionId, int]) -> None:
    """Note when sessions of a book were last used: the one thing that is written beside the engine.

    What is noted is a hint for other workers and moves forwards only, so that nothing is lost when
    it is not. Connections of readers write nothing unless they are told to.
    """
    async with connection.transaction():
        await connection.execute(WRITING)
        await connection.execute(
            _SEEN, (book, UuidArray(list(seen)), Int8Array(list(seen.values())))
        )


class CustomerSessions:
    """Where the sessions of customers are; what a worker's watch looks into."""

    async def ended(self, connection: Connection, book: int, *, since_us: int) -> list[SessionId]:
        """Return the sessions that were ended after a moment."""
        return await ended_sessions(connection, book, since_us=since_us)

    async def find(
        self, connection: Connection, book: int, session_id: SessionId
    ) -> SessionRow | None:
        """Return a session."""
        return await find_session(connection, book, session_id)

    async def note_seen(
        self, connection: Connection, book: int, seen: Mapping[SessionId, int]
    ) -> None:
        """Note when sessions of a book were last used."""
        await note_seen(connection, book, seen)
