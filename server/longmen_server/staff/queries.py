"""Reads of accounts of staff, their sign-ins and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.identity.queries import WRITING
from longmen_server.platform.adapters import Int8Array, Uuid, UuidArray
from longmen_server.platform.ids import SessionId, StaffId
from longmen_server.staff.model import SessionRow, SignInRow, StaffRow
from longmen_server.staff.tables import SESSION_COLUMNS, SIGN_IN_COLUMNS, STAFF_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import VerificationId

__all__ = [
    "BRANCH_OF_ACCOUNT",
    "BRANCH_OF_CUSTOMER",
    "BRANCH_OF_DEVICE",
    "BRANCH_OF_SESSION",
    "NO_STAFF",
    "StaffSessions",
    "find_branch",
    "find_by_login",
    "find_session",
    "find_sign_in",
    "find_staff",
    "has_used_key",
    "list_page",
]

NO_STAFF: Final = StaffId(bytes(16))
"""An id before every other one."""

_BY_ID: Final = (
    f"select {STAFF_COLUMNS} from staff_account where book = $1 and staff_id = $2"
).encode()
_BY_LOGIN: Final = (
    f"select {STAFF_COLUMNS} from staff_account where book = $1 and login = $2"
).encode()
_LIST: Final = (
    f"select {STAFF_COLUMNS} from staff_account where book = $1 and staff_id > $2"
    " and ($3::text = '' or login = $3) order by staff_id limit $4"
).encode()
BRANCH_OF_CUSTOMER: Final = (
    b"select coalesce(b.branch, '') from wallet as w left join customer_branch as b"
    b" on b.book = $1 and b.customer_id = w.customer_id where w.book = $1 and w.customer_id = $2"
)
BRANCH_OF_ACCOUNT: Final = (
    b"select coalesce(b.branch, '') from wallet_account as w left join customer_branch as b"
    b" on b.book = $1 and b.customer_id = w.customer_id where w.book = $1 and w.account_id = $2"
)
BRANCH_OF_DEVICE: Final = (
    b"select coalesce(b.branch, '') from identity_device as w left join customer_branch as b"
    b" on b.book = $1 and b.customer_id = w.customer_id where w.book = $1 and w.device_id = $2"
)
BRANCH_OF_SESSION: Final = (
    b"select coalesce(b.branch, '') from identity_session as w left join customer_branch as b"
    b" on b.book = $1 and b.customer_id = w.customer_id where w.book = $1 and w.session_id = $2"
)
_SIGN_IN: Final = (
    f"select {SIGN_IN_COLUMNS} from staff_sign_in where book = $1 and sign_in_id = $2".encode()
)
_SESSION: Final = (
    f"select {SESSION_COLUMNS} from staff_session where book = $1 and session_id = $2".encode()
)
_USED_KEY: Final = (
    b"select true from staff_session where book = $1 and staff_id = $2 and thumbprint = $3 limit 1"
)
_ENDED: Final = b"select session_id from staff_session where book = $1 and ended_at_us > $2"
_SEEN: Final = (
    b"update staff_session as s set seen_at_us = u.t"
    b" from unnest($2::uuid[], $3::int8[]) as u (i, t)"
    b" where s.book = $1 and s.session_id = u.i and s.seen_at_us < u.t"
)


async def find_branch(
    connection: Connection, statement: bytes, book: int, identifier: bytes
) -> str | None:
    """Return the branch that one of the statements above finds; None for what is not there."""
    cursor = await connection.execute(statement, (book, Uuid(identifier)))
    record = await cursor.fetchone()
    return None if record is None else str(record[0])


async def find_staff(connection: Connection, book: int, staff_id: StaffId) -> StaffRow | None:
    """Return an account."""
    cursor = await connection.execute(_BY_ID, (book, Uuid(staff_id)))
    record = await cursor.fetchone()
    return None if record is None else StaffRow(*record)


async def find_by_login(connection: Connection, book: int, login: str) -> StaffRow | None:
    """Return the account of a login."""
    cursor = await connection.execute(_BY_LOGIN, (book, login))
    record = await cursor.fetchone()
    return None if record is None else StaffRow(*record)


async def list_page(
    connection: Connection, book: int, *, after: StaffId, login: str, limit: int
) -> list[StaffRow]:
    """Return accounts in the order they were made, after one of them."""
    cursor = await connection.execute(_LIST, (book, Uuid(after), login, limit))
    return [StaffRow(*record) for record in await cursor.fetchall()]


async def find_sign_in(
    connection: Connection, book: int, sign_in_id: VerificationId
) -> SignInRow | None:
    """Return a sign-in that has begun."""
    cursor = await connection.execute(_SIGN_IN, (book, Uuid(sign_in_id)))
    record = await cursor.fetchone()
    return None if record is None else SignInRow(*record)


async def has_used_key(
    connection: Connection, book: int, staff_id: StaffId, thumbprint: str
) -> bool:
    """Whether a member of staff has signed in with a key before."""
    cursor = await connection.execute(_USED_KEY, (book, Uuid(staff_id), thumbprint))
    return await cursor.fetchone() is not None


async def find_session(
    connection: Connection, book: int, session_id: SessionId
) -> SessionRow | None:
    """Return a session."""
    cursor = await connection.execute(_SESSION, (book, Uuid(session_id)))
    record = await cursor.fetchone()
    return None if record is None else SessionRow(*record)


class StaffSessions:
    """Where the sessions of staff are; what a worker's watch looks into."""

    async def ended(self, connection: Connection, book: int, *, since_us: int) -> list[SessionId]:
        """Return the sessions that were ended after a moment."""
        cursor = await connection.execute(_ENDED, (book, since_us))
        return [SessionId(session_id) for (session_id,) in await cursor.fetchall()]

    async def find(
        self, connection: Connection, book: int, session_id: SessionId
    ) -> SessionRow | None:
        """Return a session."""
        return await find_session(connection, book, session_id)

    async def note_seen(
        self, connection: Connection, book: int, seen: Mapping[SessionId, int]
    ) -> None:
        """Note when sessions of a book were last used, as those of customers are noted."""
        async with connection.transaction():
            await connection.execute(WRITING)
            await connection.execute(
                _SEEN, (book, UuidArray(list(seen)), Int8Array(list(seen.values())))
            )
