"""Checks of orders, refunds and fees against the ledger, for `longmen verify`.

An order's movements carry its number as their reference, on the account of its merchant.
"""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.verification.queries import Check, account_text, numbers
from longmen_server.payments.model import PAID_STATES, OrderState
from longmen_server.plans.model import BASIS_POINTS, FeeRounding

_MOVED: Final = numbers((PostingKind.POST, PostingKind.CAPTURE))
_PAID: Final = numbers((*PAID_STATES, OrderState.REVERSED))
_PURCHASE: Final = int(PostingCode.PURCHASE)
_REFUND: Final = int(PostingCode.REFUND)
_FEE: Final = int(PostingCode.MERCHANT_FEE)
_FEE_RETURN: Final = int(PostingCode.FEE_RETURN)
_ORDER: Final = "'ord_' || replace(order_id::text, '-', '')"

# What the ledger has of each order: by the merchant's account and the order's number.
_MOVEMENTS: Final = f"""
    select account_id, reference,
        coalesce(sum(amount) filter (where code = {_PURCHASE}), 0) as sold,
        coalesce(sum(amount) filter (where code = {_REFUND}), 0) as returned,
        coalesce(sum(amount) filter (where code = {_FEE}), 0) as charged,
        coalesce(sum(amount) filter (where code = {_FEE_RETURN}), 0) as credited
    from (
        select case when code in ({_PURCHASE}, {_FEE_RETURN}) then credit_account_id
            else debit_account_id end as account_id, reference, code, amount
        from ledger_posting where book = $1 and kind in ({_MOVED})
            and code in ({_PURCHASE}, {_REFUND}, {_FEE}, {_FEE_RETURN})
    ) as p group by account_id, reference
"""

ORDERS: Final = Check(
    "orders against the ledger",
    f"""
    select broken.* from (
        select o.order_id, o.refunded, o.fee, o.fee_returned, m.*,
            case when o.state in ({_PAID}) then o.amount else 0 end as due
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
            from (select * from merchant_order where book = $1 and state in ({_PAID})) as o
            left join (select * from merchant_plan where book = $1) as p on p.plan_id = o.plan_id
        ) as o
    ) as o
    where case when right_fee is null then fee <> 0 else fee <> right_fee end
    """,
)

CHECKS: Final = (ORDERS, FEES)
