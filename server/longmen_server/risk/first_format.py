"""Series as they were stored first: five tiers, column by column. Banks keep some for months."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from longmen_server.risk.tiers import FIRST_OF_DAYS, TIERS, WIDTHS, packed
from longmen_server.risk.velocity import Series

if TYPE_CHECKING:
    from longmen_server.risk.tiers import Bucket, Tier

__all__ = ["read"]

_WIDTHS: Final = WIDTHS[: FIRST_OF_DAYS + 1]
_HEAD: Final = 9
"""Bytes before the columns: five numbers of buckets and four widths."""
_CODES: Final = "BHIQ"


def read(data: bytes) -> Series:
    """Return a series; days stand in one tier until it is brought to a time.

    Numbers of buckets by width and the widths of the columns; of each width with buckets where it
    begins; how far each bucket is from there, its count and sum; and of buckets with more than one
    movement least, most and sum of squares, which the others have of their sum.

    Raises:
        ValueError: the bytes are no series.
    """
    tiers: list[bytes | Tier | None] = [None] * TIERS
    try:
        for index, buckets in enumerate(_buckets(data) if data else ()):
            if buckets:
                tiers[index] = packed(index, buckets)
    except (IndexError, ValueError, struct.error, StopIteration) as error:
        raise ValueError("no series") from error
    return Series(tiers)


def _buckets(data: bytes) -> list[list[Bucket]]:
    lengths = data[: len(_WIDTHS)]
    place, count, total, amount = (_CODES[code] for code in data[len(_WIDTHS) : _HEAD])
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
    for width, length in zip(_WIDTHS, lengths, strict=True):
        base = next(starts) if length else 0
        tier: list[Bucket] = []
        for _ in range(length):
            each, money = next(numbers)
            squares, least, most = next(many) if each > 1 else (float(money) * money, money, money)
            tier.append((base + next(places) * width, each, money, squares, least, most))
        tiers.append(tier)
    return tiers
