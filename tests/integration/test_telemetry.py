"""Traces and metrics reach a collector and a Prometheus port, from a real edge."""

from __future__ import annotations

import asyncio
import http.client
import socket
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from longmen_server.platform.metrics import Metrics
from longmen_server.platform.telemetry import LoopLag, Telemetry
from tests.support.edge import LEDGER, running_edge, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.metrics: dict[str, Any] = {}
        self.spans: list[Any] = []
        self.resources: dict[str, str] = {}
        self.port = 0

    async def Export(self, request: Any, _context: Any) -> Any:  # noqa: N802 - by protocol
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            return trace_service_pb2.ExportTraceServiceResponse()
        for resource in request.resource_metrics:
            for attribute in resource.resource.attributes:
                self.resources[attribute.key] = attribute.value.string_value
            for scope in resource.scope_metrics:
                self.metrics |= {metric.name: metric for metric in scope.metrics}
        return metrics_service_pb2.ExportMetricsServiceResponse()


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made: Any = Collector()
    server = grpc.aio.server()
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(  # type: ignore[no-untyped-call]
        made, server
    )
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call]
        made, server
    )
    made.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield made
    await server.stop(0)


def telemetry(metrics: Metrics, *, endpoint: str | None = None, port: int = 0) -> Telemetry:
    return Telemetry(
        metrics,
        otlp_endpoint=endpoint,
        prometheus_host="127.0.0.1",
        prometheus_port=port,
        version="1.2.3",
        instance="worker-0",
        now_us=lambda: 1_700_000_000_000_000,
    )


async def test_metrics_and_spans_reach_the_collector(collector: Collector) -> None:
    metrics = Metrics()
    exports = telemetry(metrics, endpoint=f"http://127.0.0.1:{collector.port}")
    exports.start()
    try:
        async with running_edge(metrics=metrics, more={"tracer": exports.tracer}) as edge:
            traceparent = f"00-{TRACE}-b7ad6b7169203331-01"
            await edge.call(metadata=(("traceparent", traceparent),))
            await edge.call()
    finally:
        await exports.stop()

    (span,) = collector.spans
    assert span.trace_id.hex() == TRACE
    assert span.name == f"{LEDGER}/CreateTransfers"
    duration = collector.metrics["rpc.server.call.duration"]
    (point,) = duration.histogram.data_points
    assert point.count == 2
    assert sum(point.bucket_counts) == 2
    assert duration.unit == "s"
    assert collector.resources["service.name"] == "longmen"
    assert collector.resources["service.version"] == "1.2.3"
    assert collector.resources["service.instance.id"] == "worker-0"


async def test_collector_that_is_away_costs_a_bounded_time_and_no_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        exports = telemetry(Metrics(), endpoint=f"http://127.0.0.1:{unused.getsockname()[1]}")
        exports.start()
        assert exports.tracer is not None
        exports.tracer.start_span("lost").end()
        async with asyncio.timeout(30):
            await exports.stop()


def scrape(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


async def test_prometheus_port_serves_calls_and_process() -> None:
    metrics = Metrics()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    exports = telemetry(metrics, port=port)
    exports.start()
    try:
        async with running_edge(metrics=metrics) as edge:
            await edge.call()
            text = await asyncio.to_thread(scrape, port)
    finally:
        await exports.stop()
    path = f"{LEDGER}/CreateTransfers"
    assert (
        f'rpc_server_call_duration_seconds_count{{rpc_method="{path}",'
        f'rpc_response_status_code="OK"}} 1.0' in text
    )
    assert "process_resident_memory_bytes" in text
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(scrape, port)


async def test_nothing_is_opened_unless_asked_for() -> None:
    exports = telemetry(Metrics())
    exports.start()
    assert exports.tracer is None
    await exports.stop()


async def test_a_blocked_loop_shows_as_lag() -> None:
    import time

    lag = LoopLag(Metrics())
    task = asyncio.ensure_future(lag.run())
    await asyncio.sleep(0)
    blocked_until = time.monotonic() + 0.3
    while time.monotonic() < blocked_until:
        pass
    await until(lambda: lag.latest_s > 0.1)
    task.cancel()
