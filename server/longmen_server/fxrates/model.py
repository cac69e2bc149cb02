"""The rules of rates: how old they may be, how far they may move, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.fx.model import BASE, BASIS_POINTS, mid_of, ratio_of
from longmen_server.platform.money import currencies
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from longmen_server.platform.ids import RateImportId

__all__ = [
    "BASE_RATE",
    "Pair",
    "RateRow",
    "SheetKey",
    "SheetRow",
    "check_age",
    "check_pair",
    "decode_rates",
    "encode_rates",
    "moved_basis_points",
    "pair_of",
]

ECB: Final = "ecb"
MANUAL: Final = "manual"
SECOND_US: Final = 1_000_000


@dataclass(slots=True)
class RateRow:
    """What a currency is worth at present."""

    currency_code: str
    rate: str
    """Units per unit of the base, a plain decimal."""
    source: str
    observed_at_us: int
    imported_at_us: int
    held_rate: str | None
    """A later one that moved too far."""
    held_source: str | None
    held_at_us: int | None
    """When the held one was observed."""

    def copy(self) -> RateRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def decimal(self) -> Decimal:
        """The rate as a number."""
        return Decimal(self.rate)


BASE_RATE: Final = RateRow(BASE, "1", "", 1 << 62, 1 << 62, None, None, None)
"""What the base is worth in itself: always the same, and never old."""


class SheetKey(NamedTuple):
    """Where a sheet of rates came from."""

    source: str
    """`ecb`, or `manual` and the currency."""
    observed_at_us: int


@dataclass(slots=True, frozen=True)
class SheetRow:
    """Rates observed together; they never change."""

    source: str
    observed_at_us: int
    imported_at_us: int
    import_id: RateImportId
    rates: str
    """As of :func:`encode_rates`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two currencies and what one is worth in the other."""

    source: RateRow
    target: RateRow

    @property
    def mid(self) -> Fraction:
        """Units of the target for one of the source, exactly."""
        return mid_of(self.source.rate, self.target.rate)

    @property
    def ratio(self) -> Fraction:
        """The same between minor units."""
        source, target = self.source, self.target
        return ratio_of(source.rate, target.rate, source.currency_code, target.currency_code)

    @property
    def older(self) -> RateRow:
        """The rate that was observed first."""
        return min(self.source, self.target, key=lambda row: row.observed_at_us)


def encode_rates(rates: Mapping[str, Decimal]) -> str:
    """Return rates as one text, in the order of their codes."""
    return " ".join(f"{code}={rate:f}" for code, rate in sorted(rates.items()))


def decode_rates(text: str) -> dict[str, Decimal]:
    """Return the rates of a sheet's text."""
    pairs = (part.partition("=") for part in text.split())
    return {code: Decimal(rate) for code, _, rate in pairs}


def moved_basis_points(present: Decimal, new: Decimal) -> int:
    """Return how far a rate moved, rounded up, so that a limit is never passed unseen."""
    moved = abs(Fraction(new) / Fraction(present) - 1) * BASIS_POINTS
    return -(-moved.numerator // moved.denominator)


def check_pair(source: str, target: str, tradable: Collection[str]) -> None:
    """Refuse what cannot be exchanged.

    Raises:
        Refusal: FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE.
    """
    if source == target:
        raise same_currency(source)
    for code in (source, target):
        check_tradable(code, tradable)


def check_tradable(code: str, tradable: Collection[str]) -> None:
    """Refuse a currency that is unknown or not dealt in.

    Raises:
        Refusal: FX_CURRENCY_NOT_TRADABLE.
    """
    if code not in tradable or code not in currencies():
        raise Refusal(
            "FX_CURRENCY_NOT_TRADABLE",
            "the currency cannot be exchanged here",
            metadata={"currency_code": code},
        )


def same_currency(code: str) -> Refusal:
    """Return the refusal of a currency's exchange into itself."""
    return Refusal(
        "FX_SAME_CURRENCY",
        "source and target are the same currency",
        metadata={"currency_code": code},
    )


def pair_of(rates: Mapping[str, RateRow], source: str, target: str) -> Pair:
    """Return what a pair is made of.

    Raises:
        Refusal: FX_RATE_NOT_FOUND.
    """
    rows = []
    for code in (source, target):
        row = BASE_RATE if code == BASE else rates.get(code)
        if row is None:
            raise Refusal(
                "FX_RATE_NOT_FOUND",
                "there is no rate of the currency",
                metadata={"currency_code": code},
            )
        rows.append(row)
    return Pair(*rows)


def age_seconds(row: RateRow, now_us: int) -> int:
    """Return how long ago a rate was observed."""
    return max(0, now_us - row.observed_at_us) // SECOND_US


def check_age(pair: Pair, now_us: int, limit_us: int) -> None:
    """Refuse rates that are too old to be promised.

    Raises:
        Refusal: FX_RATE_STALE with the age of the older.
    """
    row = pair.older
    if now_us - row.observed_at_us > limit_us:
        raise Refusal(
            "FX_RATE_STALE",
            "the rate is older than its limit",
            metadata={
                "currency_code": row.currency_code,
                "age_seconds": str(age_seconds(row, now_us)),
                "limit_seconds": str(limit_us // SECOND_US),
            },
        )


def check_observed(row: RateRow | None, observed_at_us: int, now_us: int) -> None:
    """Refuse a rate from the future, or from before the present one.

    Raises:
        Refusal: FX_RATE_FROM_FUTURE, FX_RATE_SUPERSEDED.
    """
    if observed_at_us > now_us:
        raise Refusal(
            "FX_RATE_FROM_FUTURE",
            "the rate was observed in the future",
            metadata={"now_us": str(now_us)},
            field="observe_time",
        )
    if row is not None and observed_at_us <= row.observed_at_us:
        raise Refusal(
            "FX_RATE_SUPERSEDED",
            "the present rate was observed later",
            metadata={"observed_us": str(row.observed_at_us)},
            field="observe_time",
        )


def check_jump(row: RateRow, rate: Decimal, limit_basis_points: int) -> None:
    """Refuse a rate that moves further than one caller may move it.

    Raises:
        Refusal: FX_RATE_JUMP.
    """
    moved = moved_basis_points(row.decimal, rate)
    if moved > limit_basis_points:
        raise Refusal(
            "FX_RATE_JUMP",
            "the rate moved too far to be taken without two people",
            metadata={
                "currency_code": row.currency_code,
                "present_rate": row.rate,
                "moved_basis_points": str(moved),
                "limit_basis_points": str(limit_basis_points),
            },
            field="rate",
        )
