"""What is read of merchants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.merchants.model import MerchantRow, TerminalRow
from longmen_server.merchants.tables import MERCHANT_COLUMNS, TERMINAL_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId, TerminalId

__all__ = ["find_merchant", "find_terminal", "list_merchants"]

_FIRST_ID: Final = bytes(16)
"""Sorts before every id."""

_MERCHANT: Final = (
    f"select {MERCHANT_COLUMNS} from merchant where book = $1 and merchant_id = $2".encode()
)
_MERCHANTS: Final = (
    f"select {MERCHANT_COLUMNS} from merchant"
    " where book = $1 and merchant_id > $2 order by merchant_id limit $3"
).encode()
_TERMINAL: Final = (
    f"select {TERMINAL_COLUMNS} from merchant_terminal where book = $1 and terminal_id = $2"
).encode()


async def find_merchant(connection: Connection, merchant_id: MerchantId) -> MerchantRow | None:
    """Return a merchant, or None when there is none."""
    cursor = await connection.execute(_MERCHANT, (book_of(merchant_id), Uuid(merchant_id)))
    record = await cursor.fetchone()
    return None if record is None else MerchantRow(*record)


async def list_merchants(
    connection: Connection, book: int, *, after: bytes, limit: int
) -> list[MerchantRow]:
    """Return up to `limit` merchants of a book in the order they were taken in."""
    cursor = await connection.execute(_MERCHANTS, (book, Uuid(after or _FIRST_ID), limit))
    return [MerchantRow(*record) for record in await cursor.fetchall()]


async def find_terminal(connection: Connection, terminal_id: TerminalId) -> TerminalRow | None:
    """Return a terminal, or None when there is none."""
    cursor = await connection.execute(_TERMINAL, (book_of(terminal_id), Uuid(terminal_id)))
    record = await cursor.fetchone()
    return None if record is None else TerminalRow(*record)
