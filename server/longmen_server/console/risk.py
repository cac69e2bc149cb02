"""`longmen risk`: what movements of money are judged by, what was decided, whom it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.risk.v1 import decision_pb2, outcome_pb2
from longmen.risk.v1 import risk_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import book_option, limit_option
from longmen_server.console.risk_cases import cases
from longmen_server.console.risk_lists import lists
from longmen_server.console.risk_rules import rules
from longmen_server.console.risk_trials import backtest, simulate
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from rich.table import Table

OUTCOMES = [
    name.removeprefix("OUTCOME_KIND_").lower() for name in outcome_pb2.OutcomeKind.keys()[1:]
]
SCOPES = [name.removeprefix("FREEZE_SCOPE_").lower() for name in outcome_pb2.FreezeScope.keys()[1:]]


@click.group(epilog=EXIT_CODES)
def risk() -> None:
    """What movements of money are judged by, what was decided, and whom it stopped."""


risk.add_command(rules)
risk.add_command(lists)
risk.add_command(cases)
risk.add_command(simulate)
risk.add_command(backtest)


@risk.command()
@click.option("--customer", "customer_id", default="", help="Only about one customer's movements.")
@book_option
@click.option(
    "--lowest",
    type=click.Choice(OUTCOMES),
    default="allow",
    help="The mildest outcome to list.",
)
@limit_option
@connected
def decisions(session: Session, customer_id: str, book: int, lowest: str, limit: int) -> None:
    """List decisions, newest first."""
    found = session.bank.risk.list_decisions(
        customer_id=customer_id,
        book=book,
        lowest_outcome=outcome_pb2.OutcomeKind.Value(f"OUTCOME_KIND_{lowest.upper()}"),
        page_size=min(limit, 500),
    ).first(limit)
    session.show(pb.ListDecisionsResponse(decisions=found), lambda: decisions_table(found))


@risk.command()
@click.argument("decision_id")
@connected
def show(session: Session, decision_id: str) -> None:
    """Show a decision with all that it rests on."""
    reply = session.bank.risk.get_decision(decision_id=decision_id)
    session.show(reply, lambda: card(reply.decision))
    if not session.as_json:
        session.console.print(reasons_table(reply.decision))


@risk.command()
@click.argument("decision_id")
@connected
def replay(session: Session, decision_id: str) -> None:
    """Compute a decision again from its record; exit 1 when it comes out otherwise."""
    reply = session.bank.risk.replay_decision(decision_id=decision_id)
    session.show(reply, lambda: replay_table(reply))
    if not reply.same:
        raise SystemExit(1)


@risk.command()
@click.argument("customer_id")
@limit_option
@connected
def freezes(session: Session, customer_id: str, limit: int) -> None:
    """List the freezes of a customer, newest first."""
    found = session.bank.risk.list_freezes(
        customer_id=customer_id, page_size=min(limit, 500)
    ).first(limit)
    session.show(pb.ListFreezesResponse(freezes=found), lambda: freezes_table(found))


@risk.command()
@click.argument("customer_id")
@click.option("--scope", type=click.Choice(SCOPES), default="full", help="What is stopped.")
@click.option("--reason", required=True, help="Code that the customer is told: CONFIRMED_FRAUD.")
@click.option("--text", "reason_text", default="", help="Why, for the bank.")
@request_id_option
@connected
def freeze(
    session: Session,
    customer_id: str,
    scope: str,
    reason: str,
    reason_text: str,
    request_id: str | None,
) -> None:
    """Stop a customer with all accounts."""
    reply = session.bank.risk.place_freeze(
        customer_id=customer_id,
        scope=outcome_pb2.FreezeScope.Value(f"FREEZE_SCOPE_{scope.upper()}"),
        reason=reason,
        reason_text=reason_text,
        request_id=request_id,
    )
    session.show(reply.message, lambda: freezes_table([reply.message.freeze]))


@risk.command()
@click.argument("freeze_id")
@click.option("--text", "reason_text", default="", help="Why, for the bank.")
@request_id_option
@connected
def lift(session: Session, freeze_id: str, reason_text: str, request_id: str | None) -> None:
    """Lift a freeze; staff propose it with `longmen approval propose`."""
    reply = session.bank.risk.lift_freeze(
        freeze_id=freeze_id, reason_text=reason_text, request_id=request_id
    )
    session.show(reply.message, lambda: freezes_table([reply.message.freeze]))


def outcome_words(outcome: outcome_pb2.Outcome) -> str:
    """An outcome in words, with what belongs to it."""
    word = str(views.word(outcome_pb2.OutcomeKind, "OUTCOME_KIND_", outcome.kind))
    if outcome.kind == outcome_pb2.OUTCOME_KIND_STEP_UP:
        return f"{word}, {outcome.strength} factors"
    if outcome.kind == outcome_pb2.OUTCOME_KIND_DELAY:
        return f"{word}, {outcome.strength} s"
    if outcome.kind == outcome_pb2.OUTCOME_KIND_FREEZE:
        return f"{word} {views.word(outcome_pb2.FreezeScope, 'FREEZE_SCOPE_', outcome.strength)}"
    return word


def decisions_table(found: list[decision_pb2.Decision]) -> Table:
    """Decisions, a line each."""
    columns = ["decided", "kind", "outcome", "reason", "customer", "decision"]
    rows = [
        [
            str(views.moment(one.decided_time)),
            one.kind.lower(),
            outcome_words(one.outcome),
            one.reason,
            one.customer_id,
            one.decision_id,
        ]
        for one in found
    ]
    return views.table("Decisions", columns, rows)


def card(one: decision_pb2.Decision) -> Table:
    """A decision with its facts."""
    return views.card(
        "Decision",
        [
            ("decision", one.decision_id),
            ("outcome", outcome_words(one.outcome)),
            ("reason", one.reason),
            ("kind", one.kind.lower()),
            ("transaction", one.transaction_id),
            ("from", one.from_account_id),
            ("to", one.to_account_id),
            ("customer", one.customer_id),
            ("decided", views.moment(one.decided_time)),
            ("rules", f"version {one.rules_version}"),
            ("score", one.score),
            ("latency", f"{one.latency_us} us"),
        ],
    )


def reasons_table(one: decision_pb2.Decision) -> Table:
    """What a decision rests on: rules, failures, contributions and features."""
    rows = [
        ["rule" + (" in shadow" if fired.shadow else ""), fired.rule, outcome_words(fired.outcome)]
        for fired in one.fired
    ]
    rows += [["fault", fault.source, fault.message] for fault in one.faults]
    rows += [["contribution", part.feature, part.points] for part in one.contributions]
    rows += [["feature", reading.feature, value_of(reading)] for reading in one.features]
    return views.table("What it rests on", ["what", "name", "value"], rows)


def value_of(reading: decision_pb2.FeatureReading) -> str:
    """The value of a feature in words."""
    name = reading.WhichOneof("value")
    if name is None:
        return ""
    if name == "strings_value":
        return ", ".join(reading.strings_value.values)
    return str(getattr(reading, name))


def replay_table(reply: pb.ReplayDecisionResponse) -> Table:
    """A decision beside what it comes out as now."""
    then, now = reply.decision, reply.replayed
    rows = [
        ["outcome", outcome_words(then.outcome), outcome_words(now.outcome)],
        ["reason", then.reason, now.reason],
        ["score", then.score, now.score],
        ["rules", rules_of(then), rules_of(now)],
    ]
    title = "The same" if reply.same else "Not the same"
    return views.table(title, ["what", "then", "now"], rows)


def rules_of(one: decision_pb2.Decision) -> str:
    """The rules that applied."""
    return ", ".join(fired.rule for fired in one.fired)


def freezes_table(found: list[decision_pb2.Freeze]) -> Table:
    """Freezes, a line each."""
    columns = ["placed", "state", "scope", "reason", "whom", "lifted by", "freeze"]
    rows = [
        [
            str(views.moment(one.placed_time)),
            str(views.word(decision_pb2.FreezeState, "FREEZE_STATE_", one.state)),
            str(views.word(outcome_pb2.FreezeScope, "FREEZE_SCOPE_", one.scope)),
            one.reason,
            one.customer_id or one.merchant_id,
            one.lifted_by,
            one.freeze_id,
        ]
        for one in found
    ]
    return views.table("Freezes", columns, rows)
