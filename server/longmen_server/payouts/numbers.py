"""Numbers of merchants' bank accounts: sealed before a command, opened to instruct the clearing.

They are sealed under the book's own data key, for a merchant is no customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.accounts.queries import find_account_key
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import Field, SealBrokenError

if TYPE_CHECKING:
    from longmen_server.payouts.model import PayoutRow
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId, PayoutAccountId
    from longmen_server.platform.pii import DataKey, Vault

__all__ = ["BANK_ACCOUNT", "key_for", "open_number", "seal_number"]

BANK_ACCOUNT: Final = Field("merchant_payout_account", "sealed")


async def key_for(connection: Connection, vault: Vault, account_id: AccountId) -> DataKey:
    """Return the data key for the numbers of a merchant with an account in the ledger.

    Raises:
        SealBrokenError: the book has no data key, which the start of a server makes.
    """
    book = book_of(account_id)
    found = await find_account_key(connection, account_id)
    if found is None:
        raise SealBrokenError(f"book {book} has no data key")
    return vault.data_key(book, *found)


def seal_number(key: DataKey, payout_account_id: PayoutAccountId, number: str) -> bytes:
    """Return a number as it is kept for an account."""
    return key.seal(BANK_ACCOUNT, book_of(payout_account_id), payout_account_id, number)


def open_number(key: DataKey, row: PayoutRow) -> str:
    """Return the number that a booked payout goes to.

    Raises:
        SealBrokenError: it was damaged or moved from another account.
    """
    account_id, sealed = row.payout_account_id, row.sealed
    if account_id is None or sealed is None:
        raise SealBrokenError("a payout without an account")
    return key.open(BANK_ACCOUNT, book_of(account_id), account_id, sealed)
