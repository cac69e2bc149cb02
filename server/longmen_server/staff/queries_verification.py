"""Checks of staff and of what they decided, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.approvals.model import ApprovalState
from longmen_server.ledger.verification.queries import Check
from longmen_server.staff.model import StaffState

__all__ = ["CHECKS"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_STAFF_CHANGED)
_ASSIGNED: Final = int(event_pb2.EVENT_TYPE_BRANCH_ASSIGNED)
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

# An event's payload is the branch as field 1: tag 10, its length in bytes, itself; empty for none.
BRANCHES: Final = Check(
    "branches of customers",
    f"""
    select 'BRANCH_MISMATCH', {_text("cust", "coalesce(b.customer_id, e.subject)")},
        case when b.customer_id is null then 'an event assigns a branch, and there is none'
            when w.customer_id is null then 'of branch ' || b.branch || ', and no customer'
            when e.subject is null then 'of branch ' || b.branch || ', and no event assigns it'
            else 'of branch ' || b.branch || ' since ' || b.changed_at_us
                || ', which is not what was assigned last, at ' || e.booked_at_us end
    from (select * from customer_branch where book = $1) as b
    full join (
        select distinct on (subject) subject, booked_at_us, payload from event
        where book = $1 and type = {_ASSIGNED} order by subject, booked_at_us desc
    ) as e on e.subject = b.customer_id
    left join (select customer_id from wallet where book = $1) as w
        on w.customer_id = b.customer_id
    where b.customer_id is null or w.customer_id is null or e.subject is null
        or e.booked_at_us <> b.changed_at_us
        or e.payload <> case when b.branch = '' then ''::bytea else '\\x0a'::bytea
            || set_byte('\\x00'::bytea, 0, length(b.branch)) || convert_to(b.branch, 'UTF8') end
    """,
)

CHECKS: Final = (ACCOUNTS, DECISIONS, BRANCHES)
