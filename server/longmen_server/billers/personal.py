"""Account numbers with billers: sealed before a command, opened to be shown by their last digits.

A bill belongs to somebody whom the bank may not know, so its number is sealed under the book's data
key. What a customer links is sealed under the customer's own, so that erasing the customer erases
it. Both are found by a blind index over biller and number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.billers.model import masked
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import Field, IndexKind, SealBrokenError, book_owner

if TYPE_CHECKING:
    from longmen_server.billers.model import DueRow, LinkRow
    from longmen_server.platform.ids import BillerId
    from longmen_server.platform.pii import DataKey, Vault

__all__ = [
    "DUE_ACCOUNT",
    "LINK_ACCOUNT",
    "LINK_LABEL",
    "account_index",
    "book_key",
    "clear_link",
    "masked_number",
]

DUE_ACCOUNT: Final = Field("bill_due", "account_number")
LINK_ACCOUNT: Final = Field("bill_link", "account_number")
LINK_LABEL: Final = Field("bill_link", "label")


def account_index(vault: Vault, biller_id: BillerId, account_number: str) -> bytes:
    """Return what the bills of an account number are found by."""
    return vault.index(IndexKind.BILL_ACCOUNT, f"{biller_id.hex()}:{account_number}")


def book_key(vault: Vault, book: int, wrapped: bytes | None) -> DataKey:
    """Return the data key that a book's bills are sealed under.

    Raises:
        SealBrokenError: the book has none, which the start of a server makes.
    """
    if wrapped is None:
        raise SealBrokenError(f"book {book} has no data key")
    return vault.data_key(book, book_owner(book), wrapped)


def masked_number(key: DataKey, row: DueRow) -> str:
    """Return the account number of a bill as it is shown.

    Raises:
        SealBrokenError: it was damaged or moved from another bill.
    """
    return masked(key.open(DUE_ACCOUNT, book_of(row.due_id), row.due_id, row.account_number))


def clear_link(key: DataKey, row: LinkRow) -> tuple[str, str]:
    """Return account number and label of a link that is not forgotten.

    Raises:
        SealBrokenError: they were damaged or moved from another customer.
    """
    book, link_id = book_of(row.link_id), row.link_id
    assert row.account_number is not None, "only a forgotten link has none"
    number = key.open(LINK_ACCOUNT, book, link_id, row.account_number)
    label = "" if row.label is None else key.open(LINK_LABEL, book, link_id, row.label)
    return number, label
