"""What is told of every call: its duration and end, the calls in work, a sampled span.

This is the outermost interceptor: it counts what the others refuse as well. A call that ends well
writes no log line. Whether a call is traced is decided before anything of OpenTelemetry is touched:
by the caller's traceparent where there is one, else by chance at the configured ratio, so that an
untraced call pays for one comparison.
"""

from __future__ import annotations

import asyncio
import random
import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.platform.metrics import Distribution, Metrics
    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

OK = "OK"
CANCELLED = "CANCELLED"
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"

FAULTS = frozenset(
    {"UNKNOWN", DEADLINE_EXCEEDED, "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""Codes that are the server's fault by OpenTelemetry's conventions; their spans are marked as
errors."""

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 0x01


class Telemetry:
    """Measures and traces calls."""

    name = "telemetry"

    def __init__(self, metrics: Metrics, *, tracer: trace.Tracer | None, ratio: float) -> None:
        """Take what the step reports to.

        Args:
            metrics: Where durations and calls in work are summed up.
            tracer: Makes the spans; None when traces are exported nowhere.
            ratio: Share, 0 to 1, of the calls traced among those that bring no traceparent.
        """
        self._tracer = tracer
        self._ratio = ratio
        self._durations = metrics.histogram(
            "rpc.server.call.duration",
            "Time from a call's first step in the edge to its last, by method and status code.",
            "s",
            "rpc.method",
            "rpc.response.status_code",
        )
        self._in_work = metrics.level(
            "longmen.edge.calls_in_work",
            "Calls between their first step in the edge and their last.",
            "{call}",
            "rpc.method",
        )

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that measures everything inside it."""
        path = method.path
        ended = _Ended(lambda code: self._durations.at(path, code))
        in_work = self._in_work.at(path)
        inner = proceed if self._tracer is None else self._traced(method, proceed, self._tracer)

        async def step(call: Call, request: Any) -> bytes:
            begun = perf_counter()
            in_work.value += 1
            code = OK
            try:
                reply = await inner(call, request)
                if call.status is not None:
                    code = call.status.code.name
            except asyncio.CancelledError:
                remaining = call.wire.time_remaining()
                code = DEADLINE_EXCEEDED if remaining is not None and remaining <= 0 else CANCELLED
                raise
            finally:
                in_work.value -= 1
                ended[code].record(perf_counter() - begun)
            return reply

        return step

    def _traced(self, method: Method, proceed: Step, tracer: trace.Tracer) -> Step:
        """Return the step that wraps sampled calls in a span."""
        ratio = self._ratio
        attributes = {"rpc.system.name": "grpc", "rpc.method": method.path}

        async def step(call: Call, request: Any) -> bytes:
            parent = remote_parent(call)
            if parent is None:
                if random.random() >= ratio:  # noqa: S311 - sampling
                    return await proceed(call, request)
            elif not parent.trace_flags & _SAMPLED:
                return await proceed(call, request)
            context = None
            if parent is not None:
                context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
            with tracer.start_as_current_span(
                method.path, context=context, kind=SpanKind.SERVER, attributes=attributes
            ) as span:
                reply = await proceed(call, request)
                code = OK if call.status is None else call.status.code.name
                span.set_attribute("rpc.response.status_code", code)
                if call.status is not None:
                    span.set_attribute("error.type", call.status.reason)
                if code in FAULTS:
                    span.set_status(StatusCode.ERROR)
                return reply

        return step


class _Ended(dict[str, "Distribution"]):
    """The series of one method by status code, made when a code first occurs."""

    def __init__(self, make: Callable[[str], Distribution]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, code: str) -> Distribution:
        made = self[code] = self._make(code)
        return made


def remote_parent(call: Call) -> SpanContext | None:
    """Return the span context of the caller's traceparent; None without a good one."""
    for key, value in call.wire.invocation_metadata() or ():
        if key == "traceparent" and isinstance(value, str):
            found = _TRACEPARENT.fullmatch(value)
            if found is None:
                return None
            parent = SpanContext(
                trace_id=int(found[1], 16),
                span_id=int(found[2], 16),
                is_remote=True,
                trace_flags=TraceFlags(int(found[3], 16)),
            )
            return parent if parent.is_valid else None
    return None
