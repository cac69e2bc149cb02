"""Backtests as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import backtest_pb2, case_pb2, outcome_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import DECISION
from longmen_server.riskrules.model import BLOCKED_MAX, Trial

if TYPE_CHECKING:
    from longmen_server.risk.backtest import Backtest, Figure
    from longmen_server.riskrules.backtesting import Step

__all__ = ["progress", "result"]


def progress(step: Step) -> backtest_pb2.BacktestProgress:
    """Return how far a backtest has come."""
    message = backtest_pb2.BacktestProgress(done=step.done, total=step.total)
    if step.done:
        message.decided_time.CopyFrom(timestamp(step.decided_at_us))
    return message


def result(test: Backtest, next_cursor: str) -> backtest_pb2.BacktestResult:
    """Return what a backtest has found."""
    blocked = test.blocked
    message = backtest_pb2.BacktestResult(
        decision_count=test.decisions,
        alerts=figure(test.alerts),
        blocked=figure(blocked),
        caught=figure(test.caught),
        missed=figure(test.missed),
        disturbed=figure(test.disturbed),
        newly_refused_count=test.refused,
        newly_refused_minor_units=test.refused_amount,
        incomplete_count=test.incomplete,
        missing_features=sorted(test.missing),
        unreadable_count=test.unreadable,
        unscored_count=test.unscored,
        blocks_too_much=not Trial(test.decisions, blocked.after).is_harmless,
        limit_basis_points=BLOCKED_MAX,
        next_cursor=next_cursor,
    )
    for cell in sorted(test.counts):
        message.cells.add(
            before=outcome_pb2.OutcomeKind.ValueType(cell.before),
            after=outcome_pb2.OutcomeKind.ValueType(cell.after),
            verdict=case_pb2.CaseVerdict.ValueType(cell.verdict),
            decision_count=test.counts[cell],
            reference_minor_units=test.amounts[cell],
        )
    for one in test.examples:
        message.newly_refused.add(
            decision_id=DECISION.encode(one.decision_id),
            before=outcome_pb2.OutcomeKind.ValueType(one.before),
            after=outcome_pb2.OutcomeKind.ValueType(one.after),
            reason=one.reason,
            reference_minor_units=one.amount,
        )
    for rule, count in sorted(test.rules.items()):
        message.rules.add(
            rule=rule,
            fired_count=count.fired,
            fraud_count=count.fraud,
            false_positive_count=count.honest,
            skipped_count=count.skipped,
        )
    for day, (decisions, before, after) in sorted(test.days.items()):
        message.days.add(
            day=day, decision_count=decisions, before_alerts=before, after_alerts=after
        )
    return message


def figure(found: Figure) -> backtest_pb2.BacktestFigure:
    """Return a figure."""
    return backtest_pb2.BacktestFigure(
        before_count=found.before,
        before_minor_units=found.before_amount,
        after_count=found.after,
        after_minor_units=found.after_amount,
    )
