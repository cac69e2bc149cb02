"""The features: everything that rules and scorecards can know of a movement, declared in one list.

All of them say what was before the movement. Amounts are in reference units, so that changing the
currency changes nothing: minor units of the currency of the packs of identification, by their
equivalents. A feature that fails has its default, and does what its policy says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.limits.movement import Channel, MovementKind
from longmen_server.platform.clock import DEFAULT_ZONE, from_microseconds
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, DEVICE, MERCHANT
from longmen_server.risk.model import (
    Feature,
    FeatureType,
    ListedKind,
    OnFailure,
)
from longmen_server.risk.subjects import Section
from longmen_server.risk.velocity import NOTHING, TALLY_MAX, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.risk.model import FeatureValue
    from longmen_server.risk.scene import Scene
    from longmen_server.risk.subjects import Subject
    from longmen_server.risk.velocity import Totals

__all__ = ["CHANNELS", "COMPUTE", "NUMBERS", "REGISTRY", "Counted"]

SECOND_US: Final = 1_000_000
QUARTER_US: Final = 900 * SECOND_US
DAY_S: Final = 86_400
NIGHT: Final = (23, 6)
"""Hours from when and until when it is night."""

KINDS: Final = {kind: kind.name for kind in MovementKind}
CHANNELS: Final = {Channel.CUSTOMER: "app", Channel.BANK: "bank", Channel.MERCHANT: "merchant"}


REGISTRY: Final[dict[str, Feature]] = {}
"""Features by name, in the order of their numbers."""
NUMBERS: Final[dict[int, Feature]] = {}
"""Features by number."""
COMPUTE: Final[dict[str, Callable[[Scene], FeatureValue]]] = {}
"""What computes them, by name."""
_DEFAULTS: Final[dict[FeatureType, FeatureValue]] = {
    FeatureType.BOOL: False,
    FeatureType.INT: 0,
    FeatureType.DOUBLE: 0.0,
    FeatureType.STRING: "",
    FeatureType.STRINGS: (),
}


def _declare(
    number: int,
    name: str,
    type_: FeatureType,
    unit: str,
    meaning: str,
    compute: Callable[[Scene], FeatureValue],
    *,
    on_failure: OnFailure = OnFailure.STEP_UP,
) -> None:
    assert name not in REGISTRY, "a name is given once"
    assert number not in NUMBERS, "a number is given once"
    feature = Feature(number, name, type_, unit, meaning, on_failure, _DEFAULTS[type_])
    REGISTRY[name] = NUMBERS[number] = feature
    COMPUTE[name] = compute


# -- The movement.


def _local(scene: Scene) -> tuple[int, int]:
    """Return hour and day of the week, which all zones change by quarters of an hour."""
    return _hour_and_day(scene.now_us // QUARTER_US)


@lru_cache(maxsize=16)
def _hour_and_day(quarter: int) -> tuple[int, int]:
    at = from_microseconds(quarter * QUARTER_US).astimezone(DEFAULT_ZONE)
    return at.hour, at.isoweekday()


def _night(scene: Scene) -> bool:
    hour, _ = _local(scene)
    return hour >= NIGHT[0] or hour < NIGHT[1]


def _month(scene: Scene) -> Totals | None:
    found = scene.totals("payer", Section.OUT, _MONTH)
    return None if found is None or not found.count else found


def _to_mean(scene: Scene) -> float:
    month = _month(scene)
    return scene.amount / month.mean if month is not None and month.sum else 0.0


def _over_max(scene: Scene) -> bool:
    month = _month(scene)
    return month is not None and scene.amount > month.most


def _pass_through(scene: Scene) -> float:
    came = scene.totals("payer", Section.IN, _DAY)
    went = scene.totals("payer", Section.OUT, _DAY)
    if came is None or went is None or not came.sum:
        return 0.0
    return (went.sum + scene.amount) / came.sum


def _drain(scene: Scene) -> float:
    if not scene.payer_id:
        return 0.0
    return 1.0 if scene.amount >= scene.available else scene.amount / scene.available


_DAY: Final = list(WINDOWS).index("24h")
_MONTH: Final = list(WINDOWS).index("30d")

_declare(1, "kind", FeatureType.STRING, "", "What is done.", lambda s: KINDS[s.kind])
_declare(
    2, "channel", FeatureType.STRING, "", "app, bank or merchant.", lambda s: CHANNELS[s.channel]
)
_declare(
    3,
    "amount",
    FeatureType.INT,
    "reference units",
    "What leaves the payer, or comes to the payee where nobody pays.",
    lambda s: s.amount,
    on_failure=OnFailure.DECLINE,
)
_declare(
    4,
    "amount_minor",
    FeatureType.INT,
    "minor units",
    "The amount in its own currency.",
    lambda s: s.amount_minor,
    on_failure=OnFailure.DECLINE,
)
_declare(5, "currency", FeatureType.STRING, "", "Its currency.", lambda s: s.currency_code)
_declare(
    6,
    "own_accounts",
    FeatureType.BOOL,
    "",
    "Whether the money stays with one customer.",
    lambda s: s.is_own,
)
_declare(7, "hour", FeatureType.INT, "0-23", "Hour of the bank.", lambda s: _local(s)[0])
_declare(8, "weekday", FeatureType.INT, "1-7", "Day of the week.", lambda s: _local(s)[1])
_declare(9, "night", FeatureType.BOOL, "", "Whether it is between 23 and 6 o'clock.", _night)
_declare(
    10,
    "amount_log",
    FeatureType.DOUBLE,
    "",
    "Natural logarithm of one more than the amount.",
    lambda s: math.log1p(s.amount),
)
_declare(
    11,
    "amount_to_mean",
    FeatureType.DOUBLE,
    "times",
    "The amount by the payer's mean of thirty days; 0 without a past.",
    _to_mean,
)
_declare(
    12,
    "amount_over_max",
    FeatureType.BOOL,
    "",
    "Whether it is more than the payer's largest of thirty days; false without a past.",
    _over_max,
)
_declare(
    13,
    "pass_through",
    FeatureType.DOUBLE,
    "times",
    "What the payer paid in 24 hours with this, by what the payer received in them.",
    _pass_through,
)
_declare(
    14,
    "drain",
    FeatureType.DOUBLE,
    "0-1",
    "The amount by what is available on the payer's account.",
    _drain,
)

# -- The parties.


def _age(since_us: int | None, now_us: int) -> int:
    return -1 if since_us is None else max(now_us - since_us, 0) // SECOND_US


def _new_payee(scene: Scene) -> bool:
    if scene.is_own or not scene.payer_id or not scene.payee_id:
        return False
    found = scene.totals("pair", Section.OUT, _MONTH)
    return found is None or not found.count


def _lists_of_party(scene: Scene, account_id: bytes, party: bytes, kind: str) -> tuple[str, ...]:
    lists = scene.lists
    if lists is None or not account_id:
        return ()
    found = list(lists.of(ListedKind.ACCOUNT, ACCOUNT.encode(account_id)))  # type: ignore[arg-type]
    if kind == "customer":
        found.extend(lists.of(ListedKind.CUSTOMER, CUSTOMER.encode(party)))  # type: ignore[arg-type]
    elif kind == "merchant":
        found.extend(lists.of(ListedKind.MERCHANT, MERCHANT.encode(party)))  # type: ignore[arg-type]
    return tuple(dict.fromkeys(found))


def _merchant_lists(scene: Scene) -> tuple[str, ...]:
    if scene.lists is None or not scene.merchant_id:
        return ()
    return scene.lists.of(ListedKind.MERCHANT, MERCHANT.encode(scene.merchant_id))  # type: ignore[arg-type]


def _device_lists(scene: Scene) -> tuple[str, ...]:
    if scene.lists is None or not scene.device_id:
        return ()
    return scene.lists.of(ListedKind.DEVICE, DEVICE.encode(scene.device_id))  # type: ignore[arg-type]


def _address_lists(scene: Scene) -> tuple[str, ...]:
    if scene.lists is None or not scene.address:
        return ()
    return scene.lists.of(ListedKind.ADDRESS, scene.address)


for _number, _name, _meaning, _get in (
    (20, "payer", "payer's account; -1 without one", lambda s: _age(s.payer_since_us, s.now_us)),
    (21, "payee", "payee's account; -1 without one", lambda s: _age(s.payee_since_us, s.now_us)),
):
    _declare(_number, f"{_name}_account_age", FeatureType.INT, "s", f"Age of the {_meaning}.", _get)
_declare(
    22,
    "payer_class",
    FeatureType.INT,
    "1-4",
    "Class of identification of the payer; 0 for none.",
    lambda s: s.payer_class,
)
_declare(
    23,
    "payee_class",
    FeatureType.INT,
    "1-4",
    "Class of identification of the payee; 0 for none.",
    lambda s: s.payee_class,
)
_declare(
    24,
    "payer_balance",
    FeatureType.INT,
    "reference units",
    "What is available on the payer's account.",
    lambda s: s.available,
)
_declare(
    25,
    "payer_kind",
    FeatureType.STRING,
    "",
    "customer, merchant, account (of nobody) or none.",
    lambda s: s.payer_kind,
)
_declare(26, "payee_kind", FeatureType.STRING, "", "As payer_kind.", lambda s: s.payee_kind)
_declare(
    27,
    "new_payee",
    FeatureType.BOOL,
    "",
    "Whether the payer has not paid the payee in thirty days, and it is not the payer.",
    _new_payee,
)
_declare(
    28,
    "device_age",
    FeatureType.INT,
    "s",
    "Since when the device is enrolled; -1 without one.",
    lambda s: _age(s.device_since_us, s.now_us),
)
_declare(
    29,
    "device_known",
    FeatureType.BOOL,
    "",
    "Whether it is asked for from an enrolled device.",
    lambda s: s.device_since_us is not None,
)
_declare(
    30,
    "payer_lists",
    FeatureType.STRINGS,
    "",
    "Lists that the payer is on.",
    lambda s: _lists_of_party(s, s.payer_id, s.payer_party, s.payer_kind),
    on_failure=OnFailure.DECLINE,
)
_declare(
    31,
    "payee_lists",
    FeatureType.STRINGS,
    "",
    "Lists that the payee is on.",
    lambda s: _lists_of_party(s, s.payee_id, s.payee_party, s.payee_kind),
    on_failure=OnFailure.DECLINE,
)
_declare(
    32,
    "device_lists",
    FeatureType.STRINGS,
    "",
    "Lists that the device is on.",
    _device_lists,
    on_failure=OnFailure.DECLINE,
)
_declare(
    33,
    "address_lists",
    FeatureType.STRINGS,
    "",
    "Lists that the address is on.",
    _address_lists,
    on_failure=OnFailure.DECLINE,
)
_declare(
    34,
    "merchant_lists",
    FeatureType.STRINGS,
    "",
    "Lists that the merchant is on.",
    _merchant_lists,
    on_failure=OnFailure.DECLINE,
)


# -- Velocity: every measure of every window, by one rule.


class _Measure(NamedTuple):
    name: str
    type: FeatureType
    unit: str
    meaning: str
    get: Callable[[Totals], FeatureValue]


_AMOUNT: Final = "reference units"
_MEASURES: Final = (
    _Measure("count", FeatureType.INT, "movements", "how many", attrgetter("count")),
    _Measure("sum", FeatureType.INT, _AMOUNT, "their sum", attrgetter("sum")),
    _Measure("mean", FeatureType.DOUBLE, _AMOUNT, "their mean", attrgetter("mean")),
    _Measure(
        "stddev",
        FeatureType.DOUBLE,
        _AMOUNT,
        "their standard deviation",
        attrgetter("deviation"),
    ),
    _Measure("min", FeatureType.INT, _AMOUNT, "the smallest", attrgetter("least")),
    _Measure("max", FeatureType.INT, _AMOUNT, "the largest", attrgetter("most")),
)


class _Source(NamedTuple):
    base: int
    """Number of its first feature."""
    prefix: str
    role: str
    """Attribute of the scene."""
    section: Section
    what: str
    tallies: tuple[tuple[str, Section], ...]


_SOURCES: Final = (
    _Source(
        100,
        "payer",
        "payer",
        Section.OUT,
        "movements that the payer pays",
        (("payees", Section.PAYEES), ("devices", Section.DEVICES)),
    ),
    _Source(
        200,
        "payer_received",
        "payer",
        Section.IN,
        "movements that the payer receives",
        (("payers", Section.PAYERS),),
    ),
    _Source(
        300,
        "payee",
        "payee",
        Section.IN,
        "movements that the payee receives",
        (("payers", Section.PAYERS),),
    ),
    _Source(400, "payee_sent", "payee", Section.OUT, "movements that the payee pays", ()),
    _Source(
        500,
        "device",
        "device",
        Section.OUT,
        "movements asked for from the device",
        (("payees", Section.PAYEES), ("payers", Section.PAYERS)),
    ),
    _Source(
        600,
        "address",
        "origin",
        Section.OUT,
        "movements asked for from the address",
        (("payees", Section.PAYEES), ("payers", Section.PAYERS)),
    ),
    _Source(
        700,
        "merchant",
        "merchant",
        Section.IN,
        "movements that the merchant receives",
        (("payers", Section.PAYERS),),
    ),
    _Source(
        800,
        "terminal",
        "terminal",
        Section.IN,
        "movements at the till",
        (("payers", Section.PAYERS),),
    ),
    _Source(900, "pair", "pair", Section.OUT, "movements of the payer to the payee", ()),
    _Source(
        1000,
        "payer_refused",
        "payer",
        Section.REFUSED,
        "movements of the payer that were refused or had to be approved",
        (),
    ),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A measure of a window of something that is counted."""

    role: str
    section: Section
    place: int
    get: Callable[[Totals], FeatureValue]

    def __call__(self, scene: Scene) -> FeatureValue:
        """Return it."""
        found = scene.totals(self.role, self.section, self.place)
        return self.get(NOTHING if found is None else found)


def _tally(role: str, section: Section, at: int) -> Callable[[Scene], FeatureValue]:
    def compute(scene: Scene) -> FeatureValue:
        subject: Subject | None = getattr(scene, role)
        return 0 if subject is None else subject.tally(section).window(scene.now_s, at)

    return compute


def _declare_velocity(source: _Source) -> None:
    number = source.base
    for measure in _MEASURES:
        for at, window in enumerate(WINDOWS):
            _declare(
                number,
                f"{source.prefix}_{measure.name}_{window}",
                measure.type,
                measure.unit,
                f"Of {source.what}, in the last {window}: {measure.meaning}.",
                Counted(source.role, source.section, at, measure.get),
            )
            number += 1
    for name, section in source.tallies:
        for at, window in enumerate(WINDOWS):
            _declare(
                number,
                f"{source.prefix}_{name}_{window}",
                FeatureType.INT,
                name,
                f"Of {source.what}, in the last {window}: different {name}, to {TALLY_MAX}.",
                _tally(source.role, section, at),
            )
            number += 1


for _source in _SOURCES:
    _declare_velocity(_source)


# -- Labels: what was confirmed as fraud, of days a week ago and older, since labels come late.

_LAG_DAYS: Final = 7


def _labelled(scene: Scene, role: str, days: int) -> tuple[int, int]:
    """Return how many movements to a subject were fraud in some days, and how many there were.

    Both are 0 where none ever was fraud.
    """
    subject: Subject | None = getattr(scene, role)
    if subject is None:
        return 0, 0
    confirmed = subject.series(Section.FLAGGED)
    if confirmed.is_empty:
        return 0, 0  # as at nearly every till: then it does not matter of how many it is none
    now_s = scene.now_s
    last = now_s - now_s % DAY_S - _LAG_DAYS * DAY_S
    first = last - (days - 1) * DAY_S
    flagged = confirmed.days(now_s, first, last)
    return flagged, subject.series(Section.IN).days(now_s, first, last)


def _flagged(role: str, days: int) -> Callable[[Scene], FeatureValue]:
    return lambda scene: _labelled(scene, role, days)[0]


def _share(role: str, days: int) -> Callable[[Scene], FeatureValue]:
    def compute(scene: Scene) -> float:
        flagged, count = _labelled(scene, role, days)
        return flagged / count if count else 0.0

    return compute


for _base, _role in ((1100, "terminal"), (1150, "merchant")):
    for _at, _days in enumerate((1, 7, 30)):
        _when = f"of the {_days} days that end a week ago"
        _declare(
            _base + _at,
            f"{_role}_flagged_{_days}d",
            FeatureType.INT,
            "movements",
            f"Confirmed frauds at the {_role} {_when}.",
            _flagged(_role, _days),
        )
        _declare(
            _base + 10 + _at,
            f"{_role}_flagged_share_{_days}d",
            FeatureType.DOUBLE,
            "0-1",
            f"Share of confirmed frauds at the {_role} {_when}.",
            _share(_role, _days),
        )
