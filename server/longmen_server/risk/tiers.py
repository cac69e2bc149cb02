"""Tiers of a series: buckets of one width, packed one after another, with their totals beside.

A tier is changed without being unpacked: what happens goes to its last bucket or behind it. Only
what grows too old, comes late, or fits no more is looked at bucket by bucket.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "AGES",
    "DAY_S",
    "FIRST_OF_DAYS",
    "HEAD",
    "LAYOUTS",
    "NOTHING",
    "PLACE_MAX",
    "SQUARES_MAX",
    "SUM_MAX",
    "TIERS",
    "TOTALS_FROM",
    "WIDTHS",
    "Bucket",
    "Tier",
    "Totals",
    "first_of",
    "gathered",
    "packed",
    "put",
]

DAY_S: Final = 86_400
WIDTHS: Final = (10, 60, 600, 3_600, DAY_S, DAY_S, DAY_S)
SPANS: Final = (60, 600, 3_600, DAY_S, 7 * DAY_S, 30 * DAY_S, 38 * DAY_S)
"""How old, in seconds, what a bucket of each tier holds may be before it is merged into the next
one. Days are dropped in the end: after the longest window and the week that its labels lag."""
AGES: Final = tuple(span + width for span, width in zip(SPANS, WIDTHS, strict=True))
"""How long ago a bucket begins, in seconds, that leaves its tier."""
TIERS: Final = len(WIDTHS)
FIRST_OF_DAYS: Final = WIDTHS.index(DAY_S)

SUM_MAX: Final = 2**63 - 1
"""Sums stay at it instead of growing beyond what a row can hold."""
SQUARES_MAX: Final = 3e38
"""Sums of squares likewise: about the largest number of four bytes."""

Bucket: TypeAlias = tuple[int, int, int, float, int, int]
"""Start in seconds, count, sum, sum of squares, least and most."""


@dataclass(slots=True)
class Totals:
    """What some buckets hold together. It never changes: adding gives another one."""

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

    def and_(self, other: Totals) -> Totals:
        """Return what two hold together."""
        if not self.count:
            return other
        total = self.sum + other.sum
        return Totals(
            self.count + other.count,
            min(total, SUM_MAX),
            self.squares + other.squares,
            min(self.least, other.least),
            max(self.most, other.most),
        )


NOTHING: Final = Totals()


def _totals(buckets: Sequence[Bucket]) -> Totals:
    _, counts, sums, squares, leasts, mosts = zip(*buckets, strict=True)
    return Totals(sum(counts), min(sum(sums), SUM_MAX), sum(squares), min(leasts), max(mosts))


# -- How buckets are packed.

_COUNTS: Final = "BHI"
_AMOUNTS: Final = "HIQ"
_COUNT_LIMITS: Final = (0xFF, 0xFFFF, 0xFFFF_FFFF)
_AMOUNT_LIMITS: Final = (0xFFFF, 0xFFFF_FFFF, SUM_MAX)
PLACE_MAX: Final = 254
"""Most widths between the first bucket of a tier and the last, so that a byte tells them all."""
TOTALS_FROM: Final = 4
"""From how many buckets on totals are stored: those of fewer are added up faster than read."""
_head = struct.Struct("<BBI")
HEAD: Final = _head.size
"""Bytes before the buckets: the layout's code, the number of buckets, where places begin."""
_first = struct.Struct("<IB").unpack_from


class Layout:
    """How the buckets of a tier are packed: as narrow as they let, each with its place first.

    Where every bucket has one movement, its amount says all of it.
    """

    __slots__ = (
        "code",
        "count_max",
        "is_many",
        "iter_unpack",
        "pack",
        "pack_totals",
        "size",
        "sum_max",
        "tier",
        "totals_size",
        "unpack_from",
        "unpack_totals",
        "width",
    )

    def __init__(self, tier: int, amount: int, count: int | None) -> None:
        """Choose the columns.

        Args:
            tier: which it is of.
            amount: place of the code of amounts in :data:`_AMOUNTS`.
            count: of counts in :data:`_COUNTS`; None where every bucket has one movement.
        """
        self.is_many = count is not None
        self.code = tier << 5 | amount << 3 | (count or 0) << 1 | self.is_many
        self.tier, self.width = tier, WIDTHS[tier]
        money = _AMOUNTS[amount]
        record = struct.Struct(
            f"<B{money}" if count is None else f"<B{_COUNTS[count]}{money}f{money}{money}"
        )
        self.size = record.size
        self.pack: Callable[..., bytes] = record.pack
        self.unpack_from = record.unpack_from
        self.iter_unpack = record.iter_unpack
        totals = struct.Struct(f"<IQd{money}{money}")
        self.pack_totals: Callable[..., bytes] = totals.pack
        self.unpack_totals = totals.unpack_from
        self.totals_size = totals.size
        self.count_max = 1 if count is None else _COUNT_LIMITS[count]
        self.sum_max = _AMOUNT_LIMITS[amount]


_SINGLE: Final = tuple(
    tuple(Layout(tier, amount, None) for amount in range(len(_AMOUNTS))) for tier in range(TIERS)
)
_MANY: Final = tuple(
    tuple(
        tuple(Layout(tier, amount, count) for count in range(len(_COUNTS)))
        for amount in range(len(_AMOUNTS))
    )
    for tier in range(TIERS)
)


def _every() -> Iterator[Layout]:
    for tier in range(TIERS):
        yield from _SINGLE[tier]
        for layouts in _MANY[tier]:
            yield from layouts


LAYOUTS: Final = {layout.code: layout for layout in _every()}
"""By the first byte of a stored tier."""


def _layout(tier: int, count: int, total: int) -> Layout:
    """Return the narrowest layout for buckets of up to a count and a sum."""
    amount = 0 if total <= 0xFFFF else 1 if total <= 0xFFFF_FFFF else 2
    if count == 1:
        return _SINGLE[tier][amount]
    return _MANY[tier][amount][0 if count <= 0xFF else 1 if count <= 0xFFFF else 2]


# -- Tiers.


class Tier:
    """Buckets of one width. It never changes: adding gives another one."""

    __slots__ = ("_totals", "base", "body", "layout", "number")

    def __init__(
        self, layout: Layout, base: int, number: int, body: bytes, totals: Totals | None = None
    ) -> None:
        self.layout = layout
        self.base = base
        """Where places begin, in seconds."""
        self.number = number
        """Of buckets; never 0."""
        self.body = body
        """The buckets, in the order of their places."""
        self._totals = totals

    @property
    def totals(self) -> Totals:
        """What they hold together; added up once somebody asks."""
        if self._totals is None:
            self._totals = _totals(self.buckets())
        return self._totals

    @property
    def first(self) -> int:
        """Where the oldest bucket begins, in seconds."""
        return self.base + self.body[0] * self.layout.width

    def buckets(self) -> list[Bucket]:
        """Return the buckets, the oldest first."""
        layout, base, width = self.layout, self.base, self.layout.width
        if layout.is_many:
            return [
                (base + place * width, count, total, squares, least, most)
                for place, count, total, squares, least, most in layout.iter_unpack(self.body)
            ]
        return [
            (base + place * width, 1, money, float(money) * money, money, money)
            for place, money in layout.iter_unpack(self.body)
        ]

    def until(self, edge: int) -> tuple[list[Bucket], Tier | None]:
        """Return the buckets that begin at a second or earlier, and a tier of the others.

        At least the oldest does.
        """
        buckets = self.buckets()
        if self.number == 1:
            return buckets, None
        leave = 1
        while leave < self.number and buckets[leave][0] <= edge:
            leave += 1
        if leave == self.number:
            return buckets, None
        rest = self.body[leave * self.layout.size :]
        return buckets[:leave], Tier(self.layout, self.base, self.number - leave, rest)

    def encode(self) -> bytes:
        """Return the tier as it is stored."""
        layout = self.layout
        head = _head.pack(layout.code, self.number, self.base)
        if self.number < TOTALS_FROM:
            return head + self.body
        t = self.totals
        totals = layout.pack_totals(t.count, t.sum, t.squares, t.least, t.most)
        return b"".join((head, self.body, totals))

    @staticmethod
    def decode(data: bytes) -> Tier:
        """Return the tier that was stored, from its first byte to its last."""
        code, number, base = _head.unpack_from(data)
        layout = LAYOUTS[code]
        if number < TOTALS_FROM:
            return Tier(layout, base, number, data[HEAD:])
        end = HEAD + number * layout.size
        totals = Totals(*layout.unpack_totals(data, end))
        return Tier(layout, base, number, data[HEAD:end], totals)


def first_of(data: bytes, width: int) -> int:
    """Return where the oldest bucket of a stored tier begins, in seconds."""
    base, place = _first(data, 2)
    return int(base + place * width)


def packed(index: int, buckets: Sequence[Bucket]) -> Tier:
    """Return a tier of buckets, at least one, in the order of their starts."""
    width = WIDTHS[index]
    base = max(buckets[0][0], buckets[-1][0] - PLACE_MAX * width)
    if base > buckets[0][0]:
        # What a clock that was set back left further behind than places reach counts as later.
        buckets = gathered([(max(each[0], base), *each[1:]) for each in buckets], width)
    layout = _layout(index, max(each[1] for each in buckets), max(each[2] for each in buckets))
    pack = layout.pack
    places = [(each[0] - base) // width for each in buckets]
    if layout.is_many:
        body = b"".join(pack(place, *each[1:]) for place, each in zip(places, buckets, strict=True))
    else:
        body = b"".join(pack(place, each[2]) for place, each in zip(places, buckets, strict=True))
    return Tier(layout, base, len(buckets), body)


def put(into: Tier | None, index: int, bucket: Bucket) -> Tier:
    """Return a tier with one more bucket merged in, wherever it begins."""
    start, count, total, squares, least, most = bucket
    if into is None:
        layout = _layout(index, count, total)
        pack = layout.pack
        body = pack(0, count, total, squares, least, most) if count > 1 else pack(0, total)
        return Tier(layout, start - start % layout.width, 1, body)
    layout, body = into.layout, into.body
    size = layout.size
    place = (start - into.base) // layout.width
    last = body[-size]
    number = into.number
    if last < place <= PLACE_MAX and count <= layout.count_max and total <= layout.sum_max:
        number += 1
        if layout.is_many:
            body += layout.pack(place, count, total, squares, least, most)
        else:
            body += layout.pack(place, total)
    elif place == last and layout.is_many:
        _, c, t, q, low, high = layout.unpack_from(body, len(body) - size)
        c, t = c + count, min(t + total, SUM_MAX)
        if c > layout.count_max or t > layout.sum_max:
            return _inserted(into, bucket)
        q = min(q + squares, SQUARES_MAX)
        one = layout.pack(place, c, t, q, min(low, least), max(high, most))
        body = one if number == 1 else body[:-size] + one
    else:
        return _inserted(into, bucket)
    totals = into._totals  # noqa: SLF001 - of its own class
    if totals is not None:
        totals = totals.and_(Totals(count, total, squares, least, most))
    return Tier(layout, into.base, number, body, totals)


def _inserted(into: Tier, bucket: Bucket) -> Tier:
    """Return a tier packed anew with one more bucket merged in."""
    width = into.layout.width
    start = bucket[0] - bucket[0] % width
    buckets = into.buckets()
    at = len(buckets)
    while at and buckets[at - 1][0] > start:
        at -= 1
    buckets.insert(at, (start, *bucket[1:]))
    return packed(into.layout.tier, gathered(buckets, width))


def gathered(buckets: Iterable[Bucket], width: int) -> list[Bucket]:
    """Return buckets merged to a width; they are in the order of their starts."""
    found: list[Bucket] = []
    before = -1
    for start, count, total, squares, least, most in buckets:
        aligned = start - start % width
        if aligned != before:
            before = aligned
            found.append((aligned, count, total, squares, least, most))
            continue
        _, c, t, q, low, high = found[-1]
        found[-1] = (
            aligned,
            c + count,
            min(t + total, SUM_MAX),
            min(q + squares, SQUARES_MAX),
            min(low, least),
            max(high, most),
        )
    return found
