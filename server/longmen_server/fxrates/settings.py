"""The settings of exchange: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR_US: Final = 3_600 * 1_000_000
TRIAL_AGE_US: Final = 2 * 365 * 24 * HOUR_US
"""How old rates may be on a server to try out, which begins with those its packages came with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FxSettings:
    """What exchange is bound by, beyond the bank's price list."""

    fx_seed_days: int = 400
    """Days of the European Central Bank's history that a book without rates begins with, from the
    package that brings it; 0 begins without. A year shows what a chart looks like and is taken in
    a moment; `longmen fx rates import` brings the rest."""
    fx_rate_age_max_hours: int = 0
    """Hours after which a rate is too old to be dealt at. 0 means what the price list says, 120, in
    production, and two years on a server to try out, whose first rates are as old as its
    packages."""
    fx_watch_interval_ms: int = 250
    """Milliseconds between two looks at rates that somebody follows by StreamRates: people see a
    change at once, and a process reads some thirty short rows four times a second."""

    def rate_age_max_us(self, *, listed_us: int, production: bool) -> int:
        """Return how old a rate may be, in microseconds.

        Args:
            listed_us: what the price list says.
            production: whether this is no test.
        """
        if self.fx_rate_age_max_hours:
            return self.fx_rate_age_max_hours * HOUR_US
        return listed_us if production else TRIAL_AGE_US

    def ages(self, *, production: bool) -> Callable[[int], int]:
        """Return how old rates may be, as a function of what the price list says."""
        return lambda listed_us: self.rate_age_max_us(listed_us=listed_us, production=production)

    def problems(self) -> Iterator[tuple[str, str]]:
        """What cannot work: names of settings and what is wrong with them."""
        for name, lowest, highest in (
            ("fx_seed_days", 0, 100_000),
            ("fx_rate_age_max_hours", 0, 1_000_000),
            ("fx_watch_interval_ms", 10, 60_000),
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                yield name, f"{value} is outside {lowest} to {highest}"
