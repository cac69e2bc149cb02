"""What is read of authorizations and captures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.payments.authorizations import AuthorizationRow, CaptureRow
from longmen_server.payments.tables_authorizations import AUTHORIZATION_COLUMNS, CAPTURE_COLUMNS
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import OrderId

__all__ = ["find_authorization", "forget_releases", "list_captures", "orders_to_release"]

_FIND: Final = (
    f"select {AUTHORIZATION_COLUMNS} from order_authorization where book = $1 and order_id = $2"
).encode()
_CAPTURES: Final = (
    f"select {CAPTURE_COLUMNS} from order_capture where book = $1 and order_id = $2"
    " order by capture_id limit $3"
).encode()
_TO_RELEASE: Final = (
    b"select order_id from order_release where book = $1 order by order_id limit $2"
)
_FORGET: Final = b"delete from order_release where book = $1 and order_id = any($2)"


async def find_authorization(connection: Connection, order_id: OrderId) -> AuthorizationRow | None:
    """Return what is held for an order; None when nothing ever was."""
    cursor = await connection.execute(_FIND, (book_of(order_id), Uuid(order_id)))
    record = await cursor.fetchone()
    return None if record is None else AuthorizationRow(*record)


async def list_captures(
    connection: Connection, order_id: OrderId, *, limit: int
) -> list[CaptureRow]:
    """Return the captures of an order, oldest first."""
    cursor = await connection.execute(_CAPTURES, (book_of(order_id), Uuid(order_id), limit))
    return [CaptureRow(*record) for record in await cursor.fetchall()]


async def orders_to_release(connection: Connection, book: int, *, limit: int) -> list[OrderId]:
    """Return orders that are no longer authorized and may have holds left."""
    cursor = await connection.execute(_TO_RELEASE, (book, limit))
    return [record[0] for record in await cursor.fetchall()]


async def forget_releases(connection: Connection, book: int, order_ids: Sequence[OrderId]) -> None:
    """Forget orders whose holds have been released."""
    await connection.execute(_FORGET, (book, UuidArray(order_ids)))
