"""What is read of wallets: customers, pockets, histories and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.accounts.model import NOBODY, AliasKind, PocketRow, WalletRow
from longmen_server.accounts.movements import STATED
from longmen_server.accounts.personal import FoundWallet, SealedName
from longmen_server.accounts.tables import WALLET_COLUMNS
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.queries.entries import (
    DamagedHistoryError,
    VersionRange,
    versions_between,
)
from longmen_server.ledger.queries.history import (
    HistoryEntry,
    HistoryFilter,
    find_account_rows,
    read_history,
)
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import book_owner

if TYPE_CHECKING:
    from collections.abc import Collection

    from longmen_server.accounts.model import Actor
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId, CustomerId

__all__ = [
    "MonthHistory",
    "Page",
    "Versions",
    "find_account_key",
    "find_deposit",
    "find_names",
    "find_nickname",
    "find_payee_by_phone",
    "find_pocket",
    "find_wallet",
    "list_pockets",
    "read_month",
    "read_page",
    "versions_of",
]

SCAN_VERSIONS: Final = 5_000
"""Versions of an account that one statement of a filtered list looks at."""

SCAN_STATEMENTS_MAX: Final = 10
"""Such statements in one call; a page that is not full by then ends with a token to go on."""

_FIRST_ID: Final = bytes(16)
"""Sorts before every account id."""

_POCKET_COLUMNS: Final = ", ".join(PocketRow.__slots__)
_WALLET: Final = (
    f"select {', '.join(f'w.{column}' for column in WALLET_COLUMNS.split(', '))}, k.wrapped"
    " from wallet as w left join customer_key as k on k.book = $1"
    " and k.customer_id = w.customer_id where w.book = $1 and w.customer_id = $2"
).encode()
_POCKET: Final = (
    f"select {_POCKET_COLUMNS} from wallet_account where book = $1 and account_id = $2"
).encode()
_NICKNAME: Final = b"select nickname from wallet_account where book = $1 and account_id = $2"
_POCKETS: Final = (
    f"select {_POCKET_COLUMNS} from wallet_account"
    " where book = $1 and customer_id = $2 and account_id > $3 order by account_id limit $4"
).encode()
_NAMES: Final = (
    b"select a.account_id, w.customer_id, w.display_name, k.wrapped, w.erased_at_us"
    b" from wallet_account as a"
    b" join wallet as w on w.book = $1 and w.customer_id = a.customer_id"
    b" left join customer_key as k on k.book = $1 and k.customer_id = a.customer_id"
    b" where a.book = $1 and a.account_id = any($2)"
)
_ACCOUNT_KEY: Final = (
    b"select k.customer_id, k.wrapped from customer_key as k where k.book = $1 and k.customer_id"
    b" in ((select a.customer_id from wallet_account as a where a.book = $1 and a.account_id = $2),"
    b" $3) order by k.customer_id = $3 limit 1"
)
# Two statements, because the first is what tells the book of the second.
_ALIAS: Final = b"select target_book, customer_id from alias where kind = $1 and value = $2"
_OPEN_POCKET: Final = (
    b"select account_id from wallet_account where book = $1 and customer_id = $2"
    b" and currency_code = $3 and closed_at_us is null"
)


async def find_wallet(
    connection: Connection, book: int, customer_id: CustomerId
) -> FoundWallet | None:
    """Return a customer, or None when there is none."""
    cursor = await connection.execute(_WALLET, (book, Uuid(customer_id)))
    record = await cursor.fetchone()
    return None if record is None else FoundWallet(WalletRow(*record[:-1]), record[-1])


async def find_deposit(connection: Connection, account_id: AccountId, actor: Actor) -> AccountRow:
    """Return a customer's account in the ledger.

    Raises:
        Refusal: ACCOUNT_NOT_FOUND when there is none, it is the bank's own, or another customer's.
    """
    account = (await find_account_rows(connection, book_of(account_id), [account_id])).get(
        account_id
    )
    if (
        account is None
        or account.chart_code != CUSTOMER_DEPOSITS
        or not actor.may_use(account.owner_id)
    ):
        raise account_not_found(account_id)
    return account


async def find_pocket(connection: Connection, account: AccountRow) -> PocketRow:
    """Return what is kept of a customer's account beside the ledger.

    An account that a service opened in the ledger for a customer has nothing there yet.
    """
    cursor = await connection.execute(
        _POCKET, (book_of(account.account_id), Uuid(account.account_id))
    )
    record = await cursor.fetchone()
    if record is not None:
        return PocketRow(*record)
    return PocketRow(
        account_id=account.account_id,
        customer_id=account.owner_id or NOBODY,
        currency_code=account.currency_code,
        nickname="",
        created_at_us=account.created_at_us,
        closed_at_us=None,
    )


async def find_nickname(connection: Connection, account_id: AccountId) -> str:
    """Return what its owner calls an account; empty for none, and once the owner is erased."""
    cursor = await connection.execute(_NICKNAME, (book_of(account_id), Uuid(account_id)))
    record = await cursor.fetchone()
    return "" if record is None else str(record[0])


async def list_pockets(
    connection: Connection,
    book: int,
    customer_id: CustomerId,
    *,
    after: AccountId | None,
    limit: int,
) -> list[tuple[PocketRow, AccountRow]]:
    """Return up to `limit` accounts of a customer in the order they were opened."""
    cursor = await connection.execute(
        _POCKETS, (book, Uuid(customer_id), Uuid(after or _FIRST_ID), limit)
    )
    pockets = [PocketRow(*record) for record in await cursor.fetchall()]
    accounts = await find_account_rows(connection, book, [each.account_id for each in pockets])
    return [(pocket, accounts[pocket.account_id]) for pocket in pockets]


async def find_names(
    connection: Connection, book: int, account_ids: Collection[AccountId]
) -> list[SealedName]:
    """Return the names, as they are kept, of those accounts' owners that are customers."""
    if not account_ids:
        return []
    cursor = await connection.execute(_NAMES, (book, UuidArray(sorted(account_ids))))
    return [SealedName(*record) for record in await cursor.fetchall()]


async def find_account_key(
    connection: Connection, account_id: AccountId
) -> tuple[CustomerId, bytes] | None:
    """Return whose data key is for what is kept of an account, and the key, wrapped.

    It is the customer's, or the book's own where no customer of ours owns the account.
    """
    book = book_of(account_id)
    parameters = (book, Uuid(account_id), Uuid(book_owner(book)))
    cursor = await connection.execute(_ACCOUNT_KEY, parameters)
    record = await cursor.fetchone()
    return None if record is None else (record[0], record[1])


async def find_payee_by_phone(
    connection: Connection, phone_index: bytes, currency_code: str
) -> tuple[int, AccountId | None] | None:
    """Return book and open account of whom a phone number belongs to; None for an unknown one."""
    cursor = await connection.execute(_ALIAS, (int(AliasKind.PHONE_NUMBER), phone_index))
    alias = await cursor.fetchone()
    if alias is None:
        return None
    book, customer_id = alias
    cursor = await connection.execute(_OPEN_POCKET, (book, Uuid(customer_id), currency_code))
    pocket = await cursor.fetchone()
    return book, None if pocket is None else pocket[0]


class Versions(NamedTuple):
    """Versions of an account, both ends included; empty when the first is above the last."""

    first: int
    last: int


async def versions_of(
    connection: Connection,
    account: AccountRow,
    *,
    last: int = 0,
    between_us: tuple[int | None, int | None] = (None, None),
) -> Versions:
    """Return the versions of an account that a list is about.

    Args:
        connection: where to read, on one snapshot with the account and the list.
        account: whose versions.
        last: where the page before ended; 0 for the first page.
        between_us: first booked time and the one after the last, in microseconds; None for no
            bound.
    """
    from_us, to_us = between_us
    versions = Versions(1, min(last or account.version, account.version))
    if from_us is None and to_us is None:
        return versions
    found = await versions_between(
        connection,
        account.account_id,
        VersionRange(*versions),
        from_us=from_us,
        to_us=to_us,
    )
    assert found is not None, "the account was found before"
    assert found.last is not None, "the range had an end before"
    return Versions(found.first, found.last)


class Page(NamedTuple):
    """Part of a filtered history."""

    entries: list[HistoryEntry]
    next_version: int
    """Where to go on: versions up to this one were not looked at; 0 when none is left."""


async def read_page(
    connection: Connection,
    account_id: AccountId,
    versions: Versions,
    wanted: HistoryFilter,
    *,
    limit: int,
) -> Page:
    """Return the newest entries of a range that pass a filter, reading a bounded part of it."""
    entries: list[HistoryEntry] = []
    last = versions.last
    for _ in range(SCAN_STATEMENTS_MAX):
        if last < versions.first or len(entries) >= limit:
            break
        first = max(versions.first, last - SCAN_VERSIONS + 1)
        found = await read_history(
            connection,
            account_id,
            (first, last),
            wanted,
            newest_first=True,
            limit=limit - len(entries),
        )
        full = len(entries) + len(found) >= limit
        entries.extend(found)
        last = found[-1].version - 1 if full else first - 1
    return Page(entries, max(last, 0) if last >= versions.first else 0)


class MonthHistory(NamedTuple):
    """What a statement is made of."""

    opening: int
    """Posted balance before the first entry, in minor units."""
    entries: list[HistoryEntry]
    """Entries that changed the posted balance, oldest first."""
    closing: int


async def read_month(
    connection: Connection, account: AccountRow, start_us: int, end_us: int, *, limit: int
) -> MonthHistory:
    """Return what was booked on an account from a time to another.

    Args:
        connection: where to read, on one snapshot with the account.
        account: whose history.
        start_us: first moment, in microseconds.
        end_us: first moment after it.
        limit: most entries to return; a caller that gets more than it wants knows there are more.

    Raises:
        DamagedHistoryError: the history has a gap.
    """
    account_id = account.account_id
    versions = await versions_of(connection, account, between_us=(start_us, end_us))
    entries = await read_history(
        connection, account_id, versions, STATED, newest_first=False, limit=limit
    )
    opening = await _posted_at(connection, account_id, versions.first - 1)
    closing = await _posted_at(connection, account_id, max(versions.first - 1, versions.last))
    return MonthHistory(opening, entries, closing)


async def _posted_at(connection: Connection, account_id: AccountId, version: int) -> int:
    """Return the posted balance of an account at one of its versions."""
    if not version:
        return 0
    found = await read_history(
        connection,
        account_id,
        (version, version),
        HistoryFilter(),
        newest_first=False,
        limit=1,
    )
    if not found:
        raise DamagedHistoryError(account_id)
    return found[0].posted_after
