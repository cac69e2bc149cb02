"""Reads what exchange costs and how far it goes, and refuses a file that makes no sense."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from longmen_server.fx.model import BASIS_POINTS, Terms
from longmen_server.platform.money import currencies

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FxPolicy", "FxPolicyError", "FxVersion", "load_policy", "read_policy"]

FILE: Final = "policy.toml"
ANY: Final = "any"
HOUR_US: Final = 3_600 * 1_000_000
DAY_US: Final = 24 * HOUR_US


class FxPolicyError(Exception):
    """A policy makes no sense; the message says where."""


@dataclass(frozen=True, slots=True)
class SpreadRule:
    """One line of the price list."""

    currencies: frozenset[str]
    """Both of the pair have to be among them; empty fits any."""
    tier: str
    up_to: int
    """Largest amount in minor units of the home currency; 0 means any."""
    terms: Terms

    def fits(self, pair: frozenset[str], tier: str, home_value: int) -> bool:
        """Whether the line is for such an exchange."""
        return (
            (not self.currencies or pair <= self.currencies)
            and self.tier in {ANY, tier}
            and (not self.up_to or home_value <= self.up_to)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FxVersion:
    """The policy from a day on; amounts are minor units of the home currency."""

    effective_from: date
    home_currency: str
    rate_age_max_us: int
    jump_max_basis_points: int
    order_max: int
    convert_max: int
    quota_currency: str
    """What the annual quota is in."""
    quota: int
    """What one customer may buy, and what one may sell, of foreign currencies for the home
    currency in a calendar year, in minor units of `quota_currency`; 0 means any."""
    abroad_fee_basis_points: int
    """Of what is paid to somebody else in another currency, beside the fee of the exchange."""
    position_flag: int
    position_max: int
    reversal_us: int
    """How long after a conversion it may be taken back at its own rate."""
    tradable: frozenset[str]
    lock_spread: Mapping[int, int]
    """Basis points added by seconds of lock."""
    rules: tuple[SpreadRule, ...]

    def terms(self, source: str, target: str, *, tier: str, home_value: int, lock_s: int) -> Terms:
        """Return what an exchange costs.

        Args:
            source: currency paid.
            target: currency got.
            tier: the customer's.
            home_value: of what is exchanged, in minor units of the home currency.
            lock_s: seconds that the rate is promised for, one of `lock_spread`.
        """
        pair = frozenset({source, target})
        rule = next(rule for rule in self.rules if rule.fits(pair, tier, home_value))
        spread = rule.terms.spread_basis_points + self.lock_spread[lock_s]
        return Terms(spread, rule.terms.fee_basis_points)


@dataclass(frozen=True, slots=True)
class FxPolicy:
    """Every version, oldest first."""

    versions: tuple[FxVersion, ...]

    def at(self, day: date) -> FxVersion:
        """Return the version in force on a day; the oldest for days before all."""
        begun = [version for version in self.versions if version.effective_from <= day]
        return begun[-1] if begun else self.versions[0]


@cache
def load_policy() -> FxPolicy:
    """Return the policy that comes with the server."""
    return read_policy(read_text())


def read_text() -> str:
    """Return the text of the policy that comes with the server."""
    return resources.files(__package__).joinpath(FILE).read_text("utf-8")


def read_policy(text: str) -> FxPolicy:
    """Read a policy.

    Raises:
        FxPolicyError: an unknown word, a number out of bounds, or an exchange without a price.
    """
    try:
        versions = tuple(_version(entry) for entry in tomllib.loads(text)["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise FxPolicyError(f"{type(error).__name__}: {error}") from error
    days = [version.effective_from for version in versions]
    if not days or days != sorted(set(days)):
        raise FxPolicyError("versions have different days, oldest first")
    return FxPolicy(versions)


def _version(entry: dict[str, Any]) -> FxVersion:
    home = entry["home_currency"]
    if type(entry["effective_from"]) is not date:
        raise FxPolicyError("a version begins on a day")
    version = FxVersion(
        effective_from=entry["effective_from"],
        home_currency=home,
        rate_age_max_us=entry["rate_age_max_hours"] * HOUR_US,
        jump_max_basis_points=entry["jump_max_basis_points"],
        order_max=entry["order_max"],
        convert_max=entry["convert_max"],
        quota_currency=entry["quota_currency"],
        quota=entry["quota"],
        abroad_fee_basis_points=entry["abroad_fee"],
        position_flag=entry["position_flag"],
        position_max=entry["position_max"],
        reversal_us=entry["reversal_days"] * DAY_US,
        tradable=frozenset(entry["tradable"]),
        lock_spread={int(lock): spread for lock, spread in entry["lock_spread"].items()},
        rules=tuple(_rule(rule, home) for rule in entry["spread"]),
    )
    unknown = sorted((version.tradable | {home}) - set(currencies()))
    if unknown:
        raise FxPolicyError(f"{unknown[0]} is no currency with minor units")
    if home not in version.tradable:
        raise FxPolicyError("the home currency is tradable")
    if not entry["source"]:
        raise FxPolicyError("a version names its source")
    if not 0 < version.convert_max <= version.order_max:
        raise FxPolicyError("the largest order is at least the largest without a quote")
    if not 0 < version.position_flag <= version.position_max:
        raise FxPolicyError("a position is marked before it is refused")
    _check_prices(version)
    return version


def _check_prices(version: FxVersion) -> None:
    """Refuse prices that leave an exchange without one, or nothing to the customer."""
    last = version.rules[-1] if version.rules else None
    if last is None or last.currencies or last.tier != ANY or last.up_to:
        raise FxPolicyError("the last spread is for every exchange")
    dearest = max(rule.terms.spread_basis_points for rule in version.rules)
    if min(version.lock_spread.values()) < 0 or 0 not in version.lock_spread:
        raise FxPolicyError("locks cost nothing or more, and one is none")
    if dearest + max(version.lock_spread.values()) >= BASIS_POINTS:
        raise FxPolicyError("a spread leaves something to the customer")
    if version.quota < 0 or version.quota_currency not in version.tradable:
        raise FxPolicyError("the quota is in a currency that is dealt in")
    dearest_fee = max(rule.terms.fee_basis_points for rule in version.rules)
    if not 0 <= version.abroad_fee_basis_points < BASIS_POINTS - dearest_fee:
        raise FxPolicyError("the fees leave something to be exchanged")


def _rule(entry: dict[str, Any], home: str) -> SpreadRule:
    if not 0 <= entry["spread"] < BASIS_POINTS or not 0 <= entry["fee"] < BASIS_POINTS:
        raise FxPolicyError("shares are 0 to 9,999 basis points")
    named = frozenset(entry["currencies"])
    return SpreadRule(
        currencies=named | {home} if named else named,
        tier=entry["tier"],
        up_to=entry["up_to"],
        terms=Terms(entry["spread"], entry["fee"]),
    )
