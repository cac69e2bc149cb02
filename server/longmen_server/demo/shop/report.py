"""The market day on paper: tables for people, a mapping for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group

from longmen_client import Money
from longmen_server.console import views
from longmen_server.demo import report
from longmen_server.demo.plan import CURRENCY

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from longmen_server.demo.story import Outcome


STORED = {
    "paid": "paid by their payers",
    "covered": "paid by the bank",
    "lost": "lost by merchants",
}
"""What became of sales that tills had stored."""


def as_mapping(outcome: Outcome) -> dict[str, Any]:
    """The day for programs."""
    return {**report.as_mapping(outcome), "market": dict(outcome.tally.facts)}


def as_tables(outcome: Outcome) -> RenderableType:
    """The day for people."""
    return Group(market_table(outcome), report.as_tables(outcome))


def market_table(outcome: Outcome) -> Table:
    """What was sold and what came of it, to the last fen."""
    facts = outcome.tally.facts
    rows = [
        [kind.replace("_", " "), f"{one['count']:,}", shown(one["minor_units"])]
        for kind, one in facts.get("trade", {}).items()
    ]
    rows += [
        [
            f"stored without a network, {STORED[kind]}",
            f"{one['count']:,}",
            shown(one["minor_units"]),
        ]
        for kind, one in facts.get("stored", {}).items()
    ]
    rows.append(["paid out to merchants", "", shown(facts.get("paid_out", 0))])
    rows.append(["webhooks", f"{facts.get('webhooks', 0):,}", ""])
    rows.append(["found by reconciling", f"{facts.get('found_by_reconciling', 0):,}", ""])
    return views.table("The market", ["what", "count", "amount"], rows, right=["count", "amount"])


def shown(minor_units: int) -> str:
    """An amount for people."""
    return str(Money(minor_units, CURRENCY))
