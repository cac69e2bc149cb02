"""The judgement: what rules and scorecard say of features. Pure, and the same for a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.risk.model import ALLOW, Evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.risk.model import Card, Fault, FeatureValue, Outcome, Rules

__all__ = ["FAULT_REASON", "evaluate"]

FAULT_REASON: Final = "CANNOT_BE_CHECKED"
"""What customers are told of when something failed."""


def evaluate(
    rules: Rules,
    card: Card | None,
    values: Mapping[str, FeatureValue],
    faults: Sequence[Fault] = (),
    *,
    now_us: int,
    key: bytes,
) -> Evaluation:
    """Return the highest outcome that anything asks for, and all that led to it.

    Args:
        rules: the set in force.
        card: the scorecard in force, if there is one.
        values: of every feature that the two read; failed ones have their defaults.
        faults: of features that could not be computed.
        now_us: the time of the decision, in microseconds.
        key: 16 bytes of the payer, by which staged rules choose whom they are tried on.
    """
    fired, failed = rules.fire(values, now_us=now_us, key=key)
    outcome: Outcome = ALLOW
    reason = ""
    for each in fired:
        if not each.shadow and each.outcome > outcome:
            outcome, reason = each.outcome, each.reason
    score: float | None = None
    contributions: tuple[tuple[str, float], ...] = ()
    if card is not None:
        scored = card.score(values)
        score, contributions = scored.points, scored.contributions
        if scored.outcome > outcome:
            outcome, reason = scored.outcome, scored.reason
    every_fault = (*faults, *failed)
    for fault in every_fault:
        if fault.outcome > outcome:
            outcome, reason = fault.outcome, FAULT_REASON
    return Evaluation(outcome, reason, tuple(fired), score, contributions, every_fault)
