"""Signatures of requests: what is signed, and how it is verified.

The caller signs these lines, joined by line feeds, without one at the end:

    LONGMEN-SIGNATURE-1
    the method, "longmen.transfers.v1.TransfersService/TopUp"
    the API key's id, "key_..."
    the time, in whole seconds since the epoch, decimal
    the nonce, 16 to 64 letters, digits, dashes and underscores
    SHA-256 of the request's bytes, in lower-case hexadecimal

and sends time, nonce, that digest and the signature (base64url without padding) as the metadata
`longmen-timestamp`, `longmen-nonce`, `longmen-content-sha256` and `longmen-signature`. Ed25519
signs the text as it is; P-256 signs its SHA-256 and sends the DER signature.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "METADATA_KEYS",
    "Signature",
    "check_public_key",
    "is_signed",
    "read_signature",
    "verify",
]

VERSION: Final = "LONGMEN-SIGNATURE-1"
METADATA_KEYS: Final = (
    "longmen-timestamp",
    "longmen-nonce",
    "longmen-content-sha256",
    "longmen-signature",
)
AGE_SECONDS_MAX: Final = 300
"""How far a signature's time may be from ours, either way."""

_TIME = re.compile(r"[1-9][0-9]{8,10}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIGNATURE_CHARACTERS_MAX = 200


class Signature(NamedTuple):
    """What the metadata of a signed call say."""

    timestamp: str
    nonce: str
    digest: str
    signature: str

    def text(self, method: str, key_id: str) -> bytes:
        """Return what is signed."""
        lines = (VERSION, method, key_id, self.timestamp, self.nonce, self.digest)
        return "\n".join(lines).encode()


def invalid() -> Refusal:
    """The refusal of a signature that is not good, whatever is wrong with it."""
    return Refusal("SIGNATURE_INVALID", "the request's signature is not valid")


def read_signature(metadata: Sequence[tuple[str, str | bytes]]) -> Signature:
    """Return the signature in a call's metadata.

    Raises:
        Refusal: SIGNATURE_MISSING when a part of it is not there, SIGNATURE_INVALID when one is
            there twice or malformed.
    """
    found: dict[str, str] = {}
    for key, value in metadata:
        if key in METADATA_KEYS:
            if key in found:
                raise invalid()
            found[key] = str(value)
    if len(found) < len(METADATA_KEYS):
        raise Refusal("SIGNATURE_MISSING", "calls that move money have to be signed")
    signature = Signature(*(found[key] for key in METADATA_KEYS))
    if not (
        _TIME.fullmatch(signature.timestamp)
        and _NONCE.fullmatch(signature.nonce)
        and _DIGEST.fullmatch(signature.digest)
        and len(signature.signature) <= _SIGNATURE_CHARACTERS_MAX
    ):
        raise invalid()
    return signature


def verify(
    signature: Signature, *, method: str, key_id: str, public_key: bytes, now_us: int
) -> None:
    """Verify a signature but for its nonce.

    Raises:
        Refusal: SIGNATURE_INVALID.
    """
    if abs(int(signature.timestamp) - now_us // 1_000_000) > AGE_SECONDS_MAX:
        raise invalid()
    try:
        given = signature.signature
        raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != given:
            raise invalid()  # the last character has bits that decoding ignores
    except (binascii.Error, ValueError):
        raise invalid() from None
    if not is_signed(public_key, raw, signature.text(method, key_id)):
        raise invalid()


def is_signed(public_key: bytes, signature: bytes, text: bytes) -> bool:
    """Whether a text was signed with the private half of a public key, which is in DER."""
    try:
        key = load_public_key(public_key)
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, text)
        else:
            key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def load_public_key(der: bytes) -> Ed25519PublicKey | ec.EllipticCurvePublicKey:
    """Return the key of a SubjectPublicKeyInfo.

    Raises:
        ValueError: it is no Ed25519 or P-256 key.
    """
    try:
        key = serialization.load_der_public_key(der)
    except UnsupportedAlgorithm:
        raise ValueError("an unsupported kind of key") from None
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("neither Ed25519 nor P-256")


def check_public_key(der: bytes, field: str = "public_key") -> None:
    """Refuse what no signature could be verified with.

    Args:
        der: the key.
        field: of the request that it came in.

    Raises:
        Refusal: SIGNING_KEY_INVALID.
    """
    try:
        load_public_key(der)
    except ValueError:
        raise Refusal(
            "SIGNING_KEY_INVALID",
            "the public key is no Ed25519 or P-256 key in DER",
            field=field,
        ) from None
