"""Checks of promotions against the conversions that they were spent on, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.conversions.model import QuoteState, ReversalBasis
from longmen_server.ledger.verification.queries import Check

PROMOTIONS: Final = Check(
    "promotions against conversions",
    f"""
    select 'FX_PROMOTION_MISMATCH', 'fxp_' || replace(promotion_id::text, '-', ''),
        'budget ' || coalesce(budget, 0) || ', spent ' || coalesce(used, 0)
            || ', conversions come to ' || told
    from (
        select coalesce(p.promotion_id, q.promotion_id) as promotion_id, p.budget, p.used,
            coalesce(q.told, 0) as told
        from (select * from fx_promotion where book = $1) as p
        full join (
            select promotion_id, sum(discount) as told
            from (select * from fx_quote where book = $1 and promotion_id is not null) as u
            left join (
                select * from fx_reversal where book = $1 and basis = {int(ReversalBasis.ORIGINAL)}
            ) as r on r.conversion_id = u.conversion_id
            where state = {int(QuoteState.USED)} and r.book is null
            group by promotion_id
        ) as q on q.promotion_id = p.promotion_id
    ) as spent
    where used is distinct from told or used > budget
    """,
)

CHECKS: Final = (PROMOTIONS,)
"""Every check of the area, in the order they run."""
