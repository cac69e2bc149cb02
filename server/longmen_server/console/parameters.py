"""Values on the command line: amounts, moments, months and payees."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import EnumDescriptor

    from longmen.transfers.v1 import transfer_pb2
    from longmen_client import Money

_SPAN = re.compile(r"(\d{1,7})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class MomentType(click.ParamType[datetime]):
    """A moment: ISO 8601; without a zone, in the zone of this machine."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> datetime:
        """The moment a text names."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no time such as 2026-01-31 or 2026-01-31T18:00", param, ctx)
        return moment.astimezone(UTC)


class SpanType(click.ParamType[timedelta]):
    """A length of time, such as 90s, 30m, 2h or 7d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> timedelta:
        """The length a text names."""
        if isinstance(value, timedelta):
            return value
        match = _SPAN.fullmatch(value)
        if match is None:
            self.fail(f"{value} is no length of time such as 90s, 30m, 2h or 7d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


class MonthType(click.ParamType[tuple[int, int]]):
    """A month, such as 2026-01."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> tuple[int, int]:
        """Year and month of a text."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", value)
        if match is None:
            self.fail(f"{value} is no month such as 2026-01", param, ctx)
        return int(match[1]), int(match[2])


class EnumType(click.Choice[str]):
    """One of an enum's words, in lower case with hyphens."""

    def __init__(self, enum: EnumDescriptor, prefix: str) -> None:
        self._numbers = {
            value.name.removeprefix(prefix).lower().replace("_", "-"): value.number
            for value in enum.values
            if value.number
        }
        super().__init__(list(self._numbers))

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Any:
        """The number of a word."""
        if isinstance(value, int):
            return value
        return self._numbers[super().convert(value, param, ctx)]


MOMENT = MomentType()
SPAN = SpanType()
MONTH = MonthType()


def money(amount: str, currency_code: str) -> Money:
    """The amount of two words of the command line.

    Raises:
        ValueError: it is no exact amount of the currency.
    """
    from longmen_client import Money

    return Money.of(amount, currency_code.upper())


def payee(text: str) -> transfer_pb2.Payee:
    """A payee by account id or by phone number."""
    from longmen_client import pay_account, pay_phone

    return pay_account(text) if text.startswith("acct_") else pay_phone(text)


def currency_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The currency of the amounts of a command."""
    return click.option(
        "-c", "--currency", default="CNY", show_default=True, help="Currency of the amount."
    )(function)


def book_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The book a command is about."""
    return click.option(
        "--book",
        type=click.IntRange(0, 32767),
        default=0,
        help="Book; 0 is the server's default.",
    )(function)


def limit_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """How many items a list shows."""
    return click.option(
        "-n",
        "--limit",
        type=click.IntRange(1),
        default=50,
        show_default=True,
        help="Show at most so many.",
    )(function)


def since_until_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The range of times a list is narrowed to."""
    function = click.option("--until", type=MOMENT, help="Before this time.")(function)
    return click.option("--since", type=MOMENT, help="From this time on.")(function)
