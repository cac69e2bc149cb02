"""`longmen approval`: what one member of staff proposes and another one decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import book_option
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from rich.table import Table

    from longmen.staff.v1 import approval_pb2


@click.group(epilog=EXIT_CODES)
def approval() -> None:
    """Proposals of staff, and the decisions of others."""


@approval.command("list")
@book_option
@click.option("--maker", default="", help="Only those of one member of staff.")
@connected
def list_(session: Session, book: int, maker: str) -> None:
    """List proposals, the oldest first."""
    found = list(session.bank.approvals.list_approvals(book=book, maker=maker))
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    columns = ["approval", "state", "method", "maker", "proposed", "expires", "decider"]
    rows = [
        [
            one.approval_id,
            state_word(one),
            one.method.rpartition(".")[2],
            one.maker,
            str(views.moment(one.proposed_time)),
            str(views.moment(one.expiry_time)),
            one.decider,
        ]
        for one in found
    ]
    session.console.print(views.table("Proposals", columns, rows))


@approval.command()
@click.argument("approval_id")
@connected
def show(session: Session, approval_id: str) -> None:
    """Show a proposal and what it would change."""
    found = session.bank.approvals.get_approval(approval_id=approval_id).approval
    session.show(found, lambda: card(found))
    session.say(str(found.command))
    if found.changes and not session.as_json:
        session.console.print(changes_table(found))


@approval.command()
@click.argument("command_file", type=click.File("r", encoding="utf-8"))
@click.option("--reason", "reason_text", default="", help="For whoever decides.")
@click.option("--hours", "lifetime_hours", type=click.IntRange(1, 168), default=24)
@request_id_option
@connected
def propose(
    session: Session,
    command_file: Any,
    reason_text: str,
    lifetime_hours: int,
    request_id: str | None,
) -> None:
    """Propose the command in a file of the contract's JSON, a ProposedCommand."""
    from google.protobuf.json_format import Parse

    from longmen.staff.v1 import approval_pb2

    command = Parse(command_file.read(), approval_pb2.ProposedCommand())
    reply = session.bank.approvals.propose_approval(
        command=command,
        reason_text=reason_text,
        lifetime_hours=lifetime_hours,
        request_id=request_id,
    )
    made = reply.message.approval
    session.show(made, lambda: card(made))
    if made.changes and not session.as_json:
        session.console.print(changes_table(made))


@approval.command()
@click.argument("approval_id")
@click.option("--yes", is_flag=True, help="Do not ask after showing it.")
@click.option("--text", "decision_text", default="", help="Kept with the decision.")
@request_id_option
@connected
def approve(
    session: Session, approval_id: str, *, yes: bool, decision_text: str, request_id: str | None
) -> None:
    """Show a proposal, then execute exactly what was shown."""
    found = session.bank.approvals.get_approval(approval_id=approval_id).approval
    if not yes:
        session.console.print(card(found))
        session.console.print(str(found.command))
        session.console.print(changes_table(found))
        click.confirm("Execute it?", abort=True)
    reply = session.bank.approvals.approve_approval(
        approval_id=approval_id,
        payload_hash=found.payload_hash,
        decision_text=decision_text,
        request_id=request_id,
    )
    session.show(reply.message.approval, lambda: card(reply.message.approval))


@approval.command()
@click.argument("approval_id")
@click.option("--text", "decision_text", default="", help="Kept with the decision.")
@request_id_option
@connected
def reject(session: Session, approval_id: str, decision_text: str, request_id: str | None) -> None:
    """Turn down what somebody else proposed."""
    reply = session.bank.approvals.reject_approval(
        approval_id=approval_id, decision_text=decision_text, request_id=request_id
    )
    session.show(reply.message.approval, lambda: card(reply.message.approval))


@approval.command()
@click.argument("approval_id")
@click.option("--text", "decision_text", default="", help="Kept with the decision.")
@request_id_option
@connected
def cancel(session: Session, approval_id: str, decision_text: str, request_id: str | None) -> None:
    """Take back what you proposed."""
    reply = session.bank.approvals.cancel_approval(
        approval_id=approval_id, decision_text=decision_text, request_id=request_id
    )
    session.show(reply.message.approval, lambda: card(reply.message.approval))


def state_word(one: approval_pb2.Approval) -> str:
    """The state's name without its prefix."""
    from longmen.staff.v1 import approval_pb2

    return approval_pb2.ApprovalState.Name(one.state).removeprefix("APPROVAL_STATE_")


def card(one: approval_pb2.Approval) -> Any:
    """A proposal for people."""
    return views.card(
        "Proposal",
        [
            ("approval", one.approval_id),
            ("state", state_word(one)),
            ("method", one.method),
            ("maker", one.maker),
            ("reason", one.reason_text),
            ("proposed", views.moment(one.proposed_time)),
            ("expires", views.moment(one.expiry_time)),
            ("hash", one.payload_hash.hex()),
            ("decider", one.decider),
            ("decision", one.decision_text),
        ],
    )


def changes_table(one: approval_pb2.Approval) -> Table:
    """What it would change."""
    return views.table(
        "Changes",
        ["subject", "field", "before", "after"],
        [[each.subject, each.field, each.before, each.after] for each in one.changes],
    )
