"""Money: a whole number of minor units and an ISO 4217 code, never a float.

Decimals exist only here, at the edge where people read and write amounts. Exponents are data of ISO
4217 (JPY 0, CNY 2, KWD 3), not of a locale: display conventions differ and would misplace the
point.
"""

from __future__ import annotations

import decimal
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Final

from iso4217 import Currency

__all__ = [
    "MINOR_UNITS_MAXIMUM",
    "MINOR_UNITS_MINIMUM",
    "CurrencyMismatchError",
    "Money",
    "Rounding",
    "UnknownCurrencyError",
    "alpha_code",
    "currencies",
    "exponent_of",
    "numeric_code",
]

MINOR_UNITS_MAXIMUM: Final = 2**63 - 1
MINOR_UNITS_MINIMUM: Final = -(2**63)

AMOUNT: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,18})(?:\.([0-9]+))?", re.ASCII)
"""A plain decimal: ASCII digits, no exponent, no grouping, no plus sign, no needless zero."""

EXACT: Final = decimal.Context(prec=60, traps=[decimal.Inexact, decimal.InvalidOperation])


class UnknownCurrencyError(ValueError):
    """A code is not a currency of ISO 4217 that has minor units."""


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies were to be added or compared."""


class Rounding(Enum):
    """Named ways to fit a decimal into minor units; the caller always says which."""

    HALF_EVEN = decimal.ROUND_HALF_EVEN
    """To the nearest, ties to the even neighbour: no drift over many amounts."""
    HALF_UP = decimal.ROUND_HALF_UP
    """To the nearest, ties away from zero: what customers expect on one line."""
    DOWN = decimal.ROUND_DOWN
    """Towards zero: never more than was earned."""
    UP = decimal.ROUND_UP
    """Away from zero: never less than was owed."""


@cache
def currencies() -> dict[str, int]:
    """Every code with its exponent; metals, funds and test codes have none and are left out."""
    return {
        currency.code: currency.exponent for currency in Currency if currency.exponent is not None
    }


def exponent_of(currency: str) -> int:
    """Digits after the point of a currency.

    Raises:
        UnknownCurrencyError: ISO 4217 knows no such currency with minor units.
    """
    try:
        return currencies()[currency]
    except KeyError:
        raise UnknownCurrencyError(f"{currency} is not an ISO 4217 currency") from None


@cache
def _numbers() -> dict[str, int]:
    return {c.code: c.number for c in Currency if c.exponent is not None and c.number is not None}


@cache
def _codes() -> dict[int, str]:
    return {number: code for code, number in _numbers().items()}


def numeric_code(currency: str) -> int:
    """The number ISO 4217 gives a currency: 156 for CNY.

    Raises:
        UnknownCurrencyError: ISO 4217 knows no such currency with minor units.
    """
    exponent_of(currency)
    return _numbers()[currency]


def alpha_code(number: int) -> str:
    """The three letters of the currency with this ISO 4217 number.

    Raises:
        UnknownCurrencyError: no currency with minor units has the number.
    """
    try:
        return _codes()[number]
    except KeyError:
        raise UnknownCurrencyError(f"{number} is not an ISO 4217 currency") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency."""

    minor_units: int
    """Whole minor units, a signed 64-bit number: 1234 is CNY 12.34, JPY 1234 or KWD 1.234."""
    currency: str
    """ISO 4217 alphabetic code, upper case."""

    def __post_init__(self) -> None:
        """Refuse what is not an exact amount.

        Raises:
            TypeError: the amount is not an int (bool and float included).
            OverflowError: it needs more than 64 bits.
            UnknownCurrencyError: the code is not a currency.
        """
        if type(self.minor_units) is not int:
            raise TypeError(f"minor units are an int, not {type(self.minor_units).__name__}")
        if not MINOR_UNITS_MINIMUM <= self.minor_units <= MINOR_UNITS_MAXIMUM:
            raise OverflowError("the amount needs more than 64 bits")
        exponent_of(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """The amount a plain decimal text means in a currency.

        Raises:
            TypeError: not a text; a float has already lost the exact amount.
            ValueError: not a plain decimal, or finer than the currency's minor unit.
        """
        if not isinstance(text, str):
            raise TypeError(f"an amount is parsed from text, not from {type(text).__name__}")
        match = AMOUNT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a plain decimal amount")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        exponent = exponent_of(currency)
        if len(fraction) > exponent:
            raise ValueError(f"{currency} has {exponent} digits after the point, {text} has more")
        minor_units = int(whole + fraction.ljust(exponent, "0"))
        return cls(-minor_units if sign else minor_units, currency)

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str, *, rounding: Rounding) -> Money:
        """The amount nearest to a decimal, by a named rounding.

        Raises:
            TypeError: not a Decimal; floats are refused.
            ValueError: not finite.
        """
        if not isinstance(amount, Decimal):
            raise TypeError(f"an amount is rounded from a Decimal, not {type(amount).__name__}")
        if not amount.is_finite():
            raise ValueError("the amount is not finite")
        context = decimal.Context(prec=60, rounding=rounding.value)
        scaled = amount.scaleb(exponent_of(currency), context)
        return cls(int(scaled.to_integral_value(rounding=rounding.value)), currency)

    def to_decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor_units).scaleb(-exponent_of(self.currency), EXACT)

    def format_amount(self) -> str:
        """The amount as a plain decimal with all the currency's digits; `parse` reads it back."""
        exponent = exponent_of(self.currency)
        sign = "-" if self.minor_units < 0 else ""
        digits = str(abs(self.minor_units)).rjust(exponent + 1, "0")
        if exponent == 0:
            return sign + digits
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    def __str__(self) -> str:
        """Amount and code, for people: `12.34 CNY`."""
        return f"{self.format_amount()} {self.currency}"

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor_units + self._same_currency(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor_units - self._same_currency(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor_units, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor_units < self._same_currency(other)

    def __le__(self, other: Money) -> bool:
        return self.minor_units <= self._same_currency(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor_units > self._same_currency(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor_units >= self._same_currency(other)

    def __bool__(self) -> bool:
        return self.minor_units != 0

    def _same_currency(self, other: Money) -> int:
        """The other amount's minor units, when both are of one currency."""
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} do not mix")
        return other.minor_units
