"""How cases begin: from what a decision or a screening left, in whatever transaction that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen_server.engine.journal import Event
from longmen_server.platform.ids import CASE, CUSTOMER, CaseId, CustomerId
from longmen_server.risk.model import OutcomeKind
from longmen_server.riskcases.model import CaseRow, CaseState, Cause, Verdict
from longmen_server.riskcases.tables import CASE_ROW

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import DecisionId
    from longmen_server.risk.rows import DecisionRow

__all__ = ["case_of", "open_case", "open_for_decision", "open_screening", "tell"]

CAUSES: Final = {OutcomeKind.REVIEW: Cause.REVIEW, OutcomeKind.FREEZE: Cause.FREEZE}
"""Outcomes that somebody has to look at."""

_CHANGED: Final = int(event_pb2.EVENT_TYPE_RISK_CASE_CHANGED)


def case_of(decision_id: DecisionId, row: DecisionRow | None) -> CaseId:
    """Return the id of the case of a decision's movement, whether there is one or not.

    A decision that is not there has its own: no movement has it.
    """
    return CaseId(decision_id if row is None else row.transaction_id)


def open_for_decision(working_set: WorkingSet, row: DecisionRow, customer: bytes) -> None:
    """Open the case that a decision about a customer's movement asks for; most ask for none."""
    cause = CAUSES.get(OutcomeKind(row.outcome))
    if cause is not None and working_set.get(CASE_ROW, case_of(row.decision_id, row)) is None:
        customer_id = CustomerId(customer) if customer else None
        open_case(working_set, row, cause, customer_id)


def open_case(
    working_set: WorkingSet, row: DecisionRow, cause: Cause, customer_id: CustomerId | None
) -> CaseRow:
    """Open a case; the caller knows that there is none."""
    case = CaseRow(
        case_id=case_of(row.decision_id, row),
        decision_id=row.decision_id,
        state=CaseState.OPEN,
        cause=cause,
        verdict=Verdict.NONE,
        outcome=row.outcome,
        is_appealed=False,
        notes=0,
        amount=row.amount,
        decided_at_us=row.decided_at_us,
        opened_at_us=0,
        changed_at_us=0,
        closed_at_us=None,
        customer_id=customer_id,
        payee_party=row.payee_party,
        terminal_id=row.terminal_id,
        reason=row.reason,
        assignee="",
        closed_by="",
        reason_text="",
    )
    case.opened_at_us = case.changed_at_us = tell(working_set, case)
    working_set.insert(CASE_ROW, case.case_id, case)
    return case


def open_screening(working_set: WorkingSet, case_id: CaseId, customer_id: CustomerId) -> None:
    """Open a case about a customer whose name is like one on a list."""
    case = CaseRow(
        case_id=case_id,
        decision_id=None,
        state=CaseState.OPEN,
        cause=Cause.SCREENING,
        verdict=Verdict.NONE,
        outcome=0,
        is_appealed=False,
        notes=0,
        amount=0,
        decided_at_us=working_set.now_us,
        opened_at_us=0,
        changed_at_us=0,
        closed_at_us=None,
        customer_id=customer_id,
        payee_party=None,
        terminal_id=None,
        reason="",
        assignee="",
        closed_by="",
        reason_text="",
    )
    case.opened_at_us = case.changed_at_us = tell(working_set, case)
    working_set.insert(CASE_ROW, case_id, case)


def tell(working_set: WorkingSet, row: CaseRow) -> int:
    """Tell where a case stands by an event, and return when."""
    at_us = working_set.next_stamp()
    payload = event_pb2.RiskCaseChange(
        case_id=CASE.encode(row.case_id),
        state=CaseState(row.state).name,
        cause=Cause(row.cause).name,
        verdict=Verdict(row.verdict).name if row.verdict else "",
        customer_id="" if row.customer_id is None else CUSTOMER.encode(row.customer_id),
    ).SerializeToString(deterministic=True)
    working_set.emit(Event(_CHANGED, row.case_id, 0, at_us, payload, payload))
    return at_us
