"""Checks of staff and of what they decided, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.approvals.model import ApprovalState
from longmen_server.ledger.verification.queries import Check
from longmen_server.staff.model import StaffState

__all__ = ["CHECKS"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_STAFF_CHANGED)
_ACTIVE: Final = int(StaffState.ACTIVE)
_DECIDED: Final = f"{int(ApprovalState.EXECUTED)}, {int(ApprovalState.REJECTED)}"


def _text(prefix: str, column: str) -> str:
    """SQL for the text of an id."""
    return f"'{prefix}_' || replace({column}::text, '-', '')"


ACCOUNTS: Final = Check(
    "accounts of staff",
    f"""
    select 'STAFF_EVENT_MISSING', {_text("stf", "s.staff_id")}, 'no event tells of its making'
    from staff_account as s where s.book = $1 and not exists (
        select from event as e where e.book = $1 and e.type = {_CHANGED}
            and e.subject = s.staff_id
    )
    union all
    select 'STAFF_SESSION_MISMATCH', {_text("sess", "t.session_id")},
        case when s.staff_id is null then 'there is no such account'
        else 'the account is in state ' || s.state end
    from staff_session as t
    left join staff_account as s on s.book = $1 and s.staff_id = t.staff_id
    where t.book = $1 and t.ended_at_us is null
        and (s.staff_id is null or s.state <> {_ACTIVE})
    """,
)

DECISIONS: Final = Check(
    "proposals of staff",
    f"""
    select 'PROPOSAL_SELF_DECIDED', {_text("appr", "a.approval_id")},
        'proposed by ' || a.maker || ', decided by ' || coalesce(a.decider, 'nobody')
    from approval as a where a.book = $1 and a.state in ({_DECIDED}) and (
        a.decider is null or a.decider = a.maker
        or (a.maker_person <> '' and a.maker_person = a.decider_person)
    )
    """,
)

CHECKS: Final = (ACCOUNTS, DECISIONS)
