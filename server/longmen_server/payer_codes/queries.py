"""What is read of devices that show codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.payer_codes.model import CodeDevice, PayerCodeRow
from longmen_server.payer_codes.tables import PAYER_CODE_COLUMNS
from longmen_server.platform.adapters import Int8Array, Uuid, UuidArray
from longmen_server.platform.ids import CustomerId, DeviceId, book_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.database import Connection

__all__ = [
    "find_by_device",
    "find_watched",
    "list_of_customer",
    "watch_key",
]

_ID_BYTES: Final = 16

_BY_DEVICE: Final = (
    f"select {PAYER_CODE_COLUMNS} from payer_code"
    " where book = $1 and customer_id = $2 and device_id = $3"
).encode()
_OF_CUSTOMER: Final = (
    f"select {PAYER_CODE_COLUMNS} from payer_code where book = $1 and customer_id = $2"
    " order by device_id"
).encode()
_BY_DEVICES: Final = (
    f"select {', '.join('c.' + name for name in PayerCodeRow.__slots__)}"
    " from unnest($2::uuid[], $3::uuid[], $4::bigint[]) as u (c, d, v) join payer_code as c"
    " on c.book = $1 and c.customer_id = u.c and c.device_id = u.d and c.version > u.v"
).encode()


async def find_by_device(connection: Connection, device: CodeDevice) -> PayerCodeRow | None:
    """Return a device, or None when it was never enrolled."""
    cursor = await connection.execute(
        _BY_DEVICE, (book_of(device.customer_id), Uuid(device.customer_id), Uuid(device.device_id))
    )
    record = await cursor.fetchone()
    return None if record is None else PayerCodeRow(*record)


async def list_of_customer(connection: Connection, customer_id: CustomerId) -> list[PayerCodeRow]:
    """Return a customer's devices that show codes, or once did."""
    cursor = await connection.execute(_OF_CUSTOMER, (book_of(customer_id), Uuid(customer_id)))
    return [PayerCodeRow(*record) for record in await cursor.fetchall()]


def watch_key(device: CodeDevice) -> bytes:
    """Return what a watched device is known by: `book_of` reads the book of its owner from it."""
    return device.customer_id + device.device_id


async def find_watched(
    connection: Connection, book: int, seen: Mapping[bytes, int]
) -> dict[bytes, PayerCodeRow]:
    """Return those devices that have changed since a version was seen, by their `watch_key`."""
    keys = list(seen)
    cursor = await connection.execute(
        _BY_DEVICES,
        (
            book,
            UuidArray([CustomerId(key[:_ID_BYTES]) for key in keys]),
            UuidArray([DeviceId(key[_ID_BYTES:]) for key in keys]),
            Int8Array(list(seen.values())),
        ),
    )
    rows = (PayerCodeRow(*record) for record in await cursor.fetchall())
    return {watch_key(row.owner): row for row in rows}
