"""Tables and cards: what the answers look like to people.

Text from the server is never read as markup, so that no description can paint the terminal.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from longmen_client import Money, MoneyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp
    from rich.console import RenderableType

    from longmen.type.v1 import money_pb2

__all__ = [
    "Text",
    "amount",
    "card",
    "minor_units",
    "moment",
    "table",
    "word",
]

_COLOURS = {
    "OPEN": "green",
    "COMPLETED": "green",
    "CREATED": "green",
    "CAPTURED": "green",
    "HELD": "yellow",
    "SCHEDULED": "yellow",
    "PROCESSING": "yellow",
    "EXISTS": "yellow",
    "CLOSING": "yellow",
    "FROZEN": "red",
    "RECEIVING_ONLY": "red",
    "PAYING_ONLY": "red",
    "DEBIT_FROZEN": "red",
    "CREDIT_FROZEN": "red",
    "FAILED": "red",
    "REFUSED": "red",
    "CANCELLED": "dim",
    "VOIDED": "dim",
    "EXPIRED": "dim",
    "CLOSED": "dim",
}


def amount(message: money_pb2.Money, *, sign: int = 1) -> Text:
    """An amount with its currency; what went out is red."""
    return minor_units(sign * message.minor_units, message.currency_code)


def minor_units(value: int, currency_code: str) -> Text:
    """An amount given as a number and a currency."""
    try:
        text = Money(value, currency_code).text(grouping=True)
    except MoneyError:  # A currency that this client's table does not have yet.
        text = f"{value} minor units"
    return Text(f"{currency_code} {text}", style="red" if value < 0 else "")


def moment(stamp: Timestamp) -> Text:
    """A moment in the zone of this machine; nothing for one that is absent."""
    if not stamp.seconds and not stamp.nanos:
        return Text("")
    local = stamp.ToDatetime(tzinfo=UTC).astimezone()
    return Text(local.strftime("%Y-%m-%d %H:%M:%S %Z"))


def word(enum: Any, prefix: str, number: int) -> Text:
    """The word of an enum's value, in its colour."""
    found = enum.DESCRIPTOR.values_by_number.get(number)
    name = found.name.removeprefix(prefix) if found else str(number)
    return Text(name.lower().replace("_", " "), style=_COLOURS.get(name, ""))


def card(title: str, rows: Iterable[tuple[str, RenderableType | str]]) -> Table:
    """One thing with its facts, those without a value left out."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        shown = Text(value) if isinstance(value, str) else value
        if not isinstance(shown, Text) or shown.plain:
            table.add_row(name, shown)
    return table


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[RenderableType | str]],
    *,
    right: Sequence[str] = (),
) -> Table:
    """Many things; columns named in `right` stand at the right, as amounts do."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    if not made.row_count:
        made.caption = "nothing found"
    return made
