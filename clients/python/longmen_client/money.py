"""Money for programs: exact integers in a currency's smallest unit, and never a float.

This module owns the arithmetic and the decimal text of amounts. It knows nothing of accounts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from longmen.type.v1 import money_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Money", "MoneyError", "exponent_of", "total"]

_DECIMAL_TEXT = re.compile(r"[+-]?[0-9]{1,24}(?:\.[0-9]{1,24})?")
_DIGITS_MAXIMUM = 64
"""More digits than any amount needs; bounds the work that a strange decimal can ask for."""

_LIMIT = 2**63
"""Counters of the contract are int64."""


class MoneyError(ValueError):
    """Not an amount: a float, too many decimals, an unknown currency, mixed currencies."""


@lru_cache(maxsize=512)
def exponent_of(currency_code: str) -> int:
    """Digits after the decimal point of a currency by ISO 4217: CNY 2, JPY 0, KWD 3.

    Raises:
        MoneyError: the code is unknown, or names something without a smallest unit, such as gold.
    """
    # Parsing the currency table takes tens of milliseconds, so programs that never need it wait for
    # none.
    from iso4217 import Currency

    try:
        exponent = Currency(currency_code).exponent
    except ValueError as error:
        raise MoneyError(f"{currency_code!r} is not an ISO 4217 currency code") from error
    if exponent is None:
        raise MoneyError(f"{currency_code} has no smallest unit")
    return int(exponent)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount of one currency. Any sign is allowed here; requests take amounts above zero.

    Raises:
        MoneyError: minor_units is not an int, or lies outside 64 bits.
    """

    minor_units: int
    """Amount in the currency's smallest unit: 1234 is CNY 12.34 or JPY 1234."""

    currency_code: str
    """ISO 4217 alphabetic code in upper case."""

    def __post_init__(self) -> None:
        if type(self.minor_units) is not int:
            raise MoneyError(
                f"minor units are an int, not {type(self.minor_units).__name__}: "
                'write Money.of("12.34", "CNY")'
            )
        if not -_LIMIT <= self.minor_units < _LIMIT:
            raise MoneyError("minor units do not fit into 64 bits")
        if not re.fullmatch(r"[A-Z]{3}", self.currency_code):
            raise MoneyError(f"{self.currency_code!r} is not an ISO 4217 currency code")

    @classmethod
    def of(cls, amount: str | int | Decimal, currency_code: str) -> Self:
        """An amount in major units: ``Money.of("12.34", "CNY")``, ``Money.of(12, "CNY")``.

        Raises:
            MoneyError: a float or bool, text that is no plain decimal number, more decimals than
            the
                currency has (they are never rounded away), or an unknown currency.
        """
        decimals = exponent_of(currency_code)
        sign, digits, exponent = _decimal(amount).as_tuple()
        # Integer arithmetic: the decimal context would round an amount of many digits silently.
        shift = int(exponent) + decimals
        number = int("".join(map(str, digits)))
        if shift > _DIGITS_MAXIMUM and number:
            raise MoneyError("minor units do not fit into 64 bits")
        scale = 10 ** min(abs(shift), _DIGITS_MAXIMUM)
        minor_units, lost = (number * scale, 0) if shift >= 0 else divmod(number, scale)
        if lost or (number and shift < -_DIGITS_MAXIMUM):
            raise MoneyError(f"{amount} has more than the {decimals} decimals of {currency_code}")
        return cls(-minor_units if sign else minor_units, currency_code)

    @classmethod
    def zero(cls, currency_code: str) -> Self:
        """Nothing, in a currency."""
        return cls(0, currency_code)

    @classmethod
    def from_proto(cls, message: money_pb2.Money) -> Self:
        """The amount of a message of the contract."""
        return cls(message.minor_units, message.currency_code)

    def to_proto(self) -> money_pb2.Money:
        """The amount as a message of the contract."""
        return money_pb2.Money(minor_units=self.minor_units, currency_code=self.currency_code)

    @property
    def amount(self) -> Decimal:
        """Amount in major units, with all decimals of the currency."""
        return Decimal(self.minor_units).scaleb(-exponent_of(self.currency_code))

    def text(self, *, grouping: bool = False) -> str:
        """Decimal text without the currency, such as ``1234.50``, or ``1,234.50`` with grouping."""
        digits = exponent_of(self.currency_code)
        return f"{self.amount:,.{digits}f}" if grouping else f"{self.amount:.{digits}f}"

    def split(self, parts: int) -> list[Self]:
        """Equal shares that add up exactly; the first ones may be one smallest unit larger.

        Raises:
            MoneyError: parts is below 1.
        """
        if parts < 1:
            raise MoneyError("money is split into at least one part")
        share, rest = divmod(self.minor_units, parts)
        return [
            type(self)(share + (1 if index < rest else 0), self.currency_code)
            for index in range(parts)
        ]

    def __str__(self) -> str:
        return f"{self.currency_code} {self.text()}"

    def __bool__(self) -> bool:
        return self.minor_units != 0

    def __add__(self, other: Money) -> Self:
        return type(self)(self.minor_units + self._same(other), self.currency_code)

    def __sub__(self, other: Money) -> Self:
        return type(self)(self.minor_units - self._same(other), self.currency_code)

    def __neg__(self) -> Self:
        return type(self)(-self.minor_units, self.currency_code)

    def __abs__(self) -> Self:
        return type(self)(abs(self.minor_units), self.currency_code)

    def __mul__(self, factor: int) -> Self:
        if type(factor) is not int:
            raise MoneyError(f"money is multiplied by an int, not {type(factor).__name__}")
        return type(self)(self.minor_units * factor, self.currency_code)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.minor_units < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor_units <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor_units > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor_units >= self._same(other)

    def _same(self, other: Money) -> int:
        """The other amount's minor units, once it is known to be of the same currency."""
        if not isinstance(other, Money):
            raise MoneyError(f"money goes with money, not with {type(other).__name__}")
        if other.currency_code != self.currency_code:
            raise MoneyError(f"{self.currency_code} and {other.currency_code} do not mix")
        return other.minor_units


def total(amounts: Iterable[Money], currency_code: str) -> Money:
    """The sum of amounts of one currency; nothing in that currency when there are none."""
    return sum(amounts, Money.zero(currency_code))


def _decimal(amount: str | int | Decimal) -> Decimal:
    """The exact decimal behind an amount; refuses everything that may have been rounded before."""
    if isinstance(amount, str):
        if not _DECIMAL_TEXT.fullmatch(amount):
            raise MoneyError(f"{amount!r} is not a decimal number such as 12.34")
        return Decimal(amount)
    if isinstance(amount, Decimal):
        if not amount.is_finite():
            raise MoneyError(f"{amount} is not an amount")
        return amount
    if type(amount) is int:
        return Decimal(amount)
    raise MoneyError(
        f"amounts are text, int or Decimal, never {type(amount).__name__}: "
        'write Money.of("12.34", "CNY")'
    )
