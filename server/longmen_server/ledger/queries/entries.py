"""An account's history in the order of its versions.

Both sides of an account have an index by version, so a page is two index ranges merged: its cost
depends on the page, not on the account. Booked time grows strictly with the version of an account,
so a bound in time becomes a bound in versions by binary search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from longmen.ledger.v1 import transaction_pb2
from longmen_server.ledger.queries.rows import (
    HOLD_JOIN,
    POSTING_COLUMNS,
    POSTING_WITH_HOLD,
    posting_message,
    posting_row,
)
from longmen_server.platform.adapters import Int8Array, Uuid, UuidArray
from longmen_server.platform.ids import ACCOUNT, book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId

__all__ = [
    "SEARCH",
    "DamagedHistoryError",
    "VersionRange",
    "list_entries",
    "versions_between",
]

NO_VERSION: Final = 2**63 - 1
"""Above every version."""

SEARCH: Final = """
    search (account_id, at_us, low, high) as (
        select a.account_id, t.at_us,
            case when a.booked_at_us <= t.at_us then a.version else 0 end, a.version
        from ledger_account as a cross join unnest($3::bigint[]) as t (at_us)
        where a.book = $1 and a.account_id = any($2)
    union all
        select s.account_id, s.at_us,
            case when e.booked_at_us <= s.at_us then s.middle else s.low end,
            case when e.booked_at_us <= s.at_us then s.high else s.middle - 1 end
        from (select *, (low + high + 1) / 2 as middle from search where low < high) as s
        cross join lateral (
            select p.booked_at_us from ledger_posting as p
            where p.book = $1 and p.debit_account_id = s.account_id and p.debit_version = s.middle
            union all
            select p.booked_at_us from ledger_posting as p
            where p.book = $1 and p.credit_account_id = s.account_id
                and p.credit_version = s.middle
            limit 1
        ) as e
    )"""
"""A recursive query that finds, for accounts $2 and times $3, the last version booked by each time.

It halves the range of versions at each step, all accounts together. Of a search that has ended low
equals high; a version without a posting, which only a damaged book has, ends a search without a
result.
"""

_VERSIONS_AT: Final = (
    f"with recursive {SEARCH}"
    " select t.at_us, s.low from ledger_account as a cross join unnest($3::bigint[]) as t (at_us)"
    " left join search as s on s.low = s.high and s.at_us = t.at_us"
    " where a.book = $1 and a.account_id = any($2)"
).encode()


class DamagedHistoryError(RuntimeError):
    """A version of an account has no posting: the book is damaged; `longmen verify` says where."""

    def __init__(self, account_id: AccountId) -> None:
        super().__init__(f"the history of {ACCOUNT.encode(account_id)} has a gap")


def _side(side: str, order: str) -> str:
    """Return the query for one side of an account, at most $5 of the versions from $3 to $4."""
    return (
        f"(select {POSTING_COLUMNS}, p.{side}_version as version, '{side}' = 'debit' as is_debit"
        f" from ledger_posting as p where p.book = $1 and p.{side}_account_id = $2"
        f" and p.{side}_version between $3 and $4 order by p.{side}_version {order} limit $5)"
    )


def _statement(order: str) -> bytes:
    return (
        f"with p as ({_side('debit', order)} union all {_side('credit', order)}"
        f" order by version {order} limit $5)"
        f" select {POSTING_WITH_HOLD}, p.is_debit from p {HOLD_JOIN} order by p.version {order}"
    ).encode()


_OLDEST_FIRST: Final = _statement("asc")
_NEWEST_FIRST: Final = _statement("desc")


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions of an account, both ends included; empty when the first is above the last."""

    first: int
    last: int | None
    """None is the last there is."""

    def beyond(self, version: int, *, newest_first: bool) -> VersionRange:
        """Return what is left of the range after a version, in the order of listing."""
        if newest_first:
            return VersionRange(self.first, version - 1)
        return VersionRange(version + 1, self.last)


async def versions_between(
    connection: Connection,
    account_id: AccountId,
    versions: VersionRange,
    *,
    from_us: int | None,
    to_us: int | None,
) -> VersionRange | None:
    """Return what is left of a range of versions between two booked times.

    The connection is on one snapshot with the list that follows.

    Args:
        connection: where to read.
        account_id: whose versions.
        versions: the range before the times are looked at.
        from_us: first booked time, in microseconds; None is the first there is.
        to_us: the booked time after the last; None is the last there is.

    Returns:
        The range; None when there is no such account.

    Raises:
        DamagedHistoryError: a version that must be there is not.
    """
    # What is booked before a bound ends with the last version booked by the microsecond before it.
    times_us = [at_us - 1 for at_us in (from_us, to_us) if at_us is not None]
    cursor = await connection.execute(
        _VERSIONS_AT,
        (book_of(account_id), UuidArray([account_id]), Int8Array(times_us or [NO_VERSION])),
    )
    found: dict[int, int | None] = dict(await cursor.fetchall())
    if not found:
        return None
    if None in found.values():
        raise DamagedHistoryError(account_id)
    first, last = versions.first, versions.last
    if from_us is not None:
        first = max(first, (found[from_us - 1] or 0) + 1)
    if to_us is not None:
        before = found[to_us - 1] or 0
        last = before if last is None else min(last, before)
    return VersionRange(first, last)


async def list_entries(
    connection: Connection,
    account_id: AccountId,
    versions: VersionRange,
    *,
    newest_first: bool,
    limit: int,
) -> list[transaction_pb2.Entry]:
    """Return up to `limit` entries of a range of versions, from its one or its other end."""
    statement = _NEWEST_FIRST if newest_first else _OLDEST_FIRST
    last = NO_VERSION if versions.last is None else versions.last
    cursor = await connection.execute(
        statement, (book_of(account_id), Uuid(account_id), versions.first, last, limit)
    )
    text = ACCOUNT.encode(account_id)
    return [_entry(text, record) for record in await cursor.fetchall()]


def _entry(account_id: str, record: Sequence[Any]) -> transaction_pb2.Entry:
    row = posting_row(record)
    if record[-1]:
        side, version = transaction_pb2.Entry.SIDE_DEBIT, row.debit_version
        posted, held = row.debit_posted_after, row.debit_held_after
    else:
        side, version = transaction_pb2.Entry.SIDE_CREDIT, row.credit_version
        posted, held = row.credit_posted_after, row.credit_held_after
    return transaction_pb2.Entry(
        account_id=account_id,
        version=version,
        side=side,
        posting=posting_message(record),
        posted_after_minor_units=posted,
        available_after_minor_units=posted - (held or 0),
    )
