"""Messages of donors: sealed under their own data key, so that erasing a donor erases them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import Field

if TYPE_CHECKING:
    from longmen_server.donations.queries import FoundDonation
    from longmen_server.platform.pii import Vault

__all__ = ["MESSAGE", "open_message"]

MESSAGE: Final = Field("donation", "message")


def open_message(vault: Vault, found: FoundDonation) -> str:
    """Return the message of a gift; of an erased donor there is none any more.

    Raises:
        SealBrokenError: it was damaged or moved from another gift.
    """
    row = found.row
    if row.message is None or found.wrapped_key is None:
        return ""
    book = book_of(row.donation_id)
    key = vault.data_key(book, row.donor_id, found.wrapped_key)
    return key.open(MESSAGE, book, row.donation_id, row.message)
