"""The scorecard: points for how much a payment looks like fraud, each of them explained.

A card is a list of terms, and a term gives points for one feature of a movement. The points of all
terms and the base add up to the score: ten times the natural logarithm of the odds of fraud, so
that seven points more are twice the odds. Nothing is learned while serving: weights are dated data,
made beforehand by a program whose output can be made again (`make risk-train`).
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from longmen_server.limits.movement import MovementKind
from longmen_server.risk.features import CHANNELS, REGISTRY
from longmen_server.risk.model import ALLOW, FeatureType, FreezeScope, Outcome, OutcomeKind, Scored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from longmen_server.risk.model import FeatureValue

__all__ = ["BASE", "Band", "Condition", "Scorecard", "ScorecardError", "Term", "read", "shipped"]

FILE: Final = "scorecard.toml"
BASE: Final = "base"
"""Name, among contributions, of what every movement begins with."""
TERMS_MAX: Final = 64
"""Most terms of a card: what can be read by people, and computed in microseconds."""
POINTS_MAX: Final = 1_000.0
"""Most points of a term, up or down."""
BANDS_MAX: Final = 16
STEP_S_MAX: Final = 30 * 86_400
"""Longest delay that a band may ask for, in seconds."""

PART: Final = "part"
"""Points for each unit of the feature between `low` and `high`."""
ABOVE: Final = "above"
"""Points if the feature is above `low`."""
FORMS: Final = frozenset({PART, ABOVE})

_BROKEN: Final = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What a text of anybody's raises on its way to a card: words where tables belong, numbers beyond
all bounds, lists in lists in lists."""

NUMBERS: Final = frozenset({FeatureType.BOOL, FeatureType.INT, FeatureType.DOUBLE})
STRENGTHS: Final = {
    OutcomeKind.STEP_UP: range(1, 3),
    OutcomeKind.DELAY: range(1, STEP_S_MAX + 1),
    OutcomeKind.FREEZE: range(min(FreezeScope), max(FreezeScope) + 1),
}
"""What the strength of an outcome may be; 0 for all others."""


class ScorecardError(Exception):
    """A card makes no sense; the message says where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold beside: a feature above a number."""

    feature: str
    above: float

    def holds(self, values: Mapping[str, FeatureValue]) -> bool:
        """Whether it holds; a feature that is not there is 0."""
        return _number(values, self.feature) > self.above


@dataclass(frozen=True, slots=True)
class Term:
    """Points for one feature."""

    feature: str
    form: str
    low: float
    high: float
    """Of :data:`PART` only; beyond it the feature gives no more points."""
    points: float
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """What is done from some points on."""

    points: float
    outcome: Outcome
    reason: str
    """Customer-safe code."""
    when: tuple[Condition, ...] = ()
    """All of which have to hold."""


class Scorecard:
    """A card, ready to score."""

    def __init__(
        self,
        *,
        content: bytes,
        version: int,
        effective_from: date,
        kinds: frozenset[str],
        channels: frozenset[str],
        base: float,
        terms: Iterable[Term],
        bands: Iterable[Band],
    ) -> None:
        """Take what has been checked; see :func:`read`."""
        self.content = content
        self.version = version
        self.digest = sha256(content).digest()
        self.effective_from = effective_from
        self.kinds = kinds
        """Movements that are scored; all others have no points."""
        self.channels = channels
        """Whose movements the bands decide about; others are scored only."""
        self.base = base
        self.terms = tuple(terms)
        self.bands = tuple(sorted(bands, key=_strictness, reverse=True))
        names = dict.fromkeys(term.feature for term in self.terms)
        self._parts = tuple(
            (
                name,
                tuple(
                    (term.form == ABOVE, term.low, term.high, term.points, term.when)
                    for term in self.terms
                    if term.feature == name
                ),
            )
            for name in names
        )
        others = {term.when.feature for term in self.terms if term.when is not None}
        others |= {when.feature for band in self.bands for when in band.when}
        self.features = frozenset({"kind", "channel", *names, *others})
        """Names of the features it reads."""

    def score(self, values: Mapping[str, FeatureValue]) -> Scored:
        """Return the points of a movement with what each feature contributes.

        It never raises: what is missing or no number counts as 0. Features that contribute nothing
        are not named.
        """
        if values.get("kind") not in self.kinds:
            return UNSCORED
        points = self.base
        contributions = [(BASE, self.base)]
        for name, terms in self._parts:
            value = values.get(name, 0)
            if value.__class__ is not int and not (value.__class__ is float and isfinite(value)):
                value = _number(values, name)
            given = 0.0
            for is_above, low, high, each, when in terms:
                if value <= low or (when is not None and not when.holds(values)):
                    continue
                given += each if is_above else (min(value, high) - low) * each
            if given:
                points += given
                contributions.append((name, given))
        outcome, reason = ALLOW, ""
        if values.get("channel") in self.channels:
            for band in self.bands:
                if points >= band.points and all(when.holds(values) for when in band.when):
                    outcome, reason = band.outcome, band.reason
                    break
        return Scored(points, tuple(contributions), outcome, reason)


UNSCORED: Final = Scored(0.0, (), ALLOW, "")
"""What movements get that the card is not about."""


def _number(values: Mapping[str, FeatureValue], name: str) -> float:
    value = values.get(name, 0)
    if isinstance(value, (int, float)) and math.isfinite(value):
        return value
    return 0


def _strictness(band: Band) -> tuple[Outcome, float]:
    return band.outcome, band.points


@cache
def shipped() -> Scorecard:
    """Return the card that comes with the server."""
    return read(resources.files(__package__).joinpath(FILE).read_bytes())


def read(content: bytes, version: int = 0) -> Scorecard:
    """Read a card.

    Args:
        content: TOML, as the shipped file explains itself.
        version: number in its book; 0 for the card as shipped.

    Raises:
        ScorecardError: no TOML, a feature that there is not, a word or number out of bounds.
    """
    try:
        document = tomllib.loads(content.decode())
        if not document["source"]:
            raise ScorecardError("a card names its source")
        if type(document["effective_from"]) is not date:
            raise ScorecardError("effective_from is a day")
        terms = [_term(entry) for entry in document["term"]]
        bands = [_band(entry) for entry in document["band"]]
        if not 0 < len(terms) <= TERMS_MAX or len(bands) > BANDS_MAX:
            raise ScorecardError(f"a card has up to {TERMS_MAX} terms and {BANDS_MAX} bands")
        return Scorecard(
            content=content,
            version=version,
            effective_from=document["effective_from"],
            kinds=_words(document["kinds"], MovementKind.__members__, "kinds"),
            channels=_words(document["channels"], CHANNELS.values(), "channels"),
            base=_points(document["base"]),
            terms=terms,
            bands=bands,
        )
    except _BROKEN as error:
        raise ScorecardError(f"{type(error).__name__}: {error}") from error


def _term(entry: dict[str, Any]) -> Term:
    form = entry["form"]
    if form not in FORMS:
        raise ScorecardError(f"form = {form!r}: choose one of {', '.join(sorted(FORMS))}")
    low = _finite(entry["low"], "low")
    high = _finite(entry["high"], "high") if form == PART else low
    if form == PART and high <= low:
        raise ScorecardError(f"{entry['feature']}: high is above low")
    feature = _feature(entry["feature"])
    when = entry.get("when")
    condition = None if when is None else _condition(when)
    return Term(feature, form, low, high, _points(entry["points"]), condition)


def _band(entry: dict[str, Any]) -> Band:
    kind = OutcomeKind.__members__.get(entry["outcome"])
    if kind is None or kind == OutcomeKind.ALLOW:
        raise ScorecardError(f"outcome = {entry['outcome']!r}: no outcome to ask for")
    strength = entry.get("strength", 0)
    if strength not in STRENGTHS.get(kind, range(1)):
        raise ScorecardError(f"strength = {strength!r}: not one of {kind.name}")
    reason = entry["reason"]
    if not (0 < len(reason) <= 40 and reason.replace("_", "").isalpha() and reason.isupper()):
        raise ScorecardError(f"reason = {reason!r}: capitals and underscores, up to 40")
    points = _finite(entry["points"], "points")
    conditions = tuple(_condition(when) for when in entry.get("when", ()))
    return Band(points, Outcome(kind, strength), reason, conditions)


def _condition(when: dict[str, Any]) -> Condition:
    return Condition(_feature(when["feature"]), _finite(when["above"], "above"))


def _feature(name: str) -> str:
    feature = REGISTRY.get(name)
    if feature is None or feature.type not in NUMBERS:
        raise ScorecardError(f"feature = {name!r}: there is no such number")
    return name


def _points(value: Any) -> float:
    points = _finite(value, "points")
    if abs(points) > POINTS_MAX:
        raise ScorecardError(f"points = {points}: more than {POINTS_MAX:g}")
    return points


def _finite(value: Any, name: str) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise ScorecardError(f"{name} = {value!r}: not a number")
    return float(value)


def _words(given: Any, known: Iterable[str], name: str) -> frozenset[str]:
    words = frozenset(given)
    if not words or not words <= frozenset(known):
        raise ScorecardError(f"{name} = {given!r}: choose of {', '.join(known)}")
    return words
