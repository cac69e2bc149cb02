"""What is wrong with rules, and what their examples say. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.limits.movement import MovementKind
from longmen_server.risk.cel import CelError, compared, names_in
from longmen_server.risk.features import CHANNELS, REGISTRY
from longmen_server.risk.model import (
    DELAY_S_MAX,
    FACTORS_MAX,
    Fault,
    FeatureType,
    FeatureValue,
    Fired,
    FreezeScope,
    Outcome,
    OutcomeKind,
)
from longmen_server.risk.notices import notices
from longmen_server.risk.rules import (
    FIRST_PAID,
    KIND,
    NEW_PAYEE,
    Example,
    Rule,
    RuleSet,
    environment,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "Found",
    "Tried",
    "ValueProblemError",
    "errors_of",
    "features_read",
    "fire_for",
    "lint",
    "parse_value",
    "scene",
    "try_examples",
]

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?\Z", re.ASCII)
_KINDS: Final = frozenset(kind.name for kind in MovementKind)
_WORDS: Final = {
    KIND: _KINDS,
    "channel": frozenset(CHANNELS.values()),
    "payer_kind": frozenset({"customer", "merchant", "account", "none"}),
    "payee_kind": frozenset({"customer", "merchant", "account", "none"}),
}
"""What features can be that are one of a few words."""
_STRENGTHS: Final = {
    OutcomeKind.STEP_UP: (1, FACTORS_MAX, "a step-up asks for 1 or 2 factors"),
    OutcomeKind.DELAY: (60, DELAY_S_MAX, f"a delay lasts 60 to {DELAY_S_MAX} seconds"),
    OutcomeKind.FREEZE: (1, len(FreezeScope), "a freeze stops only in, only out or all"),
}


class Found(NamedTuple):
    """A problem of a rule."""

    rule_id: str
    is_error: bool
    code: str
    message: str
    line: int = 0
    column: int = 0
    excerpt: str = ""


class Tried(NamedTuple):
    """What came of an example."""

    rule_id: str
    example: Example
    fired: bool
    fault: str
    """Why the rule could not be evaluated; empty otherwise."""

    @property
    def right(self) -> bool:
        """Whether it is what the example says."""
        return not self.fault and self.fired == self.example.fires


class ValueProblemError(ValueError):
    """A text is no value of a feature; the message says why."""


def parse_value(name: str, text: str) -> FeatureValue:
    """Return the value of a feature that a text stands for.

    Raises:
        ValueProblemError: there is no such feature, or the text is no value of it.
    """
    feature = REGISTRY.get(name)
    if feature is None:
        raise ValueProblemError(f"there is no feature {name}")
    if feature.type is FeatureType.BOOL and text in {"true", "false"}:
        return text == "true"
    if feature.type is FeatureType.INT and _WHOLE.match(text):
        return int(text)
    if feature.type is FeatureType.DOUBLE and _NUMBER.match(text):
        return float(text)
    if feature.type is FeatureType.STRING:
        return text
    if feature.type is FeatureType.STRINGS:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    raise ValueProblemError(f"{name} is of type {feature.type.value}, which {text!r} is not")


def _defaults() -> dict[str, FeatureValue]:
    """Return every feature with the value it has when nothing is known."""
    return {name: feature.default for name, feature in REGISTRY.items()}


def lint(rules: Sequence[Rule]) -> list[Found]:
    """Return what is wrong with rules: errors first, then warnings, each in the rules' order."""
    found = list(_together(rules))
    for rule in rules:
        found.extend(_alone(rule))
    bad = {one.rule_id for one in found if one.is_error}
    for rule in rules:
        if rule.rule_id not in bad:
            found.extend(_examples(rule))
    return sorted(found, key=lambda one: not one.is_error)


def errors_of(found: Iterable[Found]) -> list[Found]:
    """Return what has to be mended before rules are saved."""
    return [one for one in found if one.is_error]


def try_examples(rules: Iterable[Rule]) -> list[Tried]:
    """Return what comes of every example; the rules have no errors."""
    return [_try(rule, example) for rule in rules for example in rule.examples]


def _together(rules: Sequence[Rule]) -> Iterator[Found]:
    """What is wrong between rules."""
    seen: set[str] = set()
    same: dict[tuple[str, frozenset[str]], str] = {}
    for rule in rules:
        if rule.rule_id in seen:
            yield Found(rule.rule_id, True, "DUPLICATE", "two rules have this id")
        seen.add(rule.rule_id)
        what = ("".join(rule.expression.split()), rule.kinds)
        other = same.setdefault(what, rule.rule_id)
        if other != rule.rule_id:
            yield Found(rule.rule_id, False, "SAME_AS", f"it looks at the same as {other}")


def _alone(rule: Rule) -> Iterator[Found]:
    """What is wrong with a rule by itself."""
    for problem in environment().problems(rule.expression):
        yield Found(
            rule.rule_id,
            True,
            problem.code,
            problem.message,
            problem.line,
            problem.column,
            problem.excerpt,
        )
    yield from _never(rule)
    for kind in sorted(rule.kinds - _KINDS):
        known = ", ".join(sorted(_KINDS))
        yield Found(rule.rule_id, True, "UNKNOWN_KIND", f"{kind} is none of {known}")
    if rule.notice not in notices():
        known = ", ".join(sorted(notices()))
        yield Found(rule.rule_id, True, "UNKNOWN_NOTICE", f"{rule.notice} is none of {known}")
    wrong = _outcome_problem(rule.outcome)
    if wrong:
        yield Found(rule.rule_id, True, "OUTCOME", wrong)
    for example in rule.examples:
        for name, text in example.values:
            try:
                parse_value(name, text)
            except ValueProblemError as error:
                yield Found(rule.rule_id, True, "EXAMPLE", f"{example.name}: {error}")
    if not any(example.fires for example in rule.examples):
        yield Found(rule.rule_id, False, "NO_EXAMPLE", "no example shows what it fires for")


def _never(rule: Rule) -> Iterator[Found]:
    """Comparisons with words that a feature never is."""
    for name, value, where in compared(rule.expression):
        if value not in _WORDS.get(name, {value}):
            known = ", ".join(sorted(_WORDS[name]))
            message = f"{name} is never {value}: it is one of {known}"
            yield Found(
                rule.rule_id, False, where.code, message, where.line, where.column, where.excerpt
            )


def _outcome_problem(outcome: Outcome) -> str:
    least, most, message = _STRENGTHS.get(
        outcome.kind, (0, 0, f"{outcome.kind.name} has no strength")
    )
    return "" if least <= outcome.strength <= most else message


def _examples(rule: Rule) -> Iterator[Found]:
    for tried in try_examples([rule]):
        if not tried.right:
            does = tried.fault or ("it fires" if tried.fired else "it does not fire")
            yield Found(rule.rule_id, False, "EXAMPLE_FAILS", f"{tried.example.name}: {does}")


def _try(rule: Rule, example: Example) -> Tried:
    values = scene(rule, dict(example.values))
    if rule.kinds and values[KIND] not in rule.kinds:
        return Tried(rule.rule_id, example, False, "")
    condition = environment().condition(rule.expression)
    data = {name: values[name] for name in condition.names}
    try:
        return Tried(rule.rule_id, example, condition.holds(environment().activation(data)), "")
    except CelError as error:
        return Tried(rule.rule_id, example, False, str(error))


def scene(rule: Rule | None, texts: Mapping[str, str]) -> dict[str, FeatureValue]:
    """Return all features: those given, a kind that the rule looks at, and defaults.

    Raises:
        ValueProblemError: a text is no value of its feature.
    """
    kind = min(rule.kinds) if rule is not None and rule.kinds else MovementKind.TRANSFER.name
    values = {**_defaults(), KIND: kind, FIRST_PAID: kind == NEW_PAYEE}
    values.update((name, parse_value(name, text)) for name, text in texts.items())
    return values


def fire_for(
    rules: Sequence[Rule], texts: Mapping[str, str], *, now_us: int
) -> tuple[Sequence[Fired], Sequence[Fault]]:
    """Return what fires for a movement of which some features are given, for nobody's payer.

    Raises:
        ValueProblemError: a text is no value of its feature.
    """
    tried = RuleSet(rules, version=0, digest=bytes(32))
    return tried.fire(scene(None, texts), now_us=now_us, key=bytes(16))


def features_read(rule: Rule) -> list[str]:
    """Return the features that a rule reads, in the order of the registry."""
    names = names_in(rule.expression)
    return [name for name in REGISTRY if name in names]
