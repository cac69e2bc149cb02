"""Checks of quotes and conversions against the ledger, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.conversions.model import QuoteState
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.verification.queries import Check, numbers, transaction_text

_USED: Final = int(QuoteState.USED)
_RESULT: Final = int(PostingCode.EXCHANGE_RESULT)
_QUOTE_TEXT: Final = "'fxq_' || replace(quote_id::text, '-', '')"

CONVERSIONS: Final = Check(
    "conversions against the ledger",
    f"""
    select 'FX_CONVERSION_MISMATCH', {transaction_text("transaction_id")},
        case when quoted is null then 'there is no such quote'
            else 'offered ' || source || ' for ' || target || ', booked '
                || coalesce(paid, 0) || ' for ' || coalesce(got, 0) end
    from (
        select c.transaction_id, q.book as quoted, q.source, q.target, q.spread, q.residue,
            q.state, q.conversion_id = c.conversion_id as is_same, p.paid, p.got, p.kept
        from (select * from fx_conversion where book = $1) as c
        left join (select * from fx_quote where book = $1) as q on q.quote_id = c.quote_id
        left join lateral (
            select sum(amount) filter (where debit_account_id = q.from_account_id) as paid,
                sum(amount) filter (where credit_account_id = q.to_account_id) as got,
                coalesce(sum(amount) filter (
                    where code = {_RESULT} and currency_code = q.target_currency
                ), 0) as kept
            from ledger_posting
            where book = $1 and transaction_id = c.transaction_id
        ) as p on true
    ) as booked
    where quoted is null or state <> {_USED} or is_same is distinct from true
        or paid is distinct from source or got is distinct from target
        or kept < spread + residue
    """,
)

QUOTES: Final = Check(
    "quotes",
    f"""
    select 'FX_QUOTE_MISMATCH', {_QUOTE_TEXT},
        'state ' || state || ' with' || case when found is null then 'out' else '' end
            || ' a conversion'
    from (
        select q.*, c.book as found from (select * from fx_quote where book = $1) as q
        left join (select * from fx_conversion where book = $1) as c on c.quote_id = q.quote_id
    ) as quotes
    where state not in ({numbers(QuoteState)})
        or (state = {_USED}) <> (found is not null)
        or (conversion_id is not null) <> (found is not null)
    """,
)

CHECKS: Final = (CONVERSIONS, QUOTES)
