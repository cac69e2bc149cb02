"""How long and how much: the two sizes of a bench run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sizes of one bench run."""

    rounds: int
    """Rounds in which the server and the baselines alternate; odd, so that a median is a round."""
    accounts: int
    """Accounts that take part, the hot one aside."""
    window: float
    """Seconds of each load against the server."""
    baseline_window: int
    """Seconds of each run of pgbench."""
    serial_window: float
    """Seconds of each measurement with a single caller."""
    serial_turns: int = 3
    """Measurements with a single caller in each round."""
    warm_up: float
    """Seconds of load before each window."""
    in_flight: int = 384
    """Unary calls in flight."""
    connections: int = 32
    """Connections they come over."""
    batch: int = 1_000
    """Transfers in a call of the batch RPC: the most the contract takes."""
    batches_in_flight: int = 8
    """Batch calls in flight, each on its own connection."""
    hot_clients: int = 32
    """pgbench's connections against one hot account, as the bar says."""
    uniform_clients: tuple[int, ...] = (8, 16)
    """pgbench's connections against uniform accounts; the best of them counts."""
    storage_transfers: int
    """Unary transfers over which bytes on disk are measured, at least; those of the soak count."""
    memory_transfers: int
    """Transfers a server must have made before its memory is judged."""
    soak: float
    """Seconds of unary load over which the growth of memory is measured."""
    open_loop: float
    """Seconds of load by a schedule, at `OPEN_LOOP_SHARE` of the rate the rounds have shown."""


OPEN_LOOP_SHARE: Final = 0.5
"""Load at which latency is told. The driver shares the machine, and calls by a schedule cost it
more than calls one after another: half the rate is most of what the machine can carry."""

FULL: Final = Plan(
    rounds=3,
    accounts=100_000,
    window=5.0,
    baseline_window=4,
    serial_window=1.0,
    warm_up=1.0,
    storage_transfers=200_000,
    memory_transfers=1_000_000,
    soak=600.0,
    open_loop=8.0,
)
"""What the bars are judged by."""

QUICK: Final = Plan(
    rounds=1,
    accounts=10_000,
    window=2.0,
    baseline_window=1,
    serial_window=0.5,
    serial_turns=1,
    warm_up=0.5,
    storage_transfers=5_000,
    memory_transfers=50_000,
    soak=5.0,
    open_loop=2.0,
)
"""A look whether everything works; its figures say little."""
