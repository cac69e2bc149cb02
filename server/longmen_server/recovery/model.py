"""The rules of the bank's reset of factors: what it removes, when, and who can sign in after it.

A reset is what a thief would talk the bank into. So two members of staff agree on evidence, the
customer is told on every channel and has days to turn it down, and when it takes effect nobody gets
in without a factor but the device whose key was shown to the bank.
Sources: NIST SP 800-63B (4.2, account recovery); OWASP ASVS 5.0, 6.4.4 and 7.5.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen_server.factors.model import FactorKind, FactorRow, bit
from longmen_server.platform.ids import CUSTOMER
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.platform.ids import CustomerId

__all__ = ["Evidence", "ResetRow", "ResetState"]

HOUR_US: Final = 3_600_000_000


class ResetState(IntEnum):
    """Where a reset stands; numbers as in the contract."""

    COOLING = 1
    EFFECTIVE = 2
    CLAIMED = 3
    CANCELLED = 4


class Evidence(IntEnum):
    """How the bank made sure of who asks; numbers as in the contract."""

    IN_PERSON = 1
    VIDEO = 2
    NOTARY = 3


@dataclass(slots=True)
class ResetRow:
    """The latest reset of a customer, in the order of its columns."""

    customer_id: CustomerId
    state: int
    kinds: int
    """Bits of the kinds of factors that go."""
    evidence: int
    evidence_reference: str
    """Where the bank has filed it."""
    thumbprint: str
    """RFC 7638, of the key of the device that the customer will sign in with."""
    approved_at_us: int
    """Factors that were set later stay: whoever set them proved to have one."""
    effective_at_us: int
    """When it takes effect; nothing happens by it before."""
    changed_at_us: int
    """Of its last event."""

    def copy(self) -> ResetRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def content_digest(self) -> bytes:
        """SHA-256 over all that was agreed, which the journal keeps."""
        agreed = (
            self.kinds,
            self.evidence,
            self.evidence_reference,
            self.thumbprint,
            self.approved_at_us,
            self.effective_at_us,
        )
        return sha256("|".join(map(str, agreed)).encode()).digest()

    def is_due(self, now_us: int) -> bool:
        """Whether it is time for it to take effect."""
        return self.state == ResetState.COOLING and now_us >= self.effective_at_us

    def removes(self, factor: FactorRow) -> bool:
        """Whether a factor goes when it takes effect."""
        was_there = factor.changed_at_us <= self.approved_at_us
        return factor.is_active and was_there and bool(self.kinds & bit(factor.kind))


def check_begins(row: ResetRow | None) -> None:
    """Refuse a second reset beside one that cools.

    Raises:
        Refusal: FACTOR_RESET_OPEN.
    """
    if row is not None and row.state == ResetState.COOLING:
        raise Refusal(
            "FACTOR_RESET_OPEN",
            "a reset of the customer's factors has been approved and cools",
            metadata={"effective_time": str(row.effective_at_us)},
        )


def check_removes(kinds: int, present: int) -> None:
    """Refuse a reset that would remove nothing.

    Args:
        kinds: bits of what is to go.
        present: bits of what the customer has.

    Raises:
        Refusal: FACTOR_RESET_EMPTY.
    """
    if not kinds & present:
        raise Refusal(
            "FACTOR_RESET_EMPTY", "the customer has no factor of these kinds", field="kinds"
        )


def check_device(row: ResetRow | None, thumbprint: str) -> None:
    """Refuse to let a device in by a code alone that is not the one shown to the bank.

    Raises:
        Refusal: FACTOR_RESET_OTHER_DEVICE.
    """
    if row is not None and row.state == ResetState.EFFECTIVE and row.thumbprint != thumbprint:
        raise Refusal(
            "FACTOR_RESET_OTHER_DEVICE",
            "the bank has reset the factors for another device",
            field="device.public_key",
        )


def not_found(customer_id: CustomerId) -> Refusal:
    """Return the refusal of a customer without a reset, or without one that can be cancelled."""
    return Refusal(
        "FACTOR_RESET_NOT_FOUND",
        "the customer has no such reset",
        metadata={"customer_id": CUSTOMER.encode(customer_id)},
    )


def kind_names(kinds: Iterable[FactorKind]) -> str:
    """Return kinds by name, separated by spaces, for whoever decides."""
    return " ".join(kind.name for kind in kinds)
