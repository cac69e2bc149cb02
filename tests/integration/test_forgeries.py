"""Forged tokens over the wire, each with a good proof of the owner's own key: none gets in."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc.aio
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen_server.platform.device_keys import b64url
from tests.support.edge import told
from tests.support.identity import register, sign_in
from tests.support.small_bank import SmallBank, open_small_bank
from tests.unit.test_session_tokens import FORGED_CLAIMS, FORGED_HEADERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.identity import SignedIn
    from tests.support.postgres import Database

LOOK = "FactorsService/ListFactors"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("forgeries")) as opened:
        yield opened


class Forger:
    """Somebody who has the server's own key, or pretends to."""

    def __init__(self, bank: SmallBank, who: SignedIn) -> None:
        file = bank.parts.settings.identity_key
        assert file is not None
        self.key: Any = serialization.load_pem_private_key(file.read_bytes(), None)
        self.token = who.access_token
        self.header = jwt.get_unverified_header(self.token)
        self.claims = jwt.decode(self.token, options={"verify_signature": False})

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

    def forgeries(self, listener: str) -> dict[str, str]:
        """Every forged token by what is wrong with it."""
        head, body, signature = self.token.split(".")
        none = b64url(json.dumps({**self.header, "alg": "none"}).encode())
        public = self.key.public_key().public_bytes_raw()
        elsewhere = {
            name: {**header, **{k: f"{listener}/{k}" for k in header if k in {"jku", "x5u"}}}
            for name, header in FORGED_HEADERS.items()
        }
        return {
            **{name: self.signed(claims) for name, claims in FORGED_CLAIMS.items()},
            **{name: self.signed(header=header) for name, header in elsewhere.items()},
            "another key": self.signed(key=Ed25519PrivateKey.generate()),
            "another algorithm": self.signed(
                key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"
            ),
            "the public key as a secret": self.signed(key=public, algorithm="HS256"),
            "no algorithm": f"{none}.{body}.",
            "no algorithm, and a signature": f"{none}.{body}.{signature}",
            "no signature": f"{head}.{body}.",
            "a spoiled signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
            "two tokens": f"{self.token}.{self.token}",
            "no token": "a.b.c",
        }


async def answer_to(bank: SmallBank, who: SignedIn, token: str) -> tuple[str, str]:
    try:
        await bank.signed(LOOK, replace(who, access_token=token))
    except grpc.aio.AioRpcError as error:
        return error.code().name, told(error).reason
    return "OK", ""


async def test_no_forged_token_gets_in_and_no_key_is_fetched(bank: SmallBank) -> None:
    who = await register(bank)
    called: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append((await reader.readline()).decode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    forgeries = Forger(bank, who).forgeries(f"http://127.0.0.1:{port}")
    assert len(forgeries) >= 25
    answers = {name: await answer_to(bank, who, token) for name, token in forgeries.items()}
    server.close()
    await server.wait_closed()
    refused = ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert {name: said for name, said in answers.items() if said != refused} == {}
    assert called == []
    # The forger's own copy of the right token is good, so that nothing else kept the others out.
    assert await answer_to(bank, who, Forger(bank, who).signed()) == ("OK", "")


async def test_a_session_stolen_to_another_device_is_worth_nothing(bank: SmallBank) -> None:
    who, thief = await register(bank), await register(bank)
    stolen = replace(who, device=thief.device)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank.signed(LOOK, stolen)
    assert told(caught.value).reason == "PROOF_INVALID"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank.do("SessionsService/RefreshSession", "", **stolen.refreshing())
    assert told(caught.value).reason == "DEVICE_PROOF_INVALID"
    # Neither does another device of the same customer take it over.
    other = await sign_in(bank, who, device=who.device)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank.signed(LOOK, replace(other, device=thief.device))
    assert told(caught.value).reason == "PROOF_INVALID"
    await bank.signed(LOOK, who)
