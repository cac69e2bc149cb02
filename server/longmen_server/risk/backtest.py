"""Decisions of the past judged again by other rules or points, and what that comes to. Pure.

Everything is taken from the records: what was counted then is not counted again. A rule that reads
what a record does not have is left out for it, and told of; where the rest of its expression says
no by itself, it is not needed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.clock import business_date
from longmen_server.risk.cel import names_in
from longmen_server.risk.features import REGISTRY
from longmen_server.risk.guard import carried_out_as
from longmen_server.risk.judge import evaluate
from longmen_server.risk.model import OutcomeKind
from longmen_server.risk.rules import RuleSet, readings
from longmen_server.risk.snapshot import read_snapshot
from longmen_server.riskcases.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from longmen_server.platform.ids import DecisionId
    from longmen_server.risk.model import Evaluation, Fault, FeatureValue, Fired
    from longmen_server.risk.rows import DecisionRow
    from longmen_server.risk.rules import Rule
    from longmen_server.risk.scorecard import Scorecard

__all__ = ["Backtest", "Example", "Figure", "Past", "RuleCount", "Tried"]

EXAMPLES_MAX: Final = 50
"""Movements that are named in a result: enough to look at."""


class Past(NamedTuple):
    """A decision, and what came out about it."""

    row: DecisionRow
    verdict: int
    """Of the case about its movement; NONE while there is none."""


class Cell(NamedTuple):
    """Where a decision falls."""

    before: int
    after: int
    verdict: int


class Example(NamedTuple):
    """A movement that would come out otherwise."""

    decision_id: DecisionId
    before: int
    after: int
    reason: str
    amount: int


@dataclass(slots=True)
class Figure:
    """A number of decisions and their amounts, before and after."""

    before: int = 0
    before_amount: int = 0
    after: int = 0
    after_amount: int = 0


@dataclass(slots=True)
class RuleCount:
    """What one rule did."""

    fired: int = 0
    fraud: int = 0
    honest: int = 0
    skipped: int = 0


class Tried:
    """The rules that are tried, which forgive what old records do not have."""

    version = 0

    def __init__(self, rules: Sequence[Rule], *, digest: bytes) -> None:
        """Compile rules in which no problem was found."""
        self._rules = RuleSet(rules, version=0, digest=digest)
        self._reads = {
            rule.rule_id: frozenset().union(*(names_in(text) for _, text in readings(rule)))
            & REGISTRY.keys()
            for rule in rules
        }
        self.digest = digest
        self.features = self._rules.features
        self.skipped: dict[str, frozenset[str]] = {}
        """What was missing of the last movement, by the rules that were left out for it."""

    def features_of(self, kind: str) -> frozenset[str]:
        """Return the names that are read for a kind of movement."""
        return self._rules.features_of(kind)

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        """Return the rules that apply and those that fail, but for those that cannot be asked."""
        fired, faults = self._rules.fire(values, now_us=now_us, key=key)
        self.skipped = {}
        if not faults:
            return fired, faults
        kept = []
        for fault in faults:
            missing = self._reads.get(fault.source, frozenset()) - values.keys()
            if missing:
                self.skipped[fault.source] = missing
            else:
                kept.append(fault)
        return fired, kept


@dataclass(slots=True)
class Backtest:
    """Rules and a scorecard that are tried on the past, and what was found so far."""

    tried: Tried
    card: Scorecard | None
    decisions: int = 0
    incomplete: int = 0
    unscored: int = 0
    unreadable: int = 0
    missing: set[str] = field(default_factory=set)
    counts: Counter[Cell] = field(default_factory=Counter)
    amounts: Counter[Cell] = field(default_factory=Counter)
    rules: dict[str, RuleCount] = field(default_factory=dict)
    days: dict[str, list[int]] = field(default_factory=dict)
    """By day: decisions, alerts before and alerts after."""
    refused: int = 0
    refused_amount: int = 0
    examples: list[Example] = field(default_factory=list)

    def add_all(self, found: Iterable[Past]) -> None:
        """Judge decisions again, and count them."""
        for past in found:
            self.add(past)

    def add(self, past: Past) -> None:
        """Judge one decision again, and count it."""
        row, verdict = past
        try:
            after, evaluation = self._again(row)
        except ValueError:
            self.unreadable += 1
            return
        before = OutcomeKind(row.outcome)
        cell = Cell(before, after, verdict)
        self.decisions += 1
        self.counts[cell] += 1
        self.amounts[cell] += row.amount
        day = self.days.setdefault(business_date(row.decided_at_us).isoformat(), [0, 0, 0])
        day[0] += 1
        day[1] += is_alert(before)
        day[2] += is_alert(after)
        if row.is_made and before < OutcomeKind.DECLINE <= after:
            self.refused += 1
            self.refused_amount += row.amount
            if len(self.examples) < EXAMPLES_MAX:
                example = Example(row.decision_id, before, after, evaluation.reason, row.amount)
                self.examples.append(example)
        self._count_rules(evaluation, verdict)

    def _again(self, row: DecisionRow) -> tuple[OutcomeKind, Evaluation]:
        """Return what a decision comes out as, and why.

        Raises:
            ValueError: the record cannot be read.
        """
        kept = read_snapshot(row.snapshot)
        kind = str(kept.values.get("kind", ""))
        card = self._card_for(row, kind, kept.values.keys())
        read = self.tried.features_of(kind) | (card.features if card else frozenset())
        faults = [fault for fault in kept.feature_faults if fault.source in read]
        evaluation = evaluate(
            self.tried, card, kept.values, faults, now_us=row.decided_at_us, key=kept.key
        )
        outcome = carried_out_as(evaluation.outcome, row.kind, can_approve=kept.can_approve)
        return outcome.kind, evaluation

    def _card_for(self, row: DecisionRow, kind: str, known: Iterable[str]) -> Scorecard | None:
        """Return the scorecard, if the record has what it reads, or it is about other kinds."""
        card = self.card
        if card is None or card.digest == row.card_digest or kind not in card.kinds:
            return card
        missing = card.features - set(known)
        if not missing:
            return card
        self.unscored += 1
        self.missing |= missing
        return None

    def _count_rules(self, evaluation: Evaluation, verdict: int) -> None:
        for fired in evaluation.fired:
            if not fired.shadow:
                count = self.rules.setdefault(fired.rule, RuleCount())
                count.fired += 1
                count.fraud += verdict == Verdict.CONFIRMED_FRAUD
                count.honest += verdict == Verdict.FALSE_POSITIVE
        skipped = self.tried.skipped
        self.incomplete += bool(skipped)
        for rule, missing in skipped.items():
            self.rules.setdefault(rule, RuleCount()).skipped += 1
            self.missing |= missing

    # -- figures -------------------------------------------------------------------------------

    def figure(self, from_kind: OutcomeKind, verdict: int | None = None) -> Figure:
        """Return the decisions of a verdict, or all, that came out so high or higher."""
        found = Figure()
        for cell, count in self.counts.items():
            if verdict is not None and cell.verdict != verdict:
                continue
            amount = self.amounts[cell]
            if cell.before >= from_kind:
                found.before += count
                found.before_amount += amount
            if cell.after >= from_kind:
                found.after += count
                found.after_amount += amount
        return found

    @property
    def alerts(self) -> Figure:
        """Decisions that stand in the way of a movement."""
        return self.figure(OutcomeKind.STEP_UP)

    @property
    def blocked(self) -> Figure:
        """Decisions that hold or stop a movement."""
        return self.figure(OutcomeKind.REVIEW)

    @property
    def caught(self) -> Figure:
        """Alerts about fraud."""
        return self.figure(OutcomeKind.STEP_UP, Verdict.CONFIRMED_FRAUD)

    @property
    def missed(self) -> Figure:
        """Fraud that was simply allowed."""
        every = self.figure(OutcomeKind.ALLOW, Verdict.CONFIRMED_FRAUD)
        caught = self.caught
        return Figure(
            every.before - caught.before,
            every.before_amount - caught.before_amount,
            every.after - caught.after,
            every.after_amount - caught.after_amount,
        )

    @property
    def disturbed(self) -> Figure:
        """Alerts about what was honest."""
        return self.figure(OutcomeKind.STEP_UP, Verdict.FALSE_POSITIVE)


def is_alert(kind: OutcomeKind) -> bool:
    """Whether an outcome stands in the way of a movement."""
    return kind >= OutcomeKind.STEP_UP
