"""Reading the audit trail from the journals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.audit.encode import StoredBatch
from longmen_server.audit.witness import AUDITED
from longmen_server.ledger.queries.journal import WRITERS
from longmen_server.platform.adapters import Int2Array, Int8Array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.platform.database import Connection

__all__ = [
    "Head",
    "Place",
    "batches_by_time",
    "batches_of_journals",
    "hashes_of",
    "heads",
]

_BLOCK: Final = """
    cross join lateral (
        select b.first_sequence from journal_block as b
        where b.book = $1 and b.writer = e.writer and b.first_sequence <= e.sequence
        order by b.first_sequence desc limit 1
    ) as b
"""

# The type stands in the text and not in a parameter, so that the partial index is used.
_BY_TIME: Final = f"""
select e.writer, e.sequence, e.booked_at_us, b.first_sequence, e.payload
from (
    select writer, sequence, booked_at_us, payload from event
    where book = $1 and type = {AUDITED}
        and (booked_at_us, writer, sequence) >= ($2, $3, $4) and booked_at_us < $5
    order by booked_at_us, writer, sequence limit $6
) as e
{_BLOCK}
order by e.booked_at_us, e.writer, e.sequence
""".encode()

_OF_JOURNALS: Final = f"""
with recursive {WRITERS}
select e.writer, e.sequence, e.booked_at_us, b.first_sequence, e.payload
from writers as w
left join unnest($2::smallint[], $3::bigint[]) as c (writer, sequence) on c.writer = w.writer
cross join lateral (
    select * from event as a
    where a.book = $1 and a.type = {AUDITED} and a.writer = w.writer
        and a.sequence > coalesce(c.sequence, 0)
    order by a.sequence limit $4
) as e
{_BLOCK}
order by e.writer, e.sequence limit $4
""".encode()

_HEADS: Final = f"""
with recursive {WRITERS}
select b.writer, b.number, b.hash from writers as w
cross join lateral (
    select * from journal_block as b where b.book = $1 and b.writer = w.writer
    order by b.number desc limit 1
) as b
order by b.writer
""".encode()


_HASHES: Final = (
    b"select b.writer, b.number, b.hash from unnest($2::smallint[], $3::bigint[]) as u (w, n)"
    b" join journal_block as b on b.book = $1 and b.writer = u.w and b.number = u.n"
)


class Place(NamedTuple):
    """A batch's place in the order of time."""

    booked_at_us: int
    writer: int
    sequence: int


class Head(NamedTuple):
    """How far a journal has come."""

    writer: int
    number: int
    hash: bytes


async def batches_by_time(
    connection: Connection, book: int, *, start: Place, before_us: int, limit: int
) -> list[StoredBatch]:
    """Return batches from a place on, that place included, in the order of time."""
    cursor = await connection.execute(_BY_TIME, (book, *start, before_us, limit))
    return [StoredBatch(book, *record) for record in await cursor.fetchall()]


async def batches_of_journals(
    connection: Connection, book: int, after: Mapping[int, int], *, limit: int
) -> list[StoredBatch]:
    """Return the next batches, writer by writer, after the last sequence read of each."""
    cursor = await connection.execute(
        _OF_JOURNALS,
        (book, Int2Array(list(after)), Int8Array(list(after.values())), limit),
    )
    return [StoredBatch(book, *record) for record in await cursor.fetchall()]


async def hashes_of(
    connection: Connection, book: int, blocks: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """Return the hashes of blocks, named by writer and number; those that are not there lack."""
    cursor = await connection.execute(
        _HASHES,
        (
            book,
            Int2Array([writer for writer, _ in blocks]),
            Int8Array([number for _, number in blocks]),
        ),
    )
    return {(writer, number): hash_ for writer, number, hash_ in await cursor.fetchall()}


async def heads(connection: Connection, book: int) -> list[Head]:
    """Return how far every journal of a book has come."""
    cursor = await connection.execute(_HEADS, (book,))
    return [Head(*record) for record in await cursor.fetchall()]
