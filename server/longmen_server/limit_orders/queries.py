"""What is read of alerts and limit orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.fx.model import BASE
from longmen_server.limit_orders.model import AlertRow, AlertState, OrderRow, OrderState
from longmen_server.limit_orders.tables import ALERT_COLUMNS, ORDER_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId, LimitOrderId

__all__ = [
    "due_alerts",
    "due_orders",
    "expired_orders",
    "find_order",
    "list_alerts",
    "list_orders",
    "rates_version",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""
_WAITING: Final = int(AlertState.WAITING)
_OPEN: Final = int(OrderState.OPEN)
_RATES: Final = f"""
    with rate as (
        select currency_code, rate::numeric as rate from fx_rate where book = $1
        union all select '{BASE}', 1
    )
"""
# Rates are decimals, so comparing products is exact where a quotient would be rounded.
_DUE_ALERTS: Final = f"""
    {_RATES}
    select {", ".join("w." + name for name in AlertRow.__slots__)} from fx_rate_alert as w
    join rate as s on s.currency_code = w.source_currency
    join rate as t on t.currency_code = w.target_currency
    where w.book = $1 and w.state = {_WAITING} and w.expires_at_us > $2 and w.alert_id > $3
        and case w.direction when 1 then t.rate >= w.rate::numeric * s.rate
            else t.rate <= w.rate::numeric * s.rate end
    order by w.alert_id limit $4
""".encode()
# The customer's rate is below that of the middle: what is not there by this one is not by that.
_DUE_ORDERS: Final = f"""
    {_RATES}
    select {", ".join("w." + name for name in OrderRow.__slots__)} from fx_limit_order as w
    join rate as s on s.currency_code = w.source_currency
    join rate as t on t.currency_code = w.target_currency
    where w.book = $1 and w.state = {_OPEN} and w.expires_at_us > $2 and w.limit_order_id > $3
        and t.rate >= w.rate::numeric * s.rate
    order by w.limit_order_id limit $4
""".encode()


async def find_order(connection: Connection, limit_order_id: LimitOrderId) -> OrderRow | None:
    """Return an order, or None when there is none."""
    cursor = await connection.execute(
        f"select {ORDER_COLUMNS} from fx_limit_order"
        " where book = $1 and limit_order_id = $2".encode(),
        (book_of(limit_order_id), Uuid(limit_order_id)),
    )
    record = await cursor.fetchone()
    return None if record is None else OrderRow(*record)


async def list_orders(
    connection: Connection, customer_id: CustomerId, *, before: bytes, limit: int
) -> list[OrderRow]:
    """Return up to `limit` orders of a customer, newest first."""
    cursor = await connection.execute(
        f"select {ORDER_COLUMNS} from fx_limit_order where book = $1 and customer_id = $2"
        " and limit_order_id < $3 order by limit_order_id desc limit $4".encode(),
        (book_of(customer_id), Uuid(customer_id), Uuid(before or _LAST_ID), limit),
    )
    return [OrderRow(*record) for record in await cursor.fetchall()]


async def list_alerts(
    connection: Connection, customer_id: CustomerId, *, before: bytes, limit: int
) -> list[AlertRow]:
    """Return up to `limit` alerts of a customer, newest first."""
    cursor = await connection.execute(
        f"select {ALERT_COLUMNS} from fx_rate_alert where book = $1 and customer_id = $2"
        " and alert_id < $3 order by alert_id desc limit $4".encode(),
        (book_of(customer_id), Uuid(customer_id), Uuid(before or _LAST_ID), limit),
    )
    return [AlertRow(*record) for record in await cursor.fetchall()]


async def rates_version(connection: Connection, book: int) -> int:
    """Return when rates of a book changed last, in microseconds; 0 when there are none."""
    cursor = await connection.execute(
        b"select coalesce(max(imported_at_us), 0) from fx_rate where book = $1", (book,)
    )
    (version,) = (await cursor.fetchone()) or (0,)
    return int(version)


async def due_alerts(
    connection: Connection, book: int, *, now_us: int, after: bytes, limit: int
) -> list[AlertRow]:
    """Return alerts whose rate is there, in the order of their ids."""
    cursor = await connection.execute(_DUE_ALERTS, (book, now_us, Uuid(after), limit))
    return [AlertRow(*record) for record in await cursor.fetchall()]


async def due_orders(
    connection: Connection, book: int, *, now_us: int, after: bytes, limit: int
) -> list[OrderRow]:
    """Return open orders that may be filled at the present rates, in the order of their ids."""
    cursor = await connection.execute(_DUE_ORDERS, (book, now_us, Uuid(after), limit))
    return [OrderRow(*record) for record in await cursor.fetchall()]


async def expired_orders(
    connection: Connection, book: int, *, now_us: int, limit: int
) -> list[LimitOrderId]:
    """Return open orders whose time is over, longest ago first."""
    cursor = await connection.execute(
        f"select limit_order_id from fx_limit_order where book = $1 and state = {_OPEN}"
        " and expires_at_us <= $2 order by expires_at_us limit $3".encode(),
        (book, now_us, limit),
    )
    return [record[0] for record in await cursor.fetchall()]
