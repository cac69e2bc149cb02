"""What the check of the journals reads: blocks, and the hash of every leaf, made in the database.

Hashing in the database spares the journey of every posting to us, which would cost more than the
hashing itself. The forms below are those of engine/journal.py and ledger/canonical.py; a test makes
both hash the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen_server.engine import journal
from longmen_server.engine.journal import Block
from longmen_server.ledger import canonical
from longmen_server.ledger.posting import EVENT_TYPES
from longmen_server.ledger.verification.queries import fetch, numbers

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

_LEAVES_PER_ROW: Final = 1000
"""Leaves that come in one row: fewer rows cost less, and this many are 40 kB."""

_NO_ID: Final = r"'\x00000000000000000000000000000000'::bytea"
_NO_TEXTS: Final = r"'\x00000000'::bytea"

_HEADER: Final = f"""
    int4send(({journal.VERSION} << 24) | (e.type::integer << 16) | e.book) || int2send(e.writer)
    || int8send(e.sequence) || int2send(e.ordinal) || int8send(e.booked_at_us)
    || uuid_send(e.subject)
"""


def _text(column: str) -> str:
    return (
        f"int2send(coalesce(octet_length({column}), 0)::smallint)"
        f" || convert_to(coalesce({column}, ''), 'UTF8')"
    )


_BODY: Final = f"""
    int4send(({canonical.VERSION} << 24) | (p.kind::integer << 16) | p.code)
    || convert_to(p.currency_code, 'UTF8')
    || uuid_send(p.debit_account_id) || uuid_send(p.credit_account_id) || int8send(p.amount)
    || int8send(p.debit_version) || int8send(p.credit_version)
    || int8send(p.debit_posted_after) || int8send(p.credit_posted_after)
    || int8send(coalesce(p.debit_held_after, 0)) || int8send(coalesce(p.credit_held_after, 0))
    || int8send(coalesce(p.effective_at_us, p.booked_at_us))
    || coalesce(uuid_send(p.pending_transaction_id), {_NO_ID})
    || int2send(coalesce(p.pending_ordinal, 0::smallint))
    || coalesce(uuid_send(p.reverses_transaction_id), {_NO_ID})
    || case when p.reference is null and p.description is null then {_NO_TEXTS}
        else {_text("p.reference")} || {_text("p.description")} end
"""

# Each row is a run of leaves of one writer: for each its sequence, its booked time and its hash.
_LEAVES: Final = f"""
    declare leaves no scroll cursor for
    select writer, string_agg(leaf, ''::bytea order by sequence)
    from (
        select e.writer, e.sequence, int8send(e.sequence) || int8send(e.booked_at_us)
            || sha256('\\x00'::bytea || {_HEADER}
                || case when p.book is null then coalesce(e.payload, ''::bytea)
                    else {_BODY} end) as leaf
        from (select * from event where book = $1) as e
        left join (select * from ledger_posting where book = $1) as p
            on e.type in ({numbers(EVENT_TYPES.values())})
                and p.transaction_id = e.subject and p.ordinal = e.ordinal
    ) as hashed
    group by writer, (sequence - 1) / {_LEAVES_PER_ROW}
    order by writer, (sequence - 1) / {_LEAVES_PER_ROW}
"""
_RUNS_PER_FETCH: Final = 4
"""Runs hashed without a pause: some milliseconds, so that a server stays responsive."""
_BLOCKS_PER_FETCH: Final = 500

LEAF_BYTES: Final = 48
"""Sequence (8), booked time (8) and hash (32) of a leaf."""

_BLOCKS: Final = b"""
    declare blocks no scroll cursor for
    select number, first_sequence, booked_at_us, record_count, writer, previous_hash, root, hash
    from journal_block where book = $1 order by writer, number
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Leaves of one writer, one after the other."""

    writer: int
    leaves: bytes
    """For each its sequence, its booked time and its hash: `LEAF_BYTES` together."""


async def open_journal(connection: Connection, book: int) -> None:
    """Open the two streams."""
    await connection.execute(_LEAVES.encode(), (book,))
    await connection.execute(_BLOCKS, (book,))


async def next_runs(connection: Connection) -> list[Run]:
    """Return the next leaves, by writer and sequence; none at the end."""
    return [Run(*row) for row in await fetch(connection, "leaves", _RUNS_PER_FETCH)]


async def next_blocks(connection: Connection) -> list[Block]:
    """Return the next blocks, by writer and number; none at the end."""
    return [Block(*row) for row in await fetch(connection, "blocks", _BLOCKS_PER_FETCH)]
