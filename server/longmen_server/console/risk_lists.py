"""`longmen risk lists`: whom to deny and to be careful with, imported from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from longmen.risk.v1 import list_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import EnumType, book_option
from longmen_server.console.session import Session, connected, print_json_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

KIND = EnumType(list_pb2.DESCRIPTOR.enum_types_by_name["ListKind"], "LIST_KIND_")
CHUNK_BYTES = 900_000
"""Of a file that go at a time; a request holds a million."""


@click.group(epilog=EXIT_CODES)
def lists() -> None:
    """Lists that rules know by name: imported whole, dated, from a named source."""


@lists.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Name that rules know the list by, such as mules.")
@click.option("--kind", type=KIND, required=True, help="What the rows name.")
@click.option("--source", default="", help="Where it is from; by default the file's name.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="Date of the content, as its publisher says.",
)
@click.option("--skip-bad-rows", is_flag=True, help="Go by the good rows even if some are bad.")
@book_option
@connected
def import_(
    session: Session,
    file: Path,
    name: str,
    kind: Any,
    source: str,
    as_of: datetime,
    book: int,
    *,
    skip_bad_rows: bool,
) -> None:
    """Import a list's whole content: CSV with a value and, after a comma, a label.

    Bad rows are told with their lines, and unless they are to be skipped nothing is imported.
    """
    bank = session.bank.lists
    begun = bank.begin_list_import(
        name=name,
        kind=kind,
        source=source or file.name,
        as_of_date=as_of.date().isoformat(),
        book=book,
    ).message.list_import
    bad: list[list_pb2.BadRow] = []
    count = 0
    for count, content in enumerate(chunks(file), start=1):  # needed below
        reply = bank.upload_list_rows(
            list_import_id=begun.list_import_id, chunk_number=count, content=content
        )
        bad.extend(reply.message.bad_rows)
        begun = reply.message.list_import
    if bad and not session.as_json:
        session.console.print(bad_table(bad))
    if begun.bad_row_count and not skip_bad_rows:
        if session.as_json:
            for row in bad:
                print_json_line(row)
        session.say(f"{begun.bad_row_count:,} rows are bad: nothing was imported")
        sys.exit(1)
    done = bank.commit_list_import(
        list_import_id=begun.list_import_id, chunk_count=count, skip_bad_rows=skip_bad_rows
    ).message
    session.show(done, lambda: lists_table([done.risk_list]))


def chunks(file: Path) -> Iterator[bytes]:
    """Yield a file in pieces of whole lines.

    Raises:
        ValueError: a line is longer than a piece.
    """
    with file.open("rb") as stream:
        rest = b""
        while piece := stream.read(CHUNK_BYTES):
            rest += piece
            cut = rest.rfind(b"\n") + 1
            if not cut and len(rest) > CHUNK_BYTES:
                raise ValueError(f"{file}: a line has more than {CHUNK_BYTES:,} bytes")
            if cut:
                yield rest[:cut]
                rest = rest[cut:]
        if rest:
            yield rest


def bad_table(found: Iterable[list_pb2.BadRow]) -> Table:
    """Rows that are no entries."""
    rows = [[f"{one.line:,}", one.code, one.value] for one in found]
    return views.table("Bad rows", ["line", "why", "value"], rows, right=["line"])


@lists.command()
@book_option
@connected
def show(session: Session, book: int) -> None:
    """List the lists, with what they hold and since when."""
    reply = session.bank.lists.list_risk_lists(book=book)
    session.show(reply, lambda: lists_table(reply.risk_lists))
    if reply.waiting_name_count and not session.as_json:
        session.say(f"{reply.waiting_name_count:,} names of customers wait to be looked up again")


def lists_table(found: Iterable[list_pb2.RiskList]) -> Table:
    """Lists, one a row."""
    rows: list[list[RenderableType | str]] = [
        [
            one.name,
            views.word(list_pb2.ListKind, "LIST_KIND_", one.kind),
            str(one.version),
            f"{one.entry_count:,}",
            one.source,
            one.as_of_date,
            views.moment(one.commit_time),
        ]
        for one in found
    ]
    columns = ["list", "of", "version", "entries", "source", "as of", "since"]
    return views.table("Lists", columns, rows, right=["version", "entries"])


@lists.command()
@click.argument("kind", type=KIND)
@click.argument("value")
@book_option
@connected
def check(session: Session, kind: Any, value: str, book: int) -> None:
    """Show which lists something is on."""
    reply = session.bank.lists.check_listed(kind=kind, value=value, book=book)
    session.show(
        reply, lambda: views.card(value, [("lists", " ".join(reply.list_names) or "none")])
    )


@lists.command()
@click.argument("name")
@click.option("--likeness", type=click.IntRange(1, 100), default=85, help="At least, in per cent.")
@book_option
@connected
def screen(session: Session, name: str, likeness: int, book: int) -> None:
    """Find entries of lists of names that are like a name."""
    reply = session.bank.lists.screen_name(name=name, minimum_likeness=likeness, book=book)
    rows = [[one.entry, one.label, one.list_name, f"{one.likeness} %"] for one in reply.matches]
    columns = ["entry", "label", "list", "likeness"]
    session.show(reply, lambda: views.table("Like it", columns, rows, right=["likeness"]))
