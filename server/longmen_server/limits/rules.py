"""Which caps bind a movement, and what they leave: the arithmetic behind enforcing and explaining.

Everything here is pure and knows no working set: enforcing and explaining give it the same rows and
get the same findings.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.challenges.model import NOTHING, Decision
from longmen_server.factors.model import FactorKind, bit, bits
from longmen_server.kyc.packs import load_packs as load_classes
from longmen_server.limits.model import (
    Cap,
    CounterKey,
    Lift,
    Period,
    Track,
    day_number,
    limit_exceeded,
    mask_of,
    single_limit_exceeded,
)
from longmen_server.limits.movement import MovementKind
from longmen_server.limits.packs import load_packs
from longmen_server.platform.clock import DEFAULT_ZONE, business_date, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from zoneinfo import ZoneInfo

    from longmen_server.kyc.model import ClassRules, Pack
    from longmen_server.limits.model import AccountFacts, CounterRow, OwnRow
    from longmen_server.limits.movement import Movement
    from longmen_server.limits.packs import LimitPack
    from longmen_server.platform.refusal import Refusal

__all__ = [
    "BASE_CURRENCY",
    "Finding",
    "Today",
    "Way",
    "base_amount",
    "binding_caps",
    "findings",
    "resets_at_us",
    "shown",
    "today_of",
    "told",
    "ways_of",
]

BASE_CURRENCY: Final = load_classes().packs[-1].currency
"""What is counted in: the currency of the packs of classes, which all have the same."""
ZONE: Final = DEFAULT_ZONE
"""The institution's: its days and years begin at midnight there."""

_B: Final = Decision(
    1,
    bits((FactorKind.PAYMENT_PIN, FactorKind.TOTP, FactorKind.PASSKEY, FactorKind.MESSAGE_CODE)),
)
_A: Final = Decision(2, bit(FactorKind.PASSKEY))
_CODES: Final = frozenset(
    {
        MovementKind.PAYMENT,
        MovementKind.STATIC_CODE_PAYMENT,
        MovementKind.PAYER_CODE_PAYMENT,
    }
)


class Today(NamedTuple):
    """What is in force on one day of the institution."""

    day: int
    date: dt.date
    packs: Mapping[str, LimitPack]


@lru_cache(maxsize=64)
def today_of(now_us: int) -> Today:
    """Return the day of a moment, and the packs in force; a batch asks for one moment only."""
    day = business_date(now_us, ZONE)
    return _in_force(day)


@lru_cache(maxsize=8)
def _in_force(day: dt.date) -> Today:
    return Today(day_number(day), day, load_packs().at(day))


def resets_at_us(period: int, day: int, zone: ZoneInfo = ZONE) -> int | None:
    """Return when a period that a day lies in is over, in microseconds; None for none."""
    if period == Period.SINGLE:
        return None
    year, month, number = day // 10_000, day // 100 % 100, day % 100
    if period == Period.YEAR:
        ends = dt.datetime(year + 1, 1, 1, tzinfo=zone)
    else:
        following = dt.date(year, month, number) + dt.timedelta(days=1)
        ends = dt.datetime.combine(following, dt.time(), tzinfo=zone)
    return to_microseconds(ends)


def base_amount(pack: Pack, amount: int, currency_code: str) -> int | None:
    """Return an amount in the base, rounded up; None in a currency that the pack does not know."""
    if currency_code == pack.currency:
        return amount
    rate = pack.equivalents.get(currency_code)
    return -(-amount * 100 // rate) if rate else None


# -- Ways to make a movement.


class Way(NamedTuple):
    """How a movement can be made: what it counts on, and what has to approve it."""

    mask: int
    demand: Decision


_SPEND: Final = mask_of(Track.SPEND)
_PLAIN: Final[Mapping[MovementKind, int]] = {
    MovementKind.WITHDRAWAL: mask_of(Track.WITHDRAWAL),
    MovementKind.CONVERSION: mask_of(Track.EXCHANGE),
    MovementKind.TRANSFER: _SPEND,
    MovementKind.PAYMENT_ABROAD: _SPEND,
    MovementKind.MANDATE_CHARGE: _SPEND,
}
_FREE_C: Final = Way(mask_of(Track.SPEND, Track.CODE_C, Track.FREE), NOTHING)
_BY_CODE: Final = (
    _FREE_C,
    Way(mask_of(Track.SPEND, Track.CODE_B), _B),
    Way(mask_of(Track.SPEND, Track.CODE_A), _A),
)
_STATIC: Final = (
    Way(mask_of(Track.SPEND, Track.CODE_D, Track.FREE), NOTHING),
    Way(mask_of(Track.SPEND, Track.CODE_D), _B),
)


def ways_of(movement: Movement) -> tuple[Way, ...]:
    """Return the ways a movement can be made, the one that asks least of the customer first.

    What is approved already has one way left; of who is asked by nobody the bank answers for.
    """
    kind, asker = movement.kind, movement.asker
    if kind not in _CODES:
        mask = _PLAIN.get(kind)
        if mask is None or (movement.is_own and kind == MovementKind.TRANSFER):
            return ()
        return (Way(mask, NOTHING),)
    asked = asker.in_session or kind == MovementKind.PAYER_CODE_PAYMENT
    if kind == MovementKind.STATIC_CODE_PAYMENT:
        if asker.approved is None and asked:
            return _STATIC
        return (Way(_STATIC[1].mask, NOTHING),)
    if asked and asker.approved is None:
        return _BY_CODE
    mask = _SPEND
    if asked and asker.approved is not None:
        mask = _BY_CODE[2 if asker.approved & bit(FactorKind.PASSKEY) else 1].mask
    return (Way(mask, NOTHING),)


# -- Caps.

_CLASS_TRACKS: Final = (Track.SPEND,)
_CACHE_MAX: Final = 4096
_cache: dict[tuple[int, ...], tuple[Pack, tuple[Cap, ...]]] = {}


def binding_caps(
    today: Today, pack: Pack, facts: AccountFacts, own: Iterable[OwnRow] = (), now_us: int = 0
) -> tuple[Cap, ...]:
    """Return every cap that binds an account, in the order in which they are asked.

    What does not depend on the customer alone is remembered: few kinds of customers are there.
    """
    key = (
        today.day,
        id(pack),
        facts.identification_class,
        facts.document,
        facts.account_type,
    )
    found = _cache.get(key)
    if found is None or found[0] is not pack:
        if len(_cache) >= _CACHE_MAX:
            _cache.clear()
        found = _cache[key] = pack, tuple(_caps(today, pack, facts))
    mine = [_own_cap(row, amount) for row in own if (amount := row.at(now_us)) is not None]
    return (*mine, *found[1]) if mine else found[1]


def _caps(today: Today, pack: Pack, facts: AccountFacts) -> Iterable[Cap]:
    """Caps on single movements first: that one is too large is told before what is left."""
    caps = list(_class_caps(pack, pack.classes.get(facts.identification_class)))
    for limits in today.packs.values():
        if limits.binds(facts.identification_class, facts.document):
            caps += [
                _in_base(pack, limits, packed.cap)
                for packed in limits.caps
                if packed.account_type in {0, facts.account_type}
            ]
    return sorted(caps, key=lambda cap: (cap.period != Period.SINGLE, cap.period))


def _class_caps(pack: Pack, rules: ClassRules | None) -> Iterable[Cap]:
    if rules is None:
        return
    amounts = (
        (Period.SINGLE, rules.single, (Track.SPEND, Track.EXCHANGE), (Lift.UPGRADE,)),
        (Period.DAY, rules.day, _CLASS_TRACKS, (Lift.UPGRADE, Lift.WAIT)),
        (Period.YEAR, rules.year, _CLASS_TRACKS, (Lift.UPGRADE, Lift.WAIT)),
    )
    for period, amount, tracks, lifted_by in amounts:
        if amount is not None:
            yield Cap(
                name=f"CLASS_{period.name}",
                period=period,
                tracks=tracks,
                amount=amount,
                lifted_by=lifted_by,
                identification_class=rules.identification_class,
                effective_from=pack.effective_from,
                source=rules.source,
            )


def _in_base(pack: Pack, limits: LimitPack, cap: Cap) -> Cap:
    """Return a cap of a pack in the base, rounded up as amounts are: its own amount passes."""
    if cap.amount is None or limits.currency == pack.currency:
        return cap
    rate = pack.equivalents[limits.currency]
    return replace(cap, amount=-(-cap.amount * 100 // rate))


def _own_cap(row: OwnRow, amount: int) -> Cap:
    period = Period(row.period)
    return Cap(
        name=f"OWN_{period.name}",
        period=period,
        tracks=_CLASS_TRACKS,
        amount=amount,
        restores=True,
        lifted_by=(Lift.OWN_LIMIT,) if period == Period.SINGLE else (Lift.OWN_LIMIT, Lift.WAIT),
        source="set by the customer",
    )


# -- What they leave.


class Finding(NamedTuple):
    """One cap against one movement."""

    cap: Cap
    spent: int
    """In the base: what counts already. 0 for caps on single movements."""
    times: int
    """Movements of the day so far."""
    exceeded: bool

    @property
    def left(self) -> int:
        """What is left in the base; 0 where only the number counts."""
        return 0 if self.cap.amount is None else max(self.cap.amount - self.spent, 0)


def findings(
    caps: Iterable[Cap],
    mask: int,
    facts: AccountFacts,
    counter: Callable[[CounterKey], CounterRow | None],
    *,
    day: int,
    base: int | None,
    whole: int | None,
) -> Iterable[Finding]:
    """Return how caps stand against a movement, those that bind it, in their order.

    Args:
        caps: of the account.
        mask: the tracks that the movement would count on.
        facts: of the account.
        counter: finds sums.
        day: the present day.
        base: what the movement counts; None in a currency without an equivalent, of which a cap
            lets nothing pass.
        whole: what caps on single movements bind, likewise.
    """
    for cap in caps:
        if not cap.mask & mask:
            continue
        if cap.period == Period.SINGLE:
            exceeded = cap.amount is not None and (whole is None or whole > cap.amount)
            yield Finding(cap, 0, 0, exceeded)
            continue
        spent = count = 0
        for track in cap.tracks:
            holder = facts.account_id if track == Track.ACCOUNT else facts.customer_id
            row = counter(CounterKey(holder, track))
            if row is not None:
                spent += row.spent(cap.period, day, restores=cap.restores)
                count += row.day_count if row.day >= day else 0
        if cap.amount is None:
            exceeded = cap.count is not None and count >= cap.count
        else:
            exceeded = base is None or spent + base > cap.amount
        yield Finding(cap, spent, count, exceeded)


def told(finding: Finding, pack: Pack, currency_code: str, day: int) -> Refusal:
    """Return the refusal that a finding is, for whoever may know the customer's limits."""
    cap = finding.cap
    single = cap.period == Period.SINGLE
    metadata = {
        "limit": cap.name,
        "period": cap.period.name,
        "currency_code": currency_code,
        "limit_minor_units": str(shown(pack, cap.amount or 0, currency_code)),
        "lifted_by": ",".join(lift.name for lift in cap.lifted_by),
    }
    if cap.identification_class:
        metadata["identification_class"] = str(cap.identification_class)
    if single:
        return single_limit_exceeded(metadata)
    metadata["remaining_minor_units"] = str(shown(pack, finding.left, currency_code))
    metadata["resets_at"] = str(resets_at_us(cap.period, day))
    return limit_exceeded(metadata)


def shown(pack: Pack, base: int, currency_code: str) -> int:
    """Return an amount of the base in a currency, rounded down; 0 in one without an equivalent."""
    if currency_code == pack.currency:
        return base
    return base * pack.equivalents.get(currency_code, 0) // 100
