"""Checks of resets of factors, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.factors.model import FactorState
from longmen_server.ledger.verification.queries import Check, customer_text, numbers
from longmen_server.recovery.model import Evidence, ResetState

__all__ = ["CHECKS"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_FACTOR_RESET_CHANGED)
_COOLING: Final = int(ResetState.COOLING)
_EFFECTIVE: Final = int(ResetState.EFFECTIVE)

# The first field of an event's payload is the state: tag 8, then the number itself.
RESETS: Final = Check(
    "resets of factors",
    f"""
    select broken.* from (
        select coalesce(r.customer_id, e.subject) as id, r.book as present, r.state, r.evidence,
            r.approved_at_us, r.effective_at_us, r.changed_at_us, e.booked_at_us as told_at_us,
            get_byte(e.payload, 1) as told, w.erased_at_us,
            position(sha256(convert_to(concat_ws('|', r.kinds, r.evidence, r.evidence_reference,
                r.thumbprint, r.approved_at_us, r.effective_at_us), 'UTF8')) in e.payload) > 0
                as agreed
        from (select * from factor_reset where book = $1) as r
        full join (
            select distinct on (subject) subject, booked_at_us, payload from event
            where book = $1 and type = {_CHANGED} order by subject, booked_at_us desc
        ) as e on e.subject = r.customer_id
        left join (select * from wallet where book = $1) as w
            on w.customer_id = coalesce(r.customer_id, e.subject)
    ) as r
    cross join lateral (
        select 'FACTOR_RESET_MISMATCH', {customer_text("id")}, case
            when present is null then 'an event tells of a reset, and there is none'
            when told is null then 'no event tells of it'
            when not agreed then 'it is not what was agreed on'
            else 'it is in state ' || state || ' since ' || changed_at_us || ', its event tells '
                || told || ' at ' || told_at_us end
            where (present is null and erased_at_us is null) or (present is not null
                and (told is null or told <> state or told_at_us <> changed_at_us or not agreed))
        union all
        select 'FACTOR_RESET_MISMATCH', {customer_text("id")},
            'of evidence ' || evidence || ', effective at ' || effective_at_us
                || ', approved at ' || approved_at_us || ', in state ' || state
                || ' since ' || changed_at_us
            where state not in ({numbers(ResetState)}) or evidence not in ({numbers(Evidence)})
                or effective_at_us <= approved_at_us
                or (state = {_EFFECTIVE} and changed_at_us < effective_at_us)
                or (state = {_COOLING} and changed_at_us > effective_at_us)
    ) as broken (kind, subject, detail)
    """,
)

LEFT: Final = Check(
    "factors that a reset has removed",
    f"""
    select 'FACTOR_RESET_INEFFECTIVE', {customer_text("r.customer_id")},
        'a factor of kind ' || f.kind || ' of ' || f.changed_at_us || ' is still there'
    from factor_reset as r
    join factor as f on f.book = $1 and f.customer_id = r.customer_id
    where r.book = $1 and r.state = {_EFFECTIVE} and f.state = {int(FactorState.ACTIVE)}
        and f.changed_at_us <= r.approved_at_us and (r.kinds >> f.kind) & 1 = 1
    union all
    select 'FACTOR_RESET_INEFFECTIVE', {customer_text("r.customer_id")},
        'device ' || d.device_id || ' was not revoked'
    from factor_reset as r
    join identity_device as d on d.book = $1 and d.customer_id = r.customer_id
    where r.book = $1 and r.state = {_EFFECTIVE} and d.state = 1
        and d.enrolled_at_us < r.changed_at_us
    """,
)

CHECKS: Final = (RESETS, LEFT)
