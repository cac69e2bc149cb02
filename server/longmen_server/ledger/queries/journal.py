"""The journal: blocks and their records, for exports and for proofs."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.engine.journal import Block
from longmen_server.ledger.queries.leaf import IS_POSTING_EVENT, LEAF
from longmen_server.ledger.queries.rows import POSTING_COLUMNS, posting_row
from longmen_server.platform.adapters import Int2Array, Int8Array, Uuid
from longmen_server.platform.ids import encode_posting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from longmen_server.ledger.model import PostingRow
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import TransactionId

__all__ = ["FullBlock", "MissingRecordError", "Record", "block_of_posting", "next_blocks"]

RECORDS_PER_PAGE: Final = 5_000
"""Records read at a time; a page ends with the block that reaches it."""

BLOCKS_PER_PAGE: Final = 200
"""Blocks of one writer looked at for a page."""

_BLOCK_COLUMNS: Final = ", ".join(f"b.{name}" for name in Block._fields)

WRITERS: Final = """
    writers (writer) as (
        (select writer from event where book = $1 order by writer limit 1)
        union all
        select (select e.writer from event as e where e.book = $1 and e.writer > w.writer
            order by e.writer limit 1)
        from writers as w where w.writer is not null
    )"""
"""A recursive query of the writers of book $1, by stepping from one to the next in the index."""

_NEXT_BLOCKS: Final = f"""
with recursive {WRITERS}
select {_BLOCK_COLUMNS} from writers as w
left join unnest($2::smallint[], $3::bigint[]) as c (writer, number) on c.writer = w.writer
cross join lateral (
    select * from journal_block as b
    where b.book = $1 and b.writer = w.writer and b.number > coalesce(c.number, 0)
    order by b.number limit {BLOCKS_PER_PAGE}
) as b
order by b.writer, b.number
""".encode()

# The limits keep the plan from ever reading more of the tables than the blocks have.
_RECORDS: Final = f"""
select e.writer, e.sequence, {LEAF}, {POSTING_COLUMNS}
from unnest($2::smallint[], $3::bigint[], $4::bigint[]) with ordinality
    as u (writer, first, last, n)
cross join lateral (
    select * from event as e
    where e.book = $1 and e.writer = u.writer and e.sequence between u.first and u.last
    order by e.sequence limit u.last - u.first + 1
) as e
left join lateral (
    select * from ledger_posting as p where p.book = $1 and p.transaction_id = e.subject
        and p.ordinal = e.ordinal and {IS_POSTING_EVENT} limit 1
) as p on true
order by u.n, e.sequence
""".encode()

_BOOKED_AT: Final = (
    b"select booked_at_us from ledger_posting"
    b" where book = $1 and transaction_id = $2 and ordinal = $3"
)

# Booked time grows with the sequence of every writer, so its event is found by halving, without an
# index of its own that every posting would pay for.
_EVENT_OF_POSTING: Final = f"""
with recursive {WRITERS},
search (writer, low, high) as (
    select w.writer, f.sequence, l.sequence from writers as w
    cross join lateral (select sequence from event as e where e.book = $1 and e.writer = w.writer
        order by e.sequence limit 1) as f
    cross join lateral (select sequence from event as e where e.book = $1 and e.writer = w.writer
        order by e.sequence desc limit 1) as l
    union all
    select s.writer, case when e.booked_at_us <= $2 then s.middle else s.low end,
        case when e.booked_at_us <= $2 then s.high else s.middle - 1 end
    from (select *, (low + high + 1) / 2 as middle from search where low < high) as s
    cross join lateral (select booked_at_us from event as e
        where e.book = $1 and e.writer = s.writer and e.sequence = s.middle limit 1) as e
)
select s.writer, s.low from search as s
cross join lateral (select * from event as e
    where e.book = $1 and e.writer = s.writer and e.sequence = s.low limit 1) as e
where s.low = s.high and e.booked_at_us = $2 and e.subject = $3 and e.ordinal = $4
    and {IS_POSTING_EVENT}
""".encode()

_BLOCK_OF_EVENT: Final = (
    f"select {_BLOCK_COLUMNS} from journal_block as b"
    " where b.book = $1 and b.writer = $2 and b.first_sequence <= $3"
    " order by b.first_sequence desc limit 1"
).encode()


class MissingRecordError(RuntimeError):
    """A posting has no record in the journal: the book is damaged; `longmen verify` says where."""

    def __init__(self, transaction_id: TransactionId, ordinal: int) -> None:
        super().__init__(f"the journal has no record of {encode_posting(transaction_id, ordinal)}")


class Record(NamedTuple):
    """One record of a block."""

    sequence: int
    leaf: bytes | None
    """Canonical form; None when the record stands for a posting that is missing."""
    posting: PostingRow | None


@dataclass(frozen=True, slots=True)
class FullBlock:
    """A block with its records, in the order of their sequence numbers."""

    block: Block
    records: Sequence[Record]


async def next_blocks(
    connection: Connection, book: int, after: Mapping[int, int]
) -> list[FullBlock]:
    """Return the next blocks of a book, in the order in which they were booked.

    Each writer's blocks come in the order of its chain, whatever their times say, so that the
    numbers reached are a complete account of what was read. The connection is on one snapshot.

    Args:
        connection: where to read.
        book: whose journal.
        after: the last block number read before, by writer.
    """
    cursor = await connection.execute(
        _NEXT_BLOCKS, (book, Int2Array(list(after)), Int8Array(list(after.values())))
    )
    blocks = [Block(*record) for record in await cursor.fetchall()]
    chains = [list(chain) for _, chain in groupby(blocks, key=lambda block: block.writer)]
    page: list[Block] = []
    count = 0
    for block in merge(*chains, key=lambda block: (block.booked_at_us, block.writer)):
        page.append(block)
        count += block.record_count
        if count >= RECORDS_PER_PAGE:
            break
    return await _with_records(connection, book, page)


async def block_of_posting(
    connection: Connection, book: int, transaction_id: TransactionId, ordinal: int
) -> tuple[FullBlock, int] | None:
    """Return the block that has a posting's record, and the record's place in it.

    None when there is no such posting. The connection is on one snapshot.

    Raises:
        MissingRecordError: the journal has no record of the posting.
    """
    key = (Uuid(transaction_id), ordinal)
    cursor = await connection.execute(_BOOKED_AT, (book, *key))
    posting = await cursor.fetchone()
    if posting is None:
        return None
    cursor = await connection.execute(_EVENT_OF_POSTING, (book, posting[0], *key))
    event = await cursor.fetchone()
    if event is None:
        raise MissingRecordError(transaction_id, ordinal)
    writer, sequence = event
    cursor = await connection.execute(_BLOCK_OF_EVENT, (book, writer, sequence))
    record = await cursor.fetchone()
    if record is None:
        raise MissingRecordError(transaction_id, ordinal)
    block = Block(*record)
    (full,) = await _with_records(connection, book, [block])
    return full, sequence - block.first_sequence


async def _with_records(
    connection: Connection, book: int, blocks: Sequence[Block]
) -> list[FullBlock]:
    """Return blocks with their records, in the order given."""
    if not blocks:
        return []
    cursor = await connection.execute(
        _RECORDS,
        (
            book,
            Int2Array([block.writer for block in blocks]),
            Int8Array([block.first_sequence for block in blocks]),
            Int8Array([block.first_sequence + block.record_count - 1 for block in blocks]),
        ),
    )
    records: dict[tuple[int, int], Record] = {}
    for writer, sequence, leaf, *posting in await cursor.fetchall():
        row = None if posting[0] is None else posting_row(posting)
        records[writer, sequence] = Record(sequence, leaf, row)
    return [FullBlock(block, _records_of(block, records)) for block in blocks]


def _records_of(block: Block, records: Mapping[tuple[int, int], Record]) -> list[Record]:
    """Return a block's records; those that are missing are left out."""
    last = block.first_sequence + block.record_count
    wanted: Iterable[Any] = (
        records.get((block.writer, sequence)) for sequence in range(block.first_sequence, last)
    )
    return [record for record in wanted if record is not None]
