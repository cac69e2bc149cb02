"""What is read of tills' keys and of the sales they have forwarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.offline.model import AcceptanceRow, OfflineSaleRow, TerminalKeyRow
from longmen_server.offline.tables import ACCEPTANCE_COLUMNS, KEY_COLUMNS, SALE_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId, TerminalId, TerminalKeyId

__all__ = ["find_acceptance", "find_key", "list_keys", "list_sales"]

_ACCEPTANCE: Final = (
    f"select {ACCEPTANCE_COLUMNS} from offline_acceptance where book = $1 and merchant_id = $2"
).encode()
_KEY: Final = f"select {KEY_COLUMNS} from terminal_key where book = $1 and key_id = $2".encode()
_KEYS: Final = (
    f"select {KEY_COLUMNS} from terminal_key where book = $1 and terminal_id = $2"
    " order by key_id desc limit $3"
).encode()
_SALES: Final = (
    f"select {SALE_COLUMNS} from offline_sale"
    " where book = $1 and merchant_id = $2 and recorded_at_us < $3"
    " order by recorded_at_us desc limit $4"
).encode()


async def find_acceptance(connection: Connection, merchant_id: MerchantId) -> AcceptanceRow | None:
    """Return what was agreed with a merchant, or None before the first agreement."""
    cursor = await connection.execute(_ACCEPTANCE, (book_of(merchant_id), Uuid(merchant_id)))
    record = await cursor.fetchone()
    return None if record is None else AcceptanceRow(*record)


async def find_key(connection: Connection, key_id: TerminalKeyId) -> TerminalKeyRow | None:
    """Return a key, or None when there is none."""
    cursor = await connection.execute(_KEY, (book_of(key_id), Uuid(key_id)))
    record = await cursor.fetchone()
    return None if record is None else TerminalKeyRow(*record)


async def list_keys(
    connection: Connection, terminal_id: TerminalId, *, limit: int
) -> list[TerminalKeyRow]:
    """Return up to `limit` keys of a till, newest first."""
    cursor = await connection.execute(_KEYS, (book_of(terminal_id), Uuid(terminal_id), limit))
    return [TerminalKeyRow(*record) for record in await cursor.fetchall()]


async def list_sales(
    connection: Connection, merchant_id: MerchantId, *, before_us: int, limit: int
) -> list[OfflineSaleRow]:
    """Return up to `limit` sales of a merchant taken down before a moment, newest first.

    No two of a book's writer share a moment, and a merchant's of two writers do not meet: each
    takes the merchant's account for itself.
    """
    cursor = await connection.execute(
        _SALES, (book_of(merchant_id), Uuid(merchant_id), before_us, limit)
    )
    return [OfflineSaleRow(*record) for record in await cursor.fetchall()]
