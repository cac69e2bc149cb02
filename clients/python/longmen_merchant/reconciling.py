"""Lists of merchants in ranges that one call takes, and what became of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from longmen.merchants.v1 import settlement_pb2, settlements_service_pb2

__all__ = ["Range", "Reconciled", "ranges_of"]

LINES_MAX: Final = 5_000
"""Lines that a call takes."""


@dataclass(frozen=True, slots=True)
class Range:
    """Lines of some order numbers, and which numbers those are."""

    after: str
    """The number before the first; empty in the first range."""
    through: str
    """The last number; empty in the last range, which has all that follow."""
    lines: Sequence[settlement_pb2.ListedLine]


@dataclass(slots=True)
class Reconciled:
    """What the comparison of a whole list found. Amounts are minor units of one currency."""

    matched_count: int = 0
    matched_minor_units: int = 0
    """Sales less refunds on which both agree."""
    difference_count: int = 0
    differences: list[settlement_pb2.Difference] = field(default_factory=list)
    """The first thousand of each range."""
    billed_minor_units: int = 0
    listed_minor_units: int = 0

    @property
    def agrees(self) -> bool:
        """Whether list and bill are the same."""
        return self.difference_count == 0

    def add(self, reply: settlements_service_pb2.ReconcileResponse) -> None:
        """Add what was found in a range."""
        self.matched_count += reply.matched_count
        self.matched_minor_units += reply.matched_minor_units
        self.difference_count += reply.difference_count
        self.differences += reply.differences
        self.billed_minor_units += reply.billed_minor_units
        self.listed_minor_units += reply.listed_minor_units


def ranges_of(lines: Iterable[settlement_pb2.ListedLine], size: int = LINES_MAX) -> Iterator[Range]:
    """Split a list into ranges of order numbers that have up to so many lines each.

    All lines of a number are in one range, and together the ranges are all numbers there can be: so
    what the bill has and the list does not is found once, wherever it lies.

    Raises:
        ValueError: one order has more lines than fit.
    """
    ordered = sorted(lines, key=lambda line: line.order_number)
    after, through = "", ""
    kept: list[settlement_pb2.ListedLine] = []
    for number, some in groupby(ordered, key=lambda line: line.order_number):
        group = list(some)
        if len(group) > size:
            raise ValueError(f"order {number} has {len(group)} lines, more than {size}")
        if kept and len(kept) + len(group) > size:
            yield Range(after, through, kept)
            after, kept = through, []
        kept += group
        through = number
    yield Range(after, "", kept)
