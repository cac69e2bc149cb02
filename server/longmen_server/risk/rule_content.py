"""Rules as messages of the contract, which are also how they are stored."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen.risk.v1 import outcome_pb2, rule_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CUSTOMER, CustomerId
from longmen_server.risk.model import FreezeScope, Outcome, OutcomeKind, Target
from longmen_server.risk.rules import (
    BASIS_POINTS,
    Example,
    OnError,
    Rule,
    RuleMode,
    RuleSet,
    Snooze,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Content", "from_message", "outcome_of", "outcome_text", "read", "to_message", "write"]

SECOND_US: Final = 1_000_000


class Content(NamedTuple):
    """Rules as stored: those that decide, and those that are tried beside them."""

    rules: tuple[Rule, ...]
    tried: tuple[Rule, ...] = ()

    def compiled(self, *, version: int, digest: bytes) -> RuleSet:
        """Return the rules, ready."""
        return RuleSet(self.rules, tried=self.tried, version=version, digest=digest)


def write(content: Content) -> tuple[bytes, bytes]:
    """Return content as it is stored, and its digest."""
    stored = rule_pb2.RuleContent(
        rules=map(to_message, content.rules),
        tried=map(to_message, content.tried),
        snoozes=snoozes_of(content.rules),
    ).SerializeToString(deterministic=True)
    return stored, sha256(stored).digest()


def read(stored: bytes) -> Content:
    """Return what :func:`write` stored."""
    message = rule_pb2.RuleContent.FromString(stored)
    silent: dict[str, list[Snooze]] = {}
    for one in message.snoozes:
        key = CUSTOMER.decode(one.customer_id) if one.customer_id else b""
        snooze = Snooze(_microseconds(one, "until_time"), key, one.reason_text)
        silent.setdefault(one.rule_id, []).append(snooze)
    rules = (
        replace(rule, snoozes=tuple(silent.get(rule.rule_id, ())))
        for rule in from_messages(message.rules)
    )
    return Content(tuple(rules), from_messages(message.tried))


def snoozes_of(rules: Iterable[Rule]) -> Iterator[rule_pb2.Snooze]:
    """Yield the snoozes of rules."""
    for rule in rules:
        for one in rule.snoozes:
            yield rule_pb2.Snooze(
                rule_id=rule.rule_id,
                until_time=timestamp(one.until_us),
                customer_id=CUSTOMER.encode(CustomerId(one.key)) if one.key else "",
                reason_text=one.reason,
            )


def from_messages(messages: Iterable[rule_pb2.Rule]) -> tuple[Rule, ...]:
    """Return rules of the contract as rules."""
    return tuple(map(from_message, messages))


def from_message(message: rule_pb2.Rule) -> Rule:
    """Return a rule of the contract as a rule."""
    has_rollout = message.HasField("rollout_basis_points")
    return Rule(
        rule_id=message.rule_id,
        expression=message.expression,
        outcome=outcome_of(message.outcome),
        reason=message.reason_code,
        notice=message.notice,
        owner=message.owner,
        intent=message.intent,
        kinds=frozenset(message.kinds),
        mode=RuleMode(int(message.mode) or RuleMode.ACTIVE),
        rollout=message.rollout_basis_points if has_rollout else BASIS_POINTS,
        expires_at_us=_microseconds(message, "expire_time"),
        on_error=OnError(int(message.on_error) or OnError.DECLINE),
        examples=tuple(
            Example(one.name, tuple((v.feature, v.value) for v in one.values), one.fires)
            for one in message.examples
        ),
    )


def to_message(rule: Rule) -> rule_pb2.Rule:
    """Return a rule as one of the contract."""
    message = rule_pb2.Rule(
        rule_id=rule.rule_id,
        expression=rule.expression,
        outcome=outcome_message(rule.outcome),
        reason_code=rule.reason,
        notice=rule.notice,
        owner=rule.owner,
        intent=rule.intent,
        kinds=sorted(rule.kinds),
        mode=rule.mode.value,  # type: ignore[arg-type]  # enums of the contract are ints
        rollout_basis_points=rule.rollout,
        on_error=rule.on_error.value,  # type: ignore[arg-type]
        examples=[
            rule_pb2.RuleExample(
                name=one.name,
                values=[rule_pb2.FeatureText(feature=f, value=v) for f, v in one.values],
                fires=one.fires,
            )
            for one in rule.examples
        ],
    )
    if rule.expires_at_us:
        message.expire_time.CopyFrom(timestamp(rule.expires_at_us))
    return message


def outcome_of(message: outcome_pb2.Outcome) -> Outcome:
    """Return an outcome of the contract; a freeze that names nobody is the payer's."""
    return Outcome(
        OutcomeKind(message.kind),
        message.strength,
        Target(message.target or Target.PAYER),
        message.revocable,
    )


def outcome_message(outcome: Outcome) -> outcome_pb2.Outcome:
    """Return an outcome as one of the contract."""
    return outcome_pb2.Outcome(
        kind=outcome.kind.value,  # type: ignore[arg-type]  # enums of the contract are ints
        strength=outcome.strength,
        target=outcome.target.value if outcome.kind == OutcomeKind.FREEZE else 0,  # type: ignore[arg-type]
        revocable=outcome.revocable,
    )


def outcome_text(outcome: Outcome) -> str:
    """Return an outcome in a few words."""
    words = outcome.kind.name.lower().replace("_", " ")
    if outcome.kind == OutcomeKind.STEP_UP:
        return f"{words} ({outcome.strength} factor{'s' if outcome.strength > 1 else ''})"
    if outcome.kind == OutcomeKind.DELAY:
        return f"{words} ({outcome.strength} s)"
    if outcome.kind == OutcomeKind.FREEZE:
        scope = FreezeScope(outcome.strength).name.lower().replace("_", " ")
        return f"{words} {outcome.target.name.lower()} ({scope})"
    return words


def changed(first: Sequence[Rule], second: Sequence[Rule]) -> list[rule_pb2.RuleDifference]:
    """Return how two sets differ, by rule and field."""
    old, new = ({rule.rule_id: rule for rule in rules} for rules in (first, second))
    found = []
    for rule_id in sorted(old.keys() | new.keys()):
        one = rule_pb2.RuleDifference(rule_id=rule_id)
        if rule_id not in new:
            one.change = rule_pb2.RULE_CHANGE_REMOVED
            one.before = old[rule_id].expression
            found.append(one)
        elif rule_id not in old:
            one.change = rule_pb2.RULE_CHANGE_ADDED
            one.after = new[rule_id].expression
            found.append(one)
        else:
            found.extend(_fields(old[rule_id], new[rule_id]))
    return found


def _fields(old: Rule, new: Rule) -> Iterable[rule_pb2.RuleDifference]:
    before, after = _texts(old), _texts(new)
    for field, value in after.items():
        if before[field] != value:
            yield rule_pb2.RuleDifference(
                rule_id=new.rule_id,
                change=rule_pb2.RULE_CHANGE_CHANGED,
                field=field,
                before=before[field],
                after=value,
            )


def _texts(rule: Rule) -> dict[str, str]:
    return {
        "expression": rule.expression,
        "outcome": outcome_text(rule.outcome),
        "reason_code": rule.reason,
        "notice": rule.notice,
        "owner": rule.owner,
        "intent": rule.intent,
        "kinds": " ".join(sorted(rule.kinds)),
        "mode": rule.mode.name,
        "rollout_basis_points": str(rule.rollout),
        "expire_time": timestamp(rule.expires_at_us).ToJsonString() if rule.expires_at_us else "",
        "on_error": rule.on_error.name,
        "examples": "; ".join(one.name for one in rule.examples),
    }


def _microseconds(message: rule_pb2.Rule | rule_pb2.Snooze, field: str) -> int:
    if not message.HasField(field):  # type: ignore[arg-type]  # both have the field asked for
        return 0
    at = getattr(message, field)
    return int(at.seconds * SECOND_US + at.nanos // 1_000)
