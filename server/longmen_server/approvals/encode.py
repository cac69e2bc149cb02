"""Proposals as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import approval_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import APPROVAL

if TYPE_CHECKING:
    from longmen_server.approvals.model import ApprovalRow

__all__ = ["approval"]


def approval(row: ApprovalRow, now_us: int) -> approval_pb2.Approval:
    """Return a proposal as it stands at a time."""
    message = approval_pb2.Approval(
        approval_id=APPROVAL.encode(row.approval_id),
        state=int(row.state_at(now_us)),  # type: ignore[arg-type]  # enums are ints
        method=row.method,
        command=approval_pb2.ProposedCommand.FromString(row.payload),
        payload_hash=row.payload_hash,
        reason_text=row.reason_text,
        maker=row.maker,
        proposed_time=timestamp(row.created_at_us),
        expiry_time=timestamp(row.expires_at_us),
        decider=row.decider or "",
        decision_text=row.decision_text or "",
        reply=row.reply or b"",
    )
    message.MergeFromString(row.changes)
    if row.decided_at_us is not None:
        message.decided_time.CopyFrom(timestamp(row.decided_at_us))
    return message
