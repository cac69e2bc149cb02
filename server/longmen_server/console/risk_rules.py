"""`longmen risk rules`: the rules that movements are judged by, from the draft to the snooze."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.risk.v1 import rule_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import SPAN, book_option, limit_option
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from rich.console import RenderableType
    from rich.table import Table

STATES = {
    "shadow": rule_pb2.RULE_SET_STATE_SHADOW,
    "active": rule_pb2.RULE_SET_STATE_ACTIVE,
    "retired": rule_pb2.RULE_SET_STATE_RETIRED,
}
IN_FORCE = "now"
"""What stands for the rules in force where a set's id is asked for."""


@click.group(epilog=EXIT_CODES)
def rules() -> None:
    """Rules that movements are judged by: drafts, shadow, promotion, silence.

    SET is the id of a set, a file of rules in TOML where one will do, or "now" for those in force.
    """


def set_id(text: str) -> str:
    """Return the id that a word stands for."""
    return "" if text == IN_FORCE else text


def source_of(text: str) -> tuple[str, Sequence[rule_pb2.Rule]]:
    """Return where rules come from: the id of a set, or a file's rules.

    Raises:
        ValueError, OSError: there is no such file, or it holds no rules.
    """
    if text == IN_FORCE or text.startswith("rset_"):
        return set_id(text), ()
    return "", read_file(text)


def read_file(name: str) -> Sequence[rule_pb2.Rule]:
    """Return the rules of a file, or of the standard input for "-".

    Raises:
        ValueError, OSError: there is no such file, or it holds no rules.
    """
    from longmen_server.risk.rule_files import RuleFileError, read_rules

    text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    try:
        return read_rules(text)
    except RuleFileError as error:
        raise ValueError(f"{name}: {error}") from error


@rules.command("list")
@book_option
@limit_option
@connected
def list_(session: Session, book: int, limit: int) -> None:
    """List sets of rules, newest first."""
    found = session.bank.rules.list_rule_sets(book=book, page_size=min(limit, 1000)).first(limit)
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    columns = ["set", "name", "state", "version", "rules", "revision", "changed"]
    rows: list[list[RenderableType | str]] = [
        [
            one.rule_set_id,
            one.name,
            views.word(rule_pb2.RuleSetState, "RULE_SET_STATE_", one.state),
            str(one.version or ""),
            str(one.rule_count),
            str(one.revision),
            views.moment(one.update_time),
        ]
        for one in found
    ]
    right = ["version", "rules", "revision"]
    session.console.print(views.table("Sets of rules", columns, rows, right=right))


@rules.command()
@click.argument("rule_set", metavar="SET", default=IN_FORCE)
@click.option("--toml", "as_toml", is_flag=True, help="Print the rules as a file to change.")
@book_option
@connected
def show(session: Session, rule_set: str, book: int, *, as_toml: bool) -> None:
    """Show a set with its rules; by default those in force."""
    reply = session.bank.rules.get_rule_set(rule_set_id=set_id(rule_set), book=book)
    if as_toml:
        from longmen_server.risk.rule_files import write_rules

        click.echo(write_rules(reply.rule_set.rules), nl=False)
        return
    session.show(reply, lambda: set_card(reply.rule_set))
    if not session.as_json:
        session.console.print(rules_table(reply.rule_set))


def set_card(found: rule_pb2.RuleSet) -> Table:
    """A set's facts."""
    trial = found.trial
    tried = f"{trial.blocked_count:,} of {trial.decision_count:,}" if trial.decision_count else ""
    return views.card(
        "Rules",
        [
            ("set", found.rule_set_id or "as shipped"),
            ("name", found.name),
            ("note", found.note),
            ("state", views.word(rule_pb2.RuleSetState, "RULE_SET_STATE_", found.state)),
            ("version", str(found.version or "")),
            ("revision", str(found.revision or "")),
            ("made from", found.base_rule_set_id),
            ("blocked in shadow", tried),
            ("digest", found.digest.hex()),
        ],
    )


def rules_table(found: rule_pb2.RuleSet) -> Table:
    """Rules, one a row."""
    from longmen_server.risk.rule_content import from_message, outcome_text

    rows: list[list[RenderableType | str]] = []
    for one in found.rules:
        share = one.rollout_basis_points if one.HasField("rollout_basis_points") else 10_000
        mode = views.word(rule_pb2.RuleMode, "RULE_MODE_", one.mode)
        silent = sum(snooze.rule_id == one.rule_id for snooze in found.snoozes)
        rows.append(
            [
                one.rule_id,
                mode,
                f"{share / 100:g} %",
                outcome_text(from_message(one).outcome),
                one.owner,
                one.intent,
                str(silent or ""),
            ]
        )
    columns = ["rule", "mode", "payers", "outcome", "owner", "what for", "snoozes"]
    return views.table("", columns, rows, right=["payers"])


@rules.command()
@click.argument("source", metavar="SET|FILE", default=IN_FORCE)
@book_option
@connected
def lint(session: Session, source: str, book: int) -> None:
    """Tell what is wrong with rules. Exit code 1 when something has to be mended."""
    rule_set_id, found = source_of(source)
    reply = session.bank.rules.lint_rules(rule_set_id=rule_set_id, rules=found, book=book)
    error = rule_pb2.RULE_PROBLEM_SEVERITY_ERROR
    if session.as_json:
        session.show(reply, lambda: "")
    else:
        for one in reply.problems:
            word = "error" if one.severity == error else "warning"
            where = f":{one.line}:{one.column}" if one.line else ""
            session.say(f"{word}: {one.rule_id}{where}: {one.message} [{one.code}]")
            for line in one.excerpt.splitlines():
                session.say(f"    {line}")
        if not reply.problems:
            session.say("nothing is wrong")
    if any(one.severity == error for one in reply.problems):
        sys.exit(1)


@rules.command()
@click.argument("source", metavar="SET|FILE", default=IN_FORCE)
@click.option(
    "-v",
    "--value",
    "values",
    metavar="FEATURE=VALUE",
    multiple=True,
    help="A movement to try: its features, all others having their defaults.",
)
@book_option
@connected
def test(session: Session, source: str, values: tuple[str, ...], book: int) -> None:
    """Evaluate the examples of rules. Exit code 1 when one fails.

    With values, show what fires for a movement; nothing is written.
    """
    pairs = [text.partition("=") for text in values]
    rule_set_id, found = source_of(source)
    reply = session.bank.rules.test_rules(
        rule_set_id=rule_set_id,
        rules=found,
        values=[rule_pb2.FeatureText(feature=name, value=value) for name, _, value in pairs],
        book=book,
    )
    wrong = [one for one in reply.examples if one.fault or one.fired != one.expected]
    session.show(reply, lambda: examples_table(reply.examples))
    if values and not session.as_json:
        session.console.print(fired_table(reply.fired))
    if wrong:
        sys.exit(1)


def examples_table(found: Iterable[rule_pb2.ExampleResult]) -> Table:
    """What came of examples."""
    rows: list[list[RenderableType | str]] = []
    for one in found:
        is_right = one.fired == one.expected and not one.fault
        said = one.fault or ("fires" if one.fired else "does not fire")
        verdict = views.Text("right", "green") if is_right else views.Text("WRONG", "red")
        rows.append([one.rule_id, one.name, said, verdict])
    return views.table("Examples", ["rule", "example", "it", ""], rows)


def fired_table(found: Iterable[rule_pb2.FiredRule]) -> Table:
    """What fires for a movement."""
    from longmen_server.risk.rule_content import outcome_of, outcome_text

    rows = [
        [
            one.rule_id,
            outcome_text(outcome_of(one.outcome)),
            one.fault or ("recorded only" if one.shadow else "counts"),
        ]
        for one in found
    ]
    return views.table("What fires", ["rule", "outcome", ""], rows)


@rules.command()
@click.argument("second", metavar="SET")
@click.argument("first", metavar="[FROM]", default=IN_FORCE)
@book_option
@connected
def diff(session: Session, second: str, first: str, book: int) -> None:
    """Show how a set differs from another one; by default from the rules in force."""
    reply = session.bank.rules.diff_rule_sets(
        rule_set_id=set_id(first), other_rule_set_id=set_id(second), book=book
    )
    session.show(reply, lambda: diff_table(reply.differences))


def diff_table(found: Iterable[rule_pb2.RuleDifference]) -> Table:
    """Differences, one a row."""
    rows: list[list[RenderableType | str]] = [
        [
            one.rule_id,
            views.word(rule_pb2.RuleChange, "RULE_CHANGE_", one.change),
            one.field,
            one.before,
            one.after,
        ]
        for one in found
    ]
    return views.table("Differences", ["rule", "change", "field", "before", "after"], rows)


@rules.command()
@click.argument("file", metavar="FILE")
@click.option("--name", required=True, help="Name of the set.")
@click.option("--note", default="", help="What is new in it.")
@click.option("--set", "rule_set", default="", help="The draft to change, instead of a new one.")
@book_option
@request_id_option
@connected
def draft(
    session: Session,
    file: str,
    name: str,
    note: str,
    rule_set: str,
    book: int,
    request_id: str | None,
) -> None:
    """Save a file of rules as a draft; "-" reads the standard input."""
    found = read_file(file)
    if rule_set:
        known = session.bank.rules.get_rule_set(rule_set_id=rule_set).rule_set
        changed = session.bank.rules.update_draft(
            rule_set_id=rule_set,
            revision=known.revision,
            rules=found,
            note=note,
            request_id=request_id,
        ).message
        session.show(changed, lambda: set_card(changed.rule_set))
        return
    made = session.bank.rules.create_draft(
        name=name, note=note, rules=found, book=book, request_id=request_id
    ).message
    session.show(made, lambda: set_card(made.rule_set))


@rules.command()
@click.argument("rule_set", metavar="SET")
@click.argument("state", type=click.Choice(list(STATES)))
@request_id_option
@connected
def promote(session: Session, rule_set: str, state: str, request_id: str | None) -> None:
    """Let a set be tried in shadow, decide, or retire. Staff propose it: longmen approval."""
    known = session.bank.rules.get_rule_set(rule_set_id=rule_set).rule_set
    reply = session.bank.rules.promote_rule_set(
        rule_set_id=rule_set,
        revision=known.revision,
        state=STATES[state],
        request_id=request_id,
    )
    session.show(reply.message, lambda: set_card(reply.message.rule_set))


@rules.command()
@click.argument("rule")
@click.option("--for", "span", type=SPAN, required=True, help="How long, such as 2h or 7d.")
@click.option("--customer", "customer_id", default="", help="Only for one payer.")
@click.option("--because", required=True, help="Reason, kept with it.")
@book_option
@request_id_option
@connected
def snooze(
    session: Session,
    rule: str,
    span: timedelta,
    customer_id: str,
    because: str,
    book: int,
    request_id: str | None,
) -> None:
    """Silence a rule of the active set for a while: it is recorded and does not count."""
    reply = session.bank.rules.snooze_rule(
        rule_id=rule,
        duration=span,
        customer_id=customer_id,
        reason_text=because,
        book=book,
        request_id=request_id,
    )
    session.show(reply.message, lambda: version_card(reply.message.version))


@rules.command()
@click.argument("rule")
@click.argument("percent", type=click.FloatRange(0, 100))
@book_option
@request_id_option
@connected
def rollout(session: Session, rule: str, percent: float, book: int, request_id: str | None) -> None:
    """Let a rule of the active set count for a share of payers, always the same ones."""
    reply = session.bank.rules.set_rollout(
        rule_id=rule,
        rollout_basis_points=round(percent * 100),
        book=book,
        request_id=request_id,
    )
    session.show(reply.message, lambda: version_card(reply.message.version))


def version_card(version: int) -> Table:
    """The version that decides from now on."""
    return views.card("Rules", [("version", str(version))])
