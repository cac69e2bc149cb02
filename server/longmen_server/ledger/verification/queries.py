"""How the SQL of a check is written and run.

A check's SQL returns one row (kind, subject, detail) for each broken invariant, all text, of the
book `$1`. It never returns good rows, so a proven book costs no traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from longmen_server.ledger.verification.report import FINDINGS_LISTED_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.platform.database import Connection


@dataclass(frozen=True, slots=True)
class Check:
    """One statement that finds broken rows."""

    name: str
    """What an operator sees while it runs."""
    sql: str
    """Rows of kind, subject and detail."""


@dataclass(frozen=True, slots=True)
class Found:
    """One broken row."""

    kind: str
    subject: str
    detail: str
    count: int
    """Broken rows of the kind, listed or not."""


_LISTED: Final = f"""
    with found (kind, subject, detail) as ({{}}),
    numbered as (
        select kind, subject, detail,
            row_number() over (partition by kind order by subject, detail) as n,
            count(*) over (partition by kind) as total
        from found
    )
    select kind, subject, detail, total from numbered
    where n <= {FINDINGS_LISTED_MAX} order by kind, n
"""


async def run_check(connection: Connection, check: Check, book: int, *more: object) -> list[Found]:
    """Run a check in the connection's snapshot and return what is broken, bounded per kind."""
    cursor = await connection.execute(_LISTED.format(check.sql).encode(), (book, *more))
    return [Found(*row) for row in await cursor.fetchall()]


def account_text(column: str) -> str:
    """SQL of an account's id as callers write it."""
    return f"'acct_' || replace({column}::text, '-', '')"


def customer_text(column: str) -> str:
    """SQL of a customer's id as callers write it."""
    return f"'cust_' || replace({column}::text, '-', '')"


def transaction_text(column: str) -> str:
    """SQL of a transaction's id as callers write it."""
    return f"'txn_' || replace({column}::text, '-', '')"


def posting_text(transaction: str, ordinal: str) -> str:
    """SQL of a posting's address as callers write it."""
    return (
        f"{transaction_text(transaction)} ||"
        f" case when {ordinal} = 0 then '' else '.' || {ordinal} end"
    )


def numbers(values: Iterable[int]) -> str:
    """SQL of a list of whole numbers."""
    return ", ".join(str(int(value)) for value in sorted(values))


_SETTINGS: Final = (
    # Sorts of a million entries stay in memory; a server's usual setting is for small reads.
    b"set local work_mem = '256MB'",
    b"set local jit = off",
    # One connection may be done long before the other.
    b"set local idle_in_transaction_session_timeout = 0",
)

_COUNT: Final = b"""
    select (select count(*) from ledger_account where book = $1),
        (select count(*) from ledger_posting where book = $1),
        (select count(*) from journal_block where book = $1),
        (select count(*) from event where book = $1),
        (select count(*) from request_record where book = $1)
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows in the snapshot."""

    accounts: int
    postings: int
    blocks: int
    events: int
    requests: int


async def begin(connection: Connection) -> str:
    """Take the snapshot of a verification and return its name, for other connections to join."""
    for setting in _SETTINGS:
        await connection.execute(setting)
    cursor = await connection.execute(b"select pg_export_snapshot()")
    row = await cursor.fetchone()
    assert row is not None, "a snapshot has a name"
    return str(row[0])


async def join(connection: Connection, snapshot: str) -> None:
    """Let a connection see the same snapshot as another."""
    await connection.execute(f"set transaction snapshot '{snapshot}'".encode())
    for setting in _SETTINGS:
        await connection.execute(setting)


async def count_rows(connection: Connection, book: int) -> Counts:
    """Count what there is to verify."""
    cursor = await connection.execute(_COUNT, (book,))
    row = await cursor.fetchone()
    assert row is not None, "counts are always there"
    return Counts(*row)


async def fetch(connection: Connection, cursor: str, count: int) -> list[tuple[Any, ...]]:
    """Return the next rows of a server-side cursor; none when it has ended."""
    fetched = await connection.execute(f"fetch {count} from {cursor}".encode(), prepare=False)
    return await fetched.fetchall()
