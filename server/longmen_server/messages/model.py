"""What a message is, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from longmen_server.platform.ids import MessageId

SECOND_US: Final = 1_000_000
BACKOFF_US_MAX: Final = 60 * SECOND_US
"""Longest pause between two attempts: a code that comes later is mostly useless."""


class Channel(IntEnum):
    """The way a message goes; the numbers are stored."""

    SMS = 1
    EMAIL = 2
    PUSH = 3


class MessageState(IntEnum):
    """What has become of a message; the numbers are stored."""

    QUEUED = 1
    DELIVERED = 2
    """The provider has taken it."""
    FAILED = 3
    """Given up: the provider will never take it, or not within the attempts allowed."""
    EXPIRED = 4
    """Its time was over before it could be delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent, in clear; it never stands so in the database, nor in a log."""

    message_id: MessageId
    channel: Channel
    kind: str
    """What it is about, such as "registration_code"; may be logged."""
    recipient: str
    """Phone number, e-mail address or push token, by the channel."""
    subject: str
    """Heading, for the channels that have one."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message as stored."""

    message_id: MessageId
    channel: int
    kind: str
    created_at_us: int
    expires_at_us: int
    """From when it is no longer worth delivering, in microseconds of business time."""
    attempts: int
    sealed: bytes
    """Recipient, subject and text, sealed for this message id."""
    recipient_index: bytes = b""
    """What the recipient's messages are found by, to be emptied with their owner; where one is read
    for delivery it is not needed."""


class ErasedRecipient(NamedTuple):
    """Whose messages are to be emptied."""

    recipient_index: bytes
    erased_at_us: int


def backoff_us(attempts: int) -> int:
    """How long to wait after so many failed attempts, in microseconds."""
    return min(SECOND_US << min(attempts, 16), BACKOFF_US_MAX)
