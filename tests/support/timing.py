"""Whether two kinds of call take the same time, on a machine that other work shares.

Samples have to be taken in turns, so that whatever slows the machine slows both. They differ when
their medians are further apart than the bound, and almost all of one are slower than almost all of
the other: noise moves a median, but does not sort the samples.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

MEDIANS_APART_S = 0.005
"""Medians that are closer tell nobody anything over a network."""
SORTED = 0.9
"""Share of pairs of which the same one is slower (Mann-Whitney's U over its largest value)."""


def differ(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether samples in seconds can be told apart."""
    apart = abs(statistics.median(first) - statistics.median(second))
    slower = sum((a > b) + (a == b) / 2 for a in first for b in second)
    share = slower / (len(first) * len(second))
    return apart >= MEDIANS_APART_S and not 1 - SORTED < share < SORTED


async def in_turns(
    rounds: int, calls: Mapping[str, Callable[[], Awaitable[object]]]
) -> dict[str, list[float]]:
    """How long each call takes, in seconds, one of each in every round."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            await call()
            taken[name].append(time.perf_counter() - began)
    return taken


def assert_alike(taken: Mapping[str, Sequence[float]]) -> None:
    """Fail unless no two can be told apart."""
    medians = {name: f"{statistics.median(each) * 1000:.1f} ms" for name, each in taken.items()}
    names = list(taken)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            assert not differ(taken[first], taken[second]), (first, second, medians)
