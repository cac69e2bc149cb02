"""What is read of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.plans.model import PlanRow
from longmen_server.plans.tables import PLAN_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId

__all__ = ["list_plans"]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""

_PLANS: Final = (
    f"select {PLAN_COLUMNS} from merchant_plan"
    " where book = $1 and merchant_id = $2 and plan_id < $3 order by plan_id desc limit $4"
).encode()


async def list_plans(
    connection: Connection, merchant_id: MerchantId, *, before: bytes, limit: int
) -> list[PlanRow]:
    """Return up to `limit` plans of a merchant, newest first."""
    cursor = await connection.execute(
        _PLANS, (book_of(merchant_id), Uuid(merchant_id), Uuid(before or _LAST_ID), limit)
    )
    return [PlanRow(*record) for record in await cursor.fetchall()]
