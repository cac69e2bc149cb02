"""What a decision rested on, in and out of the form it is kept in."""

from __future__ import annotations

import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen.risk.v1 import decision_pb2, outcome_pb2
from longmen_server.risk.features import NUMBERS, REGISTRY
from longmen_server.risk.model import (
    Fault,
    FeatureType,
    Fired,
    Outcome,
    OutcomeKind,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.risk.model import Evaluation, FeatureValue
    from longmen_server.risk.plan import Plan

__all__ = ["Kept", "encode_outcome", "encode_snapshot", "read_outcome", "read_snapshot"]

TRIED: Final = "~"
"""Begins the names of rules of a set in shadow."""

_bits = struct.Struct("<d")


class Kept(NamedTuple):
    """A snapshot as read again."""

    values: dict[str, FeatureValue]
    fired: tuple[Fired, ...]
    faults: tuple[Fault, ...]
    contributions: tuple[tuple[str, float], ...]
    score: float | None
    key: bytes
    can_approve: bool

    @property
    def feature_faults(self) -> tuple[Fault, ...]:
        """The faults of features, which a replay takes over: what failed then is not known now."""
        return tuple(fault for fault in self.faults if fault.source in REGISTRY)


def encode_snapshot(
    plan: Plan,
    values: Mapping[str, FeatureValue],
    evaluation: Evaluation,
    key: bytes,
    *,
    can_approve: bool,
) -> bytes:
    """Return a snapshot as it is kept; the same values give the same bytes.

    Args:
        plan: that the values were computed by: it knows their places.
        values: of every feature of the plan.
        evaluation: what came of them.
        key: of the payer, 16 bytes.
        can_approve: whether somebody could be asked to approve the movement.
    """
    message = decision_pb2.DecisionSnapshot(
        key=key, can_approve=can_approve, whole_values=map(int, plan.wholes.of_values(values))
    )
    if evaluation.fired or evaluation.faults:
        _add_told(message, evaluation)
    reals, lists = plan.reals.of_values(values), plan.lists.of_values(values)
    contributions, score = evaluation.contributions, evaluation.score
    # A message is the sum of its parts. Those that are the same for many movements are made once,
    # and numbers of fixed width need no more than to be packed: that takes half the time.
    return b"".join(
        (
            plan.places,
            message.SerializeToString(deterministic=True),
            _reals_head(len(reals)),
            _doubles(len(reals)).pack(*reals),
            _texts_part(plan.texts.of_values(values)),
            _lists_part(lists),
            *[_name_part(name) for name, _ in contributions],
            _points_head(len(contributions)),
            _doubles(len(contributions)).pack(*[points for _, points in contributions]),
            b"" if score is None else _SCORE_HEAD + _bits.pack(score),
        )
    )


def _add_told(message: decision_pb2.DecisionSnapshot, evaluation: Evaluation) -> None:
    for fired in evaluation.fired:
        message.fired.add(
            rule=fired.rule,
            outcome=encode_outcome(fired.outcome),
            reason=fired.reason,
            shadow=fired.shadow,
        )
    for fault in evaluation.faults:
        message.faults.add(
            source=fault.source, message=fault.message, outcome=encode_outcome(fault.outcome)
        )


_NUMBER_BYTES: Final = 8
_SCORE_HEAD: Final = decision_pb2.DecisionSnapshot(score=0).SerializeToString()[:-_NUMBER_BYTES]
"""What stands before a score."""


@cache
def _doubles(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}d")


@cache
def _reals_head(count: int) -> bytes:
    """What stands before so many real values."""
    whole = decision_pb2.DecisionSnapshot(real_values=[0] * count).SerializeToString()
    return whole[: len(whole) - _NUMBER_BYTES * count]


@cache
def _points_head(count: int) -> bytes:
    """What stands before so many contributions."""
    whole = decision_pb2.DecisionSnapshot(contribution_values=[0] * count).SerializeToString()
    return whole[: len(whole) - _NUMBER_BYTES * count]


@lru_cache(maxsize=1024)
def _name_part(name: str) -> bytes:
    return decision_pb2.DecisionSnapshot(contribution_names=[name]).SerializeToString()


@lru_cache(maxsize=1024)
def _texts_part(texts: tuple[str, ...]) -> bytes:
    return decision_pb2.DecisionSnapshot(text_values=texts).SerializeToString()


@lru_cache(maxsize=1024)
def _lists_part(lists: tuple[tuple[str, ...], ...]) -> bytes:
    """Of parties that are on no list, as nearly all are, or on one of a few."""
    values = [decision_pb2.FeatureStrings(values=each) for each in lists]
    return decision_pb2.DecisionSnapshot(list_values=values).SerializeToString()


def read_snapshot(data: bytes) -> Kept:
    """Return what was kept.

    Raises:
        ValueError: the bytes are no snapshot, or name a feature that there never was.
    """
    try:
        message = decision_pb2.DecisionSnapshot.FromString(data)
        values: dict[str, FeatureValue] = {}
        for number, whole in zip(message.whole_numbers, message.whole_values, strict=True):
            feature = NUMBERS[number]
            values[feature.name] = bool(whole) if feature.type == FeatureType.BOOL else whole
        for number, real in zip(message.real_numbers, message.real_values, strict=True):
            values[NUMBERS[number].name] = _of_bits(real)
        for number, text in zip(message.text_numbers, message.text_values, strict=True):
            values[NUMBERS[number].name] = text
        for number, texts in zip(message.list_numbers, message.list_values, strict=True):
            values[NUMBERS[number].name] = tuple(texts.values)
        named = zip(message.contribution_names, message.contribution_values, strict=True)
        contributions = tuple((name, _of_bits(points)) for name, points in named)
        fired = tuple(
            Fired(each.rule, read_outcome(each.outcome), each.reason, each.shadow)
            for each in message.fired
        )
        faults = tuple(
            Fault(each.source, each.message, read_outcome(each.outcome)) for each in message.faults
        )
    except (KeyError, ValueError) as error:
        raise ValueError("no snapshot of a decision") from error
    except Exception as error:  # protobuf's own error, whose class differs between its backends
        raise ValueError("no snapshot of a decision") from error
    score = _of_bits(message.score) if message.HasField("score") else None
    return Kept(values, fired, faults, contributions, score, message.key, message.can_approve)


def encode_outcome(outcome: Outcome) -> outcome_pb2.Outcome:
    """Return an outcome as the contract has it."""
    freezes = outcome.kind == OutcomeKind.FREEZE
    return outcome_pb2.Outcome(
        kind=int(outcome.kind),  # type: ignore[arg-type]  # enums of the contract are ints
        strength=outcome.strength,
        target=int(outcome.target) if freezes else 0,  # type: ignore[arg-type]
        revocable=outcome.revocable if freezes else False,
    )


def read_outcome(message: outcome_pb2.Outcome) -> Outcome:
    """Return an outcome of the contract.

    Raises:
        ValueError: there is no such outcome.
    """
    kind = OutcomeKind(message.kind)
    if kind != OutcomeKind.FREEZE:
        return Outcome(kind, message.strength)
    target = Target(message.target or Target.PAYER)
    return Outcome(kind, message.strength, target, message.revocable)


def tried_outcome(evaluation: Evaluation) -> int:
    """Return the highest outcome that rules of a set in shadow ask for; 0 when none fired."""
    tried = (fired.outcome.kind for fired in evaluation.fired if fired.rule.startswith(TRIED))
    return max(tried, default=0)


def _of_bits(bits: int) -> float:
    return float(_bits.unpack(bits.to_bytes(8, "little"))[0])
