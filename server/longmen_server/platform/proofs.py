"""Proofs that a caller has the key that a token is bound to, by RFC 9449 (DPoP).

A proof is a JWT signed by the device for one call: its method, its moment, its token and, for calls
that change something, its request. Beyond the RFC stands the claim `bod`, the SHA-256 of the
request's bytes, so that a proof that is caught on its way is good for that very request only, which
its request id makes harmless to repeat.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from longmen_server.platform.device_keys import DeviceKey, UnusableKeyError, b64url, read_b64url
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PROOF_TYPE", "ProofChecker"]

PROOF_TYPE: Final = "dpop+jwt"
PROOF_CHARACTERS_MAX: Final = 2_048
JTI_CHARACTERS_MAX: Final = 128
HEADERS_REMEMBERED_MAX: Final = 4_096
"""Headers whose keys are remembered: all proofs of a device have the same one."""

DIGEST_BYTES: Final = 32


class ProofChecker:
    """Checks proofs and remembers them, so that none is taken twice."""

    def __init__(self, *, now_us: Callable[[], int], age_max_s: int, remembered_max: int) -> None:
        """Take what proofs are judged by.

        Args:
            now_us: the trusted clock, in microseconds.
            age_max_s: by how much a proof's time may differ from it.
            remembered_max: proofs to remember; beyond it the oldest are forgotten, which a proof's
                age soon makes up for.
        """
        self._now_us = now_us
        self._age_max_us = age_max_s * 1_000_000
        self._remembered_max = remembered_max
        self._seen: dict[bytes, int] = {}
        self._keys: dict[str, DeviceKey] = {}

    def check(self, proof: str, *, method: str, token: str, thumbprint: str) -> bytes | None:
        """Check the proof of a call.

        Args:
            proof: the metadata `dpop`.
            method: the path of the call, "/longmen.ledger.v1.LedgerService/CreateTransfers".
            token: the access token that goes with it.
            thumbprint: of the key that the token is bound to.

        Returns:
            The SHA-256 that the request's bytes must have; None when the proof does not say.

        Raises:
            Refusal: PROOF_INVALID.
        """
        try:
            claims = self._claims(proof, thumbprint)
            body = claims.get("bod")
            digest = None if body is None else read_b64url(body)
            moment = claims["iat"]
            jti = claims["jti"]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            # The last one for brackets within brackets, a thousand deep.
            raise invalid() from error
        now_us = self._now_us()
        if (
            claims.get("htm") != "POST"
            or claims.get("htu") != method
            or claims.get("ath") != b64url(sha256(token.encode()).digest())
            or type(moment) is not int
            or abs(moment * 1_000_000 - now_us) > self._age_max_us
            or type(jti) is not str
            or not 0 < len(jti) <= JTI_CHARACTERS_MAX
            or (digest is not None and len(digest) != DIGEST_BYTES)
        ):
            raise invalid()
        self._remember(thumbprint, jti, now_us)
        return digest

    def _claims(self, proof: str, thumbprint: str) -> dict[str, Any]:
        """Return the claims of a proof with a good signature.

        Raises:
            Refusal: PROOF_INVALID.
            ValueError, KeyError, TypeError: it is malformed.
        """
        if len(proof) > PROOF_CHARACTERS_MAX:
            raise invalid()
        header, payload, signature = proof.split(".")
        key = self._keys.get(header)
        if key is None:
            key = _read_header(header)
        if key.thumbprint != thumbprint:
            raise invalid()
        if not key.verifies(read_b64url(signature), f"{header}.{payload}".encode()):
            raise invalid()
        # Only keys of good proofs are remembered: a flood of forged ones pushes none out.
        if header not in self._keys:
            if len(self._keys) >= HEADERS_REMEMBERED_MAX:
                del self._keys[next(iter(self._keys))]
            self._keys[header] = key
        claims = json.loads(read_b64url(payload))
        if type(claims) is not dict:
            raise invalid()
        return claims

    def _remember(self, thumbprint: str, jti: str, now_us: int) -> None:
        """Note a proof.

        Raises:
            Refusal: PROOF_INVALID when it was used before.
        """
        seen = self._seen
        mark = sha256(f"{thumbprint}\x00{jti}".encode()).digest()[:16]
        if mark in seen:
            raise invalid()
        while seen:
            oldest = next(iter(seen))
            if seen[oldest] > now_us and len(seen) < self._remembered_max:
                break
            del seen[oldest]
        # A proof from as far ahead as is allowed is good for twice that long.
        seen[mark] = now_us + 2 * self._age_max_us


def _read_header(text: str) -> DeviceKey:
    header = json.loads(read_b64url(text))
    if type(header) is not dict or type(header.get("jwk")) is not dict:
        raise UnusableKeyError("no key in the header")
    key = DeviceKey.from_jwk(header["jwk"])
    if (
        str(header.get("typ")).lower() != PROOF_TYPE
        or header.get("alg") != key.jose_algorithm
        or not {"typ", "alg", "jwk"} >= header.keys()
    ):
        raise UnusableKeyError("not the header of a proof")
    return key


def invalid() -> Refusal:
    """The refusal of a proof that is not good, whatever is wrong with it."""
    return Refusal("PROOF_INVALID", "the proof of the token's key is not valid for this call")
