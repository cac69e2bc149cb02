"""Sets of rules as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import rule_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import RULE_SET
from longmen_server.risk import rule_content
from longmen_server.riskrules.model import BLOCKED_MAX, RuleSetState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.risk.model import Fault, Fired
    from longmen_server.risk.rule_content import Content
    from longmen_server.risk.rules_lint import Found, Tried
    from longmen_server.riskrules.model import RulebookRow, RuleSetRow, Trial

__all__ = ["change", "fault", "fired", "problem", "result", "rule_set", "shipped"]


def rule_set(
    row: RuleSetRow, *, content: Content | None = None, version: int = 0, trial: Trial | None = None
) -> rule_pb2.RuleSet:
    """Return a set.

    Args:
        row: as stored.
        content: its rules as they are to be shown; None shows how many there are.
        version: of the book's rules, where the set is active.
        trial: what it did in shadow, where that was counted.
    """
    message = rule_pb2.RuleSet(
        rule_set_id=RULE_SET.encode(row.rule_set_id),
        name=row.name,
        note=row.note,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        revision=row.revision,
        version=version if row.state == RuleSetState.ACTIVE else 0,
        rule_count=len((content or rule_content.read(row.content)).rules),
        base_rule_set_id=RULE_SET.encode(row.base_id) if row.base_id else "",
        digest=row.digest,
        create_time=timestamp(row.created_at_us),
        update_time=timestamp(row.updated_at_us),
    )
    if content is not None:
        message.rules.extend(map(rule_content.to_message, content.rules))
        message.snoozes.extend(rule_content.snoozes_of(content.rules))
    for field, at_us in (
        ("shadow_time", row.shadow_at_us),
        ("active_time", row.active_at_us),
        ("retire_time", row.retired_at_us),
    ):
        if at_us is not None:
            getattr(message, field).CopyFrom(timestamp(at_us))
    if trial is not None:
        message.trial.decision_count = trial.decisions
        message.trial.blocked_count = trial.blocked
        message.trial.limit_basis_points = BLOCKED_MAX
    return message


def shipped(content: Content, version: int) -> rule_pb2.RuleSet:
    """Return the rules that came with the server, as they decide now."""
    return rule_pb2.RuleSet(
        name="shipped",
        note="the rules that came with the server",
        state=rule_pb2.RULE_SET_STATE_ACTIVE,
        version=version,
        rule_count=len(content.rules),
        rules=map(rule_content.to_message, content.rules),
        digest=rule_content.write(content._replace(tried=()))[1],
        snoozes=rule_content.snoozes_of(content.rules),
    )


def problem(found: Found) -> rule_pb2.RuleProblem:
    """Return a problem."""
    severity = (
        rule_pb2.RULE_PROBLEM_SEVERITY_ERROR
        if found.is_error
        else rule_pb2.RULE_PROBLEM_SEVERITY_WARNING
    )
    return rule_pb2.RuleProblem(
        rule_id=found.rule_id,
        severity=severity,
        code=found.code,
        line=found.line,
        column=found.column,
        message=found.message,
        excerpt=found.excerpt,
    )


def result(tried: Tried) -> rule_pb2.ExampleResult:
    """Return what came of an example."""
    return rule_pb2.ExampleResult(
        rule_id=tried.rule_id,
        name=tried.example.name,
        expected=tried.example.fires,
        fired=tried.fired,
        fault=tried.fault,
    )


def fired(one: Fired) -> rule_pb2.FiredRule:
    """Return a rule that fired."""
    outcome = rule_content.outcome_message(one.outcome)
    return rule_pb2.FiredRule(rule_id=one.rule, outcome=outcome, shadow=one.shadow)


def fault(one: Fault) -> rule_pb2.FiredRule:
    """Return a rule that could not be evaluated."""
    outcome = rule_content.outcome_message(one.outcome)
    return rule_pb2.FiredRule(rule_id=one.source, outcome=outcome, fault=one.message)


def problems_text(found: Iterable[Found], limit: int) -> str:
    """Return problems in short, for the metadata of a refusal: rule:line:column:code."""
    shown = [f"{one.rule_id}:{one.line}:{one.column}:{one.code}" for one in found]
    return " ".join(shown[:limit])


def change(row: RulebookRow, content: Content) -> bytes:
    """Return the payload of the event of changed rules."""
    return event_pb2.RiskRulesChange(
        version=row.version,
        rule_set_id=RULE_SET.encode(row.rule_set_id) if row.rule_set_id else "",
        shadow_rule_set_id=RULE_SET.encode(row.tried_id) if row.tried_id else "",
        digest=row.digest,
        rule_count=len(content.rules),
    ).SerializeToString(deterministic=True)
