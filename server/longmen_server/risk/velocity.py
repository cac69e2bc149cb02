"""How fast a subject moves money: what it did in the last minutes, hours and days, in little space.

A series keeps buckets in tiers of growing width. What happens goes to the narrowest, and is merged
into the next one as it grows older, so that a window of a minute is counted by ten seconds, one of
ten minutes by minutes, one of an hour by ten minutes, one of a day by hours, and those of seven and
thirty days by days. A window never misses anything that lies in it, and counts at most one bucket
of its own width more: whoever waits for a window to pass waits a little longer, never shorter.

A window ends where a tier does, so that it is the totals of the tiers up to its own. A tier stays
the bytes that were stored until somebody asks for it, and is packed anew only when it has changed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from longmen_server.risk.tiers import (
    AGES,
    FIRST_OF_DAYS,
    HEAD,
    LAYOUTS,
    NOTHING,
    PLACE_MAX,
    TIERS,
    TOTALS_FROM,
    WIDTHS,
    Tier,
    Totals,
    first_of,
    gathered,
    put,
)

if TYPE_CHECKING:
    from longmen_server.risk.tiers import Bucket

__all__ = ["EMPTY", "EMPTY_TALLY", "NOTHING", "TALLY_MAX", "WINDOWS", "Series", "Tally", "Totals"]

WINDOWS: Final = {
    "1m": 60,
    "10m": 600,
    "1h": 3_600,
    "24h": 86_400,
    "7d": 7 * 86_400,
    "30d": 30 * 86_400,
}
"""Windows by name, in seconds; each ends with the tier of its place."""
SPANS: Final = tuple(WINDOWS.values())
MONTH_S: Final = WINDOWS["30d"]
WAITING_MAX: Final = 12
"""Most buckets of the first tier that wait to be brought to the time."""
REACH_S: Final = PLACE_MAX * WIDTHS[0]
"""How long after the first bucket of the first tier another one can begin, in seconds."""
_WIDEST_FIRST: Final = tuple(reversed(range(TIERS)))
"""So that what leaves a tier goes at once to the one of its age, past those between."""

TALLY_MAX: Final = 24
"""How many different ones are told apart; more count as so many."""
_TAG_BYTES: Final = 4


class Series:
    """Movements of one kind. What it says never changes: adding gives another one."""

    __slots__ = ("_days", "_known", "_rolled_s", "tiers")

    def __init__(self, tiers: list[bytes | Tier | None], rolled_s: int = 0) -> None:
        self.tiers = tiers
        """From the narrowest on; those that nobody has asked for as they were stored."""
        self._known: list[Totals] = []
        self._days: list[tuple[int, int]] | None = None
        self._rolled_s = rolled_s
        """Up to when it was brought, in seconds."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left in it."""
        return not any(self.tiers)

    @property
    def count(self) -> int:
        """How many movements it holds."""
        return sum(_read(tier).totals.count for tier in self.tiers if tier is not None)

    def at(self, now_s: int) -> Series:
        """Bring the series to a time: what grew older merged, what is too old dropped.

        That changes nothing that it says, so it is done in place, once for all that ask in a batch.
        """
        if now_s <= self._rolled_s or self is EMPTY:
            return self
        tiers = self.tiers
        for index in _WIDEST_FIRST:
            tier = tiers[index]
            if tier is None:
                continue
            self._rolled_s = now_s
            edge = now_s - AGES[index]
            if isinstance(tier, Tier):
                if tier.first > edge:
                    continue
            elif first_of(tier, WIDTHS[index]) > edge:
                continue
            leaving, tiers[index] = _read(tier).until(edge)
            if index + 1 < TIERS:
                self._move(now_s, index + 1, leaving)
            self._known, self._days = [], None
        return self

    def _move(self, now_s: int, first: int, buckets: list[Bucket]) -> None:
        """Merge buckets into the tiers of their age, of which the first is given."""
        tiers = self.tiers
        if len(buckets) > 1:
            buckets = gathered(buckets, WIDTHS[first])
        for bucket in buckets:
            start, index = bucket[0], first
            while index < TIERS and start - start % WIDTHS[index] <= now_s - AGES[index]:
                index += 1
            if index < TIERS:
                tier = tiers[index]
                tiers[index] = put(None if tier is None else _read(tier), index, bucket)

    def add(self, now_s: int, amount: int) -> Series:
        """Return the series with one more movement, made now.

        What nobody asks for is not brought to the time with each: that waits for some more of them.
        """
        tier = self.tiers[0]
        if tier is not None:
            if isinstance(tier, Tier):
                number, base = tier.number, tier.base
            else:
                number, base = tier[1], first_of(tier, 0)
            if number >= WAITING_MAX or now_s - base >= REACH_S:
                self.at(now_s)
        return Series(self._with(0, now_s, amount), self._rolled_s)

    def mark(self, at_s: int, amount: int) -> Series:
        """Return the series with a movement of the past, in the bucket of its day."""
        self.at(at_s)
        return Series(self._with(FIRST_OF_DAYS, at_s, amount))

    def _with(self, index: int, at_s: int, amount: int) -> list[bytes | Tier | None]:
        tiers = self.tiers.copy()
        tier = tiers[index]
        into = None if tier is None else _read(tier)
        tiers[index] = put(into, index, (at_s, 1, amount, float(amount) * amount, amount, amount))
        return tiers

    def window(self, now_s: int, place: int) -> Totals:
        """Return what a window holds now, by its place in :data:`WINDOWS`."""
        if self is EMPTY:
            return NOTHING
        if now_s > self._rolled_s:
            self.at(now_s)
        known = self._known
        while len(known) <= place:
            index = len(known)
            before = known[-1] if known else NOTHING
            tier = self.tiers[index]
            if tier is None:
                known.append(before)
                continue
            if not isinstance(tier, Tier):
                tier = self.tiers[index] = Tier.decode(tier)
            known.append(before.and_(tier.totals))
        return known[place]

    def windows(self, now_s: int) -> list[Totals]:
        """Return what each window holds now, in the order of :data:`WINDOWS`."""
        return [self.window(now_s, place) for place in range(len(WINDOWS))]

    def days(self, now_s: int, first_s: int, last_s: int) -> int:
        """Return how many lie in the days that begin in a span of seconds, both ends included.

        What is younger than a day is in no day's bucket yet, and not counted.
        """
        self.at(now_s)
        if self._days is None:
            self._days = [
                bucket[:2]
                for tier in self.tiers[FIRST_OF_DAYS:]
                if tier is not None
                for bucket in _read(tier).buckets()
            ]
        return sum(count for start, count in self._days if first_s <= start <= last_s)

    # -- As stored.

    def encode(self) -> bytes:
        """Return the series as bytes, tier after tier."""
        return b"".join(
            [
                tier.encode() if isinstance(tier, Tier) else tier
                for tier in self.tiers
                if tier is not None
            ]
        )

    @staticmethod
    def decode(data: bytes) -> Series:
        """Return the series that was stored; the empty one of nothing.

        Raises:
            ValueError: the bytes are no series.
        """
        tiers: list[bytes | Tier | None] = [None] * TIERS
        at, before, whole = 0, -1, len(data)
        try:
            while at < whole:
                layout, number = LAYOUTS[data[at]], data[at + 1]
                end = at + HEAD + number * layout.size
                if number >= TOTALS_FROM:
                    end += layout.totals_size
                index = layout.tier
                if index <= before or not number or end > whole:
                    raise ValueError("no series")
                tiers[index] = data[at:end]
                at, before = end, index
        except (IndexError, KeyError) as error:
            raise ValueError("no series") from error
        return Series(tiers)


def _read(tier: bytes | Tier) -> Tier:
    return tier if isinstance(tier, Tier) else Tier.decode(tier)


class Tally:
    """Which different others a subject met, and when last: exact in time, up to a number of them.

    It never changes: noting gives another one. Where there are more, those met longest ago are
    forgotten first. It is kept as it is stored: the tags of all, the one met last at the end, and
    then when each was met, in seconds.
    """

    __slots__ = ("_data",)

    def __init__(self, data: bytes = b"") -> None:
        self._data = data

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left in it."""
        return not self._data

    def note(self, now_s: int, who: bytes) -> Tally:
        """Return the tally with somebody met now."""
        data = self._data
        half = len(data) // 2
        tag, now = tag_of(who), now_s.to_bytes(_TAG_BYTES, "little")
        at = _place(data, half, tag)
        if at >= 0 and at == half - _TAG_BYTES:
            # The one met last, again: most devices know one payer.
            return Tally(data[:-_TAG_BYTES] + now)
        tags, times = data[:half], data[half:]
        if at >= 0:
            end = at + _TAG_BYTES
            tags, times = tags[:at] + tags[end:], times[:at] + times[end:]
        gone = max(len(tags) - (TALLY_MAX - 1) * _TAG_BYTES, 0)
        edge = now_s - MONTH_S
        while gone < len(times) and _number(times, gone) <= edge:
            gone += _TAG_BYTES
        return Tally(b"".join((tags[gone:], tag, times[gone:], now)))

    def knows(self, now_s: int, who: bytes) -> bool:
        """Whether somebody was met in the last thirty days, as far as it is remembered."""
        data = self._data
        half = len(data) // 2
        at = _place(data, half, tag_of(who))
        return at >= 0 and _number(data, half + at) > now_s - MONTH_S

    def window(self, now_s: int, place: int) -> int:
        """Return how many different ones were met in a window, by its place in WINDOWS."""
        data = self._data
        half = len(data) // 2
        if not half:
            return 0
        edge = now_s - SPANS[place]
        return sum(map(edge.__lt__, _TIMES[half // _TAG_BYTES].unpack_from(data, half)))

    def windows(self, now_s: int) -> list[int]:
        """Return how many different ones were met in each window, in the order of WINDOWS."""
        return [self.window(now_s, place) for place in range(len(SPANS))]

    def encode(self) -> bytes:
        """Return the tally as bytes."""
        return self._data

    @staticmethod
    def decode(data: bytes) -> Tally:
        """Return the tally that was stored.

        Raises:
            ValueError: the bytes are no tally.
        """
        n, rest = divmod(len(data), 2 * _TAG_BYTES)
        if rest or n > TALLY_MAX:
            raise ValueError("no tally")
        return Tally(data)


_TIMES: Final = tuple(struct.Struct(f"<{n}I") for n in range(TALLY_MAX + 1))


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + _TAG_BYTES], "little")


def _place(data: bytes, end: int, tag: bytes) -> int:
    """Return where a tag stands before an end; -1 where it does not."""
    at = data.rfind(tag, 0, end)
    while at % _TAG_BYTES and at >= 0:
        at = data.rfind(tag, 0, at + _TAG_BYTES - 1)
    return at


def tag_of(who: bytes) -> bytes:
    """Return what somebody is told apart by: 32 bits of an id, of which 46 are random.

    Two of 24 have the same with a probability of 1 in 15 million: then they count as one.
    """
    return who[12:8:-1]


EMPTY: Final = Series([None] * TIERS)
EMPTY_TALLY: Final = Tally()
