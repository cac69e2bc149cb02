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

    def problems(self, *, production: bool) -> Iterator[tuple[str, str]]:
        """Yield each setting that cannot be used, and why."""
        if production and not self.risk_enabled:
            yield "risk_enabled", "not off in production"
