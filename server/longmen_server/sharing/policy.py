"""What merchants may share of orders, as data with dates."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from longmen_server.platform.clock import to_microseconds

__all__ = ["SharingPolicy", "policy_at"]

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingPolicy:
    """The figures of one period."""

    effective_from_us: int
    cap_percent: int
    window_days: int
    shares_max: int

    @property
    def window_us(self) -> int:
        """How long after its payment an order is shared, in microseconds."""
        return self.window_days * DAY_US


def read_policies(path: Path) -> tuple[SharingPolicy, ...]:
    """Read a policy file, oldest first; a malformed one raises ValueError or KeyError at start."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["policy"]
    policies = [
        SharingPolicy(
            effective_from_us=to_microseconds(
                dt.datetime.combine(entry["effective_from"], dt.time(), tzinfo=dt.UTC)
            ),
            cap_percent=entry["cap_percent"],
            window_days=entry["window_days"],
            shares_max=entry["shares_max"],
        )
        for entry in entries
    ]
    return tuple(sorted(policies, key=lambda policy: policy.effective_from_us))


POLICIES: Final = read_policies(Path(__file__).with_name("policy.toml"))


def policy_at(at_us: int) -> SharingPolicy:
    """Return the policy of a moment; before the first one begins, the first."""
    begun = [policy for policy in POLICIES if policy.effective_from_us <= at_us]
    return begun[-1] if begun else POLICIES[0]
