"""What is read of revaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.positions.model import RevaluationRow
from longmen_server.positions.tables import REVALUATION_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

__all__ = ["list_revaluations", "revaluation_dates"]


async def list_revaluations(
    connection: Connection, book: int, currency_code: str, *, after: tuple[str, str], limit: int
) -> list[RevaluationRow]:
    """Return up to `limit` revaluations, latest business date first, then by currency.

    Args:
        connection: to read from.
        book: of the positions.
        currency_code: of the position; empty means every one.
        after: business date and currency of the last that was read.
        limit: how many.
    """
    cursor = await connection.execute(
        f"select {REVALUATION_COLUMNS} from fx_revaluation where book = $1"
        " and ($2 = '' or currency_code = $2)"
        " and (business_date < $3 or (business_date = $3 and currency_code > $4))"
        " order by business_date desc, currency_code limit $5".encode(),
        (book, currency_code, *after, limit),
    )
    return [RevaluationRow(*record) for record in await cursor.fetchall()]


async def revaluation_dates(connection: Connection, book: int) -> dict[str, str]:
    """Return the last business date that each currency's position was revalued for."""
    cursor = await connection.execute(
        b"select currency_code, max(business_date) from fx_revaluation where book = $1"
        b" group by currency_code",
        (book,),
    )
    return dict(await cursor.fetchall())
