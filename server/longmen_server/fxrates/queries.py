"""What is read of rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen_server.fxrates.model import ECB, RateRow, SheetRow
from longmen_server.fxrates.tables import RATE_COLUMNS, SHEET_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.database import Connection

__all__ = [
    "Board",
    "all_rates",
    "board_key",
    "board_of",
    "changed_boards",
    "has_rates",
    "list_sheets",
]

_RATES: Final = (
    f"select {RATE_COLUMNS} from fx_rate where book = $1 order by currency_code".encode()
)
_SHEETS: Final = (
    f"select {SHEET_COLUMNS} from fx_sheet where book = $1 and source = '{ECB}'"
    " and observed_at_us >= $2 and observed_at_us < $3 and rates like $4 and rates like $5"
    " order by observed_at_us desc limit $6"
).encode()


async def all_rates(connection: Connection, book: int) -> dict[str, RateRow]:
    """Return every present rate of a book by its currency."""
    cursor = await connection.execute(_RATES, (book,))
    rows = [RateRow(*record) for record in await cursor.fetchall()]
    return {row.currency_code: row for row in rows}


@dataclass(slots=True)
class Board:
    """Every present rate of a book."""

    version: int
    """When a rate changed last, in microseconds."""
    rates: dict[str, RateRow]


def board_key(book: int) -> bytes:
    """Return what the rates of a book are watched by; it names its book like an id."""
    return bytes(14) + book.to_bytes(2, "big")


def board_of(rates: dict[str, RateRow]) -> Board:
    """Return rates with their version."""
    return Board(max((row.imported_at_us for row in rates.values()), default=0), rates)


async def changed_boards(
    connection: Connection, book: int, seen: Mapping[bytes, int]
) -> dict[bytes, Board]:
    """Return the present rates of a book for whoever watches them."""
    board = board_of(await all_rates(connection, book))
    return dict.fromkeys(seen, board)


async def has_rates(connection: Connection, book: int) -> bool:
    """Whether anything ever told a rate."""
    cursor = await connection.execute(
        b"select 1 from (select 1 from fx_sheet where book = $1 limit 1) as one", (book,)
    )
    return await cursor.fetchone() is not None


async def list_sheets(
    connection: Connection, book: int, codes: tuple[str, str], *, times: tuple[int, int], limit: int
) -> list[SheetRow]:
    """Return up to `limit` days of the feed that have both rates, newest first.

    Args:
        connection: to read from.
        book: of the rates.
        codes: currencies wanted; empty texts stand for the base, which every day has.
        times: the first microsecond wanted, and the first that is not.
        limit: how many.
    """
    wanted = [f"%{code}=%" if code else "%" for code in codes]
    cursor = await connection.execute(_SHEETS, (book, *times, *wanted, limit))
    return [SheetRow(*record) for record in await cursor.fetchall()]
