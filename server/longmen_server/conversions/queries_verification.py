"""Checks of quotes and conversions against the ledger, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.conversions.model import QuoteState, ReversalBasis
from longmen_server.ledger.chart import FX_POSITION
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.verification.queries import (
    Check,
    customer_text,
    numbers,
    transaction_text,
)
from longmen_server.platform.clock import DEFAULT_ZONE

_USED: Final = int(QuoteState.USED)
_RESULT: Final = int(PostingCode.EXCHANGE_RESULT)
_ORIGINAL: Final = int(ReversalBasis.ORIGINAL)
_TODAY: Final = int(ReversalBasis.TODAY)
_POST: Final = int(PostingKind.POST)
_EXCHANGED: Final = (PostingCode.EXCHANGE, PostingCode.EXCHANGE_RESULT)
"""What conversions book on positions."""
_ZONE: Final = DEFAULT_ZONE.key
"""Whose years quotas are of."""
_QUOTE_TEXT: Final = "'fxq_' || replace(quote_id::text, '-', '')"

CONVERSIONS: Final = Check(
    "conversions against the ledger",
    f"""
    select 'FX_CONVERSION_MISMATCH', {transaction_text("transaction_id")},
        case when quoted is null then 'there is no such quote'
            else 'offered ' || source || ' for ' || target || ', booked '
                || coalesce(paid, 0) || ' for ' || coalesce(got, 0) end
    from (
        select c.transaction_id, q.book as quoted, q.source, q.target, q.spread, q.residue,
            q.state, q.conversion_id = c.conversion_id as is_same, p.paid, p.got, p.kept
        from (select * from fx_conversion where book = $1) as c
        left join (select * from fx_quote where book = $1) as q on q.quote_id = c.quote_id
        left join lateral (
            select sum(amount) filter (where debit_account_id = q.from_account_id) as paid,
                sum(amount) filter (where credit_account_id = q.to_account_id) as got,
                coalesce(sum(amount) filter (
                    where code = {_RESULT} and currency_code = q.target_currency
                ), 0) as kept
            from ledger_posting
            where book = $1 and transaction_id = c.transaction_id
        ) as p on true
    ) as booked
    where quoted is null or state <> {_USED} or is_same is distinct from true
        or paid is distinct from source or got is distinct from target
        or kept < spread + residue
    """,
)

QUOTES: Final = Check(
    "quotes",
    f"""
    select 'FX_QUOTE_MISMATCH', {_QUOTE_TEXT},
        'state ' || state || ' with' || case when found is null then 'out' else '' end
            || ' a conversion'
    from (
        select q.*, c.book as found from (select * from fx_quote where book = $1) as q
        left join (select * from fx_conversion where book = $1) as c on c.quote_id = q.quote_id
    ) as quotes
    where state not in ({numbers(QuoteState)})
        or (state = {_USED}) <> (found is not null)
        or (conversion_id is not null) <> (found is not null)
    """,
)

# What was taken back at its own rate is what the ledger links; at another day's, what was booked.
REVERSALS: Final = Check(
    "conversions taken back against the ledger",
    f"""
    select 'FX_REVERSAL_MISMATCH', {transaction_text("transaction_id")},
        case when conversion is null then 'there is no such conversion'
            else 'told ' || taken || ' for ' || returned || ', booked '
                || coalesce(paid, 0) || ' for ' || coalesce(got, 0) end
    from (
        select r.*, c.book as conversion, q.source, q.target, l.reversal_transaction_id as linked,
            p.paid, p.got
        from (select * from fx_reversal where book = $1) as r
        left join (select * from fx_conversion where book = $1) as c
            on c.conversion_id = r.conversion_id
        left join (select * from fx_quote where book = $1) as q on q.quote_id = c.quote_id
        left join (select * from ledger_reversal where book = $1) as l
            on l.transaction_id = c.transaction_id
        left join lateral (
            select sum(amount) filter (where debit_account_id = q.to_account_id) as paid,
                sum(amount) filter (where credit_account_id = q.from_account_id) as got
            from ledger_posting
            where book = $1 and transaction_id = r.transaction_id
        ) as p on true
    ) as told
    where conversion is null or basis not in ({numbers(ReversalBasis)})
        or paid is distinct from taken or got is distinct from returned
        or (basis = {_ORIGINAL} and (
            linked is distinct from transaction_id or taken <> target or returned <> source
        ))
    """,
)

# Services may move positions as well, such as by what the bank deals outside: that is not counted.
_DEALT: Final = """
    (select * from fx_conversion where book = $1) as c
    join (select * from fx_quote where book = $1) as q on q.quote_id = c.quote_id
"""
_UNDONE: Final = f"""
    {_DEALT} join (select * from ledger_reversal where book = $1) as l
        on l.transaction_id = c.transaction_id
"""
_GIVEN_BACK: Final = f"""
    {_DEALT} join (select * from fx_reversal where book = $1 and basis = {_TODAY}) as r
        on r.conversion_id = c.conversion_id
"""
_MOVED: Final = f"""
    from (
        select * from ledger_account
        where book = $1 and chart_code = {FX_POSITION} and owner_id is null
    ) as a
    join (
        select * from ledger_posting
        where book = $1 and kind = {_POST} and code in ({numbers(_EXCHANGED)})
    ) as p
"""

POSITIONS: Final = Check(
    "positions against conversions",
    f"""
    select 'FX_POSITION_MISMATCH', currency_code,
        'conversions come to ' || sum(told) || ', booked is ' || sum(booked)
    from (
        select source_currency as currency_code, source - fee as told, 0 as booked from {_DEALT}
        union all
        select target_currency, -target - spread - residue, 0 from {_DEALT}
        union all
        select source_currency, fee - source, 0 from {_UNDONE}
        union all
        select target_currency, target + spread + residue, 0 from {_UNDONE}
        union all
        select target_currency, r.taken, 0 from {_GIVEN_BACK}
        union all
        select source_currency, -r.returned - r.residue, 0 from {_GIVEN_BACK}
        union all
        select a.currency_code, 0, p.amount {_MOVED} on p.credit_account_id = a.account_id
        union all
        select a.currency_code, 0, -p.amount {_MOVED} on p.debit_account_id = a.account_id
    ) as sides
    where currency_code in (
        select currency_code from ledger_account where book = $1 and chart_code = {FX_POSITION}
    )
    group by currency_code having sum(told) <> sum(booked)
    """,
)

QUOTAS: Final = Check(
    "quotas against conversions",
    f"""
    select 'FX_QUOTA_MISMATCH', {customer_text("customer_id")},
        'year ' || year || ', used ' || sum(used) || ', conversions come to ' || sum(told)
    from (
        select customer_id, year::int, side, used, 0 as told from fx_quota where book = $1
        union all
        select c.customer_id,
            extract(year from to_timestamp(c.created_at_us / 1000000) at time zone '{_ZONE}')::int,
            c.quota_side, 0, c.quota_value
        from (select * from fx_conversion where book = $1 and quota_side <> 0) as c
        left join (select * from fx_reversal where book = $1 and basis = {_ORIGINAL}) as r
            on r.conversion_id = c.conversion_id
        where r.book is null
    ) as sides
    group by customer_id, year, side having sum(used) <> sum(told)
    """,
)

CHECKS: Final = (CONVERSIONS, QUOTES, REVERSALS, POSITIONS, QUOTAS)
