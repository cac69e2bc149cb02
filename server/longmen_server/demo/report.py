"""The day on paper: tables for people, a mapping for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from rich.console import Group
from rich.panel import Panel

from longmen_server.console import views
from longmen_server.console.ledger_views import trial_balance_table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from longmen_server.demo.story import Outcome
    from longmen_server.demo.tally import Part


def as_mapping(outcome: Outcome) -> dict[str, Any]:
    """The day for programs."""
    return {
        "proven": outcome.proven,
        "problems": outcome.tally.problems,
        "seconds": round(outcome.seconds, 3),
        "parts": [_part(one) for one in outcome.tally.parts.values()],
        "refusals": dict(sorted(outcome.tally.refusals.items())),
        "trial_balance": _message(outcome.trial_balance),
        "verification": _message(outcome.summary),
    }


def as_tables(outcome: Outcome) -> RenderableType:
    """The day for people."""
    found: list[RenderableType] = [part_table(outcome), refusal_table(outcome)]
    if outcome.trial_balance is not None:
        found.append(trial_balance_table(outcome.trial_balance))
    found.append(verdict(outcome))
    return Group(*found)


def part_table(outcome: Outcome) -> Table:
    """What happened, part by part."""
    columns = ["done", "refused", "replayed", "sent again", "seconds", "per second"]
    columns += ["p50 ms", "p99 ms"]
    return views.table(
        "What happened",
        ["part", *columns],
        [
            [
                one.name,
                f"{one.done:,}",
                f"{one.refused:,}",
                f"{one.replayed:,}",
                f"{one.sent_again:,}",
                f"{one.seconds:.1f}",
                *measured(one),
            ]
            for one in outcome.tally.parts.values()
        ],
        right=columns,
    )


def measured(one: Part) -> list[str]:
    """Rate and latencies of a part; blank for one that is a single stream."""
    if not one.latencies_ms:
        return ["", "", ""]
    return [
        f"{one.rate:,.0f}",
        f"{one.percentile_ms(50):.1f}",
        f"{one.percentile_ms(99):.1f}",
    ]


def refusal_table(outcome: Outcome) -> Table:
    """What was refused, all of it on purpose or by the rules."""
    return views.table(
        "Refused",
        ["reason", "times"],
        [[reason, f"{times:,}"] for reason, times in sorted(outcome.tally.refusals.items())],
        right=["times"],
    )


def verdict(outcome: Outcome) -> Panel:
    """Whether the books are proven."""
    if outcome.proven and outcome.summary is not None:
        summary = outcome.summary
        text = (
            f"Every account is proven: {summary.account_count:,} accounts, "
            f"{summary.posting_count:,} postings, {summary.block_count:,} blocks, "
            f"{summary.event_count:,} events, {summary.finding_count} findings.\n"
            f"The day took {outcome.seconds:.1f} s."
        )
        return Panel(views.Text(text), title="合龙门", border_style="green", expand=False)
    times = Counter(outcome.tally.problems)
    text = "\n".join(f"{count} times: {one}" if count > 1 else one for one, count in times.items())
    return Panel(views.Text(text), title="The gate stays open", border_style="red", expand=False)


def _part(one: Part) -> dict[str, Any]:
    return {
        "name": one.name,
        "done": one.done,
        "refused": one.refused,
        "replayed": one.replayed,
        "sent_again": one.sent_again,
        "seconds": round(one.seconds, 3),
        "calls_per_second": round(one.rate, 1),
        "p50_ms": round(one.percentile_ms(50), 2),
        "p99_ms": round(one.percentile_ms(99), 2),
    }


def _message(message: Any) -> dict[str, Any] | None:
    return None if message is None else MessageToDict(message)
