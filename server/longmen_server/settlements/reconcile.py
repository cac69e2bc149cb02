"""Comparing a merchant's own list with a bill. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.platform.money import MINOR_UNITS_MAXIMUM
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Compared",
    "Difference",
    "DifferenceKind",
    "LineKey",
    "LineKind",
    "Listed",
    "NumberRange",
    "check_amounts",
    "compare",
]


class LineKind(IntEnum):
    """What a line tells of; values of longmen.merchants.v1.BillLineKind."""

    SALE = 1
    REFUND = 2


class DifferenceKind(IntEnum):
    """How the two disagree; values of longmen.merchants.v1.DifferenceKind."""

    MISSING_HERE = 1
    MISSING_THERE = 2
    AMOUNT_DIFFERS = 3
    LISTED_TWICE = 4


class LineKey(NamedTuple):
    """By what lines of both sides are the same."""

    kind: int
    order_number: str
    refund_number: str


class Listed(NamedTuple):
    """One line of either side."""

    amount: int
    currency_code: str

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.amount} minor units of {self.currency_code}"


class Difference(NamedTuple):
    """One line on which the two disagree."""

    kind: DifferenceKind
    key: LineKey
    listed: Listed | None
    billed: Listed | None


@dataclass(slots=True)
class Compared:
    """What a comparison found."""

    matched_count: int = 0
    matched: int = 0
    """Sales less refunds of what both have, in minor units."""
    billed: int = 0
    listed: int = 0
    differences: list[Difference] = field(default_factory=list)


class NumberRange(NamedTuple):
    """Order numbers that are compared, in the order of Unicode's code points."""

    after: str
    """The last that is not; empty for none."""
    through: str
    """The last that is; empty for all that follow."""

    def has(self, number: str) -> bool:
        """Whether a number is compared."""
        return number > self.after and (not self.through or number <= self.through)

    def check(self, numbers: Iterable[str]) -> None:
        """Refuse a range that ends before it begins, and lines outside of it.

        Raises:
            Refusal: INVALID_REQUEST.
        """
        is_empty = bool(self.through) and self.through <= self.after
        if is_empty or not all(self.has(number) for number in numbers):
            raise Refusal(
                "INVALID_REQUEST",
                "lines are of the range of order numbers that is compared",
                metadata={"rules": "reconcile.lines_in_range"},
                field="through_order_number" if is_empty else "lines",
            )


def check_amounts(amounts: Iterable[int]) -> None:
    """Refuse a list whose lines are more together than an amount can be.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if sum(amounts) > MINOR_UNITS_MAXIMUM:
        raise Refusal(
            "INVALID_REQUEST",
            "the lines together are more than an amount can be",
            metadata={"rules": "reconcile.total"},
            field="lines",
        )


def signed(key: LineKey, line: Listed) -> int:
    """Return an amount as it counts for the merchant: refunds are taken."""
    return line.amount if key.kind == LineKind.SALE else -line.amount


def compare(billed: Mapping[LineKey, Listed], listed: Iterable[tuple[LineKey, Listed]]) -> Compared:
    """Compare a bill with a merchant's list, in the order of the list and then of the bill."""
    found = Compared(billed=sum(signed(key, line) for key, line in billed.items()))
    seen: set[LineKey] = set()
    for key, line in listed:
        found.listed += signed(key, line)
        ours = billed.get(key)
        if key in seen:
            kind = DifferenceKind.LISTED_TWICE
        elif ours is None:
            kind = DifferenceKind.MISSING_HERE
        elif ours != line:
            kind = DifferenceKind.AMOUNT_DIFFERS
        else:
            found.matched_count += 1
            found.matched += signed(key, line)
            seen.add(key)
            continue
        seen.add(key)
        found.differences.append(Difference(kind, key, line, ours))
    found.differences.extend(
        Difference(DifferenceKind.MISSING_THERE, key, None, line)
        for key, line in billed.items()
        if key not in seen
    )
    return found
