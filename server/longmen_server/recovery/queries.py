"""Reads of resets, straight from SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import CustomerId
from longmen_server.recovery.model import ResetRow, ResetState
from longmen_server.recovery.tables import RESET_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

__all__ = ["due_resets", "find_reset"]

_FIND = f"select {RESET_COLUMNS} from factor_reset where book = $1 and customer_id = $2".encode()
_DUE = (
    "select customer_id from factor_reset where book = $1"
    f" and state = {int(ResetState.COOLING)} and effective_at_us <= $2"
    " order by effective_at_us limit $3"
).encode()


async def find_reset(connection: Connection, book: int, customer_id: CustomerId) -> ResetRow | None:
    """Return a customer's latest reset."""
    cursor = await connection.execute(_FIND, (book, Uuid(customer_id)))
    record = await cursor.fetchone()
    return None if record is None else ResetRow(*record)


async def due_resets(
    connection: Connection, book: int, *, now_us: int, limit: int
) -> list[CustomerId]:
    """Return customers whose resets are to take effect, those that wait longest first."""
    cursor = await connection.execute(_DUE, (book, now_us, limit))
    return [CustomerId(record[0]) for record in await cursor.fetchall()]
