"""Commands of plans that can be proposed as well as called."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.plans.commands import SetPlan
from longmen_server.platform.ids import MERCHANT, PlanId, book_of, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen.merchants.v1 import plans_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["check_day", "set_plan"]


def set_plan(request: pb.SetPlanRequest, key: RequestKey | None, clock: Clock) -> SetPlan:
    """Return the command that makes a plan.

    Raises:
        Refusal: INVALID_REQUEST when the date is no day.
    """
    merchant_id = decode_id(MERCHANT, request.merchant_id, "merchant_id")
    check_day(request.effective_date, "effective_date")
    book = book_of(merchant_id)
    return SetPlan(
        book,
        key,
        merchant_id=merchant_id,
        plan_id=PlanId(new_id(book, clock)),
        asked=request,
    )


def check_day(text: str, field: str) -> dt.date:
    """Return the day of a text of the form YYYY-MM-DD.

    Raises:
        Refusal: INVALID_REQUEST when there is no such day.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(
            "INVALID_REQUEST", "no such day", metadata={"rules": f"{field}.day"}, field=field
        ) from error
