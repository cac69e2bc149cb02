"""A session's token is of no use to anybody but its device, and not twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen_server.platform.device_keys import b64url
from tests.support.edge import told
from tests.support.identity import Device, SignedIn, claims_for, register
from tests.support.small_bank import BY_NAME, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

READ = "AccountsService/GetBalance"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("proofs")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def who(bank: SmallBank) -> SignedIn:
    return await register(bank)


async def refused(bank: SmallBank, who: SignedIn, name: str = READ, **more: Any) -> str:
    fields = {"account_id": who.account} if name == READ else {}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank.signed(name, who, **{**fields, **more})
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    return told(caught.value).reason


def now_s(bank: SmallBank) -> int:
    return bank.parts.trusted_clock.now_us() // 1_000_000


async def test_a_call_without_a_proof_is_refused(bank: SmallBank, who: SignedIn) -> None:
    assert await refused(bank, who, proof="") == "PROOF_MISSING"


@pytest.mark.parametrize("ed25519", [False, True])
async def test_a_stolen_token_is_of_no_use_with_another_key(
    bank: SmallBank, who: SignedIn, *, ed25519: bool
) -> None:
    thief = replace(who, device=Device(ed25519=ed25519))
    assert await refused(bank, thief) == "PROOF_INVALID"
    # Nor with the device's public key above the thief's signature.
    assert await refused(bank, who, signer=Device(ed25519=ed25519)) == "PROOF_INVALID"


CLAIMS: dict[str, dict[str, Any]] = {
    "another HTTP method": {"htm": "GET"},
    "no HTTP method": {"htm": None},
    "another method": {"htu": "/longmen.accounts.v1.AccountsService/CloseAccount"},
    "a method without its slash": {"htu": "longmen.accounts.v1.AccountsService/GetBalance"},
    "no method": {"htu": None},
    "another token": {"ath": b64url(bytes(32))},
    "no token": {"ath": None},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "an id that is a number": {"jti": 7},
    "an id without end": {"jti": "x" * 129},
    "no time": {"iat": None},
    "a time in words": {"iat": "now"},
    "a time that is true": {"iat": True},
    "another request": {"bod": b64url(bytes(32))},
    "a digest of the wrong size": {"bod": b64url(bytes(31))},
    "a digest that is none": {"bod": "%%%"},
    "a digest that is a number": {"bod": 5},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS.keys())
async def test_a_proof_for_something_else_is_refused(
    bank: SmallBank, who: SignedIn, claims: dict[str, Any]
) -> None:
    assert await refused(bank, who, claims=claims) == "PROOF_INVALID"


@pytest.mark.parametrize("seconds", [-62, 62, -86_400])
async def test_a_proof_of_another_time_is_refused(
    bank: SmallBank, who: SignedIn, seconds: int
) -> None:
    assert await refused(bank, who, claims={"iat": now_s(bank) + seconds}) == "PROOF_INVALID"


HEADERS: dict[str, dict[str, Any]] = {
    "another type": {"typ": "JWT"},
    "an access token's type": {"typ": "at+jwt"},
    "no signature": {"alg": "none"},
    "a shared secret": {"alg": "HS256"},
    "another algorithm": {"alg": "EdDSA"},
    "a key elsewhere": {"jku": "https://thief.example/keys"},
    "a key's name": {"kid": "identity"},
    "no key": {"jwk": None},
    "half a key": {"jwk": {"kty": "EC", "crv": "P-256", "x": b64url(bytes(32))}},
    "a key of another curve": {"jwk": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_a_proof_with_a_header_of_its_own_is_refused(
    bank: SmallBank, who: SignedIn, header: dict[str, Any]
) -> None:
    assert await refused(bank, who, header=header) == "PROOF_INVALID"


async def test_a_private_key_in_a_proof_is_refused(bank: SmallBank, who: SignedIn) -> None:
    leaked = {"jwk": {**who.device.jwk, "d": b64url(bytes(32))}}
    assert await refused(bank, who, header=leaked) == "PROOF_INVALID"


@pytest.mark.parametrize(
    "proof",
    [
        *("x", "a.b", "a.b.c", "a.b.c.d", "..", "x" * 3_000),
        f"{b64url(b'[' * 1_400)}.e30.AA",
        f"{b64url(b'[]')}.e30.AA",
        f"{b64url(b'null')}.e30.AA",
    ],
    ids=range(9),
)
async def test_what_is_no_proof_is_refused(bank: SmallBank, who: SignedIn, proof: str) -> None:
    assert await refused(bank, who, proof=proof) == "PROOF_INVALID"


async def test_a_proof_is_good_once(bank: SmallBank, who: SignedIn) -> None:
    method = BY_NAME[READ]
    payload = method.request_class(account_id=who.account).SerializeToString()
    said = claims_for(method.path, who.access_token, payload, now_s(bank))
    proof = who.device.proof(said)
    await bank.signed(READ, who, account_id=who.account, proof=proof)
    assert await refused(bank, who, proof=proof) == "PROOF_INVALID"


async def test_a_change_needs_a_proof_of_its_very_request(bank: SmallBank, who: SignedIn) -> None:
    name = "DevicesService/StartDeviceEnrolment"
    assert await refused(bank, who, name, claims={"bod": None}) == "PROOF_INVALID"
    method = BY_NAME[name]
    other = method.request_class(request_id=bank.new_request_id()).SerializeToString()
    said = claims_for(method.path, who.access_token, other, now_s(bank))
    assert await refused(bank, who, name, proof=who.device.proof(said)) == "PROOF_INVALID"
    await bank.signed(name, who)


async def test_a_look_may_leave_its_request_out(bank: SmallBank, who: SignedIn) -> None:
    await bank.signed(READ, who, account_id=who.account, claims={"bod": None})


async def test_two_proofs_are_none(bank: SmallBank, who: SignedIn) -> None:
    method = BY_NAME[READ]
    payload = method.request_class(account_id=who.account).SerializeToString()
    proofs = [
        who.device.proof(claims_for(method.path, who.access_token, payload, now_s(bank)))
        for _ in range(2)
    ]
    bearer = ("authorization", f"Bearer {who.access_token}")
    metadata = (bearer, *(("dpop", proof) for proof in proofs))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank.channel.unary_unary(f"/{method.path}")(payload, metadata=metadata, timeout=20)
    assert told(caught.value).reason == "METADATA_REJECTED"
