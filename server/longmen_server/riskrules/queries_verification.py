"""Checks of rules, for `longmen verify`: every decision can be made again from what is kept."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check
from longmen_server.riskrules.model import Cause, RuleSetState

CONTENT: Final = Check(
    "rules against their digests",
    """
    select 'RISK_RULES_MISMATCH', 'version ' || version, 'its rules are not those of its digest'
    from risk_rulebook where book = $1 and sha256(content) <> digest
    union all
    select 'RISK_RULES_MISMATCH', 'rset_' || replace(rule_set_id::text, '-', ''),
        'its rules are not those of its digest'
    from risk_rule_set where book = $1 and sha256(content) <> digest
    """,
)

VERSIONS: Final = Check(
    "versions of rules without gaps",
    f"""
    select 'RISK_RULES_VERSION_MISSING', 'version ' || v.version,
        case when v.version <> v.place then 'a version before it is missing'
            else 'its cause is ' || v.cause end
    from (select version, cause, row_number() over (order by version) as place
        from risk_rulebook where book = $1) as v
    where v.version <> v.place or v.cause not between {min(Cause)} and {max(Cause)}
    """,
)

STATES: Final = Check(
    "states of rule sets against the version that decides",
    f"""
    select 'RISK_RULE_SET_STATE_MISMATCH', 'rset_' || replace(s.rule_set_id::text, '-', ''),
        'its state is ' || s.state || ', which the version that decides does not say'
    from risk_rule_set as s
    left join (select * from risk_rulebook where book = $1 order by version desc limit 1) as b
        on true
    where s.book = $1 and (
        s.state not between {min(RuleSetState)} and {max(RuleSetState)}
        or (s.state = {RuleSetState.ACTIVE.value})
            <> coalesce(b.rule_set_id = s.rule_set_id, false)
        or (s.state = {RuleSetState.SHADOW.value}) <> coalesce(b.tried_id = s.rule_set_id, false))
    """,
)

CHECKS: Final = (CONTENT, VERSIONS, STATES)
