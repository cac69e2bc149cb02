"""A real edge on a real port, with servicers whose every method a test can programme."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2, status_pb2

from longmen.accounts.v1 import accounts_service_pb2 as _accounts  # noqa: F401 - registers it
from longmen.admin.v1 import admin_service_pb2 as _admin  # noqa: F401 - registers it
from longmen.ledger.v1 import ledger_service_pb2
from longmen_server.platform.metrics import Metrics
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.method import read_methods
from longmen_server.transport.server import EdgeServer, Surroundings, build_server
from longmen_server.transport.settings import EdgeSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from longmen_server.transport.context import Call

LEDGER = "longmen.ledger.v1.LedgerService"
ACCOUNTS = "longmen.accounts.v1.AccountsService"
ADMIN = "longmen.admin.v1.AdminService"

GOOD = "good"
"""The token that `Tokens` knows unless a test says otherwise."""

REQUEST_ID = "0190e7a2-6c1f-7c3a-9d1e-0123456789ab"
DEBIT = "acct_" + "0" * 31 + "1"
CREDIT = "acct_" + "0" * 31 + "2"
ALL_SCOPES = frozenset(
    method.scope for service in (LEDGER, ACCOUNTS, ADMIN) for method in read_methods(service)
)


@dataclass(frozen=True)
class Claims:
    kind: str = "service"
    subject: str = "channel"
    scopes: frozenset[str] = ALL_SCOPES
    customer_id: Any = None
    token_id: str = "token-1"
    expires_at_us: int = 1 << 62
    session_id: str | None = None
    device_id: str | None = None
    proof_thumbprint: str | None = None
    roles: frozenset[str] | None = None
    person: str = ""
    branch: str = ""


@dataclass
class Tokens:
    """A verifier that knows the tokens it is told."""

    known: dict[str, Claims] = field(default_factory=lambda: {"good": Claims()})
    verified: int = 0
    target: str = ""
    """Where the server listens that takes them."""

    def verify(self, token: str) -> Claims:
        self.verified += 1
        if token not in self.known:
            raise Refusal("TOKEN_INVALID", "the token is not one this server accepts")
        return self.known[token]


class Servicer:
    """Answers every method of a service with an empty reply, unless a test says otherwise."""

    def __init__(self, service: str) -> None:
        self.calls: list[tuple[str, Any, Call]] = []
        self.behaviours: dict[str, Callable[[Any, Call], Any]] = {}
        descriptor = descriptor_pool.Default().FindServiceByName(service)
        for method in descriptor.methods:
            reply = message_factory.GetMessageClass(method.output_type)
            make = self._stream if method.server_streaming else self._unary
            setattr(self, method.name, make(method.name, reply))

    def _unary(self, name: str, reply: type) -> Callable[[Any, Call], Awaitable[Any]]:
        async def answer(request: Any, call: Call) -> Any:
            self.calls.append((name, request, call))
            behaviour = self.behaviours.get(name)
            return reply() if behaviour is None else await behaviour(request, call)

        return answer

    def _stream(self, name: str, reply: type) -> Callable[[Any, Call], AsyncIterator[Any]]:
        async def answer(request: Any, call: Call) -> AsyncIterator[Any]:
            self.calls.append((name, request, call))
            behaviour = self.behaviours.get(name)
            if behaviour is None:
                yield reply()
                return
            async for message in behaviour(request, call):
                yield message

        return answer


@dataclass
class Edge:
    """A running edge and a channel to it."""

    server: EdgeServer
    channel: grpc.aio.Channel
    servicers: dict[str, Servicer]
    tokens: Tokens
    metrics: Metrics

    @property
    def ledger(self) -> Servicer:
        return self.servicers[LEDGER]

    async def call(
        self,
        method: str = f"{LEDGER}/CreateTransfers",
        payload: bytes | None = None,
        *,
        token: str | None = GOOD,
        metadata: tuple[tuple[str, str | bytes], ...] = (),
        timeout: float | None = 10.0,  # noqa: ASYNC109 - it is the deadline of the call
    ) -> bytes:
        """Call a unary method with raw bytes; raise grpc.aio.AioRpcError unless it is OK."""
        if payload is None:
            payload = transfers(1).SerializeToString()
        bearer = () if token is None else (("authorization", f"Bearer {token}"),)
        unary: Any = self.channel.unary_unary(f"/{method}")
        reply: bytes = await unary(payload, metadata=(*bearer, *metadata), timeout=timeout)
        return reply

    def stream(
        self, method: str, payload: bytes = b"", *, token: str = GOOD
    ) -> grpc.aio.UnaryStreamCall[bytes, bytes]:
        stream: Any = self.channel.unary_stream(f"/{method}")
        call: grpc.aio.UnaryStreamCall[bytes, bytes] = stream(
            payload, metadata=(("authorization", f"Bearer {token}"),), timeout=10
        )
        return call


def settings(**changes: Any) -> EdgeSettings:
    """Settings for tests: any free port, no waiting for balancers."""
    chosen: dict[str, Any] = {"address": "127.0.0.1:0", "readiness_delay_s": 0.0, **changes}
    return EdgeSettings(**chosen)


def surroundings(verifier: Tokens, metrics: Metrics | None = None, **more: Any) -> Surroundings:
    """What the edge needs of the rest of a process."""
    return Surroundings(
        verifier=verifier,
        metrics=metrics or Metrics(),
        monotonic=time.monotonic,
        now_us=lambda: 1_700_000_000_000_000,
        **{"secret_fingerprint_key": bytes(32), **more},
    )


@asynccontextmanager
async def running_edge(
    *services: str,
    tokens: Tokens | None = None,
    metrics: Metrics | None = None,
    more: dict[str, Any] | None = None,
    ready: bool = True,
    **changes: Any,
) -> AsyncIterator[Edge]:
    """Run an edge with the given services, by default the ledger's, until the block ends.

    Args:
        services: Full names of the services.
        tokens: The verifier; by default one that knows `GOOD`.
        metrics: Where calls are counted; by default nowhere else.
        more: Further parts of the surroundings, such as a tracer.
        ready: Whether to turn SERVING at once.
        changes: Settings that differ from the defaults for tests.
    """
    tokens = tokens or Tokens()
    servicers = {name: Servicer(name) for name in services or (LEDGER,)}
    metrics = metrics or Metrics()
    server = build_server(
        servicers,
        settings=settings(**changes),
        surroundings=surroundings(tokens, metrics, **(more or {})),
    )
    await server.start()
    if ready:
        server.set_ready(ready=True)
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
    try:
        yield Edge(server, channel, servicers, tokens, metrics)
    finally:
        await channel.close()
        await server.drain(0)


def transfers(count: int) -> ledger_service_pb2.CreateTransfersRequest:
    """A valid CreateTransfersRequest."""
    request = ledger_service_pb2.CreateTransfersRequest(request_id=REQUEST_ID)
    for _ in range(count):
        transfer = request.transfers.add(debit_account_id=DEBIT, credit_account_id=CREDIT)
        transfer.amount.minor_units = 1_234
        transfer.amount.currency_code = "CNY"
    return request


@dataclass(frozen=True)
class Told:
    """What a failed call told its caller."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    fields: list[str]
    retry_ms: int | None
    whole: bytes


def told(error: grpc.aio.AioRpcError) -> Told:
    """Read the details of a refused call; every refusal of ours has an ErrorInfo of our domain."""
    trailers = dict(error.trailing_metadata() or ())
    whole = trailers["grpc-status-details-bin"]
    assert isinstance(whole, bytes)
    status = status_pb2.Status.FromString(whole)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    info = error_details_pb2.ErrorInfo()
    fields: list[str] = []
    retry_ms = None
    for detail in status.details:
        if detail.Unpack(info):
            assert info.domain == "longmen"
        bad, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(bad):
            fields = [violation.field for violation in bad.field_violations]
        if detail.Unpack(retry):
            retry_ms = retry.retry_delay.ToMilliseconds()
    return Told(
        error.code(), status.message, info.reason, dict(info.metadata), fields, retry_ms, whole
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait, for five seconds at most, for something that no event tells of."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - polled on purpose
            await asyncio.sleep(0.001)
