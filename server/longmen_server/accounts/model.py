"""The rules of wallets: who owns what, and how accounts are frozen, unfrozen and closed.

A wallet account, or pocket, is a ledger account with the same id that belongs to a customer; its
money and its state are the ledger's, the rest stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import phonenumbers

from longmen_server.ledger.model import FROZEN_STATES, AccountState
from longmen_server.platform.ids import CustomerId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId


#: Stands where an account of a wallet's kind has no owner.
NOBODY = CustomerId(b"")


class AliasKind(IntEnum):
    """What a customer can be found by."""

    PHONE_NUMBER = 1
    ID_NUMBER = 2
    """Of an identity document: one entry for each wallet that rests on it."""


class AliasKey(NamedTuple):
    """One entry of the alias directory."""

    kind: int
    value: bytes
    """The blind index of what the customer is found by."""


@dataclass(slots=True, frozen=True)
class AliasRow:
    """Whom an alias belongs to; it never changes."""

    kind: int
    value: bytes
    customer_id: CustomerId
    target_book: int
    created_at_us: int


@dataclass(slots=True)
class WalletRow:
    """One registered customer; personal data is sealed under the customer's data key."""

    customer_id: CustomerId
    display_name: bytes
    phone_number: bytes
    phone_index: bytes | None
    """The value of the alias that finds the customer; None once erased."""
    email: bytes | None
    created_at_us: int
    erased_at_us: int | None
    """When the personal data was erased for good; None while it is there."""
    email_proven_at_us: int | None
    """When a code that was sent to the e-mail address came back; None before."""

    def copy(self) -> WalletRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class CustomerKeyRow:
    """A customer's data key, wrapped."""

    customer_id: CustomerId
    wrapped: bytes
    wrapping_key: int
    """Id of the key that wrapped it."""
    created_at_us: int


@dataclass(slots=True)
class CustomerPockets:
    """What is counted of a customer's accounts before the customer is erased."""

    customer_id: CustomerId
    open_count: int
    erased: bool = False
    """Whether the names that the customer gave the accounts are to be forgotten."""


class SealedCustomer(NamedTuple):
    """What a new customer's registration keeps of the person, sealed before it is decided."""

    wrapped_key: bytes
    wrapping_key: int
    display_name: bytes
    phone_number: bytes
    phone_index: bytes


@dataclass(slots=True)
class PocketRow:
    """What a wallet account is beyond its ledger account."""

    account_id: AccountId
    customer_id: CustomerId
    currency_code: str
    nickname: str
    created_at_us: int
    closed_at_us: int | None

    def copy(self) -> PocketRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return PocketRow(
            self.account_id,
            self.customer_id,
            self.currency_code,
            self.nickname,
            self.created_at_us,
            self.closed_at_us,
        )


class PocketKey(NamedTuple):
    """The one open account of a customer in a currency."""

    customer_id: CustomerId
    currency_code: str


class PhoneKey(NamedTuple):
    """A payee as payers name one: by phone number, in a currency."""

    phone_index: bytes
    currency_code: str


class PhonePayee(NamedTuple):
    """Who is behind a phone number."""

    customer_id: CustomerId
    target_book: int
    account_id: AccountId | None
    """The customer's open account in the currency; None when there is none in this book."""


@dataclass(frozen=True, slots=True)
class Actor:
    """For whom a call is made, as far as ownership goes."""

    customer_id: CustomerId | None
    """The customer who calls; None for services and staff, who act for any."""

    @property
    def is_bank(self) -> bool:
        """Whether the bank acts, not the customer."""
        return self.customer_id is None

    def may_use(self, owner_id: CustomerId | None) -> bool:
        """Whether what this customer owns is the caller's to see and to change."""
        return self.customer_id is None or self.customer_id == owner_id


def check_phone_number(text: str) -> str:
    """Return a phone number that can exist, in E.164 form.

    Raises:
        Refusal: PHONE_NUMBER_INVALID when no numbering plan allows it.
    """
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise _phone_invalid() from None
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # A number with a national prefix left in would be a second name for the same phone.
    if normal != text or not phonenumbers.is_possible_number(number):
        raise _phone_invalid()
    return normal


def _phone_invalid() -> Refusal:
    return Refusal(
        "PHONE_NUMBER_INVALID",
        "the phone number is not a possible one in E.164 form",
        field="phone_number",
    )


def is_frozen_by_bank(account: AccountRow) -> bool:
    """Whether an account is frozen, and not by its owner."""
    return account.state in FROZEN_STATES and not account.frozen_by_owner


def check_freeze(account: AccountRow, target: int, *, by_bank: bool) -> None:
    """Refuse a freeze that changes nothing, or that would make the bank's freeze the customer's.

    Raises:
        Refusal: ACCOUNT_STATE_CONFLICT.
    """
    ended = account.state in {AccountState.CLOSING, AccountState.CLOSED}
    if ended or (not by_bank and is_frozen_by_bank(account)):
        raise state_conflict(account)
    # The bank may take over a customer's freeze, so that only the bank can lift it.
    takes_over = by_bank and account.frozen_by_owner
    if account.state == target and not takes_over:
        raise state_conflict(account)


def check_unfreeze(account: AccountRow, *, by_bank: bool) -> None:
    """Refuse to lift what is no freeze, or the bank's freeze for the customer.

    Raises:
        Refusal: ACCOUNT_STATE_CONFLICT, FROZEN_BY_BANK.
    """
    if account.state not in FROZEN_STATES:
        raise state_conflict(account)
    if not by_bank and is_frozen_by_bank(account):
        raise Refusal("FROZEN_BY_BANK", "the bank froze the account; only the bank can lift that")


def check_close(account: AccountRow) -> None:
    """Refuse to close an account that is frozen or closed, or has pending postings.

    Raises:
        Refusal: ACCOUNT_STATE_CONFLICT, ACCOUNT_HAS_HOLDS.
    """
    closable = account.state == AccountState.OPEN or (
        account.state == AccountState.CLOSING and not account.posted
    )
    if not closable:
        raise state_conflict(account)
    if account.debits_pending or account.credits_pending:
        raise Refusal("ACCOUNT_HAS_HOLDS", "the account to close has pending postings")


def state_conflict(account: AccountRow) -> Refusal:
    """Return the refusal for an account that cannot leave its state that way."""
    state = AccountState(account.state)
    return Refusal(
        "ACCOUNT_STATE_CONFLICT",
        f"the account is {state.name.lower().replace('_', ' ')}",
        metadata={"state": state.name},
    )


def customer_erased() -> Refusal:
    """Return the refusal for a customer whose personal data is gone."""
    return Refusal("CUSTOMER_ERASED", "the customer's personal data was erased for good")


def wallet_not_found(customer: str) -> Refusal:
    """Return the refusal for a wallet that is not there, or not the caller's to see."""
    return Refusal(
        "WALLET_NOT_FOUND",
        "no such wallet",
        metadata={"customer_id": customer},
        field="customer_id",
    )
