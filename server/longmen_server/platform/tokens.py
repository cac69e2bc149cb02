"""Access tokens: signed JWTs, verified here without asking anybody.

A token is EdDSA (Ed25519) or ES256, of type `at+jwt`, for our audience and from our issuer, signed
by a key of the JWKS file. Each key can be used with the one algorithm its type allows, so a token
cannot choose how it is verified; headers that point at keys elsewhere are refused. A server that is
no production server makes a development key in its data folder, and `longmen token` signs with it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen_server.platform.ids import (
    CUSTOMER,
    DEVICE,
    SESSION,
    CustomerId,
    IdKind,
    MalformedIdError,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from longmen_server.platform.clock import Clock

__all__ = [
    "DEVELOPMENT_JWKS",
    "KINDS",
    "Claims",
    "DevelopmentIssuer",
    "KeyFileError",
    "TokenVerifier",
]

KINDS: Final = frozenset({"service", "customer", "staff", "merchant"})
"""Sorts of principals; names as in the contract's PrincipalKind."""

TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - a media type (RFC 9068), not a secret
FOREIGN_KEY_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit"})
"""Headers by which a token would bring or point at its own key, or demand what we do not know."""

TOKEN_CHARACTERS_MAX: Final = 4096
COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""The one spelling of a token (RFC 7515, section 7.1): no padding and no other alphabet, which the
library would read as well."""
JWKS_KEYS_MAX: Final = 64
TEXT_CHARACTERS_MAX: Final = 256
RELOAD_SECONDS: Final = 1.0
"""How often at most the JWKS file is looked at: keys come and go within this, and a flood of
unknown key ids costs one `stat` a second."""

SESSION_TOKEN_US_MAX: Final = 900 * 1_000_000
"""Longest life of a session's token, whoever has set it: a stolen one is good no longer."""

STAFF: Final = "staff"
"""The kind of members of staff."""

DEVELOPMENT_KEY_ID: Final = "development-"
"""What the ids of keys of development tokens begin with; production takes none of them."""

KEYS_FOLDER: Final = "keys"
PRIVATE_KEY: Final = "development.pem"
DEVELOPMENT_JWKS: Final = "development.jwks.json"


class KeyFileError(Exception):
    """A key file cannot be used; the message is one line that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says about its bearer."""

    kind: str
    """One of KINDS."""
    subject: str
    """Who it is, unique within the kind and issuer."""
    scopes: frozenset[str]
    """What it may do."""
    customer_id: CustomerId | None
    """The customer it acts for; every customer token has one."""
    token_id: str
    """The token's own id, for logs and revocation."""
    expires_at_us: int
    """When it ends, in microseconds since the epoch."""
    session_id: str | None = None
    """The session it belongs to; None for tokens without one."""
    device_id: str | None = None
    """The device its session is bound to."""
    proof_thumbprint: str | None = None
    """RFC 7638 thumbprint of the key whose possession every call with it proves (cnf.jkt)."""
    roles: frozenset[str] | None = None
    """Roles of a member of staff; None for others and where a development token names none."""
    person: str = ""
    """The person behind an account of staff."""
    branch: str = ""
    """The branch of an account of staff; empty for the whole bank."""


class KeySet:
    """The public keys of one issuer, read again when their file changes."""

    def __init__(self, path: Path, issuer: str) -> None:
        """Read the keys.

        Raises:
            KeyFileError: the file is missing or holds no usable key.
        """
        self.issuer = issuer
        self.keys = read_keys(path)
        self._path = path
        self._stamp = self._file_stamp()

    def reload(self) -> None:
        """Take over a changed key file; keep the last good keys when the new one is broken."""
        stamp = self._file_stamp()
        if stamp == self._stamp:
            return
        try:
            self.keys = read_keys(self._path)
        except KeyFileError:
            return
        self._stamp = stamp

    def _file_stamp(self) -> tuple[int, int, int] | None:
        """What changes when the file is replaced."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


class TokenVerifier:
    """Verifies tokens against the JWKS files of the issuers we trust."""

    def __init__(
        self,
        jwks: Path,
        *,
        issuer: str,
        audience: str,
        leeway_seconds: int,
        clock: Clock,
        session_jwks: Path | None = None,
        session_issuer: str = "",
        production: bool = False,
    ) -> None:
        """Read the keys.

        Args:
            jwks: file with the public keys of the operator's issuer; read again when it changes.
            issuer: the `iss` that its tokens must have.
            audience: the `aud` that tokens must have.
            leeway_seconds: how far the issuer's clock and ours may differ.
            clock: the trusted clock, not one that a test can set.
            session_jwks: file with the keys of the issuer of sessions' tokens; None trusts none.
            session_issuer: the `iss` of those; only they speak of sessions.
            production: whether development keys, and staff without a session, are refused.

        Raises:
            KeyFileError: a file is missing or holds no usable key.
        """
        self._sets = [KeySet(jwks, issuer)]
        if session_jwks is not None:
            self._sets.append(KeySet(session_jwks, session_issuer))
        self._session_issuer = session_issuer if session_jwks is not None else None
        self._production = production
        self._audience = audience
        self._leeway_us = leeway_seconds * 1_000_000
        self._clock = clock
        self._looked_at = clock.monotonic()

    def verify(self, token: str) -> Claims:
        """What a token says, once everything about it is right.

        Raises:
            Refusal: TOKEN_INVALID for anything wrong with it, TOKEN_EXPIRED when only its time is
                over. Neither says which check failed: that helps forgers more than callers.
        """
        self._reload()
        payload = self._decode(token)
        now_us = self._clock.now_us()
        expires_us = instant(payload, "exp")
        if now_us < instant(payload, "iat") - self._leeway_us:
            raise invalid()
        if "nbf" in payload and now_us < instant(payload, "nbf") - self._leeway_us:
            raise invalid()
        of_session = payload["iss"] == self._session_issuer
        if self._production and not of_session and payload.get("kind") == STAFF:
            raise invalid()  # staff sign in here: an issuer elsewhere knows no person and no role
        if of_session and expires_us - instant(payload, "iat") > SESSION_TOKEN_US_MAX:
            raise invalid()
        claims = read_claims(payload, expires_us + self._leeway_us, of_session=of_session)
        if now_us >= claims.expires_at_us:
            raise Refusal("TOKEN_EXPIRED", "the access token has expired")
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        """The payload of a token with a good signature, issuer and audience, whatever its times."""
        if len(token) > TOKEN_CHARACTERS_MAX or COMPACT.fullmatch(token) is None:
            raise invalid()
        try:
            header = jwt.get_unverified_header(token)
            key_id = str(header.get("kid"))
            key, issuer = self._find(key_id)
            if (
                key is None
                or (self._production and key_id.startswith(DEVELOPMENT_KEY_ID))
                or header.get("alg") != key.algorithm_name
                or str(header.get("typ")).lower() != TOKEN_TYPE
                or not FOREIGN_KEY_HEADERS.isdisjoint(header)
            ):
                raise invalid()
            payload: dict[str, Any] = jwt.decode(
                token,
                key=key.key,
                algorithms=[key.algorithm_name],
                issuer=issuer,
                audience=self._audience,
                options={
                    "require": ["exp", "iat", "sub", "jti", "iss", "aud"],
                    # Judged by our own clock instead.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise invalid() from error
        return payload

    def _find(self, key_id: str) -> tuple[jwt.PyJWK | None, str]:
        """The key of an id, and the one issuer it can sign for."""
        for each in self._sets:
            key = each.keys.get(key_id)
            if key is not None:
                return key, each.issuer
        return None, ""

    def _reload(self) -> None:
        """Look at the key files now and then."""
        now = self._clock.monotonic()
        if now - self._looked_at < RELOAD_SECONDS:
            return
        self._looked_at = now
        for each in self._sets:
            each.reload()


def invalid() -> Refusal:
    """The refusal of a token that is not good, whatever is wrong with it."""
    return Refusal("TOKEN_INVALID", "the access token is not valid")


def instant(payload: dict[str, Any], claim: str) -> int:
    """A NumericDate claim in microseconds.

    Raises:
        Refusal: TOKEN_INVALID when it is not a number of a sane size.
    """
    value = payload.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise invalid()
    return int(value * 1_000_000)


def read_claims(payload: dict[str, Any], expires_at_us: int, *, of_session: bool = False) -> Claims:
    """Our claims in a payload whose signature is good.

    Args:
        payload: what the token says.
        expires_at_us: when it is over.
        of_session: whether its issuer may speak of sessions, and then must. A key to prove is
            honoured whoever binds a token to one.

    Raises:
        Refusal: TOKEN_INVALID when one is missing or malformed.
    """
    kind, scope = payload.get("kind"), payload.get("scope", "")
    customer = payload.get("customer")
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(scope, str):
        raise invalid()
    if (kind == "customer") != (customer is not None):
        raise invalid()
    try:
        customer_id = None if customer is None else CUSTOMER.decode(customer)
    except (MalformedIdError, TypeError) as error:
        raise invalid() from error
    return Claims(
        kind=kind,
        subject=text_claim(payload, "sub"),
        scopes=frozenset(scope.split()),
        customer_id=customer_id,
        token_id=text_claim(payload, "jti"),
        expires_at_us=expires_at_us,
        session_id=session_claim(payload, "sid", SESSION) if of_session else None,
        device_id=session_claim(payload, "did", DEVICE) if of_session else None,
        proof_thumbprint=thumbprint_claim(payload, demanded=of_session),
        **staff_claims(payload, demanded=of_session),
    )


def staff_claims(payload: dict[str, Any], *, demanded: bool) -> dict[str, Any]:
    """Roles, person and branch of a token of staff; nothing for other kinds.

    Args:
        payload: what the token says.
        demanded: whether roles have to be named; a development token may leave them out.

    Raises:
        Refusal: TOKEN_INVALID.
    """
    if payload["kind"] != STAFF:
        return {}
    roles, branch = payload.get("roles"), payload.get("branch", "")
    if (roles is None and demanded) or not isinstance(roles, str | None):
        raise invalid()
    if not isinstance(branch, str) or len(branch) > TEXT_CHARACTERS_MAX:
        raise invalid()
    return {
        "roles": None if roles is None else frozenset(roles.split()),
        "person": text_claim(payload, "person" if demanded or "person" in payload else "sub"),
        "branch": branch,
    }


def session_claim(payload: dict[str, Any], claim: str, kind: IdKind[Any]) -> str:
    """A claim that is an id, as text."""
    text = text_claim(payload, claim)
    try:
        kind.decode(text)
    except MalformedIdError as error:
        raise invalid() from error
    return text


def thumbprint_claim(payload: dict[str, Any], *, demanded: bool) -> str | None:
    """The thumbprint of the key to prove (RFC 7800, RFC 9449)."""
    confirmation = payload.get("cnf")
    if confirmation is None and not demanded:
        return None
    if not isinstance(confirmation, dict) or set(confirmation) != {"jkt"}:
        raise invalid()
    return text_claim(confirmation, "jkt")


def text_claim(payload: dict[str, Any], claim: str) -> str:
    """A claim that is a short printable text."""
    value = payload.get(claim)
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_CHARACTERS_MAX:
        raise invalid()
    if not value.isprintable():
        raise invalid()
    return value


def read_keys(path: Path) -> dict[str, jwt.PyJWK]:
    """The verification keys of a JWKS file by key id.

    Raises:
        KeyFileError: unreadable, malformed, too many keys, or a key that is not Ed25519 or P-256.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        entries = document["keys"]
        if not isinstance(entries, list) or not 0 < len(entries) <= JWKS_KEYS_MAX:
            raise KeyFileError(f"{path}: 1 to {JWKS_KEYS_MAX} keys are wanted")
        return {entry["kid"]: read_key(path, entry) for entry in entries}
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
        raise KeyFileError(f"{path}: is not a JWKS file of public keys with key ids") from error


def read_key(path: Path, entry: dict[str, Any]) -> jwt.PyJWK:
    """One key, bound to the only algorithm its type allows."""
    algorithm = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256"}.get(
        (entry.get("kty", ""), entry.get("crv", ""))
    )
    if algorithm is None or entry.get("alg", algorithm) != algorithm or "d" in entry:
        raise KeyFileError(f"{path}: key {entry['kid']} is not a public Ed25519 or P-256 key")
    return jwt.PyJWK(entry, algorithm=algorithm)


class DevelopmentIssuer:
    """Signs tokens with the development key of a data folder, making it at first use."""

    def __init__(self, data: Path, *, issuer: str, audience: str, clock: Clock) -> None:
        """Read or make the key.

        Args:
            data: the server's data folder.
            issuer: the `iss` of the tokens.
            audience: the `aud` of the tokens.
            clock: when tokens are issued; the trusted clock.

        Raises:
            KeyFileError: the key cannot be read or made, or others can read it.
        """
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        folder = data / KEYS_FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._key = load_or_make_key(folder / PRIVATE_KEY)
            self.jwks = folder / DEVELOPMENT_JWKS
            """The public side, for a TokenVerifier."""
            self._key_id = write_jwks(self.jwks, self._key)
        except OSError as error:
            raise KeyFileError(f"{folder}: {error.strerror}") from error

    def mint(
        self,
        *,
        kind: str,
        subject: str,
        scopes: Iterable[str],
        lifetime_seconds: int,
        customer_id: CustomerId | None = None,
        roles: Iterable[str] | None = None,
        branch: str = "",
    ) -> str:
        """A signed token.

        Roles and branch are for staff; without roles the token is held to none.

        Raises:
            ValueError: an unknown kind, or a customer token without a customer, or the reverse.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind} is not a kind of principal")
        if (kind == "customer") != (customer_id is not None):
            raise ValueError("a token has a customer id exactly when its kind is customer")
        now = self._clock.now_us() // 1_000_000
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "kind": kind,
            "scope": " ".join(sorted(scopes)),
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "exp": now + lifetime_seconds,
        }
        if customer_id is not None:
            payload["customer"] = CUSTOMER.encode(customer_id)
        if roles is not None:
            payload |= {"roles": " ".join(sorted(roles)), "branch": branch}
        headers = {"typ": TOKEN_TYPE, "kid": self._key_id}
        return jwt.encode(payload, self._key, algorithm="EdDSA", headers=headers)


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a file, made with mode 0600 when it is not there.

    Raises:
        KeyFileError: not an Ed25519 key, or readable by others.
    """
    if not path.exists():
        fresh = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, fresh)
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path}: others can read this private key; chmod 600 it")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise KeyFileError(f"{path}: is not a private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: is not an Ed25519 key")
    return key


def write_jwks(path: Path, key: Ed25519PrivateKey) -> str:
    """Write the public side of a key unless it is there; give its key id, a hash of the key."""
    entry: dict[str, Any] = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    key_id = f"{DEVELOPMENT_KEY_ID}{entry['x'][:12]}"
    text = json.dumps({"keys": [{**entry, "kid": key_id, "alg": "EdDSA", "use": "sig"}]}, indent=2)
    if not path.exists() or path.read_text("utf-8") != text:
        write_private(path, text.encode())
    return key_id


def write_private(path: Path, content: bytes) -> None:
    """Write a whole file of mode 0600, or nothing."""
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    unfinished.rename(path)
