"""Checks of risk's tables against events, transfers and each other, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.verification.queries import Check, numbers, transaction_text
from longmen_server.limits.movement import MovementKind
from longmen_server.risk.model import OutcomeKind, SubjectKind, Target
from longmen_server.risk.rows import FreezeState, HoldState, NoticeKind, PartyKind
from longmen_server.risk.subjects import FORMATS
from longmen_server.transfers.model import TransferState

_DECIDED: Final = int(event_pb2.EVENT_TYPE_RISK_DECIDED)
_FREEZES: Final = (
    f"{int(event_pb2.EVENT_TYPE_RISK_FROZEN)}, {int(event_pb2.EVENT_TYPE_RISK_UNFROZEN)}"
)
_ALLOW: Final = int(OutcomeKind.ALLOW)
_DELAY: Final = int(OutcomeKind.DELAY)
_REVIEW: Final = int(OutcomeKind.REVIEW)
_DECLINE: Final = int(OutcomeKind.DECLINE)
_ACTIVE: Final = int(FreezeState.ACTIVE)
_HELD: Final = f"{int(HoldState.DELAYED)}, {int(HoldState.REVIEWED)}"
_RELEASED: Final = int(HoldState.RELEASED)
_RETURNED: Final = int(HoldState.RETURNED)
_BACK: Final = f"{int(TransferState.CANCELLED)}, {int(TransferState.FAILED)}"
_PAID: Final = f"{int(TransferState.COMPLETED)}, {int(TransferState.PROCESSING)}"
_MOVELESS: Final = f"{int(MovementKind.NEW_PAYEE)}, {int(MovementKind.NEW_DEVICE)}"
"""Acts without money, which no posting follows from."""
_PARTY: Final = int(SubjectKind.PARTY)
_DECISION: Final = "'dec_' || replace(coalesce(d.decision_id, e.subject)::text, '-', '')"
_FREEZE: Final = "'frz_' || replace(coalesce(f.freeze_id, e.subject)::text, '-', '')"

DECISIONS: Final = Check(
    "decisions about movements",
    f"""
    select 'DECISION_INVALID', 'dec_' || replace(d.decision_id::text, '-', ''),
        case when d.is_made and p.transaction_id is null then 'its movement is not in the ledger'
            when not d.is_made and p.transaction_id is not null
                then 'its movement was refused and is in the ledger'
            else 'outcome ' || d.outcome || ' of kind ' || d.kind end
    from (select * from risk_decision where book = $1) as d
    left join (
        select distinct transaction_id from ledger_posting where book = $1
    ) as p on p.transaction_id = d.transaction_id
    where d.outcome not in ({numbers(OutcomeKind)}) or d.kind not in ({numbers(MovementKind)})
        or d.target not in ({numbers(Target)})
        or (d.kind not in ({_MOVELESS}) and d.is_made <> (p.transaction_id is not null))
        or (d.is_made and d.outcome >= {_DECLINE})
    """,
)

DECISION_EVENTS: Final = Check(
    "decisions against events",
    f"""
    select 'DECISION_EVENT_MISMATCH', {_DECISION},
        case when d.book is null then 'there is an event of it and no such decision'
            else 'nothing was told of it' end
    from (select * from risk_decision where book = $1 and outcome > {_ALLOW}) as d
    full join (
        select distinct subject from event where book = $1 and type = {_DECIDED}
    ) as e on e.subject = d.decision_id
    where d.book is null or e.subject is null
    """,
)

FREEZES: Final = Check(
    "freezes against events",
    f"""
    select 'FREEZE_EVENT_MISMATCH', {_FREEZE},
        case when f.book is null then 'there are events of it and no such freeze'
            when e.subject is null then 'nothing was told of it'
            else 'changed at ' || f.changed_at_us || ', it was told at ' || e.told_at_us end
    from (select * from risk_freeze where book = $1) as f
    full join (
        select subject, max(booked_at_us) as told_at_us from event
        where book = $1 and type in ({_FREEZES}) group by subject
    ) as e on e.subject = f.freeze_id
    where f.book is null or e.subject is null or f.changed_at_us <> e.told_at_us
        or f.state not in ({numbers(FreezeState)}) or f.party_kind not in ({numbers(PartyKind)})
    """,
)

FROZEN: Final = Check(
    "frozen parties against freezes",
    f"""
    select 'FREEZE_STATE_MISMATCH', 'party ' || coalesce(f.party, s.subject)::text,
        case when s.subject is null then 'its freeze is in force, and it is free'
            when f.party is null then 'it is frozen, and no freeze is in force'
            else 'frozen with scope ' || s.frozen || ', its freeze has scope ' || f.scope end
    from (
        select party, scope, freeze_id from risk_freeze where book = $1 and state = {_ACTIVE}
    ) as f
    full join (
        select subject, frozen, freeze_id from risk_subject
        where book = $1 and kind = {_PARTY} and frozen > 0
    ) as s on s.subject = f.party
    where s.subject is null or f.party is null or s.frozen <> f.scope
        or s.freeze_id is distinct from f.freeze_id
    """,
)

HOLDS: Final = Check(
    "money that risk holds",
    f"""
    select 'RISK_HOLD_MISMATCH', {transaction_text("coalesce(h.transaction_id, d.transaction_id)")},
        case when h.transaction_id is null then 'a decision holds it, and nothing is held'
            when d.transaction_id is null then 'no decision holds it'
            when t.transaction_id is null then 'there is no such transfer'
            else 'hold in state ' || h.state || ', transfer in state ' || t.state end
    from (select * from risk_hold where book = $1) as h
    full join (
        select transaction_id, decision_id from risk_decision
        where book = $1 and is_made and outcome in ({_DELAY}, {_REVIEW})
    ) as d on d.transaction_id = h.transaction_id and d.decision_id = h.decision_id
    left join (select * from transfer_schedule where book = $1) as t
        on t.transaction_id = h.transaction_id
    where h.transaction_id is null or d.transaction_id is null or t.transaction_id is null
        or h.state not in ({numbers(HoldState)})
        or (h.state in ({_HELD}) and t.state in ({_BACK}, {_PAID}))
        or (h.state = {_RELEASED} and t.state not in ({_PAID}, {_BACK}))
        or (h.state = {_RETURNED} and t.state not in ({_BACK}))
    """,
)

NOTICES: Final = Check(
    "notices of decisions and freezes",
    f"""
    select 'RISK_NOTICE_INVALID', 'dec_' || replace(n.decision_id::text, '-', ''),
        'kind ' || n.kind || ', there is neither such a decision nor such a freeze'
    from (select * from risk_notice where book = $1) as n
    left join (select decision_id from risk_decision where book = $1) as d
        on d.decision_id = n.decision_id
    left join (select freeze_id from risk_freeze where book = $1) as f
        on f.freeze_id = n.decision_id
    where n.kind not in ({numbers(NoticeKind)})
        or (d.decision_id is null and f.freeze_id is null)
    """,
)

SUBJECTS: Final = Check(
    "what is counted of subjects",
    f"""
    select 'RISK_SUBJECT_UNREADABLE', 'kind ' || kind || ' of ' || subject::text,
        length(state) || ' bytes'
    from (select * from risk_subject where book = $1) as s
    where kind not in ({numbers(SubjectKind)}) or length(state) = 0
        or get_byte(state, 0) not in ({", ".join(map(str, FORMATS))})
    """,
)

CHECKS: Final = (DECISIONS, DECISION_EVENTS, FREEZES, FROZEN, HOLDS, NOTICES, SUBJECTS)
