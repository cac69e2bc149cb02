"""What tills may take without a network, as data with dates."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from longmen_server.payments.codes.payer_code import MEMORY_STEPS, STEP_SECONDS
from longmen_server.platform.clock import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OfflinePolicy", "policy_at", "read_policies"]

HOUR_SECONDS: Final = 3_600
SECOND_US: Final = 1_000_000
_BY_CURRENCY: Final = (
    "sale_minor_units",
    "stored_minor_units",
    "customer_day_minor_units",
    "covered_customer_month_minor_units",
    "covered_merchant_day_minor_units",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflinePolicy:
    """The figures of one period. A currency that a figure does not have has zero."""

    effective_from_us: int
    window_seconds: int
    skew_seconds: int
    stored_count: int
    customer_day_count: int
    covered_reasons: frozenset[str]
    sale_minor_units: Mapping[str, int]
    stored_minor_units: Mapping[str, int]
    customer_day_minor_units: Mapping[str, int]
    covered_customer_month_minor_units: Mapping[str, int]
    covered_merchant_day_minor_units: Mapping[str, int]

    @property
    def window_us(self) -> int:
        """How long after a sale it can be forwarded, in microseconds."""
        return self.window_seconds * SECOND_US

    @property
    def skew_us(self) -> int:
        """How far a till's clock may be ahead, in microseconds."""
        return self.skew_seconds * SECOND_US


def read_policies(path: Path) -> tuple[OfflinePolicy, ...]:
    """Read a policy file, oldest first; a malformed one raises ValueError or KeyError at start."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["policy"]
    policies = [_policy(entry) for entry in entries]
    return tuple(sorted(policies, key=lambda policy: policy.effective_from_us))


def _policy(entry: dict[str, Any]) -> OfflinePolicy:
    window_seconds = entry["window_hours"] * HOUR_SECONDS
    if not 0 < window_seconds <= MEMORY_STEPS * STEP_SECONDS:
        raise ValueError(
            f"window_hours is {entry['window_hours']}: used codes are forgotten by then"
        )
    begin = dt.datetime.combine(entry["effective_from"], dt.time(), tzinfo=dt.UTC)
    return OfflinePolicy(
        effective_from_us=to_microseconds(begin),
        window_seconds=window_seconds,
        skew_seconds=entry["skew_seconds"],
        stored_count=entry["stored_count"],
        customer_day_count=entry["customer_day_count"],
        covered_reasons=frozenset(entry["covered_reasons"]),
        **{name: entry[name] for name in _BY_CURRENCY},
    )


POLICIES: Final = read_policies(Path(__file__).with_name("policy.toml"))


def policy_at(at_us: int, policies: tuple[OfflinePolicy, ...] = POLICIES) -> OfflinePolicy:
    """Return the policy of a moment; before the first one begins, the first."""
    begun = [policy for policy in policies if policy.effective_from_us <= at_us]
    return begun[-1] if begun else policies[0]
