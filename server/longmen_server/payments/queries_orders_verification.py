"""Checks of orders, refunds, references and scans against the ledger, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.verification.queries import Check, numbers, transaction_text
from longmen_server.payments.model import PAID_STATES, AttemptOutcome, OrderState

_CHANGED: Final = int(event_pb2.EVENT_TYPE_ORDER_CHANGED)
_POST: Final = int(PostingKind.POST)
_PURCHASE: Final = int(PostingCode.PURCHASE)
_REFUND: Final = int(PostingCode.REFUND)
_TIP_REFUND: Final = int(PostingCode.TIP_REFUND)
_PAID: Final = int(OrderState.PAID)
_PARTLY: Final = int(OrderState.PARTIALLY_REFUNDED)
_REFUNDED: Final = int(OrderState.REFUNDED)
_REVERSED: Final = int(OrderState.REVERSED)
_WAS_PAID: Final = ", ".join(str(int(one)) for one in sorted({*PAID_STATES, OrderState.REVERSED}))
_ATTEMPT_PAID: Final = int(AttemptOutcome.PAID)


def order_text(column: str) -> str:
    """Return SQL of the text form of an order's id."""
    return f"'ord_' || replace({column}::text, '-', '')"


ORDERS: Final = Check(
    "orders against their payments",
    f"""
    select broken.* from (
        select o.*, p.kind as posting_kind, p.code, p.debit_account_id, p.credit_account_id,
            p.amount as posting_amount, p.currency_code as posting_currency,
            o.amount + o.tip as total, o.refunded + o.tip_refunded as back,
            coalesce(r.total, 0) as refunds
        -- Those whose money was held first are looked at with their holds.
        from (select * from merchant_order where book = $1 and captured is null) as o
        left join (select * from ledger_posting where book = $1 and ordinal = 0) as p
            on p.transaction_id = o.transaction_id
        left join (
            select order_id, sum(amount) as total from order_refund where book = $1
            group by order_id
        ) as r on r.order_id = o.order_id
    ) as o
    cross join lateral (
        select 'ORDER_PAYMENT_MISMATCH', {order_text("order_id")},
            case when state not in ({_WAS_PAID}) then 'it is not paid and names a payment'
                when posting_kind is null then 'it is paid and there is no such posting'
                else amount || ' ' || currency_code || ', its posting has ' || posting_amount
                    || ' ' || posting_currency || ' or is another movement' end
            where case when state in ({_WAS_PAID}) then
                    (posting_kind, code, posting_amount, posting_currency, debit_account_id,
                        credit_account_id)
                    is distinct from ({_POST}::smallint, {_PURCHASE}::smallint, amount,
                        currency_code, payer_account_id, account_id)
                    or paid_at_us is null
                else transaction_id is not null or payer_account_id is not null
                    or paid_at_us is not null end
        union all
        select 'ORDER_STATE_MISMATCH', {order_text("order_id")},
            'state ' || state || ', ' || back || ' of ' || total || ' went back, '
                || refunds || ' of it by refunds'
            where state not in ({numbers(OrderState)}) or case
                when state = {_PAID} then back <> 0 or refunds <> 0
                when state = {_PARTLY} then back <> refunds or back not between 1 and total - 1
                when state = {_REFUNDED} then back <> total or refunds <> total
                when state = {_REVERSED} then back <> total or refunds >= total
                else back <> 0 or refunds <> 0 end
    ) as broken (kind, subject, detail)
    """,
)

REFUNDS: Final = Check(
    "refunds against their postings",
    f"""
    select 'REFUND_POSTING_MISMATCH', {transaction_text("r.transaction_id")},
        case when o.order_id is null then 'there is no such order'
            when p.kind is null then 'there is no such posting'
            else r.amount - r.tip || ' ' || r.currency_code || ' and a tip of ' || r.tip
                || ', the posting has ' || p.amount || ' ' || p.currency_code
                || ' or is another movement' end
    from (select * from order_refund where book = $1) as r
    left join (select * from merchant_order where book = $1) as o on o.order_id = r.order_id
    left join (select * from ledger_posting where book = $1 and ordinal = 0) as p
        on p.transaction_id = r.transaction_id
    where o.order_id is null or (p.kind, p.code, p.amount, p.currency_code, p.debit_account_id,
            p.credit_account_id)
        is distinct from ({_POST}::smallint,
            case when r.tip < r.amount then {_REFUND} else {_TIP_REFUND} end::smallint,
            case when r.tip < r.amount then r.amount - r.tip else r.tip end, r.currency_code,
            o.account_id, o.payer_account_id)
        or r.tip <> (
            select coalesce(sum(t.amount), 0) from ledger_posting as t
            where t.book = $1 and t.transaction_id = r.transaction_id and t.code = {_TIP_REFUND}
        )
    """,
)

# An order that a refused scan left open has not changed yet, and nothing to tell.
ORDER_EVENTS: Final = Check(
    "orders against events",
    f"""
    select 'ORDER_EVENT_MISMATCH', {order_text("coalesce(o.order_id, e.subject)")},
        case when o.book is null then 'there are events of it and no such order'
            when e.subject is null then 'no event of its changes'
            else 'changed at ' || o.updated_at_us || ', its last event is of ' || e.told_at_us end
    from (select * from merchant_order where book = $1) as o
    full join (
        select subject, max(booked_at_us) as told_at_us from event
        where book = $1 and type = {_CHANGED} group by subject
    ) as e on e.subject = o.order_id
    where o.book is null or (o.version > 0 and e.subject is null)
        or o.updated_at_us <> e.told_at_us
    """,
)

REFERENCES: Final = Check(
    "tills' references",
    f"""
    select 'TERMINAL_REFERENCE_MISMATCH', {order_text("coalesce(o.order_id, t.order_id)")},
        case when o.order_id is null then 'a reference leads to it and there is no such order'
            when t.order_id is null then 'its reference does not lead to it'
            else 'its reference is another one' end
    from (select * from merchant_order where book = $1 and terminal_id is not null) as o
    full join (
        select * from terminal_reference where book = $1 and order_id is not null
    ) as t on t.order_id = o.order_id
    where (o.terminal_id, o.trace_number, o.business_date)
        is distinct from (t.terminal_id, t.trace_number, t.business_date)
    """,
)

ATTEMPTS: Final = Check(
    "scans against orders",
    f"""
    select 'ATTEMPT_MISMATCH', {order_text("a.order_id")},
        case when o.order_id is null then 'it was scanned for and there is no such order'
            when a.outcome not in ({numbers(AttemptOutcome)}) then 'outcome ' || a.outcome
            else 'a scan paid it from another account, or not' end
    from (select * from order_attempt where book = $1) as a
    left join (select * from merchant_order where book = $1) as o on o.order_id = a.order_id
    where o.order_id is null or a.outcome not in ({numbers(AttemptOutcome)})
        or (a.outcome = {_ATTEMPT_PAID}
            and (o.state not in ({_WAS_PAID}) or o.payer_account_id is distinct from a.account_id))
    """,
)

CHECKS: Final = (ORDERS, REFUNDS, ORDER_EVENTS, REFERENCES, ATTEMPTS)
