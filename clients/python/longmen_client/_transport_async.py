"""The asyncio stack: connections, one attempt of a call, one connection of a stream."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import grpc.aio
from google.protobuf.message import Message

from longmen_client._channel import (
    REPLAYED_TRAILER,
    call_metadata,
    channel_options,
    credentials,
)
from longmen_client._failure import attempt_failed

if TYPE_CHECKING:
    from longmen_client._config import CallOptions, Config
    from longmen_client._methods import Method

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)


class AsyncReceiving(Generic[R]):
    """One open connection of a stream."""

    def __init__(self, call: grpc.aio.UnaryStreamCall[Any, R]) -> None:
        self._call = call

    async def receive(self) -> R | None:
        """The next message; None at the end.

        Raises:
            AttemptFailed: the stream ended with an error.
        """
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise attempt_failed(error) from error
        # The end is told by an object of its own, which the types of grpc do not name.
        return None if message is grpc.aio.EOF else cast("R", message)

    async def cancel(self) -> None:
        """Close it."""
        self._call.cancel()


class AsyncTransport:
    """The connections of one asyncio client. It belongs to the event loop that first uses it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._channels: list[grpc.aio.Channel] = []
        self._callables: dict[tuple[int, str], Any] = {}
        self._turns = itertools.count()
        self._closed = False

    async def unary(
        self, method: Method[Q, R], request: Q, *, timeout_s: float, options: CallOptions
    ) -> tuple[R, bool]:
        """One attempt: the reply, and whether it was given before.

        Raises:
            AttemptFailed: the attempt ended with an error.
        """
        call = self._callable(method)(
            request, timeout=timeout_s, metadata=await self._metadata(options, method, request)
        )
        try:
            reply: R = await call
            trailers = await call.trailing_metadata()
        except grpc.aio.AioRpcError as error:
            raise attempt_failed(error) from error
        return reply, (REPLAYED_TRAILER, "true") in tuple(trailers)

    async def stream(
        self, method: Method[Q, R], request: Q, *, timeout_s: float, options: CallOptions
    ) -> AsyncReceiving[R]:
        """Open a stream."""
        metadata = await self._metadata(options, method, request)
        return AsyncReceiving(self._callable(method)(request, timeout=timeout_s, metadata=metadata))

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close every connection; calls under way are cancelled."""
        self._closed = True
        channels, self._channels = self._channels, []
        self._callables.clear()
        for channel in channels:
            await channel.close()

    async def _metadata(
        self, options: CallOptions, method: Method[Any, Any], request: Message
    ) -> tuple[tuple[str, str], ...]:
        source = self._config.token
        token = source() if callable(source) else source or ""
        if inspect.isawaitable(token):
            token = await token
        return call_metadata(self._config, options, token, method, request)

    def _callable(self, method: Method[Any, Any]) -> Any:
        """The callable of a method on the connection whose turn it is."""
        turn = next(self._turns) % self._config.connections
        found = self._callables.get((turn, method.path))
        if found is None:
            channel = self._channel(turn)
            make = channel.unary_stream if method.streams else channel.unary_unary
            found = make(
                method.path,
                request_serializer=method.request_type.SerializeToString,
                response_deserializer=method.response_type.FromString,
            )
            self._callables[turn, method.path] = found
        return found

    def _channel(self, turn: int) -> grpc.aio.Channel:
        """A connection, made when first needed: only then is the event loop known."""
        if self._closed:
            raise RuntimeError("the client is closed")
        while len(self._channels) <= turn:
            self._channels.append(self._new_channel())
        return self._channels[turn]

    def _new_channel(self) -> grpc.aio.Channel:
        options = channel_options(self._config)
        if self._config.tls is None:
            return grpc.aio.insecure_channel(self._config.target, options=options)
        return grpc.aio.secure_channel(
            self._config.target, credentials(self._config.tls), options=options
        )
