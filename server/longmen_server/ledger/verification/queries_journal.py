"""What the walk along the journals reads: blocks, accounts, and every record in canonical form.

The database puts each record together byte by byte; engine/journal.py and ledger/canonical.py say
how, and the chain would not hold if the two differed. Records come in stretches of booked time,
which the tables are stored in, so that a stretch is joined and sorted in little memory and a book
of any size costs the same for each posting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.engine import journal
from longmen_server.engine.journal import Block
from longmen_server.ledger import canonical
from longmen_server.ledger.posting import EVENT_TYPES
from longmen_server.ledger.verification.queries import fetch, numbers

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

_BLOCKS_PER_FETCH: Final = 2000
_ACCOUNTS_PER_FETCH: Final = 2000

_NO_ID: Final = r"'\x00000000000000000000000000000000'::bytea"
_NOTHING_HELD: Final = _NO_ID
_NO_LINKS_OR_TEXTS: Final = rf"'\x{bytes(16 + 2 + 16 + 4).hex()}'::bytea"

_HEADER: Final = f"""
    '\\x00'::bytea
    || int4send(({journal.VERSION} << 24) | (e.type::integer << 16) | e.book) || int2send(e.writer)
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
    || case when p.debit_held_after is null and p.credit_held_after is null then {_NOTHING_HELD}
        else int8send(coalesce(p.debit_held_after, 0))
            || int8send(coalesce(p.credit_held_after, 0)) end
    || int8send(coalesce(p.effective_at_us, p.booked_at_us))
    || case when p.pending_transaction_id is null and p.pending_ordinal is null
            and p.reverses_transaction_id is null and p.reference is null
            and p.description is null then {_NO_LINKS_OR_TEXTS}
        else coalesce(uuid_send(p.pending_transaction_id), {_NO_ID})
            || int2send(coalesce(p.pending_ordinal, 0::smallint))
            || coalesce(uuid_send(p.reverses_transaction_id), {_NO_ID})
            || {_text("p.reference")} || {_text("p.description")} end
"""

# One row for each event, with its posting's form behind its own header where it has a posting, and
# one without a leaf for each posting that has no event of its time.
_LEAVES: Final = f"""
    select {_HEADER}
        || case when p.book is null then coalesce(e.payload, ''::bytea) else {_BODY} end
    from (
        select *, case when type in ({numbers(EVENT_TYPES.values())}) then subject end as about
        from event where book = $1 and booked_at_us > $2 and booked_at_us <= $3
    ) as e
    full join (
        select * from ledger_posting
        where book = $1 and booked_at_us > $2 and booked_at_us <= $3
    ) as p on p.transaction_id = e.about and p.ordinal = e.ordinal
        and p.booked_at_us = e.booked_at_us
    order by e.booked_at_us, e.sequence
""".encode()

_CHAIN: Final = b"""
    declare chain no scroll cursor for
    select number, first_sequence, booked_at_us, record_count, writer, previous_hash, root, hash
    from journal_block where book = $1 order by writer, number
"""
_BLOCKS_IN_TIME: Final = b"""
    declare blocks no scroll cursor for
    select number, first_sequence, booked_at_us, record_count, writer, previous_hash, root, hash
    from journal_block where book = $1 order by booked_at_us, writer, number
"""
_ACCOUNTS: Final = b"""
    declare accounts no scroll cursor for
    select account_id, account_type, convert_to(currency_code, 'UTF8'), version, booked_at_us,
        created_at_us, debits_posted, credits_posted, debits_pending, credits_pending
    from ledger_account where book = $1
"""


async def open_chain(connection: Connection, book: int) -> None:
    """Open the stream of blocks by writer and number."""
    await connection.execute(_CHAIN, (book,))


async def next_of_chain(connection: Connection) -> list[Block]:
    """Return the next blocks of the stream; none at the end."""
    return [Block(*row) for row in await fetch(connection, "chain", _BLOCKS_PER_FETCH)]


async def open_blocks(connection: Connection, book: int) -> None:
    """Open the stream of blocks by time, and let stretches of time be read by their index."""
    await connection.execute(_BLOCKS_IN_TIME, (book,))
    await connection.execute(b"set local enable_seqscan = off")
    await connection.execute(b"set local plan_cache_mode = force_custom_plan")
    # One process keeps ahead of whoever hashes; two would take twice its time to spare a little.
    await connection.execute(b"set local max_parallel_workers_per_gather = 0")


async def next_blocks(connection: Connection) -> list[Block]:
    """Return the next blocks of the stream; none at the end."""
    return [Block(*row) for row in await fetch(connection, "blocks", _BLOCKS_PER_FETCH)]


async def close_blocks(connection: Connection) -> None:
    """Let the planner choose again."""
    for setting in ("enable_seqscan", "plan_cache_mode", "max_parallel_workers_per_gather"):
        await connection.execute(f"set local {setting} to default".encode())


async def leaves_between(
    connection: Connection, book: int, after_us: int, until_us: int
) -> list[tuple[bytes | None]]:
    """Return the leaves of a stretch of booked time in its order; None for an eventless posting."""
    cursor = await connection.execute(_LEAVES, (book, after_us, until_us))
    return await cursor.fetchall()


async def open_accounts(connection: Connection, book: int) -> None:
    """Open the stream of accounts, in no order."""
    await connection.execute(_ACCOUNTS, (book,))


async def next_accounts(connection: Connection) -> list[tuple[Any, ...]]:
    """Return the next accounts: id, type, currency, version, times, four counters."""
    return await fetch(connection, "accounts", _ACCOUNTS_PER_FETCH)
