"""What one principal may use of what all share: streams held open, and calls per second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.platform.refusal import Refusal
from longmen_server.transport.rates import Meter, network_of, rate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method
    from longmen_server.transport.rates import Rate

ANONYMOUS: Final = "anonymous"
"""Kind of callers without a token."""

STREAMS: Final = "streams_per_principal"
CALLS: Final = "calls_per_second"
"""Names of the quotas in the refusal's metadata."""


class Quota:
    """Counts the open streams of each principal, and its calls."""

    name = "quota"

    def __init__(
        self,
        streams_max: int,
        *,
        rates: Mapping[tuple[str, str], Rate],
        monotonic: Callable[[], float],
        remembered_max: int,
    ) -> None:
        """Take the limits.

        Args:
            streams_max: Most streams that one principal may have open in this process.
            rates: How often principals may call, by kind and class or method.
            monotonic: The clock of the rates, in seconds.
            remembered_max: Most principals remembered for one rate.
        """
        self._streams_max = streams_max
        self._open: dict[tuple[str, str], int] = {}
        self._rates = rates
        self._monotonic = monotonic
        self._remembered_max = remembered_max
        self._meters: dict[tuple[str, str], Meter] = {}

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that counts; methods without any limit proceed without one."""
        if method.streams:
            proceed = self._stream(proceed)
        meters = {
            kind: meter
            for kind in method.principal_kinds
            if (meter := self._meter(kind, method)) is not None
        }
        return _metered(meters, proceed) if meters else proceed

    def _meter(self, kind: str, method: Method) -> Meter | None:
        """Return the meter of a kind for a method; one of a class is shared by its methods."""
        name = f"{method.service.rpartition('.')[2]}/{method.name}"
        found = rate_of(
            self._rates,
            kind,
            method=name,
            rate_class=method.rate_class,
            admission_class=method.admission_class,
        )
        if found is None:
            return None
        what, rate = found
        meter = self._meters.get((kind, what))
        if meter is None:
            meter = Meter(rate, self._monotonic, self._remembered_max)
            self._meters[kind, what] = meter
        return meter

    def _stream(self, proceed: Step) -> Step:
        """Return the step that counts a stream in and out."""
        streams = self._open
        limit = self._streams_max

        async def step(call: Call, request: Any) -> bytes:
            key = (call.principal.kind, call.principal.subject)
            count = streams.get(key, 0)
            if count >= limit:
                raise Refusal(
                    "QUOTA_EXCEEDED",
                    f"a principal may have {limit} streams open on one connection's server process",
                    metadata={"quota": STREAMS, "limit": str(limit)},
                )
            streams[key] = count + 1
            try:
                return await proceed(call, request)
            finally:
                left = streams[key] - 1
                if left:
                    streams[key] = left
                else:
                    del streams[key]

        return step


def _metered(meters: Mapping[str, Meter], proceed: Step) -> Step:
    """Return the step that refuses what comes too soon."""

    async def step(call: Call, request: Any) -> bytes:
        principal = call.principal
        meter = meters.get(principal.kind)
        if meter is None:
            return await proceed(call, request)
        # Whoever has no token is known by where the call comes from, and by nothing else.
        stranger = principal.kind == ANONYMOUS
        subject = network_of(call.address) if stranger else principal.subject
        if not meter.admits(subject):
            refusal = Refusal(
                "QUOTA_EXCEEDED",
                "the principal calls more often than it may",
                metadata={"quota": CALLS, "limit": meter.rate.text},
            )
            refusal.retry_ms = meter.wait_ms(subject)
            raise refusal
        return await proceed(call, request)

    return step
