"""`longmen risk cases`: what people look at, and the verdicts that two of them give."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rich_click as click

from longmen.risk.v1 import case_pb2, outcome_pb2
from longmen.risk.v1 import cases_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import EnumType, book_option, limit_option
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import RenderableType
    from rich.table import Table

_ENUMS = case_pb2.DESCRIPTOR.enum_types_by_name
STATE = EnumType(_ENUMS["CaseState"], "CASE_STATE_")
CAUSE = EnumType(_ENUMS["CaseCause"], "CASE_CAUSE_")
VERDICT = EnumType(_ENUMS["CaseVerdict"], "CASE_VERDICT_")
CLAIM = EnumType(_ENUMS["Claim"], "CLAIM_")


@click.group(epilog=EXIT_CODES)
def cases() -> None:
    """Movements and customers that people look at: the queue, notes, and verdicts."""


@cases.command("list")
@click.option("--state", type=STATE, default="open", help="Which cases.")
@click.option("--cause", type=CAUSE, default=None, help="Only those opened for this.")
@click.option("--assignee", default="", help="Only those of one member of staff.")
@book_option
@limit_option
@connected
def list_(session: Session, state: Any, cause: Any, assignee: str, book: int, limit: int) -> None:
    """List the queue, the longest waiting first."""
    found = session.bank.cases.list_cases(
        state=state,
        cause=cause or case_pb2.CASE_CAUSE_UNSPECIFIED,
        assignee=assignee,
        book=book,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(pb.ListCasesResponse(cases=found), lambda: cases_table(found))


@cases.command()
@click.argument("case_id")
@connected
def show(session: Session, case_id: str) -> None:
    """Show a case with its notes, and with what a name was matched with."""
    reply = session.bank.cases.get_case(case_id=case_id)
    session.show(reply, lambda: card(reply.case_found))
    if reply.matches and not session.as_json:
        session.console.print(matches_table(reply.matches))
    if reply.notes and not session.as_json:
        session.console.print(notes_table(reply.notes))


@cases.command("open")
@click.argument("decision_id")
@click.option("--text", required=True, help="Why it is looked at.")
@request_id_option
@connected
def open_(session: Session, decision_id: str, text: str, request_id: str | None) -> None:
    """Have a movement looked at that no rule stopped."""
    reply = session.bank.cases.open_case(decision_id=decision_id, text=text, request_id=request_id)
    session.show(reply.message, lambda: card(reply.message.opened))


@cases.command()
@click.argument("decision_id")
@click.argument("claim", type=CLAIM)
@click.option("--text", default="", help="In the customer's words.")
@request_id_option
@connected
def appeal(
    session: Session, decision_id: str, claim: Any, text: str, request_id: str | None
) -> None:
    """Say, as a customer, that a movement was one's own or somebody else's."""
    reply = session.bank.cases.appeal_decision(
        decision_id=decision_id, claim=claim, text=text, request_id=request_id
    )
    session.show(reply.message, lambda: card(reply.message.appealed))


@cases.command()
@click.argument("case_id")
@click.option("--to", "assignee", default="", help="Subject of somebody else; by default you.")
@request_id_option
@connected
def assign(session: Session, case_id: str, assignee: str, request_id: str | None) -> None:
    """Take a case, or give it to a colleague."""
    reply = session.bank.cases.assign_case(
        case_id=case_id, assignee=assignee, request_id=request_id
    )
    session.show(reply.message, lambda: card(reply.message.assigned))


@cases.command()
@click.argument("case_id")
@click.argument("text")
@click.option("--evidence", default="", help="Under which name evidence is kept.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False),
    help="The evidence itself: its digest is noted, and it goes nowhere.",
)
@request_id_option
@connected
def note(
    session: Session,
    case_id: str,
    text: str,
    evidence: str,
    file: Path | None,
    request_id: str | None,
) -> None:
    """Note something on a case."""
    rests_on = None
    if evidence or file:
        rests_on = case_pb2.Evidence(reference=evidence or str(file), sha256=digest_of(file))
    reply = session.bank.cases.add_case_note(
        case_id=case_id, text=text, evidence=rests_on, request_id=request_id
    )
    session.show(reply.message, lambda: notes_table([reply.message.note]))


@cases.command()
@click.argument("case_id")
@click.argument("verdict", type=VERDICT)
@click.option("--text", "reason_text", required=True, help="Why.")
@click.option(
    "--lift",
    "freeze_id",
    default="",
    help="Freeze of the case to lift with it; of a confirmed match the one to replace.",
)
@request_id_option
@connected
def close(
    session: Session,
    case_id: str,
    verdict: Any,
    reason_text: str,
    freeze_id: str,
    request_id: str | None,
) -> None:
    """Give the verdict; staff propose it with `longmen approval propose`."""
    reply = session.bank.cases.close_case(
        case_id=case_id,
        verdict=verdict,
        reason_text=reason_text,
        freeze_id=freeze_id,
        request_id=request_id,
    )
    done = reply.message
    session.show(done, lambda: card(done.closed, done=done))


def digest_of(file: Path | None) -> bytes:
    """Return the SHA-256 of a file; nothing for none."""
    if file is None:
        return b""
    digest = hashlib.sha256()
    with open(file, "rb") as content:  # noqa: PTH123 - click gives a text here
        while part := content.read(1 << 20):
            digest.update(part)
    return digest.digest()


def cases_table(found: Iterable[case_pb2.Case]) -> Table:
    """Cases, a line each."""
    columns = ["opened", "cause", "outcome", "reason", "assignee", "appealed", "case"]
    rows = [
        [
            str(views.moment(one.open_time)),
            str(views.word(case_pb2.CaseCause, "CASE_CAUSE_", one.cause)),
            str(views.word(outcome_pb2.OutcomeKind, "OUTCOME_KIND_", one.outcome)),
            one.reason,
            one.assignee,
            "yes" if one.appealed else "",
            one.case_id,
        ]
        for one in found
    ]
    return views.table("Cases", columns, rows)


def card(one: case_pb2.Case, done: pb.CloseCaseResponse | None = None) -> Table:
    """A case with its facts, and with what its verdict did."""
    rows: list[tuple[str, RenderableType | str]] = [
        ("case", one.case_id),
        ("state", views.word(case_pb2.CaseState, "CASE_STATE_", one.state)),
        ("cause", views.word(case_pb2.CaseCause, "CASE_CAUSE_", one.cause)),
        ("decision", one.decision_id),
        ("transaction", one.transaction_id),
        ("customer", one.customer_id),
        ("outcome", views.word(outcome_pb2.OutcomeKind, "OUTCOME_KIND_", one.outcome)),
        ("reason", one.reason),
        ("assignee", one.assignee),
        ("notes", str(one.note_count)),
        ("opened", views.moment(one.open_time)),
    ]
    if one.verdict:
        rows += [
            ("verdict", views.word(case_pb2.CaseVerdict, "CASE_VERDICT_", one.verdict)),
            ("closed by", one.closed_by),
            ("why", one.reason_text),
        ]
    if done is not None:
        did = {
            "money released": done.money_released,
            "money returned": done.money_returned,
            "freeze lifted": done.freeze_lifted,
        }
        rows.append(("done", ", ".join(name for name, value in did.items() if value) or "nothing"))
        if done.freeze_id:
            rows.append(("frozen by", done.freeze_id))
    return views.card("Case", rows)


def matches_table(matches: Iterable[case_pb2.ScreeningMatch]) -> Table:
    """Entries of lists that a customer's name is like, a line each."""
    rows = [
        [f"{one.likeness} %", one.entry, one.label, one.list_name, str(views.moment(one.find_time))]
        for one in matches
    ]
    return views.table("Matches", ["likeness", "entry", "label", "list", "found"], rows)


def notes_table(notes: Iterable[case_pb2.CaseNote]) -> Table:
    """Notes, a line each."""
    rows = [
        [
            str(one.number),
            str(views.moment(one.note_time)),
            one.author,
            one.text,
            one.evidence.reference,
        ]
        for one in notes
    ]
    return views.table("Notes", ["", "noted", "by", "text", "evidence"], rows)
