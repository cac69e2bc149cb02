"""Metrics that cost a fraction of a microsecond to record.

The recording side of the OpenTelemetry SDK takes 6 to 8 microseconds per instrument and call in
Python, more than all other work of the edge together. So values are summed up here, in plain
integers and lists of one process and one thread, and `longmen_server.platform.telemetry` hands the
sums to the exporters when they ask.

Names follow OpenTelemetry ("rpc.server.call.duration"), values of a label set are fixed small sets:
never an id, an amount or anything else that a caller can invent.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERIES_MAX = 2_000
"""Most label combinations of one metric; more means that a label is not a small set: a bug."""

LATENCY_BOUNDS_S = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)
"""Upper bounds, in seconds, of the buckets of a latency histogram; the last bucket is open."""


class Sum:
    """A number that is added to: a counter, or a level when it goes down again too."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def add(self, amount: float = 1) -> None:
        """Add an amount; a counter takes none below zero."""
        self.value += amount


class Distribution:
    """How often values fell into each bucket."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def record(self, value: float) -> None:
        """Count a value in."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


S = TypeVar("S", Sum, Distribution)


@dataclass(slots=True)
class Metric(Generic[S]):
    """One metric with a series for every combination of label values seen."""

    name: str
    description: str
    unit: str
    """A UCUM unit: "s", "By", "{call}"."""
    labels: tuple[str, ...]
    make: Callable[[], S]
    monotonic: bool
    """Whether it only grows; says nothing for a histogram."""
    series: dict[tuple[str, ...], S] = field(default_factory=dict)

    def at(self, *values: str) -> S:
        """Return the series of the label values; keep it where a call may not cost a look-up."""
        known = self.series.get(values)
        if known is not None:
            return known
        assert len(values) == len(self.labels), f"{self.name} has labels {self.labels}"
        assert len(self.series) < SERIES_MAX, f"{self.name} has too many label combinations"
        return self.series.setdefault(values, self.make())


class Metrics:
    """Every metric of one process."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric[Sum] | Metric[Distribution]] = {}
        self._levels: list[tuple[Sum, Callable[[], float]]] = []

    def counter(self, name: str, description: str, unit: str, *labels: str) -> Metric[Sum]:
        """Make a counter: a sum that only grows."""
        return self._add(Metric(name, description, unit, labels, Sum, monotonic=True))

    def level(self, name: str, description: str, unit: str, *labels: str) -> Metric[Sum]:
        """Make a level: a sum that goes up and down, such as the calls in work."""
        return self._add(Metric(name, description, unit, labels, Sum, monotonic=False))

    def observe(self, name: str, description: str, unit: str, read: Callable[[], float]) -> None:
        """Make a level that is read when it is exported, from what knows it anyway."""
        self._levels.append((self.level(name, description, unit).at(), read))

    def histogram(
        self,
        name: str,
        description: str,
        unit: str,
        *labels: str,
        bounds: tuple[float, ...] = LATENCY_BOUNDS_S,
    ) -> Metric[Distribution]:
        """Make a histogram with the given upper bounds of its buckets, ascending."""
        return self._add(
            Metric(name, description, unit, labels, lambda: Distribution(bounds), monotonic=True)
        )

    def collect(self) -> Iterator[Metric[Sum] | Metric[Distribution]]:
        """Yield every metric with its present values, in the order they were made."""
        for level, read in self._levels:
            level.value = read()
        yield from self._metrics.values()

    def _add(self, metric: Metric[S]) -> Metric[S]:
        assert metric.name not in self._metrics, f"metric {metric.name} is made twice"
        self._metrics[metric.name] = metric
        return metric
