"""What happened, how often and how fast."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from longmen_client import LongmenError

PROBLEMS_MAXIMUM = 20
"""After so many problems the day is called off: more would say nothing new."""


class CalledOffError(Exception):
    """Too much went wrong for the day to go on."""


@dataclass
class Part:
    """One part of the day."""

    name: str
    seconds: float = 0.0
    """How long the whole part took."""
    done: int = 0
    refused: int = 0
    replayed: int = 0
    sent_again: int = 0
    """Attempts beyond the first, by the client itself."""
    latencies_ms: list[float] = field(default_factory=list)

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the calls stayed below, in milliseconds."""
        if not self.latencies_ms:
            return 0.0
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def rate(self) -> float:
        """Calls answered per second."""
        return len(self.latencies_ms) / self.seconds if self.seconds else 0.0


@dataclass
class Tally:
    """All parts, all refusals, and everything that was not as it should be."""

    parts: dict[str, Part] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Figures of the evening."""

    def part(self, name: str) -> Part:
        """The part of a name."""
        return self.parts.setdefault(name, Part(name))

    def problem(self, text: str) -> None:
        """Note something that should not be.

        Raises:
            CalledOffError: it was one too many.
        """
        self.problems.append(text)
        if len(self.problems) >= PROBLEMS_MAXIMUM:
            raise CalledOffError

    def refused(self, part: Part, error: LongmenError) -> None:
        """Note a "no" that is part of the story."""
        part.refused += 1
        self.refusals[error.details.reason or error.details.code.name] += 1


async def timed(part: Part, call: Callable[[], Awaitable[Any]]) -> Any:
    """Make a call and note how long it took, whatever came of it."""
    began = time.perf_counter()
    try:
        return await call()
    finally:
        part.latencies_ms.append((time.perf_counter() - began) * 1_000)
