"""How often a principal may call: what the settings say, and the counting of it.

A rate is a number of calls per second that a principal may go on with for ever, and a burst that it
may have at once after it has been quiet. It is counted in each worker for itself: a principal with
connections to several workers has the rate in each.

A principal's whole past is one number, the time until which its calls so far would have kept it
busy at its rate (the generic cell rate algorithm), so that counting costs a fraction of a
microsecond and remembering some hundred bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Meter", "Rate", "parse_rates", "rate_of"]

TEXT: Final = re.compile(
    r"(?P<kind>[a-z]+)\.(?P<what>[a-z]+|[A-Za-z0-9]+/[A-Za-z0-9]+)"
    r"=(?P<per_second>[0-9]+(?:\.[0-9]+)?)/(?P<burst>[0-9]+)"
)
"""customer.payment=20/100, or customer.TransfersService/CreateTransfer=5/20."""

KINDS: Final = frozenset({"anonymous", "customer", "merchant", "service", "staff"})
CLASSES: Final = frozenset({"payment", "read", "admin", "stream"})


@dataclass(frozen=True, slots=True)
class Rate:
    """How often."""

    per_second: float
    """Calls per second in the long run, above zero."""
    burst: int
    """Calls at once after a quiet time, at least one."""

    @property
    def text(self) -> str:
        """As it stands in the settings."""
        return f"{self.per_second:g}/{self.burst}"


def parse_rates(texts: Iterable[str]) -> dict[tuple[str, str], Rate]:
    """Read the rates of the settings, by kind of principal and class or method.

    Raises:
        ValueError: one is not a rate, or names a kind or a class that does not exist.
    """
    rates: dict[tuple[str, str], Rate] = {}
    for text in texts:
        found = TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not kind.class=per_second/burst")
        kind, what = found["kind"], found["what"]
        if kind not in KINDS:
            raise ValueError(f"{text!r}: choose a kind of {', '.join(sorted(KINDS))}")
        if "/" not in what and what not in CLASSES:
            raise ValueError(f"{text!r}: choose a class of {', '.join(sorted(CLASSES))}")
        rate = Rate(float(found["per_second"]), int(found["burst"]))
        if rate.per_second <= 0 or rate.burst < 1:
            raise ValueError(f"{text!r}: both numbers are above zero")
        if (kind, what) in rates:
            raise ValueError(f"{text!r}: {kind}.{what} is named twice")
        rates[kind, what] = rate
    return rates


def rate_of(
    rates: Mapping[tuple[str, str], Rate], kind: str, *, method: str, admission_class: str
) -> Rate | None:
    """Return the rate of a kind of principal for a method; None if it may call at will.

    Args:
        rates: all rates.
        kind: sort of principal.
        method: the method with its service, without the package: "LedgerService/GetAccount".
        admission_class: the class that rates for many methods name.
    """
    return rates.get((kind, method)) or rates.get((kind, admission_class))


class Meter:
    """Counts the calls of principals against one rate."""

    __slots__ = ("_busy_until", "_interval", "_most", "_now", "_tolerance", "rate")

    def __init__(self, rate: Rate, now: Callable[[], float], remembered_max: int) -> None:
        """Take what is counted with.

        Args:
            rate: the rate of each principal.
            now: monotonic seconds.
            remembered_max: most principals remembered. Those that have been quiet are forgotten
                first, which changes nothing for them.
        """
        self.rate = rate
        self._now = now
        self._interval = 1 / rate.per_second
        # A thousandth more, so that sums of rounded times do not cost anybody a call.
        self._tolerance = self._interval * (rate.burst - 1 + 0.001)
        self._most = remembered_max
        self._busy_until: dict[str, float] = {}

    def admits(self, subject: str) -> bool:
        """Count a call, unless it comes too soon."""
        now = self._now()
        known = self._busy_until
        begins = known.get(subject, now)
        if begins < now:  # noqa: PLR1730 - a comparison costs a quarter of a call of max
            begins = now
        if begins - now > self._tolerance:
            return False
        if len(known) >= self._most and subject not in known:
            known = self._busy_until = self._kept(now)
        known[subject] = begins + self._interval
        return True

    def _kept(self, now: float) -> dict[str, float]:
        """Who is still remembered: all but the quiet, and of too many busy ones the latest.

        A tenth is freed at least, so that this is rare even while strangers flood in.
        """
        busy = [(subject, until) for subject, until in self._busy_until.items() if until > now]
        return dict(busy[max(0, len(busy) - self._most * 9 // 10) :])
