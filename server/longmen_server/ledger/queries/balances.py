"""Balances of accounts, now and at any moment of the past, and the trial balance.

Two axes of time meet here. A posting is booked when the ledger takes it in; it is effective when it
counts, which is never later. So what had happened by an effective time E, as known at a booked time
K, is

    everything booked by min(E, K), and what was booked after that, by K, but counts by E.

The first part is a version of the account, found by binary search, because booked time grows
strictly with the version. The second part are back-dated postings, which have small indexes of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from longmen.ledger.v1 import account_pb2, ledger_service_pb2
from longmen_server.ledger import encode
from longmen_server.ledger.chart import CHART
from longmen_server.ledger.model import AccountRow, PostingKind
from longmen_server.ledger.queries.entries import SEARCH, DamagedHistoryError
from longmen_server.ledger.queries.rows import ACCOUNT_COLUMNS
from longmen_server.platform.adapters import Int8Array, UuidArray
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId

__all__ = ["Moment", "balances_at", "balances_now", "trial_balance"]

END_OF_TIME_US: Final = 2**63 - 1
"""Later than anything that can be booked."""

INT64_MAXIMUM: Final = 2**63 - 1

_FINAL: Final = f"({PostingKind.POST:d}, {PostingKind.CAPTURE:d})"
"""Kinds that move posted counters."""

_NOW: Final = (
    f"select {ACCOUNT_COLUMNS} from ledger_account where book = $1 and account_id = any($2)"
).encode()


def _fold(side: str) -> str:
    """Return the query that folds one side's postings of the shorter range of versions."""
    return f"""(
        select coalesce(sum(p.amount) filter (where p.kind in {_FINAL}), 0)::bigint as posted,
            coalesce(sum(case p.kind when {PostingKind.POST:d} then 0
                when {PostingKind.PENDING:d} then p.amount
                else -p.amount end), 0)::bigint as pending
        from ledger_posting as p
        where p.book = $1 and p.{side}_account_id = a.account_id
            and p.{side}_version between r.first and r.last
    )"""


def _back_dated(side: str) -> str:
    """Return the query that sums one side's postings booked in ($4, $6] that count by $5."""
    return f"""(
        select coalesce(sum(p.amount), 0)::bigint as posted from ledger_posting as p
        where p.book = $1 and p.{side}_account_id = a.account_id and p.effective_at_us <= $5
            and p.booked_at_us > $4 and p.booked_at_us <= $6 and p.kind in {_FINAL}
    )"""


# The counters at a version are those of now less the fold of what came after, or the fold of what
# came before: whichever is less to read.
_AT: Final = f"""
with recursive {SEARCH},
found as (select account_id, low as version from search where low = high)
select {", ".join(f"a.{name}" for name in AccountRow.__slots__)}, f.version, r.forward,
    d.posted, d.pending, c.posted, c.pending, bd.posted, bc.posted
from ledger_account as a
left join found as f on f.account_id = a.account_id
cross join lateral (
    select f.version * 2 < a.version as forward,
        case when f.version * 2 < a.version then 1 else f.version + 1 end as first,
        case when f.version * 2 < a.version then f.version else a.version end as last
) as r
cross join lateral {_fold("debit")} as d
cross join lateral {_fold("credit")} as c
cross join lateral {_back_dated("debit")} as bd
cross join lateral {_back_dated("credit")} as bc
where a.book = $1 and a.account_id = any($2)
""".encode()

_TRIAL_BALANCE: Final = b"""
select currency_code, chart_code, account_type, count(*), sum(debits_posted), sum(credits_posted),
    sum(debits_pending), sum(credits_pending)
from ledger_account where book = $1
group by currency_code, chart_code, account_type
order by currency_code, chart_code, account_type
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment of the past on either axis, in microseconds, itself included; None is no bound."""

    effective_us: int | None
    known_us: int | None


async def balances_now(
    connection: Connection, book: int, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, account_pb2.Balances]:
    """Return the balances of those accounts that exist."""
    cursor = await connection.execute(_NOW, (book, UuidArray(account_ids)))
    rows = [AccountRow(*record) for record in await cursor.fetchall()]
    return {row.account_id: encode.balances(row) for row in rows}


async def balances_at(
    connection: Connection, book: int, account_ids: Sequence[AccountId], moment: Moment
) -> Mapping[AccountId, account_pb2.Balances]:
    """Return the balances of a moment of the past, of those accounts that exist, by one statement.

    Posted counters follow both axes. Pending counters and the version are as of booked time: they
    are those of the earlier of the two bounds. The cost is that of the shorter part of each
    account's history, before or after the moment: about half a second for each million entries.
    """
    known_us = END_OF_TIME_US if moment.known_us is None else moment.known_us
    effective_us = END_OF_TIME_US if moment.effective_us is None else moment.effective_us
    seen_us = min(known_us, effective_us)
    cursor = await connection.execute(
        _AT, (book, UuidArray(account_ids), Int8Array([seen_us]), seen_us, effective_us, known_us)
    )
    rows = [_row_at(record) for record in await cursor.fetchall()]
    return {row.account_id: encode.balances(row) for row in rows}


def _row_at(record: Sequence[Any]) -> AccountRow:
    """Return an account as it was, from its row of now and the folds beside it."""
    width = len(AccountRow.__slots__)
    row = AccountRow(*record[:width])
    (
        row.version,
        forward,
        debits_posted,
        debits_pending,
        credits_posted,
        credits_pending,
        back_dated_debits,
        back_dated_credits,
    ) = record[width:]
    if row.version is None:
        raise DamagedHistoryError(row.account_id)
    if not forward:
        debits_posted = row.debits_posted - debits_posted
        debits_pending = row.debits_pending - debits_pending
        credits_posted = row.credits_posted - credits_posted
        credits_pending = row.credits_pending - credits_pending
    row.debits_posted = debits_posted + back_dated_debits
    row.credits_posted = credits_posted + back_dated_credits
    row.debits_pending, row.credits_pending = debits_pending, credits_pending
    return row


async def trial_balance(
    connection: Connection, book: int
) -> tuple[list[ledger_service_pb2.TrialBalanceLine], bool]:
    """Return the sums of a book by currency and chart code, and whether debits equal credits.

    Raises:
        Refusal: BALANCE_OVERFLOW when a sum does not fit the contract's 64 bits.
    """
    cursor = await connection.execute(_TRIAL_BALANCE, (book,))
    lines: list[ledger_service_pb2.TrialBalanceLine] = []
    net: dict[str, tuple[int, int]] = {}
    for currency_code, chart_code, account_type, count, *sums in await cursor.fetchall():
        debits, credits_, debits_pending, credits_pending = map(int, sums)
        if max(debits, credits_, debits_pending, credits_pending) > INT64_MAXIMUM:
            raise Refusal("BALANCE_OVERFLOW", "a sum of the book needs more than 64 bits")
        posted, pending = net.get(currency_code, (0, 0))
        net[currency_code] = (
            posted + debits - credits_,
            pending + debits_pending - credits_pending,
        )
        line = CHART.get(chart_code)
        lines.append(
            ledger_service_pb2.TrialBalanceLine(
                currency_code=currency_code,
                chart_code=chart_code,
                chart_name=line.name if line else "",
                type=account_type,
                account_count=count,
                debits_posted=debits,
                credits_posted=credits_,
                debits_pending=debits_pending,
                credits_pending=credits_pending,
            )
        )
    return lines, all(posted == 0 and pending == 0 for posted, pending in net.values())
