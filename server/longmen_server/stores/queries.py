"""What is read of stores and cashiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of
from longmen_server.stores.model import CashierRow, StoreRow
from longmen_server.stores.tables import CASHIER_COLUMNS, STORE_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CashierId, MerchantId, StoreId

__all__ = ["find_cashier", "find_store", "list_cashiers", "list_stores"]

_FIRST_ID: Final = bytes(16)

_STORE: Final = (
    f"select {STORE_COLUMNS} from merchant_store where book = $1 and store_id = $2".encode()
)
_STORES: Final = (
    f"select {STORE_COLUMNS} from merchant_store"
    " where book = $1 and merchant_id = $2 and store_id > $3 order by store_id limit $4"
).encode()
_CASHIER: Final = (
    f"select {CASHIER_COLUMNS} from merchant_cashier where book = $1 and cashier_id = $2".encode()
)
_CASHIERS: Final = (
    f"select {CASHIER_COLUMNS} from merchant_cashier"
    " where book = $1 and merchant_id = $2 and cashier_id > $3 and ($4 = 0 or state = $4)"
    " order by cashier_id limit $5"
).encode()


async def find_store(connection: Connection, store_id: StoreId) -> StoreRow | None:
    """Return a store, or None when there is none."""
    cursor = await connection.execute(_STORE, (book_of(store_id), Uuid(store_id)))
    record = await cursor.fetchone()
    return None if record is None else StoreRow(*record)


async def list_stores(
    connection: Connection, merchant_id: MerchantId, *, after: bytes, limit: int
) -> list[StoreRow]:
    """Return up to `limit` stores of a merchant in the order they were registered."""
    cursor = await connection.execute(
        _STORES, (book_of(merchant_id), Uuid(merchant_id), Uuid(after or _FIRST_ID), limit)
    )
    return [StoreRow(*record) for record in await cursor.fetchall()]


async def find_cashier(connection: Connection, cashier_id: CashierId) -> CashierRow | None:
    """Return a cashier, or None when there is none."""
    cursor = await connection.execute(_CASHIER, (book_of(cashier_id), Uuid(cashier_id)))
    record = await cursor.fetchone()
    return None if record is None else CashierRow(*record)


async def list_cashiers(
    connection: Connection, merchant_id: MerchantId, *, state: int, after: bytes, limit: int
) -> list[CashierRow]:
    """Return up to `limit` cashiers of a merchant, in one state or (0) in any, oldest first."""
    cursor = await connection.execute(
        _CASHIERS,
        (book_of(merchant_id), Uuid(merchant_id), Uuid(after or _FIRST_ID), state, limit),
    )
    return [CashierRow(*record) for record in await cursor.fetchall()]
