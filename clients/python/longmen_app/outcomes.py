"""What can come of a payment that the bank protects, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from longmen.risk.v1 import case_pb2, decision_pb2, outcome_pb2

if TYPE_CHECKING:
    from longmen_app.model import Transfer

__all__ = ["Appeal", "Freeze", "Held", "Paid", "Unapproved"]


@dataclass(frozen=True, slots=True)
class Paid:
    """It went through."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class Held:
    """The money waits until the bank has looked at it; nobody can take it back or let it go."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class Unapproved:
    """It has to be approved, and was not: show the challenge and confirm the payment again."""

    challenge_id: str
    methods: tuple[str, ...]
    """What may approve it, such as PAYMENT_PIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What the bank looks at because the customer said something about a movement."""

    case_id: str
    reference: str
    """The decision that it is about."""
    state: str
    """OPEN or CLOSED."""
    verdict: str
    """Of a closed one: FALSE_POSITIVE, the bank was wrong, or CONFIRMED_FRAUD; empty before."""

    @property
    def closed(self) -> bool:
        """Whether the bank has decided."""
        return self.state == "CLOSED"

    @classmethod
    def from_proto(cls, message: case_pb2.Case) -> Self:
        """The appeal of a message of the contract."""
        verdict = case_pb2.CaseVerdict.Name(message.verdict).removeprefix("CASE_VERDICT_")
        return cls(
            case_id=message.case_id,
            reference=message.decision_id,
            state=case_pb2.CaseState.Name(message.state).removeprefix("CASE_STATE_"),
            verdict="" if verdict == "UNSPECIFIED" else verdict,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """What stops a wallet."""

    freeze_id: str
    scope: str
    """ONLY_IN, ONLY_OUT or FULL."""
    reason: str
    """A code that may be shown."""
    revocable: bool
    """Whether the customer may lift it by proving two factors."""
    active: bool
    placed: datetime

    @classmethod
    def from_proto(cls, message: decision_pb2.Freeze) -> Self:
        """The freeze of a message of the contract."""
        return cls(
            freeze_id=message.freeze_id,
            scope=outcome_pb2.FreezeScope.Name(message.scope).removeprefix("FREEZE_SCOPE_"),
            reason=message.reason,
            revocable=message.revocable,
            active=message.state == decision_pb2.FREEZE_STATE_ACTIVE,
            placed=message.placed_time.ToDatetime(tzinfo=UTC),
        )
