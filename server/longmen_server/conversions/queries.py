"""What is read of quotes, conversions and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.conversions.model import ConversionRow, QuotaRow, QuoteRow, ReversalRow
from longmen_server.conversions.tables import QUOTE_COLUMNS
from longmen_server.ledger.chart import FX_POSITION
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import (
        AccountId,
        ConversionId,
        CustomerId,
        QuoteId,
        TransactionId,
    )

__all__ = [
    "Booked",
    "balances",
    "dealt_in",
    "find_conversion",
    "find_quote",
    "list_conversions",
    "list_quotas",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""
_ALL: Final = ", ".join(
    [f"c.{name}" for name in ConversionRow.__slots__]
    + [f"q.{name}" for name in QuoteRow.__slots__]
    + [f"r.{name}" for name in ReversalRow.__slots__]
    + ["p.transaction_id"]
)
_QUOTE_AT: Final = len(ConversionRow.__slots__)
_REVERSAL_AT: Final = _QUOTE_AT + len(QuoteRow.__slots__)
_JOINED: Final = (
    f"select {_ALL} from fx_conversion as c"
    " join fx_quote as q on q.book = c.book and q.quote_id = c.quote_id"
    " left join fx_reversal as r on r.book = c.book and r.conversion_id = c.conversion_id"
    " left join fx_auto_payment as p on p.book = c.book and p.conversion_id = c.conversion_id"
    " where c.book = $1"
)


class Booked(NamedTuple):
    """A conversion, the quote it was offered by, its reversal and the payment it was made for."""

    row: ConversionRow
    quote: QuoteRow
    reversal: ReversalRow | None
    paid_id: TransactionId | None


async def find_quote(connection: Connection, quote_id: QuoteId) -> QuoteRow | None:
    """Return a quote, or None when there is none."""
    cursor = await connection.execute(
        f"select {QUOTE_COLUMNS} from fx_quote where book = $1 and quote_id = $2".encode(),
        (book_of(quote_id), Uuid(quote_id)),
    )
    record = await cursor.fetchone()
    return None if record is None else QuoteRow(*record)


async def find_conversion(connection: Connection, conversion_id: ConversionId) -> Booked | None:
    """Return a conversion, or None when there is none."""
    cursor = await connection.execute(
        f"{_JOINED} and c.conversion_id = $2".encode(),
        (book_of(conversion_id), Uuid(conversion_id)),
    )
    record = await cursor.fetchone()
    return None if record is None else _booked(record)


async def list_conversions(
    connection: Connection, customer_id: CustomerId, *, before: bytes, limit: int
) -> list[Booked]:
    """Return up to `limit` conversions of a customer, newest first."""
    cursor = await connection.execute(
        f"{_JOINED} and c.customer_id = $2 and c.conversion_id < $3"
        " order by c.conversion_id desc limit $4".encode(),
        (book_of(customer_id), Uuid(customer_id), Uuid(before or _LAST_ID), limit),
    )
    return [_booked(record) for record in await cursor.fetchall()]


def _booked(record: tuple[Any, ...]) -> Booked:
    reversal, paid_id = record[_REVERSAL_AT:-1], record[-1]
    return Booked(
        ConversionRow(*record[:_QUOTE_AT]),
        QuoteRow(*record[_QUOTE_AT:_REVERSAL_AT]),
        None if reversal[0] is None else ReversalRow(*reversal),
        paid_id,
    )


async def list_quotas(connection: Connection, customer_id: CustomerId, year: int) -> list[QuotaRow]:
    """Return what a customer has used of a year's quotas; sides that were never used are absent."""
    cursor = await connection.execute(
        b"select customer_id, year, side, used from fx_quota"
        b" where book = $1 and customer_id = $2 and year = $3 order by side",
        (book_of(customer_id), Uuid(customer_id), year),
    )
    return [QuotaRow(*record) for record in await cursor.fetchall()]


async def dealt_in(connection: Connection, book: int) -> list[str]:
    """Return the currencies that the bank has a position account in, by code."""
    cursor = await connection.execute(
        b"select distinct currency_code from ledger_account"
        b" where book = $1 and chart_code = $2 and owner_id is null order by currency_code",
        (book, FX_POSITION),
    )
    return [record[0] for record in await cursor.fetchall()]


async def balances(
    connection: Connection, book: int, account_ids: Sequence[AccountId]
) -> dict[AccountId, int]:
    """Return the credit balances of accounts, in minor units; absent ones are left out."""
    cursor = await connection.execute(
        b"select account_id, credits_posted - debits_posted from ledger_account"
        b" where book = $1 and account_id = any($2)",
        (book, UuidArray(account_ids)),
    )
    return {record[0]: record[1] for record in await cursor.fetchall()}
