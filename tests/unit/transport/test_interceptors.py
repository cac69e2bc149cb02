"""Each interceptor alone, against a call that has no wire behind it."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from longmen_server.platform.metrics import Distribution, Metrics
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Call, Principal
from longmen_server.transport.interceptors.admission import WINDOW_CALLS, Admission
from longmen_server.transport.interceptors.authn import Authn
from longmen_server.transport.interceptors.context import (
    METADATA_BYTES_MAX,
    Context,
    Draining,
    guard,
)
from longmen_server.transport.interceptors.errors import Errors
from longmen_server.transport.interceptors.telemetry import Telemetry
from longmen_server.transport.method import Method, read_methods
from tests.support.edge import LEDGER, Claims, Tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

METHODS = {method.name: method for method in read_methods(LEDGER)}
CREATE = METHODS["CreateTransfers"]
SECOND_US = 1_000_000


class FakeWire:
    """What grpc.aio would know of the call."""

    def __init__(self, *metadata: tuple[str, str | bytes], remaining: float | None = 5.0) -> None:
        self.metadata = metadata
        self.remaining = remaining
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.trailers: tuple[tuple[str, str | bytes], ...] = ()

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self.metadata

    def auth_context(self) -> dict[str, list[bytes]]:
        return {}

    def peer(self) -> str:
        return "ipv4:192.0.2.7:40000"

    def time_remaining(self) -> float | None:
        return self.remaining

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None:
        self.details = details

    def set_trailing_metadata(self, trailers: tuple[tuple[str, str | bytes], ...]) -> None:
        self.trailers = trailers

    async def send_initial_metadata(
        self, initial_metadata: tuple[tuple[str, str | bytes], ...]
    ) -> None:
        raise AssertionError(initial_metadata)

    async def read(self) -> bytes:
        return b""

    async def write(self, message: bytes) -> None:
        raise AssertionError(message)


def call_with(*metadata: tuple[str, str | bytes], **more: Any) -> Call:
    return Call(CREATE.path, FakeWire(*metadata, **more))


async def ok(_call: Call, _payload: Any) -> bytes:
    return b"reply"


def raising(error: BaseException) -> Callable[[Call, Any], Awaitable[bytes]]:
    async def step(_call: Call, _payload: Any) -> bytes:
        raise error

    return step


# -- Metadata guard.


@pytest.mark.parametrize(
    "value", ["a\rb", "a\nb", "a\x00b", "\x7f", "caf\u00e9", "\u202eevil", "\x1b[31m"]
)
def test_control_and_foreign_characters_are_refused(value: str) -> None:
    with pytest.raises(Refusal) as caught:
        guard((("x-note", value),))
    assert caught.value.reason == "METADATA_REJECTED"
    assert caught.value.metadata == {"key": "x-note"}
    assert value not in caught.value.message


def test_bytes_belong_to_binary_keys() -> None:
    guard((("x-note-bin", b"\x00\xff"),))
    with pytest.raises(Refusal):
        guard((("x-note", b"\x00\xff"),))


@pytest.mark.parametrize("key", ["authorization", "traceparent", "x-request-id"])
def test_keys_that_decide_something_stand_once(key: str) -> None:
    guard(((key, "a"),))
    with pytest.raises(Refusal) as caught:
        guard(((key, "a"), ("other", "b"), (key, "a")))
    assert caught.value.metadata == {"key": key}


def test_other_keys_may_repeat() -> None:
    guard((("x-tag", "a"), ("x-tag", "b")))


@pytest.mark.parametrize(("size", "passes"), [(0, True), (1, False)])
def test_metadata_is_bounded_in_bytes(size: int, *, passes: bool) -> None:
    metadata = (("k", "v" * (METADATA_BYTES_MAX - 1 + size)),)
    if passes:
        guard(metadata)
    else:
        with pytest.raises(Refusal):
            guard(metadata)


@pytest.mark.parametrize(("count", "passes"), [(64, True), (65, False)])
def test_metadata_is_bounded_in_entries(count: int, *, passes: bool) -> None:
    metadata = tuple((f"k{n}", "v") for n in range(count))
    if passes:
        guard(metadata)
    else:
        with pytest.raises(Refusal):
            guard(metadata)


def test_guard_gives_the_authorization() -> None:
    assert guard((("user-agent", "x"), ("authorization", "Bearer t"))) == "Bearer t"
    assert guard((("user-agent", "x"),)) is None


# -- Deadlines.


def with_deadlines(step: Any, **deadlines: Any) -> Any:
    """Wrap a step in the context interceptor of a method with other deadlines."""
    guarded = Context(
        monotonic=time.monotonic,
        minimum_budget_s=0.01,
        draining=Draining(begun=False, streams=set()),
    )
    return guarded.wrap(replace(CREATE, **deadlines), step)


async def for_ever(_call: Call, _request: Any) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def test_call_without_deadline_ends_at_the_default() -> None:
    step = with_deadlines(for_ever, default_deadline_ms=20)
    with pytest.raises(Refusal) as caught:
        await step(call_with(remaining=None), None)
    assert caught.value.reason == "DEADLINE_EXCEEDED"


async def test_call_with_a_longer_deadline_ends_at_the_maximum() -> None:
    step = with_deadlines(for_ever, maximum_deadline_ms=20)
    with pytest.raises(Refusal) as caught:
        await step(call_with(remaining=3_600.0), None)
    assert caught.value.reason == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("remaining", [0.0, 0.009])
async def test_hopeless_call_is_not_begun(remaining: float) -> None:
    step = with_deadlines(raising(AssertionError("begun")))
    with pytest.raises(Refusal) as caught:
        await step(call_with(remaining=remaining), None)
    assert caught.value.reason == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("remaining", [None, 1.0, 3_600.0])
async def test_a_timeout_of_the_work_itself_is_not_the_callers_deadline(
    remaining: float | None,
) -> None:
    step = with_deadlines(raising(TimeoutError("of a connection pool")))
    with pytest.raises(TimeoutError):
        await step(call_with(remaining=remaining), None)


# -- Authentication.


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.us = 1_000 * SECOND_US

    def __call__(self) -> int:
        return self.us


def authn(tokens: Tokens, clock: Clock, *, remembered_max: int = 10) -> Authn:
    return Authn(tokens, now_us=clock, remembered_max=remembered_max, remembered_s=5)


async def authenticate(step: Any, authorization: str | None) -> Call:
    call = call_with()
    call.authorization = authorization
    await step(call, b"")
    return call


async def test_hot_token_is_verified_once_in_its_time() -> None:
    tokens, clock = Tokens(), Clock()
    step = authn(tokens, clock).wrap(CREATE, ok)
    calls = [await authenticate(step, "Bearer good") for _ in range(100)]
    assert calls[-1].principal == Principal(
        kind="service",
        subject="channel",
        scopes=Claims().scopes,
        customer_id=None,
        token_id="token-1",
    )
    assert tokens.verified == 1
    clock.us += 5 * SECOND_US
    await authenticate(step, "Bearer good")
    assert tokens.verified == 2


async def test_a_caller_without_a_token_is_nobody_where_a_method_takes_anybody() -> None:
    tokens = Tokens()
    open_to_all = dataclasses.replace(CREATE, principal_kinds=frozenset({"anonymous", "service"}))
    step = authn(tokens, Clock()).wrap(open_to_all, ok)
    stranger = (await authenticate(step, None)).principal
    assert (stranger.kind, stranger.subject) == ("anonymous", "anonymous")
    assert stranger.scopes == {CREATE.scope}
    assert (await authenticate(step, "Bearer good")).principal.kind == "service"
    with pytest.raises(Refusal, match="TOKEN_INVALID"):
        await authenticate(step, "Bearer forged")


async def test_remembered_token_is_forgotten_when_it_expires() -> None:
    clock = Clock()
    tokens = Tokens({"good": Claims(expires_at_us=clock.us + SECOND_US)})
    step = authn(tokens, clock).wrap(CREATE, ok)
    await authenticate(step, "Bearer good")
    clock.us += SECOND_US
    tokens.known.clear()
    with pytest.raises(Refusal):
        await authenticate(step, "Bearer good")


async def test_bad_tokens_are_not_remembered_and_push_no_good_one_out() -> None:
    tokens, clock = Tokens(), Clock()
    step = authn(tokens, clock, remembered_max=2).wrap(CREATE, ok)
    await authenticate(step, "Bearer good")
    for number in range(50):
        with pytest.raises(Refusal):
            await authenticate(step, f"Bearer forged-{number}")
    await authenticate(step, "Bearer good")
    assert tokens.verified == 51


async def test_remembered_tokens_are_bounded() -> None:
    clock = Clock()
    tokens = Tokens({f"t{n}": Claims(subject=str(n)) for n in range(4)})
    step = authn(tokens, clock, remembered_max=2).wrap(CREATE, ok)
    for name in ("t0", "t1", "t2", "t2", "t1"):
        await authenticate(step, f"Bearer {name}")
    assert tokens.verified == 3
    await authenticate(step, "Bearer t0")
    assert tokens.verified == 4


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_scheme_is_read_in_any_case(scheme: str) -> None:
    step = authn(Tokens(), Clock()).wrap(CREATE, ok)
    assert (await authenticate(step, f"{scheme} good")).principal.kind == "service"


@pytest.mark.parametrize("authorization", [None, "", "good", "Basic good", "Bearergood"])
async def test_anything_but_a_bearer_token_counts_as_missing(authorization: str | None) -> None:
    step = authn(Tokens(), Clock()).wrap(CREATE, ok)
    with pytest.raises(Refusal) as caught:
        await authenticate(step, authorization)
    assert caught.value.reason == "TOKEN_MISSING"


# -- Admission.


LATENCY_S = 1.0


def admitting(limits: dict[str, int], monotonic: Callable[[], float]) -> Admission:
    return Admission(limits, targets_s={"payment": LATENCY_S}, monotonic=monotonic)


class Pacer:
    """A monotonic clock, and a servicer that takes as long as it is told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.takes = 0.0

    def __call__(self) -> float:
        return self.now

    async def serve(self, _call: Call, _request: Any) -> bytes:
        self.now += self.takes
        return b"reply"

    async def send(self, step: Any, times: int = 1, *, left: float = 30.0) -> None:
        for _ in range(times):
            call = call_with()
            call.deadline = self.now + left
            await step(call, None)


async def test_the_limit_shrinks_while_most_calls_are_slow_and_grows_back() -> None:
    pacer = Pacer()
    admission = admitting({"payment": 80}, pacer)
    gauge = admission.classes["payment"]
    step = admission.wrap(CREATE, pacer.serve)
    pacer.takes = LATENCY_S * 0.9
    await pacer.send(step, WINDOW_CALLS * 3)
    assert gauge.limit == 80
    pacer.takes = LATENCY_S * 1.1
    await pacer.send(step, WINDOW_CALLS)
    assert gauge.limit == 72
    await pacer.send(step, WINDOW_CALLS * 30)
    assert gauge.limit == 10  # an eighth is always let in
    pacer.takes = 0.01
    await pacer.send(step, WINDOW_CALLS * 30)
    assert gauge.limit == 80


async def test_a_call_that_would_be_late_anyway_is_not_begun() -> None:
    pacer = Pacer()
    step = admitting({"payment": 80}, pacer).wrap(CREATE, pacer.serve)
    pacer.takes = 0.8
    await pacer.send(step, 100)
    await pacer.send(step, left=0.5)
    begun = pacer.now
    with pytest.raises(Refusal) as caught:
        await pacer.send(step, left=0.2)
    assert caught.value.reason == "DEADLINE_EXCEEDED"
    assert pacer.now == begun


async def test_a_method_that_was_slow_once_is_tried_again() -> None:
    pacer = Pacer()
    step = admitting({"payment": 80}, pacer).wrap(CREATE, pacer.serve)
    pacer.takes = 5.0
    await pacer.send(step, 100)
    pacer.takes = 0.01
    refused = 0
    while True:
        try:
            await pacer.send(step, left=0.2)
            break
        except Refusal:
            refused += 1
    assert 0 < refused < 40


async def test_room_is_given_back_however_a_call_ends() -> None:
    admission = admitting({"payment": 1, "read": 1, "admin": 1, "stream": 1}, time.monotonic)
    for error in (Refusal("INSUFFICIENT_FUNDS", "no"), ValueError(), asyncio.CancelledError()):
        call = call_with()
        call.deadline = time.monotonic() + 5
        with pytest.raises(type(error)):
            await admission.wrap(CREATE, raising(error))(call, b"")
        assert admission.classes["payment"].in_work == 0


# -- Errors.


async def test_cancellation_passes_through() -> None:
    call = call_with()
    with pytest.raises(asyncio.CancelledError):
        await Errors().wrap(CREATE, raising(asyncio.CancelledError()))(call, b"")
    assert call.status is None


async def test_recorded_refusal_is_marked_as_replayed() -> None:
    refusal = Refusal("INSUFFICIENT_FUNDS", "no")
    refusal.replayed = True
    wire = FakeWire()
    await Errors().wrap(CREATE, raising(refusal))(Call(CREATE.path, wire), b"")
    assert wire.code == grpc.StatusCode.FAILED_PRECONDITION
    assert [key for key, _ in wire.trailers] == ["grpc-status-details-bin", "request-replayed"]


# -- Telemetry.


def durations(metrics: Metrics) -> dict[tuple[str, ...], int]:
    (metric,) = (m for m in metrics.collect() if m.name == "rpc.server.call.duration")
    counted = {}
    for labels, series in metric.series.items():
        assert isinstance(series, Distribution)
        counted[labels] = sum(series.counts)
    return counted


def in_work(metrics: Metrics) -> list[float]:
    (metric,) = (m for m in metrics.collect() if m.name == "longmen.edge.calls_in_work")
    return [series.value for series in metric.series.values()]  # type: ignore[union-attr]


def telemetry(
    metrics: Metrics, exporter: InMemorySpanExporter | None = None, ratio: float = 0
) -> Telemetry:
    if exporter is None:
        return Telemetry(metrics, tracer=None, ratio=ratio)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Telemetry(metrics, tracer=provider.get_tracer("test"), ratio=ratio)


async def test_calls_are_counted_by_method_and_code() -> None:
    metrics = Metrics()
    measured = telemetry(metrics)
    good = measured.wrap(CREATE, Errors().wrap(CREATE, ok))
    for _ in range(3):
        await good(call_with(), b"")
    metrics2 = Metrics()
    refusing = telemetry(metrics2).wrap(
        CREATE, Errors().wrap(CREATE, raising(Refusal("OVERLOADED", "no")))
    )
    await refusing(call_with(), b"")
    assert durations(metrics) == {(CREATE.path, "OK"): 3}
    assert durations(metrics2) == {(CREATE.path, "UNAVAILABLE"): 1}
    assert in_work(metrics) == [0]


@pytest.mark.parametrize(("remaining", "code"), [(0.0, "DEADLINE_EXCEEDED"), (3.0, "CANCELLED")])
async def test_cancelled_calls_are_told_from_late_ones(remaining: float, code: str) -> None:
    metrics = Metrics()
    step = telemetry(metrics).wrap(CREATE, raising(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        await step(call_with(remaining=remaining), b"")
    assert durations(metrics) == {(CREATE.path, code): 1}
    assert in_work(metrics) == [0]


TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("traceparent", "ratio", "spans"),
    [
        (None, 0.0, 0),
        (None, 1.0, 1),
        (f"00-{TRACE}-{PARENT}-01", 0.0, 1),
        (f"00-{TRACE}-{PARENT}-00", 1.0, 0),
        ("garbage", 0.0, 0),
        ("00-" + "0" * 32 + f"-{PARENT}-01", 0.0, 0),
    ],
    ids=["by chance no", "by chance yes", "asked for", "asked not", "garbage", "invalid id"],
)
async def test_who_decides_whether_a_call_is_traced(
    traceparent: str | None, ratio: float, spans: int
) -> None:
    exporter = InMemorySpanExporter()
    step = telemetry(Metrics(), exporter, ratio).wrap(CREATE, ok)
    metadata = () if traceparent is None else (("traceparent", traceparent),)
    assert await step(call_with(*metadata), b"") == b"reply"
    assert len(exporter.get_finished_spans()) == spans


async def test_span_continues_the_callers_trace_and_says_how_it_ended() -> None:
    exporter = InMemorySpanExporter()
    inner = Errors().wrap(CREATE, raising(Refusal("OVERLOADED", "no")))
    step = telemetry(Metrics(), exporter).wrap(CREATE, inner)
    await step(call_with(("traceparent", f"00-{TRACE}-{PARENT}-01")), b"")

    (span,) = exporter.get_finished_spans()
    assert span.name == CREATE.path
    assert span.kind == SpanKind.SERVER
    assert span.context is not None
    assert span.parent is not None
    assert format(span.context.trace_id, "032x") == TRACE
    assert format(span.parent.span_id, "016x") == PARENT
    assert span.attributes is not None
    assert span.attributes["rpc.method"] == CREATE.path
    assert span.attributes["rpc.response.status_code"] == "UNAVAILABLE"
    assert span.attributes["error.type"] == "OVERLOADED"
    assert span.status.status_code == StatusCode.ERROR


def test_every_method_of_the_ledger_has_a_policy() -> None:
    assert len(METHODS) > 10
    assert all(isinstance(method, Method) for method in METHODS.values())
