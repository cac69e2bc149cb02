"""Checks of revaluations against the ledger, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.chart import FX_COUNTER_VALUE
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.verification.queries import Check

_CODE: Final = int(PostingCode.REVALUATION)

# What a posting is about stands in its description, and which account it is in the account's.
REVALUATIONS: Final = Check(
    "revaluations against the ledger",
    f"""
    select 'FX_REVALUATION_MISMATCH', coalesce(r.business_date, p.business_date) || ' '
            || coalesce(r.currency_code, p.currency_code),
        'cost ' || coalesce(r.cost, 0) || ', value ' || coalesce(r.value, 0) || ', result '
            || coalesce(r.realised + r.unrealised, 0) || ', booked ' || coalesce(p.booked, 0)
    from (select * from fx_revaluation where book = $1) as r
    full join (
        select split_part(coalesce(p.description, ''), ' ', 1) as currency_code,
            split_part(coalesce(p.description, ''), ' ', 2) as business_date, p.transaction_id,
            sum(case when a.account_id = p.debit_account_id then p.amount else -p.amount end)
                as booked
        from (select * from ledger_posting where book = $1 and code = {_CODE}) as p
        join (
            select * from ledger_account where book = $1 and chart_code = {FX_COUNTER_VALUE}
        ) as a on a.account_id in (p.debit_account_id, p.credit_account_id)
        group by 1, 2, 3
    ) as p on p.currency_code = r.currency_code and p.business_date = r.business_date
        and p.transaction_id = r.transaction_id
    where r.book is null
        or r.realised + r.unrealised <> coalesce(p.booked, 0)
        or r.value - r.cost <> r.realised + r.unrealised
        or r.credits - r.debits <> r.amount
        or r.counter_debits - r.counter_credits <> r.value
    """,
)

CHECKS: Final = (REVALUATIONS,)
"""Every check of the area, in the order they run."""
