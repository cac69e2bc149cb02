"""`python -m bench.detection`: how well the shipped scorecard and rules find simulated fraud.

`python -m bench.detection learn` prints the scorecard's file instead.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import report as house
from bench.detection import handbook, learn, report
from bench.detection.judging import judge, observe, toll_of
from bench.detection.protocol import (
    OTHER_WEEKS,
    PUBLISHED_WEEK,
    figures_of,
    split_at,
)
from bench.detection.simulator import FULL, Size, simulated
from bench.detection.street import REFERENCE_UNITS
from longmen_server.risk import scorecard, shipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import TaskID

    from bench.detection.judging import Toll
    from bench.detection.simulator import Stream

OUT: Final = house.ROOT / "bench" / "out"
WEEKS: Final = tuple(sorted((PUBLISHED_WEEK, *OTHER_WEEKS)))


def main() -> int:
    """Parse the command line, run, report; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.detection", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("measure", "learn"), default="measure")
    parser.add_argument(
        "--report", type=Path, default=OUT / "detection.json", help="where to write"
    )
    arguments = parser.parse_args()
    # What is printed by `learn` is the file: all else goes beside it.
    console = Console(stderr=arguments.what == "learn")
    with progress_on(console) as progress:
        stream = transactions(FULL, progress)
        if arguments.what == "learn":
            print(learned_card(stream, progress), end="")
            return 0
        weeks, tolls, seconds = measured(stream, progress)
    return report.tell(console, stream, weeks, tolls, seconds, arguments.report)


def transactions(size: Size, progress: Progress) -> Stream:
    """Return the simulated transactions; the simulation is kept for the next time."""
    task = progress.add_task("simulate", total=size.customers)
    stream = simulated(size, OUT, advancing(progress, task))
    progress.update(task, completed=size.customers)
    return stream


def learned_card(stream: Stream, progress: Progress) -> str:
    """Return the scorecard as a file, learned on the days that the handbook learns on."""
    split = split_at(stream, PUBLISHED_WEEK)
    task = progress.add_task("observe", total=int(split.learn.max()) + 1)
    values = observe(stream, split.learn, learn.FEATURES, advancing(progress, task))
    return learn.card_text(*learn.learned(stream, learn.columns(values), split))


def advancing(progress: Progress, task: TaskID) -> Callable[[int], None]:
    """Return what moves a bar."""
    return lambda more: progress.advance(task, more)


def measured(
    stream: Stream, progress: Progress
) -> tuple[list[report.Week], dict[str, Toll], float]:
    """Return how well each week's frauds are found, and what that costs in all of them."""
    started = time.monotonic()
    splits = {first: split_at(stream, first) for first in WEEKS}
    rows = np.unique(np.concatenate([r for s in splits.values() for r in (s.learn, s.judge)]))
    task = progress.add_task("judge", total=int(rows.max()) + 1)
    judged = judge(
        stream,
        rows,
        rules=shipped.shipped(),
        card=scorecard.shipped(),
        names=learn.FEATURES,
        advance=advancing(progress, task),
    )
    seconds = time.monotonic() - started
    terms, baseline = learn.columns(judged.values), handbook.features(stream)
    weeks = []
    task = progress.add_task("random forests", total=len(splits))
    for first, split in splits.items():
        base, points = learn.learned(stream, terms, split)
        found = {
            "card": judged.scores[split.judge],
            "relearned": base + terms[split.judge] @ points,
            "forest": handbook.forest(stream, baseline, split),
        }
        rows = split.judge
        weeks.append(
            report.Week(
                first_day=first,
                payments=len(rows),
                frauds=int(stream.fraud[rows].sum()),
                **{name: figures_of(stream, rows, scores) for name, scores in found.items()},
            )
        )
        progress.advance(task)
    every = np.concatenate([split.judge for split in splits.values()])
    tolls = {
        "rules alone": toll_of(stream, every, judged.by_rules, REFERENCE_UNITS),
        "rules and scorecard": toll_of(stream, every, judged.by_all, REFERENCE_UNITS),
    }
    return weeks, tolls, seconds


def progress_on(console: Console) -> Progress:
    """Bars for what takes its time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


if __name__ == "__main__":
    sys.exit(main())
