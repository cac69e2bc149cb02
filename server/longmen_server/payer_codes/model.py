"""The rules of payer codes: whose device showed one, whether it is good, and how many more are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.payments.codes import payer_code
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.payments.codes.payer_code import PayerCode
    from longmen_server.platform.ids import AccountId, CustomerId, DeviceId, OrderId

__all__ = [
    "Budget",
    "CodeDevice",
    "Match",
    "PayerCodeRow",
    "PayerCodeState",
    "Scan",
    "payer_code_not_found",
]

HANDLE_TRIES: Final = 4
"""Numbers offered to a new device. One is taken with the share of all numbers that are: four fail
together once in ten thousand times when a tenth of a hundred million is taken."""

LATE_STEPS: Final = 30
"""Minutes for which a code that is too old is still told from one that nobody made."""

_USE_BYTES: Final = 8


class PayerCodeState(IntEnum):
    """Whether codes are taken; values are those of longmen.payments.v1.PayerCodeState."""

    ACTIVE = 1
    REVOKED = 2


class CodeDevice(NamedTuple):
    """A device by whose it is."""

    customer_id: CustomerId
    device_id: DeviceId


class Budget(NamedTuple):
    """What a device's codes may do between two times that it is online."""

    codes: int
    amount: int
    """Minor units of the account's currency that go without approval."""
    age_us: int
    wrong_tries: int


@dataclass(slots=True)
class PayerCodeRow:
    """One device that shows codes."""

    handle: int
    customer_id: CustomerId
    device_id: DeviceId
    account_id: AccountId
    currency_code: str
    state: int
    secret: bytes
    """Sealed."""
    used: bytes
    """The uses of the last days, packed; see `uses`."""
    enrolled_at_us: int
    """When it got this secret; no two secrets of a device have the same time."""
    renewed_at_us: int
    spent_count: int
    spent_amount: int
    wrong_count: int
    last_order_id: OrderId | None
    """The order of the latest scan that was taken."""
    version: int

    def copy(self) -> PayerCodeRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return PayerCodeRow(*_columns(self))

    @property
    def owner(self) -> CodeDevice:
        """Whose device it is."""
        return CodeDevice(self.customer_id, self.device_id)

    @property
    def place(self) -> bytes:
        """Where the secret stands: it opens nowhere else."""
        return self.customer_id + self.device_id

    @property
    def uses(self) -> tuple[int, ...]:
        """Which codes were used, by `PayerCode.use`."""
        return struct.unpack(f">{len(self.used) // _USE_BYTES}q", self.used)

    def renew(self, now_us: int) -> None:
        """Give the whole budget back."""
        self.renewed_at_us = now_us
        self.spent_count = self.spent_amount = self.wrong_count = 0

    def spend(self, code: PayerCode, step: int, now_us: int) -> None:
        """Use a code up.

        Raises:
            Refusal: CODE_USED.
        """
        uses = payer_code.spend(code, step, self.uses, now_us=now_us)
        if uses is None:
            raise Refusal("CODE_USED", "the code was scanned before", field="code")
        self.used = struct.pack(f">{len(uses)}q", *uses)
        self.spent_count += 1


# A scan copies its device's row: four times as fast as `dataclasses.replace`.
_columns: Final = attrgetter(*PayerCodeRow.__slots__)


class Match(NamedTuple):
    """What comparing a code with its device's has shown."""

    step: int | None = None
    """The minute it was made in, if it is one of those that count."""
    late: bool = False
    """Whether it was made by the device, but too long ago."""


@dataclass(slots=True, frozen=True)
class Scan:
    """A scanned code, as it was read."""

    compare: Callable[[PayerCode, PayerCodeRow, int], Match]
    """Compares a code with those its device can have made around a moment, in microseconds."""
    code: PayerCode | None = None
    """What it says; None where it is malformed."""
    malformed: Refusal | None = None
    """What is wrong with its digits."""
    at_us: int | None = None
    """When it was scanned, in microseconds; None for when it is taken."""

    def match(self, row: PayerCodeRow, now_us: int) -> Match:
        """Return when the device of a row made the code, if it did."""
        assert self.code is not None, "who has found a device has read its code"
        return self.compare(self.code, row, now_us if self.at_us is None else self.at_us)


def check_budget(row: PayerCodeRow, budget: Budget, now_us: int) -> None:
    """Refuse codes of a device that has to be online first.

    Raises:
        Refusal: CODE_BUDGET_SPENT.
    """
    check_tries(row, budget)
    if row.spent_count >= budget.codes:
        raise _spent("codes")
    if now_us - row.renewed_at_us > budget.age_us:
        raise _spent("age")


def check_tries(row: PayerCodeRow, budget: Budget) -> None:
    """Refuse codes of a device whose codes somebody guesses.

    Raises:
        Refusal: CODE_BUDGET_SPENT.
    """
    if row.wrong_count >= budget.wrong_tries:
        raise _spent("tries")


def check_amount(row: PayerCodeRow, budget: Budget, amount: int) -> None:
    """Refuse what is more than a device's codes may still pay without approval.

    Raises:
        Refusal: CODE_BUDGET_SPENT.
    """
    if row.spent_amount + amount > budget.amount:
        raise _spent("amount")


def _spent(which: str) -> Refusal:
    return Refusal(
        "CODE_BUDGET_SPENT",
        "the payer's device has to be online before its next code is taken",
        metadata={"which": which},
        field="code",
    )


def check_scan(row: PayerCodeRow | None, scan: Scan, now_us: int) -> tuple[PayerCode, int]:
    """Return a good code and the minute it was made in.

    Args:
        row: the device that has the code's number, as it stands.
        scan: the code.
        now_us: microseconds; when it is taken.

    Raises:
        Refusal: CODE_MALFORMED, CODE_UNKNOWN_SCHEME, CODE_INVALID, CODE_EXPIRED.
    """
    if scan.malformed is not None:
        raise scan.malformed
    if row is None or scan.code is None or row.state != PayerCodeState.ACTIVE:
        raise code_invalid()
    match = scan.match(row, now_us)
    if match.step is not None:
        return scan.code, match.step
    if not match.late:
        raise code_invalid()
    seconds = payer_code.STEP_SECONDS * (1 + 2 * payer_code.WINDOW_STEPS)
    raise Refusal(
        "CODE_EXPIRED",
        "the code was made too long ago",
        metadata={"window_seconds": str(seconds)},
        field="code",
    )


def code_invalid() -> Refusal:
    """Return the refusal of a code that no device made."""
    return Refusal("CODE_INVALID", "no device made this code", field="code")


def payer_code_not_found() -> Refusal:
    """Return the refusal for a device that shows no codes."""
    return Refusal("PAYER_CODE_NOT_FOUND", "the device is not enrolled to show codes")
