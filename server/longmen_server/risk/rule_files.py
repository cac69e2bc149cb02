"""Rules as files: TOML that a risk officer can read and write, and keep under version control."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from longmen.risk.v1 import outcome_pb2, rule_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RuleFileError", "read_rules", "write_rules"]

_NEEDED: Final = ("id", "when", "outcome", "reason", "notice", "owner", "intent")
_KEYS: Final = frozenset({*_NEEDED, "kinds", "mode", "rollout", "expires", "on_error", "examples"})
_OUTCOME_KEYS: Final = frozenset({"kind", "factors", "seconds", "scope", "target", "revocable"})


class RuleFileError(ValueError):
    """A file is not rules; the message says where."""


def read_rules(text: str) -> list[rule_pb2.Rule]:
    """Return the rules of a file.

    Raises:
        RuleFileError: it is no TOML, or a key is unknown, missing or of the wrong type.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleFileError(str(error)) from error
    entries = document.get("rule", [])
    if not isinstance(entries, list) or not entries:
        raise RuleFileError("rules stand under [[rule]]")
    rules = []
    for number, entry in enumerate(entries, start=1):
        name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"{number}"
        try:
            rules.append(_rule(entry))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise RuleFileError(f"rule {name}: {error}") from error
    return rules


def _rule(entry: Mapping[str, Any]) -> rule_pb2.Rule:
    _check_keys(entry, _KEYS)
    missing = [key for key in _NEEDED if key not in entry]
    if missing:
        raise ValueError(f"{' and '.join(missing)} missing")
    rule = rule_pb2.Rule(
        rule_id=entry["id"],
        expression=entry["when"].strip(),
        outcome=_outcome(entry["outcome"]),
        reason_code=entry["reason"],
        notice=entry["notice"],
        owner=entry["owner"],
        intent=" ".join(entry["intent"].split()),
        kinds=entry.get("kinds", ()),
        mode=_value(rule_pb2.RuleMode, "RULE_MODE_", entry.get("mode", "active")),
        on_error=_value(rule_pb2.OnError, "ON_ERROR_", entry.get("on_error", "decline")),
        examples=[_example(one) for one in entry.get("examples", ())],
    )
    if "rollout" in entry:
        rule.rollout_basis_points = entry["rollout"]
    if "expires" in entry:
        at = entry["expires"]
        if not isinstance(at, datetime) or at.tzinfo is None:
            raise ValueError("expires is a time with its zone, such as 2027-01-31T00:00:00Z")
        rule.expire_time.FromDatetime(at)
    return rule


def _outcome(entry: Mapping[str, Any]) -> outcome_pb2.Outcome:
    _check_keys(entry, _OUTCOME_KEYS)
    kind = _value(outcome_pb2.OutcomeKind, "OUTCOME_KIND_", entry["kind"])
    outcome = outcome_pb2.Outcome(kind=kind, revocable=entry.get("revocable", True))
    if "factors" in entry:
        outcome.strength = entry["factors"]
    elif "seconds" in entry:
        outcome.strength = entry["seconds"]
    elif "scope" in entry:
        outcome.strength = _value(outcome_pb2.FreezeScope, "FREEZE_SCOPE_", entry["scope"])
    if "target" in entry:
        outcome.target = _value(outcome_pb2.FreezeTarget, "FREEZE_TARGET_", entry["target"])
    return outcome


def _example(entry: Mapping[str, Any]) -> rule_pb2.RuleExample:
    values = dict(entry)
    name, fires = values.pop("name"), values.pop("fires")
    if not isinstance(fires, bool):
        raise TypeError("fires is true or false")
    return rule_pb2.RuleExample(
        name=name,
        fires=fires,
        values=[rule_pb2.FeatureText(feature=key, value=_text(v)) for key, v in values.items()],
    )


def _text(value: Any) -> str:
    """Return a value as the contract has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.12f}".rstrip("0").rstrip(".")
    return str(value)


def _value(enum: Any, prefix: str, word: str) -> Any:
    """Return an enum's value by its name without prefix, in either case."""
    name = prefix + word.upper()
    if name not in enum.keys() or not enum.Value(name):  # noqa: SIM118  # an enum, not a dict
        known = ", ".join(key.removeprefix(prefix).lower() for key in enum.keys()[1:])
        raise ValueError(f"{word} is none of {known}")
    return enum.Value(name)


def _check_keys(entry: Mapping[str, Any], known: frozenset[str]) -> None:
    if not isinstance(entry, dict):
        raise TypeError("a table is expected")
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; there is {', '.join(sorted(known))}")


def write_rules(rules: Iterable[rule_pb2.Rule]) -> str:
    """Return rules as a file that :func:`read_rules` reads back as the same."""
    return "\n".join(_written(rule) for rule in rules)


def _written(rule: rule_pb2.Rule) -> str:
    lines = [
        "[[rule]]",
        f"id = {_quoted(rule.rule_id)}",
        f"owner = {_quoted(rule.owner)}",
        f"intent = {_quoted(rule.intent)}",
    ]
    if rule.kinds:
        lines.append(f"kinds = [{', '.join(map(_quoted, rule.kinds))}]")
    lines += [
        f"when = {_quoted(rule.expression)}",
        f"outcome = {_written_outcome(rule.outcome)}",
        f"reason = {_quoted(rule.reason_code)}",
        f"notice = {_quoted(rule.notice)}",
    ]
    if rule.mode not in {rule_pb2.RULE_MODE_UNSPECIFIED, rule_pb2.RULE_MODE_ACTIVE}:
        mode = rule_pb2.RuleMode.Name(rule.mode).removeprefix("RULE_MODE_").lower()
        lines.append(f"mode = {_quoted(mode)}")
    if rule.HasField("rollout_basis_points") and rule.rollout_basis_points != 10_000:
        lines.append(f"rollout = {rule.rollout_basis_points}")
    if rule.HasField("expire_time"):
        lines.append(f"expires = {rule.expire_time.ToJsonString()}")
    if rule.on_error not in {rule_pb2.ON_ERROR_UNSPECIFIED, rule_pb2.ON_ERROR_DECLINE}:
        word = rule_pb2.OnError.Name(rule.on_error).removeprefix("ON_ERROR_").lower()
        lines.append(f"on_error = {_quoted(word)}")
    if rule.examples:
        lines.append("examples = [")
        lines += [f"  {_written_example(one)}," for one in rule.examples]
        lines.append("]")
    return "\n".join(lines) + "\n"


def _written_outcome(outcome: outcome_pb2.Outcome) -> str:
    kind = outcome_pb2.OutcomeKind.Name(outcome.kind).removeprefix("OUTCOME_KIND_")
    parts = [f"kind = {_quoted(kind.lower())}"]
    if kind == "STEP_UP":
        parts.append(f"factors = {outcome.strength}")
    elif kind == "DELAY":
        parts.append(f"seconds = {outcome.strength}")
    elif kind == "FREEZE":
        scope = outcome_pb2.FreezeScope.Name(outcome.strength)  # type: ignore[arg-type]
        target = outcome_pb2.FreezeTarget.Name(outcome.target or outcome_pb2.FREEZE_TARGET_PAYER)
        parts.append(f"scope = {_quoted(scope.removeprefix('FREEZE_SCOPE_').lower())}")
        parts.append(f"target = {_quoted(target.removeprefix('FREEZE_TARGET_').lower())}")
    if not outcome.revocable:
        parts.append("revocable = false")
    return f"{{ {', '.join(parts)} }}"


def _written_example(example: rule_pb2.RuleExample) -> str:
    parts = [f"name = {_quoted(example.name)}", f"fires = {'true' if example.fires else 'false'}"]
    parts += [f"{one.feature} = {_quoted(one.value)}" for one in example.values]
    return f"{{ {', '.join(parts)} }}"


def _quoted(text: str) -> str:
    """Return a text as a TOML string on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)
    return f'"{shown}"'
