"""Systems that call by their client certificates, over a real TLS port."""

from __future__ import annotations

import datetime as dt
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen_server.platform.metrics import Metrics
from tests.support.certificates import BEGIN, Authority, write_certificate
from tests.support.edge import told
from tests.support.poll import until
from tests.support.rpcs import PUBLIC_KEY
from tests.support.small_bank import BY_NAME, SmallBank, cash, open_small_bank, worker_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from longmen_server.transport.server import EdgeServer
    from tests.support.edge import Told
    from tests.support.postgres import Database

CLOCK = BY_NAME["AdminService/GetClock"]
TOP_UP = BY_NAME["TransfersService/TopUp"]
SHUT = {grpc.StatusCode.UNAVAILABLE}
TILL = "spiffe://bank.example/till"


class House:
    """A bank with a port for everybody and one for systems."""

    def __init__(self, bank: SmallBank, folder: Path) -> None:
        self.bank = bank
        self.certificate, self.key = write_certificate(folder)
        self.authority = Authority(folder, "authority")
        self.trusted = folder / "trusted.pem"
        self.trusted.write_bytes(self.authority.file.read_bytes())
        self.server: EdgeServer = worker_server(
            replace(bank.parts, metrics=Metrics()),
            bank.tokens,
            tls_certificate=self.certificate,
            tls_key=self.key,
            tls_client_authorities=self.trusted,
            systems_address="127.0.0.1:0",
            doors=1,
        )

    @asynccontextmanager
    async def line(
        self, pair: tuple[bytes, bytes] | None, *, port: int = 0
    ) -> AsyncIterator[grpc.aio.Channel]:
        """A connection with a client certificate and its key."""
        certificate, key = pair or (None, None)
        credentials = grpc.ssl_channel_credentials(self.certificate.read_bytes(), key, certificate)
        target = f"localhost:{port or self.server.systems_port}"
        channel = grpc.aio.secure_channel(target, credentials)
        try:
            yield channel
        finally:
            await channel.close()

    async def ask(
        self,
        pair: tuple[bytes, bytes] | None,
        method: Any = CLOCK,
        request: Any = None,
        *,
        authorization: str = "",
        port: int = 0,
    ) -> bytes:
        """The reply of a method to a system."""
        message = method.request_class() if request is None else request
        metadata = (("authorization", authorization),) if authorization else ()
        async with self.line(pair, port=port) as channel:
            unary: Any = channel.unary_unary(f"/{method.path}")
            reply: bytes = await unary(message.SerializeToString(), metadata=metadata, timeout=10)
            return reply

    async def refusal(self, *words: Any, **more: Any) -> Told:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(*words, **more)
        return told(caught.value)

    async def shut(self, pair: tuple[bytes, bytes] | None) -> grpc.StatusCode:
        """The code of a call whose connection never comes about."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(pair)
        return caught.value.code()

    async def register(self, identity: str, owner: str, **more: Any) -> pb.ApiKey:
        fields = {
            "owner_kind": pb.KEY_OWNER_KIND_SERVICE,
            "owner": owner,
            "scopes": ["admin.read", TOP_UP.scope],
            "identity": identity,
            **more,
        }
        bank = self.bank
        command = {"register_certificate": {"request_id": bank.new_request_id(), **fields}}
        made = await bank.do(
            "ApprovalsService/ProposeApproval", bank.token_of("staff", "ann"), command=command
        )
        done = await bank.do(
            "ApprovalsService/ApproveApproval",
            bank.token_of("staff", "bob"),
            approval_id=made.approval.approval_id,
            payload_hash=made.approval.payload_hash,
        )
        return pb.RegisterCertificateResponse.FromString(done.approval.reply).key


@pytest.fixture(scope="module")
async def house(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("mutual_tls")
    async with open_small_bank(module_database, folder) as bank:
        opened = House(bank, folder)
        await opened.server.start()
        opened.server.set_ready(ready=True)
        yield opened
        await opened.server.drain(0)


def code(answer: Told) -> tuple[str, str]:
    return answer.code.name, answer.reason


@pytest.mark.parametrize(
    ("identity", "names"),
    [
        ("spiffe://bank.example/pos", ["spiffe://bank.example/pos"]),
        ("dns:pos.bank.example", ["pos.bank.example"]),
        ("spiffe://bank.example/gate", ["gate.bank.example", "spiffe://bank.example/gate"]),
    ],
    ids=["spiffe", "dns", "both"],
)
async def test_a_registered_certificate_calls_and_moves_money_unsigned(
    house: House, identity: str, names: Sequence[str]
) -> None:
    bank = house.bank
    key = await house.register(identity, identity.rpartition("/")[2].replace(":", "-"))
    assert key.certificate_identity == identity
    pair = house.authority.issue(*names)
    await house.ask(pair)
    person = await bank.person()
    request = TOP_UP.request_class(
        request_id=bank.new_request_id(),
        account_id=person.account,
        amount=cash(5),
        bank_account="6222021234567890",
    )
    await house.ask(pair, TOP_UP, request)
    found = await bank.do("AuditService/ListAudit", principal_subject=key.owner)
    assert [one.actor.token_id for one in found.records] == [key.key_id]


async def test_a_name_that_nobody_registered_is_unknown(house: House) -> None:
    for names in (["spiffe://bank.example/nobody"], ["nobody.bank.example"]):
        answer = await house.refusal(house.authority.issue(*names))
        assert code(answer) == ("UNAUTHENTICATED", "CERTIFICATE_UNKNOWN")
    # Without a name that could be registered, it is as if there was no certificate.
    answer = await house.refusal(house.authority.issue("localhost"))
    assert code(answer) == ("UNAUTHENTICATED", "TOKEN_MISSING")


async def test_bad_certificates_do_not_come_through_the_door(house: House, tmp_path: Path) -> None:
    await house.register(TILL, "till")
    await house.ask(house.authority.issue(TILL))
    stranger = Authority(tmp_path, "stranger")
    past = house.authority.issue(TILL, begin=BEGIN, end=BEGIN + dt.timedelta(days=1))
    self_signed = write_certificate(tmp_path, "alone")
    for pair in (
        None,
        past,
        stranger.issue(TILL),
        (self_signed[0].read_bytes(), self_signed[1].read_bytes()),
    ):
        assert await house.shut(pair) in SHUT


async def test_a_key_that_comes_with_a_certificate_is_the_same_owners(house: House) -> None:
    bank = house.bank
    await house.register("spiffe://bank.example/shop", "shop")
    made = {}
    for owner in ("shop", "other"):
        reply = await bank.do(
            "CredentialsService/CreateKey",
            bank.token("staff"),
            owner_kind=pb.KEY_OWNER_KIND_SERVICE,
            owner=owner,
            scopes=["admin.read"],
        )
        made[owner] = f"Key {reply.key.key_id}.{reply.secret}"
    pair = house.authority.issue("spiffe://bank.example/shop")
    await house.ask(pair, authorization=made["shop"])
    answer = await house.refusal(pair, authorization=made["other"])
    assert code(answer) == ("UNAUTHENTICATED", "CERTIFICATE_MISMATCH")
    unknown = house.authority.issue("spiffe://bank.example/unknown")
    answer = await house.refusal(unknown, authorization=made["shop"])
    assert code(answer) == ("UNAUTHENTICATED", "CERTIFICATE_MISMATCH")
    # On the port for everybody a certificate is not asked for, and a key does by itself.
    await house.ask(None, authorization=made["shop"], port=house.server.port)


async def test_scopes_networks_expiry_and_revocation_bind_certificates(house: House) -> None:
    bank = house.bank
    spiffe = "spiffe://bank.example/"
    await house.register(f"{spiffe}narrow", "narrow", scopes=["ledger.read"])
    answer = await house.refusal(house.authority.issue(f"{spiffe}narrow"))
    assert code(answer) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    await house.register(f"{spiffe}far", "far", networks=["192.0.2.0/24"])
    answer = await house.refusal(house.authority.issue(f"{spiffe}far"))
    assert code(answer) == ("PERMISSION_DENIED", "KEY_NETWORK_REFUSED")
    pair = house.authority.issue(f"{spiffe}brief")
    key = await house.register(f"{spiffe}brief", "brief")
    await house.ask(pair)
    await bank.do("CredentialsService/RevokeKey", bank.token("staff"), key_id=key.key_id)

    async def gone() -> bool:
        try:
            await house.ask(pair)
        except grpc.aio.AioRpcError as error:
            return told(error).reason == "CERTIFICATE_REFUSED"
        return False

    await until(gone, "the certificate is refused", seconds=5)
    again = await house.register(f"{spiffe}brief", "brief", lifetime_days=1)

    async def back() -> bool:
        return not await gone()

    await until(back, "the certificate is taken again", seconds=5)
    await bank.do("AdminService/SetClock", time={"seconds": again.expiry_time.seconds + 1})
    answer = await house.refusal(pair)
    assert code(answer) == ("UNAUTHENTICATED", "CERTIFICATE_REFUSED")


async def test_an_identity_is_one_owners_and_has_no_secret(house: House) -> None:
    bank = house.bank
    key = await house.register("spiffe://bank.example/one", "one")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await house.register("spiffe://bank.example/one", "two")
    answer = told(caught.value)
    assert code(answer) == ("ALREADY_EXISTS", "CERTIFICATE_IDENTITY_TAKEN")
    assert answer.metadata == {"identity": "spiffe://bank.example/one"}
    for identity in ("spiffe://bank.example", "dns:localhost", "http://bank.example/x"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await house.register(identity, "three")
        assert code(told(caught.value)) == ("INVALID_ARGUMENT", "CERTIFICATE_IDENTITY_INVALID")
    for rpc, more in (("RotateKey", {}), ("RegisterSigningKey", {"public_key": PUBLIC_KEY})):
        method = BY_NAME[f"CredentialsService/{rpc}"]
        request = method.request_class(request_id=bank.new_request_id(), key_id=key.key_id, **more)
        answer = await bank.refused(method, request, bank.token("staff"))
        assert code(answer) == ("FAILED_PRECONDITION", "CERTIFICATE_HAS_NO_SECRET")
        assert answer.metadata == {"key_id": key.key_id}
    answer = await house.refusal(
        None, authorization=f"Key {key.key_id}.{'A' * 43}", port=house.server.port
    )
    assert code(answer) == ("UNAUTHENTICATED", "KEY_INVALID")


async def test_authorities_are_replaced_while_the_server_runs(house: House, tmp_path: Path) -> None:
    await house.register("spiffe://bank.example/moved", "moved")
    fresh = Authority(tmp_path, "fresh")
    pair = fresh.issue("spiffe://bank.example/moved")
    assert await house.shut(pair) in SHUT
    both = house.trusted.read_bytes() + fresh.file.read_bytes()
    (tmp_path / "both.pem").write_bytes(both)
    (tmp_path / "both.pem").replace(house.trusted)

    async def taken() -> bool:
        try:
            await house.ask(pair)
        except grpc.aio.AioRpcError:
            return False
        return True

    await until(taken, "the fresh authority is trusted", seconds=10)
