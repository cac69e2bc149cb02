"""`longmen risk simulate` and `backtest`: what would come out, without anything coming of it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.errors.v1 import error_reason_pb2
from longmen.limits.v1 import limit_pb2
from longmen.risk.v1 import backtest_pb2, case_pb2, outcome_pb2
from longmen.risk.v1 import risk_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.limits import FACTORS, KINDS, limits_table, number, words
from longmen_server.console.parameters import (
    book_option,
    currency_option,
    money,
    since_until_options,
)
from longmen_server.console.risk_rules import IN_FORCE, set_id, source_of
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from longmen.risk.v1 import decision_pb2, rule_pb2

CHANNELS = click.Choice(words(outcome_pb2.RiskChannel, "RISK_CHANNEL_"))
REFERENCE = "CNY"
"""What amounts of decisions are in."""
CALL_DECISIONS = 20_000
"""Decisions of one call; a longer span takes several."""
BASIS_POINTS = 10_000
BAR_CELLS = 40
"""Width of the longest bar of a chart."""
EXAMPLES_SHOWN = 10
EXAMPLES_KEPT = 50


# -- One movement.


@click.command()
@click.argument("account_id", metavar="FROM")
@click.argument("to", metavar="TO|-")
@click.argument("amount")
@currency_option
@click.option("--kind", type=KINDS, default="transfer", show_default=True)
@click.option("--channel", type=CHANNELS, default="app", show_default=True)
@click.option("--device", "device_id", default="", help="Device that would ask for it.")
@click.option("--terminal", "terminal_id", default="", help="The merchant's till.")
@click.option("--address", default="", help="Network address that it would come from.")
@click.option("--factor", "factors", type=FACTORS, multiple=True, help="What has approved it.")
@click.option("--rules", "rule_set", metavar="SET", default=IN_FORCE, help="Rules to judge by.")
@connected
def simulate(
    session: Session,
    account_id: str,
    to: str,
    amount: str,
    currency: str,
    kind: str,
    channel: str,
    device_id: str,
    terminal_id: str,
    address: str,
    factors: tuple[str, ...],
    rule_set: str,
) -> None:
    """Say what would become of a movement; nothing is made, kept or told.

    Risk, limits, approvals and the ledger are asked. TO is an account, a merchant, or "-" for a
    withdrawal. Exit code 1 when it would be refused.
    """
    from longmen.identity.v1 import factor_pb2

    reply = session.bank.risk.simulate_transaction(
        kind=limit_pb2.LimitedKind.ValueType(number(limit_pb2.LimitedKind, "LIMITED_KIND_", kind)),
        from_account_id=account_id,
        to_account_id=to if to.startswith("acct_") else "",
        merchant_id=to if to.startswith("mer_") else "",
        amount=money(amount, currency),
        channel=outcome_pb2.RiskChannel.ValueType(
            number(outcome_pb2.RiskChannel, "RISK_CHANNEL_", channel)
        ),
        device_id=device_id,
        terminal_id=terminal_id,
        network_address=address,
        factors=[
            factor_pb2.FactorKind.ValueType(number(factor_pb2.FactorKind, "FACTOR_KIND_", one))
            for one in factors
        ],
        rule_set_id=set_id(rule_set),
    )
    session.show(reply, lambda: simulated_card(reply))
    if not session.as_json:
        from longmen_server.console.risk import reasons_table

        if reply.HasField("decision"):
            session.console.print(reasons_table(reply.decision))
        if reply.limits:
            session.console.print(limits_table("Limits", reply.limits))
    if not reply.would_be_made:
        sys.exit(1)


def simulated_card(reply: pb.SimulateTransactionResponse) -> Table:
    """What would become of a movement."""
    from longmen.identity.v1 import factor_pb2
    from longmen_server.console.risk import outcome_words

    decision: decision_pb2.Decision = reply.decision
    judged = reply.HasField("decision")
    methods = (factor_pb2.FactorKind.Name(one) for one in reply.approval_methods)
    asked = ", ".join(one.removeprefix("FACTOR_KIND_").lower() for one in methods)
    return views.card(
        "Simulated, not made",
        [
            ("it would be", "made" if reply.would_be_made else "refused"),
            ("risk and limits", said(reply.reason, reply.reason_metadata)),
            ("approvals", said(reply.approval_reason, reply.approval_metadata)),
            ("ledger", said(reply.ledger_reason, reply.ledger_metadata)),
            ("to approve it", f"{reply.approval_factors} of {asked}" if asked else ""),
            ("outcome", outcome_words(decision.outcome) if judged else ""),
            ("reason", decision.reason),
            ("score", decision.score),
            ("factors for risk", str(reply.factors_needed or "")),
            ("binding limit", reply.binding_limit.name),
            ("rules", f"version {decision.rules_version}" if judged else ""),
        ],
    )


def said(reason: int, metadata: Mapping[str, str]) -> str:
    """What one of those who are asked says."""
    if not reason:
        return "no objection"
    name = error_reason_pb2.ErrorReason.Name(reason)  # type: ignore[arg-type]
    told = ", ".join(f"{key} {value}" for key, value in sorted(metadata.items()))
    return name.removeprefix("ERROR_REASON_") + (f" ({told})" if told else "")


# -- The past.


@click.command()
@click.argument("source", metavar="[SET|FILE]", default=IN_FORCE)
@click.option(
    "--scorecard",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML of a scorecard to try; by default the one that came with the server.",
)
@since_until_options
@click.option(
    "--most", type=click.IntRange(1), default=100_000, show_default=True, help="Decisions at most."
)
@book_option
@connected
def backtest(
    session: Session,
    source: str,
    scorecard: Path | None,
    since: datetime | None,
    until: datetime | None,
    most: int,
    book: int,
) -> None:
    """Judge decisions of the past by other rules or points, and compare. Nothing is changed.

    Without a set or a file the rules in force are taken, to try a scorecard alone. Exit code 1 when
    it would block more than one caller may promote.
    """
    rule_set_id, rules = source_of(source)
    card = b"" if scorecard is None else scorecard.read_bytes()
    done: list[backtest_pb2.BacktestResult] = []
    cursor, left = "", most
    with progress_bar(session, most) as advance:
        while left > 0 and (not done or cursor):
            found = one_call(
                session,
                advance,
                rule_set_id=rule_set_id,
                rules=rules,
                from_time=since,
                to_time=until,
                decision_count=min(left, CALL_DECISIONS),
                cursor=cursor,
                book=book,
                scorecard=card,
            )
            done.append(found)
            cursor = found.next_cursor
            left -= found.decision_count + found.unreadable_count
    result = added(done)
    session.show(result, lambda: figures_table(result))
    if not session.as_json:
        for table in (matrix_table(result), rules_table(result.rules), chart(result.days)):
            session.console.print(table)
        tell_rest(session, result)
    if result.blocks_too_much:
        sys.exit(1)


def one_call(
    session: Session,
    advance: Callable[[int], None],
    *,
    rules: Iterable[rule_pb2.Rule],
    **asked: object,
) -> backtest_pb2.BacktestResult:
    """Make one call to its end and give its result."""
    found = backtest_pb2.BacktestResult()
    known = 0
    with session.bank.rules.backtest_rules(rules=rules, **asked) as messages:  # type: ignore[arg-type]
        for message in messages:
            if message.HasField("progress"):
                advance(message.progress.done - known)
                known = message.progress.done
            else:
                found.CopyFrom(message.result)
    return found


@contextmanager
def progress_bar(session: Session, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the standard error, for people; gives what is called with how many more are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    hidden = session.as_json or not console.is_terminal
    columns = (TextColumn("decisions"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=total)
        yield lambda more: progress.advance(task, more)


def added(results: Iterable[backtest_pb2.BacktestResult]) -> backtest_pb2.BacktestResult:
    """Several results as one."""
    whole = backtest_pb2.BacktestResult()
    cells: dict[tuple[int, int, int], backtest_pb2.BacktestCell] = {}
    rules: dict[str, backtest_pb2.BacktestRule] = {}
    days: dict[str, backtest_pb2.BacktestDay] = {}
    missing: set[str] = set()
    for one in results:
        for name in (
            *("decision_count", "newly_refused_count", "newly_refused_minor_units"),
            *("incomplete_count", "unreadable_count", "unscored_count"),
        ):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        for name in FIGURES:
            getattr(whole, name).SetInParent()
            sum_into(getattr(whole, name), getattr(one, name))
        for cell in one.cells:
            keep(cells, (cell.before, cell.after, cell.verdict), cell)
        for rule in one.rules:
            keep(rules, rule.rule, rule)
        for day in one.days:
            keep(days, day.day, day)
        missing.update(one.missing_features)
        room = EXAMPLES_KEPT - len(whole.newly_refused)
        whole.newly_refused.extend(one.newly_refused[:room])
        whole.next_cursor = one.next_cursor
        whole.limit_basis_points = one.limit_basis_points
    most = whole.decision_count * whole.limit_basis_points
    whole.blocks_too_much = whole.blocked.after_count * BASIS_POINTS > most
    whole.cells.extend(cells[key] for key in sorted(cells))
    whole.rules.extend(rules[key] for key in sorted(rules))
    whole.days.extend(days[key] for key in sorted(days))
    whole.missing_features.extend(sorted(missing))
    return whole


FIGURES = {
    "alerts": "alerts",
    "blocked": "held, declined or frozen",
    "caught": "fraud caught",
    "missed": "fraud missed",
    "disturbed": "honest ones disturbed",
}
"""Figures of a result, and what they are."""


def keep(known: dict, key: object, one: object) -> None:  # type: ignore[type-arg]
    """Add a part of a result to the same part of the results before."""
    if key not in known:
        known[key] = type(one)()
        known[key].CopyFrom(one)
        return
    sum_into(known[key], one)


def sum_into(whole: object, one: object) -> None:
    """Add the counts and amounts of a message to those of another one."""
    for field, value in one.ListFields():  # type: ignore[attr-defined]
        if field.name.endswith(("_count", "_units", "_alerts")):
            setattr(whole, field.name, getattr(whole, field.name) + value)
        elif field.name not in {"before", "after", "verdict", "rule", "day"}:
            raise AssertionError(f"{field.name} does not add up")


def reference(minor_units: int) -> RenderableType:
    """An amount of decisions."""
    return views.minor_units(minor_units, REFERENCE)


def figures_table(found: backtest_pb2.BacktestResult) -> Table:
    """Figures before and after."""
    rows: list[list[RenderableType | str]] = []
    for name, title in FIGURES.items():
        one = getattr(found, name)
        before, after = f"{one.before_count:,}", f"{one.after_count:,}"
        change = f"{one.after_count - one.before_count:+,}"
        amounts = reference(one.before_minor_units), reference(one.after_minor_units)
        rows.append([title, before, amounts[0], after, amounts[1], change])
    columns = ["", "before", "amount", "after", "amount", "change"]
    title = f"{found.decision_count:,} decisions judged again"
    return views.table(title, columns, rows, right=columns[1:])


def matrix_table(found: backtest_pb2.BacktestResult) -> Table:
    """How outcomes change: before by after."""
    kinds = outcome_pb2.OutcomeKind.values()[1:]
    counts = dict.fromkeys(product(kinds, kinds), 0)
    for cell in found.cells:
        counts[cell.before, cell.after] += cell.decision_count
    seen = [kind for kind in kinds if any(counts[kind, k] or counts[k, kind] for k in kinds)]
    names = {kind: kind_word(kind) for kind in seen}
    rows: list[list[RenderableType | str]] = []
    for before in seen:
        found_counts = (counts[before, after] for after in seen)
        rows.append([names[before], *(f"{count:,}" if count else "" for count in found_counts)])
    columns = ["before \\ after", *names.values()]
    return views.table("Outcomes", columns, rows, right=columns[1:])


def kind_word(kind: int) -> str:
    """An outcome's kind in words."""
    return str(views.word(outcome_pb2.OutcomeKind, "OUTCOME_KIND_", kind))


def rules_table(found: Iterable[backtest_pb2.BacktestRule]) -> Table:
    """What each rule did."""
    rows: list[list[RenderableType | str]] = [
        [
            one.rule,
            f"{one.fired_count:,}",
            f"{one.fraud_count:,}",
            f"{one.false_positive_count:,}",
            f"{one.skipped_count or ''}",
        ]
        for one in sorted(found, key=lambda one: -one.fired_count)
    ]
    columns = ["rule", "fired", "fraud", "honest", "left out"]
    return views.table("Rules", columns, rows, right=columns[1:])


def chart(days: Iterable[backtest_pb2.BacktestDay]) -> Table:
    """Alerts by day, a bar before and one after."""
    known = list(days)
    most = max((max(one.before_alerts, one.after_alerts) for one in known), default=0) or 1
    rows: list[list[RenderableType | str]] = []
    for one in known:
        for word, alerts in (("before", one.before_alerts), ("after", one.after_alerts)):
            bar = "█" * round(alerts * BAR_CELLS / most) or ("▏" if alerts else "")
            day = one.day if word == "before" else ""
            rows.append([day, word, bar, f"{alerts:,} of {one.decision_count:,}"])
    return views.table("Alerts by day", ["day", "", "", "alerts"], rows, right=["alerts"])


def tell_rest(session: Session, found: backtest_pb2.BacktestResult) -> None:
    """Say what does not fit into tables."""
    if found.newly_refused_count:
        amount = views.minor_units(found.newly_refused_minor_units, REFERENCE)
        session.say(f"{found.newly_refused_count:,} that went through would be refused: {amount}")
        for one in found.newly_refused[:EXAMPLES_SHOWN]:
            session.say(f"  {one.decision_id}  {kind_word(one.after)}  {one.reason}")
    labelled = sum(
        cell.decision_count
        for cell in found.cells
        if cell.verdict != case_pb2.CASE_VERDICT_UNSPECIFIED
    )
    session.say(f"{labelled:,} of them have a verdict")
    if found.incomplete_count:
        names = ", ".join(found.missing_features)
        session.say(f"{found.incomplete_count:,} records lack what rules read, of: {names}")
    if found.unscored_count:
        names = ", ".join(found.missing_features)
        session.say(f"{found.unscored_count:,} have no points, their records lack: {names}")
    if found.unreadable_count:
        session.say(f"{found.unreadable_count:,} records could not be read")
    if found.next_cursor:
        session.say("there are more decisions: see --most")
    if found.blocks_too_much:
        session.say("it blocks too much: two people have to agree to promote it")
