"""Everything that is stored about a customer, as JSON, for the customer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import MessageToDict

from longmen_server.accounts import encode, queries
from longmen_server.accounts.movements import movement
from longmen_server.accounts.personal import masked_names, open_person
from longmen_server.ledger.paging import PAGE_SIZE_MAX
from longmen_server.ledger.queries.history import HistoryFilter
from longmen_server.mandates.encode import mandate
from longmen_server.mandates.queries import list_mandates
from longmen_server.platform.ids import book_of
from longmen_server.profile.encode import profile
from longmen_server.profile.owned import owned
from longmen_server.transfers.bank_accounts import open_bank_account
from longmen_server.transfers.queries import find_instructions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from longmen_server.accounts.personal import FoundWallet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import AccountId
    from longmen_server.platform.pii import Vault

__all__ = ["export"]

PAGE_ENTRIES: Final = 500
"""Entries of a history read at a time; between pages the connection is given back."""


async def export(
    readers: Readers, vault: Vault, found: FoundWallet, *, now_us: int, deadline: float
) -> AsyncIterator[tuple[str, str]]:
    """Yield section and JSON of every record that is stored about a customer.

    Raises:
        Refusal: as the readers.
        SealBrokenError: something was damaged or moved from another customer.
    """
    row = found.row
    person = open_person(vault, found)
    yield "profile", as_json(profile(row, person, in_full=True))
    async with readers.snapshot(deadline=deadline) as connection:
        records = [record async for record in owned(connection, vault, found, now_us)]
    for section, content in records:
        yield section, dumped(content) if isinstance(content, dict) else as_json(content)
    book, after = book_of(row.customer_id), None
    while True:
        async with readers.snapshot(deadline=deadline) as connection:
            pairs = await queries.list_pockets(
                connection, book, row.customer_id, after=after, limit=PAGE_SIZE_MAX
            )
        for pocket, account in pairs:
            yield "accounts", as_json(encode.wallet_account(pocket, account))
            async for line in movements(readers, vault, account, deadline=deadline):
                yield "movements", line
            async for line in consents(readers, pocket.account_id, now_us, deadline=deadline):
                yield "mandates", line
        if len(pairs) < PAGE_SIZE_MAX:
            return
        after = pairs[-1][0].account_id


async def consents(
    readers: Readers, account_id: AccountId, now_us: int, *, deadline: float
) -> AsyncIterator[str]:
    """Yield what was signed that merchants may charge to an account, newest first."""
    before = b""
    while True:
        async with readers.snapshot(deadline=deadline) as connection:
            rows = await list_mandates(connection, account_id, before=before, limit=PAGE_SIZE_MAX)
        for row in rows:
            yield as_json(mandate(row, now_us))
        if len(rows) < PAGE_SIZE_MAX:
            return
        before = rows[-1].mandate_id


async def movements(
    readers: Readers, vault: Vault, account: AccountRow, *, deadline: float
) -> AsyncIterator[str]:
    """Yield an account's whole history, newest first, with the bank accounts of its transfers."""
    last = account.version
    while last:
        async with readers.snapshot(deadline=deadline) as connection:
            lines, last = await page(connection, vault, account, last)
        for line in lines:
            yield line


async def page(
    connection: Connection, vault: Vault, account: AccountRow, last: int
) -> tuple[list[str], int]:
    """Return the lines of a page that ends at a version, and the version to go on with."""
    account_id, book = account.account_id, book_of(account.account_id)
    found = await queries.read_page(
        connection, account_id, queries.Versions(1, last), HistoryFilter(), limit=PAGE_ENTRIES
    )
    names = await queries.find_names(
        connection, book, {entry.counterparty_id for entry in found.entries}
    )
    masked = masked_names(vault, names)
    ids = {entry.posting.transaction_id for entry in found.entries}
    banks = {
        each.row.transaction_id: open_bank_account(vault, each)
        for each in await find_instructions(connection, book, ids)
    }
    lines = []
    for entry in found.entries:
        bank_account = banks.get(entry.posting.transaction_id)
        more = {} if bank_account is None else {"bank_account": bank_account}
        lines.append(as_json(movement(entry, masked), **more))
    return lines, found.next_version


def as_json(message: Message, **more: Any) -> str:
    """Return a message of the contract as JSON, with what it does not say itself."""
    fields = MessageToDict(message, preserving_proto_field_name=True)
    return dumped({**fields, **more})


def dumped(values: dict[str, Any]) -> str:
    """Return named values as JSON."""
    return json.dumps(values, ensure_ascii=False)
