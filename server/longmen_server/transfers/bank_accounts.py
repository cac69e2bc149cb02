"""Numbers of bank accounts: sealed before a command, opened to instruct the clearing.

They are sealed under the data key of the customer whose wallet the money moves on, so that erasing
the customer erases them. Where a service opened an account in the ledger without a wallet, the
book's own data key takes its place.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from longmen_server.accounts.queries import find_account_key
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import (
    CACHED_KEYS_MAX,
    CACHED_SECONDS,
    Field,
    SealBrokenError,
)
from longmen_server.transfers.model import SealedAccount

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import AccountId, CustomerId, TransactionId
    from longmen_server.platform.pii import DataKey, Vault
    from longmen_server.transfers.queries import FoundInstruction

__all__ = ["BANK_ACCOUNT", "BankAccounts", "open_bank_account"]

BANK_ACCOUNT: Final = Field("clearing_instruction", "bank_account")


class BankAccounts:
    """Seals numbers of bank accounts in one process, remembering for a while whose key is whose.

    A wallet that is erased meanwhile has its accounts closed, so nothing that is sealed under its
    key any more is ever written.
    """

    def __init__(self, vault: Vault, readers: Readers, monotonic: Callable[[], float]) -> None:
        """Take what unwraps keys, where they are read, and seconds."""
        self._vault = vault
        self._readers = readers
        self._monotonic = monotonic
        self._known: OrderedDict[AccountId, tuple[float, CustomerId, DataKey]] = OrderedDict()

    async def seal(
        self, account_id: AccountId, transfer_id: TransactionId, text: str, *, deadline: float
    ) -> SealedAccount:
        """Return the number of a bank account as the instruction of a transfer keeps it.

        Raises:
            Refusal: as the readers.
            SealBrokenError: the book has no data key, which the start of a server makes.
        """
        owner, key = await self._key(account_id, deadline)
        return SealedAccount(owner, key.seal(BANK_ACCOUNT, book_of(transfer_id), transfer_id, text))

    async def _key(self, account_id: AccountId, deadline: float) -> tuple[CustomerId, DataKey]:
        now = self._monotonic()
        known = self._known.get(account_id)
        if known is not None and known[0] > now:
            return known[1], known[2]
        async with self._readers.connection(deadline=deadline) as connection:
            found = await find_account_key(connection, account_id)
        book = book_of(account_id)
        if found is None:
            raise SealBrokenError(f"book {book} has no data key")
        owner, wrapped = found
        key = self._vault.data_key(book, owner, wrapped)
        self._known[account_id] = (now + CACHED_SECONDS, owner, key)
        self._known.move_to_end(account_id)
        while len(self._known) > CACHED_KEYS_MAX or next(iter(self._known.values()))[0] <= now:
            self._known.popitem(last=False)
        return owner, key


def open_bank_account(vault: Vault, found: FoundInstruction) -> str:
    """Return the number of an instruction's bank account.

    Raises:
        SealBrokenError: it was damaged or moved, or its customer erased.
    """
    row = found.row
    book = book_of(row.transaction_id)
    if found.wrapped_key is None:
        raise SealBrokenError("the customer of an instruction was erased")
    key = vault.data_key(book, row.key_owner, found.wrapped_key)
    return key.open(BANK_ACCOUNT, book, row.transaction_id, row.bank_account)
