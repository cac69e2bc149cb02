"""What every call must bring: metadata in order, and a deadline that can be met.

gRPC's core hands over metadata with control characters, repeated security keys and, from a peer
that never acknowledges its settings, of any size; so the limits are enforced here, on what actually
arrived. A call without a deadline gets the method's default; a longer one than the method's maximum
is cut to it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method
    from longmen_server.transport.proxies import Proxies

METADATA_BYTES_MAX = 8_192
"""Largest metadata of a call: bytes of all keys and values."""

METADATA_KEYS_MAX = 64
"""Most metadata entries of a call."""

SINGLE_KEYS = frozenset({"authorization", "dpop", "traceparent", "tracestate", "x-request-id"})
"""Keys that may not be repeated: two readers could believe different ones."""

_KEY_SHOWN_MAX = 64
"""Characters of an offending key told back to the caller."""


@dataclass(slots=True)
class Draining:
    """The streams that are open, so that draining can end them; and whether it has begun."""

    begun: bool
    streams: set[asyncio.Timeout]

    def begin(self) -> None:
        """End every open stream at once, and every later one as it opens."""
        self.begun = True
        now = asyncio.get_running_loop().time()
        for scope in self.streams:
            if not scope.expired():
                scope.reschedule(now)


class Context:
    """Guards the metadata and sets the deadline."""

    name = "context"

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        minimum_budget_s: float,
        draining: Draining,
        proxies: Proxies | None = None,
    ) -> None:
        """Take what the step needs.

        Args:
            monotonic: The clock that deadlines are counted on, in seconds.
            minimum_budget_s: Seconds below which a deadline is hopeless and the call is not begun.
            draining: Where open streams are noted.
            proxies: Whose word on where a call comes from is taken; None takes nobody's.
        """
        self._proxies = proxies
        self._monotonic = monotonic
        self._minimum_budget_s = minimum_budget_s
        self._draining = draining

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step for a unary or a streaming method."""
        return self._stream(method, proceed) if method.streams else self._unary(method, proceed)

    def _unary(self, method: Method, proceed: Step) -> Step:
        default_s = method.default_deadline_ms / 1000
        maximum_s = method.maximum_deadline_ms / 1000
        minimum_s = self._minimum_budget_s
        monotonic = self._monotonic
        proxies = self._proxies

        async def step(call: Call, request: Any) -> bytes:
            metadata = call.wire.invocation_metadata() or ()
            call.authorization = guard(metadata)
            if proxies is not None:
                call.address = proxies.address_of(call.address, metadata)
            remaining = call.wire.time_remaining()
            if remaining is not None and remaining <= maximum_s:
                if remaining < minimum_s:
                    raise _too_late()
                # grpc.aio itself cancels the call at the caller's deadline.
                call.deadline = monotonic() + remaining
                return await proceed(call, request)
            budget = default_s if remaining is None else maximum_s
            call.deadline = monotonic() + budget
            scope = asyncio.timeout(budget)
            try:
                async with scope:
                    return await proceed(call, request)
            except TimeoutError:
                if scope.expired():
                    raise _too_late() from None
                raise

        return step

    def _stream(self, method: Method, proceed: Step) -> Step:
        default_s = method.default_deadline_ms / 1000
        maximum_s = method.maximum_deadline_ms / 1000
        draining = self._draining
        proxies = self._proxies

        async def step(call: Call, request: Any) -> bytes:
            metadata = call.wire.invocation_metadata() or ()
            call.authorization = guard(metadata)
            if proxies is not None:
                call.address = proxies.address_of(call.address, metadata)
            if draining.begun:
                raise _shutting_down()
            remaining = call.wire.time_remaining()
            budget = default_s if remaining is None else min(remaining, maximum_s)
            call.deadline = self._monotonic() + budget
            scope = asyncio.timeout(budget)
            try:
                async with scope:
                    draining.streams.add(scope)
                    try:
                        return await proceed(call, request)
                    finally:
                        draining.streams.discard(scope)
            except TimeoutError:
                if not scope.expired():
                    raise
                raise _ended(draining) from None

        return step


def guard(metadata: Sequence[tuple[str, str | bytes]]) -> str | None:
    """Refuse metadata that breaks a rule; return the authorization metadata, if any."""
    if len(metadata) > METADATA_KEYS_MAX:
        raise _rejected("", f"more than {METADATA_KEYS_MAX} metadata entries")
    authorization: str | None = None
    seen: set[str] | None = None
    size = 0
    for key, value in metadata:
        size += len(key) + len(value)
        if isinstance(value, str):
            if not (value.isascii() and value.isprintable()):
                raise _rejected(key, "metadata values are printable ASCII")
        elif not key.endswith("-bin"):
            raise _rejected(key, "binary metadata has a key that ends in -bin")
        if key in SINGLE_KEYS:
            seen = set() if seen is None else seen
            if key in seen:
                raise _rejected(key, "this metadata key may be given once only")
            seen.add(key)
            if key == "authorization":
                authorization = str(value)
    if size > METADATA_BYTES_MAX:
        raise _rejected("", f"more than {METADATA_BYTES_MAX} bytes of metadata")
    return authorization


def _rejected(key: str, message: str) -> Refusal:
    return Refusal("METADATA_REJECTED", message, metadata={"key": key[:_KEY_SHOWN_MAX]})


def _too_late() -> Refusal:
    return Refusal("DEADLINE_EXCEEDED", "the deadline has passed or leaves no time for the work")


def _ended(draining: Draining) -> Refusal:
    """Say why a stream was ended: it may be that draining has begun since it was opened."""
    return _shutting_down() if draining.begun else _too_late()


def _shutting_down() -> Refusal:
    return Refusal("SHUTTING_DOWN", "the server is shutting down; resume on another connection")
