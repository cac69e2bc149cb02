"""Personal data of customers: sealed before a command is made, opened after a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.accounts.masking import mask_name, mask_phone
from longmen_server.accounts.model import SealedCustomer
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import Field, IndexKind, SealBrokenError, wrapping_key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import WalletRow
    from longmen_server.platform.ids import AccountId, CustomerId
    from longmen_server.platform.pii import DataKey, Vault

__all__ = [
    "DISPLAY_NAME",
    "EMAIL",
    "ERASED",
    "PHONE_NUMBER",
    "FoundWallet",
    "Person",
    "SealedName",
    "masked_names",
    "open_person",
    "person_key",
    "phone_index",
    "seal_customer",
]

DISPLAY_NAME: Final = Field("wallet", "display_name")
PHONE_NUMBER: Final = Field("wallet", "phone_number")
EMAIL: Final = Field("wallet", "email")

ERASED: Final = "[erased]"
"""What is shown where personal data was before it was erased."""


class FoundWallet(NamedTuple):
    """A customer as read: sealed data and the wrapped key."""

    row: WalletRow
    wrapped_key: bytes | None


class SealedName(NamedTuple):
    """The owner of an account as read."""

    account_id: AccountId
    customer_id: CustomerId
    display_name: bytes
    wrapped_key: bytes | None
    erased_at_us: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """A customer's personal data, readable."""

    display_name: str
    phone_number: str
    """E.164."""
    email: str = ""
    email_is_proven: bool = False
    """Whether a code that was sent there came back."""

    @property
    def masked_phone_number(self) -> str:
        """The phone number as anybody may see it."""
        return ERASED if self.is_erased else mask_phone(self.phone_number)

    @property
    def is_erased(self) -> bool:
        """Whether the data is gone for good."""
        return self.phone_number == ERASED


_NOBODY: Final = Person(ERASED, ERASED)


def phone_index(vault: Vault, phone_number: str) -> bytes:
    """Return what a phone number is found by."""
    return vault.index(IndexKind.PHONE_NUMBER, phone_number)


def seal_customer(
    vault: Vault, customer_id: CustomerId, *, phone_number: str, display_name: str
) -> SealedCustomer:
    """Return what is kept of a new customer, under a data key of the customer's own."""
    book = book_of(customer_id)
    wrapped, key = vault.new_data_key(book, customer_id)
    return SealedCustomer(
        wrapped_key=wrapped,
        wrapping_key=wrapping_key_of(wrapped),
        display_name=key.seal(DISPLAY_NAME, book, customer_id, display_name),
        phone_number=key.seal(PHONE_NUMBER, book, customer_id, phone_number),
        phone_index=phone_index(vault, phone_number),
    )


def person_key(vault: Vault, found: FoundWallet) -> DataKey:
    """Return the data key of a customer who was not erased.

    Raises:
        SealBrokenError: the key is not there, though nobody erased it.
    """
    customer_id = found.row.customer_id
    if found.wrapped_key is None:
        raise SealBrokenError("a customer has no data key")
    return vault.data_key(book_of(customer_id), customer_id, found.wrapped_key)


def open_person(vault: Vault, found: FoundWallet) -> Person:
    """Return a customer's personal data; of an erased one what stands in its place.

    Raises:
        SealBrokenError: the data was damaged or moved from another customer.
    """
    row = found.row
    if row.erased_at_us is not None:
        return _NOBODY
    key, book, customer_id = person_key(vault, found), book_of(row.customer_id), row.customer_id
    return Person(
        display_name=key.open(DISPLAY_NAME, book, customer_id, row.display_name),
        phone_number=key.open(PHONE_NUMBER, book, customer_id, row.phone_number),
        email="" if row.email is None else key.open(EMAIL, book, customer_id, row.email),
        email_is_proven=row.email_proven_at_us is not None,
    )


def masked_names(vault: Vault, names: Iterable[SealedName]) -> dict[AccountId, str]:
    """Return the masked names of accounts' owners.

    Raises:
        SealBrokenError: as :func:`open_person`.
    """
    return {each.account_id: _masked_name(vault, each) for each in names}


def _masked_name(vault: Vault, sealed: SealedName) -> str:
    if sealed.erased_at_us is not None:
        return ERASED
    if sealed.wrapped_key is None:
        raise SealBrokenError("a customer has no data key")
    customer_id = sealed.customer_id
    book = book_of(customer_id)
    key = vault.data_key(book, customer_id, sealed.wrapped_key)
    return mask_name(key.open(DISPLAY_NAME, book, customer_id, sealed.display_name))
