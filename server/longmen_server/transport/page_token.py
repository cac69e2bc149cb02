"""Page tokens: where a list goes on, sealed so that only this server can make or read one.

A token is bound to the method, the caller and the arguments of the request it answers. It grants
nothing: every page is authorised like the first. The seal keeps its content from becoming part of
the contract, and a position in the books from being guessed or set by a caller.

AES-GCM-SIV is used because it forgives a repeated nonce, which no worker could rule out for the
others that share the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.transport.context import Call

KEY_BYTES = 32
"""Size of the sealing key, which all workers of a server share."""

TOKEN_CHARACTERS_MAX = 1_024
"""Longest token that is looked at; the ones handed out are far shorter."""

UNBOUND_FIELDS = ("page_token", "page_size")
"""Fields of a list request that may differ from page to page."""

_VERSION = b"\x01"
_NONCE_BYTES = 12


class PageTokens:
    """Seals and opens page tokens."""

    def __init__(self, key: bytes) -> None:
        """Take the key, `KEY_BYTES` random bytes."""
        self._cipher = AESGCMSIV(key)

    def seal(self, position: bytes, request: Message, call: Call) -> str:
        """Return the token for the page that begins after `position`.

        Args:
            position: Where this page ended, in whatever form the query likes; not empty.
            request: The list request that is being answered.
            call: Its call.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, position, _binding(request, call))
        return base64.urlsafe_b64encode(_VERSION + nonce + sealed).decode().rstrip("=")

    def open(self, token: str, request: Message, call: Call) -> bytes:
        """Return the position that a token was made with; b"" for an empty token, the first page.

        Raises:
            Refusal: INVALID_PAGE_TOKEN if the token is not one of this server's for this method,
                caller and arguments.
        """
        if not token:
            return b""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise _invalid()
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if data[:1] != _VERSION:
                raise _invalid()
            nonce, sealed = data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
            return self._cipher.decrypt(nonce, sealed, _binding(request, call))
        except (InvalidTag, ValueError, binascii.Error):
            raise _invalid() from None


def _binding(request: Message, call: Call) -> bytes:
    """Return what a token is only good for, as the seal's associated data."""
    bound = type(request)()
    bound.CopyFrom(request)
    for name in UNBOUND_FIELDS:
        if name in bound.DESCRIPTOR.fields_by_name:
            bound.ClearField(name)
    principal = call.principal
    digest = hashlib.sha256()
    for part in (call.method, principal.kind, principal.subject):
        digest.update(part.encode() + b"\x00")
    digest.update(bound.SerializeToString(deterministic=True))
    return digest.digest()


def _invalid() -> Refusal:
    return Refusal(
        "INVALID_PAGE_TOKEN",
        "the page token was not made by this method for this caller and these arguments",
        field="page_token",
    )
