"""Making codes by message: their digests, and letters that say what they approve."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

from longmen_server.accounts.masking import mask_email
from longmen_server.challenges import texts
from longmen_server.challenges.code_commands import Outgoing
from longmen_server.messages.model import Channel

if TYPE_CHECKING:
    from longmen_server.accounts.personal import FoundWallet, Person
    from longmen_server.challenges.model import ChallengeRow
    from longmen_server.identity.model import Limits
    from longmen_server.messages.post_office import PostOffice
    from longmen_server.platform.ids import ChallengeId
    from longmen_server.platform.sealing import SecretKeys

__all__ = ["MessageCodes"]

DIGITS: Final = 6
PURPOSE: Final = "challenges/codes"
"""Purpose of the key of their digests."""


class MessageCodes:
    """Makes out codes for challenges."""

    def __init__(self, office: PostOffice, keys: SecretKeys, limits: Limits) -> None:
        """Take what seals letters, the server's secret, and how long and how often."""
        self._office = office
        self._key = keys.derive(PURPOSE)
        self.limits = limits

    def digest(self, challenge_id: ChallengeId, code: str) -> bytes:
        """Return what stands for a code in the table: a million cannot be tried without the key."""
        return hmac.digest(self._key, challenge_id + code.encode(), "sha256")

    def make(
        self, book: int, row: ChallengeRow, found: FoundWallet, person: Person, channel: Channel
    ) -> Outgoing | None:
        """Return a fresh code for a challenge, with the letter that brings it.

        None where there is no address that it may go to.
        """
        if found.row.phone_index is None or person.is_erased:
            return None
        if channel == Channel.EMAIL and not person.email_is_proven:
            return None
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        by_mail = channel == Channel.EMAIL
        return Outgoing(
            masked=mask_email(person.email) if by_mail else person.masked_phone_number,
            phone_index=found.row.phone_index,
            digest=self.digest(row.challenge_id, code),
            message=self._office.accept(
                book,
                channel=channel,
                kind="challenge_code",
                recipient=person.email if by_mail else person.phone_number,
                subject=texts.SUBJECT if by_mail else "",
                text=texts.challenge_code(code, row.text),
                lifetime_us=self.limits.code_lifetime_us,
            ),
        )
