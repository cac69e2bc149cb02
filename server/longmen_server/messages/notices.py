"""Notices: messages that tell customers what became of what protects their wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.messages.model import SECOND_US, Channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.personal import Person
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.post_office import PostOffice

__all__ = ["Notices"]

LIFETIME_US: Final = 3 * 86_400 * SECOND_US
"""For how long a notice is worth delivering: it is news to its reader for longer than a code, but
somebody who was away for days sees in the app what has changed."""


SUBJECT: Final = "钱包安全通知 Security of your wallet"


class Notices:
    """Makes notices, for commands to leave behind in the transaction of the change itself."""

    def __init__(self, office: PostOffice) -> None:
        """Take what seals messages."""
        self._office = office

    def to(self, book: int, person: Person | None, kind: str, text: str) -> list[MessageRow]:
        """Return the messages that tell somebody something: to phone and proven e-mail address.

        Args:
            book: of the command that they tell of.
            person: who is told; None, and somebody whose data was erased, cannot be told.
            kind: what it is about, in one word for logs.
            text: what it says; nothing secret.
        """
        if person is None or person.is_erased:
            return []
        addresses = [person.email] if person.email_is_proven else []
        return [self._sms(book, person, kind, text), *self.mail(book, addresses, kind, text)]

    def once(self, book: int, person: Person | None, kind: str, text: str) -> list[MessageRow]:
        """Return one message: by e-mail where the address is proven, which costs less, else SMS."""
        if person is not None and person.email_is_proven and not person.is_erased:
            return self.mail(book, [person.email], kind, text)
        return self.to(book, person, kind, text)

    def mail(self, book: int, addresses: Iterable[str], kind: str, text: str) -> list[MessageRow]:
        """Return messages to e-mail addresses, proven or not."""
        return [
            self._office.accept(
                book,
                channel=Channel.EMAIL,
                kind=kind,
                recipient=address,
                subject=SUBJECT,
                text=text,
                lifetime_us=LIFETIME_US,
            )
            for address in addresses
        ]

    def _sms(self, book: int, person: Person, kind: str, text: str) -> MessageRow:
        return self._office.accept(
            book,
            channel=Channel.SMS,
            kind=kind,
            recipient=person.phone_number,
            subject="",
            text=text,
            lifetime_us=LIFETIME_US,
        )
