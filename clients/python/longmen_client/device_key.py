"""The key of a device: what a session's tokens are bound to, and what signs every call.

Needs the package cryptography (`pip install longmen-client[receipts]`).
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DeviceKey"]

P256, ED25519 = 1, 2
"""Numbers of the contract's KeyAlgorithm."""

PROOF_LABEL = b"longmen-device-proof-v1"


class DeviceKey:
    """A private key, P-256 or Ed25519. In a phone it stays in the secure element; this is a file's.

    Args:
        key: the private key.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> None:
        self._key = key
        if isinstance(key, Ed25519PrivateKey):
            self.algorithm = ED25519
            self.public_key = key.public_key().public_bytes_raw()
            jwk = {"crv": "Ed25519", "kty": "OKP", "x": _b64url(self.public_key)}
        else:
            self.algorithm = P256
            numbers = key.public_key().public_numbers()
            x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
            self.public_key = x + y
            jwk = {"crv": "P-256", "kty": "EC", "x": _b64url(x), "y": _b64url(y)}
        canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
        self.thumbprint = _b64url(sha256(canonical).digest())
        """RFC 7638, as StartLogin wants it."""
        name = "EdDSA" if self.algorithm == ED25519 else "ES256"
        self._header = _encode({"typ": "dpop+jwt", "alg": name, "jwk": jwk})

    @classmethod
    def generate(cls) -> Self:
        """A new P-256 key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load_or_make(cls, path: Path) -> Self:
        """The key of a PEM file, made with mode 0600 when it is not there.

        Raises:
            OSError: the file cannot be read or made.
            ValueError: it holds no P-256 or Ed25519 key.
        """
        if not path.exists():
            fresh = ec.generate_private_key(ec.SECP256R1())
            pem = fresh.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(pem)
            return cls(fresh)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | Ed25519PrivateKey):
            raise ValueError(f"{path}: neither P-256 nor Ed25519")  # noqa: TRY004 - the file is wrong
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """A signature of 64 bytes."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def prove(self, method: str, challenge: bytes) -> bytes:
        """The signature that methods such as CompleteRegistration take.

        Args:
            method: name of the method, "CompleteLogin".
            challenge: the nonce of the verification, or the SHA-256 of a refresh token.
        """
        return self.sign(b"\x00".join((PROOF_LABEL, method.encode(), challenge)))

    def proof(self, path: str, token: str, payload: bytes) -> str:
        """The proof (RFC 9449) that goes with one call of a method.

        Args:
            path: of the method, "/longmen.ledger.v1.LedgerService/CreateTransfers".
            token: access token that goes with it.
            payload: the request's bytes as they are sent.
        """
        claims: dict[str, Any] = {
            "htm": "POST",
            "htu": path,
            "iat": int(time.time()),  # noqa: TID251 - a client has no other clock
            "jti": secrets.token_urlsafe(16),
            "ath": _b64url(sha256(token.encode()).digest()),
            "bod": _b64url(sha256(payload).digest()),
        }
        text = f"{self._header}.{_encode(claims)}"
        return f"{text}.{_b64url(self.sign(text.encode()))}"


def _encode(part: dict[str, Any]) -> str:
    return _b64url(json.dumps(part, separators=(",", ":")).encode())


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
