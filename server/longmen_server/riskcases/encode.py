"""Cases as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import case_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CASE, CUSTOMER, DECISION, TRANSACTION

if TYPE_CHECKING:
    from longmen_server.platform.ids import CustomerId
    from longmen_server.riskcases.model import CaseRow, NoteRow

__all__ = ["case", "note"]


def case(row: CaseRow, viewer: CustomerId | None) -> case_pb2.Case:
    """Return a case.

    Args:
        row: the case.
        viewer: who sees it; None for the bank. Customers do not see who looks at it and what was
            written, and whoever was to be paid does not see whose movement it was.
    """
    message = case_pb2.Case(
        case_id=CASE.encode(row.case_id),
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        cause=row.cause,  # type: ignore[arg-type]
        decision_id="" if row.decision_id is None else DECISION.encode(row.decision_id),
        outcome=row.outcome,  # type: ignore[arg-type]
        reason=row.reason,
        open_time=timestamp(row.opened_at_us),
        change_time=timestamp(row.changed_at_us),
        appealed=row.is_appealed,
        verdict=row.verdict,  # type: ignore[arg-type]
    )
    if row.closed_at_us is not None:
        message.close_time.CopyFrom(timestamp(row.closed_at_us))
    if viewer is None or viewer == row.customer_id:
        if not row.is_screening:
            message.transaction_id = TRANSACTION.encode(row.transaction_id)
        message.reference_minor_units = row.amount
        if row.customer_id is not None:
            message.customer_id = CUSTOMER.encode(row.customer_id)
    if viewer is None:
        message.assignee = row.assignee
        message.note_count = row.notes
        message.closed_by = row.closed_by
        message.reason_text = row.reason_text
    return message


def note(row: NoteRow) -> case_pb2.CaseNote:
    """Return a note."""
    message = case_pb2.CaseNote(
        number=row.number,
        note_time=timestamp(row.written_at_us),
        author=row.author,
        text=row.text,
    )
    if row.evidence_reference or row.evidence_sha256:
        message.evidence.reference = row.evidence_reference
        message.evidence.sha256 = row.evidence_sha256
    return message
