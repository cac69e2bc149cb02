"""Health and readiness: whether this process should be sent calls.

Every service, and "" for the server as a whole, starts as NOT_SERVING, follows the readiness it is
told, and stays NOT_SERVING once draining has begun, whatever is told after that.

Whoever asks shows no token, so that what asking may take is bounded here: so many calls at once,
time to send the request and time to take an answer. The bound is the process's own and leaves calls
of the contract alone. grpc's own servicer has no bound, and a watcher who stops reading makes it
hold the lock that a change of state needs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from longmen_server.platform.refusal import Refusal
from longmen_server.transport import status
from longmen_server.transport.context import Call
from longmen_server.transport.interceptors.validation import receive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from longmen_server.transport.context import Wire
    from longmen_server.transport.settings import EdgeSettings

OVERALL: Final = ""
"""The name under which the health protocol asks for the server as a whole."""
SERVICE: Final = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
"""Full name of the health protocol's service."""

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN: Final = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """Answers the health protocol."""

    def __init__(self, services: Iterable[str], settings: EdgeSettings) -> None:
        """Begin NOT_SERVING for every service and for the server as a whole."""
        self._names = frozenset((OVERALL, *services))
        self._serving = False
        self._draining = False
        self._changed = asyncio.Event()
        self._settings = settings
        self._in_work = {"Check": 0, "Watch": 0}

    def register(self, server: grpc.aio.Server) -> None:
        """Serve the health protocol on a server that has not started yet."""
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Check": grpc.stream_unary_rpc_method_handler(self._check),
            "Watch": grpc.stream_stream_rpc_method_handler(self._watch),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def set_ready(self, *, ready: bool) -> None:
        """Turn SERVING or NOT_SERVING; free when nothing changes, no effect while draining."""
        if not self._draining and ready is not self._serving:
            self._serving = ready
            self._wake()

    def begin_draining(self) -> None:
        """Turn NOT_SERVING for good, and end the watches once they have told so."""
        self._serving, self._draining = False, True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _state(self, service: str) -> health_pb2.HealthCheckResponse.ServingStatus.ValueType:
        if service not in self._names:
            return _UNKNOWN
        return _SERVING if self._serving else _NOT_SERVING

    async def _check(self, _: AsyncIterator[bytes], wire: Wire) -> bytes:
        return await self._answer("Check", wire, self._tell)

    async def _watch(self, _: AsyncIterator[bytes], wire: Wire) -> None:
        await self._answer("Watch", wire, self._keep_telling)

    async def _answer(
        self, method: str, wire: Wire, answer: Callable[[Call], Awaitable[bytes]]
    ) -> bytes:
        """Count a call in and out; what it is refused with becomes its status."""
        call = Call(f"{SERVICE}/{method}", wire)
        if self._in_work[method] >= self._settings.health_in_work_max:
            call.refuse(status.of_refusal(_overloaded(method)))
            return b""
        self._in_work[method] += 1
        try:
            return await answer(call)
        except Refusal as refusal:
            call.refuse(status.of_refusal(refusal))
            return b""
        finally:
            self._in_work[method] -= 1

    async def _tell(self, call: Call) -> bytes:
        state = self._state(await self._asked(call))
        if state != _UNKNOWN:
            return _message(state)
        # The protocol's own words: a code, and nothing to be told beside it.
        call.wire.set_code(grpc.StatusCode.NOT_FOUND)
        call.wire.set_details("no such service is served here")
        return b""

    async def _keep_telling(self, call: Call) -> bytes:
        service = await self._asked(call)
        told = None
        while True:
            changed = self._changed
            state = self._state(service)
            if state != told:
                await self._send(call.wire, _message(state))
                told = state
            # Nothing more will be told: whoever watches had better look elsewhere. But what changed
            # while the last state was sent is told first.
            if self._draining and told == self._state(service):
                return b""
            await changed.wait()

    async def _asked(self, call: Call) -> str:
        data = await receive(call, self._settings.receive_timeout_s)
        try:
            request: health_pb2.HealthCheckRequest = health_pb2.HealthCheckRequest.FromString(data)
        except DecodeError:
            raise Refusal("MALFORMED_REQUEST", "the request is no HealthCheckRequest") from None
        return str(request.service)

    async def _send(self, wire: Wire, data: bytes) -> None:
        timeout_s = self._settings.stream_send_timeout_s
        scope = asyncio.timeout(timeout_s)
        try:
            async with scope:
                await wire.write(data)
        except TimeoutError:
            if not scope.expired():
                raise
            raise Refusal(
                "QUOTA_EXCEEDED",
                "the stream was not read for too long",
                metadata={"quota": "stream_send_seconds", "limit": str(timeout_s)},
            ) from None


def _message(state: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> bytes:
    reply: bytes = health_pb2.HealthCheckResponse(status=state).SerializeToString()
    return reply


def _overloaded(method: str) -> Refusal:
    return Refusal(
        "OVERLOADED",
        "too many ask for the server's health at the moment",
        metadata={"class": f"health {method}"},
    )
