"""The threaded stack: connections, one attempt of a call, one connection of a stream."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import grpc
from google.protobuf.message import Message

from longmen_client._channel import (
    REPLAYED_TRAILER,
    call_metadata,
    channel_options,
    credentials,
)
from longmen_client._config import ConfigError
from longmen_client._failure import attempt_failed

if TYPE_CHECKING:
    from longmen_client._config import CallOptions, Config
    from longmen_client._methods import Method

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)


class Receiving(Generic[R]):
    """One open connection of a stream."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def receive(self) -> R | None:
        """The next message; None at the end.

        Raises:
            AttemptFailed: the stream ended with an error.
        """
        try:
            message: R | None = next(self._call, None)
        except grpc.RpcError as error:
            raise attempt_failed(self._call) from error
        return message

    def cancel(self) -> None:
        """Close it."""
        self._call.cancel()


class Transport:
    """The connections of one client; any number of threads may use it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._channels = [self._new_channel() for _ in range(config.connections)]
        self._callables: dict[tuple[int, str], Any] = {}
        self._turns = itertools.count()
        self._closed = threading.Event()

    def unary(
        self, method: Method[Q, R], request: Q, *, timeout_s: float, options: CallOptions
    ) -> tuple[R, bool]:
        """One attempt: the reply, and whether it was given before.

        Raises:
            AttemptFailed: the attempt ended with an error.
        """
        metadata = self._metadata(options, method, request)
        try:
            reply, call = self._callable(method).with_call(
                request, timeout=timeout_s, metadata=metadata
            )
        except grpc.RpcError as error:
            # Every error of a call is the call too; only the types of grpc do not say so.
            raise attempt_failed(cast("grpc.Call", error)) from error
        return reply, (REPLAYED_TRAILER, "true") in {
            (pair[0], pair[1]) for pair in call.trailing_metadata() or ()
        }

    def stream(
        self, method: Method[Q, R], request: Q, *, timeout_s: float, options: CallOptions
    ) -> Receiving[R]:
        """Open a stream."""
        metadata = self._metadata(options, method, request)
        return Receiving(self._callable(method)(request, timeout=timeout_s, metadata=metadata))

    def sleep(self, seconds: float) -> None:
        """Wait between attempts; closing the client ends the wait."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """Close every connection; calls under way are cancelled."""
        self._closed.set()
        for channel in self._channels:
            channel.close()

    def _metadata(
        self, options: CallOptions, method: Method[Any, Any], request: Message
    ) -> tuple[tuple[str, str], ...]:
        source = self._config.token
        token = source() if callable(source) else source or ""
        if not isinstance(token, str):
            raise ConfigError("a token provider that is awaited needs AsyncClient")
        return call_metadata(self._config, options, token, method, request)

    def _callable(self, method: Method[Any, Any]) -> Any:
        """The callable of a method on the connection whose turn it is."""
        if self._closed.is_set():
            raise RuntimeError("the client is closed")
        turn = next(self._turns) % self._config.connections
        found = self._callables.get((turn, method.path))
        if found is None:
            channel = self._channels[turn]
            make = channel.unary_stream if method.streams else channel.unary_unary
            found = make(
                method.path,
                request_serializer=method.request_type.SerializeToString,
                response_deserializer=method.response_type.FromString,
            )
            self._callables[turn, method.path] = found
        return found

    def _new_channel(self) -> grpc.Channel:
        options = channel_options(self._config)
        if self._config.tls is None:
            return grpc.insecure_channel(self._config.target, options=options)
        return grpc.secure_channel(
            self._config.target, credentials(self._config.tls), options=options
        )
