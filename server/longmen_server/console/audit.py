"""`longmen audit`: who asked for what."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import MOMENT, book_option
from longmen_server.console.session import Session, connected, print_json_line

if TYPE_CHECKING:
    from datetime import datetime


@click.group(epilog=EXIT_CODES)
def audit() -> None:
    """Who asked for what, when, from where, and what came of it."""


@audit.command("list")
@book_option
@click.option("--from", "from_time", type=MOMENT, help="First time to show.")
@click.option("--to", "to_time", type=MOMENT, help="Time to stop before.")
@click.option("--who", default="", help="Only one caller, by subject.")
@click.option("--method", default="", help="Only one method, by its full name.")
@click.option("--refused", is_flag=True, help="Only what was refused.")
@connected
def list_(
    session: Session,
    book: int,
    from_time: datetime | None,
    to_time: datetime | None,
    who: str,
    method: str,
    *,
    refused: bool,
) -> None:
    """List records, the oldest first."""
    found = session.bank.audit.list_audit(
        book=book,
        from_time=from_time,
        to_time=to_time,
        principal_subject=who,
        method=method,
        refused_only=refused,
    )
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    columns = ["time", "who", "from", "method", "outcome", "count", "request"]
    rows = [
        [
            str(views.moment(one.recorded_time)),
            f"{one.actor.principal_kind} {one.actor.principal_subject}".strip(),
            one.actor.peer,
            one.method.rpartition(".")[2],
            one.reason or "OK",
            f"{one.count:,}",
            one.request_id,
        ]
        for one in found
    ]
    session.console.print(views.table("Audit trail", columns, rows, right=["count"]))


@audit.command()
@book_option
@click.option("--cursor", default="", help="Go on after an earlier export.")
@connected
def export(session: Session, book: int, cursor: str) -> None:
    """Write every record as a line of JSON, and at the end cursor and heads to standard error.

    Keep the heads elsewhere: they show later that nothing was cut off.
    """
    for message in session.bank.audit.export_audit(book=book, cursor=cursor):
        for record in message.records:
            print_json_line(record)
        cursor = message.cursor
        for head in message.heads:
            print(  # noqa: T201 - beside the records
                f"writer {head.writer} block {head.block_number} {head.block_hash.hex()}",
                file=sys.stderr,
            )
    print(f"cursor {cursor}", file=sys.stderr)  # noqa: T201
