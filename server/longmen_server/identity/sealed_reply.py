"""Replies that carry secrets, as they are recorded: the reply without them, the secrets sealed.

Both parts are serialised messages of the reply's type, so one after the other they are the whole.
What is recorded is a message as well, in which the sealed part is a field that nobody knows: the
verification reads every recorded reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import BrokenSealError

if TYPE_CHECKING:
    from longmen_server.platform.sealing import Sealer

_TAG: Final = b"\x82\xb5\x18"
"""Begins a field of number 50,000 whose content has a length of its own."""
_LENGTH_BYTES: Final = 3
"""As a varint of protobuf, written with all of its bytes: up to 2 MB."""


def pack(reply: bytes, sealed: bytes) -> bytes:
    """Return what is recorded of a reply."""
    size = len(sealed)
    length = bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14))
    return _TAG + length + sealed + reply


def split(recorded: bytes) -> tuple[bytes, bytes]:
    """Return the sealed part of what is recorded, and the rest of the reply."""
    begin = len(_TAG) + _LENGTH_BYTES
    low, middle, high = recorded[len(_TAG) : begin]
    end = begin + (low & 0x7F | (middle & 0x7F) << 7 | high << 14)
    return recorded[begin:end], recorded[end:]


def unpack(recorded: bytes, sealer: Sealer, place: bytes) -> bytes:
    """Return the whole reply.

    Args:
        recorded: what `pack` gave.
        sealer: of replies.
        place: what the secrets were sealed for, the request's digest.

    Raises:
        Refusal: REPLY_EXPIRED when the key that sealed it is gone.
    """
    sealed, rest = split(recorded)
    try:
        return rest + sealer.open(sealed, place)
    except BrokenSealError:
        raise Refusal(
            "REPLY_EXPIRED",
            "the request was answered before and its reply cannot be read any more",
            metadata={"committed_time": ""},
        ) from None
