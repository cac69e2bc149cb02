"""The figures that payments are bound by, as data with the day each takes effect."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from longmen_server.platform.clock import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["POLICIES", "Policy", "policy_at", "read_policies"]

HOUR_US = 3_600 * 1_000_000
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The figures of one period."""

    effective_from_us: int
    reversal_window_days: int
    refund_window_days: int
    tip_percent_max: int
    """The most that a tip may be, in per cent of the amount."""
    code_budget: int
    """Payer codes of a device that are taken between two times that it is online."""
    code_budget_hours: int
    code_budget_minor_units: Mapping[str, int]
    """By currency: what those codes may pay without approval."""
    code_wrong_tries: int
    """Wrong codes with a device's number, until it is online again."""

    @property
    def code_budget_us(self) -> int:
        """How long a device's codes are taken since it was online, in microseconds."""
        return self.code_budget_hours * HOUR_US

    @property
    def reversal_window_us(self) -> int:
        """How long after its payment a sale can be reversed, in microseconds."""
        return self.reversal_window_days * DAY_US

    @property
    def refund_window_us(self) -> int:
        """How long after its payment a sale can be refunded, in microseconds."""
        return self.refund_window_days * DAY_US


def read_policies(path: Path) -> tuple[Policy, ...]:
    """Read a policy file, oldest first; a malformed one raises ValueError or KeyError at start."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["policy"]
    policies = [
        Policy(
            effective_from_us=to_microseconds(
                dt.datetime.combine(entry["effective_from"], dt.time(), tzinfo=dt.UTC)
            ),
            reversal_window_days=entry["reversal_window_days"],
            refund_window_days=entry["refund_window_days"],
            tip_percent_max=entry["tip_percent_max"],
            code_budget=entry["code_budget"],
            code_budget_hours=entry["code_budget_hours"],
            code_budget_minor_units=entry["code_budget_minor_units"],
            code_wrong_tries=entry["code_wrong_tries"],
        )
        for entry in entries
    ]
    return tuple(sorted(policies, key=lambda policy: policy.effective_from_us))


POLICIES = read_policies(Path(__file__).with_name("policy.toml"))


def policy_at(now_us: int, policies: tuple[Policy, ...] = POLICIES) -> Policy:
    """Return the policy of a moment; before the first one begins, the first."""
    for policy in reversed(policies):
        if policy.effective_from_us <= now_us:
            return policy
    return policies[0]
