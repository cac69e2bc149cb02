"""Long lists are split into ranges of order numbers that leave nothing out."""

from __future__ import annotations

import random

import pytest

from longmen.merchants.v1 import settlement_pb2
from longmen_merchant.reconciling import ranges_of


def listed(*numbers: str) -> list[settlement_pb2.ListedLine]:
    return [settlement_pb2.ListedLine(order_number=number) for number in numbers]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_ranges_are_all_numbers_each_once(size: int) -> None:
    numbers = [f"{number}" for number in range(40)] + ["茶-1", "Z", "z"]
    random.Random(size).shuffle(numbers)
    ranges = list(ranges_of(listed(*numbers), size))
    assert [line.order_number for one in ranges for line in one.lines] == sorted(numbers)
    assert all(len(one.lines) <= size for one in ranges)
    # Each begins where the one before ended; the first and the last are open.
    assert (ranges[0].after, ranges[-1].through) == ("", "")
    assert [one.through for one in ranges[:-1]] == [one.after for one in ranges[1:]]
    for one in ranges:
        for line in one.lines:
            assert one.after < line.order_number
            assert not one.through or line.order_number <= one.through


def test_lines_of_one_order_stay_together() -> None:
    ranges = list(ranges_of(listed("a", "b", "b", "b", "c"), 3))
    assert [[line.order_number for line in one.lines] for one in ranges] == [
        ["a"],
        ["b", "b", "b"],
        ["c"],
    ]
    with pytest.raises(ValueError, match="order b has 3 lines"):
        list(ranges_of(listed("a", "b", "b", "b"), 2))


def test_an_empty_list_is_compared_with_everything() -> None:
    (one,) = ranges_of([])
    assert (one.after, one.through, one.lines) == ("", "", [])
