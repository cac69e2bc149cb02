"""Cases and their rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import CASE, DECISION, FREEZE
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import (
        CaseId,
        CustomerId,
        DecisionId,
        FreezeId,
        TransactionId,
    )

__all__ = [
    "NOTES_MAX",
    "CaseRow",
    "CaseState",
    "Cause",
    "Claim",
    "Evidence",
    "NoteRow",
    "Verdict",
    "case_closed",
    "case_exists",
    "case_not_found",
    "check_claim",
    "check_open",
    "check_room",
    "check_verdict",
    "nothing_to_appeal",
    "other_freeze",
]

NOTES_MAX: Final = 200
"""Most notes on a case: what people can read, and a customer cannot fill the disk with."""
STOPPED_FROM: Final = 3
"""Lowest outcome that keeps a movement from going on by itself: the step-up."""


class CaseState(IntEnum):
    """Where a case stands; values of longmen.risk.v1.CaseState."""

    OPEN = 1
    CLOSED = 2


class Cause(IntEnum):
    """Why it was opened; values of longmen.risk.v1.CaseCause."""

    REVIEW = 1
    FREEZE = 2
    APPEAL = 3
    DISPUTE = 4
    BANK = 5
    SCREENING = 6


class Verdict(IntEnum):
    """What came out; values of longmen.risk.v1.CaseVerdict, 0 for nothing yet."""

    NONE = 0
    FALSE_POSITIVE = 1
    CONFIRMED_FRAUD = 2
    CONFIRMED_MATCH = 3


class Claim(IntEnum):
    """What a customer says; values of longmen.risk.v1.Claim."""

    MINE = 1
    NOT_MINE = 2


@dataclass(slots=True)
class CaseRow:
    """A case as stored, in the order of its columns.

    It has what its verdict needs from the decision, which never changes.
    """

    case_id: CaseId
    """The bytes of the movement's transaction id: there is one case for a movement. A screening has
    an id of its own."""
    decision_id: DecisionId | None
    """None for a screening, which is about no movement."""
    state: int
    cause: int
    verdict: int
    outcome: int
    """Kind of the decision's outcome; 0 for a screening."""
    is_appealed: bool
    notes: int
    """How many there are."""
    amount: int
    """Of the movement, in reference units."""
    decided_at_us: int
    opened_at_us: int
    changed_at_us: int
    closed_at_us: int | None
    customer_id: CustomerId | None
    """Whose movement it was; None for a merchant's or nobody's."""
    payee_party: bytes | None
    """Who was to be paid."""
    terminal_id: bytes | None
    reason: str
    assignee: str
    closed_by: str
    reason_text: str

    @property
    def transaction_id(self) -> TransactionId:
        """Of the movement, whether it was made or not; of a screening there is none by this id."""
        return self.case_id  # type: ignore[return-value]  # the same bytes under another prefix

    @property
    def is_screening(self) -> bool:
        """Whether it is about a customer, and about no movement."""
        return self.cause == Cause.SCREENING

    def copy(self) -> CaseRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a note rests on."""

    reference: str
    sha256: bytes
    """32 bytes, or none."""


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as stored, in the order of its columns."""

    case_id: CaseId
    number: int
    """From 1."""
    written_at_us: int
    author: str
    """Kind and subject."""
    text: str
    evidence_reference: str
    evidence_sha256: bytes


def check_open(row: CaseRow) -> None:
    """Refuse what comes after the verdict.

    Raises:
        Refusal: CASE_CLOSED.
    """
    if row.state != CaseState.OPEN:
        raise case_closed(row.case_id)


def check_verdict(row: CaseRow, verdict: Verdict) -> None:
    """Refuse a verdict that says nothing of what the case is about.

    Raises:
        Refusal: CASE_VERDICT_MISMATCH.
    """
    if verdict == (Verdict.CONFIRMED_FRAUD if row.is_screening else Verdict.CONFIRMED_MATCH):
        raise Refusal(
            "CASE_VERDICT_MISMATCH",
            "the verdict is none of such a case",
            metadata={"case_id": CASE.encode(row.case_id), "verdict": verdict.name},
            field="verdict",
        )


def check_room(row: CaseRow) -> None:
    """Refuse another note on a full case.

    Raises:
        Refusal: CASE_FULL.
    """
    if row.notes >= NOTES_MAX:
        raise Refusal(
            "CASE_FULL",
            "the case has as many notes as it may have",
            metadata={"case_id": CASE.encode(row.case_id), "maximum": str(NOTES_MAX)},
        )


def check_claim(claim: Claim, outcome: int, decision_id: DecisionId) -> None:
    """Refuse to appeal what was not stopped. Disputes are taken of everything.

    Raises:
        Refusal: NOTHING_TO_APPEAL.
    """
    if claim == Claim.MINE and outcome < STOPPED_FROM:
        raise nothing_to_appeal(decision_id)


def case_not_found(case_id: CaseId) -> Refusal:
    """Return the refusal of a case that is not there, or another's."""
    return Refusal(
        "CASE_NOT_FOUND",
        "no such case",
        metadata={"case_id": CASE.encode(case_id)},
        field="case_id",
    )


def case_closed(case_id: CaseId) -> Refusal:
    """Return the refusal to add to a case that has its verdict."""
    return Refusal("CASE_CLOSED", "the case is closed", metadata={"case_id": CASE.encode(case_id)})


def case_exists(case_id: CaseId) -> Refusal:
    """Return the refusal to open a second case of a movement."""
    return Refusal(
        "CASE_EXISTS",
        "there is a case of this movement already",
        metadata={"case_id": CASE.encode(case_id)},
    )


def nothing_to_appeal(decision_id: DecisionId) -> Refusal:
    """Return the refusal to appeal what was allowed."""
    return Refusal(
        "NOTHING_TO_APPEAL",
        "the movement was not stopped",
        metadata={"decision_id": DECISION.encode(decision_id)},
    )


def other_freeze(row: CaseRow, freeze_id: FreezeId) -> Refusal:
    """Return the refusal to lift a freeze that another decision placed."""
    return Refusal(
        "CASE_OF_OTHER_FREEZE",
        "the freeze is not the one of the case",
        metadata={"case_id": CASE.encode(row.case_id), "freeze_id": FREEZE.encode(freeze_id)},
        field="freeze_id",
    )
