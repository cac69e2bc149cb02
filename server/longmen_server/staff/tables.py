"""The tables of staff as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.engine.family import (
    STAGE_ACCOUNT,
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId, SessionId, StaffId, VerificationId
from longmen_server.staff.model import CustomerBranch, Role, SessionRow, SignInRow, StaffRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ADMINS",
    "ALL_ADMINS",
    "CUSTOMER_BRANCH",
    "LOGIN",
    "OPEN_STAFF_SESSIONS",
    "SESSION_COLUMNS",
    "SIGN_IN",
    "STAFF_COLUMNS",
    "STAFF_ROWS",
    "STAFF_SESSION",
]

STAFF_COLUMNS: Final = ", ".join(StaffRow.__slots__)
SIGN_IN_COLUMNS: Final = ", ".join(SignInRow.__slots__)
SESSION_COLUMNS: Final = ", ".join(SessionRow.__slots__)

ALL_ADMINS: Final = "all"
"""The one key of the family of administrators."""

_ID_BYTES: Final = 16


class _LoginFamily(PointerFamily[str, StaffId]):
    """Which account has a login. The rows are the staff family's to write."""

    name = "staff_account by login"
    stage = STAGE_POINTER
    rank = 83

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            b"select login, staff_id from staff_account where book = $1 and login = any($2)",
            (book, TextArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, StaffId]:
        return record[0], record[1]


class _AdminsFamily(PointerFamily[str, tuple[StaffId, ...]]):
    """Which accounts are of administrators, in whatever state.

    Whoever takes one away locks the rows of all of them, so that two who do it at once take turns.
    """

    name = "staff_account by role"
    stage = STAGE_POINTER
    rank = 84

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        del keys
        return Statement(
            b"select string_agg(uuid_send(staff_id), ''::bytea order by staff_id)"
            b" from staff_account where book = $1 and roles & $2 <> 0",
            (book, 1 << Role.ADMIN),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, tuple[StaffId, ...]]:
        joined: bytes = record[0] or b""
        return ALL_ADMINS, tuple(
            StaffId(joined[at : at + _ID_BYTES]) for at in range(0, len(joined), _ID_BYTES)
        )


class _StaffFamily(RowFamily[StaffId, StaffRow]):
    name = "staff_account"
    stage = STAGE_LINK
    rank = 85

    def load(self, book: int, keys: Sequence[StaffId]) -> Statement:
        return Statement(
            f"select {STAFF_COLUMNS} from staff_account where book = $1 and staff_id = any($2)"
            " order by staff_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[StaffId, StaffRow]:
        return record[0], StaffRow(*record)

    def copy(self, row: StaffRow) -> StaffRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[StaffRow], changed: Sequence[StaffRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into staff_account (book, {STAFF_COLUMNS}) select $1, u.* from"
                " unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u".encode(),
                (book, *_staff_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update staff_account as s set branch = u.b, roles = u.r, state = u.s,"
                b" enrolment = u.e, enrol_until_us = u.t, changed_at_us = u.h"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                b" as u (i, l, p, b, r, s, e, t, c, h)"
                b" where s.book = $1 and s.staff_id = u.i",
                (book, *_staff_columns(changed)),
            )


def _staff_columns(given: Sequence[StaffRow]) -> tuple[object, ...]:
    # Sorted, so that two writers that insert the same logins meet in one order.
    rows = sorted(given, key=lambda row: row.login)
    return (
        UuidArray([row.staff_id for row in rows]),
        TextArray([row.login for row in rows]),
        TextArray([row.person for row in rows]),
        TextArray([row.branch for row in rows]),
        Int2Array([row.roles for row in rows]),
        Int2Array([row.state for row in rows]),
        ByteaArray([row.enrolment for row in rows]),
        Int8Array([row.enrol_until_us for row in rows]),
        Int8Array([row.created_at_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
    )


class _SignInFamily(RowFamily[VerificationId, SignInRow]):
    name = "staff_sign_in"
    stage = STAGE_POINTER
    rank = 86

    def load(self, book: int, keys: Sequence[VerificationId]) -> Statement:
        return Statement(
            f"select {SIGN_IN_COLUMNS} from staff_sign_in where book = $1"
            " and sign_in_id = any($2) order by sign_in_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[VerificationId, SignInRow]:
        return record[0], SignInRow(*record)

    def copy(self, row: SignInRow) -> SignInRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SignInRow], changed: Sequence[SignInRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into staff_sign_in (book, {SIGN_IN_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u".encode(),
                (
                    book,
                    UuidArray([row.sign_in_id for row in inserted]),
                    UuidArray([row.staff_id for row in inserted]),
                    ByteaArray([row.nonce for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.expires_at_us for row in inserted]),
                    BoolArray([row.used for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update staff_sign_in as s set used = u.u from unnest($2, $3) as u (i, u)"
                b" where s.book = $1 and s.sign_in_id = u.i",
                (
                    book,
                    UuidArray([row.sign_in_id for row in changed]),
                    BoolArray([row.used for row in changed]),
                ),
            )


class _OpenSessionsFamily(PointerFamily[StaffId, tuple[SessionId, ...]]):
    """Which sessions of an account have not ended; read under the lock of the account's row."""

    name = "staff_session by account"
    stage = STAGE_LINK
    rank = 87

    def load(self, book: int, keys: Sequence[StaffId]) -> Statement:
        return Statement(
            b"select staff_id, string_agg(uuid_send(session_id), ''::bytea order by session_id)"
            b" from staff_session where book = $1 and staff_id = any($2)"
            b" and ended_at_us is null group by staff_id",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[StaffId, tuple[SessionId, ...]]:
        joined: bytes = record[1]
        return record[0], tuple(
            SessionId(joined[at : at + _ID_BYTES]) for at in range(0, len(joined), _ID_BYTES)
        )


class _SessionFamily(RowFamily[SessionId, SessionRow]):
    name = "staff_session"
    stage = STAGE_ACCOUNT
    rank = 88

    def load(self, book: int, keys: Sequence[SessionId]) -> Statement:
        return Statement(
            f"select {SESSION_COLUMNS} from staff_session where book = $1"
            " and session_id = any($2) order by session_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SessionId, SessionRow]:
        return record[0], SessionRow(*record)

    def copy(self, row: SessionRow) -> SessionRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SessionRow], changed: Sequence[SessionRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into staff_session (book, {SESSION_COLUMNS}) select $1, u.* from"
                " unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u".encode(),
                (
                    book,
                    UuidArray([row.session_id for row in inserted]),
                    UuidArray([row.staff_id for row in inserted]),
                    UuidArray([row.device_id for row in inserted]),
                    TextArray([row.thumbprint for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.seen_at_us for row in inserted]),
                    Int8Array([row.ends_at_us for row in inserted]),
                    Int8Array([row.ended_at_us for row in inserted]),
                    Int2Array([row.end_cause for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update staff_session as s set ended_at_us = u.e, end_cause = u.c"
                b" from unnest($2, $3, $4) as u (i, e, c)"
                b" where s.book = $1 and s.session_id = u.i",
                (
                    book,
                    UuidArray([row.session_id for row in changed]),
                    Int8Array([row.ended_at_us for row in changed]),
                    Int2Array([row.end_cause for row in changed]),
                ),
            )


class _CustomerBranchFamily(RowFamily[CustomerId, CustomerBranch]):
    name = "customer_branch"
    stage = STAGE_POINTER
    rank = 96

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, branch, changed_at_us from customer_branch where book = $1"
            b" and customer_id = any($2) order by customer_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, CustomerBranch]:
        return record[0], CustomerBranch(*record)

    def copy(self, row: CustomerBranch) -> CustomerBranch:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CustomerBranch], changed: Sequence[CustomerBranch]
    ) -> Iterable[Statement]:
        rows = sorted([*inserted, *changed], key=lambda row: row.customer_id)
        # One statement for both, so that two writers that meet at a new customer take turns.
        yield Statement(
            b"insert into customer_branch (book, customer_id, branch, changed_at_us)"
            b" select $1, u.* from unnest($2, $3, $4) as u"
            b" on conflict (book, customer_id) do update"
            b" set branch = excluded.branch, changed_at_us = excluded.changed_at_us",
            (
                book,
                UuidArray([row.customer_id for row in rows]),
                TextArray([row.branch for row in rows]),
                Int8Array([row.changed_at_us for row in rows]),
            ),
        )


LOGIN = _LoginFamily()
CUSTOMER_BRANCH = _CustomerBranchFamily()
ADMINS = _AdminsFamily()
STAFF_ROWS = _StaffFamily()
SIGN_IN = _SignInFamily()
OPEN_STAFF_SESSIONS = _OpenSessionsFamily()
STAFF_SESSION = _SessionFamily()
