"""Tokens: what a good one says, and every forgery that must not pass."""

from __future__ import annotations

import base64
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longmen_server.platform import tokens
from longmen_server.platform.ids import CUSTOMER, CustomerId, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.tokens import DevelopmentIssuer, KeyFileError, TokenVerifier
from tests.support.clock import SettableClock

if TYPE_CHECKING:
    from pathlib import Path

ISSUER, AUDIENCE = "longmen-development", "longmen"
LIFETIME = 600
LEEWAY = 30


class Bench:
    """A verifier, the issuer it trusts, and the means to forge."""

    def __init__(self, folder: Path) -> None:
        self.clock = SettableClock()
        self.issuer = DevelopmentIssuer(folder, issuer=ISSUER, audience=AUDIENCE, clock=self.clock)
        self.verifier = TokenVerifier(
            self.issuer.jwks,
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway_seconds=LEEWAY,
            clock=self.clock,
        )
        self.key = self.issuer._key
        self.key_id = self.issuer._key_id

    def mint(self, **changes: Any) -> str:
        arguments = {"kind": "service", "subject": "load-test", "scopes": ["ledger.write"]}
        return self.issuer.mint(**{"lifetime_seconds": LIFETIME, **arguments, **changes})

    def payload(self, **changes: Any) -> dict[str, Any]:
        now = self.clock.now_us() // 1_000_000
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "load-test",
            "kind": "service",
            "scope": "ledger.write",
            "jti": "one",
            "iat": now,
            "exp": now + LIFETIME,
            **changes,
        }

    def sign(
        self,
        payload: dict[str, Any],
        *,
        key: Any = None,
        algorithm: str = "EdDSA",
        headers: dict[str, Any] | None = None,
    ) -> str:
        chosen = {"typ": "at+jwt", "kid": self.key_id, **(headers or {})}
        kept = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(kept, key or self.key, algorithm=algorithm, headers=chosen)

    def refuses(self, token: str, reason: str = "TOKEN_INVALID") -> None:
        with pytest.raises(Refusal) as caught:
            self.verifier.verify(token)
        assert caught.value.reason == reason


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_good_token_says_who_calls(bench: Bench) -> None:
    claims = bench.verifier.verify(bench.mint(scopes=["ledger.write", "ledger.read"]))
    assert (claims.kind, claims.subject) == ("service", "load-test")
    assert claims.scopes == {"ledger.read", "ledger.write"}
    assert claims.customer_id is None
    assert claims.token_id
    assert claims.expires_at_us == bench.clock.now_us() + (LIFETIME + LEEWAY) * 1_000_000


def test_a_customers_token_names_the_customer(bench: Bench) -> None:
    customer = CustomerId(new_id(1, bench.clock))
    token = bench.mint(kind="customer", subject="alice", customer_id=customer)
    assert bench.verifier.verify(token).customer_id == customer


def test_the_hand_made_good_token_is_good(bench: Bench) -> None:
    """So that the forgeries below fail for the one thing each changes."""
    assert bench.verifier.verify(bench.sign(bench.payload())).subject == "load-test"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "another-bank"},
        {"aud": None},
        {"aud": []},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 257},
        {"jti": None},
        {"jti": ""},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 2**60},
        {"exp": -1},
        {"iat": None},
        {"nbf": "now"},
        {"kind": None},
        {"kind": "root"},
        {"kind": "SERVICE"},
        {"kind": ["service"]},
        {"kind": "customer"},
        {"kind": "customer", "customer": "acct_0198f2a4111171118111111111110001"},
        {"kind": "customer", "customer": 5},
        {"customer": "cust_0198f2a4111171118111111111110001"},
        {"scope": ["ledger.write"]},
    ],
)
def test_wrong_claims(bench: Bench, changes: dict[str, Any]) -> None:
    try:
        token = bench.sign(bench.payload(**changes))
    except TypeError:  # the library will not even sign this one, so sign it by hand
        token = by_hand(bench, bench.payload(**changes))
    bench.refuses(token)


def by_hand(bench: Bench, payload: dict[str, Any]) -> str:
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": bench.key_id}
    parts = [encode(json.dumps(part).encode()) for part in (header, payload)]
    signature = bench.key.sign(".".join(parts).encode())
    return ".".join([*parts, encode(signature)])


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": None},
        {"kid": "unknown"},
        {"kid": ["development"]},
        {"typ": "JWT"},
        {"typ": "id+jwt"},
        {"typ": None},
        {"jku": "https://127.0.0.1/keys"},
        {"x5u": "https://127.0.0.1/keys"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "OKP"}},
        {"crit": ["exp"]},
    ],
)
def test_wrong_headers(bench: Bench, headers: dict[str, Any]) -> None:
    parts = bench.sign(bench.payload()).split(".")
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": bench.key_id, **headers}
    head = encode(json.dumps({k: v for k, v in header.items() if v is not None}).encode())
    signature = bench.key.sign(f"{head}.{parts[1]}".encode())
    bench.refuses(f"{head}.{parts[1]}.{encode(signature)}")


def test_another_key_with_our_key_id(bench: Bench) -> None:
    bench.refuses(bench.sign(bench.payload(), key=ed25519.Ed25519PrivateKey.generate()))


def test_another_algorithm_with_our_key_id(bench: Bench) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    bench.refuses(bench.sign(bench.payload(), key=curve, algorithm="ES256"))
    large = rsa.generate_private_key(65537, 2048)
    bench.refuses(bench.sign(bench.payload(), key=large, algorithm="RS256"))
    bench.refuses(bench.sign(bench.payload(), key=b"s" * 32, algorithm="HS256"))


def test_the_public_key_as_an_hmac_secret(bench: Bench) -> None:
    public = bench.key.public_key().public_bytes_raw()
    bench.refuses(bench.sign(bench.payload(), key=public, algorithm="HS256"))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_no_algorithm(bench: Bench, algorithm: str) -> None:
    head = encode(json.dumps({"alg": algorithm, "typ": "at+jwt", "kid": bench.key_id}).encode())
    body = encode(json.dumps(bench.payload()).encode())
    for signature in ("", "AAAA"):
        bench.refuses(f"{head}.{body}.{signature}")


def test_a_stripped_or_altered_signature(bench: Bench) -> None:
    token = bench.mint()
    head, body, signature = token.split(".")
    for forged in (
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{encode(b'{}')}.{signature}",
        f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        f"{body}.{head}.{signature}",
        token + "A",
        "Bearer " + token,
    ):
        bench.refuses(forged)


def test_a_token_of_unreasonable_size(bench: Bench) -> None:
    bench.refuses(bench.mint(scopes=["x" * 5000]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_other_text_is_refused_and_nothing_else_happens(bench: Bench, text: str) -> None:
    bench.refuses(text)


def test_expiry_leaves_room_for_a_clock_that_differs(bench: Bench) -> None:
    token = bench.mint()
    bench.clock.advance(LIFETIME + LEEWAY - 1)
    bench.verifier.verify(token)
    bench.clock.advance(1)
    bench.refuses(token, "TOKEN_EXPIRED")


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future(bench: Bench, claim: str) -> None:
    now = bench.clock.now_us() // 1_000_000
    token = bench.sign(bench.payload(**{claim: now + LEEWAY + 1}))
    bench.refuses(token)
    bench.clock.advance(1)
    bench.verifier.verify(token)


def test_es256_keys_work_beside_ed25519(bench: Bench, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    entry = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    both = json.loads(bench.issuer.jwks.read_text("utf-8"))
    both["keys"].append({**entry, "kid": "second"})
    path = tmp_path / "both.json"
    path.write_text(json.dumps(both), "utf-8")
    verifier = TokenVerifier(
        path, issuer=ISSUER, audience=AUDIENCE, leeway_seconds=0, clock=bench.clock
    )
    token = bench.sign(bench.payload(), key=key, algorithm="ES256", headers={"kid": "second"})
    assert verifier.verify(token).subject == "load-test"
    assert verifier.verify(bench.mint()).subject == "load-test"
    with pytest.raises(Refusal):
        verifier.verify(bench.sign(bench.payload(), headers={"kid": "second"}))


def test_rotated_keys_are_taken_over_and_a_broken_file_is_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "RELOAD_SECONDS", 0.0)
    token, good = bench.mint(), bench.issuer.jwks.read_text("utf-8")
    bench.issuer.jwks.write_text("{", "utf-8")
    bench.verifier.verify(token)
    bench.issuer.jwks.unlink()
    bench.verifier.verify(token)
    renamed = good.replace(bench.key_id, "renamed")
    bench.issuer.jwks.write_text(renamed, "utf-8")
    bench.refuses(token)
    bench.verifier.verify(bench.sign(bench.payload(), headers={"kid": "renamed"}))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": {}}',
        '{"keys": [{}]}',
        '{"keys": [{"kid": "a", "kty": "oct", "k": "c2VjcmV0"}]}',
        '{"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}',
        '{"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "alg": "ES256", "x": "AAAA"}]}',
    ],
)
def test_a_key_file_that_holds_no_public_keys_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content, "utf-8")
    with pytest.raises(KeyFileError, match=r"jwks\.json"):
        tokens.read_keys(path)


def test_a_private_key_in_the_key_file_is_refused(bench: Bench, tmp_path: Path) -> None:
    entry = jwt.algorithms.OKPAlgorithm.to_jwk(bench.key, as_dict=True)
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [{**entry, "kid": "a"}]}), "utf-8")
    with pytest.raises(KeyFileError, match="public"):
        tokens.read_keys(path)


def test_the_development_key_is_private_and_kept(bench: Bench, tmp_path: Path) -> None:
    for name in ("development.pem", "development.jwks.json"):
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600
    again = DevelopmentIssuer(tmp_path, issuer=ISSUER, audience=AUDIENCE, clock=bench.clock)
    token = again.mint(kind="staff", subject="s", scopes=[], lifetime_seconds=LIFETIME)
    assert bench.verifier.verify(token).kind == "staff"


def test_a_development_key_that_others_can_read_is_refused(bench: Bench, tmp_path: Path) -> None:
    os.chmod(tmp_path / "keys" / "development.pem", 0o644)  # noqa: PTH101 - terse
    with pytest.raises(KeyFileError, match="chmod 600"):
        DevelopmentIssuer(tmp_path, issuer=ISSUER, audience=AUDIENCE, clock=bench.clock)


def test_the_issuer_refuses_tokens_that_make_no_sense(bench: Bench) -> None:
    customer = CUSTOMER.decode("cust_0198f2a4111171118111111111110001")
    for changes in ({"kind": "king"}, {"kind": "customer"}, {"customer_id": customer}):
        with pytest.raises(ValueError, match=r"kind"):
            bench.mint(**changes)


# -- Staff, and production.


def test_a_token_of_staff_says_roles_person_and_branch(bench: Bench) -> None:
    token = bench.mint(kind="staff", subject="ann", roles=["teller", "auditor"], branch="sh-01")
    claims = bench.verifier.verify(token)
    assert claims.roles == frozenset({"teller", "auditor"})
    assert (claims.person, claims.branch) == ("ann", "sh-01")
    held_to_none = bench.verifier.verify(bench.mint(kind="staff", subject="ann"))
    assert (held_to_none.roles, held_to_none.branch) == (None, "")


@pytest.mark.parametrize(
    "changes", [{"roles": ["teller"]}, {"roles": 5}, {"branch": 7}, {"person": ""}, {"person": 3}]
)
def test_wrong_claims_of_staff(bench: Bench, changes: dict[str, Any]) -> None:
    bench.refuses(bench.sign(bench.payload(kind="staff", **changes)))


def test_roles_of_others_than_staff_say_nothing(bench: Bench) -> None:
    assert bench.verifier.verify(bench.sign(bench.payload(roles="admin"))).roles is None


def in_production(bench: Bench, folder: Path, key_id: str) -> TokenVerifier:
    """The same key under an id, as a production server trusts it."""
    entry = json.loads(bench.issuer.jwks.read_text("utf-8"))["keys"][0] | {"kid": key_id}
    path = folder / "bank.jwks.json"
    path.write_text(json.dumps({"keys": [entry]}), "utf-8")
    return TokenVerifier(
        path,
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway_seconds=LEEWAY,
        clock=bench.clock,
        production=True,
    )


def test_production_takes_no_development_token_and_no_staff_without_a_session(
    bench: Bench, tmp_path: Path
) -> None:
    development = in_production(bench, tmp_path, bench.key_id)
    with pytest.raises(Refusal, match="TOKEN_INVALID"):
        development.verify(bench.mint())
    operators = in_production(bench, tmp_path, "bank-1")
    headers = {"kid": "bank-1"}
    assert operators.verify(bench.sign(bench.payload(), headers=headers)).kind == "service"
    for roles in (None, "admin"):
        staff = bench.sign(bench.payload(kind="staff", roles=roles), headers=headers)
        with pytest.raises(Refusal, match="TOKEN_INVALID"):
            operators.verify(staff)
