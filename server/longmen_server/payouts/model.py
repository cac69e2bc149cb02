"""The rules of payouts: which account is paid to, and what an answer of the clearing means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import PAYOUT_ACCOUNT, SETTLEMENT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import (
        AccountId,
        MerchantId,
        PayoutAccountId,
        SettlementId,
        TransactionId,
    )

__all__ = [
    "Answer",
    "PayoutAccountRow",
    "PayoutAccountState",
    "PayoutRow",
    "PayoutState",
    "payout_account_not_found",
    "payout_not_found",
    "state_after",
    "tail_of",
]

TAIL: Final = 4
"""Characters of a number that are shown."""


class PayoutAccountState(IntEnum):
    """Whether an account is paid to; values of longmen.merchants.v1.PayoutAccountState."""

    NONE = 0
    CANDIDATE = 1
    ACTIVE = 2
    SUSPENDED = 3


class PayoutState(IntEnum):
    """Where a payout stands; values of longmen.merchants.v1.PayoutState."""

    WAITING = 1
    QUEUED = 2
    SENT = 3
    PAID = 4
    RETURNED = 5


class Answer(IntEnum):
    """What the clearing says of a payout."""

    CONFIRMED = 1
    REFUSED = 2
    RETURNED = 3


@dataclass(slots=True)
class PayoutAccountRow:
    """Where a merchant is paid, and the candidate for it; a merchant has one row."""

    merchant_id: MerchantId
    state: int
    """Of the account that is paid to; 0 before one was confirmed."""
    account_id: PayoutAccountId | None
    sealed: bytes | None
    """Its number, sealed for its id: see payouts/numbers.py."""
    tail: str
    clearing_code: str
    """For which it was suspended."""
    registered_at_us: int
    """When the account was registered; 0 without one."""
    candidate_id: PayoutAccountId | None
    candidate_sealed: bytes | None
    candidate_tail: str
    candidate_at_us: int
    updated_at_us: int

    def copy(self) -> PayoutAccountRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(slots=True)
class PayoutRow:
    """What a settlement came to, on its way to the merchant's bank account."""

    settlement_id: SettlementId
    merchant_id: MerchantId
    account_id: AccountId
    """The merchant's in the ledger."""
    business_date: str
    amount: int
    currency_code: str
    state: int
    payout_account_id: PayoutAccountId | None
    sealed: bytes | None
    """The number it goes to, as the account had it when the payout was booked."""
    tail: str
    transaction_id: TransactionId | None
    return_transaction_id: TransactionId | None
    clearing_code: str
    created_at_us: int
    updated_at_us: int

    def copy(self) -> PayoutRow:
        """Return a copy for a command to change."""
        return replace(self)


def tail_of(bank_account: str) -> str:
    """Return as much of a number as is shown."""
    return "".join(one for one in bank_account if one.isalnum())[-TAIL:]


def state_after(state: int, answer: Answer) -> PayoutState:
    """Return the state after an answer: the first counts, but what was paid can yet come back."""
    if state in {PayoutState.QUEUED, PayoutState.SENT}:
        return PayoutState.PAID if answer == Answer.CONFIRMED else PayoutState.RETURNED
    if state == PayoutState.PAID and answer == Answer.RETURNED:
        return PayoutState.RETURNED
    return PayoutState(state)


def payout_not_found(settlement_id: SettlementId) -> Refusal:
    """Return the refusal for a payout that is not there, or not the caller's to see."""
    return Refusal(
        "PAYOUT_NOT_FOUND",
        "the settlement has no payout",
        metadata={"settlement_id": SETTLEMENT.encode(settlement_id)},
        field="settlement_id",
    )


def payout_account_not_found(payout_account_id: PayoutAccountId) -> Refusal:
    """Return the refusal for an account that the merchant does not have, or no more."""
    return Refusal(
        "PAYOUT_ACCOUNT_NOT_FOUND",
        "the merchant has no such bank account",
        metadata={"payout_account_id": PAYOUT_ACCOUNT.encode(payout_account_id)},
        field="payout_account_id",
    )


def payout_account_active(payout_account_id: PayoutAccountId) -> Refusal:
    """Return the refusal for an account that is paid to already."""
    return Refusal(
        "PAYOUT_ACCOUNT_ACTIVE",
        "the account is paid to already",
        metadata={"payout_account_id": PAYOUT_ACCOUNT.encode(payout_account_id)},
        field="payout_account_id",
    )
