"""Checks of orders, refunds and fees against the ledger, for `longmen verify`.

An order's movements carry its number as their reference, on the account of its merchant.
"""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import HoldState, PostingKind
from longmen_server.ledger.verification.queries import Check, account_text, numbers
from longmen_server.payments.model import PAID_STATES, OrderState
from longmen_server.plans.model import BASIS_POINTS, FeeRounding

_MOVED: Final = numbers((PostingKind.POST, PostingKind.CAPTURE))
_PAID: Final = numbers((*PAID_STATES, OrderState.REVERSED))
_PURCHASE: Final = int(PostingCode.PURCHASE)
_REFUND: Final = int(PostingCode.REFUND)
_FEE: Final = int(PostingCode.MERCHANT_FEE)
_FEE_RETURN: Final = int(PostingCode.FEE_RETURN)
_TIP: Final = int(PostingCode.TIP)
_TIP_REFUND: Final = int(PostingCode.TIP_REFUND)
_ORDER: Final = "'ord_' || replace(order_id::text, '-', '')"

# What the ledger has of each order: by the merchant's account and the order's number.
_MOVEMENTS: Final = f"""
    select account_id, reference,
        coalesce(sum(amount) filter (where code = {_PURCHASE}), 0) as sold,
        coalesce(sum(amount) filter (where code = {_REFUND}), 0) as returned,
        coalesce(sum(amount) filter (where code = {_FEE}), 0) as charged,
        coalesce(sum(amount) filter (where code = {_FEE_RETURN}), 0) as credited,
        coalesce(sum(amount) filter (where code = {_TIP}), 0) as tipped,
        coalesce(sum(amount) filter (where code = {_TIP_REFUND}), 0) as untipped
    from (
        select case when code in ({_PURCHASE}, {_FEE_RETURN}, {_TIP}) then credit_account_id
            else debit_account_id end as account_id, reference, code, amount
        from ledger_posting where book = $1 and kind in ({_MOVED})
            and code in ({_PURCHASE}, {_REFUND}, {_FEE}, {_FEE_RETURN}, {_TIP}, {_TIP_REFUND})
    ) as p group by account_id, reference
"""

ORDERS: Final = Check(
    "orders against the ledger",
    f"""
    select broken.* from (
        select o.order_id, o.refunded, o.fee, o.fee_returned, o.tip_refunded, m.*,
            case when o.state in ({_PAID}) then o.tip else 0 end as tip,
            case when o.captured is not null then o.captured
                when o.state in ({_PAID}) then o.amount else 0 end as due
        from (select * from merchant_order where book = $1) as o
        full join ({_MOVEMENTS}) as m
            on m.account_id = o.account_id and m.reference = o.order_number
    ) as o
    cross join lateral (
        select 'ORDER_POSTING_MISMATCH',
            coalesce({_ORDER}, {account_text("account_id")}),
            case when order_id is null then 'movements of no order: ' || coalesce(reference, '')
                else 'paid ' || due || ', its movements ' || coalesce(sold, 0) end
            where order_id is null or due <> coalesce(sold, 0)
        union all
        select 'ORDER_REFUND_MISMATCH', {_ORDER},
            'refunded ' || refunded || ', its movements ' || coalesce(returned, 0)
            where refunded <> coalesce(returned, 0)
        union all
        select 'TIP_POSTING_MISMATCH', {_ORDER},
            'tip ' || tip || ' less ' || tip_refunded || ', its movements '
            || coalesce(tipped, 0) || ' less ' || coalesce(untipped, 0)
            where tip <> coalesce(tipped, 0) or tip_refunded <> coalesce(untipped, 0)
        union all
        select 'FEE_POSTING_MISMATCH', {_ORDER},
            'fee ' || fee || ' less ' || fee_returned || ', its movements '
            || coalesce(charged, 0) || ' less ' || coalesce(credited, 0)
            where fee <> coalesce(charged, 0) or fee_returned <> coalesce(credited, 0)
    ) as broken (kind, subject, detail)
    """,
)

_UP: Final = f"""
    case rounding
        when {FeeRounding.HALF_UP:d} then rest >= {BASIS_POINTS // 2}
        when {FeeRounding.HALF_EVEN:d} then rest > {BASIS_POINTS // 2}
            or (rest = {BASIS_POINTS // 2} and mod(whole, 2) = 1)
        when {FeeRounding.UP:d} then rest > 0 else false end::int
"""

FEES: Final = Check(
    "fees against plans",
    f"""
    select 'FEE_PLAN_MISMATCH', {_ORDER},
        'fee ' || fee || ', by its plan ' || coalesce(right_fee, 0)
    from (
        select order_id, fee, case when rounding is not null then least(amount,
            whole + {_UP} + fixed_minor_units, nullif(cap_minor_units, 0)) end as right_fee
        from (
            select o.order_id, o.fee, o.amount, p.rounding, p.fixed_minor_units, p.cap_minor_units,
                div(o.amount::numeric * p.basis_points, {BASIS_POINTS}) as whole,
                mod(o.amount::numeric * p.basis_points, {BASIS_POINTS}) as rest
            from (
                select order_id, plan_id, fee, coalesce(captured, amount) as amount
                from merchant_order where book = $1
                    and (captured > 0 or (captured is null and state in ({_PAID})))
            ) as o
            left join (select * from merchant_plan where book = $1) as p on p.plan_id = o.plan_id
        ) as o
    ) as o
    where case when right_fee is null then fee <> 0 else fee <> right_fee end
    """,
)

_OPEN: Final = int(OrderState.AUTHORIZED)

# An order's holds are the pending postings with its number on its merchant's account.
AUTHORIZATIONS: Final = Check(
    "authorized orders against holds",
    f"""
    select broken.* from (
        select o.order_id, o.state, o.amount, o.captured, o.refunded, a.authorized,
            a.over_captured, coalesce(h.held, 0) as held, coalesce(h.taken, 0) as taken,
            coalesce(c.total, 0) as captures, r.book as release,
            coalesce(h.remaining, 0) as remaining
        from (
            select * from merchant_order where book = $1 and captured is not null
        ) as o
        full join (select * from order_authorization where book = $1) as a
            on a.order_id = o.order_id
        left join (
            select p.credit_account_id, p.reference, sum(h.amount) as held,
                sum(h.captured) as taken, sum(h.remaining) filter (
                    where h.state = {HoldState.HELD:d}) as remaining
            from (
                select * from ledger_posting where book = $1 and code = {_PURCHASE}
                    and kind = {PostingKind.PENDING:d}
            ) as p
            join (select * from ledger_hold where book = $1) as h
                on h.transaction_id = p.transaction_id and h.ordinal = p.ordinal
            group by p.credit_account_id, p.reference
        ) as h on h.credit_account_id = o.account_id and h.reference = o.order_number
        left join (
            select order_id, sum(amount) as total from order_capture where book = $1
            group by order_id
        ) as c on c.order_id = o.order_id
        left join (select * from order_release where book = $1) as r on r.order_id = o.order_id
    ) as o
    cross join lateral (
        select 'AUTHORIZATION_MISMATCH', {_ORDER},
            'authorized ' || coalesce(authorized::text, 'nothing') || ', the holds are of ' || held
            where authorized is distinct from held
        union all
        select 'CAPTURE_MISMATCH', {_ORDER},
            'captured ' || captured || ', ' || taken || ' of its holds and ' || over_captured
                || ' beyond, its captures are ' || captures
            where captured <> taken + over_captured or captured <> captures
                or refunded > captured
        union all
        select 'HOLD_NOT_RELEASED', {_ORDER}, remaining || ' is held and nobody will release it'
            where state <> {_OPEN} and remaining > 0 and release is null
    ) as broken (kind, subject, detail)
    """,
)

CHECKS: Final = (ORDERS, FEES, AUTHORIZATIONS)
