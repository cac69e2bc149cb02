"""Rules and sets of them: what fires for a movement. Pure.

A set is compiled once. Rules are evaluated in chunks: a chunk is the disjunction of its rules, and
only when that is true or errs are they looked at one by one. Most movements fire nothing, and of
most the plain comparisons in a chunk already show that none of its rules can be true
(`longmen_server.risk.prefilter`); where they do not, it costs one conversion of the features that
the rules read, and one evaluation per chunk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.limits.movement import MovementKind
from longmen_server.risk.cel import CelError, Environment
from longmen_server.risk.columns import getter
from longmen_server.risk.features import REGISTRY
from longmen_server.risk.model import ALLOW, Fault, FeatureValue, Fired, Outcome, OutcomeKind
from longmen_server.risk.prefilter import possible_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from longmen_server.risk.cel import Activation, Condition

__all__ = [
    "Example",
    "OnError",
    "Rule",
    "RuleMode",
    "RuleSet",
    "Snooze",
    "environment",
    "readings",
]

BASIS_POINTS: Final = 10_000
"""Of which everybody is made."""
CHUNK: Final = 20
"""Rules evaluated as one. Smaller chunks cost 2 us each, larger ones more when one fires."""
TRIED: Final = "~"
"""Begins the names of fired rules of the set in shadow."""
MESSAGE_MAX: Final = 200
"""Characters of a fault's message."""
PLANS_MAX: Final = 64
"""Kinds of movements remembered; there are about fifteen."""
KIND: Final = "kind"
"""The feature that says what sort of movement it is."""
TRANSFER: Final = MovementKind.TRANSFER.name
NEW_PAYEE: Final = MovementKind.NEW_PAYEE.name
"""No movement by itself: the transfer that is the first to somebody."""
FIRST_PAID: Final = "new_payee"
"""The feature that says so."""


class RuleMode(IntEnum):
    """Whether a rule counts; values of longmen.risk.v1.RuleMode."""

    OFF = 1
    """It is not evaluated."""
    SHADOW = 2
    """It is recorded when it fires and changes nothing."""
    ACTIVE = 3


class OnError(IntEnum):
    """What a rule does that cannot be evaluated; values of longmen.risk.v1.OnError."""

    DECLINE = 1
    OUTCOME = 2
    """The same as if it had fired."""
    SKIP = 3
    """Nothing but a record."""


class Snooze(NamedTuple):
    """A rule is silenced for a while: it is recorded when it fires, and does not count."""

    until_us: int
    key: bytes
    """Of the payer it is for, 16 bytes; empty for everybody."""
    reason: str


class Example(NamedTuple):
    """A movement of which it is known whether a rule fires."""

    name: str
    values: tuple[tuple[str, str], ...]
    """Features that matter, with values as text; the others have their defaults."""
    fires: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule."""

    rule_id: str
    """Lower case with underscores, at most 39 characters."""
    expression: str
    """In CEL, over the names of the feature registry."""
    outcome: Outcome
    """What happens when it fires."""
    reason: str
    """For officers: upper case with underscores."""
    notice: str
    """What the customer is told, a key of the notices."""
    owner: str
    """The team that answers for it."""
    intent: str
    """What it is there to find."""
    kinds: frozenset[str] = frozenset()
    """Of movements that it looks at; none means all."""
    mode: RuleMode = RuleMode.ACTIVE
    rollout: int = BASIS_POINTS
    """Basis points of payers it counts for; for the others it is recorded only."""
    expires_at_us: int = 0
    """From when it is not evaluated; 0 means never."""
    on_error: OnError = OnError.DECLINE
    snoozes: tuple[Snooze, ...] = ()
    examples: tuple[Example, ...] = ()

    def counts_for(self, key: bytes, now_us: int) -> bool:
        """Whether it counts for a payer, or is only recorded."""
        if self.mode != RuleMode.ACTIVE:
            return False
        if any(s.until_us > now_us and s.key in {b"", key} for s in self.snoozes):
            return False
        return self.rollout >= BASIS_POINTS or share_of(self.rule_id, key) < self.rollout

    def expired(self, now_us: int) -> bool:
        """Whether its time is over."""
        return 0 < self.expires_at_us <= now_us


def share_of(rule_id: str, key: bytes) -> int:
    """Return where a payer stands in a rule's rollout, 0 to 9999: always at the same place.

    Every rule has another order of payers, so that it is not always the same who meet new rules.
    """
    digest = hashlib.blake2b(rule_id.encode() + b"\0" + key, digest_size=8).digest()
    return int.from_bytes(digest, "big") % BASIS_POINTS


def readings(rule: Rule) -> Iterator[tuple[frozenset[str], str]]:
    """Yield what a rule evaluates, and for which kinds of movements; no kind means all.

    A rule about new payees looks at transfers, as far as they are the first to somebody.
    """
    if NEW_PAYEE not in rule.kinds or TRANSFER in rule.kinds:
        yield rule.kinds, rule.expression
        return
    others = rule.kinds - {NEW_PAYEE}
    if others:
        yield others, rule.expression
    yield frozenset({NEW_PAYEE, TRANSFER}), f"{FIRST_PAID} && (\n{rule.expression}\n)"


@cache
def environment() -> Environment:
    """Return what rules speak of: the features."""
    return Environment({name: feature.type.value for name, feature in REGISTRY.items()})


class _Entry(NamedTuple):
    """A rule of a set, compiled."""

    place: int
    """In the set."""
    name: str
    """Under which it is recorded."""
    rule: Rule
    tried: bool
    """Whether it is of the set in shadow, and never counts."""
    condition: Condition
    kinds: frozenset[str]
    """Of movements that it looks at; none means all."""
    expression: str


class _Chunk(NamedTuple):
    """Rules evaluated as one."""

    entries: tuple[_Entry, ...]
    condition: Condition


class _Plan(NamedTuple):
    """What is evaluated for a kind of movement."""

    chunks: tuple[tuple[_Chunk, Callable[[tuple[FeatureValue, ...]], bool]], ...]
    """Each with what says of the values in the order of `names` whether it can be true at all."""
    names: tuple[str, ...]
    of_values: Callable[[Mapping[str, FeatureValue]], tuple[FeatureValue, ...]]
    """Takes what they read out of the values of all features."""


class RuleSet:
    """The rules in force, and those that are tried in shadow, compiled."""

    def __init__(
        self, rules: Iterable[Rule], *, tried: Iterable[Rule] = (), version: int, digest: bytes
    ) -> None:
        """Compile the rules, in which no problem was found.

        Args:
            rules: in force.
            tried: the set in shadow: recorded, never counting.
            version: of the book's rules; 0 as shipped.
            digest: 32 bytes over the content.
        """
        self.version = version
        self.digest = digest
        self.rules = tuple(rules)
        self.tried = tuple(tried)
        self._env = environment()
        self._entries = tuple(self._compile())
        names = frozenset[str]().union(*(entry.condition.names for entry in self._entries))
        self.features = names | {KIND}
        """Names that it reads."""
        self._chunks: dict[tuple[tuple[int, str], ...], _Chunk] = {}
        self._plans: dict[str, _Plan] = {}

    def _compile(self) -> Iterable[_Entry]:
        both = [(rule, False) for rule in self.rules] + [(rule, True) for rule in self.tried]
        for place, (rule, tried) in enumerate(both):
            if rule.mode != RuleMode.OFF:
                name = TRIED + rule.rule_id if tried else rule.rule_id
                for kinds, expression in readings(rule):
                    condition = self._env.condition(expression)
                    yield _Entry(place, name, rule, tried, condition, kinds, expression)

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        """Return what fires, in the order of the set, and what could not be evaluated.

        It never raises: a rule that errs does what its policy says.

        Args:
            values: of the features.
            now_us: business time.
            key: of the payer, 16 bytes.
        """
        plan = self._plan(str(values.get(KIND, "")))
        try:
            given = plan.of_values(values)
            chunks = [chunk for chunk, possible in plan.chunks if possible(given)]
            if not chunks:
                return (), ()
            data = dict(zip(plan.names, given, strict=True))
        except (KeyError, TypeError):
            # Rules that read what is missing, or is no value, err by themselves; the others go on.
            chunks = [chunk for chunk, _ in plan.chunks]
            data = {name: values[name] for name in plan.names if name in values}
        try:
            activation = self._env.activation(data)
        except (TypeError, ValueError, RuntimeError) as error:
            told: list[tuple[int, Fired | Fault]] = [
                (entry.place, _fault(entry, str(error), key, now_us))
                for chunk, _ in plan.chunks
                for entry in chunk.entries
            ]
        else:
            told = [one for chunk in chunks for one in _told(chunk, activation, key, now_us)]
        told.sort(key=_place)
        fired = [one for _, one in told if isinstance(one, Fired)]
        return fired, [one for _, one in told if isinstance(one, Fault)]

    def features_of(self, kind: str) -> frozenset[str]:
        """Return the names that it reads for a kind of movement."""
        return frozenset(self._plan(kind).names) | {KIND}

    def _plan(self, kind: str) -> _Plan:
        plan = self._plans.get(kind)
        if plan is None:
            looking = [e for e in self._entries if not e.kinds or kind in e.kinds]
            chunks = tuple(
                self._chunk(tuple(looking[start : start + CHUNK]))
                for start in range(0, len(looking), CHUNK)
            )
            names = sorted(frozenset[str]().union(*(chunk.condition.names for chunk in chunks)))
            told = tuple((chunk, _possible(chunk, names)) for chunk in chunks)
            plan = _Plan(told, tuple(names), getter(names))
            if len(self._plans) < PLANS_MAX:
                self._plans[kind] = plan
        return plan

    def _chunk(self, entries: tuple[_Entry, ...]) -> _Chunk:
        """Return rules as one; kinds that the same rules look at share it."""
        places = tuple((entry.place, entry.expression) for entry in entries)
        chunk = self._chunks.get(places)
        if chunk is None:
            condition = self._env.any_of(entry.expression for entry in entries)
            chunk = self._chunks[places] = _Chunk(entries, condition)
        return chunk


def _told(
    chunk: _Chunk, activation: Activation, key: bytes, now_us: int
) -> Iterator[tuple[int, Fired | Fault]]:
    """Yield what rules of a chunk say, each with its place in the set."""
    try:
        if not chunk.condition.holds(activation):
            return
    except CelError:
        pass  # one of them errs: which one is found below
    for entry in chunk.entries:
        if entry.rule.expired(now_us):
            continue
        try:
            if entry.condition.holds(activation):
                yield entry.place, _fired(entry, key, now_us)
        except CelError as error:
            yield entry.place, _fault(entry, str(error), key, now_us)


def _place(told: tuple[int, Fired | Fault]) -> int:
    return told[0]


def _possible(chunk: _Chunk, names: Sequence[str]) -> Callable[[tuple[FeatureValue, ...]], bool]:
    """Return what says whether any rule of a chunk can be true."""
    return possible_of((entry.expression for entry in chunk.entries), names)


def _fired(entry: _Entry, key: bytes, now_us: int) -> Fired:
    counts = not entry.tried and entry.rule.counts_for(key, now_us)
    return Fired(entry.name, entry.rule.outcome, entry.rule.notice, not counts)


def _fault(entry: _Entry, message: str, key: bytes, now_us: int) -> Fault:
    """Return what becomes of a rule that errs: what its policy says, if it counts at all."""
    rule = entry.rule
    outcome = ALLOW
    if not entry.tried and rule.counts_for(key, now_us):
        outcome = {
            OnError.DECLINE: Outcome(OutcomeKind.DECLINE),
            OnError.OUTCOME: rule.outcome,
            OnError.SKIP: ALLOW,
        }[rule.on_error]
    return Fault(entry.name, message[:MESSAGE_MAX], outcome)
