"""Checks of rates, for `longmen verify`: nothing is worth what was never observed."""

from __future__ import annotations

from typing import Final

from longmen_server.fxrates.model import MANUAL
from longmen_server.ledger.verification.queries import Check

RATES: Final = Check(
    "present rates against what was observed",
    f"""
    select 'FX_RATE_MISMATCH', r.currency_code,
        case when s.book is null then 'nothing was observed from ' || r.source || ' at '
            || r.observed_at_us else 'it is ' || r.rate || ', which was not observed' end
    from (select * from fx_rate where book = $1) as r
    left join (select * from fx_sheet where book = $1) as s
        on s.observed_at_us = r.observed_at_us and s.source = r.source
            || case when r.source = '{MANUAL}' then ' ' || r.currency_code else '' end
    where s.book is null
        or strpos(' ' || s.rates || ' ', ' ' || r.currency_code || '=' || r.rate || ' ') = 0
    """,
)

CHECKS: Final = (RATES,)
