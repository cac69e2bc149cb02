"""Class T: tokens that are forged, spoiled, out of their time, or not for us."""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from corpus.case import ANY_SOUND, Case, Expected
from corpus.world import METHODS, World
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.platform.tokens import DevelopmentIssuer

LIFETIME: Final = 3_600
SPOILED: Final = 150

FORGED: Final = Expected(frozenset({"UNAUTHENTICATED"}), frozenset({"TOKEN_INVALID"}))
EXPIRED: Final = Expected(frozenset({"UNAUTHENTICATED"}), frozenset({"TOKEN_EXPIRED"}))
MISSING: Final = Expected(frozenset({"UNAUTHENTICATED"}), frozenset({"TOKEN_MISSING"}))
DENIED: Final = Expected(frozenset({"PERMISSION_DENIED"}), frozenset({"PERMISSION_DENIED"}))

CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "another issuer": {"iss": "somebody"},
    "no issuer": {"iss": None},
    "issuer in a list": {"iss": ["a"]},
    "another audience": {"aud": "another-bank"},
    "no audience": {"aud": None},
    "no audiences": {"aud": []},
    "audience is a number": {"aud": 1},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject is a number": {"sub": 7},
    "subject is an object": {"sub": {}},
    "subject of two lines": {"sub": "a\nb"},
    "subject with NUL": {"sub": "a\x00b"},
    "long subject": {"sub": "x" * 257},
    "no id": {"jti": None},
    "empty id": {"jti": ""},
    "id is a list": {"jti": ["a"]},
    "no expiry": {"exp": None},
    "expiry in words": {"exp": "tomorrow"},
    "expiry is true": {"exp": True},
    "expiry far away": {"exp": 2**60},
    "negative expiry": {"exp": -1},
    "expiry is null-like": {"exp": {}},
    "issued in words": {"iat": "now"},
    "not issued": {"iat": None},
    "issued far away": {"iat": 2**39},
    "begins in words": {"nbf": "now"},
    "begins far away": {"nbf": 2**39},
    "no kind": {"kind": None},
    "root": {"kind": "root"},
    "kind in capitals": {"kind": "SERVICE"},
    "kinds": {"kind": ["service"]},
    "kind is a number": {"kind": 1},
    "kind with a space": {"kind": "service "},
    "customer of nobody": {"kind": "customer"},
    "customer is an account": {"kind": "customer", "customer": "acct_" + "0" * 28 + "0001"},
    "customer is a number": {"kind": "customer", "customer": 5},
    "customer in capitals": {"kind": "customer", "customer": "CUST_" + "0" * 32},
    "customer is a list": {"kind": "customer", "customer": []},
    "service with a customer": {"customer": "cust_" + "0" * 28 + "0001"},
    "scopes in a list": {"scope": ["a"]},
    "scope is a number": {"scope": 1},
    "scope is true": {"scope": True},
}

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "ID token": {"typ": "JWT"},
    "no type": {"typ": None},
    "type in words": {"typ": "access token"},
    "type is a list": {"typ": ["at+jwt"]},
    "unknown key": {"kid": "nobody"},
    "no key": {"kid": None},
    "empty key": {"kid": ""},
    "key is a path": {"kid": "../../keys/development.pem"},
    "key is SQL": {"kid": "' union select 'a"},
    "key is /dev/null": {"kid": "/dev/null"},
    "key elsewhere": {"jku": "http://127.0.0.1:9/jwks.json"},
    "chain elsewhere": {"x5u": "http://127.0.0.1:9/a"},
    "own key": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
    "own chain": {"x5c": ["AA"]},
    "thumbprint": {"x5t": "AA"},
    "critical": {"crit": ["exp"]},
    "unencoded payload": {"b64": False, "crit": ["b64"]},
}

TWO_ALGORITHMS: Final = b'{"alg":"none","alg":"EdDSA","typ":"at+jwt"}'

SCHEMES: Final[dict[str, Expected]] = {
    "Basic {token}": MISSING,
    "Digest {token}": MISSING,
    "Token {token}": MISSING,
    "{token}": MISSING,
    "Bearer": MISSING,
    "Bearer{token}": MISSING,
    "DPoP {token}": MISSING,
    "Negotiate {token}": MISSING,
    "Bearer;{token}": MISSING,
    "Bearer {token} {token}": FORGED,
    "Bearer {token},{token}": FORGED,
    "Bearer Bearer {token}": FORGED,
    'Bearer "{token}"': FORGED,
    "Bearer null": FORGED,
    "Bearer undefined": FORGED,
    "Bearer .": FORGED,
    "Bearer ..": FORGED,
    "Bearer a.b.c": FORGED,
    "Bearer a.b.c.d.e": FORGED,
    "Bearer e30.e30.e30": FORGED,
    "bearer {token}": ANY_SOUND,
    "BEARER {token}": ANY_SOUND,
}
"""The whole authorization metadata."""


class Forger:
    """Signs what a test wants, with the server's own key or with others."""

    def __init__(self, issuer: DevelopmentIssuer, now: int) -> None:
        self.key = issuer._key  # noqa: SLF001 - what no attacker has: to spoil one thing at a time
        self.key_id = issuer._key_id  # noqa: SLF001
        self.now = now

    def payload(self, **changes: Any) -> dict[str, Any]:
        """Good claims but for some; None leaves one out."""
        good = {
            "iss": "longmen-development",
            "aud": "longmen",
            "sub": "forger",
            "kind": "service",
            "scope": "ledger.read",
            "jti": "one",
            "iat": self.now,
            "exp": self.now + LIFETIME,
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(
        self,
        payload: Any,
        *,
        key: Any = None,
        algorithm: str = "EdDSA",
        headers: dict[str, Any] | None = None,
    ) -> str:
        """A token of anything, signed by anything."""
        chosen = {"typ": "at+jwt", "kid": self.key_id, **(headers or {})}
        header = {name: value for name, value in chosen.items() if value is not None}
        return self._encode({"alg": algorithm, **header}, payload, self.key if key is None else key)

    def _encode(self, header: dict[str, Any], payload: Any, key: Any) -> str:
        """A token whose parts no library would refuse to write."""
        signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"
        return f"{signed}.{b64(signature(header['alg'], key, signed.encode()))}"


def b64(data: bytes) -> str:
    """Base64 as JOSE wants it."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signature(algorithm: str, key: Any, content: bytes) -> bytes:
    """A signature by an algorithm, whoever may believe it."""
    if algorithm.lower() == "none":
        return b""
    if isinstance(key, bytes):
        mac = hmac.HMAC(key, hashes.SHA256())
        mac.update(content)
        return mac.finalize()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    made: bytes = jwt.get_algorithm_by_name(algorithm).sign(content, key)
    return made


def cases(world: World, issuer: DevelopmentIssuer, now: int) -> Iterator[Case]:
    """Yield the class; it needs the server's own keys."""
    forger = Forger(issuer, now)
    (method,) = (m for m in METHODS if short(m) == "LedgerService/GetAccount")
    request = world.base(method, "T").SerializeToString()
    good = forger.sign(forger.payload())

    def case(name: str, expected: Expected, authorization: str) -> Case:
        return Case("T", name, method, expected, request, token=authorization)

    yield case("good", ANY_SOUND, f"Bearer {good}")
    for label, token in _forged(forger).items():
        yield case(label, FORGED, f"Bearer {token}")
    for label, token in _expired(forger).items():
        yield case(label, EXPIRED, f"Bearer {token}")
    for scheme, expected in SCHEMES.items():
        name = scheme.replace("{token}", "token")
        yield case(f"scheme: {name}", expected, scheme.format(token=good))
    for scope in ("", "ledger", "ledger.write", "ledger.*", "*", "LEDGER.READ", "ledger.read.all"):
        token = forger.sign(forger.payload(scope=scope))
        yield case(f"scope {scope!r}", DENIED, f"Bearer {token}")
    chance = random.Random("T")  # noqa: S311 - the same in every run
    for number in range(SPOILED):
        yield case(f"spoiled {number}", FORGED, f"Bearer {_spoiled(good, chance, number)}")


def _forged(forger: Forger) -> dict[str, str]:
    found = {label: forger.sign(forger.payload(**claims)) for label, claims in CLAIMS.items()}
    found |= {
        label: forger.sign(forger.payload(), headers=headers) for label, headers in HEADERS.items()
    }
    public = forger.key.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    stranger = ed25519.Ed25519PrivateKey.generate()
    keys: dict[str, tuple[str, Any]] = {
        "none": ("none", b""),
        "None": ("None", b""),
        "nOnE": ("nOnE", b""),
        "HS256 with the public key": ("HS256", pem),
        "HS256 with the raw public key": ("HS256", raw),
        "HS256 without a key": ("HS256", b""),
        "HS384 by name only": ("HS384", pem),
        "another Ed25519 key": ("EdDSA", stranger),
        "ES256": ("ES256", ec.generate_private_key(ec.SECP256R1())),
        "RS256": ("RS256", rsa.generate_private_key(65_537, 2_048)),
        "unknown algorithm": ("XX999", pem),
        "no algorithm": ("", pem),
        "right key under another name": ("ES256K", forger.key),
        "lower-case name": ("eddsa", forger.key),
    }
    for label, (algorithm, key) in keys.items():
        found[label] = forger.sign(forger.payload(), key=key, algorithm=algorithm)
    head, body, end = forger.sign(forger.payload()).split(".")
    found |= {
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{head}.{body}.{end}.{end}",
        "signature of zeros": f"{head}.{body}.{b64(bytes(64))}",
        "half a signature": f"{head}.{body}.{end[:43]}",
        "padding": f"{head}.{body}.{end}==",
        "payload of another": f"{head}.{forger.sign(forger.payload(sub='a')).split('.')[1]}.{end}",
        "payload is a list": forger.sign([]),
        "payload is a text": forger.sign("text"),
        "payload is null": forger.sign(None),
        "header is a list": f"{b64(b'[]')}.{body}.{end}",
        "header is null": f"{b64(b'null')}.{body}.{end}",
        "header deep": f"{b64(b'[' * 1500)}.{body}.{end}",
        "algorithm twice": f"{b64(TWO_ALGORITHMS)}.{body}.{end}",
        "too long": f"{head}.{body}.{end}{'A' * 5_000}",
    }
    return found


def _expired(forger: Forger) -> dict[str, str]:
    return {
        f"expired {ago} s ago": forger.sign(
            forger.payload(iat=forger.now - ago - 60, exp=forger.now - ago)
        )
        for ago in (31, 60, 3_600, 86_400, 1_000_000)
    }


def _spoiled(token: str, chance: random.Random, number: int) -> str:
    """The token with one character another, left out, doubled or moved."""
    at = chance.randrange(len(token) - 4)
    if number % 4 == 0:
        return token[:at] + token[at + 1 :]
    if number % 4 == 1:
        return token[:at] + token[at] + token[at:]
    other = chance.choice([c for c in "AZaz09-_" if c != token[at]])
    return token[:at] + other + token[at + 1 :]
