"""`python -m bench`: measure Longmen on this machine and judge it by its bars."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import report
from bench.driver import Driver
from bench.plan import FULL, QUICK
from bench.servers import EmptyServer, LongmenServer
from bench.session import Session

BUSY_SHARE = 0.1
"""Use of the machine by others beyond which a single caller's latency is mostly theirs."""

CLIENT_PROCESSES = 2
"""Enough to keep every server core busy on the small machines this is meant for."""


def main() -> int:
    """Parse the command line, run, report; 1 when a bar is missed."""
    arguments = parse()
    console = Console()
    plan = QUICK if arguments.quick else FULL
    if arguments.rounds is not None:
        plan = replace(plan, rounds=arguments.rounds)
    if arguments.soak is not None:
        plan = replace(plan, soak=arguments.soak)
    busy = report.busy()
    if busy > BUSY_SHARE:
        console.print(f"[yellow]others use {busy:.0%} of this machine: latencies will say little")
    workers = arguments.workers or os.cpu_count() or 1
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as folder,
        Driver(CLIENT_PROCESSES) as driver,
        EmptyServer(workers) as empty,
        LongmenServer(Path(folder), workers) as longmen,
        progress_on(console) as progress,
    ):
        token = longmen.run_cli("token").strip()
        session = Session(
            plan, driver=driver, longmen=longmen, empty=empty, token=token, progress=progress
        )
        bars = session.run()
    details = session.details() | {"quick": arguments.quick, "workers": workers, "busy": busy}
    report.write(arguments.report, bars, details | {"seconds": time.monotonic() - started})
    report.show(console, bars)
    console.print(f"[dim]report: {arguments.report}")
    return 0 if arguments.no_fail or all(bar.ok for bar in bars) else 1


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look whether everything works")
    parser.add_argument("--rounds", type=int, help="rounds in which server and baselines alternate")
    parser.add_argument("--soak", type=float, help="seconds of load over which memory is watched")
    parser.add_argument("--workers", type=int, help="worker processes (default: one for each CPU)")
    parser.add_argument("--no-fail", action="store_true", help="exit 0 even if a bar is missed")
    parser.add_argument("--report", type=Path, default=report.DEFAULT_PATH, help="where to write")
    return parser.parse_args()


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
