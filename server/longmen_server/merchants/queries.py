"""What is read of merchants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.merchants.model import MerchantRow, TerminalRow, TerminalStateRow
from longmen_server.merchants.tables import (
    MERCHANT_COLUMNS,
    TERMINAL_COLUMNS,
    TERMINAL_STATE_COLUMNS,
)
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId, TerminalId

__all__ = [
    "find_merchant",
    "find_terminal",
    "find_terminal_states",
    "list_merchants",
    "list_terminals",
]

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

_TERMINALS: Final = (
    f"select {TERMINAL_COLUMNS} from merchant_terminal"
    " where book = $1 and merchant_id = $2 and terminal_id > $3 order by terminal_id limit $4"
).encode()
_STATES: Final = (
    f"select {TERMINAL_STATE_COLUMNS} from terminal_state where book = $1 and terminal_id = any($2)"
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


async def list_terminals(
    connection: Connection, merchant_id: MerchantId, *, after: bytes, limit: int
) -> list[TerminalRow]:
    """Return up to `limit` terminals of a merchant in the order they were registered."""
    cursor = await connection.execute(
        _TERMINALS,
        (book_of(merchant_id), Uuid(merchant_id), Uuid(after or _FIRST_ID), limit),
    )
    return [TerminalRow(*record) for record in await cursor.fetchall()]


async def find_terminal_states(
    connection: Connection, book: int, terminal_ids: Sequence[TerminalId]
) -> dict[TerminalId, TerminalStateRow]:
    """Return what is known of those terminals of a book that were seen."""
    cursor = await connection.execute(_STATES, (book, UuidArray(terminal_ids)))
    return {record[0]: TerminalStateRow(*record) for record in await cursor.fetchall()}
