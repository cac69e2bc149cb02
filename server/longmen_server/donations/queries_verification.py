"""Checks of donations against orders and events, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.verification.queries import Check

_TOLD: Final = int(event_pb2.EVENT_TYPE_DONATED)
_SUBJECT: Final = "'don_' || replace(coalesce(d.donation_id, e.subject)::text, '-', '')"

DONATIONS: Final = Check(
    "donations against orders and events",
    f"""
    select 'DONATION_MISMATCH', {_SUBJECT},
        case when d.book is null then 'there is an event of it and no such donation'
            when e.subject is null then 'no event of it'
            when o.book is null then 'the order that paid it is not there'
            else 'of ' || d.amount || ', its order has ' || o.amount end
    from (select * from donation where book = $1) as d
    full join (
        select subject from event where book = $1 and type = {_TOLD}
    ) as e on e.subject = d.donation_id
    left join merchant_order as o on o.book = $1 and o.order_id = d.order_id
    where d.book is null or e.subject is null or o.book is null
        or o.merchant_id <> d.merchant_id or o.transaction_id is distinct from d.transaction_id
        or (o.amount, o.currency_code) <> (d.amount, d.currency_code)
        or o.payer_account_id is distinct from d.account_id
        or o.paid_at_us is distinct from d.donated_at_us
        or o.order_number <> 'don_' || replace(d.donation_id::text, '-', '')
    """,
)

CHECKS: Final = (DONATIONS,)
