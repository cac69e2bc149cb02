"""Public keys of devices: P-256 and Ed25519, their signatures and their thumbprints."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DeviceKey", "KeyAlgorithm", "UnusableKeyError", "b64url", "read_b64url"]

SIGNATURE_BYTES: Final = 64
"""Size of a signature of either kind; r and s of P-256 stand one after the other."""

_COORDINATE: Final = 32
_CURVE: Final = ec.SECP256R1()
_ECDSA: Final = ec.ECDSA(hashes.SHA256())


class UnusableKeyError(ValueError):
    """Bytes or a JWK that are no public key of the algorithm."""


class KeyAlgorithm(IntEnum):
    """The numbers of the contract's KeyAlgorithm."""

    P256 = 1
    ED25519 = 2


@dataclass(frozen=True, slots=True, init=False)
class DeviceKey:
    """One public key."""

    algorithm: KeyAlgorithm
    public: bytes
    """x and y of P-256, 64 bytes; the 32 bytes of Ed25519."""
    thumbprint: str
    """RFC 7638, SHA-256, base64url without padding."""
    _key: ec.EllipticCurvePublicKey | Ed25519PublicKey

    def __init__(self, algorithm: int, public: bytes) -> None:
        """Take a key.

        Raises:
            UnusableKeyError: the bytes are no key of the algorithm.
        """
        try:
            kind = KeyAlgorithm(algorithm)
            key: ec.EllipticCurvePublicKey | Ed25519PublicKey
            if kind == KeyAlgorithm.P256:
                if len(public) != 2 * _COORDINATE:
                    raise UnusableKeyError("a P-256 key has 64 bytes")
                key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x04" + public)
            else:
                key = Ed25519PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise UnusableKeyError("no public key of the algorithm") from error
        object.__setattr__(self, "algorithm", kind)
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "thumbprint", _thumbprint(_jwk(kind, public)))
        object.__setattr__(self, "_key", key)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> DeviceKey:
        """Read a public JWK.

        Raises:
            UnusableKeyError: it is none, of another kind, or has a private part.
        """
        kind = (jwk.get("kty"), jwk.get("crv"))
        if "d" in jwk:
            raise UnusableKeyError("a private key is nobody's to see")
        try:
            if kind == ("EC", "P-256"):
                x, y = read_b64url(jwk["x"]), read_b64url(jwk["y"])
                if len(x) != _COORDINATE:
                    raise UnusableKeyError("a coordinate has 32 bytes")
                return cls(KeyAlgorithm.P256, x + y)
            if kind == ("OKP", "Ed25519"):
                return cls(KeyAlgorithm.ED25519, read_b64url(jwk["x"]))
        except (KeyError, TypeError, ValueError) as error:
            raise UnusableKeyError("no public key") from error
        raise UnusableKeyError("a key of another kind")

    @property
    def jose_algorithm(self) -> str:
        """Name of the algorithm in JOSE."""
        return "ES256" if self.algorithm == KeyAlgorithm.P256 else "EdDSA"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether a signature of 64 bytes is this key's over a message."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            if isinstance(self._key, Ed25519PublicKey):
                self._key.verify(signature, message)
            else:
                r = int.from_bytes(signature[:_COORDINATE], "big")
                s = int.from_bytes(signature[_COORDINATE:], "big")
                self._key.verify(encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True


def b64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_b64url(text: str) -> bytes:
    """Bytes of base64url without padding.

    Raises:
        ValueError: it is none, or not the one way to write those bytes.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("not base64url") from error
    if b64url(data) != text:
        raise ValueError("not the canonical base64url")
    return data


def _jwk(algorithm: KeyAlgorithm, public: bytes) -> dict[str, str]:
    if algorithm == KeyAlgorithm.P256:
        x, y = public[:_COORDINATE], public[_COORDINATE:]
        return {"crv": "P-256", "kty": "EC", "x": b64url(x), "y": b64url(y)}
    return {"crv": "Ed25519", "kty": "OKP", "x": b64url(public)}


def _thumbprint(jwk: dict[str, str]) -> str:
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return b64url(sha256(canonical.encode()).digest())
