"""Reads of limits, straight from SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.limits.model import (
    AccountFacts,
    CounterKey,
    CounterRow,
    OwnRow,
    Track,
    mask_of,
)
from longmen_server.limits.tables import COUNTERS_SQL, FACTS_SQL, OWN_COLUMNS, OWN_SQL
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import CustomerId, book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId

__all__ = [
    "Standing",
    "TotalRow",
    "find_standing",
    "list_large_values",
    "list_own",
    "list_totals",
]


class Standing(NamedTuple):
    """Everything that decides on the movements of an account."""

    currency_code: str
    owner_id: CustomerId
    facts: AccountFacts
    own: list[OwnRow]
    counters: dict[CounterKey, CounterRow]


class TotalRow(NamedTuple):
    """What a customer's movements of a day came to."""

    day: int
    customer_id: CustomerId
    movement_count: int
    used: int
    reserved: int
    restored: int


_ACCOUNT: Final = (
    b"select currency_code, owner_id from ledger_account where book = $1 and account_id = $2"
)
_OWN: Final = (
    f"select {OWN_COLUMNS} from limit_own where book = $1 and customer_id = $2 order by period"
).encode()

_SUMS: Final = (
    "select day, customer_id, count(*) filter (where used + reserved > 0)::bigint as n,"
    " sum(used)::bigint as used, sum(reserved)::bigint as reserved,"
    " sum(restored)::bigint as restored from limit_entry"
    " where book = $1 and day between $2 and $3 and tracks & $4 <> 0"
    " and (day, customer_id) > ($5, $6) group by day, customer_id"
)
_TOTALS: Final = (
    f"select * from ({_SUMS}) as s where n > 0 order by day, customer_id limit $7"
).encode()
_LARGE: Final = (
    f"select * from ({_SUMS}) as s where used + reserved >= $7 order by day, customer_id limit $8"
).encode()
_LARGE_TRACKS: Final = mask_of(Track.SPEND, Track.WITHDRAWAL)
NO_ID: Final = bytes(16)
"""Sorts before every id."""


async def find_standing(connection: Connection, account_id: AccountId) -> Standing | None:
    """Return what decides on an account's movements; None for what is no wallet's account."""
    book, accounts = book_of(account_id), UuidArray([account_id])
    cursor = await connection.execute(_ACCOUNT, (book, Uuid(account_id)))
    account = await cursor.fetchone()
    facts = await (await connection.execute(FACTS_SQL.encode(), (book, accounts))).fetchone()
    if account is None or facts is None or account[1] is None:
        return None
    own = await connection.execute(OWN_SQL.encode(), (book, accounts))
    own_rows = [OwnRow(*record) for record in await own.fetchall()]
    counters = await connection.execute(COUNTERS_SQL.encode(), (book, accounts))
    rows = [CounterRow(*record) for record in await counters.fetchall()]
    return Standing(
        account[0],
        account[1],
        AccountFacts(*facts),
        own_rows,
        {CounterKey(row.holder_id, row.track): row for row in rows},
    )


async def list_own(connection: Connection, book: int, customer_id: CustomerId) -> list[OwnRow]:
    """Return a customer's own limits, by period."""
    cursor = await connection.execute(_OWN, (book, Uuid(customer_id)))
    return [OwnRow(*record) for record in await cursor.fetchall()]


async def list_totals(
    connection: Connection,
    book: int,
    track: int,
    days: tuple[int, int],
    *,
    after: tuple[int, bytes],
    limit: int,
) -> list[TotalRow]:
    """Return up to `limit` sums of a track by day and customer, after a day and a customer."""
    cursor = await connection.execute(
        _TOTALS, (book, *days, mask_of(track), after[0], Uuid(after[1]), limit)
    )
    return [TotalRow(*record) for record in await cursor.fetchall()]


async def list_large_values(
    connection: Connection, book: int, day: int, threshold: int, *, after: bytes, limit: int
) -> list[TotalRow]:
    """Return up to `limit` customers whose movements of a day reach a threshold, after one."""
    cursor = await connection.execute(
        _LARGE, (book, day, day, _LARGE_TRACKS, day, Uuid(after), threshold, limit)
    )
    return [TotalRow(*record) for record in await cursor.fetchall()]
