"""Checks of challenges for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.challenges.model import CODE_TRIES_MAX
from longmen_server.factors.model import FactorKind
from longmen_server.ledger.verification.queries import Check

CODES: Final = Check(
    "codes of challenges",
    f"""
    select 'CHALLENGE_CODE_STRAY', 'chal_' || replace(s.challenge_id::text, '-', ''),
        case when c.challenge_id is null then 'there is no such challenge'
            when c.customer_id <> s.customer_id then 'the challenge is another customer''s'
            when c.methods & {1 << FactorKind.MESSAGE_CODE} = 0 then 'the challenge takes none'
            else s.tries || ' tries, sent to last beyond the challenge' end
    from (select * from challenge_code where book = $1) as s
    left join (select * from challenge where book = $1) as c using (challenge_id)
    where c.challenge_id is null or c.customer_id <> s.customer_id
        or c.methods & {1 << FactorKind.MESSAGE_CODE} = 0
        or s.tries not between 0 and {CODE_TRIES_MAX} or s.expires_at_us > c.expires_at_us
    """,
)

CHECKS: Final = (CODES,)
