"""Tokens of sessions: forged, of the wrong issuer, or stretched, they are worth nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen_server.platform.clock import SystemClock
from longmen_server.platform.device_keys import b64url
from longmen_server.platform.ids import CUSTOMER, DEVICE, SESSION, CustomerId, new_id
from longmen_server.platform.issuer import IDENTITY_ISSUER, IdentityIssuer, jwks_of
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.tokens import DevelopmentIssuer, KeyFileError, TokenVerifier

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = SystemClock()
CUSTOMER_ID = CustomerId(new_id(1, CLOCK))
SESSION_ID = SESSION.encode(new_id(1, CLOCK))  # type: ignore[arg-type]  # any id will do
DEVICE_ID = DEVICE.encode(new_id(1, CLOCK))  # type: ignore[arg-type]
THUMBPRINT = "A" * 43


class World:
    """An operator's issuer and ours, and the verifier that trusts both."""

    def __init__(self, folder: Path) -> None:
        self.key_file = folder / "keys" / "identity.pem"
        self.operator = DevelopmentIssuer(folder, issuer="bank", audience="longmen", clock=CLOCK)
        self.issuer = self.new_issuer()
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self.key = key
        self.verifier = self.new_verifier()
        token = self.mint()
        self.header = jwt.get_unverified_header(token)
        self.claims = jwt.decode(token, options={"verify_signature": False})

    def new_issuer(self) -> IdentityIssuer:
        return IdentityIssuer(self.key_file, audience="longmen", lifetime_s=600, clock=CLOCK)

    def new_verifier(self) -> TokenVerifier:
        return TokenVerifier(
            self.operator.jwks,
            issuer="bank",
            audience="longmen",
            leeway_seconds=30,
            clock=CLOCK,
            session_jwks=jwks_of(self.key_file),
            session_issuer=IDENTITY_ISSUER,
        )

    def mint(self) -> str:
        return self.issuer.mint(
            kind="customer",
            subject=CUSTOMER.encode(CUSTOMER_ID),
            scopes={"accounts.read"},
            session_id=SESSION_ID,
            device_id=DEVICE_ID,
            thumbprint=THUMBPRINT,
            customer_id=CUSTOMER_ID,
        ).token

    def signed(
        self,
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
        key: Any = None,
        algorithm: str = "EdDSA",
    ) -> str:
        said = {**self.claims, **(claims or {})}
        kept = {name: value for name, value in said.items() if value is not None}
        head = {**self.header, **(header or {})}
        del head["alg"]
        return jwt.encode(kept, key or self.key, algorithm=algorithm, headers=head)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refused(world: World, token: str) -> str:
    with pytest.raises(Refusal) as caught:
        world.verifier.verify(token)
    return caught.value.reason


def test_a_token_says_which_session_device_and_key_it_is_of(world: World) -> None:
    said = world.verifier.verify(world.mint())
    assert (said.session_id, said.device_id) == (SESSION_ID, DEVICE_ID)
    assert (said.proof_thumbprint, said.customer_id) == (THUMBPRINT, CUSTOMER_ID)


FORGED_CLAIMS: dict[str, dict[str, Any]] = {
    "no session": {"sid": None},
    "a session that is no id": {"sid": "sess_1"},
    "a device for a session": {"sid": DEVICE_ID},
    "no device": {"did": None},
    "a session for a device": {"did": SESSION_ID},
    "no bound key": {"cnf": None},
    "a bound key in another form": {"cnf": {"x5t#S256": THUMBPRINT}},
    "two bound keys": {"cnf": {"jkt": THUMBPRINT, "kid": "x"}},
    "a bound key that is none": {"cnf": {"jkt": 5}},
    "a bound key in a list": {"cnf": [THUMBPRINT]},
    "the operator's issuer": {"iss": "bank"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "no customer": {"customer": None},
    "a kind there is not": {"kind": "root"},
    "nobody's kind": {"kind": "anonymous"},
    "another kind with a customer": {"kind": "staff"},
    "no subject": {"sub": None},
    "no id": {"jti": None},
    "no end": {"exp": None},
    "no beginning": {"iat": None},
    "longer than fifteen minutes": {"exp": 4_000_000_000},
    "not yet begun": {"iat": 4_000_000_000, "exp": 4_000_000_100},
}


@pytest.mark.parametrize("claims", FORGED_CLAIMS.values(), ids=FORGED_CLAIMS.keys())
def test_claims_that_no_session_has_are_refused(world: World, claims: dict[str, Any]) -> None:
    assert refused(world, world.signed(claims)) == "TOKEN_INVALID"


FORGED_HEADERS: dict[str, dict[str, Any]] = {
    "another type": {"typ": "JWT"},
    "a proof's type": {"typ": "dpop+jwt"},
    "an unknown key": {"kid": "identity-unknown"},
    "a key elsewhere": {"jku": "http://127.0.0.1:1/keys"},
    "a key of its own": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
    "a certificate elsewhere": {"x5u": "http://127.0.0.1:1/certificate"},
    "an extension": {"crit": ["exp"]},
}


@pytest.mark.parametrize("header", FORGED_HEADERS.values(), ids=FORGED_HEADERS.keys())
def test_headers_that_lead_elsewhere_are_refused(world: World, header: dict[str, Any]) -> None:
    assert refused(world, world.signed(header=header)) == "TOKEN_INVALID"


def test_other_keys_and_algorithms_are_refused(world: World) -> None:
    public = world.key.public_key().public_bytes_raw()
    head, body, signature = world.mint().split(".")
    none = b64url(json.dumps({**world.header, "alg": "none"}).encode())
    spoiled = ("B" if signature[0] == "A" else "A") + signature[1:]
    forgeries = (
        world.signed(key=Ed25519PrivateKey.generate()),
        world.signed(key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"),
        world.signed(key=public, algorithm="HS256"),
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{spoiled}",
    )
    assert {refused(world, forged) for forged in forgeries} == {"TOKEN_INVALID"}


def test_the_operators_key_signs_for_no_session(world: World) -> None:
    operators = world.operator.mint(
        kind="service", subject="channel", scopes={"ledger.read"}, lifetime_seconds=60
    )
    key_id = jwt.get_unverified_header(operators)["kid"]
    key = world.operator._key
    for issuer in (IDENTITY_ISSUER, "bank"):
        forged = world.signed({"iss": issuer}, {"kid": key_id}, key=key)
        if issuer == IDENTITY_ISSUER:
            assert refused(world, forged) == "TOKEN_INVALID"
        else:
            said = world.verifier.verify(forged)
            assert (said.session_id, said.device_id) == (None, None)
            assert said.proof_thumbprint == THUMBPRINT, "a bound key is honoured all the same"


def test_a_token_that_is_over_is_told_so(world: World) -> None:
    now_s = CLOCK.now_us() // 1_000_000
    assert refused(world, world.signed({"iat": now_s - 700, "exp": now_s - 100})) == "TOKEN_EXPIRED"


def test_a_new_key_signs_and_what_the_old_one_signed_stays_good(world: World) -> None:
    old = world.mint()
    world.key_file.unlink()
    world.issuer = world.new_issuer()
    world.verifier = world.new_verifier()
    fresh = world.mint()
    assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(old)["kid"]
    assert world.verifier.verify(fresh).session_id == SESSION_ID
    assert world.verifier.verify(old).session_id == SESSION_ID


def test_a_key_that_others_can_read_is_refused(world: World) -> None:
    world.key_file.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        world.new_issuer()
