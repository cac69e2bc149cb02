"""Resume cursors: how far a reader has come in every writer's journal, sealed.

Each writer numbers what it commits without gaps, so one number for each writer says exactly what
has been read, whatever was committed late. The numbers are sealed so that they stay our own
business, and bound to the kind of stream and the book, but not to the caller: a consumer may hand
its cursor to its successor.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CURSOR_CHARACTERS_MAX", "Cursors"]

CURSOR_CHARACTERS_MAX: Final = 4_096
"""Longest cursor, in characters: room for some 300 writers that never rest."""

_VERSION: Final = b"\x02"
_NONCE_BYTES: Final = 12
_MORE: Final = 0x80


class Cursors:
    """Seals and opens cursors; the key is that of the page tokens."""

    def __init__(self, key: bytes) -> None:
        """Take the key, 32 random bytes that all workers of a server share."""
        self._cipher = AESGCMSIV(key)

    def seal(self, positions: Mapping[int, int], *, kind: str, book: int) -> str:
        """Return the cursor for positions reached.

        Args:
            positions: last number read, by writer; both are above zero.
            kind: which stream it is good for, such as "events".
            book: whose journals they are.
        """
        body = bytearray()
        for writer in sorted(positions):
            body += _varint(writer) + _varint(positions[writer])
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, bytes(body) or b"\x00", _binding(kind, book))
        cursor = base64.urlsafe_b64encode(_VERSION + nonce + sealed).decode().rstrip("=")
        assert len(cursor) <= CURSOR_CHARACTERS_MAX, "a book has a few hundred writers at most"
        return cursor

    def open(self, cursor: str, *, kind: str, book: int) -> dict[int, int]:
        """Return the positions of a cursor; none for an empty one.

        Raises:
            Refusal: INVALID_CURSOR if it is not one of this server's for this stream and book.
        """
        if not cursor:
            return {}
        if len(cursor) > CURSOR_CHARACTERS_MAX:
            raise _invalid()
        try:
            padding = "=" * (-len(cursor) % 4)
            data = base64.b64decode(cursor + padding, altchars=b"-_", validate=True)
            if data[:1] != _VERSION:
                raise _invalid()
            nonce, sealed = data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
            body = self._cipher.decrypt(nonce, sealed, _binding(kind, book))
        except (InvalidTag, ValueError, binascii.Error):
            raise _invalid() from None
        numbers = _varints(body) if body != b"\x00" else []
        return dict(zip(numbers[::2], numbers[1::2], strict=True))


def _binding(kind: str, book: int) -> bytes:
    return f"longmen cursor {kind} {book}".encode()


def _varint(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    encoded = bytearray()
    while number >= _MORE:
        encoded.append(number & 0x7F | _MORE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _varints(data: bytes) -> list[int]:
    numbers: list[int] = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < _MORE:
            numbers.append(number)
            number = shift = 0
    return numbers


def _invalid() -> Refusal:
    return Refusal(
        "INVALID_CURSOR",
        "the cursor is not one that this stream has given out",
        field="cursor",
    )
