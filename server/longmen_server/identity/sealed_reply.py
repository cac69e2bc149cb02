"""Replies that carry secrets, as they are recorded: the reply without them, the secrets sealed.

Both parts are serialised messages of the reply's type, so one after the other they are the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import BrokenSealError

if TYPE_CHECKING:
    from longmen_server.platform.sealing import Sealer

_LENGTH_BYTES: Final = 4


def pack(reply: bytes, sealed: bytes) -> bytes:
    """Return what is recorded of a reply."""
    return len(reply).to_bytes(_LENGTH_BYTES, "big") + reply + sealed


def unpack(recorded: bytes, sealer: Sealer, place: bytes) -> bytes:
    """Return the whole reply.

    Args:
        recorded: what `pack` gave.
        sealer: of replies.
        place: what the secrets were sealed for, the request's digest.

    Raises:
        Refusal: REPLY_EXPIRED when the key that sealed it is gone.
    """
    end = _LENGTH_BYTES + int.from_bytes(recorded[:_LENGTH_BYTES], "big")
    try:
        return recorded[_LENGTH_BYTES:end] + sealer.open(recorded[end:], place)
    except BrokenSealError:
        raise Refusal(
            "REPLY_EXPIRED",
            "the request was answered before and its reply cannot be read any more",
            metadata={"committed_time": ""},
        ) from None
