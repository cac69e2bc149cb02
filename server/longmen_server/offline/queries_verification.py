"""Checks of sales without a network against orders, postings and events, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.chart import OPERATIONAL_LOSS
from longmen_server.ledger.verification.queries import Check
from longmen_server.offline.model import OfflineOutcome
from longmen_server.payments.model import PAID_STATES, OrderState

_RECORDED: Final = int(event_pb2.EVENT_TYPE_OFFLINE_SALE_RECORDED)
_AGREED: Final = int(event_pb2.EVENT_TYPE_OFFLINE_ACCEPTANCE_CHANGED)
_PAID: Final = int(OfflineOutcome.PAID)
_COVERED: Final = int(OfflineOutcome.COVERED)
_LOST: Final = int(OfflineOutcome.LOST)
_WAS_PAID: Final = ", ".join(str(int(one)) for one in sorted({*PAID_STATES, OrderState.REVERSED}))
_SALE: Final = "'tky_' || replace(s.key_id::text, '-', '') || ' ' || s.sequence"

SALES: Final = Check(
    "stored sales against orders",
    f"""
    select 'OFFLINE_SALE_MISMATCH', {_SALE},
        case when k.key_id is null then 'there is no such key'
            when k.terminal_id <> s.terminal_id then 'the key is another till''s'
            when s.sequence > k.last_sequence then 'the key was used up to ' || k.last_sequence
            when s.outcome not in ({_PAID}, {_COVERED}, {_LOST}) then 'outcome ' || s.outcome
            when s.outcome = {_LOST} then 'it is lost and names a payment, or has no reason'
            when o.order_id is null then 'it is paid and there is no such order'
            else 'its order is not as it was paid: ' || s.amount || ' ' || s.currency_code end
    from (select * from offline_sale where book = $1) as s
    left join (select * from terminal_key where book = $1) as k on k.key_id = s.key_id
    left join (select * from merchant_order where book = $1) as o on o.order_id = s.order_id
    left join (select * from ledger_account where book = $1) as a
        on a.account_id = o.payer_account_id
    where k.key_id is null or k.terminal_id <> s.terminal_id or s.sequence > k.last_sequence
        or case when s.outcome = {_LOST}
            then s.transaction_id is not null or s.reason = '' or o.transaction_id is not null
            when s.outcome in ({_PAID}, {_COVERED})
            then o.order_id is null or o.state not in ({_WAS_PAID})
                or (o.merchant_id, o.order_number, o.amount, o.currency_code, o.transaction_id)
                    is distinct from
                    (s.merchant_id, s.order_number, s.amount, s.currency_code, s.transaction_id)
                or (s.outcome = {_PAID}
                    and (s.reason <> '' or o.payer_account_id is distinct from s.account_id))
                or (s.outcome = {_COVERED}
                    and (s.reason = '' or a.chart_code is distinct from {OPERATIONAL_LOSS}))
            else true end
    """,
)

# Each sale is told once, and no other is.
EVENTS: Final = Check(
    "stored sales against events",
    f"""
    select 'OFFLINE_EVENT_MISMATCH',
        'trm_' || replace(coalesce(s.terminal_id, e.subject)::text, '-', ''),
        coalesce(s.total, 0) || ' sales were taken down, ' || coalesce(e.total, 0) || ' told'
    from (
        select terminal_id, count(*) as total, max(recorded_at_us) as last_us from offline_sale
        where book = $1 group by terminal_id
    ) as s
    full join (
        select subject, count(*) as total, max(booked_at_us) as last_us from event
        where book = $1 and type = {_RECORDED} group by subject
    ) as e on e.subject = s.terminal_id
    where (s.total, s.last_us) is distinct from (e.total, e.last_us)
    """,
)

# A payer's days hold what was paid, months and merchants' days what the bank paid instead.
BUDGETS: Final = Check(
    "offline budgets",
    f"""
    select 'OFFLINE_BUDGET_MISMATCH',
        coalesce(b.currency_code || ' ' || b.period || ' of ' || b.owner_id,
            s.currency_code || ' ' || s.period || ' of ' || s.owner_id),
        'used ' || coalesce(b.used_amount, 0) || ', the sales come to ' || coalesce(s.total, 0)
    from (
        select owner_id, currency_code, sum(used_amount) as used_amount,
            case when length(period) > 7 then 'days' else 'months' end as period
        from offline_budget where book = $1 group by 1, 2, 4
    ) as b
    full join (
        select a.owner_id, s.currency_code, 'days' as period, sum(s.amount) as total
        from (select * from offline_sale where book = $1 and outcome = {_PAID}) as s
        join (select * from ledger_account where book = $1) as a on a.account_id = s.account_id
        group by a.owner_id, s.currency_code
        union all
        select a.owner_id, s.currency_code, 'months', sum(s.amount)
        from (select * from offline_sale where book = $1 and outcome = {_COVERED}) as s
        join (select * from ledger_account where book = $1) as a on a.account_id = s.account_id
        group by a.owner_id, s.currency_code
        union all
        select merchant_id, currency_code, 'days', sum(amount)
        from offline_sale where book = $1 and outcome = {_COVERED}
        group by merchant_id, currency_code
    ) as s on s.owner_id = b.owner_id and s.currency_code = b.currency_code
        and s.period = b.period
    where coalesce(b.used_amount, 0) <> coalesce(s.total, 0)
    """,
)

# What was agreed is told each time; version 0 is of merchants from before there were agreements.
ACCEPTANCES: Final = Check(
    "offline acceptance against events",
    f"""
    select 'OFFLINE_ACCEPTANCE_MISMATCH',
        'mer_' || replace(coalesce(a.merchant_id, e.subject)::text, '-', ''),
        case when m.merchant_id is null then 'there is no such merchant'
            else 'version ' || coalesce(a.version, 0) || ', told ' || coalesce(e.total, 0) end
    from (select * from offline_acceptance where book = $1) as a
    full join (
        select subject, count(*) as total, max(booked_at_us) as last_us from event
        where book = $1 and type = {_AGREED} group by subject
    ) as e on e.subject = a.merchant_id
    left join (select * from merchant where book = $1) as m
        on m.merchant_id = coalesce(a.merchant_id, e.subject)
    where m.merchant_id is null or coalesce(a.version, 0) <> coalesce(e.total, 0)
        or (a.version > 0 and a.changed_at_us is distinct from e.last_us)
    """,
)

CHECKS: Final = (SALES, EVENTS, BUDGETS, ACCEPTANCES)
