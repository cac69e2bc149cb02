"""What `make risk-bench` says: figures beside published ones, bars, and what it costs payers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from rich.table import Table

from bench import report as house
from bench.detection.protocol import PUBLISHED, PUBLISHED_WEEK, Figures
from bench.report import Bar

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bench.detection.judging import Toll
    from bench.detection.simulator import Stream

__all__ = ["Week", "bars", "tell"]

FIRST_DAY: Final = date(2018, 4, 1)
TRANSACTIONS: Final = 1_754_155
FRAUDS: Final = (978, 9_099, 4_604)
"""Frauds that each kind adds, in the order in which the kinds are applied."""


@dataclass(frozen=True, slots=True)
class Week:
    """How well the frauds of a week were found."""

    first_day: int
    """On which the seven days of learning began; the week judged is the third from it."""
    payments: int
    frauds: int
    card: Figures
    """Of the scorecard as shipped."""
    relearned: Figures
    """Of a scorecard of the same terms, learned on the seven days before."""
    forest: Figures
    """Of a random forest on the handbook's features, learned on the same days."""

    @property
    def judged_from(self) -> date:
        """First day of the week that is judged."""
        return FIRST_DAY + timedelta(days=self.first_day + 14)


def bars(stream: Stream, weeks: list[Week]) -> list[Bar]:
    """Return what has to be reached: the handbook's data and best figures, a forest's precision."""
    published = next(week for week in weeks if week.first_day == PUBLISHED_WEEK)
    others = [week for week in weeks if week is not published]
    best = Figures(*map(max, zip(*PUBLISHED.values(), strict=True)))
    won = sum(week.card.precision > week.forest.precision for week in others)
    fractions = {
        "transactions": (len(stream), TRANSACTIONS),
        **{
            f"kind {kind}": pair
            for kind, pair in enumerate(zip(stream.added.tolist(), FRAUDS, strict=True), 1)
        },
    }
    exact = sum(got == wanted for got, wanted in fractions.values()) / len(fractions)
    got = {name: found for name, (found, _) in fractions.items()}
    return [
        Bar("D1", "the simulator's counts that are the handbook's", exact, 1, ">=", "", dict(got)),
        Bar("D2", "AUC of the scorecard in the published week", published.card.auc, best.auc, ">="),
        Bar("D3", "its average precision", published.card.precision, best.precision, ">="),
        Bar("D4", "its card precision at 100", published.card.cards, best.cards, ">="),
        Bar(
            "D5",
            "other weeks in which its average precision is above a random forest's",
            won / len(others),
            (len(others) // 2 + 1) / len(others),
            ">=",
            "",
            {"weeks": len(others), "above": won},
        ),
    ]


def tell(
    console: Console,
    stream: Stream,
    weeks: list[Week],
    tolls: dict[str, Toll],
    seconds: float,
    path: Path,
) -> int:
    """Print everything, write it to a file, and return 1 when a bar is missed."""
    found = bars(stream, weeks)
    console.print(_published(next(week for week in weeks if week.first_day == PUBLISHED_WEEK)))
    console.print(_by_week(weeks))
    console.print(_tolls(tolls))
    house.show(console, found)
    details = {
        "weeks": [asdict(week) | {"judged_from": str(week.judged_from)} for week in weeks],
        "tolls": {name: asdict(toll) for name, toll in tolls.items()},
        "judging_seconds": seconds,
    }
    house.write(path, found, details)
    console.print(f"[dim]{seconds:.0f} s of judging; report: {path}")
    return 0 if all(bar.ok for bar in found) else 1


def _published(week: Week) -> Table:
    table = Table(
        title=f"Week of {week.judged_from}: {week.payments:,} payments, {week.frauds} frauds"
    )
    table.add_column("")
    for name in ("AUC", "average precision", "card precision@100"):
        table.add_column(name, justify="right")
    rows = {
        **{f"{name} (published)": figures for name, figures in PUBLISHED.items()},
        "random forest (rebuilt)": week.forest,
        "shipped scorecard": week.card,
    }
    for name, figures in rows.items():
        style = "bold green" if name == "shipped scorecard" else ""
        table.add_row(name, *(f"{figure:.3f}" for figure in figures), style=style)
    return table


def _by_week(weeks: list[Week]) -> Table:
    table = Table(
        title="Every other fortnight: scorecard as shipped / learned anew / random forest"
    )
    table.add_column("week of")
    table.add_column("frauds", justify="right")
    for name in ("AUC", "average precision", "card precision@100"):
        table.add_column(name, justify="right")
    for week in weeks:
        cells = [
            " / ".join(f"{figure:.3f}" for figure in figures)
            for figures in zip(week.card, week.relearned, week.forest, strict=True)
        ]
        table.add_row(str(week.judged_from), str(week.frauds), *cells)
    return table


def _tolls(tolls: dict[str, Toll]) -> Table:
    table = Table(title="What is stopped or has to be approved, in all of these weeks")
    table.add_column("by")
    columns = ("payments", "precision", "recall", "false alarms", "step-up rate", "saved")
    for name in columns:
        table.add_column(name, justify="right")
    for name, toll in tolls.items():
        table.add_row(
            name,
            f"{toll.payments:,}",
            f"{toll.precision:.1%}",
            f"{toll.recall:.1%}",
            f"{toll.false_alarms:.3%}",
            f"{toll.step_ups:.2%}",
            f"CNY {toll.saved / 100:,.0f} of {toll.stolen / 100:,.0f}",
        )
    return table
