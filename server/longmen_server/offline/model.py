"""The rules of sales without a network: what a till signs, when it is taken, and who bears it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import MERCHANT, TERMINAL, TERMINAL_KEY
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from longmen_server.platform.ids import (
        AccountId,
        MerchantId,
        OrderId,
        TerminalId,
        TerminalKeyId,
        TransactionId,
    )

__all__ = [
    "AcceptanceRow",
    "BudgetKey",
    "BudgetRow",
    "LossBearer",
    "OfflineOutcome",
    "OfflineSaleRow",
    "SaleAddress",
    "StoredSale",
    "TerminalKeyRow",
    "bearer_of",
    "check_acceptance",
    "check_day",
    "check_order",
    "check_sale",
    "day_of",
    "is_covered",
    "key_not_found",
    "key_revoked",
    "month_of",
    "not_enabled",
]

LABEL: Final = "LONGMEN-OFFLINE-1"
"""First line of what a till signs; it stands in nothing else that is signed."""


class OfflineOutcome(IntEnum):
    """How a stored sale ended; values are those of longmen.payments.v1.OfflineOutcome."""

    PAID = 1
    COVERED = 2
    LOST = 3
    REFUSED = 4


class LossBearer(IntEnum):
    """Who goes without the money; values are those of longmen.payments.v1.LossBearer."""

    NOBODY = 0
    BANK = 1
    MERCHANT = 2


def bearer_of(outcome: int) -> LossBearer:
    """Return who bears the loss of an outcome; of a refused sale nothing is known yet."""
    if outcome == OfflineOutcome.COVERED:
        return LossBearer.BANK
    return LossBearer.MERCHANT if outcome == OfflineOutcome.LOST else LossBearer.NOBODY


@dataclass(slots=True)
class TerminalKeyRow:
    """One public key of a till."""

    key_id: TerminalKeyId
    terminal_id: TerminalId
    algorithm: int
    public_key: bytes
    thumbprint: str
    last_sequence: int
    """The highest that was taken down; 0 before the first."""
    created_at_us: int
    revoked_at_us: int | None

    def copy(self) -> TerminalKeyRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class AcceptanceRow:
    """What was agreed on a merchant's sales without a network."""

    merchant_id: MerchantId
    is_enabled: bool
    loss_bearer: int
    day_budget: int | None
    """Of the bank's cover, in minor units; None for as much as the bank's own figure, where keys
    were registered before there were agreements."""
    version: int
    changed_at_us: int

    def copy(self) -> AcceptanceRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    def budget(self, most: int) -> int:
        """Return what the bank pays at most in sales of one business date.

        Args:
            most: the bank's own figure, beyond which it covers nothing.
        """
        if self.loss_bearer != LossBearer.BANK:
            return 0
        return most if self.day_budget is None else min(self.day_budget, most)

    def takes(self, accepted_at_us: int) -> bool:
        """Whether a sale was made while it was enabled, by what is known of the last change."""
        return self.is_enabled or accepted_at_us < self.changed_at_us


class SaleAddress(NamedTuple):
    """A stored sale by its key and its place under it."""

    key_id: TerminalKeyId
    sequence: int


@dataclass(slots=True, frozen=True)
class OfflineSaleRow:
    """What became of one stored sale; it never changes."""

    key_id: TerminalKeyId
    sequence: int
    terminal_id: TerminalId
    merchant_id: MerchantId
    order_number: str
    amount: int
    currency_code: str
    accepted_at_us: int
    digest: bytes
    """SHA-256 of what the till has signed."""
    outcome: int
    reason: str
    order_id: OrderId | None
    transaction_id: TransactionId | None
    account_id: AccountId | None
    """The payer's, where a device of ours made the code."""
    recorded_at_us: int


class BudgetKey(NamedTuple):
    """Whose budget of which period, in which currency.

    A payer's day (YYYY-MM-DD) counts what was paid without a network, a payer's month (YYYY-MM)
    and a merchant's day what the bank paid in payers' place.
    """

    owner_id: bytes
    period: str
    currency_code: str


@dataclass(slots=True)
class BudgetRow:
    """What was used of one budget."""

    owner_id: bytes
    period: str
    currency_code: str
    used_count: int
    used_amount: int

    def copy(self) -> BudgetRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True, frozen=True, kw_only=True)
class StoredSale:
    """A sale as its till has stored it."""

    key_id: TerminalKeyId
    terminal_id: TerminalId
    sequence: int
    order_number: str
    amount: int
    currency_code: str
    code: str
    trace_number: int
    business_date: str
    accepted_at_us: int
    description: str

    @property
    def text(self) -> bytes:
        """What the till has signed."""
        lines = (
            LABEL,
            TERMINAL_KEY.encode(self.key_id),
            TERMINAL.encode(self.terminal_id),
            str(self.sequence),
            self.order_number,
            str(self.amount),
            self.currency_code,
            self.code,
            str(self.trace_number),
            self.business_date,
            str(self.accepted_at_us),
            sha256(self.description.encode()).hexdigest(),
        )
        return "\n".join(lines).encode()

    @property
    def digest(self) -> bytes:
        """What tells it from another sale under its sequence."""
        return sha256(self.text).digest()


def check_order(sequences: Sequence[int]) -> None:
    """Refuse sales that are not in the order of their sequences.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if list(sequences) != sorted(set(sequences)):
        raise Refusal(
            "INVALID_REQUEST",
            "sales come in the order of their sequences, each once",
            metadata={"rules": "offline_sales.ascending"},
            field="sales",
        )


def check_sale(
    sale: StoredSale,
    *,
    now_us: int,
    window_us: int,
    skew_us: int,
    limits: Mapping[str, int],
) -> None:
    """Refuse what a till should not have taken, or has kept for too long.

    Raises:
        Refusal: OFFLINE_WINDOW_PASSED, OFFLINE_TIME_AHEAD, OFFLINE_LIMIT_EXCEEDED.
    """
    if now_us - sale.accepted_at_us > window_us:
        raise Refusal("OFFLINE_WINDOW_PASSED", "the sale was forwarded too late")
    if sale.accepted_at_us - now_us > skew_us:
        raise Refusal("OFFLINE_TIME_AHEAD", "the till's clock is ahead of the bank's")
    if sale.amount > limits.get(sale.currency_code, 0):
        raise Refusal("OFFLINE_LIMIT_EXCEEDED", "the sale is larger than one without a network")


def check_acceptance(*, enabled: bool, bearer: int, budget: int) -> None:
    """Refuse an agreement that does not say who bears what, or says it of nothing.

    Args:
        enabled: whether tills sell without a network.
        bearer: who bears losses; 0 for nobody named.
        budget: of the bank's cover in minor units; 0 for none named.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    rule = field = ""
    if enabled != bool(bearer):
        rule, field = "offline_acceptance.bearer_when_enabled", "loss_bearer"
    elif bool(budget) != (bearer == LossBearer.BANK):
        rule, field = "offline_acceptance.budget_of_the_bank", "day_budget"
    if rule:
        raise Refusal(
            "INVALID_REQUEST",
            "an agreement names who bears losses, and the budget where that is the bank",
            metadata={"rules": rule},
            field=field,
        )


def not_enabled(merchant_id: MerchantId) -> Refusal:
    """Return the refusal of what a merchant does without a network unless that was agreed."""
    return Refusal(
        "OFFLINE_NOT_ENABLED",
        "the merchant's tills do not sell without a network",
        metadata={"merchant_id": MERCHANT.encode(merchant_id)},
    )


def check_day(used: BudgetRow | None, amount: int, *, count: int, limit: int) -> None:
    """Refuse more than a payer may pay without a network on one day.

    Raises:
        Refusal: OFFLINE_BUDGET_SPENT.
    """
    used_count = 0 if used is None else used.used_count
    used_amount = 0 if used is None else used.used_amount
    if used_count >= count or used_amount + amount > limit:
        raise Refusal("OFFLINE_BUDGET_SPENT", "the payer has paid enough without a network")


def is_covered(
    reason: str,
    amount: int,
    *,
    reasons: Collection[str],
    budgets: Collection[tuple[BudgetRow | None, int]],
) -> bool:
    """Whether the bank pays in the payer's place.

    Args:
        reason: why the payer does not.
        amount: of the sale.
        reasons: for which the bank does.
        budgets: what was used of each budget that it has to fit in, and that budget's limit.
    """
    if reason not in reasons:
        return False
    return all(
        (0 if used is None else used.used_amount) + amount <= limit for used, limit in budgets
    )


def day_of(day: date) -> str:
    """Return the period of a day's budget."""
    return day.isoformat()


def month_of(day: date) -> str:
    """Return the period of a month's budget."""
    return f"{day:%Y-%m}"


def key_not_found(key_id: TerminalKeyId) -> Refusal:
    """Return the refusal of a key that the till does not have."""
    return Refusal(
        "OFFLINE_KEY_NOT_FOUND",
        "the terminal has no such key",
        metadata={"key_id": TERMINAL_KEY.encode(key_id)},
        field="key_id",
    )


def key_revoked(key_id: TerminalKeyId) -> Refusal:
    """Return the refusal of a key that is good no longer."""
    return Refusal(
        "OFFLINE_KEY_REVOKED",
        "the key was revoked",
        metadata={"key_id": TERMINAL_KEY.encode(key_id)},
        field="key_id",
    )
