"""The check of combined orders against their parts, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check
from longmen_server.payments.model import PAID_STATES, OrderState

_WAS_PAID: Final = ", ".join(str(int(one)) for one in sorted({*PAID_STATES, OrderState.REVERSED}))

COMBINED: Final = Check(
    "combined orders against their parts",
    f"""
    select 'COMBINED_ORDER_MISMATCH',
        'cmb_' || replace(coalesce(c.combined_id, o.combined_id)::text, '-', ''),
        case when c.combined_id is null then 'there are parts of it and no such combined order'
            when o.combined_id is null then 'it has no parts'
            when length(c.order_ids) <> 16 * o.parts then o.parts || ' parts name it'
            when c.total <> o.total then 'total ' || c.total || ', its parts come to ' || o.total
            else o.paid || ' of ' || o.parts || ' parts are paid' end
    from (select * from combined_order where book = $1) as c
    full join (
        select combined_id, count(*) as parts, sum(amount) as total,
            count(*) filter (where state in ({_WAS_PAID})) as paid,
            count(distinct payer_account_id) as payers
        from merchant_order where book = $1 and combined_id is not null group by combined_id
    ) as o on o.combined_id = c.combined_id
    where c.combined_id is null or o.combined_id is null
        or length(c.order_ids) <> 16 * o.parts or c.total <> o.total
        or o.paid <> case when c.paid_at_us is null then 0 else o.parts end or o.payers > 1
    """,
)

CHECKS: Final = (COMBINED,)
