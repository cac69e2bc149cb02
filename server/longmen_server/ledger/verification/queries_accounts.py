"""Checks of accounts: each against itself, against the chart, and against its postings."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.chart import CHART, DEBIT_NORMAL_TYPES
from longmen_server.ledger.model import AccountState, PostingKind
from longmen_server.ledger.verification.queries import Check, account_text, numbers
from longmen_server.platform.money import currencies

_DEBIT_NORMAL: Final = numbers(DEBIT_NORMAL_TYPES)
_MOVES: Final = numbers((PostingKind.POST, PostingKind.CAPTURE))
_CHART: Final = ", ".join(f"({line.code}, {int(line.account_type)})" for line in CHART.values())
_CURRENCIES: Final = ", ".join(f"'{code}'" for code in sorted(currencies()))

# What a posting adds to what is held: a pending one its amount, those that end a hold less than
# nothing.
_HELD: Final = (
    f"case kind when {PostingKind.POST} then 0 when {PostingKind.PENDING} then amount"
    " else -amount end"
)


# One pass over all entries in the order of each account's versions. What a posting does to the
# balance depends on the account's normal side, which is known only once the account is joined, so
# both readings are counted.
def _entries(*, suspects_only: bool) -> str:
    """SQL of the entries of all accounts, or of those of `$2`."""
    debits = "and debit_account_id = any($2)" if suspects_only else ""
    credits_ = "and credit_account_id = any($2)" if suspects_only else ""
    return f"""
    select debit_account_id as account_id, debit_version as version, booked_at_us,
        currency_code, true as is_debit,
        case when kind in ({_MOVES}) then amount else 0 end as posted, {_HELD} as held,
        debit_posted_after as posted_after, coalesce(debit_held_after, 0) as held_after
    from ledger_posting where book = $1 {debits}
    union all
    select credit_account_id, credit_version, booked_at_us, currency_code, false,
        case when kind in ({_MOVES}) then amount else 0 end, {_HELD},
        credit_posted_after, coalesce(credit_held_after, 0)
    from ledger_posting where book = $1 {credits_}
"""


def _folded(*, suspects_only: bool) -> str:
    """SQL of what the postings make of each account."""
    return f"""
    select account_id, count(*) as entries, max(booked_at_us) as last_booked_at_us,
        min(currency_code collate "C") as first_currency,
        max(currency_code collate "C") as last_currency,
        coalesce(sum(posted) filter (where is_debit), 0) as debits_posted,
        coalesce(sum(posted) filter (where not is_debit), 0) as credits_posted,
        coalesce(sum(held) filter (where is_debit), 0) as debits_pending,
        coalesce(sum(held) filter (where not is_debit), 0) as credits_pending,
        min(version) filter (where version <> version_before + 1) as gap_at,
        min(version) filter (where booked_at_us <= booked_before) as disorder_at,
        min(version) filter (where posted_step <> case when is_debit then posted else -posted end
            or held_step <> case when is_debit then 0 else held end) as debit_normal_broken_at,
        min(version) filter (where posted_step <> case when is_debit then -posted else posted end
            or held_step <> case when is_debit then held else 0 end) as credit_normal_broken_at
    from (
        select *,
            posted_after - lag(posted_after, 1, 0::bigint) over entries as posted_step,
            held_after - lag(held_after, 1, 0::bigint) over entries as held_step,
            lag(version, 1, 0::bigint) over entries as version_before,
            lag(booked_at_us, 1, 0::bigint) over entries as booked_before
        from ({_entries(suspects_only=suspects_only)}) as entry
        window entries as (partition by account_id order by version)
    ) as stepped
    group by account_id
"""


_COUNTERS: Final = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
_OWN: Final = ", ".join(f"coalesce(a.{name}, 0)" for name in _COUNTERS)
_MADE: Final = ", ".join(f"coalesce(f.{name}, 0)" for name in _COUNTERS)


def _entries_check(*, suspects_only: bool) -> Check:
    """The check of all accounts, or of those of `$2`, against their postings."""
    suspects = "and account_id = any($2)" if suspects_only else ""
    return Check(
        "accounts against their postings",
        f"""
    select broken.* from (
        select coalesce(a.account_id, f.account_id) as id, a.account_id is null as is_missing,
            a.version, a.booked_at_us, a.created_at_us, a.currency_code,
            coalesce(f.entries, 0) as entries, f.last_booked_at_us, f.first_currency,
            f.last_currency, f.gap_at, f.disorder_at,
            case when a.account_type in ({_DEBIT_NORMAL}) then f.debit_normal_broken_at
                else f.credit_normal_broken_at end as broken_at,
            row({_OWN})::text as own, row({_MADE})::text as made
        from (select * from ledger_account where book = $1 {suspects}) as a
        full join ({_folded(suspects_only=suspects_only)}) as f on f.account_id = a.account_id
        where a.account_id is null
            or a.version <> coalesce(f.entries, 0)
            or row({_OWN}) <> row({_MADE})
            or a.booked_at_us < greatest(f.last_booked_at_us, a.created_at_us)
            or f.first_currency <> a.currency_code or f.last_currency <> a.currency_code
            or f.gap_at is not null or f.disorder_at is not null
            or case when a.account_type in ({_DEBIT_NORMAL}) then f.debit_normal_broken_at
                else f.credit_normal_broken_at end is not null
    ) as account
    cross join lateral (
        select 'ACCOUNT_MISSING', {account_text("id")}, entries || ' postings name it'
            where is_missing
        union all
        select 'COUNTER_MISMATCH', {account_text("id")},
            'debits and credits posted, debits and credits pending are ' || own
            || ', its postings make ' || made where not is_missing and own <> made
        union all
        select 'VERSION_MISMATCH', {account_text("id")},
            'the version is ' || version || ', its postings are ' || entries
            where version <> entries
        union all
        select 'VERSION_GAP', {account_text("id")},
            'version ' || gap_at || ' does not follow the one before' where gap_at is not null
        union all
        select 'BOOKED_TIME_ORDER', {account_text("id")},
            'version ' || disorder_at || ' is booked no later than the one before'
            where disorder_at is not null
        union all
        select 'RUNNING_BALANCE_MISMATCH', {account_text("id")},
            'the balance after version ' || broken_at || ' is not the one before it plus its amount'
            where not is_missing and broken_at is not null
        union all
        select 'ACCOUNT_TIME_BEHIND', {account_text("id")},
            'booked at ' || booked_at_us || ', opened at ' || created_at_us
            || coalesce(', last posting at ' || last_booked_at_us, '')
            where booked_at_us < greatest(last_booked_at_us, created_at_us)
        union all
        select 'CURRENCY_MISMATCH', {account_text("id")},
            'it is in ' || currency_code || ', its postings are in '
            || concat_ws(' and ', first_currency, nullif(last_currency, first_currency))
            where first_currency <> currency_code or last_currency <> currency_code
    ) as broken (kind, subject, detail)
    """,
    )


ENTRIES: Final = _entries_check(suspects_only=False)
SUSPECTS: Final = _entries_check(suspects_only=True)

_SIDES: Final = f"""
    select *,
        account_type in ({_DEBIT_NORMAL}) as is_debit_normal,
        case when account_type in ({_DEBIT_NORMAL}) then debits_posted - credits_posted
            else credits_posted - debits_posted end as posted,
        case when account_type in ({_DEBIT_NORMAL}) then credits_pending else debits_pending end
            as outgoing_pending,
        case when account_type in ({_DEBIT_NORMAL}) then debits_pending else credits_pending end
            as incoming_pending,
        case when account_type in ({_DEBIT_NORMAL}) then credits_posted else debits_posted end
            as outgoing,
        case when account_type in ({_DEBIT_NORMAL}) then debits_posted else credits_posted end
            as incoming
    from ledger_account where book = $1
"""

# A floor above zero binds only once something has gone out, and a ceiling below zero only once
# something has come in: an account is opened empty whatever its limits.
STANDING: Final = Check(
    "accounts by themselves",
    f"""
    select broken.* from ({_SIDES}) as a
    left join (values {_CHART}) as chart (code, type) on chart.code = a.chart_code
    cross join lateral (
        select 'COUNTER_NEGATIVE', {account_text("account_id")},
            'counters are ' || row({_OWN})::text
            where least({_OWN}) < 0
        union all
        select 'FLOOR_BROKEN', {account_text("account_id")},
            'available ' || posted - outgoing_pending || ', floor ' || floor_minor_units
            where posted - outgoing_pending < floor_minor_units and outgoing + outgoing_pending > 0
        union all
        select 'CEILING_BROKEN', {account_text("account_id")},
            'posted and announced ' || posted + incoming_pending || ', ceiling '
            || ceiling_minor_units
            where posted + incoming_pending > ceiling_minor_units
                and incoming + incoming_pending > 0
        union all
        select 'CLOSED_NOT_EMPTY', {account_text("account_id")},
            'posted ' || posted || ', pending ' || outgoing_pending + incoming_pending
            where state = {int(AccountState.CLOSED)}
                and (posted <> 0 or outgoing_pending <> 0 or incoming_pending <> 0)
        union all
        select 'CHART_CODE_UNKNOWN', {account_text("account_id")}, 'code ' || chart_code
            where chart.code is null
        union all
        select 'ACCOUNT_TYPE_MISMATCH', {account_text("account_id")},
            'the type is ' || account_type || ', code ' || chart_code || ' has ' || chart.type
            where chart.type <> account_type
        union all
        select 'ACCOUNT_STATE_MISMATCH', {account_text("account_id")}, 'unknown state ' || state
            where state not in ({numbers(AccountState)})
        union all
        select 'CURRENCY_UNKNOWN', {account_text("account_id")}, 'currency ' || currency_code
            where currency_code not in ({_CURRENCIES})
        union all
        select 'BOOK_MISMATCH', {account_text("account_id")}, 'stands in book ' || book
            where substring(uuid_send(account_id) from 15) <> int2send(book)
    ) as broken (kind, subject, detail)
    """,
)

SUMS: Final = Check(
    "debits against credits",
    """
    select 'CURRENCY_UNBALANCED', currency_code,
        'posted ' || sum(debits_posted) || ' and ' || sum(credits_posted)
        || ', pending ' || sum(debits_pending) || ' and ' || sum(credits_pending)
    from ledger_account where book = $1 group by currency_code
    having sum(debits_posted) <> sum(credits_posted)
        or sum(debits_pending) <> sum(credits_pending)
    """,
)
