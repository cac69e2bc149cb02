"""What is read of orders and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.payments.model import (
    OPEN_STATES,
    AttemptRow,
    OrderRow,
    OrderState,
    RefundRow,
)
from longmen_server.payments.tables import ATTEMPT_COLUMNS, ORDER_COLUMNS, REFUND_COLUMNS
from longmen_server.platform.adapters import Int2Array, Int8Array, Uuid, UuidArray
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from longmen_server.payments.model import OrderNumber, TerminalReference
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId, OrderId

__all__ = [
    "due_orders",
    "find_changed_orders",
    "find_order",
    "find_orders",
    "list_attempts",
    "list_orders",
    "list_refunds",
    "order_by_number",
    "order_by_reference",
]

_FIRST_ID: Final = bytes(16)
_LAST_ID: Final = b"\xff" * 16
"""Sort before and after every id."""

_OPEN: Final = ", ".join(str(int(state)) for state in sorted(OPEN_STATES))

_ORDERS: Final = (
    f"select {ORDER_COLUMNS} from merchant_order where book = $1 and order_id = any($2)"
).encode()
_CHANGED: Final = (
    f"select {', '.join('o.' + name for name in OrderRow.__slots__)}"
    " from unnest($2::uuid[], $3::bigint[]) as u (id, v) join merchant_order as o"
    " on o.book = $1 and o.order_id = u.id and o.version > u.v"
).encode()
_BY_NUMBER: Final = (
    f"select {ORDER_COLUMNS} from merchant_order"
    " where book = $1 and merchant_id = $2 and order_number = $3"
).encode()
_BY_REFERENCE: Final = (
    b"select order_id from terminal_reference"
    b" where book = $1 and terminal_id = $2 and business_date = $3 and trace_number = $4"
)
# Time closes orders whether that was noted or not, so the state asked for is that of now. That the
# state is above 0 always holds, and opens the index of lists (migration 0060).
_LIST: Final = (
    f"select {ORDER_COLUMNS} from merchant_order"
    " where book = $1 and merchant_id = $2 and order_id < $3 and state > 0"
    f" and (cardinality($4::smallint[]) = 0 or case when state in ({_OPEN})"
    f" and expires_at_us <= $5 then case when captured > 0 then {OrderState.PAID:d}"
    f" else {OrderState.EXPIRED:d} end else state end = any($4))"
    " order by order_id desc limit $6"
).encode()
_REFUNDS: Final = (
    f"select {REFUND_COLUMNS} from order_refund"
    " where book = $1 and order_id = $2 and refund_id > $3 order by refund_id limit $4"
).encode()
_ATTEMPTS: Final = (
    f"select {ATTEMPT_COLUMNS} from order_attempt"
    " where book = $1 and order_id = $2 order by created_at_us limit $3"
).encode()
_DUE: Final = (
    f"select order_id from merchant_order where book = $1 and state in ({_OPEN})"
    " and expires_at_us <= $2 order by expires_at_us limit $3"
).encode()


async def find_orders(
    connection: Connection, book: int, order_ids: Sequence[OrderId]
) -> dict[OrderId, OrderRow]:
    """Return those orders that exist."""
    cursor = await connection.execute(_ORDERS, (book, UuidArray(order_ids)))
    return {record[0]: OrderRow(*record) for record in await cursor.fetchall()}


async def find_changed_orders(
    connection: Connection, book: int, seen: Mapping[OrderId, int]
) -> dict[OrderId, OrderRow]:
    """Return those orders that have changed since a version of theirs was seen."""
    cursor = await connection.execute(
        _CHANGED, (book, UuidArray(list(seen)), Int8Array(list(seen.values())))
    )
    return {record[0]: OrderRow(*record) for record in await cursor.fetchall()}


async def find_order(connection: Connection, order_id: OrderId) -> OrderRow | None:
    """Return an order, or None when there is none."""
    return (await find_orders(connection, book_of(order_id), [order_id])).get(order_id)


async def order_by_number(connection: Connection, number: OrderNumber) -> OrderRow | None:
    """Return the order of a merchant's number, or None when it was never seen."""
    cursor = await connection.execute(
        _BY_NUMBER,
        (book_of(number.merchant_id), Uuid(number.merchant_id), number.order_number),
    )
    record = await cursor.fetchone()
    return None if record is None else OrderRow(*record)


async def order_by_reference(
    connection: Connection, reference: TerminalReference
) -> tuple[bool, OrderRow | None]:
    """Return whether a till's reference is known, and its order unless it was reversed first."""
    book = book_of(reference.terminal_id)
    cursor = await connection.execute(
        _BY_REFERENCE,
        (book, Uuid(reference.terminal_id), reference.business_date, reference.trace_number),
    )
    record = await cursor.fetchone()
    if record is None or record[0] is None:
        return record is not None, None
    return True, await find_order(connection, record[0])


async def list_orders(
    connection: Connection,
    merchant_id: MerchantId,
    states: Collection[int],
    *,
    before: bytes,
    now_us: int,
    limit: int,
) -> list[OrderRow]:
    """Return up to `limit` orders of a merchant, newest first."""
    cursor = await connection.execute(
        _LIST,
        (
            book_of(merchant_id),
            Uuid(merchant_id),
            Uuid(before or _LAST_ID),
            Int2Array(list(states)),
            now_us,
            limit,
        ),
    )
    return [OrderRow(*record) for record in await cursor.fetchall()]


async def list_refunds(
    connection: Connection, order_id: OrderId, *, after: bytes, limit: int
) -> list[RefundRow]:
    """Return up to `limit` refunds of an order, oldest first."""
    cursor = await connection.execute(
        _REFUNDS, (book_of(order_id), Uuid(order_id), Uuid(after or _FIRST_ID), limit)
    )
    return [RefundRow(*record) for record in await cursor.fetchall()]


async def list_attempts(
    connection: Connection, order_id: OrderId, *, limit: int
) -> list[AttemptRow]:
    """Return up to `limit` scans for an order, oldest first."""
    cursor = await connection.execute(_ATTEMPTS, (book_of(order_id), Uuid(order_id), limit))
    return [AttemptRow(*record) for record in await cursor.fetchall()]


async def due_orders(
    connection: Connection, book: int, *, now_us: int, limit: int
) -> list[OrderId]:
    """Return orders that time has closed and nobody noted, the longest due first."""
    cursor = await connection.execute(_DUE, (book, now_us, limit))
    return [record[0] for record in await cursor.fetchall()]
