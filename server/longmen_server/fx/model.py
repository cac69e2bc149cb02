"""The arithmetic of exchange: exact rates, what a customer pays and gets, and who bears the rest.

Rates are decimals per unit of the feed's base. The cross of two currencies is the fraction of
their rates and is never rounded; only amounts are, to minor units: what a customer gets is rounded
down, what a customer pays is rounded up. What the rounding leaves goes to an account of its own,
so that mid-market value = customer's amount + spread + residue, to the minor unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from typing import Final

from longmen_server.platform.money import MINOR_UNITS_MAXIMUM, exponent_of
from longmen_server.platform.refusal import Refusal

__all__ = [
    "BASE",
    "BASIS_POINTS",
    "Deal",
    "Side",
    "Terms",
    "buy",
    "client_rate",
    "cross",
    "mid_of",
    "minor_ratio",
    "parse_rate",
    "ratio_of",
    "sell",
    "shown",
    "shown_rate",
    "value",
]

BASE: Final = "EUR"
"""What every rate is stored against: the base of the European Central Bank's feed."""

BASIS_POINTS: Final = 10_000
"""Of which a whole is made."""

RATE: Final = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?", re.ASCII)
"""A rate as text: up to twelve digits on either side of the point, no sign and no exponent."""

CACHED: Final = 4096
"""Crosses of rates that are kept at hand: all pairs of two days' rates."""

SHOWN_DIGITS: Final = 12
"""Significant digits of a rate that people are shown; nothing is computed from them."""


class Side(IntEnum):
    """Which amount of an exchange is fixed; values of longmen.fx.v1.FixedSide."""

    SOURCE = 1
    TARGET = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """What an exchange costs beyond the mid-market rate."""

    spread_basis_points: int
    """Taken off the mid-market rate; 0 to 9,999."""
    fee_basis_points: int = 0
    """Of what is paid, charged in the source currency; 0 to 9,999."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One exchange in minor units; every amount is zero or more."""

    source: int
    """What the customer pays, fee included."""
    fee: int
    """Of it, what is not exchanged."""
    target: int
    """What the customer gets."""
    spread: int
    """What the bank earns by the spread, in the target currency."""
    residue: int
    """What rounding leaves over, in the target currency."""

    @property
    def exchanged(self) -> int:
        """What is given for the target, in the source currency."""
        return self.source - self.fee

    @property
    def mid_value(self) -> int:
        """What is given for the source at the mid-market rate, in the target currency."""
        return self.target + self.spread + self.residue


def parse_rate(text: str) -> Decimal | None:
    """Return the rate that a plain decimal means, or None when it means none above zero."""
    if RATE.fullmatch(text) is None:
        return None
    rate = Decimal(text)
    return rate if rate > 0 else None


def cross(source_rate: Decimal, target_rate: Decimal) -> Fraction:
    """Return how many units of the target one unit of the source is worth, exactly."""
    return Fraction(target_rate) / Fraction(source_rate)


@lru_cache(maxsize=CACHED)
def mid_of(source_rate: str, target_rate: str) -> Fraction:
    """Return the cross of two rates as they are kept: few change, and many deal at them."""
    return cross(Decimal(source_rate), Decimal(target_rate))


@lru_cache(maxsize=CACHED)
def ratio_of(
    source_rate: str, target_rate: str, source_currency: str, target_currency: str
) -> Fraction:
    """Return the cross of two rates as they are kept, between minor units."""
    return minor_ratio(mid_of(source_rate, target_rate), source_currency, target_currency)


@lru_cache(maxsize=CACHED)
def shown_rate(
    source_rate: str, target_rate: str, spread_basis_points: int, digits: int = SHOWN_DIGITS
) -> str:
    """Return what a customer gets for one unit of the source, as people are shown it.

    Without a spread it is the mid-market rate.
    """
    return shown(client_rate(mid_of(source_rate, target_rate), spread_basis_points), digits)


def client_rate(mid: Fraction, spread_basis_points: int) -> Fraction:
    """Return the rate a customer gets who pays one unit of the source."""
    return mid * Fraction(BASIS_POINTS - spread_basis_points, BASIS_POINTS)


def minor_ratio(mid: Fraction, source_currency: str, target_currency: str) -> Fraction:
    """Return the same rate between minor units, which have the exponents of ISO 4217."""
    shift = exponent_of(target_currency) - exponent_of(source_currency)
    return mid * Fraction(10) ** shift


def shown(rate: Fraction, digits: int = SHOWN_DIGITS) -> str:
    """Return a rate as a plain decimal of so many significant digits, rounded half to even."""
    exponent = digits - 1 - _magnitude(rate)
    scaled = round(rate * Fraction(10) ** exponent)
    text = format(Decimal(scaled).scaleb(-exponent), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _magnitude(rate: Fraction) -> int:
    """Return the power of ten of a positive number's first significant digit."""
    guess = len(str(rate.numerator)) - len(str(rate.denominator))
    return guess if rate >= Fraction(10) ** guess else guess - 1


def sell(source: int, ratio: Fraction, terms: Terms) -> Deal:
    """Return the exchange of a fixed amount that is paid.

    Args:
        source: minor units that the customer pays, above zero.
        ratio: mid-market rate between minor units, of :func:`minor_ratio`.
        terms: what it costs.

    Raises:
        Refusal: FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE.
    """
    fee = -(-source * terms.fee_basis_points // BASIS_POINTS)
    exact = (source - fee) * ratio.numerator
    keep = BASIS_POINTS - terms.spread_basis_points
    target = exact * keep // (ratio.denominator * BASIS_POINTS)
    return _checked(source, fee, target, (exact, ratio.denominator), terms)


def buy(target: int, ratio: Fraction, terms: Terms) -> Deal:
    """Return the exchange of a fixed amount that is got, for the least that pays for it.

    The rate is inverted, not divided by: the price is the smallest that :func:`sell` would give
    the amount for.

    Args:
        target: minor units that the customer gets, above zero.
        ratio: mid-market rate between minor units, of :func:`minor_ratio`.
        terms: what it costs.

    Raises:
        Refusal: FX_AMOUNT_TOO_LARGE.
    """
    keep = BASIS_POINTS - terms.spread_basis_points
    exchanged = -(-target * ratio.denominator * BASIS_POINTS // (ratio.numerator * keep))
    rest = BASIS_POINTS - terms.fee_basis_points
    source = -(-exchanged * BASIS_POINTS // rest)
    exact = exchanged * ratio.numerator, ratio.denominator
    return _checked(source, source - exchanged, target, exact, terms)


def _checked(source: int, fee: int, target: int, exact: tuple[int, int], terms: Terms) -> Deal:
    """Return the deal of a mid-market value, split into what it is made of.

    The value comes as numerator and denominator, not reduced: only whole units are taken of it.
    """
    above, below = exact
    if target <= 0:
        raise Refusal(
            "FX_AMOUNT_TOO_SMALL", "the amount is worth less than one minor unit of the target"
        )
    mid_value = above // below
    if max(source, mid_value) > MINOR_UNITS_MAXIMUM:
        raise Refusal("FX_AMOUNT_TOO_LARGE", "the amount is too large to be exchanged")
    spread = above * terms.spread_basis_points // (below * BASIS_POINTS)
    return Deal(source, fee, target, spread, mid_value - target - spread)


def value(amount: int, ratio: Fraction) -> int:
    """Return what minor units of either sign are worth by a ratio, rounded half to even."""
    below = ratio.denominator
    whole, rest = divmod(amount * ratio.numerator, below)
    over = 2 * rest - below
    return whole + (over > 0 or (over == 0 and whole & 1))
