"""Metrics add up, and both exporters tell the same numbers."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from longmen_server.platform.metrics import Metrics
from longmen_server.platform.telemetry import otlp_metrics, prometheus_metrics


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics()
    calls = made.counter("longmen.calls", "Calls.", "{call}", "rpc.method")
    calls.at("a/B").add()
    calls.at("a/B").add(2)
    calls.at("a/C").add()
    level = made.level("longmen.in_work", "In work.", "{call}")
    level.at().add(3)
    level.at().add(-1)
    made.observe("longmen.queue", "Waiting.", "{call}", lambda: 7)
    duration = made.histogram("call.duration", "Time.", "s", "code", bounds=(0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 3.0):
        duration.at("OK").record(value)
    return made


def prometheus(metrics: Metrics) -> str:
    class Ours:
        def collect(self) -> object:
            return prometheus_metrics(metrics)

    registry = CollectorRegistry()
    registry.register(Ours())  # type: ignore[arg-type]  # a collector by its method
    return generate_latest(registry).decode()


def test_prometheus_form(metrics: Metrics) -> None:
    text = prometheus(metrics)
    for line in (
        'longmen_calls_total{rpc_method="a/B"} 3.0',
        'longmen_calls_total{rpc_method="a/C"} 1.0',
        "longmen_in_work 2.0",
        "longmen_queue 7.0",
        'call_duration_seconds_bucket{code="OK",le="0.1"} 2.0',
        'call_duration_seconds_bucket{code="OK",le="1.0"} 3.0',
        'call_duration_seconds_bucket{code="OK",le="+Inf"} 4.0',
        'call_duration_seconds_count{code="OK"} 4.0',
        'call_duration_seconds_sum{code="OK"} 3.65',
    ):
        assert line in text.splitlines()


def test_otlp_form(metrics: Metrics) -> None:
    data = otlp_metrics(metrics, Resource.create(), started_us=1, now_us=2)
    (scope,) = data.resource_metrics[0].scope_metrics
    by_name = {metric.name: metric.data for metric in scope.metrics}

    calls = by_name["longmen.calls"]
    assert isinstance(calls, export.Sum)
    assert calls.is_monotonic
    assert {
        point.attributes["rpc.method"]: point.value
        for point in calls.data_points
        if point.attributes
    } == {
        "a/B": 3,
        "a/C": 1,
    }
    in_work = by_name["longmen.in_work"]
    assert isinstance(in_work, export.Sum)
    assert not in_work.is_monotonic
    duration = by_name["call.duration"]
    assert isinstance(duration, export.Histogram)
    (point,) = duration.data_points
    assert list(point.bucket_counts) == [2, 1, 1]
    assert (point.count, point.explicit_bounds) == (4, (0.1, 1.0))
    assert (point.start_time_unix_nano, point.time_unix_nano) == (1_000, 2_000)


def test_a_metric_is_made_once() -> None:
    metrics = Metrics()
    metrics.counter("a", "", "1")
    with pytest.raises(AssertionError, match="made twice"):
        metrics.level("a", "", "1")


def test_labels_cannot_grow_without_bound() -> None:
    counter = Metrics().counter("a", "", "1", "id")
    for number in range(2_000):
        counter.at(str(number))
    with pytest.raises(AssertionError, match="too many"):
        counter.at("one more")


def test_label_values_match_the_labels() -> None:
    with pytest.raises(AssertionError, match="labels"):
        Metrics().counter("a", "", "1", "id").at("x", "y")
