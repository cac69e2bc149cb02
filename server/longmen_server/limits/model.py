"""The rules of limits: what is counted where, what a cap is, and what a refusal says of it. Pure.

Amounts are counted in one currency, the base, so that neither another currency nor another pocket
of the same customer gives a cap anew; what an amount of another currency is in the base says the
pack of identification in force, and it is rounded up. Days and years are those of the institution's
calendar, not the last 24 hours: a day is a number such as 20261122.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    import datetime as dt

    from longmen_server.platform.ids import AccountId, CustomerId, TransactionId

__all__ = [
    "ACCOUNT_TYPES",
    "AccountFacts",
    "AccountTypeRow",
    "Cap",
    "CounterKey",
    "CounterRow",
    "EntryRow",
    "Lift",
    "OwnKey",
    "OwnRow",
    "Period",
    "Track",
    "day_number",
    "day_text",
    "mask_of",
    "tracks_in",
    "year_of",
]

ACCOUNT_TYPES: Final = range(1, 4)
"""Types of bank settlement accounts, as numbers: I, II and III."""


class Track(IntEnum):
    """What is summed up apart; the numbers are stored."""

    SPEND = 1
    """Payments and transfers to others."""
    WITHDRAWAL = 2
    """To the customer's own bank account."""
    EXCHANGE = 3
    """From one currency to another."""
    CODE_A = 4
    """Paid by code, approved with two factors, a signature by a key among them."""
    CODE_B = 5
    """Paid by code, approved with two factors without one; the payer's device is the first."""
    CODE_C = 6
    """Paid by code with the payer's device alone."""
    CODE_D = 7
    """Paid by a printed code, whatever approved it."""
    FREE = 8
    """Bought without approval of its own."""
    ACCOUNT = 9
    """Payments and transfers from one account of a type; counted by account, not by customer."""


def mask_of(*tracks: int) -> int:
    """Return tracks as bits."""
    mask = 0
    for track in tracks:
        mask |= 1 << track
    return mask


_TRACKS: Final = tuple(Track)
GRADES: Final = mask_of(Track.CODE_A, Track.CODE_B, Track.CODE_C, Track.CODE_D, Track.FREE)
"""What depends on how a payment is approved."""


@cache
def tracks_in(mask: int) -> tuple[Track, ...]:
    """Return the tracks of bits; a handful of combinations occurs."""
    return tuple(track for track in _TRACKS if mask >> track & 1)


class Period(IntEnum):
    """What a cap is for; numbers as in longmen.limits.v1.LimitPeriod."""

    SINGLE = 1
    DAY = 2
    YEAR = 3


class Lift(IntEnum):
    """What gets a movement past a cap; numbers as in longmen.limits.v1.LimitLift."""

    WAIT = 1
    """Until the period is over."""
    STEP_UP = 2
    """An approval with more or better factors."""
    UPGRADE = 3
    """A better class of identification."""
    OWN_LIMIT = 4
    """The customer's own change of the cap."""
    BANK = 5
    """The bank's decision on the account."""


def day_number(day: dt.date) -> int:
    """Return a day as a number that sorts and reads like one: 20261122."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_text(day: int) -> str:
    """Return a day's number as YYYY-MM-DD."""
    return f"{day // 10_000:04}-{day // 100 % 100:02}-{day % 100:02}"


def year_of(day: int) -> int:
    """Return the year of a day's number."""
    return day // 10_000


# -- Rows.


class CounterKey(NamedTuple):
    """Whose sums they are, and of what."""

    holder_id: bytes
    """A customer; for :attr:`Track.ACCOUNT` an account."""
    track: int


@dataclass(slots=True)
class CounterRow:
    """The sums of one track in the present day and year, in minor units of the base."""

    holder_id: bytes
    track: int
    day: int
    """The day that the sums are of; a later movement begins them anew."""
    day_count: int
    """Movements that count in the day."""
    day_used: int
    day_reserved: int
    """Held and neither moved nor freed yet."""
    day_restored: int
    """Of the used: what came back by refunds."""
    year_used: int
    year_reserved: int
    year_restored: int

    def copy(self) -> CounterRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return CounterRow(
            self.holder_id,
            self.track,
            self.day,
            self.day_count,
            self.day_used,
            self.day_reserved,
            self.day_restored,
            self.year_used,
            self.year_reserved,
            self.year_restored,
        )

    def roll(self, day: int) -> None:
        """Begin another day, and another year where it is one. The sums never go back."""
        if day <= self.day:
            return
        if year_of(day) != year_of(self.day):
            self.year_used = self.year_reserved = self.year_restored = 0
        self.day_count = self.day_used = self.day_reserved = self.day_restored = 0
        self.day = day

    def spent(self, period: int, day: int, *, restores: bool) -> int:
        """Return what counts in the period that a day lies in."""
        if period == Period.DAY:
            if day > self.day:
                return 0
            sums = self.day_used, self.day_reserved, self.day_restored
        else:
            if year_of(day) > year_of(self.day):
                return 0
            sums = self.year_used, self.year_reserved, self.year_restored
        return sums[0] + sums[1] - (sums[2] if restores else 0)

    def shift(
        self, day: int, *, used: int = 0, reserved: int = 0, restored: int = 0, count: int = 0
    ) -> None:
        """Change what a movement of a day counts; of a period that is over nothing counts more."""
        if day == self.day:
            self.day_used += used
            self.day_reserved += reserved
            self.day_restored += restored
            self.day_count += count
        if year_of(day) == year_of(self.day):
            self.year_used += used
            self.year_reserved += reserved
            self.year_restored += restored


@dataclass(slots=True)
class EntryRow:
    """What one movement counts: the record that the sums are made of."""

    transaction_id: TransactionId
    customer_id: CustomerId
    account_id: AccountId
    kind: int
    tracks: int
    """Bits of the tracks that it counts on."""
    day: int
    """The day that it counts in, whenever it ends."""
    currency_code: str
    amount: int
    """As it was asked for, in its own currency."""
    base: int
    """The same in the base, rounded up."""
    used: int
    reserved: int
    restored: int
    updated_at_us: int

    def copy(self) -> EntryRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def counters(self) -> list[CounterKey]:
        """Where it counts."""
        return [
            CounterKey(self.account_id if track == Track.ACCOUNT else self.customer_id, track)
            for track in tracks_in(self.tracks)
        ]


class AccountFacts(NamedTuple):
    """What decides which caps bind an account; never changed by who reads it."""

    account_id: AccountId
    customer_id: CustomerId
    identification_class: int
    """0 for a customer without one."""
    document: int
    """Kind of the document that the customer is identified by; 0 for none."""
    account_type: int
    """1 to 3; 0 for an account without one."""


@dataclass(slots=True)
class AccountTypeRow:
    """The type that the bank gave an account."""

    account_id: AccountId
    account_type: int
    changed_at_us: int

    def copy(self) -> AccountTypeRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class OwnKey(NamedTuple):
    """Whose own cap it is, and for what."""

    customer_id: CustomerId
    period: int


@dataclass(slots=True)
class OwnRow:
    """A customer's own cap on payments and transfers."""

    customer_id: CustomerId
    period: int
    amount: int | None
    """In the base; None for no cap."""
    next_amount: int | None
    """What it is from `from_us` on."""
    from_us: int
    """0 when nothing is to change."""
    changed_at_us: int

    def copy(self) -> OwnRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    def at(self, now_us: int) -> int | None:
        """Return the cap as it is at a moment."""
        return self.next_amount if self.from_us and now_us >= self.from_us else self.amount


# -- Caps.


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One limit that binds."""

    name: str
    """As refusals and reports name it."""
    period: Period
    tracks: tuple[Track, ...]
    """What is summed up for it."""
    amount: int | None = None
    """In the base; None where only the number counts."""
    count: int | None = None
    """Movements in a day; None for any number."""
    restores: bool = False
    """Whether what comes back by refunds counts no longer."""
    lifted_by: tuple[Lift, ...]
    identification_class: int = 0
    """The class it is of; 0 for a cap that is not of a class."""
    effective_from: dt.date | None = None
    """None for a cap of the customer's own."""
    source: str = ""
    mask: int = field(init=False)
    """The tracks as bits: a movement on one of them is bound."""

    def __post_init__(self) -> None:
        """Note the bits of the tracks: every movement asks for them."""
        object.__setattr__(self, "mask", mask_of(*self.tracks))

    @property
    def by_approval(self) -> bool:
        """Whether another approval changes what it sums up."""
        return Lift.STEP_UP in self.lifted_by


def settled(base: int, amount: int, captured: int, remaining: int) -> tuple[int, int]:
    """Return what a hold counts as used and as reserved, of what it counts in all.

    Args:
        base: what the whole counts.
        amount: of the hold, in its currency.
        captured: of the amount, so far.
        remaining: of the amount: what is still held.
    """
    used = -(-base * captured // amount)
    return used, base - used if remaining else 0


def restored(base: int, paid: int, returned: int) -> int:
    """Return how much of what a payment counts came back with what was returned of it."""
    return base * min(returned, paid) // paid


# -- Refusals.


def limit_exceeded(metadata: dict[str, str]) -> Refusal:
    """Return the refusal of more than a period lets."""
    return Refusal(
        "LIMIT_EXCEEDED",
        "the movement is more than a limit leaves in its period",
        metadata=metadata,
        field="amount",
    )


def single_limit_exceeded(metadata: dict[str, str]) -> Refusal:
    """Return the refusal of one payment that is too large by itself."""
    return Refusal(
        "SINGLE_LIMIT_EXCEEDED",
        "the payment is larger than a limit lets one be",
        metadata=metadata,
        field="amount",
    )


def balance_limit_exceeded(metadata: dict[str, str]) -> Refusal:
    """Return the refusal of a balance that would be too large."""
    return Refusal(
        "BALANCE_LIMIT_EXCEEDED",
        "the receiving wallet would hold more than a limit lets it",
        metadata=metadata,
    )
