"""Sets of rules as they are kept, and where they may go. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import RULE_SET
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import RulesChangeId, RuleSetId

__all__ = [
    "Cause",
    "RuleSetRow",
    "RuleSetState",
    "RulebookRow",
    "Trial",
    "check_revision",
    "check_step",
    "check_trial",
    "rule_set_not_found",
]

BASIS_POINTS: Final = 10_000
BLOCKED_MAX: Final = 200
"""Basis points of movements that a set may block in shadow and still be promoted by one caller.
Declines for suspected fraud are commonly about one per cent; twice that wants a second look."""
SNOOZE_US_MAX: Final = 30 * 86_400 * 1_000_000
"""A rule that has to be silent for longer is to be changed."""
SNOOZES_MAX: Final = 100
"""Of one rule at a time: every one is looked at when the rule fires."""


class RuleSetState(IntEnum):
    """Where a set stands; values of longmen.risk.v1.RuleSetState."""

    DRAFT = 1
    SHADOW = 2
    ACTIVE = 3
    RETIRED = 4


_STEPS: Final = {
    RuleSetState.DRAFT: {RuleSetState.SHADOW, RuleSetState.ACTIVE, RuleSetState.RETIRED},
    RuleSetState.SHADOW: {RuleSetState.ACTIVE, RuleSetState.RETIRED},
    RuleSetState.ACTIVE: {RuleSetState.RETIRED},
    RuleSetState.RETIRED: {RuleSetState.SHADOW, RuleSetState.ACTIVE},
}
"""A set that retired may come back: that is how a bad promotion is undone."""


class Cause(IntEnum):
    """What made a version of a book's rules; the numbers are stored."""

    PROMOTED = 1
    SHADOWED = 2
    RETIRED = 3
    SNOOZED = 4
    ROLLED_OUT = 5


@dataclass(slots=True)
class RuleSetRow:
    """A set of rules as stored, in the order of its columns."""

    rule_set_id: RuleSetId
    state: int
    revision: int
    name: str
    note: str
    content: bytes
    """Written once, from when it is no draft any more."""
    digest: bytes
    base_id: RuleSetId | None
    """The set it was made from; None for the rules that came with the server."""
    created_at_us: int
    updated_at_us: int
    shadow_at_us: int | None
    active_at_us: int | None
    retired_at_us: int | None

    def copy(self) -> RuleSetRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class RulebookRow:
    """One version of all that decides in a book; it never changes: decisions are made again."""

    version: int
    """From 1, without gaps."""
    change_id: RulesChangeId
    cause: int
    created_at_us: int
    rule_set_id: RuleSetId | None
    """The set that decides; None for the rules that came with the server."""
    tried_id: RuleSetId | None
    """The set in shadow."""
    content: bytes
    digest: bytes


class Trial(NamedTuple):
    """What a set did in shadow."""

    decisions: int
    blocked: int
    """Of them, those that it would have reviewed, declined or frozen."""

    @property
    def is_harmless(self) -> bool:
        """Whether it blocked no more than one caller may let it."""
        return self.blocked * BASIS_POINTS <= self.decisions * BLOCKED_MAX


def rule_set_not_found(rule_set_id: RuleSetId) -> Refusal:
    """Return the refusal for a set that is not there."""
    return Refusal(
        "RULE_SET_NOT_FOUND",
        "there is no such set of rules",
        metadata={"rule_set_id": RULE_SET.encode(rule_set_id)},
        field="rule_set_id",
    )


def check_draft(row: RuleSetRow) -> None:
    """Refuse to change what decided or was tried.

    Raises:
        Refusal: RULE_SET_NOT_DRAFT.
    """
    if row.state != RuleSetState.DRAFT:
        raise Refusal(
            "RULE_SET_NOT_DRAFT",
            "only drafts change: make a draft from it",
            metadata={"state": RuleSetState(row.state).name},
            field="rule_set_id",
        )


def check_revision(row: RuleSetRow, revision: int) -> None:
    """Refuse a change made from what is not there any more.

    Raises:
        Refusal: RULE_SET_CHANGED.
    """
    if row.revision != revision:
        raise Refusal(
            "RULE_SET_CHANGED",
            "somebody changed the set meanwhile",
            metadata={"revision": str(row.revision)},
            field="revision",
        )


def check_step(row: RuleSetRow, state: RuleSetState) -> None:
    """Refuse a way that no set goes.

    Raises:
        Refusal: RULE_SET_STATE.
    """
    if state not in _STEPS[RuleSetState(row.state)]:
        raise Refusal(
            "RULE_SET_STATE",
            "the set cannot go from its state to that one",
            metadata={"state": RuleSetState(row.state).name, "wanted": state.name},
            field="state",
        )


def check_trial(row: RuleSetRow, trial: Trial) -> None:
    """Refuse to let one caller promote what was not tried, or what blocked too much.

    Raises:
        Refusal: RULE_SET_NOT_TRIED, RULE_SET_BLOCKS_TOO_MUCH.
    """
    if row.state != RuleSetState.SHADOW or not trial.decisions:
        raise Refusal(
            "RULE_SET_NOT_TRIED",
            "a set is tried in shadow before one caller promotes it; two people may at once",
            metadata={"state": RuleSetState(row.state).name},
        )
    if not trial.is_harmless:
        raise Refusal(
            "RULE_SET_BLOCKS_TOO_MUCH",
            "the set blocked too much in shadow: two people have to agree to it",
            metadata={
                "blocked_count": str(trial.blocked),
                "decision_count": str(trial.decisions),
                "limit_basis_points": str(BLOCKED_MAX),
            },
        )


def rule_not_found(rule_id: str) -> Refusal:
    """Return the refusal for a rule that does not decide."""
    return Refusal(
        "RULE_NOT_FOUND",
        "the active rules have none of this id",
        metadata={"rule_id": rule_id},
        field="rule_id",
    )


def check_snooze(duration_us: int, snoozes: int) -> None:
    """Refuse a snooze that is none, too long, or one too many.

    Raises:
        Refusal: RULE_SNOOZE_LIMIT.
    """
    if not 0 < duration_us <= SNOOZE_US_MAX or snoozes >= SNOOZES_MAX:
        raise Refusal(
            "RULE_SNOOZE_LIMIT",
            "a rule is silenced for up to thirty days, for up to a hundred payers at a time",
            metadata={
                "limit_seconds": str(SNOOZE_US_MAX // 1_000_000),
                "limit_count": str(SNOOZES_MAX),
            },
            field="duration",
        )
