"""Health, reflection, TLS and draining of the edge."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.edge import (
    ACCOUNTS,
    LEDGER,
    Edge,
    Tokens,
    running_edge,
    settings,
    surroundings,
    told,
    transfers,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from longmen_server.transport.context import Call

EXPORT = f"{LEDGER}/ExportJournal"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(edge: Edge, service: str = "") -> int:
    stub: Any = health_pb2_grpc.HealthStub(edge.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    return int(answer.status)


async def reflected(edge: Edge) -> list[str]:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(edge.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([request]), timeout=5):
        return [service.name for service in answer.list_services_response.service]
    raise AssertionError("no answer")


# -- Health.


async def test_health_follows_readiness_for_the_server_and_every_service() -> None:
    async with running_edge(LEDGER, ACCOUNTS) as edge:
        for ready, status in ((True, SERVING), (False, NOT_SERVING), (True, SERVING)):
            edge.server.set_ready(ready=ready)
            for service in ("", LEDGER, ACCOUNTS):
                assert await health(edge, service) == status


async def test_health_begins_as_not_serving() -> None:
    async with running_edge(ready=False) as edge:
        assert await health(edge) == NOT_SERVING
        assert await health(edge, LEDGER) == NOT_SERVING


async def test_health_knows_no_other_service() -> None:
    async with running_edge() as edge:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health(edge, ACCOUNTS)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_health_watched_follows_readiness_and_ends_with_the_server() -> None:
    async with running_edge(LEDGER, readiness_delay_s=0.0) as edge:
        stub: Any = health_pb2_grpc.HealthStub(edge.channel)
        watches = [
            stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=20)
            for name in ("", LEDGER, ACCOUNTS)
        ]
        unknown = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        assert [(await one.read()).status for one in watches] == [SERVING, SERVING, unknown]
        edge.server.set_ready(ready=False)
        assert [(await one.read()).status for one in watches[:2]] == [NOT_SERVING] * 2
        edge.server.set_ready(ready=True)
        assert [(await one.read()).status for one in watches[:2]] == [SERVING] * 2
        await asyncio.wait_for(edge.server.drain(20), 5)
        assert [(await one.read()).status for one in watches[:2]] == [NOT_SERVING] * 2
        for one in watches:
            assert await one.read() is grpc.aio.EOF
            assert await one.code() == grpc.StatusCode.OK


async def test_health_takes_no_place_of_others_and_waits_for_nobody() -> None:
    async with running_edge(health_in_work_max=2, receive_timeout_s=1.0) as edge:
        withheld: Any = edge.channel.stream_unary("/grpc.health.v1.Health/Check")
        watched: Any = edge.channel.unary_stream("/grpc.health.v1.Health/Watch")
        held = [withheld() for _ in range(2)]
        watches = [watched(b"") for _ in range(2)]
        for one in watches:
            assert await one.read()

        async def asked() -> str:
            try:
                await health(edge)
            except grpc.aio.AioRpcError as refused:
                return told(refused).metadata["class"]
            return ""

        # The two calls that were begun first may come in last.
        async with asyncio.timeout(5):
            while await asked() != "health Check":
                pass
        with pytest.raises(grpc.aio.AioRpcError) as third:
            await watched(b"").read()
        assert told(third.value).metadata == {"class": "health Watch"}
        assert await edge.call() is not None
        for one in held:
            with pytest.raises(grpc.aio.AioRpcError) as late:
                await one
            answer = told(late.value)
            assert (answer.reason, answer.metadata["quota"]) == (
                "QUOTA_EXCEEDED",
                "receive_seconds",
            )
        assert not await asked()


async def test_health_refuses_what_is_no_question() -> None:
    async with running_edge() as edge:
        for name in ("Check", "Watch"):
            call: Any = edge.channel.unary_unary(f"/grpc.health.v1.Health/{name}")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"\xff\xff")
            answer = told(caught.value)
            assert (answer.code, answer.reason) == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "MALFORMED_REQUEST",
            )


# -- Reflection.


async def test_reflection_lists_the_services() -> None:
    async with running_edge(LEDGER, ACCOUNTS) as edge:
        listed = await reflected(edge)
        assert {LEDGER, ACCOUNTS, "grpc.health.v1.Health"} <= set(listed)


async def test_reflection_describes_error_details() -> None:
    async with running_edge() as edge:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(edge.channel)
        request = reflection_pb2.ServerReflectionRequest(
            file_containing_symbol="google.rpc.ErrorInfo"
        )
        async for answer in stub.ServerReflectionInfo(iter([request]), timeout=5):
            assert answer.HasField("file_descriptor_response")


async def test_reflection_can_be_switched_off() -> None:
    async with running_edge(reflection=False) as edge:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reflected(edge)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


# -- Draining.


async def test_draining_tells_balancers_and_finishes_what_is_in_flight() -> None:
    async with running_edge(readiness_delay_s=0.3) as edge:
        release = asyncio.Event()

        async def wait(_request: Any, _call: Call) -> bytes:
            await release.wait()
            return b"done"

        edge.ledger.behaviours["CreateTransfers"] = wait
        in_flight = [asyncio.ensure_future(edge.call()) for _ in range(20)]
        await until(lambda: len(edge.ledger.calls) == 20)

        draining = asyncio.ensure_future(edge.server.drain(10))
        async with asyncio.timeout(5):
            while await health(edge) != NOT_SERVING:
                pass
        edge.server.set_ready(ready=True)  # readiness no longer counts
        assert await health(edge) == NOT_SERVING
        late = asyncio.ensure_future(edge.call())  # still welcome while balancers notice
        await until(lambda: len(edge.ledger.calls) == 21)

        assert not draining.done()
        release.set()
        assert await asyncio.gather(*in_flight, late) == [b"done"] * 21
        await asyncio.wait_for(draining, 10)


async def test_draining_ends_streams_with_a_reason_to_resume_elsewhere() -> None:
    async with running_edge() as edge:

        async def endless(_request: Any, _call: Call) -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.Event().wait()

        edge.ledger.behaviours["ExportJournal"] = endless
        stream = edge.stream(EXPORT)
        assert await stream.read() == b"first"
        draining = asyncio.ensure_future(edge.server.drain(10))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        answer = told(caught.value)
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        await asyncio.wait_for(draining, 5)


async def test_call_that_outlasts_the_grace_is_cancelled() -> None:
    async with running_edge() as edge:
        cancelled = asyncio.Event()

        async def stuck(_request: Any, _call: Call) -> bytes:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

        edge.ledger.behaviours["CreateTransfers"] = stuck
        call = asyncio.ensure_future(edge.call())
        await until(lambda: bool(edge.ledger.calls))
        await asyncio.wait_for(edge.server.drain(0.1), 5)
        await asyncio.wait_for(cancelled.wait(), 5)
        with pytest.raises(grpc.aio.AioRpcError):
            await call


# -- TLS.


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1; return its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "longmen")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


async def secure_call(edge: Edge, credentials: grpc.ChannelCredentials) -> bytes:
    async with grpc.aio.secure_channel(f"127.0.0.1:{edge.server.port}", credentials) as channel:
        unary: Any = channel.unary_unary(f"/{LEDGER}/CreateTransfers")
        reply: bytes = await unary(
            transfers(1).SerializeToString(),
            metadata=(("authorization", "Bearer good"),),
            timeout=10,
        )
        return reply


async def test_tls_serves_who_trusts_the_certificate(tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    async with running_edge(tls_certificate=file, tls_key=key) as edge:
        await secure_call(edge, grpc.ssl_channel_credentials(file.read_bytes()))
        assert len(edge.ledger.calls) == 1
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await edge.call(timeout=2)  # plaintext
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_tls_demands_client_certificates_when_told(tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    async with running_edge(tls_certificate=file, tls_key=key, tls_client_authorities=file) as edge:
        pem = file.read_bytes()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await secure_call(edge, grpc.ssl_channel_credentials(pem))
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert not edge.ledger.calls
        await secure_call(edge, grpc.ssl_channel_credentials(pem, key.read_bytes(), pem))
        assert len(edge.ledger.calls) == 1


@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key"])
async def test_certificate_and_key_belong_together(tmp_path: Path, missing: str) -> None:
    from longmen_server.transport.server import build_server

    file, key = certificate(tmp_path)
    given = {"tls_certificate": file, "tls_key": key, missing: None}
    with pytest.raises(ValueError, match="both"):
        build_server({}, settings=settings(**given), surroundings=surroundings(Tokens()))


# -- What fails at start.


async def test_servicer_without_a_method_fails_at_start() -> None:
    from longmen_server.transport.method import MethodError
    from longmen_server.transport.server import build_server

    class Empty:
        """Has no method at all."""

    with pytest.raises(MethodError, match="has no method CreateAccounts"):
        build_server({LEDGER: Empty()}, settings=settings(), surroundings=surroundings(Tokens()))


async def test_unknown_service_fails_at_start() -> None:
    from longmen_server.transport.method import MethodError
    from longmen_server.transport.server import build_server

    with pytest.raises(MethodError, match="are its stubs imported"):
        build_server({"a.B": object()}, settings=settings(), surroundings=surroundings(Tokens()))


async def test_address_that_cannot_be_bound_fails_at_start() -> None:
    from longmen_server.transport.server import build_server

    with pytest.raises(OSError, match="cannot listen"):
        build_server(
            {}, settings=settings(address="192.0.2.1:1"), surroundings=surroundings(Tokens())
        )
