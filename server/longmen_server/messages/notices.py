"""Notices: messages that tell customers what became of what protects their wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.messages.model import SECOND_US, Channel

if TYPE_CHECKING:
    from longmen_server.accounts.personal import Person
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.post_office import PostOffice

__all__ = ["Notices"]

LIFETIME_US: Final = 3 * 86_400 * SECOND_US
"""For how long a notice is worth delivering: it is news to its reader for longer than a code, but
somebody who was away for days sees in the app what has changed."""


class Notices:
    """Makes notices, for commands to leave behind in the transaction of the change itself."""

    def __init__(self, office: PostOffice) -> None:
        """Take what seals messages."""
        self._office = office

    def to(self, book: int, person: Person | None, kind: str, text: str) -> list[MessageRow]:
        """Return the messages that tell somebody something.

        Args:
            book: of the command that they tell of.
            person: who is told; None, and somebody whose data was erased, cannot be told.
            kind: what it is about, in one word for logs.
            text: what it says; nothing secret.
        """
        if person is None or person.is_erased:
            return []
        return [
            self._office.accept(
                book,
                channel=Channel.SMS,
                kind=kind,
                recipient=person.phone_number,
                subject="",
                text=text,
                lifetime_us=LIFETIME_US,
            )
        ]
