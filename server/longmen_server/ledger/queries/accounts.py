"""Accounts: one by id, and lists in the order of ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen_server.ledger import encode
from longmen_server.ledger.model import AccountRow
from longmen_server.ledger.queries.rows import ACCOUNT_COLUMNS
from longmen_server.platform.adapters import Uuid

if TYPE_CHECKING:
    from longmen.ledger.v1 import account_pb2
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId, CustomerId

__all__ = ["AccountFilter", "find_account", "list_accounts"]

_FIRST_ID: Final = bytes(16)
"""Sorts before every account id."""

_FIND: Final = (
    f"select {ACCOUNT_COLUMNS} from ledger_account where book = $1 and account_id = $2".encode()
)
_LIST: Final = (
    f"select {ACCOUNT_COLUMNS} from ledger_account"
    " where book = $1 and account_id > $2"
    " and ($4::int4 = 0 or chart_code = $4) and ($5::text = '' or currency_code = $5)"
    " order by account_id limit $3"
).encode()
# One customer has few accounts: they are found by their owner and sorted, never by walking the
# book.
_LIST_OF_OWNER: Final = (
    "with owned as materialized ("
    f" select {ACCOUNT_COLUMNS} from ledger_account where book = $1 and owner_id = $6)"
    f" select {ACCOUNT_COLUMNS} from owned"
    " where account_id > $2"
    " and ($4::int4 = 0 or chart_code = $4) and ($5::text = '' or currency_code = $5)"
    " order by account_id limit $3"
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts of a book to list; nothing given keeps all."""

    owner_id: CustomerId | None = None
    chart_code: int = 0
    """0 keeps every code."""
    currency_code: str = ""
    """Empty keeps every currency."""


async def find_account(
    connection: Connection, book: int, account_id: AccountId
) -> account_pb2.Account | None:
    """Return an account with its balances, or None when there is none."""
    cursor = await connection.execute(_FIND, (book, Uuid(account_id)))
    record = await cursor.fetchone()
    return None if record is None else encode.account(AccountRow(*record))


async def list_accounts(
    connection: Connection,
    book: int,
    wanted: AccountFilter,
    *,
    after: AccountId | None,
    limit: int,
) -> list[account_pb2.Account]:
    """Return up to `limit` accounts in the order of their ids, beginning after one of them."""
    parameters: tuple[object, ...] = (
        book,
        Uuid(after or _FIRST_ID),
        limit,
        wanted.chart_code,
        wanted.currency_code,
    )
    statement = _LIST
    if wanted.owner_id is not None:
        statement = _LIST_OF_OWNER
        parameters = (*parameters, Uuid(wanted.owner_id))
    cursor = await connection.execute(statement, parameters)
    return [encode.account(AccountRow(*record)) for record in await cursor.fetchall()]
