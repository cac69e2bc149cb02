"""Checks of shares against orders, the ledger and events, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.chart import MERCHANT_SHARES
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.verification.queries import Check, numbers, transaction_text
from longmen_server.sharing.model import ReceiverState, SharingState

_CHANGED: Final = int(event_pb2.EVENT_TYPE_SHARING_CHANGED)
_ENDED: Final = int(SharingState.ENDED)
_TRANSACTION: Final = transaction_text("coalesce(w.transaction_id, p.transaction_id)")
_ORDER: Final = "'ord_' || replace(s.order_id::text, '-', '')"
_HELD: Final = int(PostingCode.SHARE_HELD)
_SHARE: Final = int(PostingCode.SHARE)
_RETURN: Final = int(PostingCode.SHARE_RETURN)
_RELEASED: Final = int(PostingCode.SHARE_RELEASED)

SUMS: Final = Check(
    "shares of orders",
    f"""
    select 'SHARING_MISMATCH', {_ORDER},
        'held ' || s.held || ', shared ' || s.shared || ', returned ' || s.returned
        || ', released ' || s.released || ', its shares come to ' || coalesce(p.amount, 0)
        || ' and ' || coalesce(p.returned, 0) || ', its returns to ' || coalesce(r.amount, 0)
    from (select * from order_sharing where book = $1) as s
    left join (select * from merchant_order where book = $1) as o on o.order_id = s.order_id
    left join (
        select order_id, count(*) as n, sum(amount)::bigint as amount,
            sum(returned)::bigint as returned, bool_or(returned > amount) as beyond
        from order_share where book = $1 group by order_id
    ) as p on p.order_id = s.order_id
    left join (
        select order_id, sum(amount)::bigint as amount from order_share_return
        where book = $1 group by order_id
    ) as r on r.order_id = s.order_id
    where o.order_id is null or o.merchant_id <> s.merchant_id
        or o.currency_code <> s.currency_code or s.state not in ({numbers(SharingState)})
        or s.shared <> coalesce(p.amount, 0) or s.share_count <> coalesce(p.n, 0)
        or s.returned <> coalesce(p.returned, 0) or s.returned <> coalesce(r.amount, 0)
        or coalesce(p.beyond, false) or s.held - s.shared - s.released < 0
        or (s.state = {_ENDED} and s.held <> s.shared + s.released)
    """,
)

POSTINGS: Final = Check(
    "shares against the ledger",
    f"""
    select 'SHARE_POSTING_MISMATCH', {_TRANSACTION},
        'code ' || coalesce(w.code, p.code) || ', ' || coalesce(w.amount::text, 'no share')
        || ', the posting has ' || coalesce(p.amount::text, 'nothing')
    from (
        select transaction_id, amount, {_SHARE} as code from order_share where book = $1
        union all
        select transaction_id, amount, {_RETURN} from order_share_return where book = $1
    ) as w
    full join (
        select transaction_id, amount, code from ledger_posting
        where book = $1 and code in ({_SHARE}, {_RETURN})
    ) as p on p.transaction_id = w.transaction_id and p.code = w.code
    where w.transaction_id is null or p.transaction_id is null or w.amount <> p.amount
    """,
)

HELD: Final = Check(
    "money held to be shared",
    f"""
    select 'SHARES_HELD_MISMATCH', coalesce(s.currency_code, a.currency_code),
        'orders have ' || coalesce(s.held, 0) || ' held, ' || coalesce(s.kept, 0) || ' left and '
        || coalesce(s.released, 0) || ' released, the ledger ' || coalesce(a.held, 0) || ', '
        || coalesce(a.kept, 0) || ' and ' || coalesce(a.released, 0)
    from (
        select currency_code, sum(held)::bigint as held, sum(released)::bigint as released,
            sum(held - shared - released)::bigint as kept
        from order_sharing where book = $1 group by currency_code
    ) as s
    full join (
        select a.currency_code, sum(a.credits_posted - a.debits_posted)::bigint as kept,
            coalesce(sum(p.held), 0)::bigint as held,
            coalesce(sum(p.released), 0)::bigint as released
        from ledger_account as a
        left join lateral (
            select sum(amount) filter (where code = {_HELD}) as held,
                sum(amount) filter (where code = {_RELEASED}) as released
            from ledger_posting as l where l.book = $1
                and (l.debit_account_id = a.account_id or l.credit_account_id = a.account_id)
        ) as p on true
        where a.book = $1 and a.chart_code = {MERCHANT_SHARES} group by a.currency_code
    ) as a on a.currency_code = s.currency_code
    where (coalesce(s.held, 0), coalesce(s.kept, 0), coalesce(s.released, 0))
        <> (coalesce(a.held, 0), coalesce(a.kept, 0), coalesce(a.released, 0))
    """,
)

EVENTS: Final = Check(
    "shares against events",
    f"""
    select 'SHARING_EVENT_MISMATCH',
        'ord_' || replace(coalesce(s.order_id, e.subject)::text, '-', ''),
        'version ' || coalesce(s.version::text, 'none') || ', told '
        || coalesce(e.told::text, 'never')
    from (select * from order_sharing where book = $1) as s
    full join (
        select subject, count(*) as told, max(booked_at_us) as told_at_us from event
        where book = $1 and type = {_CHANGED} group by subject
    ) as e on e.subject = s.order_id
    where s.order_id is null or e.subject is null or s.version <> e.told
        or s.updated_at_us <> e.told_at_us
    """,
)

RECEIVERS: Final = Check(
    "receivers of shares",
    f"""
    select 'RECEIVER_MISMATCH', 'mer_' || replace(r.receiver_id::text, '-', ''),
        'state ' || r.state || ', of mer_' || replace(r.merchant_id::text, '-', '')
    from (select * from sharing_receiver where book = $1) as r
    left join (select * from merchant where book = $1) as m on m.merchant_id = r.merchant_id
    left join (select * from merchant where book = $1) as o on o.merchant_id = r.receiver_id
    where m.merchant_id is null or o.merchant_id is null or m.merchant_id = o.merchant_id
        or m.currency_code <> o.currency_code or r.state not in ({numbers(ReceiverState)})
    """,
)

CHECKS: Final = (SUMS, POSTINGS, HELD, EVENTS, RECEIVERS)
