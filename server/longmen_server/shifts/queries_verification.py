"""The check of shifts, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check

SHIFTS: Final = Check(
    "shifts of tills",
    """
    select 'SHIFT_MISMATCH', 'shift_' || replace(s.shift_id::text, '-', ''),
        case when t.terminal_id is null then 'there is no such till'
            when t.merchant_id <> s.merchant_id then 'the till is another merchant''s'
            when s.cashier_id is not null and c.merchant_id is distinct from s.merchant_id
                then 'the cashier is none of the merchant''s'
            when s.store_id is not null and r.merchant_id is distinct from s.merchant_id
                then 'the store is none of the merchant''s'
            else 'another shift of the till has overlapped it' end
    from (select * from merchant_shift where book = $1) as s
    left join (select * from merchant_terminal where book = $1) as t
        on t.terminal_id = s.terminal_id
    left join (select * from merchant_cashier where book = $1) as c
        on c.cashier_id = s.cashier_id
    left join (select * from merchant_store where book = $1) as r on r.store_id = s.store_id
    where t.terminal_id is null or t.merchant_id <> s.merchant_id
        or (s.cashier_id is not null and c.merchant_id is distinct from s.merchant_id)
        or (s.store_id is not null and r.merchant_id is distinct from s.merchant_id)
        or exists (
            select from merchant_shift as o
            where o.book = $1 and o.terminal_id = s.terminal_id and o.shift_id <> s.shift_id
                and o.opened_at_us < s.opened_at_us
                and coalesce(o.closed_at_us, s.opened_at_us + 1) > s.opened_at_us
        )
    """,
)

CHECKS: Final = (SHIFTS,)
