"""From a servicer's method to a gRPC handler: the two ends of the chain.

The outer end makes the `Call`. Every method is registered as if it took a stream of raw bytes, so
that the chain itself receives the request: gRPC would wait for it, without bound, before anything
of ours could refuse the caller, and leaves a call that ends without a message unanswered for ever.
The inner end calls the servicer and serialises what it gives; a stream's inner end also sends the
messages and ends a stream whose reader has stopped reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import grpc

from longmen_server.platform.refusal import Refusal
from longmen_server.transport import status
from longmen_server.transport.chain import Interceptor, Step, compose
from longmen_server.transport.context import Call, Wire
from longmen_server.transport.method import Method, MethodError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from google.protobuf.message import Message

    from longmen_server.transport.settings import EdgeSettings

PATH_SHOWN_MAX = 128
"""Characters of an unknown method's name told back to the caller."""

UnaryMethod = Callable[[Any, Call], Awaitable[Any]]
"""A servicer's unary method: request and call to a message, or to its bytes."""

StreamMethod = Callable[[Any, Call], AsyncIterator[Any]]
"""A servicer's streaming method: request and call to messages, or to their bytes."""


def handler(
    method: Method,
    servicer: object,
    interceptors: Sequence[Interceptor],
    settings: EdgeSettings,
) -> grpc.RpcMethodHandler[bytes, bytes]:
    """Return the gRPC handler of a method; raise MethodError if the servicer lacks it."""
    function = getattr(servicer, method.name, None)
    if not callable(function):
        message = f"{type(servicer).__name__} has no method {method.name} for {method.service}"
        raise MethodError(message)
    if method.streams:
        inner = _sending(cast("StreamMethod", function), settings.stream_send_timeout_s)
    else:
        inner = _replying(cast("UnaryMethod", function))
    chain = compose(method, interceptors, inner)
    path = method.path

    async def handle(_: AsyncIterator[bytes], wire: Wire) -> bytes:
        return await chain(Call(path, wire), None)

    async def handle_stream(_: AsyncIterator[bytes], wire: Wire) -> None:
        await chain(Call(path, wire), None)

    if method.streams:
        return grpc.stream_stream_rpc_method_handler(handle_stream)
    return grpc.stream_unary_rpc_method_handler(handle)


def _replying(function: UnaryMethod) -> Step:
    """Return the innermost step of a unary method."""

    async def step(call: Call, request: Any) -> bytes:
        reply = await function(request, call)
        return reply if type(reply) is bytes else _serialise(reply)

    return step


def _sending(function: StreamMethod, send_timeout_s: float) -> Step:
    """Return the innermost step of a streaming method."""

    async def step(call: Call, request: Any) -> bytes:
        write = call.wire.write
        begun = False
        messages = cast("AsyncGenerator[Any, None]", function(request, call))
        async with aclosing(messages):
            async for message in messages:
                data = message if type(message) is bytes else _serialise(message)
                if call.check is not None:
                    call.check()
                if not begun:
                    await _begin(call.wire)
                    begun = True
                scope = asyncio.timeout(send_timeout_s)
                try:
                    async with scope:
                        await write(data)
                except TimeoutError:
                    if scope.expired():
                        raise _reader_stalled(send_timeout_s) from None
                    raise
        return b""

    return step


async def _begin(wire: Wire) -> None:
    """Send the headers of a stream, whole even if the call is cancelled meanwhile.

    gRPC notes that they are sent only when that has been awaited to its end. Cancelled before, it
    would send them again with the status, which its core refuses: the caller would wait for ever.
    """
    sending = asyncio.ensure_future(wire.send_initial_metadata(()))
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        await sending
        raise


def _serialise(message: Message) -> bytes:
    return message.SerializeToString()


def _reader_stalled(send_timeout_s: float) -> Refusal:
    return Refusal(
        "QUOTA_EXCEEDED",
        "the stream was not read for too long; resume it from the last cursor received",
        metadata={"quota": "stream_send_seconds", "limit": str(send_timeout_s)},
    )


class UnknownMethods(grpc.GenericRpcHandler):
    """Answers calls of methods that do not exist, with the reason that gRPC's own answer lacks."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Return a handler that refuses; it reads no message, so nothing is spent on one."""
        path = handler_call_details.method.removeprefix("/")[:PATH_SHOWN_MAX]

        async def refuse(_: AsyncIterator[bytes], wire: Wire) -> None:
            refusal = Refusal(
                "UNKNOWN_METHOD", "no such method is served here", metadata={"method": path}
            )
            Call(path, wire).refuse(status.of_refusal(refusal))

        return grpc.stream_stream_rpc_method_handler(refuse)
