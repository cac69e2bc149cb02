"""The checks of stores and cashiers, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check

OWNERS: Final = Check(
    "stores and cashiers of merchants",
    """
    select 'STORE_MISMATCH', o.id, case when m.merchant_id is null then 'there is no such merchant'
            else 'its state is none there is' end
    from (
        select 'sto_' || replace(store_id::text, '-', '') as id, merchant_id, state
        from merchant_store where book = $1
        union all
        select 'csh_' || replace(cashier_id::text, '-', ''), merchant_id, state
        from merchant_cashier where book = $1
    ) as o
    left join (select * from merchant where book = $1) as m on m.merchant_id = o.merchant_id
    where m.merchant_id is null or o.state not in (1, 2)
    """,
)

# What orders go by is the till's own state: it has to be what the stores and the places say.
PLACES: Final = Check(
    "tills in stores",
    """
    select 'TILL_PLACE_MISMATCH', 'trm_' || replace(t.terminal_id::text, '-', ''),
        case when s.store_id is distinct from p.store_id then 'it was put somewhere else last'
            when t.merchant_id is distinct from r.merchant_id
                then 'its store is none of its merchant''s'
            else 'its store is not what it takes it for, open or closed' end
    from (select * from merchant_terminal where book = $1) as t
    left join (select * from terminal_state where book = $1) as s on s.terminal_id = t.terminal_id
    left join (
        select distinct on (terminal_id) terminal_id, store_id from terminal_place
        where book = $1 order by terminal_id, placed_at_us desc
    ) as p on p.terminal_id = t.terminal_id
    left join (select * from merchant_store where book = $1) as r on r.store_id = s.store_id
    where s.store_id is distinct from p.store_id
        or (s.store_id is not null and r.merchant_id is distinct from t.merchant_id)
        or coalesce(s.store_closed, false) <> coalesce(r.state = 2, false)
    """,
)

CHECKS: Final = (OWNERS, PLACES)
