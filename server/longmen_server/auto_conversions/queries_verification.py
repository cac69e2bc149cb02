"""Checks of automatic conversions, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check, account_text, transaction_text

PAYMENTS: Final = Check(
    "payments that exchanged what they lacked",
    f"""
    select 'FX_AUTO_CONVERSION_MISMATCH', {transaction_text("transaction_id")},
        case when target is null then 'nothing was exchanged for it'
            when not is_paid then 'exchanged ' || target || ' for a payment that was not made'
            else 'kept as ' || amount || ', exchanged ' || target end
    from (
        select p.*, q.target, q.to_account_id, exists (
            select from ledger_posting as l where l.book = $1
                and l.transaction_id = p.transaction_id and l.debit_account_id = p.account_id
        ) as is_paid
        from (select * from fx_auto_payment where book = $1) as p
        left join (select * from fx_conversion where book = $1) as c
            on c.conversion_id = p.conversion_id
        left join (select * from fx_quote where book = $1) as q on q.quote_id = c.quote_id
    ) as paid
    where target is distinct from amount or to_account_id is distinct from account_id
        or not is_paid
    """,
)

CAPS: Final = Check(
    "what a day's payments exchanged",
    f"""
    select 'FX_AUTO_CONVERSION_MISMATCH', {account_text("account_id")},
        'day ' || day || ', counted ' || day_used || ', payments come to ' || told
    from (
        select a.*, coalesce((
            select sum(p.amount) from fx_auto_payment as p
            where p.book = $1 and p.account_id = a.account_id and p.day = a.day
        ), 0) as told
        from (select * from fx_auto_conversion where book = $1) as a
    ) as counted
    where day_used <> told or (enabled and (sources = '' or payment_max not between 1 and day_max))
    """,
)

CHECKS: Final = (PAYMENTS, CAPS)
"""Every check of the area, in the order they run."""
