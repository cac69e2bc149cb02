"""`longmen audit`: who asked for what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES, WRONG_USAGE, fail
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


@audit.command()
@click.option(
    "--anchor",
    "anchors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    required=True,
    help="File of anchors, one a line, from where they were kept.",
)
@click.option("--key", help="Public key that has signed them, in hexadecimal; the data folder's.")
@click.option("--book", type=click.IntRange(1, 32767), help="Book; all of the server's if omitted.")
@click.option("--dsn", help="Postgres to read, instead of the one of the data folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and data.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(
    *,
    anchors: tuple[Path, ...],
    key: str | None,
    book: int | None,
    dsn: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Compare the journals with anchors that were kept elsewhere; server running or not.

    Exit code 1 when a block is gone or another one. `longmen verify` proves all between them.
    """
    import json

    from longmen_server import anchoring, cli

    settings = cli.settings_from(dsn=dsn, data=data, books=None if book is None else (book,))
    try:
        given = None if key is None else bytes.fromhex(key)
    except ValueError:
        fail("--key: not hexadecimal", WRONG_USAGE)

    def compared() -> anchoring.Result:
        trusted = given or anchoring.own_key(settings)
        return anchoring.check(settings, anchors, key=trusted, announce=cli.announce)

    result = cli.answered(compared)
    count = len(result.anchors)
    if as_json:
        click.echo(json.dumps({"anchor_count": count, "faults": result.faults}, indent=2))
    else:
        for fault in result.faults:
            click.echo(fault)
        if not result.faults:
            click.echo(f"{count:,} anchors, {result.span}: every block is there unchanged")
    sys.exit(1 if result.faults else 0)
