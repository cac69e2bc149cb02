"""The ledger's rules: what accounts, holds and postings are, and what a posting does to counters.

Everything here is pure: no I/O, no clock, no randomness. Amounts are integers in minor units of one
currency; times are microseconds since 1970-01-01 UTC. The rules follow double-entry bookkeeping
with two-phase postings: see docs/architecture.md, "Ledger".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.ledger.chart import DEBIT_NORMAL_TYPES
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import AccountId, CustomerId, TransactionId

#: Counters are signed 64-bit columns.
MAXIMUM_MINOR_UNITS = 2**63 - 1

#: A hold without a duration of its own ends after seven days, the customary time of a card
#: authorisation.
DEFAULT_HOLD_DURATION_US = 7 * 24 * 3600 * 1_000_000


class AccountState(IntEnum):
    """Which postings an account takes; values are those of longmen.ledger.v1.AccountState."""

    OPEN = 1
    DEBIT_FROZEN = 2
    CREDIT_FROZEN = 3
    FROZEN = 4
    CLOSING = 5
    CLOSED = 6


#: States that a freeze brings about and an unfreezing ends.
FROZEN_STATES = frozenset(
    {AccountState.DEBIT_FROZEN, AccountState.CREDIT_FROZEN, AccountState.FROZEN}
)


class PostingKind(IntEnum):
    """What a posting does to counters; values are those of longmen.ledger.v1.PostingKind."""

    POST = 1
    PENDING = 2
    CAPTURE = 3
    VOID = 4
    EXPIRE = 5


class BalancingMode(IntEnum):
    """How far an amount is an upper limit; values are those of longmen.ledger.v1.BalancingMode."""

    EXACT = 0
    DEBIT = 1
    CREDIT = 2
    BOTH = 3


class HoldState(IntEnum):
    """What became of a pending posting; values are those of longmen.ledger.v1.HoldState."""

    HELD = 1
    CAPTURED = 2
    VOIDED = 3
    EXPIRED = 4


#: States from which SetAccountState may go where. CLOSED is for ever.
STATE_CHANGES: dict[AccountState, frozenset[AccountState]] = {
    state: frozenset(AccountState) - {state}
    for state in AccountState
    if state != AccountState.CLOSED
} | {AccountState.CLOSED: frozenset()}

_NO_DEBITS = frozenset({AccountState.DEBIT_FROZEN, AccountState.FROZEN})
_NO_CREDITS = frozenset({AccountState.CREDIT_FROZEN, AccountState.FROZEN})
_ENDED = frozenset({AccountState.CLOSING, AccountState.CLOSED})


@dataclass(slots=True)
class AccountRow:
    """One account as loaded and locked for a batch. Mutable on purpose: the batch folds into it."""

    account_id: AccountId
    currency_code: str
    account_type: int
    chart_code: int
    state: int
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int
    floor_minor_units: int | None
    ceiling_minor_units: int | None
    version: int
    booked_at_us: int
    created_at_us: int
    owner_id: CustomerId | None
    description: str | None
    frozen_by_owner: bool = False
    """Whether the present state is its owner's doing; any other freeze is the bank's."""

    def copy(self) -> AccountRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return AccountRow(
            self.account_id,
            self.currency_code,
            self.account_type,
            self.chart_code,
            self.state,
            self.debits_posted,
            self.credits_posted,
            self.debits_pending,
            self.credits_pending,
            self.floor_minor_units,
            self.ceiling_minor_units,
            self.version,
            self.booked_at_us,
            self.created_at_us,
            self.owner_id,
            self.description,
            self.frozen_by_owner,
        )

    @property
    def debit_normal(self) -> bool:
        """Whether debits count as positive."""
        return self.account_type in DEBIT_NORMAL_TYPES

    @property
    def posted(self) -> int:
        """Balance on the normal side, without pending postings."""
        balance = self.debits_posted - self.credits_posted
        return balance if self.account_type in DEBIT_NORMAL_TYPES else -balance

    @property
    def held(self) -> int:
        """What the account's own pending outgoing postings hold."""
        return (
            self.credits_pending if self.account_type in DEBIT_NORMAL_TYPES else self.debits_pending
        )

    @property
    def available(self) -> int:
        """Posted less held."""
        if self.account_type in DEBIT_NORMAL_TYPES:
            return self.debits_posted - self.credits_posted - self.credits_pending
        return self.credits_posted - self.debits_posted - self.debits_pending

    @property
    def room(self) -> int | None:
        """How much more the account can take in under its ceiling; None means without limit."""
        if self.ceiling_minor_units is None:
            return None
        incoming = self.debits_pending if self.debit_normal else self.credits_pending
        return self.ceiling_minor_units - self.posted - incoming


@dataclass(slots=True)
class HoldRow:
    """What a pending posting still holds."""

    transaction_id: TransactionId
    ordinal: int
    debit_account_id: AccountId
    credit_account_id: AccountId
    currency_code: str
    amount: int
    captured: int
    remaining: int
    state: int
    expires_at_us: int

    def copy(self) -> HoldRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return HoldRow(
            self.transaction_id,
            self.ordinal,
            self.debit_account_id,
            self.credit_account_id,
            self.currency_code,
            self.amount,
            self.captured,
            self.remaining,
            self.state,
            self.expires_at_us,
        )


class PostingRow(NamedTuple):
    """One posting as written. The order of the fields is the order of the columns in its insert."""

    transaction_id: TransactionId
    ordinal: int
    kind: int
    code: int
    debit_account_id: AccountId
    credit_account_id: AccountId
    currency_code: str
    amount: int
    booked_at_us: int
    debit_version: int
    credit_version: int
    debit_posted_after: int
    credit_posted_after: int
    effective_at_us: int | None
    """None means that it counts when it was booked."""
    debit_held_after: int | None
    """None means that nothing is held."""
    credit_held_after: int | None
    pending_transaction_id: TransactionId | None
    pending_ordinal: int | None
    reverses_transaction_id: TransactionId | None
    reference: str | None
    description: str | None


@dataclass(slots=True, kw_only=True)
class PostingIntent:
    """What a caller wants booked: one posting, not yet decided."""

    transaction_id: TransactionId
    ordinal: int = 0
    kind: int = PostingKind.POST
    debit_account_id: AccountId | None = None
    credit_account_id: AccountId | None = None
    currency_code: str = ""
    amount: int = 0
    """Zero with a capture means all that is left."""
    hold_duration_us: int = DEFAULT_HOLD_DURATION_US
    pending: tuple[TransactionId, int] | None = None
    final: bool = False
    balancing: int = BalancingMode.EXACT
    closes_debit_account: bool = False
    closes_credit_account: bool = False
    effective_at_us: int | None = None
    code: int = 0
    reference: str | None = None
    description: str | None = None
    reverses_transaction_id: TransactionId | None = None


@dataclass(slots=True, frozen=True)
class PostingOutcome:
    """One booked posting with the two accounts as they stood right after it."""

    posting: PostingRow
    debit: AccountRow
    credit: AccountRow
    hold: HoldRow | None = field(default=None)


def check_states(debit: AccountRow, credit: AccountRow) -> None:
    """Refuse new business on closed, closing or frozen accounts, in order of precedence."""
    if debit.state == AccountState.OPEN and credit.state == AccountState.OPEN:
        return
    if debit.state in _ENDED:
        raise Refusal("DEBIT_ACCOUNT_CLOSED", "the account to debit is closed or closing")
    if credit.state in _ENDED:
        raise Refusal("CREDIT_ACCOUNT_CLOSED", "the account to credit is closed or closing")
    if debit.state in _NO_DEBITS:
        raise Refusal("DEBIT_ACCOUNT_FROZEN", "the account to debit takes no debits at present")
    if credit.state in _NO_CREDITS:
        raise Refusal("CREDIT_ACCOUNT_FROZEN", "the account to credit takes no credits at present")


def check_debit(debit: AccountRow, amount: int) -> None:
    """Refuse what an account cannot pay, whoever is paid, in order of precedence.

    Raises:
        Refusal: DEBIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS.
    """
    if debit.state in _ENDED:
        raise Refusal("DEBIT_ACCOUNT_CLOSED", "the account to debit is closed or closing")
    if debit.state in _NO_DEBITS:
        raise Refusal("DEBIT_ACCOUNT_FROZEN", "the account to debit takes no debits at present")
    _check_floor(debit, amount, is_debit=True)


def balanced_amount(debit: AccountRow, credit: AccountRow, amount: int, mode: int) -> int:
    """Return how much of an amount the limits of the accounts let through, under a balancing mode.

    Raises:
        Refusal: NOTHING_TO_MOVE when that is nothing.
    """
    allowed = amount
    if mode in {BalancingMode.DEBIT, BalancingMode.BOTH}:
        allowed = min(allowed, _headroom(debit, is_debit=True, amount=amount))
    if mode in {BalancingMode.CREDIT, BalancingMode.BOTH}:
        allowed = min(allowed, _headroom(credit, is_debit=False, amount=amount))
    if allowed <= 0:
        raise Refusal("NOTHING_TO_MOVE", "the limits of the accounts leave nothing to move")
    return allowed


def _headroom(account: AccountRow, *, is_debit: bool, amount: int) -> int:
    """How much of an amount one account can bear on one side."""
    if account.debit_normal == is_debit:
        room = account.room
        return amount if room is None else room
    floor = account.floor_minor_units
    return amount if floor is None else account.available - floor


def check_limits(debit: AccountRow, credit: AccountRow, amount: int) -> None:
    """Refuse a new movement that breaks a floor, a ceiling or the width of a counter."""
    _check_floor(debit, amount, is_debit=True)
    _check_floor(credit, amount, is_debit=False)
    _check_ceiling(debit, amount, is_debit=True)
    _check_ceiling(credit, amount, is_debit=False)
    debits = debit.debits_posted + debit.debits_pending
    credits_ = credit.credits_posted + credit.credits_pending
    if debits > MAXIMUM_MINOR_UNITS - amount or credits_ > MAXIMUM_MINOR_UNITS - amount:
        raise Refusal("BALANCE_OVERFLOW", "a counter of an account cannot grow any further")


def _check_floor(account: AccountRow, amount: int, *, is_debit: bool) -> None:
    floor = account.floor_minor_units
    if floor is None or (account.account_type in DEBIT_NORMAL_TYPES) == is_debit:
        return
    available = account.available
    if available - amount < floor:
        raise Refusal(
            "INSUFFICIENT_FUNDS",
            "the account does not have enough available",
            metadata={
                "available_minor_units": str(available),
                "currency_code": account.currency_code,
            },
        )


def _check_ceiling(account: AccountRow, amount: int, *, is_debit: bool) -> None:
    if account.ceiling_minor_units is None or account.debit_normal != is_debit:
        return
    room = account.room
    if room is not None and amount > room:
        raise Refusal("BALANCE_CEILING_EXCEEDED", "the account may not hold that much")


def check_closable(*accounts: AccountRow) -> None:
    """Refuse to close accounts that have money or holds on them, in order of precedence."""
    for account in accounts:
        if account.debits_posted != account.credits_posted:
            raise Refusal("ACCOUNT_NOT_EMPTY", "the account to close has a balance")
    for account in accounts:
        if account.debits_pending or account.credits_pending:
            raise Refusal("ACCOUNT_HAS_HOLDS", "the account to close has pending postings")


def check_state_change(account: AccountRow, state: int) -> None:
    """Refuse a change of state that the account cannot make."""
    present = AccountState(account.state)
    if state not in STATE_CHANGES[present]:
        raise Refusal(
            "ACCOUNT_STATE_CONFLICT",
            f"the account is {present.name.lower().replace('_', ' ')}",
            metadata={"state": present.name},
        )
    if state == AccountState.CLOSED:
        check_closable(account)


def check_hold(hold: HoldRow, now_us: int, posting_id: str) -> None:
    """Refuse to touch a hold that has ended or is due to end, whether or not a job has run."""
    metadata = {"posting_id": posting_id}
    if hold.state == HoldState.CAPTURED:
        raise Refusal("PENDING_POSTING_CAPTURED", "the hold is used up", metadata=metadata)
    if hold.state == HoldState.VOIDED:
        raise Refusal("PENDING_POSTING_VOIDED", "the hold was voided", metadata=metadata)
    if hold.state == HoldState.EXPIRED or now_us >= hold.expires_at_us:
        metadata["expire_time"] = str(hold.expires_at_us)
        raise Refusal("PENDING_POSTING_EXPIRED", "the hold has expired", metadata=metadata)


def capture_amount(hold: HoldRow, asked: int) -> int:
    """Return what a capture takes: the amount asked for, or all that is left when none was."""
    if asked > hold.remaining:
        raise Refusal(
            "CAPTURE_AMOUNT_EXCEEDED",
            "the hold has less left than was asked for",
            metadata={"remaining_minor_units": str(hold.remaining)},
        )
    return asked or hold.remaining
