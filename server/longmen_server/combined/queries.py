"""What is read of combined orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.combined.model import CombinedRow
from longmen_server.combined.tables import COMBINED_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CombinedId

__all__ = ["find_combined"]

_FIND: Final = (
    f"select {COMBINED_COLUMNS} from combined_order where book = $1 and combined_id = $2".encode()
)


async def find_combined(connection: Connection, combined_id: CombinedId) -> CombinedRow | None:
    """Return a combined order, or None when there is none."""
    cursor = await connection.execute(_FIND, (book_of(combined_id), Uuid(combined_id)))
    record = await cursor.fetchone()
    return None if record is None else CombinedRow(*record)
