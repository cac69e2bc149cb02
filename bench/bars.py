"""The bars: what each is made from and what it has to reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from bench.report import Bar

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES_PER_MIB = 2**20
HOT_BAR = 3.0
HOT_BAR_FAST_DISK = 2.5
FAST_COMMIT_MS = 0.5
"""A least commit below it leaves group commit little to save."""


@dataclass(slots=True)
class Rounds:
    """One figure of each round; rates per second, latencies in milliseconds."""

    empty: list[float] = field(default_factory=list)
    """Empty calls on the bare stack."""
    uniform: list[float] = field(default_factory=list)
    """Unary transfers between uniform accounts."""
    hot: list[float] = field(default_factory=list)
    """Unary transfers that all credit one account."""
    customer: list[float] = field(default_factory=list)
    """Transfers through the customers' service, uniform; empty where it is not served."""
    batch_uniform: list[float] = field(default_factory=list)
    """Transfers in batch calls between uniform accounts."""
    batch_hot: list[float] = field(default_factory=list)
    """Transfers in batch calls that all credit one account."""
    baseline_uniform: list[float] = field(default_factory=list)
    """pgbench, uniform accounts, best number of connections."""
    baseline_hot: list[float] = field(default_factory=list)
    """pgbench, one hot account."""
    serial: list[float] = field(default_factory=list)
    """Median latency of a single caller's transfers."""
    serial_empty: list[float] = field(default_factory=list)
    """Median latency of a single caller's empty calls."""
    commit: list[float] = field(default_factory=list)
    """Median latency of the least durable transaction, by pgbench with one connection."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of disk that a number of postings took."""

    postings: int
    ledger: int
    everything: int
    tables: dict[str, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the worker processes."""

    transfers: int
    """Transfers the server had made when it was read."""
    largest: int
    """Bytes of the largest worker then."""
    slope: float
    """Bytes per minute by which the fastest growing worker grew under load afterwards."""
    soak: float
    """Seconds over which that was seen."""


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Median of the rounds' own ratios, so that a slow minute of the machine hits both sides."""
    return median(a / b for a, b in zip(above, below, strict=True))


def hot_bar(commit_ms: Sequence[float]) -> float:
    """Return how many times pgbench one hot account has to be, on a disk that commits so fast.

    docs/adr/0009-one-hot-account-on-a-fast-disk.md has the measurements.
    """
    return HOT_BAR if median(commit_ms) >= FAST_COMMIT_MS else HOT_BAR_FAST_DISK


def of_rounds(rounds: Rounds) -> list[Bar]:
    """B1 to B4."""
    serial_floor = [e + c for e, c in zip(rounds.serial_empty, rounds.commit, strict=True)]
    return [
        Bar(
            "B1",
            "unary durable transfer ÷ empty call on the bare stack",
            ratio(rounds.uniform, rounds.empty),
            0.5,
            ">=",
            parts=medians(transfers=rounds.uniform, empty=rounds.empty),
        ),
        Bar(
            "B2",
            "one hot account, unary ÷ pgbench one by one",
            ratio(rounds.hot, rounds.baseline_hot),
            hot_bar(rounds.commit),
            ">=",
            parts=medians(
                transfers=rounds.hot, pgbench=rounds.baseline_hot, commit_ms=rounds.commit
            ),
        ),
        Bar(
            "B3",
            "batch calls, uniform ÷ pgbench one by one",
            ratio(rounds.batch_uniform, rounds.baseline_uniform),
            2,
            ">=",
            parts=medians(transfers=rounds.batch_uniform, pgbench=rounds.baseline_uniform),
        ),
        Bar(
            "B3-hot",
            "batch calls, one hot account ÷ pgbench one by one",
            ratio(rounds.batch_hot, rounds.baseline_hot),
            15,
            ">=",
            parts=medians(transfers=rounds.batch_hot, pgbench=rounds.baseline_hot),
        ),
        Bar(
            "B4",
            "single caller, median latency ÷ (empty call + one commit)",
            ratio(rounds.serial, serial_floor),
            3,  # docs/adr/0008-latency-of-a-lone-caller.md
            "<=",
            parts=medians(
                transfer_ms=rounds.serial, empty_ms=rounds.serial_empty, commit_ms=rounds.commit
            ),
        ),
    ]


def medians(**figures: list[float]) -> dict[str, float]:
    """The median of each list."""
    return {name: median(values) for name, values in figures.items()}


def of_storage(storage: Storage) -> list[Bar]:
    """B5."""
    parts = {"postings": storage.postings}
    return [
        Bar(
            "B5",
            "disk per posting, everything",
            storage.everything / storage.postings,
            900,
            "<=",
            "B",
            parts
            | {name: grown / storage.postings for name, grown in storage.tables.items() if grown},
        ),
        Bar(
            "B5-ledger",
            "disk per posting, the ledger alone",
            storage.ledger / storage.postings,
            400,
            "<=",
            "B",
            parts,
        ),
    ]


def of_memory(memory: Memory) -> list[Bar]:
    """B6."""
    return [
        Bar(
            "B6",
            "memory of the largest worker after a million transfers",
            memory.largest / BYTES_PER_MIB,
            250,
            "<=",
            "MiB",
            {"transfers": memory.transfers},
        ),
        Bar(
            "B6-slope",
            "its growth under load",
            memory.slope / BYTES_PER_MIB,
            1,
            "<=",
            "MiB/min",
            {"seconds": memory.soak},
        ),
    ]
