"""Resident memory of processes, and how fast it grows."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

INTERVAL = 0.5
"""Seconds between two looks."""


def resident(pids: Sequence[int]) -> list[int]:
    """Bytes of resident memory of each process."""
    return [psutil.Process(pid).memory_info().rss for pid in pids]


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """The rise of a line through (seconds, value) by least squares, per minute.

    The median of slopes between the two halves would hide a leak that comes in steps; least squares
    over every sample does not.
    """
    count = len(samples)
    if count < 2:
        raise ValueError("a slope takes two samples")
    mean_x = sum(x for x, _ in samples) / count
    mean_y = sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread


class Watch:
    """Looks at processes in the background while a load runs."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[list[tuple[float, float]]] = [[] for _ in pids]
        """Seconds and bytes, for each process."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            now = time.monotonic()
            for samples, size in zip(self.samples, resident(self._pids), strict=True):
                samples.append((now, float(size)))

    def fastest_growth(self) -> float:
        """Bytes per minute of the process that grew fastest."""
        return max(slope(samples) for samples in self.samples)
