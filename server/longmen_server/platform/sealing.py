"""The server's own secrets: one key file, from which every use gets a key of its own.

Keys are derived by HKDF-SHA256 with the name of their purpose, so what leaks from one use tells
nothing about another. Sealed texts are AES-GCM-SIV, which forgives a repeated nonce: no worker can
rule one out for the others that share the key.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KEY_BYTES", "BrokenSealError", "Sealer", "SecretKeys"]

KEY_BYTES: Final = 32
"""Size of the key file and of every derived key."""

_LABEL: Final = b"longmen.secrets.v1/"
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class BrokenSealError(Exception):
    """A sealed text is not this server's, or stands in another place than it was made for."""


class Sealer:
    """Seals and opens secrets that have to be stored and got back."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes."""
        self._cipher = AESGCMSIV(key)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Return a sealed text; never the same twice.

        Args:
            plain: the secret.
            place: where it will stand, such as the id of its row; it can be opened only there.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Return the secret in a sealed text.

        Raises:
            BrokenSealError: it was changed, moved, or sealed with another key.
        """
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION:
            raise BrokenSealError("no sealed text of a known version")
        try:
            return self._cipher.decrypt(nonce, text, place)
        except (InvalidTag, ValueError):
            raise BrokenSealError("the seal is broken") from None


class SecretKeys:
    """Keys for every purpose, from the server's one secret."""

    def __init__(self, root: bytes) -> None:
        """Take the secret.

        Raises:
            ValueError: it is not 32 bytes.
        """
        if len(root) != KEY_BYTES:
            raise ValueError(f"the server's secret has {KEY_BYTES} bytes, not {len(root)}")
        self._root = root

    @classmethod
    def load(cls, path: Path) -> SecretKeys:
        """Read the key file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not 32 bytes.
        """
        return cls(path.read_bytes())

    def derive(self, purpose: str) -> bytes:
        """Return the key of a purpose, 32 bytes; the same for ever for the same file."""
        info = _LABEL + purpose.encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._root)

    def sealer(self, purpose: str) -> Sealer:
        """Return what seals texts of a purpose."""
        return Sealer(self.derive(purpose))
