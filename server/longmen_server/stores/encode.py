"""Stores and cashiers as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import store_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CASHIER, MERCHANT, STORE

if TYPE_CHECKING:
    from longmen_server.stores.model import CashierRow, StoreRow

__all__ = ["cashier", "store"]


def store(row: StoreRow) -> store_pb2.Store:
    """Return a store."""
    return store_pb2.Store(
        store_id=STORE.encode(row.store_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        number=row.number,
        name=row.name,
        address=row.address,
        city=row.city,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        create_time=timestamp(row.created_at_us),
        update_time=timestamp(row.updated_at_us),
    )


def cashier(row: CashierRow) -> store_pb2.Cashier:
    """Return a cashier."""
    return store_pb2.Cashier(
        cashier_id=CASHIER.encode(row.cashier_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        number=row.number,
        name=row.name,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        create_time=timestamp(row.created_at_us),
        update_time=timestamp(row.updated_at_us),
    )
