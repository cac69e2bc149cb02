"""API keys, and the signatures of requests that some of them demand.

    key = ApiKey(credential="key_0190….VjQ…", sign=signer_from_pem(pem))
    with Client(Config(target=..., tls=Tls(), key=key)) as bank: ...

Every change is signed anew for each attempt: method, API key, time, nonce and the request's bytes.
docs/credentials.md says exactly what, with an example to test other clients against.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "ApiKey",
    "Signer",
    "canonical_text",
    "claim_text",
    "signature_metadata",
    "signer_from_pem",
]

Signer: TypeAlias = Callable[[bytes], bytes]
"""Signs a text: Ed25519 as it is, P-256 over its SHA-256 with a DER signature."""

VERSION = "LONGMEN-SIGNATURE-1"
CLAIM_VERSION = "LONGMEN-KEY-CLAIM-1"
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a merchant or of a system of the bank."""

    credential: str = field(repr=False)
    """Id and secret as ClaimKey gave them, ``<key id>.<secret>``."""
    sign: Signer | None = field(default=None, repr=False)
    """Signs changes; None for keys without a signing key."""

    @property
    def key_id(self) -> str:
        """The key's id."""
        return self.credential.partition(".")[0]


def canonical_text(*, method: str, key_id: str, timestamp: int, nonce: str, digest: str) -> bytes:
    """Return what is signed.

    Args:
        method: full name, ``longmen.transfers.v1.TransfersService/TopUp``.
        key_id: the API key's id.
        timestamp: seconds since the epoch; at most 300 from the server's.
        nonce: 16 to 64 letters, digits, dashes and underscores, never used before with the key.
        digest: SHA-256 of the request's bytes, in lower-case hexadecimal.
    """
    return "\n".join((VERSION, method, key_id, str(timestamp), nonce, digest)).encode()


def claim_text(key_id: str) -> bytes:
    """Return what the claimant of a key's secret signs, for ``ClaimKeyRequest.signature``."""
    return f"{CLAIM_VERSION}\n{key_id}".encode()


def signature_metadata(key: ApiKey, method: str, payload: bytes) -> dict[str, str]:
    """Return the metadata that sign one attempt of a call; none without a signing key."""
    if key.sign is None:
        return {}
    timestamp = int(time.time())  # noqa: TID251 - a client has no injected clock
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    digest = hashlib.sha256(payload).hexdigest()
    text = canonical_text(
        method=method, key_id=key.key_id, timestamp=timestamp, nonce=nonce, digest=digest
    )
    return {
        "longmen-timestamp": str(timestamp),
        "longmen-nonce": nonce,
        "longmen-content-sha256": digest,
        "longmen-signature": base64.urlsafe_b64encode(key.sign(text)).decode().rstrip("="),
    }


def signer_from_pem(pem: bytes) -> Signer:
    """Return what signs with a private key, Ed25519 or P-256. Needs the extra ``signing``.

    Raises:
        ValueError: the PEM is no such key.
    """
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = serialization.load_pem_private_key(pem, password=None)
    if isinstance(key, Ed25519PrivateKey):
        return key.sign
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return lambda text: key.sign(text, ec.ECDSA(hashes.SHA256()))
    raise ValueError("a signing key is Ed25519 or P-256")
