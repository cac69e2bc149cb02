"""Checks of cases against decisions, holds, notes and events, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.verification.queries import Check, numbers
from longmen_server.risk.rows import HELD_STATES
from longmen_server.riskcases.model import CaseState, Cause, Verdict

_CHANGED: Final = int(event_pb2.EVENT_TYPE_RISK_CASE_CHANGED)
_OPEN: Final = int(CaseState.OPEN)
_CLOSED: Final = int(CaseState.CLOSED)
_NONE: Final = int(Verdict.NONE)
_FRAUD: Final = int(Verdict.CONFIRMED_FRAUD)
_MATCH: Final = int(Verdict.CONFIRMED_MATCH)
_SCREENING: Final = int(Cause.SCREENING)
_HELD: Final = ", ".join(str(int(state)) for state in sorted(HELD_STATES))
_CASE: Final = "'case_' || replace(c.case_id::text, '-', '')"

CASES: Final = Check(
    "cases of risk",
    f"""
    select 'CASE_INVALID', {_CASE},
        case when (c.cause = {_SCREENING}) <> (c.decision_id is null)
            or (d.book is null and c.cause <> {_SCREENING})
                then 'there is no such decision about its movement'
            when h.book is not null then 'it is closed and its money is held'
            else 'state ' || c.state || ', cause ' || c.cause || ', verdict ' || c.verdict end
    from (select * from risk_case where book = $1) as c
    left join (select * from risk_decision where book = $1) as d
        on d.decision_id = c.decision_id and d.transaction_id = c.case_id
    left join (select * from risk_hold where book = $1 and state in ({_HELD})) as h
        on h.transaction_id = c.case_id and c.state = {_CLOSED}
    where (d.book is null and c.cause <> {_SCREENING}) or h.book is not null
        or (c.cause = {_SCREENING}) <> (c.decision_id is null)
        or (c.cause = {_SCREENING} and c.verdict = {_FRAUD})
        or (c.cause <> {_SCREENING} and c.verdict = {_MATCH})
        or c.state not in ({numbers(CaseState)}) or c.cause not in ({numbers(Cause)})
        or c.verdict not in ({numbers(Verdict)})
        or (c.state = {_OPEN}) <> (c.verdict = {_NONE})
        or (c.state = {_OPEN}) <> (c.closed_at_us is null)
    """,
)

NOTES: Final = Check(
    "notes on cases",
    """
    select 'CASE_NOTES_MISMATCH',
        'case_' || replace(coalesce(c.case_id, n.case_id)::text, '-', ''),
        'it counts ' || coalesce(c.notes, 0) || ' notes, and there are ' || coalesce(n.found, 0)
    from (select * from risk_case where book = $1) as c
    full join (
        select case_id, count(*) as found, max(number) as last
        from risk_case_note where book = $1 group by case_id
    ) as n on n.case_id = c.case_id
    where c.book is null or c.notes <> coalesce(n.found, 0) or c.notes <> coalesce(n.last, 0)
    """,
)

EVENTS: Final = Check(
    "cases against events",
    f"""
    select 'CASE_EVENT_MISMATCH',
        'case_' || replace(coalesce(c.case_id, e.subject)::text, '-', ''),
        coalesce(e.told, 0) || ' events tell of it'
    from (select * from risk_case where book = $1) as c
    full join (
        select subject, count(*) as told from event
        where book = $1 and type = {_CHANGED} group by subject
    ) as e on e.subject = c.case_id
    where c.book is null or coalesce(e.told, 0) <> case c.state when {_OPEN} then 1 else 2 end
    """,
)

CHECKS: Final = (CASES, NOTES, EVENTS)
