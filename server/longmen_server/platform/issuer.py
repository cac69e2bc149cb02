"""The server as an issuer of access tokens: for customers and staff who sign in here.

The private key is one PEM file; its public side is kept in a JWKS file beside it, which every
worker's verifier reads. Keys are rotated by replacing the PEM file: the public side of the new one
is added, and the old ones stay until the operator takes them out, so that tokens in use stay good.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jwt

from longmen_server.platform.ids import CUSTOMER
from longmen_server.platform.tokens import (
    JWKS_KEYS_MAX,
    TOKEN_TYPE,
    KeyFileError,
    load_or_make_key,
    read_keys,
    write_private,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.ids import CustomerId

__all__ = ["IDENTITY_ISSUER", "IDENTITY_KEY_FILE", "IdentityIssuer", "Issued", "jwks_of"]

IDENTITY_ISSUER: Final = "longmen-identity"
"""The `iss` of tokens of sessions; no other issuer's key can sign for it."""

IDENTITY_KEY_FILE: Final = "identity.pem"


class Issued(NamedTuple):
    """An access token."""

    token: str
    expires_at_us: int
    """Microseconds of the trusted clock."""


def jwks_of(key: Path) -> Path:
    """The JWKS file that stands beside a private key."""
    return key.with_suffix(".jwks.json")


class StaffClaims(NamedTuple):
    """What a token says of a member of staff."""

    roles: str
    """Names of roles, separated by spaces."""
    person: str
    branch: str


class IdentityIssuer:
    """Signs access tokens of sessions."""

    def __init__(self, key: Path, *, audience: str, lifetime_s: int, clock: Clock) -> None:
        """Read the key, or make it; see that the JWKS file has its public side.

        Args:
            key: PEM file of an Ed25519 key.
            audience: the `aud` of the tokens.
            lifetime_s: how long they last.
            clock: the trusted clock.

        Raises:
            KeyFileError: the key cannot be used.
        """
        self._audience = audience
        self._lifetime_s = lifetime_s
        self._clock = clock
        try:
            key.parent.mkdir(mode=0o700, exist_ok=True)
            self._key = load_or_make_key(key)
            self._key_id = self._publish(jwks_of(key))
        except OSError as error:
            raise KeyFileError(f"{key}: {error.strerror}") from error

    def _publish(self, path: Path) -> str:
        """Add the public key to the JWKS file unless it is there; return its id."""
        entry: dict[str, Any] = jwt.algorithms.OKPAlgorithm.to_jwk(
            self._key.public_key(), as_dict=True
        )
        key_id = f"identity-{entry['x'][:12]}"
        known: list[Any] = []
        if path.exists():
            if key_id in read_keys(path):
                return key_id
            known = json.loads(path.read_text("utf-8"))["keys"]
        fresh = {**entry, "kid": key_id, "alg": "EdDSA", "use": "sig"}
        keys = [fresh, *known][:JWKS_KEYS_MAX]
        write_private(path, json.dumps({"keys": keys}, indent=2).encode())
        return key_id

    def mint(
        self,
        *,
        kind: str,
        subject: str,
        scopes: Iterable[str],
        session_id: str,
        device_id: str,
        thumbprint: str,
        customer_id: CustomerId | None = None,
        staff: StaffClaims | None = None,
    ) -> Issued:
        """Sign a token of a session.

        Args:
            kind: customer or staff.
            subject: who it speaks for, unique within the kind.
            scopes: what it may do.
            session_id: the session, "sess_...".
            device_id: its device, "dev_...".
            thumbprint: of the key that every call has to prove.
            customer_id: for customers.
            staff: for staff.
        """
        now_s = self._clock.now_us() // 1_000_000
        payload: dict[str, Any] = {
            "iss": IDENTITY_ISSUER,
            "aud": self._audience,
            "sub": subject,
            "kind": kind,
            "scope": " ".join(sorted(scopes)),
            "jti": secrets.token_urlsafe(12),
            "iat": now_s,
            "exp": now_s + self._lifetime_s,
            "sid": session_id,
            "did": device_id,
            "cnf": {"jkt": thumbprint},
        }
        if customer_id is not None:
            payload["customer"] = CUSTOMER.encode(customer_id)
        if staff is not None:
            payload |= staff._asdict()
        headers = {"typ": TOKEN_TYPE, "kid": self._key_id}
        token = jwt.encode(payload, self._key, algorithm="EdDSA", headers=headers)
        return Issued(token, payload["exp"] * 1_000_000)
