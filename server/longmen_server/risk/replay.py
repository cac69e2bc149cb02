"""A decision computed again from its record and the rules of its version. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen_server.risk.encode import outcome_of
from longmen_server.risk.guard import carried_out_as
from longmen_server.risk.judge import evaluate
from longmen_server.risk.snapshot import read_snapshot

if TYPE_CHECKING:
    from longmen_server.risk.model import Card, Evaluation, Outcome, Rules
    from longmen_server.risk.rows import DecisionRow

__all__ = ["Replay", "replay"]


class Replay(NamedTuple):
    """What a decision comes out as now."""

    outcome: Outcome
    evaluation: Evaluation
    same: bool
    """Whether it is what was decided, in everything that was kept of it."""


def replay(row: DecisionRow, rules: Rules, card: Card | None) -> Replay | None:
    """Return what a decision comes out as; None when the rules are not those it was made by.

    Args:
        row: the decision as kept.
        rules: of its version.
        card: the scorecard of its version; None where there was none.

    Raises:
        ValueError: the record cannot be read.
    """
    if rules.digest != row.rules_digest or (card.digest if card else b"") != row.card_digest:
        return None
    kept = read_snapshot(row.snapshot)
    evaluation = evaluate(
        rules, card, kept.values, kept.feature_faults, now_us=row.decided_at_us, key=kept.key
    )
    outcome = carried_out_as(evaluation.outcome, row.kind, can_approve=kept.can_approve)
    same = (
        outcome[:3] == outcome_of(row)[:3]
        and evaluation.reason == row.reason
        and evaluation.fired == kept.fired
        and evaluation.faults == kept.faults
        and evaluation.score == kept.score
        and evaluation.contributions == kept.contributions
    )
    return Replay(outcome, evaluation, same)
