"""Letters in and out of the form they are stored in."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from longmen_server.messages.model import Channel, Letter, MessageRow
from longmen_server.platform.ids import MessageId, new_id

if TYPE_CHECKING:
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.sealing import Sealer

_BOUND = b"message_outbox.sealed\x00"


class PostOffice:
    """Seals letters for commands to append, and opens them for delivery."""

    def __init__(self, sealer: Sealer, clock: Clock, *, index_key: bytes) -> None:
        """Take what seals, the business clock, and the key of the recipients' indexes."""
        self._sealer = sealer
        self._clock = clock
        self._index_key = index_key

    def index(self, recipient: str) -> bytes:
        """Return what a recipient's messages are found by; without the key it tells nothing."""
        return hmac.digest(self._index_key, recipient.encode(), "sha256")

    def accept(
        self,
        book: int,
        *,
        channel: Channel,
        kind: str,
        recipient: str,
        subject: str,
        text: str,
        lifetime_us: int,
    ) -> MessageRow:
        """Return the row of a letter, for a command to append to `tables.MESSAGE`.

        Args:
            book: of the command that the letter tells of.
            channel: the way to send it.
            kind: what it is about, in one word for logs; no part of its secret.
            recipient: phone number, e-mail address or push token.
            subject: heading; may be empty.
            text: what it says.
            lifetime_us: for how long it is worth delivering, in microseconds.
        """
        message_id = MessageId(new_id(book, self._clock))
        now_us = self._clock.now_us()
        plain = json.dumps([recipient, subject, text], ensure_ascii=False).encode()
        return MessageRow(
            message_id=message_id,
            channel=channel,
            kind=kind,
            created_at_us=now_us,
            expires_at_us=now_us + lifetime_us,
            attempts=0,
            sealed=self._sealer.seal(plain, place=_BOUND + message_id),
            recipient_index=self.index(recipient),
        )

    def open(self, row: MessageRow) -> Letter:
        """Return the letter of a row.

        Raises:
            BrokenSealError: the keys have changed, or the row was tampered with.
        """
        plain = self._sealer.open(row.sealed, place=_BOUND + row.message_id)
        recipient, subject, text = json.loads(plain)
        return Letter(
            message_id=row.message_id,
            channel=Channel(row.channel),
            kind=row.kind,
            recipient=recipient,
            subject=subject,
            text=text,
        )
