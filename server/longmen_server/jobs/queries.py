"""Leases of jobs, and housekeeping that no command does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.adapters import Int2Array, Uuid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection

__all__ = [
    "Lease",
    "first_request_us",
    "forget_replies",
    "look_at_leases",
    "release_leases",
    "save_progress",
    "take_lease",
]

_LOOK: Final = b"select job, holder = $2, expires_at_us, progress from job_lease where book = $1"
_TAKE: Final = (
    b"insert into job_lease as l (book, job, holder, expires_at_us, progress)"
    b" values ($1, $2, $3, $5, 0) on conflict (book, job) do update"
    b" set holder = excluded.holder, expires_at_us = excluded.expires_at_us"
    b" where l.holder = excluded.holder or l.expires_at_us <= $4"
    b" returning progress"
)
_SAVE: Final = b"update job_lease set progress = $4 where book = $1 and job = $2 and holder = $3"
_RELEASE: Final = b"update job_lease set expires_at_us = 0 where book = any($1) and holder = $2"
_FIRST_REQUEST: Final = b"select min(booked_at_us) from request_record where book = $1"
_FORGET: Final = (
    b"with old as materialized (select request_key from request_record"
    b" where book = $1 and booked_at_us >= $2 and booked_at_us < $3 and reply is not null limit $4)"
    b" update request_record as r set reply = null from old"
    b" where r.book = $1 and r.request_key = old.request_key"
)


class Lease(NamedTuple):
    """What is known of the lease of a job of a book."""

    own: bool
    """Whether it is the holder's who looks."""
    expires_at_us: int
    progress: int
    """How far the job has come, in its own measure."""


async def look_at_leases(
    connection: Connection, books: Sequence[int], holder: bytes
) -> dict[tuple[int, str], Lease]:
    """Return the leases of all jobs of some books, by book and job.

    One statement for a book and a whole round, and most processes have one book: most rounds find
    nothing due, and a process without leases has nothing else to ask.
    """
    found: dict[tuple[int, str], Lease] = {}
    for book in books:
        cursor = await connection.execute(_LOOK, (book, Uuid(holder)))
        found.update({(book, job): Lease(*rest) for job, *rest in await cursor.fetchall()})
    return found


async def take_lease(
    connection: Connection, book: int, job: str, holder: bytes, *, now_us: int, lease_us: int
) -> int | None:
    """Take a job's lease, or renew it, and return the job's progress; None when another holds it.

    A lease is renewed by whoever has it once half of it is over, so that most rounds write nothing.
    """
    parameters = (book, job, Uuid(holder), now_us, now_us + lease_us)
    cursor = await connection.execute(_TAKE, parameters)
    taken = await cursor.fetchone()
    return None if taken is None else int(taken[0])


async def release_leases(connection: Connection, books: Sequence[int], holder: bytes) -> None:
    """Give up all leases of a holder, so that another process need not wait for their end."""
    await connection.execute(_RELEASE, (Int2Array(books), Uuid(holder)))


async def save_progress(
    connection: Connection, book: int, job: str, holder: bytes, progress: int
) -> None:
    """Remember how far a job has come, if the lease is still the holder's."""
    await connection.execute(_SAVE, (book, job, Uuid(holder), progress))


async def first_request_us(connection: Connection, book: int) -> int | None:
    """Return when the first request of a book was booked. It reads the whole table: ask once."""
    cursor = await connection.execute(_FIRST_REQUEST, (book,))
    record = await cursor.fetchone()
    return None if record is None else record[0]


async def forget_replies(
    connection: Connection, book: int, *, from_us: int, to_us: int, limit: int
) -> int:
    """Drop up to `limit` replies to requests booked in a span of time; return how many."""
    cursor = await connection.execute(_FORGET, (book, from_us, to_us, limit))
    return cursor.rowcount
