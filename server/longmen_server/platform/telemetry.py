"""Where traces and metrics go: an OTLP collector, a Prometheus port, or nowhere.

Spans are made by the OpenTelemetry SDK. Metrics are summed up by `longmen_server.platform.metrics`
and only turned into the exporters' forms here, when they are sent or asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from longmen_server.platform.metrics import Distribution, Metric, Metrics, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import Metric as OtlpMetric
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer
    from prometheus_client.core import Metric as PrometheusMetric

__all__ = ["LoopLag", "Telemetry", "otlp_metrics", "prometheus_metrics"]

SCOPE: Final = "longmen"
"""Name under which our spans and metrics are exported."""

EXPORT_INTERVAL_S: Final = 15.0
"""Seconds between two exports of the metrics."""

EXPORT_TIMEOUT_S: Final = 5.0
"""Seconds an export may take; a collector that is away costs no more than this at the end."""

SPANS_WAITING_MAX: Final = 2_048
"""Spans kept for a slow collector; what exceeds that is dropped, never waited for."""

LAG_INTERVAL_S: Final = 0.1
"""Seconds between two measurements of the event loop's lag."""

Any_Metric = Metric[Sum] | Metric[Distribution]


class Telemetry:
    """The exporters of one process."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        otlp_endpoint: str | None,
        prometheus_host: str,
        prometheus_port: int,
        version: str,
        instance: str,
        now_us: Callable[[], int],
    ) -> None:
        """Take the choices; nothing is opened before `start`.

        Args:
            metrics: The metrics to export.
            otlp_endpoint: URL of an OTLP/gRPC collector; None sends nothing.
            prometheus_host: Address to serve Prometheus on.
            prometheus_port: TCP port to serve Prometheus on; 0 serves none.
            version: Version of the server, for the collector.
            instance: What tells this process from its siblings, for the collector.
            now_us: The real clock, in microseconds since the epoch.
        """
        self._metrics = metrics
        self._endpoint = otlp_endpoint
        self._address = (prometheus_host, prometheus_port)
        self._attributes = {
            "service.name": "longmen",
            "service.version": version,
            "service.instance.id": instance,
        }
        self._now_us = now_us
        self._started_us = now_us()
        self._provider: TracerProvider | None = None
        self._exporter: OTLPMetricExporter | None = None
        self._resource: Resource | None = None
        self._prometheus: tuple[WSGIServer, Thread] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def tracer(self) -> Tracer | None:
        """Makes spans; None when traces are sent nowhere."""
        return None if self._provider is None else self._provider.get_tracer(SCOPE)

    def start(self) -> None:
        """Open what was chosen; call it on the running event loop.

        Raises:
            OSError: If the Prometheus port cannot be bound.
        """
        host, port = self._address
        if port:
            self._prometheus = _serve_prometheus(self._metrics, host, port)
        if self._endpoint is not None:
            self._open_otlp(self._endpoint)
            self._task = asyncio.get_running_loop().create_task(self._export_for_ever())

    async def stop(self) -> None:
        """Send what is left, within `EXPORT_TIMEOUT_S` each, and close everything."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self._export()
        if self._prometheus is not None:
            server, thread = self._prometheus
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            await asyncio.to_thread(thread.join)
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.shutdown)
        if self._provider is not None:
            await asyncio.to_thread(self._provider.shutdown)

    def _open_otlp(self, endpoint: str) -> None:
        """Open the exporters of spans and metrics."""
        # Imported where they are used: a server that exports nothing starts without them.
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        plaintext = not endpoint.startswith("https://")
        self._resource = Resource.create(self._attributes)
        self._exporter = OTLPMetricExporter(
            endpoint=endpoint, insecure=plaintext, timeout=EXPORT_TIMEOUT_S
        )
        # The edge has decided before it asks for a span, so every span asked for is recorded.
        self._provider = TracerProvider(resource=self._resource, sampler=ALWAYS_ON)
        spans = OTLPSpanExporter(endpoint=endpoint, insecure=plaintext, timeout=EXPORT_TIMEOUT_S)
        self._provider.add_span_processor(
            BatchSpanProcessor(spans, max_queue_size=SPANS_WAITING_MAX)
        )

    async def _export_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EXPORT_INTERVAL_S)
            await self._export()

    async def _export(self) -> None:
        """Send the metrics once; a collector that is away is the exporter's to log."""
        assert self._exporter is not None
        assert self._resource is not None
        data = otlp_metrics(
            self._metrics, self._resource, started_us=self._started_us, now_us=self._now_us()
        )
        await asyncio.to_thread(
            self._exporter.export, data, timeout_millis=EXPORT_TIMEOUT_S * 1_000
        )


class LoopLag:
    """Measures how late the event loop is: the time from when a timer is due until it runs.

    Anything that blocks the loop shows here, and so does a loop with more work than time.
    """

    def __init__(self, metrics: Metrics) -> None:
        """Make the metric."""
        self.latest_s = 0.0
        """The lag last measured, in seconds."""
        self._histogram = metrics.histogram(
            "longmen.loop.lag", "Time by which the event loop runs a due timer late.", "s"
        ).at()

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_INTERVAL_S
            await asyncio.sleep(LAG_INTERVAL_S)
            self.latest_s = max(0.0, loop.time() - due)
            self._histogram.record(self.latest_s)


def otlp_metrics(
    metrics: Metrics, resource: Resource, *, started_us: int, now_us: int
) -> MetricsData:
    """Return the present values in OTLP's form.

    Args:
        metrics: The metrics.
        resource: Who sends them.
        started_us: When the sums began, in microseconds since the epoch.
        now_us: Now, likewise.
    """
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    span = (started_us * 1_000, now_us * 1_000)
    scope = ScopeMetrics(
        scope=InstrumentationScope(SCOPE),
        metrics=[_otlp_metric(metric, *span) for metric in metrics.collect()],
        schema_url="",
    )
    return MetricsData(
        resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")]
    )


def _otlp_metric(metric: Any_Metric, started_ns: int, now_ns: int) -> OtlpMetric:
    """Return one metric in OTLP's form."""
    from opentelemetry.sdk.metrics import export

    cumulative = export.AggregationTemporality.CUMULATIVE
    numbers: list[export.NumberDataPoint] = []
    histograms: list[export.HistogramDataPoint] = []
    for values, series in list(metric.series.items()):
        attributes = dict(zip(metric.labels, values, strict=True))
        if isinstance(series, Distribution):
            counts = list(series.counts)
            histograms.append(
                export.HistogramDataPoint(
                    attributes=attributes,
                    start_time_unix_nano=started_ns,
                    time_unix_nano=now_ns,
                    count=sum(counts),
                    sum=series.total,
                    bucket_counts=counts,
                    explicit_bounds=series.bounds,
                    min=float("nan"),
                    max=float("nan"),
                )
            )
        elif isinstance(series, Sum):
            numbers.append(
                export.NumberDataPoint(
                    attributes=attributes,
                    start_time_unix_nano=started_ns,
                    time_unix_nano=now_ns,
                    value=series.value,
                )
            )
    data: export.Histogram | export.Sum = (
        export.Histogram(data_points=histograms, aggregation_temporality=cumulative)
        if histograms
        else export.Sum(
            data_points=numbers,
            aggregation_temporality=cumulative,
            is_monotonic=metric.monotonic,
        )
    )
    return export.Metric(
        name=metric.name, description=metric.description, unit=metric.unit, data=data
    )


def prometheus_metrics(metrics: Metrics) -> Iterator[PrometheusMetric]:
    """Yield the present values in Prometheus's form: underscores in names, units spelled out."""
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    for metric in metrics.collect():
        name = metric.name.replace(".", "_")
        labels = [label.replace(".", "_") for label in metric.labels]
        unit = {"s": "seconds", "By": "bytes"}.get(metric.unit, "")
        name = f"{name}_{unit}" if unit else name
        series = list(metric.series.items())
        if series and isinstance(series[0][1], Distribution):
            histogram = HistogramMetricFamily(name, metric.description, labels=labels)
            for values, distribution in series:
                assert isinstance(distribution, Distribution)
                histogram.add_metric(values, *_cumulative(distribution))
            yield histogram
            continue
        kind = CounterMetricFamily if metric.monotonic else GaugeMetricFamily
        family = kind(name, metric.description, labels=labels)
        for values, number in series:
            assert isinstance(number, Sum)
            family.add_metric(values, number.value)
        yield family


def _cumulative(distribution: Distribution) -> tuple[list[tuple[str, float]], float]:
    """Return the buckets as Prometheus counts them, each with all below it, and the sum."""
    buckets: list[tuple[str, float]] = []
    count = 0
    for bound, inside in zip(distribution.bounds, distribution.counts, strict=False):
        count += inside
        buckets.append((repr(bound), count))
    buckets.append(("+Inf", count + distribution.counts[-1]))
    return buckets, distribution.total


def _serve_prometheus(metrics: Metrics, host: str, port: int) -> tuple[WSGIServer, Thread]:
    """Serve the metrics, and those of the process itself, on a thread of their own."""
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
    from prometheus_client.registry import Collector

    class Ours(Collector):
        """Our metrics, made when asked for."""

        def collect(self) -> Iterator[PrometheusMetric]:
            """Yield them."""
            yield from prometheus_metrics(metrics)

    registry = CollectorRegistry()
    registry.register(Ours())
    ProcessCollector(registry=registry)
    return start_http_server(port, addr=host, registry=registry)
