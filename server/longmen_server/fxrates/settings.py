"""The settings of exchange: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    def rate_age_max_us(self, *, listed_us: int, production: bool) -> int:
        """Return how old a rate may be, in microseconds.

        Args:
            listed_us: what the price list says.
            production: whether this is no test.
        """
        if self.fx_rate_age_max_hours:
            return self.fx_rate_age_max_hours * HOUR_US
        return listed_us if production else TRIAL_AGE_US

    def problems(self) -> Iterator[tuple[str, str]]:
        """What cannot work: names of settings and what is wrong with them."""
        for name, highest in (("fx_seed_days", 100_000), ("fx_rate_age_max_hours", 1_000_000)):
            value = getattr(self, name)
            if not 0 <= value <= highest:
                yield name, f"{value} is outside 0 to {highest}"
