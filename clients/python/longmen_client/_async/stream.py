"""Streams that outlive their connections."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from google.protobuf.message import Message

from longmen_client._failure import AttemptFailed, error_of

if TYPE_CHECKING:
    from types import TracebackType

    from longmen_client._config import CallOptions
    from longmen_client._errors import ErrorDetails
    from longmen_client._methods import Method
    from longmen_client._resume import Resumption
    from longmen_client._transport_async import AsyncReceiving, AsyncTransport

R = TypeVar("R", bound=Message)


class AsyncStream(Generic[R]):
    """Messages of a server stream, in order.

    A broken connection is resumed where the contract allows it: from the last cursor, or with the
    present state. Leave it by `async with`, or `aclose` it.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        method: Method[Any, R],
        resumption: Resumption[Any, R],
        options: CallOptions,
    ) -> None:
        self._transport = transport
        self._method = method
        self._resumption = resumption
        self._options = options
        self._receiving: AsyncReceiving[R] | None = None
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        """The next message.

        Raises:
            LongmenError: the stream broke and cannot go on.
        """
        while not self._ended:
            message, broken = await self._receive()
            if broken is not None:
                await self._reconnect(broken)
            elif message is None:
                break
            elif self._resumption.accept(message):
                return message
        self._ended = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the stream; it gives nothing more."""
        self._ended = True
        if self._receiving is not None:
            await self._receiving.cancel()
            self._receiving = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _receive(self) -> tuple[R | None, ErrorDetails | None]:
        """The next message of the connection, opened when there is none, or why it broke."""
        try:
            if self._receiving is None:
                request, timeout_s = self._resumption.connect()
                self._receiving = await self._transport.stream(
                    self._method, request, timeout_s=timeout_s, options=self._options
                )
            return await self._receiving.receive(), None
        except AttemptFailed as failed:
            return None, failed.details

    async def _reconnect(self, broken: ErrorDetails) -> None:
        """Wait until the next connection may be opened.

        Raises:
            LongmenError: the failure is final.
        """
        self._receiving = None
        delay_s = self._resumption.delay_after(broken)
        if self._ended:
            return  # Closed from another thread or task while it was receiving.
        if delay_s is None:
            self._ended = True
            raise error_of(dataclasses.replace(broken, method=self._method.name))
        await self._transport.sleep(delay_s)
