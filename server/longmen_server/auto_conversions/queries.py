"""What is read of automatic conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.auto_conversions.model import AutoRow
from longmen_server.auto_conversions.tables import AUTO_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId

__all__ = ["list_auto_conversions"]

_OF_CUSTOMER: Final = (
    f"select {AUTO_COLUMNS} from fx_auto_conversion where book = $1 and customer_id = $2"
    " order by currency_code, account_id"
).encode()


async def list_auto_conversions(connection: Connection, customer_id: CustomerId) -> list[AutoRow]:
    """Return all that a customer has agreed to; one for each pocket at most."""
    cursor = await connection.execute(_OF_CUSTOMER, (book_of(customer_id), Uuid(customer_id)))
    return [AutoRow(*record) for record in await cursor.fetchall()]
