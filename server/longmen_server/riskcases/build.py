"""Commands of cases that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CASE, FREEZE, TransactionId, book_of, new_id
from longmen_server.riskcases.commands import CloseCase
from longmen_server.riskcases.model import Verdict

if TYPE_CHECKING:
    from longmen.risk.v1 import cases_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["close_case"]

TWO_PEOPLE = "two people"
"""Who closed a case by a proposal; the proposal says who they were."""


def close_case(
    request: pb.CloseCaseRequest,
    key: RequestKey | None,
    clock: Clock,
    *,
    by: str = TWO_PEOPLE,
) -> CloseCase:
    """Return the command that gives a verdict."""
    case_id = decode_id(CASE, request.case_id, "case_id")
    book = book_of(case_id)
    return CloseCase(
        book,
        key,
        case_id=case_id,
        by=by,
        verdict=Verdict(request.verdict),
        reason_text=request.reason_text,
        settlement_id=TransactionId(new_id(book, clock)),
        freeze_id=(
            decode_id(FREEZE, request.freeze_id, "freeze_id") if request.freeze_id else None
        ),
    )
