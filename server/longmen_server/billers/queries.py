"""What is read of billers, their bills and linked accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.billers.model import (
    FOUND_MAX,
    BillerRow,
    BillerState,
    DueRow,
    DueState,
    LinkRow,
)
from longmen_server.billers.tables import BILLER_COLUMNS, DUE_COLUMNS, LINK_COLUMNS
from longmen_server.platform.adapters import ByteaArray, Uuid, UuidArray
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import book_owner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import (
        BillerId,
        CustomerId,
        DueId,
        MerchantId,
    )

__all__ = [
    "Paid",
    "find_biller",
    "find_billers",
    "find_book_key",
    "find_due",
    "find_paid",
    "list_billers",
    "list_dues",
    "list_links",
    "open_dues",
]

_FIRST_ID: Final = bytes(16)
_LAST_ID: Final = b"\xff" * 16

_BILLER: Final = f"select {BILLER_COLUMNS} from biller where book = $1 and biller_id = $2".encode()
_BILLERS: Final = (
    f"select {BILLER_COLUMNS} from biller where book = $1 and biller_id > $2"
    " and ($3 = 0 or category = $3) and ($4::uuid is null or merchant_id = $4)"
    f" and ($5 or state = {BillerState.OPEN:d}) order by biller_id limit $6"
).encode()
_DUE: Final = f"select {DUE_COLUMNS} from bill_due where book = $1 and due_id = $2".encode()
_DUES: Final = (
    f"select {DUE_COLUMNS} from bill_due where book = $1 and biller_id = $2 and state > 0"
    " and due_id < $3 and ($4 = 0 or state = $4) order by due_id desc limit $5"
).encode()
_OPEN_DUES: Final = (
    f"select {', '.join(f'd.{name}' for name in DueRow.__slots__)}"
    " from unnest($2::bytea[]) as u (i) cross join lateral ("
    f"select {DUE_COLUMNS} from bill_due where book = $1 and account_index = u.i"
    f" and state = {DueState.OPEN:d} and (last_date = '' or last_date >= $3)"
    f" order by due_date, due_id limit {FOUND_MAX}) as d order by d.due_date, d.due_id"
).encode()
_LINKS: Final = (
    f"select {LINK_COLUMNS} from bill_link where book = $1 and customer_id = $2"
    " and removed_at_us is null order by link_id"
).encode()
_BOOK_KEY: Final = b"select wrapped from customer_key where book = $1 and customer_id = $2"
_PAID: Final = (
    f"select {', '.join(f'd.{name}' for name in DueRow.__slots__)}, b.name,"
    " case when m.local_name = '' then m.name else m.local_name end,"
    " o.transaction_id, o.refunded, a.owner_id from bill_due as d"
    " join biller as b on b.book = $1 and b.biller_id = d.biller_id"
    " join merchant as m on m.book = $1 and m.merchant_id = d.merchant_id"
    " join merchant_order as o on o.book = $1 and o.order_id = d.order_id"
    " join ledger_account as a on a.book = $1 and a.account_id = d.payer_account_id"
    " where d.book = $1 and d.due_id = $2"
).encode()


class Paid(NamedTuple):
    """A bill that was paid, with what its receipt tells."""

    row: DueRow
    biller_name: str
    merchant_name: str
    transaction_id: bytes
    refunded: int
    owner_id: CustomerId | None
    """Who paid it."""


async def find_biller(connection: Connection, biller_id: BillerId) -> BillerRow | None:
    """Return a biller, or None when there is none."""
    cursor = await connection.execute(_BILLER, (book_of(biller_id), Uuid(biller_id)))
    record = await cursor.fetchone()
    return None if record is None else BillerRow(*record)


async def list_billers(
    connection: Connection,
    book: int,
    *,
    after: bytes,
    category: int,
    merchant_id: MerchantId | None,
    closed_too: bool,
    limit: int,
) -> list[BillerRow]:
    """Return up to `limit` billers in the order of their ids."""
    merchant = None if merchant_id is None else Uuid(merchant_id)
    cursor = await connection.execute(
        _BILLERS, (book, Uuid(after or _FIRST_ID), category, merchant, closed_too, limit)
    )
    return [BillerRow(*record) for record in await cursor.fetchall()]


async def find_due(connection: Connection, due_id: DueId) -> DueRow | None:
    """Return a bill, or None when there is none."""
    cursor = await connection.execute(_DUE, (book_of(due_id), Uuid(due_id)))
    record = await cursor.fetchone()
    return None if record is None else DueRow(*record)


async def list_dues(
    connection: Connection, biller_id: BillerId, *, before: bytes, state: int, limit: int
) -> list[DueRow]:
    """Return up to `limit` bills of a biller, newest first."""
    cursor = await connection.execute(
        _DUES, (book_of(biller_id), Uuid(biller_id), Uuid(before or _LAST_ID), state, limit)
    )
    return [DueRow(*record) for record in await cursor.fetchall()]


async def open_dues(
    connection: Connection, book: int, indexes: Sequence[bytes], *, today: str
) -> list[DueRow]:
    """Return what can be paid of some account numbers, a few of each, by due date."""
    cursor = await connection.execute(_OPEN_DUES, (book, ByteaArray(indexes), today))
    return [DueRow(*record) for record in await cursor.fetchall()]


async def list_links(connection: Connection, customer_id: CustomerId) -> list[LinkRow]:
    """Return the accounts that a customer has linked, in the order they were."""
    cursor = await connection.execute(_LINKS, (book_of(customer_id), Uuid(customer_id)))
    return [LinkRow(*record) for record in await cursor.fetchall()]


async def find_billers(
    connection: Connection, book: int, biller_ids: Sequence[BillerId]
) -> dict[BillerId, BillerRow]:
    """Return some billers by their ids."""
    cursor = await connection.execute(
        f"select {BILLER_COLUMNS} from biller where book = $1 and biller_id = any($2)".encode(),
        (book, UuidArray(biller_ids)),
    )
    return {record[0]: BillerRow(*record) for record in await cursor.fetchall()}


async def find_book_key(connection: Connection, book: int) -> bytes | None:
    """Return the book's own data key, wrapped."""
    cursor = await connection.execute(_BOOK_KEY, (book, Uuid(book_owner(book))))
    record = await cursor.fetchone()
    return None if record is None else bytes(record[0])


async def find_paid(connection: Connection, due_id: DueId) -> Paid | None:
    """Return what the receipt of a bill tells; None when it was not paid."""
    cursor = await connection.execute(_PAID, (book_of(due_id), Uuid(due_id)))
    record = await cursor.fetchone()
    if record is None:
        return None
    columns = len(DueRow.__slots__)
    return Paid(DueRow(*record[:columns]), *record[columns:])
