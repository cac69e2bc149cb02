"""How a batch's events and its journal block are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.family import Statement
from longmen_server.platform.adapters import ByteaArray, Int2Array, Int8Array, UuidArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.engine.journal import Block, Event

_PLAIN = (
    b"insert into event (sequence, booked_at_us, book, writer, type, ordinal, subject)"
    b" select $1::bigint + u.n - 1, u.a, $2, $3, u.b, u.c, u.d"
    b" from unnest($4, $5, $6, $7) with ordinality as u(a, b, c, d, n)"
)
_WITH_PAYLOAD = (
    b"insert into event (sequence, booked_at_us, book, writer, type, ordinal, subject, payload)"
    b" select $1::bigint + u.n - 1, u.a, $2, $3, u.b, u.c, u.d, u.e"
    b" from unnest($4, $5, $6, $7, $8) with ordinality as u(a, b, c, d, e, n)"
)


def event_statement(book: int, writer: int, first: int, events: Sequence[Event]) -> Statement:
    """Return the statement that writes events numbered from ``first``."""
    columns: tuple[object, ...] = (
        Int8Array([event.booked_at_us for event in events]),
        Int2Array([event.type for event in events]),
        Int2Array([event.ordinal for event in events]),
        UuidArray([event.subject for event in events]),
    )
    if all(event.payload is None for event in events):
        return Statement(_PLAIN, (first, book, writer, *columns))
    payloads = ByteaArray([event.payload for event in events])
    return Statement(_WITH_PAYLOAD, (first, book, writer, *columns, payloads))


def block_statement(book: int, block: Block) -> Statement:
    """Return the statement that writes a block; its key keeps the chain from forking."""
    return Statement(
        b"insert into journal_block (number, first_sequence, booked_at_us, record_count, book,"
        b" writer, previous_hash, root, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (
            block.number,
            block.first_sequence,
            block.booked_at_us,
            block.record_count,
            book,
            block.writer,
            block.previous_hash,
            block.root,
            block.hash,
        ),
    )
