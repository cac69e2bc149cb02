"""What risk decides in: outcomes and their order, features, what rules and scorecards are to say.

An outcome is the highest of what every rule, the scorecard and the policies for failures ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ALLOW",
    "Card",
    "Evaluation",
    "Fault",
    "Feature",
    "FeatureType",
    "FeatureValue",
    "Fired",
    "FreezeScope",
    "ListedKind",
    "Lists",
    "OnFailure",
    "Outcome",
    "OutcomeKind",
    "Rules",
    "Scored",
    "SubjectKind",
    "Target",
]

FeatureValue: TypeAlias = bool | int | float | str | tuple[str, ...]

FACTORS_MAX: Final = 2
"""Most factors that a step-up can ask for: what strong authentication means everywhere."""
DELAY_S_MAX: Final = 30 * 86_400
"""Longest delay that a rule may ask for, in seconds: a month, far below what a hold lasts."""
TEXT_MAX: Final = 200
"""Longest text of a fault that is kept."""


class OutcomeKind(IntEnum):
    """What happens to a movement; values are those of longmen.risk.v1.OutcomeKind.

    The order of the numbers is their rank: the highest wins.
    """

    ALLOW = 1
    ALLOW_WITH_NOTICE = 2
    STEP_UP = 3
    DELAY = 4
    REVIEW = 5
    DECLINE = 6
    FREEZE = 7


class FreezeScope(IntEnum):
    """What a freeze stops; values are those of longmen.risk.v1.FreezeScope."""

    ONLY_IN = 1
    ONLY_OUT = 2
    FULL = 3


class Target(IntEnum):
    """Whom a freeze freezes; values are those of longmen.risk.v1.FreezeTarget."""

    PAYER = 1
    PAYEE = 2


class Outcome(NamedTuple):
    """An outcome with all that carrying it out takes; the greater of two is the stricter one."""

    kind: OutcomeKind
    strength: int = 0
    """STEP_UP: factors needed, 1 or 2; DELAY: seconds; FREEZE: a FreezeScope; 0 for the rest."""
    target: Target = Target.PAYER
    """Of FREEZE only."""
    revocable: bool = True
    """Of FREEZE only: whether the customer may lift it by proving two factors."""


ALLOW: Final = Outcome(OutcomeKind.ALLOW)


class SubjectKind(IntEnum):
    """What velocity is kept of; the numbers are stored."""

    PARTY = 1
    """A customer with all accounts, a merchant, or an account that nobody owns."""
    DEVICE = 2
    ADDRESS = 3
    TERMINAL = 4
    PAIR = 5
    """One party paying another."""


class ListedKind(IntEnum):
    """What lists name; the numbers are stored."""

    ACCOUNT = 1
    CUSTOMER = 2
    DEVICE = 3
    MERCHANT = 4
    ADDRESS = 5
    PHONE = 6
    NAME = 7
    COUNTRY = 8


class FeatureType(StrEnum):
    """Types of features, named as in CEL."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    STRINGS = "list(string)"


class OnFailure(StrEnum):
    """What happens when a feature cannot be computed: its default stands in for it, and..."""

    DEFAULT = "default"
    """...nothing else: what it tells is of no weight by itself."""
    STEP_UP = "step_up"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that is known of a movement before it is made."""

    number: int
    """Its place in decision records, for ever: a number is never given to another feature."""
    name: str
    type: FeatureType
    unit: str
    meaning: str
    on_failure: OnFailure
    default: FeatureValue


class Fired(NamedTuple):
    """A rule that applied."""

    rule: str
    outcome: Outcome
    reason: str
    """Customer-safe code, upper case."""
    shadow: bool
    """Whether it is only being tried: it is recorded and decides nothing."""


class Fault(NamedTuple):
    """A rule or a feature that failed, and what that asks for."""

    source: str
    message: str
    outcome: Outcome


class Scored(NamedTuple):
    """What a scorecard says."""

    points: float
    contributions: tuple[tuple[str, float], ...]
    outcome: Outcome
    reason: str


class Evaluation(NamedTuple):
    """What rules and scorecard say of one movement, all in all."""

    outcome: Outcome
    reason: str
    """Customer-safe code of what decided; empty where nothing fired."""
    fired: tuple[Fired, ...]
    score: float | None
    """None where there is no scorecard."""
    contributions: tuple[tuple[str, float], ...]
    faults: tuple[Fault, ...]


class Rules(Protocol):
    """A set of rules, checked and ready."""

    @property
    def version(self) -> int:
        """Number in its book; 0 for the rules as shipped."""

    @property
    def digest(self) -> bytes:
        """32 bytes over the content."""

    @property
    def features(self) -> frozenset[str]:
        """Names of the features it reads."""

    def features_of(self, kind: str) -> frozenset[str]:
        """Return the names that it reads for a kind of movement."""

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        """Return the rules that apply and those that failed. It never raises.

        Args:
            values: of all features that it reads.
            now_us: for rules that begin, end or pause.
            key: 16 bytes of the payer, by which staged rules choose.
        """


class Lists(Protocol):
    """The lists in force, ready to be looked into."""

    def of(self, kind: ListedKind, text: str) -> tuple[str, ...]:
        """Return the names of the lists that something is on, in their order."""


class Card(Protocol):
    """A scorecard, ready."""

    @property
    def version(self) -> int:
        """Number in its book; 0 for the scorecard as shipped."""

    @property
    def digest(self) -> bytes:
        """32 bytes over the content."""

    @property
    def features(self) -> frozenset[str]:
        """Names of the features it reads."""

    def score(self, values: Mapping[str, FeatureValue]) -> Scored:
        """Return the score with what each feature contributes. It never raises."""
