"""What is read of sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import OrderId, book_of
from longmen_server.sharing.model import ReceiverRow, ShareRow, SharingRow, SharingState
from longmen_server.sharing.tables import RECEIVER_COLUMNS, SHARE_COLUMNS, SHARING_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId

__all__ = ["ended_sharings", "find_sharing", "list_receivers", "list_shares"]

_FIND: Final = (
    f"select {SHARING_COLUMNS} from order_sharing where book = $1 and order_id = $2"
).encode()
_SHARES: Final = (
    f"select {SHARE_COLUMNS} from order_share where book = $1 and order_id = $2"
    " order by share_number"
).encode()
_RECEIVERS: Final = (
    f"select {RECEIVER_COLUMNS} from sharing_receiver"
    " where book = $1 and merchant_id = $2 and receiver_id > $3 order by receiver_id limit $4"
).encode()
_ENDED: Final = (
    f"select order_id from order_sharing where book = $1 and state = {SharingState.OPEN:d}"
    " and ends_at_us <= $2 order by ends_at_us, order_id limit $3"
).encode()


async def find_sharing(connection: Connection, order_id: OrderId) -> SharingRow | None:
    """Return what is held of an order; None where nothing is."""
    cursor = await connection.execute(_FIND, (book_of(order_id), Uuid(order_id)))
    record = await cursor.fetchone()
    return None if record is None else SharingRow(*record)


async def list_shares(connection: Connection, order_id: OrderId) -> list[ShareRow]:
    """Return the shares of an order, of which there are a few, by their numbers."""
    cursor = await connection.execute(_SHARES, (book_of(order_id), Uuid(order_id)))
    return [ShareRow(*record) for record in await cursor.fetchall()]


async def list_receivers(
    connection: Connection, merchant_id: MerchantId, *, after: bytes, limit: int
) -> list[ReceiverRow]:
    """Return up to `limit` receivers of a merchant, by their ids."""
    parameters = (book_of(merchant_id), Uuid(merchant_id), Uuid(after or bytes(16)), limit)
    cursor = await connection.execute(_RECEIVERS, parameters)
    return [ReceiverRow(*record) for record in await cursor.fetchall()]


async def ended_sharings(
    connection: Connection, book: int, *, now_us: int, limit: int
) -> list[OrderId]:
    """Return orders whose window to share has passed and that still hold something."""
    cursor = await connection.execute(_ENDED, (book, now_us, limit))
    return [record[0] for record in await cursor.fetchall()]
