"""How fast a subject moves money: what it did in the last minutes, hours and days, in little space.

A series keeps buckets of five widths. What happens goes to the narrowest, and is merged into the
next wider one as it grows older, so that a window of a minute is counted by ten seconds, one of ten
minutes by minutes, one of an hour by ten minutes, one of a day by hours, and those of seven and
thirty days by days. A window never misses anything that lies in it, and counts at most one bucket
of its own width more: whoever waits for a window to pass waits a little longer, never shorter.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["TALLY_MAX", "WINDOWS", "Series", "Tally", "Totals"]

WINDOWS: Final = {
    "1m": 60,
    "10m": 600,
    "1h": 3_600,
    "24h": 86_400,
    "7d": 7 * 86_400,
    "30d": 30 * 86_400,
}
"""Windows by name, in seconds."""

WIDTHS: Final = (10, 60, 600, 3_600, 86_400)
SPANS: Final = (60, 600, 3_600, 86_400, 38 * 86_400)
"""How old, in seconds, what a bucket of each width holds may be before it is merged into a wider
one. Days are dropped in the end: after the longest window and the week that its labels lag."""
WEEK_S: Final = 7 * 86_400
MONTH_S: Final = 30 * 86_400
_DAYS: Final = len(WIDTHS) - 1

SUM_MAX: Final = 2**63 - 1
"""Sums stay at it instead of growing beyond what a row can hold."""
SQUARES_MAX: Final = 3e38
"""Sums of squares likewise: about the largest number of four bytes."""
TALLY_MAX: Final = 24
"""How many different ones are told apart; more count as so many."""
_TAG_BYTES: Final = 4

Bucket: TypeAlias = tuple[int, int, int, float, int, int]
"""Start in seconds, count, sum, sum of squares, least and most."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a window holds."""

    count: int = 0
    sum: int = 0
    squares: float = 0.0
    least: int = 0
    most: int = 0

    @property
    def mean(self) -> float:
        """The average; 0 of nothing."""
        return self.sum / self.count if self.count else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation of all that is in the window; 0 of nothing."""
        if self.count < 2:
            return 0.0
        mean = self.sum / self.count
        # Squares are kept with seven digits, so equal amounts may come out slightly below zero.
        variance = self.squares / self.count - mean * mean
        return float(max(variance, 0.0) ** 0.5)


NOTHING: Final = Totals()


class Series:
    """Movements of one kind. What it says never changes: adding gives another one."""

    __slots__ = ("known", "rolled_s", "tiers")

    def __init__(self, tiers: tuple[tuple[Bucket, ...], ...], rolled_s: int = 0) -> None:
        self.tiers = tiers
        self.known: list[Totals] | None = None
        self.rolled_s = rolled_s
        """Up to when it was brought, in seconds."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left in it."""
        return not any(self.tiers)

    @property
    def count(self) -> int:
        """How many movements it holds."""
        return sum(bucket[1] for tier in self.tiers for bucket in tier)

    def at(self, now_s: int) -> Series:
        """Bring the series to a time: what grew older merged, what is too old dropped.

        That changes nothing that it says, so it is done in place, once for all that ask in a batch.
        """
        if now_s <= self.rolled_s or self.is_empty:
            return self
        tiers = list(self.tiers)
        for tier in range(len(WIDTHS)):
            edge = now_s - SPANS[tier] - WIDTHS[tier]
            buckets = tiers[tier]
            if not buckets or buckets[0][0] > edge:
                continue
            old = 1
            while old < len(buckets) and buckets[old][0] <= edge:
                old += 1
            if tier < _DAYS:
                tiers[tier + 1] = _merged(tiers[tier + 1], buckets[:old], WIDTHS[tier + 1])
            tiers[tier] = buckets[old:]
        self.tiers, self.known, self.rolled_s = tuple(tiers), None, now_s
        return self

    def add(self, now_s: int, amount: int) -> Series:
        """Return the series with one more movement, made now."""
        rolled = self.at(now_s)
        one = (now_s, 1, amount, float(amount) * amount, amount, amount)
        first = _merged(rolled.tiers[0], (one,), WIDTHS[0])
        return Series((first, *rolled.tiers[1:]), rolled.rolled_s)

    def mark(self, at_s: int, amount: int) -> Series:
        """Return the series with a movement of the past, in the bucket of its day."""
        one = (at_s, 1, amount, float(amount) * amount, amount, amount)
        return Series((*self.tiers[:_DAYS], _merged(self.tiers[_DAYS], (one,), WIDTHS[_DAYS])))

    def windows(self, now_s: int) -> list[Totals]:
        """Return what each window holds now, in the order of :data:`WINDOWS`."""
        if self.is_empty:
            return _EMPTY_WINDOWS
        self.at(now_s)
        if self.known is None:
            self.known = self.totals(now_s)
        return self.known

    def totals(self, now_s: int) -> list[Totals]:
        """Return what each window holds, of a series that was brought up to date."""
        found: list[Totals] = []
        running = NOTHING
        for tier in self.tiers[:_DAYS]:
            running = _total(running, tier)
            found.append(running)
        days = self.tiers[_DAYS]
        week = now_s - WEEK_S - WIDTHS[_DAYS]
        month = now_s - MONTH_S - WIDTHS[_DAYS]
        running = _total(running, [day for day in days if day[0] > week])
        found.append(running)
        found.append(_total(running, [day for day in days if month < day[0] <= week]))
        return found

    def days(self, first_s: int, last_s: int) -> Totals:
        """Return what lies in the days that begin in a span of seconds, both ends included.

        What is younger than a day is in no day's bucket yet, and not counted.
        """
        return _total(NOTHING, [d for d in self.tiers[_DAYS] if first_s <= d[0] <= last_s])

    # -- As stored.

    def encode(self) -> bytes:
        """Return the series as bytes, column by column.

        Numbers of buckets by width and the widths of the columns; of each width with buckets where
        it begins; how far each bucket is from there, its count and sum; and of buckets with more
        than one movement least, most and sum of squares, which the others have of their sum.
        """
        if self.is_empty:
            return b""
        bases: list[int] = []
        places: list[int] = []
        for width, tier in zip(WIDTHS, self.tiers, strict=True):
            if tier:
                base = tier[0][0] // width
                bases.append(base * width)
                places.extend(bucket[0] // width - base for bucket in tier)
        _, counts, sums, _, _, _ = zip(*(b for tier in self.tiers for b in tier), strict=True)
        many = [bucket for tier in self.tiers for bucket in tier if bucket[1] > 1]
        mosts = [bucket[5] for bucket in many]
        codes = [
            _code(max(places)),
            _code(max(counts)),
            _code(max(sums)),
            _code(max(mosts, default=0)),
        ]
        n, m = len(places), len(many)
        place, count, total, amount = (_CODES[code] for code in codes)
        return struct.pack(
            f"<9B{len(bases)}I{n}{place}{n}{count}{n}{total}{m}{amount}{m}{amount}{m}f",
            *map(len, self.tiers),
            *codes,
            *bases,
            *places,
            *counts,
            *sums,
            *(bucket[4] for bucket in many),
            *mosts,
            *(bucket[3] for bucket in many),
        )

    @staticmethod
    def decode(data: bytes) -> Series:
        """Return the series that was stored; the empty one of nothing.

        Raises:
            ValueError: the bytes are no series.
        """
        if not data:
            return EMPTY
        try:
            return _decode(data)
        except (IndexError, struct.error, ValueError, StopIteration) as error:
            raise ValueError("no series") from error


_HEAD: Final = 9
"""Bytes before the columns: five numbers of buckets and four widths."""


def _decode(data: bytes) -> Series:
    lengths = data[: len(WIDTHS)]
    place, count, total, amount = (_CODES[code] for code in data[len(WIDTHS) : _HEAD])
    n, bases = sum(lengths), sum(map(bool, lengths))
    first = struct.Struct(f"<{bases}I{n}{place}{n}{count}{n}{total}")
    flat = first.unpack_from(data, _HEAD)
    starts, places = iter(flat[:bases]), iter(flat[bases : bases + n])
    counts, sums = flat[bases + n : bases + 2 * n], flat[bases + 2 * n :]
    m = sum(each > 1 for each in counts)
    rest = struct.unpack(f"<{m}{amount}{m}{amount}{m}f", data[_HEAD + first.size :])
    many = zip(rest[2 * m :], rest[:m], rest[m : 2 * m], strict=True)
    numbers = iter(zip(counts, sums, strict=True))
    tiers = []
    for width, length in zip(WIDTHS, lengths, strict=True):
        base = next(starts) if length else 0
        tier: list[Bucket] = []
        for _ in range(length):
            each, money = next(numbers)
            squares, least, most = next(many) if each > 1 else (float(money) * money, money, money)
            tier.append((base + next(places) * width, each, money, squares, least, most))
        tiers.append(tuple(tier))
    return Series(tuple(tiers))


_EMPTY_WINDOWS: Final = [NOTHING] * len(WINDOWS)
_CODES: Final = "BHIQ"
_LIMITS: Final = (0xFF, 0xFFFF, 0xFFFF_FFFF)
EMPTY: Final = Series(((), (), (), (), ()))


def _code(most: int) -> int:
    """Return how wide a column has to be."""
    return next((code for code, limit in enumerate(_LIMITS) if most <= limit), len(_LIMITS))


def _merged(into: tuple[Bucket, ...], given: tuple[Bucket, ...], width: int) -> tuple[Bucket, ...]:
    """Return buckets with others merged in; both are in the order of their starts."""
    merged = list(into)
    for start, count, total, squares, least, most in given:
        aligned = start - start % width
        at = len(merged)
        while at and merged[at - 1][0] > aligned:
            at -= 1
        if at and merged[at - 1][0] == aligned:
            _, c, t, q, low, high = merged[at - 1]
            merged[at - 1] = (
                aligned,
                c + count,
                min(t + total, SUM_MAX),
                min(q + squares, SQUARES_MAX),
                min(low, least),
                max(high, most),
            )
        else:
            merged.insert(at, (aligned, count, total, min(squares, SQUARES_MAX), least, most))
    return tuple(merged)


def _total(before: Totals, buckets: tuple[Bucket, ...] | list[Bucket]) -> Totals:
    if not buckets:
        return before
    count, total, squares, least, most = (
        before.count,
        before.sum,
        before.squares,
        before.least,
        before.most,
    )
    if not count:
        least = buckets[0][4]
    for _, c, t, q, low, high in buckets:
        count += c
        total += t
        squares += q
        least = min(least, low)
        most = max(most, high)
    return Totals(count, min(total, SUM_MAX), squares, least, most)


class Tally:
    """Which different others a subject met, and when last: exact in time, up to a number of them.

    It never changes: noting gives another one. Where there are more, those met longest ago are
    forgotten first.
    """

    __slots__ = ("_seen",)

    def __init__(self, seen: dict[int, int] | None = None) -> None:
        self._seen: dict[int, int] = seen or {}
        """Seconds of the last meeting by tag, the latest last."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left in it."""
        return not self._seen

    def note(self, now_s: int, who: bytes) -> Tally:
        """Return the tally with somebody met now."""
        seen = dict(self._seen)
        tag = tag_of(who)
        seen.pop(tag, None)
        for old in [each for each, at in seen.items() if at <= now_s - MONTH_S]:
            del seen[old]
        while len(seen) >= TALLY_MAX:
            del seen[next(iter(seen))]
        seen[tag] = now_s
        return Tally(seen)

    def knows(self, now_s: int, who: bytes) -> bool:
        """Whether somebody was met in the last thirty days, as far as it is remembered."""
        return self._seen.get(tag_of(who), 0) > now_s - MONTH_S

    def windows(self, now_s: int) -> list[int]:
        """Return how many different ones were met in each window, in the order of WINDOWS."""
        times = self._seen.values()
        if not times:
            return [0] * len(WINDOWS)
        return [sum(at > now_s - span for at in times) for span in WINDOWS.values()]

    def encode(self) -> bytes:
        """Return the tally as bytes."""
        n = len(self._seen)
        return struct.pack(f"<{n}I{n}I", *self._seen, *self._seen.values())

    @staticmethod
    def decode(data: bytes) -> Tally:
        """Return the tally that was stored.

        Raises:
            ValueError: the bytes are no tally.
        """
        n, rest = divmod(len(data), 2 * _TAG_BYTES)
        if rest or n > TALLY_MAX:
            raise ValueError("no tally")
        flat = struct.unpack(f"<{2 * n}I", data)
        return Tally(dict(zip(flat[:n], flat[n:], strict=True)))


def tag_of(who: bytes) -> int:
    """Return what somebody is told apart by: 32 bits of an id, of which 46 are random.

    Two of 24 have the same with a probability of 1 in 15 million: then they count as one.
    """
    return int.from_bytes(who[9:13], "big")


EMPTY_TALLY: Final = Tally()
