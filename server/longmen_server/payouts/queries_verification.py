"""Checks of payouts against settlements, the ledger and events, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.chart import BANK_CLEARING, MERCHANT_SETTLEMENT
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.verification.queries import Check, numbers, transaction_text
from longmen_server.payouts.model import PayoutAccountState, PayoutState
from longmen_server.settlements.model import SettlementState

_PAYOUT: Final = int(PostingCode.PAYOUT)
_RETURN: Final = int(PostingCode.PAYOUT_RETURN)
_WAITING: Final = int(PayoutState.WAITING)
_RETURNED: Final = int(PayoutState.RETURNED)
_SETTLED: Final = int(SettlementState.SETTLED)
_CHANGED: Final = int(event_pb2.EVENT_TYPE_PAYOUT_CHANGED)
_SUBJECT: Final = "'stl_' || replace(settlement_id::text, '-', '')"
_MERCHANT: Final = "'mer_' || replace(merchant_id::text, '-', '')"

SETTLEMENTS: Final = Check(
    "payouts against settlements",
    f"""
    select 'PAYOUT_MISMATCH', {_SUBJECT.replace("settlement_id", "p.settlement_id")},
        case when s.settlement_id is null then 'there is no such settlement'
            else 'state ' || p.state || ', ' || p.amount || ' of what was settled, ' || s.paid end
    from (select * from merchant_payout where book = $1) as p
    left join (select * from merchant_settlement where book = $1) as s
        on s.settlement_id = p.settlement_id
    where s.settlement_id is null or s.state <> {_SETTLED} or s.paid <> p.amount
        or s.merchant_id <> p.merchant_id or s.account_id <> p.account_id
        or s.currency_code <> p.currency_code or s.business_date <> p.business_date
        or p.state not in ({numbers(PayoutState)})
        or (p.state <> {_WAITING}) <> (p.payout_account_id is not null)
    """,
)


def _posted(code: int, column: str, wanted: str) -> str:
    """Return what is wrong between payouts and the postings of a code, in both directions."""
    return f"""
    select 'PAYOUT_POSTING_MISMATCH',
        coalesce({_SUBJECT}, {transaction_text("p.transaction_id")}),
        case when settlement_id is null then 'a posting of no payout'
            else 'state ' || state || ', ' || amount || ', its posting has '
                || coalesce(p.posted::text, 'nothing') end
    from (select * from merchant_payout where book = $1 and {column} is not null or book = $1
        and {wanted}) as o
    full join (
        select l.transaction_id, l.amount as posted, l.currency_code as posted_currency,
            l.debit_account_id, l.credit_account_id, d.chart_code as debit_chart,
            c.chart_code as credit_chart
        from ledger_posting as l
        join ledger_account as d on d.book = $1 and d.account_id = l.debit_account_id
        join ledger_account as c on c.book = $1 and c.account_id = l.credit_account_id
        where l.book = $1 and l.code = {code}
    ) as p on p.transaction_id = o.{column}
    where settlement_id is null or p.transaction_id is null or not {wanted}
        or posted <> amount or posted_currency <> currency_code
    """


POSTINGS: Final = Check(
    "payouts against the ledger",
    f"""
    {
        _posted(_PAYOUT, "transaction_id", f"state <> {_WAITING}").replace(
            "or posted <> amount",
            f"or debit_chart <> {MERCHANT_SETTLEMENT} or credit_chart <> {BANK_CLEARING}"
            " or posted <> amount",
        )
    }
    union all
    {
        _posted(_RETURN, "return_transaction_id", f"state = {_RETURNED}").replace(
            "or posted <> amount",
            f"or debit_chart <> {BANK_CLEARING}"
            f" or (credit_account_id <> account_id and credit_chart <> {MERCHANT_SETTLEMENT})"
            " or posted <> amount",
        )
    }
    """,
)

EVENTS: Final = Check(
    "payouts against events",
    f"""
    select 'PAYOUT_EVENT_MISMATCH',
        'stl_' || replace(coalesce(p.settlement_id, e.subject)::text, '-', ''),
        'changed at ' || coalesce(p.updated_at_us::text, 'no time') || ', its last event is of '
            || coalesce(e.told_at_us::text, 'no time')
    from (select * from merchant_payout where book = $1) as p
    full join (
        select subject, max(booked_at_us) as told_at_us from event
        where book = $1 and type = {_CHANGED} group by subject
    ) as e on e.subject = p.settlement_id
    where p.settlement_id is null or e.subject is null or p.updated_at_us <> e.told_at_us
    """,
)

ACCOUNTS: Final = Check(
    "accounts that merchants are paid on",
    f"""
    select 'PAYOUT_ACCOUNT_MISMATCH', {_MERCHANT.replace("merchant_id", "a.merchant_id")},
        'state ' || a.state || case when m.merchant_id is null then ' of no merchant' else '' end
    from (select * from merchant_payout_account where book = $1) as a
    left join (select * from merchant where book = $1) as m on m.merchant_id = a.merchant_id
    where m.merchant_id is null
        or a.state not in (0, {int(PayoutAccountState.ACTIVE)}, {int(PayoutAccountState.SUSPENDED)})
        or (a.state = 0) <> (a.account_id is null) or (a.account_id is null) <> (a.sealed is null)
        or (a.candidate_id is null) <> (a.candidate_sealed is null)
    """,
)

CHECKS: Final = (SETTLEMENTS, POSTINGS, EVENTS, ACCOUNTS)
