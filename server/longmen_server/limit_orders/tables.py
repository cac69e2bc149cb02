"""The tables of alerts and limit orders as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.limit_orders.model import AlertRow, OrderRow, WaitingKey, WaitingRow
from longmen_server.platform.adapters import Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import LimitOrderId, RateAlertId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALERT_COLUMNS = ", ".join(AlertRow.__slots__)
ORDER_COLUMNS = ", ".join(OrderRow.__slots__)
_ALERT_ARRAYS: tuple[Any, ...] = (
    *(UuidArray, UuidArray, Int2Array, Int2Array, Int8Array, Int8Array, Int8Array),
    *(TextArray, TextArray, TextArray, TextArray),
)
_ORDER_ARRAYS: tuple[Any, ...] = (
    *(UuidArray, UuidArray, UuidArray, UuidArray, UuidArray, Int2Array),
    *(Int8Array, Int8Array, Int8Array, Int2Array, TextArray, TextArray, TextArray),
)


def _insert(table: str, names: Sequence[str]) -> bytes:
    places = ", ".join(f"${place}" for place in range(2, 2 + len(names)))
    columns = ", ".join(names)
    return (
        f"insert into {table} (book, {columns}) select $1, u.* from unnest({places}) as u".encode()
    )


def _columns(arrays: Sequence[Any], names: Sequence[str], rows: Sequence[Any]) -> list[Any]:
    return [
        array([getattr(row, name) for row in rows])
        for array, name in zip(arrays, names, strict=True)
    ]


class _WaitingFamily(PointerFamily[WaitingKey, WaitingRow]):
    """How many wait: a bound on work, not on money, so nothing is locked for it."""

    stage = STAGE_POINTER

    def __init__(self, table: str, owner: str, rank: int) -> None:
        self.name = f"{table}, waiting"
        self.rank = rank
        self._sql = (
            "select u.c, u.n, count(t.book) from unnest($2, $3) as u (c, n)"
            f" left join {table} as t on t.book = $1 and t.{owner} = u.c and t.state = 1"
            " and t.expires_at_us > u.n group by u.c, u.n"
        ).encode()

    def load(self, book: int, keys: Sequence[WaitingKey]) -> Statement:
        return Statement(
            self._sql,
            (
                book,
                UuidArray([key.owner_id for key in keys]),
                Int8Array([key.now_us for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[WaitingKey, WaitingRow]:
        key = WaitingKey(record[0], record[1])
        return key, WaitingRow(key, record[2])

    def copy(self, row: WaitingRow) -> WaitingRow:
        return row.copy()


class _AlertFamily(RowFamily[RateAlertId, AlertRow]):
    name = "fx_rate_alert"
    stage = STAGE_LINK
    rank = 174

    def load(self, book: int, keys: Sequence[RateAlertId]) -> Statement:
        return Statement(
            f"select {ALERT_COLUMNS} from fx_rate_alert where book = $1 and alert_id = any($2)"
            " order by alert_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[RateAlertId, AlertRow]:
        return record[0], AlertRow(*record)

    def copy(self, row: AlertRow) -> AlertRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[AlertRow], changed: Sequence[AlertRow]
    ) -> Iterable[Statement]:
        names = AlertRow.__slots__
        if inserted:
            yield Statement(
                _insert("fx_rate_alert", names),
                (book, *_columns(_ALERT_ARRAYS, names, inserted)),
            )
        if changed:
            yield Statement(
                b"update fx_rate_alert as a set state = u.s, told_at_us = u.t, told_rate = u.r"
                b" from unnest($2, $3, $4, $5) as u (id, s, t, r)"
                b" where a.book = $1 and a.alert_id = u.id",
                (
                    book,
                    UuidArray([row.alert_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.told_at_us for row in changed]),
                    TextArray([row.told_rate for row in changed]),
                ),
            )


class _OrderFamily(RowFamily[LimitOrderId, OrderRow]):
    name = "fx_limit_order"
    stage = STAGE_LINK
    rank = 175

    def load(self, book: int, keys: Sequence[LimitOrderId]) -> Statement:
        return Statement(
            f"select {ORDER_COLUMNS} from fx_limit_order"
            " where book = $1 and limit_order_id = any($2)"
            " order by limit_order_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[LimitOrderId, OrderRow]:
        return record[0], OrderRow(*record)

    def copy(self, row: OrderRow) -> OrderRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[OrderRow], changed: Sequence[OrderRow]
    ) -> Iterable[Statement]:
        names = OrderRow.__slots__
        if inserted:
            yield Statement(
                _insert("fx_limit_order", names),
                (book, *_columns(_ORDER_ARRAYS, names, inserted)),
            )
        if changed:
            yield Statement(
                b"update fx_limit_order as o set state = u.s, conversion_id = u.c"
                b" from unnest($2, $3, $4) as u (id, s, c)"
                b" where o.book = $1 and o.limit_order_id = u.id",
                (
                    book,
                    UuidArray([row.limit_order_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    UuidArray([row.conversion_id for row in changed]),
                ),
            )


WAITING_ALERTS = _WaitingFamily("fx_rate_alert", "customer_id", rank=172)
WAITING_ORDERS = _WaitingFamily("fx_limit_order", "from_account_id", rank=173)
ALERT = _AlertFamily()
ORDER = _OrderFamily()
