"""The rows that risk keeps: decisions, freezes, holds and notices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import DECISION, FREEZE, TRANSACTION
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import (
        AccountId,
        DecisionId,
        FreezeId,
        TerminalId,
        TransactionId,
    )

__all__ = [
    "HELD_STATES",
    "DecisionRow",
    "FreezeRow",
    "FreezeState",
    "HoldRow",
    "HoldState",
    "NoticeKind",
    "NoticeRow",
    "PartyKind",
    "decision_not_found",
    "freeze_not_found",
    "held_by_risk",
    "not_replayable",
    "rejected",
]


class DecisionRow(NamedTuple):
    """One decision; it never changes."""

    decision_id: DecisionId
    transaction_id: TransactionId
    payer_id: AccountId | None
    payee_id: AccountId | None
    party: bytes | None
    """Whose movement it was: a customer, a merchant or an account of nobody."""
    payee_party: bytes | None
    """Who was to be paid, likewise."""
    terminal_id: TerminalId | None
    amount: int
    """In reference units."""
    kind: int
    outcome: int
    """What happened; its parts in the next two."""
    strength: int
    target: int
    tried_outcome: int
    """The highest that rules of a set in shadow asked for; 0 when none fired."""
    is_made: bool
    """Whether the movement was made or held, and not refused."""
    rules_version: int
    card_version: int
    latency_us: int
    decided_at_us: int
    reason: str
    rules_digest: bytes
    card_digest: bytes
    snapshot: bytes
    """DecisionSnapshot of the contract, serialised deterministically."""


class FreezeState(IntEnum):
    """Where a freeze stands; values are those of the contract."""

    ACTIVE = 1
    LIFTED = 2


class PartyKind(IntEnum):
    """What a party is; the numbers are stored."""

    CUSTOMER = 1
    MERCHANT = 2
    ACCOUNT = 3
    """An account that nobody owns."""


@dataclass(slots=True)
class FreezeRow:
    """One freeze of a party."""

    freeze_id: FreezeId
    """That of the decision which it came from, if it came from one."""
    party: bytes
    party_kind: int
    state: int
    scope: int
    account_id: AccountId | None
    """Account of the movement."""
    account_state: int
    """State that the freeze brought the account to; 0 where it changed none."""
    by_decision: bool
    revocable: bool
    placed_at_us: int
    changed_at_us: int
    reason: str
    placed_by: str
    lifted_by: str
    reason_text: str

    def copy(self) -> FreezeRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class HoldState(IntEnum):
    """What became of money that risk holds; the numbers are stored."""

    DELAYED = 1
    """It is paid when its time has come; the payer may take it back until then."""
    REVIEWED = 2
    """It waits for somebody to look at it."""
    RELEASED = 3
    RETURNED = 4


HELD_STATES: Final = frozenset({HoldState.DELAYED, HoldState.REVIEWED})
"""States of money that risk still holds."""


@dataclass(slots=True)
class HoldRow:
    """Money that risk holds: a transfer that was not paid out at once."""

    transaction_id: TransactionId
    decision_id: DecisionId
    state: int
    created_at_us: int
    changed_at_us: int

    def copy(self) -> HoldRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class NoticeKind(IntEnum):
    """What a customer is told; the numbers are stored."""

    ALLOWED = 1
    DELAYED = 2
    REVIEWED = 3
    DECLINED = 4
    FROZEN = 5
    UNFROZEN = 6
    RELEASED = 7
    RETURNED = 8


@dataclass(slots=True)
class NoticeRow:
    """Something that a customer is to be told; a message is made of it at once."""

    decision_id: DecisionId
    """What it tells of: a decision, or a freeze."""
    kind: int
    customer_id: bytes
    created_at_us: int
    done: bool
    """Whether the message was made."""

    def copy(self) -> NoticeRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


def rejected(row: DecisionRow) -> Refusal:
    """Return the refusal of a movement that risk does not let through."""
    return Refusal(
        "RISK_REJECTED",
        "the movement was stopped by the protection against fraud",
        metadata={
            "reason_code": row.reason,
            "appeal_reference": DECISION.encode(row.decision_id),
        },
    )


def decision_not_found(decision_id: DecisionId) -> Refusal:
    """Return the refusal of a decision that is not there, or another's."""
    return Refusal(
        "DECISION_NOT_FOUND",
        "no such decision",
        metadata={"decision_id": DECISION.encode(decision_id)},
        field="decision_id",
    )


def not_replayable(row: DecisionRow) -> Refusal:
    """Return the refusal to replay what was decided by rules that are gone."""
    return Refusal(
        "DECISION_NOT_REPLAYABLE",
        "the rules or the scorecard of the decision are not there any more",
        metadata={
            "decision_id": DECISION.encode(row.decision_id),
            "rules_version": str(row.rules_version),
            "card_version": str(row.card_version),
        },
    )


def freeze_not_found(freeze_id: FreezeId) -> Refusal:
    """Return the refusal of a freeze that is not there, or another's."""
    return Refusal(
        "FREEZE_NOT_FOUND",
        "no such freeze",
        metadata={"freeze_id": FREEZE.encode(freeze_id)},
        field="freeze_id",
    )


def held_by_risk(hold: HoldRow) -> Refusal:
    """Return the refusal to change a transfer that risk holds."""
    return Refusal(
        "TRANSFER_HELD_BY_RISK",
        "the transfer is held by the protection against fraud",
        metadata={
            "transfer_id": TRANSACTION.encode(hold.transaction_id),
            "appeal_reference": DECISION.encode(hold.decision_id),
        },
    )
