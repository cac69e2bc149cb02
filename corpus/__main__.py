"""`python -m corpus`: send the corpus to a server of its own and print what it answered."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import uvloop
from rich.console import Console
from rich.table import Table

from corpus.build import every_case
from corpus.case import CLASSES
from corpus.mutation import in_process, over_the_wire
from corpus.run import NEVER, Outcome, Sender, count, describe
from corpus.session import Session, open_session
from longmen_server.platform.clock import SystemClock

if TYPE_CHECKING:
    from corpus.case import Case

MUTANTS: Final = 100_000
MUTANTS_ON_THE_WIRE: Final = 5_000
CASES_MIN: Final = 12_000
GROWTH_MB_MAX: Final = 50.0
SHOWN_MAX: Final = 40


@dataclass(slots=True)
class Report:
    """What a run found."""

    outcomes: list[Outcome] = field(default_factory=list)
    mutants: Counter[str] = field(default_factory=Counter)
    growth_mb: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    """What is wrong beyond single answers."""

    @property
    def wrong(self) -> list[Outcome]:
        """Answers that their cases do not expect."""
        return [outcome for outcome in self.outcomes if not outcome.right]

    @property
    def good(self) -> bool:
        """Whether all is as it has to be."""
        return not self.wrong and not self.faults


async def run(session: Session, *, step: int, classes: str, mutants: int) -> Report:
    """Send every `step`-th case of some classes, and mutants, and look at the server afterwards."""
    begun = time.monotonic()
    report = Report()
    now = SystemClock().now_us() // 1_000_000
    cases = every_case(session.world, session.tokens, session.issuer, now)
    if step == 1 and not classes and len(cases) < CASES_MIN:
        report.faults.append(f"{len(cases)} cases only")
    cases = [case for case in cases[::step] if not classes or case.kind in classes]
    cases += over_the_wire(session.world, min(mutants, MUTANTS_ON_THE_WIRE))
    workers = session.workers()
    sender = Sender(session.port, session.tokens)
    # Both halves have everything: what the second one adds to memory stays with every call. By
    # turns they would not, since each method has the same labels in the same order.
    Random(0).shuffle(cases)  # noqa: S311 - an order, not a secret
    half = len(cases) // 2
    report.outcomes = await sender.send_all(cases[:half])
    before = session.rss_mb()
    report.outcomes += await sender.send_all(cases[half:])
    report.growth_mb = session.rss_mb() - before
    if report.growth_mb > GROWTH_MB_MAX:
        report.faults.append(f"memory grew by {report.growth_mb:.0f} MB")
    if session.workers() != workers:
        report.faults.append("a worker has died")
    report.faults += session.incidents()[:SHOWN_MAX]
    report.faults += await _echoes(session, cases)
    await session.pay()
    report.mutants = await in_process(session.world, mutants)
    report.seconds = time.monotonic() - begun
    return report


async def _echoes(session: Session, cases: list[Case]) -> list[str]:
    """Texts that were not stored as they were sent."""
    return [
        f"{case.id}: {case.echo!r} was not stored as it is"
        for case in cases
        if case.echo and not await session.stored(case.echo)
    ]


def show(report: Report, console: Console) -> None:
    """Print the table and what is wrong."""
    found = count(report.outcomes)
    codes = sorted({code for row in found.values() for code in row}, key=lambda c: (c in NEVER, c))
    table = Table(title=f"{len(report.outcomes):,} cases", title_justify="left")
    table.add_column("class")
    for column in ("cases", "wrong", *codes):
        table.add_column(column, justify="right", overflow="fold")
    wrong = Counter(outcome.case.kind for outcome in report.wrong)
    for kind, words in {**CLASSES, "M": "mutants"}.items():
        row = found.get(kind)
        if row:
            cells = (str(row.get(code, "")) for code in codes)
            table.add_row(f"{kind} {words}", str(sum(row.values())), str(wrong[kind]), *cells)
    console.print(table)
    told = ", ".join(f"{number:,} {word}" for word, number in report.mutants.most_common())
    console.print(f"{report.mutants.total():,} mutants in process: {told}")
    console.print(f"memory grew by {report.growth_mb:.1f} MB; {report.seconds:.0f} s")
    for outcome in report.wrong[:SHOWN_MAX]:
        console.print(f"WRONG {describe(outcome)}", markup=False)
    for fault in report.faults:
        console.print(f"FAULT {fault}", markup=False)


def as_data(report: Report) -> dict[str, Any]:
    """The report for machines."""
    return {
        "cases": len(report.outcomes),
        "codes": count(report.outcomes),
        "mutants": dict(report.mutants),
        "growth_mb": round(report.growth_mb, 1),
        "seconds": round(report.seconds, 1),
        "wrong": [describe(outcome) for outcome in report.wrong],
        "faults": report.faults,
    }


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m corpus", description=__doc__)
    parser.add_argument("--classes", default="", help=f"only these classes ({''.join(CLASSES)})")
    parser.add_argument("--step", type=int, default=1, help="only every n-th case")
    parser.add_argument("--mutants", type=int, default=MUTANTS, help="damaged messages to try")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args()


async def main_async(arguments: argparse.Namespace) -> Report:
    """Run against a server that ends with us."""
    with tempfile.TemporaryDirectory(prefix="longmen-corpus-") as name:
        async with open_session(Path(name)) as session:
            return await run(
                session,
                step=arguments.step,
                classes=arguments.classes,
                mutants=arguments.mutants,
            )


def main() -> int:
    """Run and report; 1 when anything is not as it has to be."""
    arguments = parse()
    report = uvloop.run(main_async(arguments))
    if arguments.json:
        print(json.dumps(as_data(report), indent=2))
    else:
        show(report, Console(width=160))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
