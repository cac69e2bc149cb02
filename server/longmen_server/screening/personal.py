"""What was matched, sealed before a command is made and opened after a query.

An entry of a list is like the customer's name: in clear it would tell the name, and whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import Field

if TYPE_CHECKING:
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import DataKey
    from longmen_server.screening.model import MatchRow

__all__ = ["open_match", "seal_match"]

ENTRY: Final = Field("name_match", "sealed")
END: Final = "\n"
"""Between entry and label; neither has one, since lists are read line by line."""


def seal_match(
    key: DataKey, customer_id: CustomerId, match_id: bytes, entry: str, label: str
) -> bytes:
    """Return an entry with its label as they are kept."""
    return key.seal(ENTRY, book_of(customer_id), customer_id + match_id, entry + END + label)


def open_match(key: DataKey, row: MatchRow) -> tuple[str, str]:
    """Return an entry and its label.

    Raises:
        SealBrokenError: they were damaged or moved from another place.
    """
    place = row.customer_id + row.match_id
    entry, _, label = key.open(ENTRY, book_of(row.customer_id), place, row.sealed).partition(END)
    return entry, label
