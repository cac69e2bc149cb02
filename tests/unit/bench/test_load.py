"""Loads are divided without loss and what was seen is added up right."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.load import Load, LoadError, Share, divide, histogram, merge
from bench.wire import Shape

LOAD = Load("127.0.0.1:1", Shape("empty"), 1.0, in_flight=7, connections=5, rate=90.0, total=11)


@pytest.mark.parametrize("processes", [1, 2, 3, 5, 8])
def test_a_divided_load_is_the_same_load(processes: int) -> None:
    parts = divide(LOAD, processes)
    assert len(parts) == min(processes, 5)
    assert sum(part.in_flight for part in parts) == 7
    assert sum(part.connections for part in parts) == 5
    assert sum(part.rate or 0 for part in parts) == pytest.approx(90)
    assert sum(part.total or 0 for part in parts) == 11
    assert all(part.in_flight > 0 and part.connections > 0 for part in parts)


def test_rates_are_of_the_window_and_acknowledgements_of_everything() -> None:
    result = merge(
        [
            Share(completed=100, transfers=200, acknowledged=260, window=2.0, calls=130, cpu=0.013),
            Share(completed=50, transfers=100, acknowledged=100, window=1.0, calls=50, cpu=0.005),
        ]
    )
    assert result.rate == pytest.approx(100)
    assert result.transfer_rate == pytest.approx(200)
    assert result.completed == 150
    assert result.acknowledged == 360
    assert result.client_cpu_per_call == pytest.approx(100)


def test_percentiles_come_from_all_processes() -> None:
    fast = Share(latencies=[0.001] * 98, window=1.0)
    slow = Share(latencies=[0.5, 1.0], window=1.0)
    result = merge([fast, slow])
    assert result.percentile(50) == pytest.approx(1, rel=0.01)
    assert result.percentile(99) == pytest.approx(500, rel=0.01)
    assert result.percentile(100) == pytest.approx(1000, rel=0.01)


def test_one_process_in_trouble_fails_the_load() -> None:
    with pytest.raises(LoadError, match="refused"):
        merge([Share(window=1.0), Share(window=1.0, problem="refused")])


def test_refusals_are_counted_by_status() -> None:
    result = merge(
        [
            Share(window=1.0, refusals=Counter(UNAVAILABLE=2)),
            Share(window=1.0, refusals=Counter(UNAVAILABLE=1, RESOURCE_EXHAUSTED=4)),
        ]
    )
    assert result.refusals == {"UNAVAILABLE": 3, "RESOURCE_EXHAUSTED": 4}


def test_a_histogram_takes_the_shortest_and_the_longest() -> None:
    recorded = histogram([0.0, 59.0])
    assert recorded.get_total_count() == 2
    assert recorded.get_max_value() == pytest.approx(59_000_000, rel=0.01)
