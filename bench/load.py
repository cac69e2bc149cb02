"""What a load is, and what was seen of it.

Closed loop: a fixed number of calls is in flight, each answered call is followed by the next one.
Open loop: calls start by a schedule whatever the server does, and latency counts from the moment a
call should have started, so that a stalling server cannot hide behind its own silence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hdrh.histogram import HdrHistogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.wire import LoadShape


@dataclass(frozen=True, slots=True)
class Load:
    """One load, as a whole; the driver divides it among its processes."""

    target: str
    """host:port of the server."""
    shape: LoadShape
    seconds: float
    """Length of the measured window."""
    in_flight: int = 1
    """Calls in flight in a closed loop; the most that may be outstanding in an open one."""
    connections: int = 1
    """HTTP/2 connections, each its own socket, so that they spread over the server's workers."""
    rate: float | None = None
    """Calls per second of an open loop; None for a closed one."""
    warm_up: float = 0.5
    """Seconds of load before the measured window."""
    total: int | None = None
    """Calls after which a closed loop ends even if time is left."""
    token: str | None = None
    """Bearer token of the calls."""
    timeout: float = 10.0
    """Deadline of each call in seconds."""
    tolerate_refusals: bool = False
    """Whether calls that end in a status other than OK are counted instead of failing the load."""


@dataclass(slots=True)
class Share:
    """What one client process saw."""

    completed: int = 0
    """Calls answered OK inside the measured window."""
    transfers: int = 0
    """Transfers made by those calls."""
    acknowledged: int = 0
    """Transfers acknowledged from the first call to the last, warm-up and drain included."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of each completed call."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Calls by status other than OK."""
    refusal_latencies: list[float] = field(default_factory=list)
    """Seconds of each such call in the window."""
    window: float = 0.0
    """Seconds the measured window really took."""
    cpu: float = 0.0
    """CPU seconds of the process from the first call to the last."""
    calls: int = 0
    """Calls made from the first to the last, whatever became of them."""
    problem: str | None = None
    """What went wrong, when something did."""


class LoadError(Exception):
    """A load was not served as it should have been, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What all client processes saw together."""

    rate: float
    """Calls per second answered OK in the measured window."""
    transfer_rate: float
    """Transfers per second made by them."""
    completed: int
    acknowledged: int
    refusals: dict[str, int]
    latency: HdrHistogram
    """Microseconds of each completed call."""
    refusal_latency: HdrHistogram
    client_cpu_per_call: float
    """CPU microseconds of the driver itself per call."""

    def percentile(self, percent: float) -> float:
        """Latency in milliseconds that this share of the completed calls did not exceed."""
        return float(self.latency.get_value_at_percentile(percent)) / 1000


def divide(load: Load, processes: int) -> list[Load]:
    """Split a load into equal parts, at most one for each call in flight and each connection."""
    parts = min(processes, load.in_flight, load.connections)
    return [
        replace(
            load,
            in_flight=part_of(load.in_flight, parts, index),
            connections=part_of(load.connections, parts, index),
            rate=None if load.rate is None else load.rate / parts,
            total=None if load.total is None else part_of(load.total, parts, index),
        )
        for index in range(parts)
    ]


def part_of(whole: int, parts: int, index: int) -> int:
    """The size of one of several parts that differ by one at most."""
    return whole // parts + (1 if index < whole % parts else 0)


def merge(shares: Iterable[Share]) -> Result:
    """Add up what the processes saw.

    Raises:
        LoadError: one of them saw something go wrong.
    """
    shares = list(shares)
    problems = [share.problem for share in shares if share.problem is not None]
    if problems:
        raise LoadError(problems[0])
    refusals: Counter[str] = Counter()
    for share in shares:
        refusals.update(share.refusals)
    calls = sum(share.calls for share in shares)
    return Result(
        rate=sum(share.completed / share.window for share in shares if share.window > 0),
        transfer_rate=sum(share.transfers / share.window for share in shares if share.window > 0),
        completed=sum(share.completed for share in shares),
        acknowledged=sum(share.acknowledged for share in shares),
        refusals=dict(refusals),
        latency=histogram(value for share in shares for value in share.latencies),
        refusal_latency=histogram(value for share in shares for value in share.refusal_latencies),
        client_cpu_per_call=1e6 * sum(share.cpu for share in shares) / max(calls, 1),
    )


def histogram(seconds: Iterable[float]) -> HdrHistogram:
    """A histogram of microseconds, up to a minute, exact to three digits."""
    recorded = HdrHistogram(1, 60_000_000, 3)
    for value in seconds:
        recorded.record_value(max(1, round(value * 1e6)))
    return recorded
