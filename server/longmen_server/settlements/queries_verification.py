"""Checks of settlements, and so of bills, against the ledger, for `longmen verify`.

A bill has the movements between two versions of the merchant's account; so it is right when the
ranges leave nothing out and the sums are those of the ledger.
"""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.verification.queries import Check, transaction_text
from longmen_server.settlements.model import SettlementState
from longmen_server.settlements.queries import MOVED

_PURCHASE: Final = int(PostingCode.PURCHASE)
_REFUND: Final = int(PostingCode.REFUND)
_FEE: Final = int(PostingCode.MERCHANT_FEE)
_FEE_RETURN: Final = int(PostingCode.FEE_RETURN)
_TIP: Final = int(PostingCode.TIP)
_TIP_REFUND: Final = int(PostingCode.TIP_REFUND)
_PAYOUT: Final = int(PostingCode.SETTLEMENT)
_PENDING: Final = int(SettlementState.PENDING)
_SETTLED: Final = int(SettlementState.SETTLED)
_CARRIED: Final = int(SettlementState.CARRIED)
_SUBJECT: Final = "'stl_' || replace(settlement_id::text, '-', '')"


_NET: Final = "sales + tips - refunds - tips_returned - fees + fees_returned + other"


def _side(side: str, sign: str) -> str:
    return (
        f"select code, amount, {sign}amount as signed, '{side}' as side from ledger_posting"
        f" where book = $1 and {side}_account_id = s.account_id and {side}_version > s.from_version"
        f" and {side}_version <= s.to_version and kind in ({MOVED})"
    )


def _sum(code: int, side: str) -> str:
    return f"coalesce(sum(amount) filter (where code = {code} and side = '{side}'), 0)"


SUMS: Final = Check(
    "settlements against the ledger",
    f"""
    select 'SETTLEMENT_SUM_MISMATCH', {_SUBJECT},
        'net ' || {_NET} || ' of ' || sale_count || ' and '
        || refund_count || ', the ledger has ' || l.net || ' of ' || l.sold || ' and ' || l.returned
    from (select * from merchant_settlement where book = $1) as s
    cross join lateral (
        select coalesce(sum(signed) filter (where code <> {_PAYOUT} or side = 'credit'), 0) as net,
            count(*) filter (where code = {_PURCHASE} and side = 'credit') as sold,
            {_sum(_PURCHASE, "credit")} as sale_sum,
            count(*) filter (where code = {_REFUND} and side = 'debit') as returned,
            {_sum(_REFUND, "debit")} as refund_sum,
            {_sum(_FEE, "debit")} as fee_sum,
            {_sum(_FEE_RETURN, "credit")} as fee_back,
            {_sum(_TIP, "credit")} as tip_sum, {_sum(_TIP_REFUND, "debit")} as tip_back
        from ({_side("debit", "-")} union all {_side("credit", "")}) as p
    ) as l
    where {_NET} <> l.net
        or (s.sale_count, s.sales, s.refund_count, s.refunds, s.fees, s.fees_returned, s.tips,
            s.tips_returned)
        <> (l.sold, l.sale_sum, l.returned, l.refund_sum, l.fee_sum, l.fee_back, l.tip_sum,
            l.tip_back)
    """,
)

CHAIN: Final = Check(
    "settlements one after the other",
    f"""
    select broken.* from (
        select s.*, coalesce(lag(to_version) over days, 0) as before,
            lead(to_version) over days as after, p.closed_version, p.closed_date, p.carried,
            p.settled_date,
            coalesce(lag(carried_out) over days, 0) as carried_before,
            lead(s.state) over days as next_state
        from (select * from merchant_settlement where book = $1) as s
        left join (select * from merchant_position where book = $1) as p
            on p.merchant_id = s.merchant_id
        window days as (partition by s.merchant_id order by s.business_date)
    ) as s
    cross join lateral (
        select 'SETTLEMENT_GAP', {_SUBJECT},
            'versions ' || from_version || ' to ' || to_version || ' after ' || before
            where from_version <> before or to_version <= from_version
        union all
        select 'SETTLEMENT_GAP', {_SUBJECT},
            'closed up to ' || coalesce(closed_version::text, 'nothing') || ', the last has '
            || to_version
            where after is null and (closed_version is distinct from to_version
                or closed_date is distinct from business_date)
        union all
        select 'SETTLEMENT_CARRY_MISMATCH', {_SUBJECT},
            'carried in ' || carried_in || ', out ' || carried_out || ', paid ' || paid
            || ', carried before ' || carried_before
            where state <> {_PENDING} and (carried_in <> carried_before or carried_out <>
                carried_in + {_NET} - paid)
        union all
        select 'SETTLEMENT_CARRY_MISMATCH', {_SUBJECT},
            'carried out ' || carried_out || ', the merchant''s position is ' || carried
            where state <> {_PENDING} and coalesce(next_state, {_PENDING}) = {_PENDING}
                and (carried <> carried_out or settled_date <> business_date)
    ) as broken (kind, subject, detail)
    """,
)

PAYOUTS: Final = Check(
    "payouts of settlements",
    f"""
    select 'SETTLEMENT_POSTING_MISMATCH',
        coalesce({_SUBJECT}, {transaction_text("p.transaction_id")}),
        case when settlement_id is null then 'a payout of no settlement'
            else 'state ' || state || ', paid ' || paid || ', its posting '
                || coalesce(p.amount::text, 'is missing') end
    from (
        select * from merchant_settlement where book = $1 and state <> {_PENDING}
    ) as s
    full join (
        select transaction_id, debit_account_id, amount, currency_code from ledger_posting
        where book = $1 and code = {_PAYOUT} and ordinal = 0
    ) as p on p.transaction_id = s.transaction_id
    where settlement_id is null
        or (state = {_SETTLED}) <> (p.amount is not null)
        or (state = {_CARRIED} and paid <> 0)
        or p.amount <> paid or p.debit_account_id <> s.account_id
        or p.currency_code <> s.currency_code
    """,
)

CHECKS: Final = (SUMS, CHAIN, PAYOUTS)
