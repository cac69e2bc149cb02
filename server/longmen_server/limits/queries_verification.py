"""Checks of what limits counted, for `longmen verify`: sums against records, records against money.

A counter holds what the records of its day and year say; a record says what the postings of its
transaction did, in the day they were let through. Batches begin a moment before they book, and the
clocks of processes differ, so the day of a record may lie an hour beside its posting's at most.
"""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.verification.queries import (
    Check,
    account_text,
    customer_text,
    numbers,
    transaction_text,
)
from longmen_server.limits.model import Period, Track
from longmen_server.limits.rules import ZONE

_SUMS: Final = (
    *("day_count", "day_used", "day_reserved", "day_restored"),
    *("year_used", "year_reserved", "year_restored"),
)
_HOUR: Final = 3600
_NEW: Final = numbers((PostingKind.POST, PostingKind.PENDING))
_OWN_CHANGED: Final = int(event_pb2.EVENT_TYPE_OWN_LIMIT_CHANGED)
_TYPE_CHANGED: Final = int(event_pb2.EVENT_TYPE_ACCOUNT_TYPE_CHANGED)

_COUNTED: Final = f"""
    select t.track, case when t.track = {int(Track.ACCOUNT)} then e.account_id
            else e.customer_id end as holder_id,
        e.day, e.used, e.reserved, e.restored
    from limit_entry as e
    join (values {", ".join(f"({int(track)})" for track in Track)}) as t (track)
        on (e.tracks >> t.track) & 1 = 1
    where e.book = $1
"""

COUNTERS: Final = Check(
    "sums of limits against what was counted",
    f"""
    select 'LIMIT_COUNTER_MISMATCH', coalesce(c.holder_id, s.holder_id)::text
            || '/' || coalesce(c.track, s.track),
        case when c.book is null then 'movements were counted and there is no sum'
            else 'day ' || c.day || ' has ' || c.day_count || ': ' || c.day_used || ', '
                || c.day_reserved || ', ' || c.day_restored || '; year ' || c.year_used || ', '
                || c.year_reserved || ', ' || c.year_restored || '; the records say '
                || coalesce(s.day_count, 0) || ': ' || coalesce(s.day_used, 0) || ', '
                || coalesce(s.day_reserved, 0) || ', ' || coalesce(s.day_restored, 0) || '; '
                || coalesce(s.year_used, 0) || ', ' || coalesce(s.year_reserved, 0) || ', '
                || coalesce(s.year_restored, 0) end
    from (select * from limit_counter where book = $1) as c
    full join (
        select k.track, k.holder_id, max(k.day) as last_day,
            count(*) filter (where k.day = c.day and k.used + k.reserved > 0) as day_count,
            coalesce(sum(k.used) filter (where k.day = c.day), 0) as day_used,
            coalesce(sum(k.reserved) filter (where k.day = c.day), 0) as day_reserved,
            coalesce(sum(k.restored) filter (where k.day = c.day), 0) as day_restored,
            coalesce(sum(k.used) filter (where k.day / 10000 = c.day / 10000), 0) as year_used,
            coalesce(sum(k.reserved) filter (where k.day / 10000 = c.day / 10000), 0)
                as year_reserved,
            coalesce(sum(k.restored) filter (where k.day / 10000 = c.day / 10000), 0)
                as year_restored
        from ({_COUNTED}) as k
        left join limit_counter as c
            on c.book = $1 and c.holder_id = k.holder_id and c.track = k.track
        group by k.track, k.holder_id
    ) as s on s.holder_id = c.holder_id and s.track = c.track
    where c.book is null or s.track is null or s.last_day > c.day
        or ({", ".join(f"c.{name}" for name in _SUMS)})
            is distinct from ({", ".join(f"s.{name}" for name in _SUMS)})
    """,
)


def _day_of(seconds: int) -> str:
    """SQL for the number of the day that a posting was booked in, some seconds later."""
    zone = ZONE.key
    return (
        f"to_char(to_timestamp(p.booked_at_us / 1000000 + {seconds}) at time zone '{zone}',"
        " 'YYYYMMDD')::int"
    )


# A hold counts what was captured of it as used, and while anything is left the rest as reserved.
ENTRIES: Final = Check(
    "what limits counted against the ledger",
    f"""
    select 'LIMIT_ENTRY_MISMATCH', {transaction_text("e.transaction_id")},
        case when p.transaction_id is null then 'it was counted and never booked'
            when e.customer_id is distinct from a.owner_id
                then 'it was counted for another customer than the account is of'
            when p.amount <> e.amount or p.currency_code <> e.currency_code
                then 'counted as ' || e.amount || ' ' || e.currency_code || ', booked as '
                    || p.amount || ' ' || p.currency_code
            when e.day not between {_day_of(-_HOUR)} and {_day_of(_HOUR)}
                then 'counted in ' || e.day || ', booked in ' || {_day_of(0)}
            else 'of ' || e.base || ' counted as used ' || e.used || ' and reserved '
                || e.reserved || ', the hold has captured ' || coalesce(h.captured, 0)
                || ' and holds ' || coalesce(h.remaining, 0) || ' of ' || e.amount end
    from (select * from limit_entry where book = $1) as e
    left join (
        select transaction_id, debit_account_id, min(currency_code) as currency_code,
            sum(amount) as amount, min(booked_at_us) as booked_at_us, min(kind) as kind
        from ledger_posting where book = $1 and kind in ({_NEW})
        group by transaction_id, debit_account_id
    ) as p on p.transaction_id = e.transaction_id and p.debit_account_id = e.account_id
    left join ledger_account as a on a.book = $1 and a.account_id = e.account_id
    left join ledger_hold as h
        on h.book = $1 and h.transaction_id = e.transaction_id and h.ordinal = 0
    where p.transaction_id is null or e.customer_id is distinct from a.owner_id
        or p.amount <> e.amount or p.currency_code <> e.currency_code
        or e.day not between {_day_of(-_HOUR)} and {_day_of(_HOUR)}
        or (p.kind = {int(PostingKind.POST)} and (e.used, e.reserved) <> (e.base, 0))
        or (p.kind = {int(PostingKind.PENDING)} and (e.used, e.reserved) is distinct from (
            ceil(e.base::numeric * h.captured / h.amount),
            case when h.remaining > 0 then e.base - ceil(e.base::numeric * h.captured / h.amount)
                else 0 end))
    """,
)

# Only what merchants sold leaves no doubt: callers of the ledger may use the other codes.
MISSING: Final = Check(
    "payments that limits have to have counted",
    f"""
    select 'LIMIT_ENTRY_MISSING', {transaction_text("p.transaction_id")},
        'an order was paid by it, and nothing was counted'
    from (
        select * from ledger_posting
        where book = $1 and code = {int(PostingCode.PURCHASE)} and kind in ({_NEW})
            and booked_at_us >= (select min(updated_at_us) from limit_entry where book = $1)
    ) as p
    join (select * from merchant_order where book = $1) as o
        on o.transaction_id = p.transaction_id and o.payer_account_id = p.debit_account_id
    join (select * from wallet_account where book = $1) as w
        on w.account_id = p.debit_account_id
    left join (select * from limit_entry where book = $1) as e
        on e.transaction_id = p.transaction_id
    where e.book is null and exists (
        select from limit_entry as known
        where known.book = $1 and known.currency_code = p.currency_code
    )
    """,
)

OWN: Final = Check(
    "customers' own limits against events",
    f"""
    select 'LIMIT_OWN_MISMATCH', {customer_text("o.customer_id")},
        'no event of the change at ' || o.changed_at_us || ', or no such period'
    from (select * from limit_own where book = $1) as o
    left join (select * from event where book = $1 and type = {_OWN_CHANGED}) as e
        on e.subject = o.customer_id and e.booked_at_us = o.changed_at_us
    where e.book is null or o.period not in ({numbers(Period)})
    union all
    select 'LIMIT_OWN_MISMATCH', {account_text("t.account_id")},
        'no event of the change of its type at ' || t.changed_at_us
    from (select * from limit_account_type where book = $1) as t
    left join (select * from event where book = $1 and type = {_TYPE_CHANGED}) as e
        on e.subject = t.account_id and e.booked_at_us = t.changed_at_us
    where e.book is null
    """,
)

CHECKS: Final = (COUNTERS, ENTRIES, MISSING, OWN)
