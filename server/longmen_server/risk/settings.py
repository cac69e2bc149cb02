"""The settings of risk: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSettings:
    """What judges movements of money."""

    risk_enabled: bool = True
    """Whether movements of money are judged. Without it nothing is judged, counted or kept: that is
    for measuring what risk costs, and production refuses it."""

    risk_screening_likeness_percent: int = 85
    """From how many per cent of likeness on a name in a customer's document matches one on a list:
    somebody has to look at it before the customer is upgraded. At 85 one letter in seven may
    differ; a lower one finds more spellings, and more people who only have such a name."""

    def problems(self, *, production: bool) -> Iterator[tuple[str, str]]:
        """Yield each setting that cannot be used, and why."""
        if production and not self.risk_enabled:
            yield "risk_enabled", "not off in production"
        if not 50 <= self.risk_screening_likeness_percent <= 100:
            yield "risk_screening_likeness_percent", "from 50 to 100"
