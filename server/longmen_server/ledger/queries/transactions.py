"""Transactions: by id, by many ids, and lists in the order of booked time and id.

There is no index in the order of the lists, because every posting would pay for it. Booked time
grows with the place of a posting in the table, so a block-range index finds any short span of time;
a list walks span after span, each wider than the last while they turn out to hold little, until its
page is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen.ledger.v1 import ledger_service_pb2, transaction_pb2
from longmen_server.ledger import encode
from longmen_server.ledger.queries.rows import (
    HOLD_JOIN,
    POSTING_WITH_HOLD,
    posting_message,
)
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import TransactionId

__all__ = [
    "Position",
    "TransactionFilter",
    "find_transactions",
    "list_transactions",
    "look_up",
]

POSTINGS_PER_PAGE_MAX: Final = 3_000
"""Postings in one page of transactions, whatever its size: about 1 MB of reply, and with the
longest texts still within the 4 MiB that gRPC clients take unless told otherwise."""

FIRST_SPAN_US: Final = 50_000
"""Width of the first span of time looked at: of a busy book it holds a page or two."""

SPAN_GROWTH: Final = 8
"""How much wider the next span is when one held less than an eighth of the page."""

_LOOKUP = ledger_service_pb2.TransferLookup

_POSTINGS: Final = (
    f"select {POSTING_WITH_HOLD}, r.reversal_transaction_id"
    " from unnest($2::uuid[]) with ordinality as u (transaction_id, n)"
    " join ledger_posting as p on p.book = $1 and p.transaction_id = u.transaction_id"
    f" {HOLD_JOIN}"
    " left join ledger_reversal as r on r.book = $1 and r.transaction_id = p.transaction_id"
    " order by u.n, p.ordinal limit $3"
).encode()

_REFUSALS: Final = (
    b"select transaction_id, reason from ledger_refusal"
    b" where book = $1 and transaction_id = any($2)"
)

# The first and the last booked time of a book, by walking from writer to writer.
_BOUNDS: Final = b"""
with recursive writers (writer) as (
    (select writer from event where book = $1 order by writer limit 1)
    union all
    select (select e.writer from event as e where e.book = $1 and e.writer > w.writer
        order by e.writer limit 1)
    from writers as w where w.writer is not null
)
select min(f.booked_at_us), max(l.booked_at_us) from writers as w
cross join lateral (select booked_at_us from event where book = $1 and writer = w.writer
    order by sequence limit 1) as f
cross join lateral (select booked_at_us from event where book = $1 and writer = w.writer
    order by sequence desc limit 1) as l
"""


def _span_statement(comparison: str, order: str) -> bytes:
    """Return the query for the first postings of a span of time, beyond a position."""
    return (
        "select p.booked_at_us, p.transaction_id from ledger_posting as p"
        " where p.book = $1 and p.booked_at_us >= $2 and p.booked_at_us < $3 and p.ordinal = 0"
        f" and (p.booked_at_us, p.transaction_id) {comparison} ($4, $5)"
        " and ($6::int2 is null or p.code = $6)"
        f" order by p.booked_at_us {order}, p.transaction_id {order} limit $7"
    ).encode()


def _reference_statement(comparison: str, order: str) -> bytes:
    """As the span's, for the few postings of one reference, which have an index."""
    return (
        "with p as materialized ("
        " select booked_at_us, transaction_id, ordinal, code from ledger_posting"
        " where book = $1 and reference = $8)"
        " select p.booked_at_us, p.transaction_id from p"
        " where p.booked_at_us >= $2 and p.booked_at_us < $3 and p.ordinal = 0"
        f" and (p.booked_at_us, p.transaction_id) {comparison} ($4, $5)"
        " and ($6::int2 is null or p.code = $6)"
        f" order by p.booked_at_us {order}, p.transaction_id {order} limit $7"
    ).encode()


_OLDEST_FIRST: Final = (_span_statement(">", "asc"), _reference_statement(">", "asc"))
_NEWEST_FIRST: Final = (_span_statement("<", "desc"), _reference_statement("<", "desc"))


class Position(NamedTuple):
    """Where a transaction stands in the order of lists."""

    booked_at_us: int
    transaction_id: TransactionId


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFilter:
    """Which transactions of a book to list; nothing given keeps all."""

    from_us: int | None = None
    """Booked at or after, in microseconds."""
    to_us: int | None = None
    """Booked before, in microseconds."""
    code: int | None = None
    reference: str = ""
    """Empty keeps all."""


async def find_transactions(
    connection: Connection, book: int, transaction_ids: Sequence[TransactionId]
) -> dict[TransactionId, transaction_pb2.Transaction]:
    """Return those transactions that exist, each with all its postings."""
    return dict(await _load(connection, book, transaction_ids, postings_max=None))


async def look_up(
    connection: Connection, book: int, transaction_ids: Sequence[TransactionId]
) -> dict[TransactionId, ledger_service_pb2.TransferLookup]:
    """Return what became of each id of one book; the connection is on one snapshot."""
    found = await find_transactions(connection, book, transaction_ids)
    cursor = await connection.execute(_REFUSALS, (book, UuidArray(transaction_ids)))
    refused: dict[TransactionId, str] = dict(await cursor.fetchall())
    return {each: _lookup(each, found.get(each), refused.get(each)) for each in transaction_ids}


def _lookup(
    transaction_id: TransactionId,
    transaction: transaction_pb2.Transaction | None,
    reason: str | None,
) -> ledger_service_pb2.TransferLookup:
    lookup = _LOOKUP(transaction_id=TRANSACTION.encode(transaction_id))
    if transaction is not None:
        lookup.state = _LOOKUP.STATE_CREATED
        lookup.transaction.CopyFrom(transaction)
    elif reason is not None:
        lookup.state = _LOOKUP.STATE_REFUSED
        lookup.refusal_reason = reason
    else:
        lookup.state = _LOOKUP.STATE_NEVER_SEEN
    return lookup


async def list_transactions(
    connection: Connection,
    book: int,
    wanted: TransactionFilter,
    *,
    after: Position | None,
    newest_first: bool,
    limit: int,
) -> tuple[list[transaction_pb2.Transaction], Position | None]:
    """Return a page of transactions, and its last position if there are more after it.

    The connection is on one snapshot. A page has at most `limit` transactions, and fewer when they
    have more than POSTINGS_PER_PAGE_MAX postings together.
    """
    positions = await _positions(
        connection, book, wanted, after=after, newest_first=newest_first, limit=limit + 1
    )
    page = positions[:limit]
    found = await _load(
        connection, book, [each.transaction_id for each in page], postings_max=POSTINGS_PER_PAGE_MAX
    )
    more = len(found) < len(positions)
    return [message for _, message in found], page[len(found) - 1] if more else None


async def _positions(
    connection: Connection,
    book: int,
    wanted: TransactionFilter,
    *,
    after: Position | None,
    newest_first: bool,
    limit: int,
) -> list[Position]:
    """Return the next positions of a list, at most `limit`."""
    low, high = await _bounds(connection, book, wanted)
    by_span, by_reference = _NEWEST_FIRST if newest_first else _OLDEST_FIRST
    if after is None:
        after = Position(high, b"") if newest_first else Position(low - 1, b"")  # type: ignore[arg-type]
    elif newest_first:
        high = min(high, after.booked_at_us + 1)
    else:
        low = max(low, after.booked_at_us)
    edge = (after.booked_at_us, Uuid(after.transaction_id or bytes(16)), wanted.code)
    if wanted.reference:
        parameters = (book, low, high, *edge, limit, wanted.reference)
        cursor = await connection.execute(by_reference, parameters)
        return [Position(*record) for record in await cursor.fetchall()]
    found: list[Position] = []
    span = FIRST_SPAN_US
    while low < high and len(found) < limit:
        first, last = (
            (max(low, high - span), high) if newest_first else (low, min(high, low + span))
        )
        cursor = await connection.execute(by_span, (book, first, last, *edge, limit - len(found)))
        records = await cursor.fetchall()
        found.extend(Position(*record) for record in records)
        low, high = (low, first) if newest_first else (last, high)
        if len(records) * SPAN_GROWTH < limit:
            span *= SPAN_GROWTH
    return found


async def _bounds(connection: Connection, book: int, wanted: TransactionFilter) -> tuple[int, int]:
    """Return the range of booked times to look at, its end excluded; empty for an empty book."""
    cursor = await connection.execute(_BOUNDS, (book,))
    record: tuple[Any, Any] = await cursor.fetchone() or (None, None)
    first, last = record
    if first is None:
        return 0, 0
    low, high = first, last + 1
    if wanted.from_us is not None:
        low = max(low, wanted.from_us)
    if wanted.to_us is not None:
        high = min(high, wanted.to_us)
    return low, high


async def _load(
    connection: Connection,
    book: int,
    transaction_ids: Sequence[TransactionId],
    *,
    postings_max: int | None,
) -> list[tuple[TransactionId, transaction_pb2.Transaction]]:
    """Return the transactions of ids, in their order; of too many postings, the first that fit."""
    limit = None if postings_max is None else postings_max + 1
    cursor = await connection.execute(_POSTINGS, (book, UuidArray(transaction_ids), limit))
    records = await cursor.fetchall()
    found: list[tuple[TransactionId, transaction_pb2.Transaction]] = []
    for transaction_id, group in groupby(records, key=lambda record: record[0]):
        postings = list(group)
        message = encode.transaction(
            [posting_message(record) for record in postings], reversal_id=postings[0][-1]
        )
        found.append((transaction_id, message))
    if len(records) == limit and len(found) > 1:
        # The last one may have been cut off in its middle.
        found.pop()
    return found
