"""What is read of promotions: the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.adapters import Uuid
from longmen_server.promotions.model import PromotionRow
from longmen_server.promotions.tables import PROMOTION_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

__all__ = ["list_promotions"]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""
_LIST: Final = (
    f"select {PROMOTION_COLUMNS} from fx_promotion where book = $1 and promotion_id < $2"
    " order by promotion_id desc limit $3"
).encode()


async def list_promotions(
    connection: Connection, book: int, *, before: bytes, limit: int
) -> list[PromotionRow]:
    """Return up to `limit` promotions, newest first."""
    cursor = await connection.execute(_LIST, (book, Uuid(before or _LAST_ID), limit))
    return [PromotionRow(*record) for record in await cursor.fetchall()]
