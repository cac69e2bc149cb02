"""The rules of transfers: kinds, states and delays, and which state follows from what.

A real-time transfer is one posting of the ledger and nothing else. One that does not end where it
begins (delayed, a withdrawal, a refused top-up) has a schedule row beside its posting. What became
of its money is the ledger's to say: the row tells why.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import HoldState, PostingKind
from longmen_server.platform.clock import from_microseconds, to_microseconds
from longmen_server.platform.ids import TRANSACTION
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from longmen_server.ledger.model import HoldRow, PostingRow
    from longmen_server.platform.ids import AccountId, CustomerId, TransactionId

SECOND_US = 1_000_000
TWO_HOURS_US = 2 * 3600 * SECOND_US

#: How long the money of a transfer stays held if nothing ends the transfer: the longest the ledger
#: allows, so that a job that is late, a clearing that is slow or an investigation never loses it.
HOLD_DURATION_US = 400 * 86_400 * SECOND_US

#: Longest identification of an account that clearing messages carry (ISO 20022, Max34Text).
BANK_ACCOUNT_MAX = 34
#: ISO 20022's code for an account number that is not one.
INCORRECT_ACCOUNT = "AC01"
_SEPARATORS = re.compile(r"[ ./_-]")
_BANK_ACCOUNT = re.compile(r"[0-9A-Za-z]{1,34}", re.ASCII)


class TransferDelay(IntEnum):
    """When the payee is paid; values are those of longmen.transfers.v1.TransferDelay."""

    UNSPECIFIED = 0
    REAL_TIME = 1
    TWO_HOURS = 2
    NEXT_DAY = 3


class TransferKind(IntEnum):
    """What a transfer is for; values are those of longmen.transfers.v1.TransferKind."""

    PAYMENT = 1
    TOP_UP = 2
    WITHDRAWAL = 3


class TransferState(IntEnum):
    """Where a transfer stands; values are those of longmen.transfers.v1.TransferState."""

    SCHEDULED = 1
    HELD = 2
    PROCESSING = 3
    COMPLETED = 4
    CANCELLED = 5
    FAILED = 6


KIND_BY_CODE: dict[int, TransferKind] = {
    PostingCode.PAYMENT: TransferKind.PAYMENT,
    PostingCode.TOP_UP: TransferKind.TOP_UP,
    PostingCode.WITHDRAWAL: TransferKind.WITHDRAWAL,
}
TRANSFER_CODES = (PostingCode.PAYMENT, PostingCode.TOP_UP, PostingCode.WITHDRAWAL)

#: States that end; all others wait for something.
FINAL_STATES = frozenset({TransferState.COMPLETED, TransferState.CANCELLED, TransferState.FAILED})


class Direction(IntEnum):
    """Which way an instruction of the clearing moves money, seen from the wallet."""

    COLLECT = 1
    """From the customer's bank account: a top-up."""
    PAY_OUT = 2
    """To the customer's bank account: a withdrawal."""


class InstructionState(IntEnum):
    """Where an instruction of the clearing stands."""

    QUEUED = 1
    SENT = 2
    CONFIRMED = 3
    REFUSED = 4
    """Refused, and the wallet put right."""
    UNRECOVERED = 5
    """Answered in a way that the wallet could not follow: somebody has to look at it."""
    HELD = 6
    """Risk holds the money: nothing is sent until it lets go."""
    WITHDRAWN = 7
    """Taken back before anything was sent."""


@dataclass(slots=True)
class ScheduleRow:
    """What is kept of a transfer beside its posting."""

    transaction_id: TransactionId
    kind: int
    state: int
    due_at_us: int | None
    """When the payee is paid; None where something else than time decides."""
    settlement_id: TransactionId | None
    """Transaction of the capture, void or reversal that ended it."""
    failure_code: str | None
    reason_text: str | None
    created_at_us: int
    updated_at_us: int

    def copy(self) -> ScheduleRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return ScheduleRow(
            self.transaction_id,
            self.kind,
            self.state,
            self.due_at_us,
            self.settlement_id,
            self.failure_code,
            self.reason_text,
            self.created_at_us,
            self.updated_at_us,
        )


@dataclass(slots=True)
class InstructionRow:
    """One instruction to the clearing; its id is its transfer's."""

    transaction_id: TransactionId
    direction: int
    state: int
    account_id: AccountId
    """The wallet's account."""
    amount: int
    currency_code: str
    bank_account: bytes
    """Sealed: see transfers/bank_accounts.py."""
    key_owner: CustomerId
    """Under whose data key it is sealed: the customer's, or the book's own."""
    reference: str | None
    clearing_code: str | None
    """Why the clearing refused it."""
    created_at_us: int
    updated_at_us: int

    def copy(self) -> InstructionRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return InstructionRow(
            self.transaction_id,
            self.direction,
            self.state,
            self.account_id,
            self.amount,
            self.currency_code,
            self.bank_account,
            self.key_owner,
            self.reference,
            self.clearing_code,
            self.created_at_us,
            self.updated_at_us,
        )


class SealedAccount(NamedTuple):
    """The number of a bank account as it is kept."""

    key_owner: CustomerId
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a transfer stands, and why if it failed."""

    state: TransferState
    due_at_us: int | None = None
    failure_code: str = ""


DONE = Standing(TransferState.COMPLETED)


def due_at(delay: int, now_us: int, zone: ZoneInfo) -> int | None:
    """Return when a transfer made now is paid out; None for at once.

    The next day begins at midnight in the bank's time zone: it is a calendar day, not 24 hours.
    """
    if delay == TransferDelay.TWO_HOURS:
        return now_us + TWO_HOURS_US
    if delay == TransferDelay.NEXT_DAY:
        tomorrow = from_microseconds(now_us).astimezone(zone).date() + dt.timedelta(days=1)
        return to_microseconds(dt.datetime.combine(tomorrow, dt.time(), tzinfo=zone))
    return None


def is_transfer(posting: PostingRow) -> bool:
    """Whether a posting is the first one of a transfer, and not what ended one."""
    return (
        posting.code in KIND_BY_CODE
        and posting.ordinal == 0
        and posting.kind <= PostingKind.PENDING
        and posting.reverses_transaction_id is None
    )


def standing(
    posting: PostingRow, schedule: ScheduleRow | None, hold: HoldRow | None, now_us: int
) -> Standing:
    """Return where a transfer stands.

    A service may capture or void a hold in the ledger itself, and a hold may expire: then
    the money has been decided on, whatever the schedule says.
    """
    if schedule is None:
        # A pending posting without a schedule carries a transfer's code, but no transfer made it.
        return DONE if posting.kind == PostingKind.POST else Standing(TransferState.PROCESSING)
    state = TransferState(schedule.state)
    due_at_us = schedule.due_at_us
    if state in FINAL_STATES or hold is None:
        return Standing(state, due_at_us, schedule.failure_code or "")
    if hold.state == HoldState.CAPTURED:
        return Standing(TransferState.COMPLETED, due_at_us)
    if hold.state == HoldState.VOIDED:
        return Standing(TransferState.FAILED, due_at_us, "PENDING_POSTING_VOIDED")
    if hold.state == HoldState.EXPIRED or now_us >= hold.expires_at_us:
        return Standing(TransferState.FAILED, due_at_us, "PENDING_POSTING_EXPIRED")
    return Standing(state, due_at_us)


def check_can_hold(state: TransferState) -> None:
    """Refuse to stop a transfer that time does not release.

    Raises:
        Refusal: TRANSFER_ALREADY_COMPLETED, TRANSFER_ALREADY_CANCELLED, TRANSFER_STATE_CONFLICT.
    """
    if state != TransferState.SCHEDULED:
        raise _cannot(state)


def check_can_release(state: TransferState, *, by_bank: bool) -> None:
    """Refuse to pay out a transfer that does not wait, or for a customer one that is held.

    Raises:
        Refusal: as :func:`check_can_hold`.
    """
    allowed = state == TransferState.SCHEDULED or (by_bank and state == TransferState.HELD)
    if not allowed:
        raise _cannot(state)


def check_can_cancel(state: TransferState) -> None:
    """Refuse to take back what has reached the payee, or is with the clearing.

    Raises:
        Refusal: as :func:`check_can_hold`.
    """
    if state not in {TransferState.SCHEDULED, TransferState.HELD}:
        raise _cannot(state)


def _cannot(state: TransferState) -> Refusal:
    if state == TransferState.COMPLETED:
        return Refusal("TRANSFER_ALREADY_COMPLETED", "the transfer has reached the payee")
    if state == TransferState.CANCELLED:
        return Refusal("TRANSFER_ALREADY_CANCELLED", "the transfer was cancelled")
    return Refusal(
        "TRANSFER_STATE_CONFLICT",
        f"the transfer is {state.name.lower()}",
        metadata={"state": state.name},
    )


def transfer_not_found(transfer_id: TransactionId) -> Refusal:
    """Return the refusal for a transfer that is not there, or not the caller's to see."""
    return Refusal(
        "TRANSFER_NOT_FOUND",
        "no such transfer",
        metadata={"transfer_id": TRANSACTION.encode(transfer_id)},
        field="transfer_id",
    )


def check_bank_account(bank_account: str) -> None:
    """Refuse an account that no clearing message can carry.

    Raises:
        Refusal: CLEARING_REFUSED with the clearing's own code for it.
    """
    if not _BANK_ACCOUNT.fullmatch(_SEPARATORS.sub("", bank_account)):
        raise Refusal(
            "CLEARING_REFUSED",
            f"a bank account is up to {BANK_ACCOUNT_MAX} letters and digits",
            metadata={"clearing_code": INCORRECT_ACCOUNT},
            field="bank_account",
        )
