"""Checks of billers and bills against events and orders, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.billers.model import KEPT_STATES, BillerState, DueState
from longmen_server.ledger.verification.queries import Check, numbers

_BILLER: Final = "'bil_' || replace(coalesce(b.biller_id, e.subject)::text, '-', '')"
_DUE: Final = "'due_' || replace(coalesce(d.due_id, e.subject)::text, '-', '')"
_PAID_DUE: Final = "'due_' || replace(d.due_id::text, '-', '')"


def _told(type_: int) -> str:
    return (
        "select subject, count(*) as told, max(booked_at_us) as told_at_us from event"
        f" where book = $1 and type = {type_} group by subject"
    )


BILLERS: Final = Check(
    "billers against events",
    f"""
    select 'BILLER_EVENT_MISMATCH', {_BILLER},
        case when b.book is null then 'there are events of it and no such biller'
            when e.subject is null then 'no event of it'
            else 'version ' || b.version || ', it was told ' || e.told || ' times' end
    from (select * from biller where book = $1) as b
    full join ({_told(int(event_pb2.EVENT_TYPE_BILLER_CHANGED))}) as e on e.subject = b.biller_id
    where b.book is null or e.subject is null or b.updated_at_us <> e.told_at_us
        or b.version <> e.told or b.state not in ({numbers(BillerState)})
    """,
)
DUES: Final = Check(
    "bills against events",
    f"""
    select 'DUE_EVENT_MISMATCH', {_DUE},
        case when d.book is null then 'there are events of it and no such bill'
            when e.subject is null then 'no event of its sending'
            else 'version ' || d.version || ', it was told ' || e.told || ' times' end
    from (select * from bill_due where book = $1) as d
    full join ({_told(int(event_pb2.EVENT_TYPE_DUE_CHANGED))}) as e on e.subject = d.due_id
    where d.book is null or e.subject is null or d.updated_at_us <> e.told_at_us
        or d.version <> e.told or d.state not in ({numbers(KEPT_STATES)})
    """,
)
PAYMENTS: Final = Check(
    "bills against orders",
    f"""
    select 'DUE_ORDER_MISMATCH', {_PAID_DUE},
        case when d.order_id is null then 'it is paid by no order'
            when o.book is null then 'the order that paid it is not there'
            when d.state <> {DueState.PAID:d} then 'an order paid it and it is not paid'
            else 'of ' || d.amount || ', its order has ' || o.amount end
    from (
        select * from bill_due where book = $1
            and (state = {DueState.PAID:d} or order_id is not null)
    ) as d
    left join merchant_order as o on o.book = $1 and o.order_id = d.order_id
    where d.state <> {DueState.PAID:d} or d.order_id is null or o.book is null
        or o.transaction_id is null or o.merchant_id <> d.merchant_id
        or (o.amount, o.currency_code) <> (d.amount, d.currency_code)
        or o.payer_account_id is distinct from d.payer_account_id
        or o.paid_at_us is distinct from d.paid_at_us
        or o.order_number <> {_PAID_DUE}
    """,
)

CHECKS: Final = (BILLERS, DUES, PAYMENTS)
