"""Bars are judged by medians of paired rounds, and the report keeps its form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench import bars, memory, report
from bench.report import Bar

if TYPE_CHECKING:
    from pathlib import Path

    from bench.bars import Rounds


def rounds() -> Rounds:
    return bars.Rounds(
        empty=[4_000, 5_000, 6_000],
        uniform=[2_000, 3_000, 2_400],
        hot=[3_000, 3_300, 2_000],
        batch_uniform=[9_000, 8_000, 10_000],
        batch_hot=[16_000, 14_000, 16_000],
        baseline_uniform=[3_000, 4_000, 5_000],
        baseline_hot=[1_000, 1_000, 1_000],
        serial=[2.25, 1.8, 2.7],
        serial_empty=[0.5, 0.5, 0.5],
        commit=[0.25, 0.25, 0.25],
    )


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    assert bars.ratio([2_000, 3_000, 2_400], [4_000, 5_000, 6_000]) == pytest.approx(0.5)


def test_the_bars_of_the_rounds() -> None:
    values = {bar.id: bar.value for bar in bars.of_rounds(rounds())}
    assert values == {
        "B1": pytest.approx(0.5),
        "B2": pytest.approx(3.0),
        "B3": pytest.approx(2.0),
        "B3-hot": pytest.approx(16.0),
        "B4": pytest.approx(3.0),
    }
    assert all(bar.ok for bar in bars.of_rounds(rounds()))


def test_each_bar_of_the_rounds_can_be_missed() -> None:
    worse = rounds()
    worse.commit[:] = [0.5, 0.5, 0.5]
    for figures in (worse.uniform, worse.hot, worse.batch_uniform, worse.batch_hot):
        figures[:] = [figure * 0.8 for figure in figures]
    worse.serial[:] = [figure * 1.6 for figure in worse.serial]
    assert not any(bar.ok for bar in bars.of_rounds(worse))


@pytest.mark.parametrize(("commit_ms", "bar"), [(0.49, 2.5), (0.5, 3.0), (4.0, 3.0)])
def test_a_hot_account_is_judged_by_the_time_of_a_commit(commit_ms: float, bar: float) -> None:
    for hot, ok in ((bar * 1_000, True), (bar * 1_000 - 10, False)):
        seen = rounds()
        seen.hot[:] = [hot] * 3
        seen.commit[:] = [commit_ms] * 3
        (found,) = (one for one in bars.of_rounds(seen) if one.id == "B2")
        assert (found.bar, found.ok) == (bar, ok)


def test_a_round_that_lacks_a_side_is_an_error() -> None:
    broken = rounds()
    broken.empty.pop()
    with pytest.raises(ValueError, match="shorter"):
        bars.of_rounds(broken)


def test_storage_is_judged_per_posting() -> None:
    everything, ledger = bars.of_storage(
        bars.Storage(1_000, ledger=390_000, everything=901_000, tables={"ledger_posting": 390_000})
    )
    assert (everything.value, everything.ok) == (901, False)
    assert (ledger.value, ledger.ok) == (390, True)
    assert everything.parts["ledger_posting"] == 390


def test_memory_is_judged_in_mebibytes() -> None:
    size, growth = bars.of_memory(bars.Memory(10**6, 251 * 2**20, slope=2**19, soak=60))
    assert (size.value, size.ok) == (251, False)
    assert (growth.value, growth.ok) == (0.5, True)


def test_a_slope_is_per_minute() -> None:
    samples = [(float(second), 1_000.0 + 10 * second) for second in range(20)]
    assert memory.slope(samples) == pytest.approx(600)
    assert memory.slope([(0.0, 5.0), (1.0, 5.0), (2.0, 5.0)]) == 0
    with pytest.raises(ValueError, match="two samples"):
        memory.slope(samples[:1])


def test_the_report_is_json_with_bars_machine_and_commit(tmp_path: Path) -> None:
    path = tmp_path / "out" / "report.json"
    report.write(path, [Bar("B1", "title", 0.6, 0.5, ">=")], {"quick": True})
    document = json.loads(path.read_text("utf-8"))
    assert document["bars"] == [
        {
            "id": "B1",
            "title": "title",
            "value": 0.6,
            "bar": 0.5,
            "comparison": ">=",
            "unit": "",
            "parts": {},
            "ok": True,
        }
    ]
    assert document["machine"]["cpus"] >= 1
    assert set(document["commit"]) == {"id", "modified"}
    assert document["quick"] is True


def test_the_table_shows_every_bar() -> None:
    console = Console(record=True, width=160)
    report.show(console, bars.of_rounds(rounds()))
    text = console.export_text()
    for bar in bars.of_rounds(rounds()):
        assert bar.id in text
        assert bar.title in text
