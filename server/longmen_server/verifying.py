"""`longmen verify`: the proof of the books, with or without a running server."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import rich_click as click
from psycopg import IsolationLevel
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from longmen_server import cli, migrate
from longmen_server.ledger.verification.report import KINDS, Finding, Report, Summary
from longmen_server.ledger.verification.report import Progress as Step
from longmen_server.ledger.verification.run import verify as verify_book
from longmen_server.platform.clock import Clock, OffsetClock, SystemClock
from longmen_server.platform.database import connect
from longmen_server.platform.postgres import DATABASE, VERIFIER_ROLE
from longmen_server.platform.postgres_home import find_home
from longmen_server.platform.server_check import StorageError, one_line
from longmen_server.proven import CHECKS
from longmen_server.supervisor import FolderBusyError, StartError, open_data, open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from longmen_server.config import Settings
    from longmen_server.platform.database import Connection

__all__ = ["verify"]

CLOCK_FILE = "clock"
"""Where a server that is not in production keeps its test clock, in the data folder."""


@dataclass
class Proof:
    """What a book's verification found."""

    book: int
    findings: list[Finding] = field(default_factory=list)
    summary: Summary | None = None

    @property
    def finding_count(self) -> int:
        """Findings in all, listed or not."""
        assert self.summary is not None, "the verification has ended"
        return self.summary.finding_count


@click.command()
@click.option("--book", type=click.IntRange(1, 32767), help="Book; all of the server's if omitted.")
@click.option("--dsn", help="Postgres to read, instead of the one of the data folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and data.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(*, book: int | None, dsn: str | None, data: Path | None, as_json: bool) -> None:
    """Prove the books: every balance, hold, event and hash, read-only, server running or not.

    Exit code 1 when something is wrong. docs/operations.md says what each kind of finding means.
    """
    settings = cli.settings_from(dsn=dsn, data=data, books=None if book is None else (book,))
    proofs = cli.answered(lambda: prove(settings, show_progress=not as_json))
    if as_json:
        click.echo(json.dumps(as_document(proofs), indent=2))
    else:
        show(Console(highlight=False), proofs)
    sys.exit(1 if any(proof.finding_count for proof in proofs) else 0)


def prove(settings: Settings, *, show_progress: bool) -> list[Proof]:
    """Verify every book of the settings.

    Raises:
        StartError, LaunchError, StorageError, SchemaError: there is nothing to read.
    """
    console = Console(stderr=True, quiet=not show_progress)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with readable_database(settings, cli.announce) as dsn:
        migrate.check_schema(dsn)
        with Progress(*columns, console=console, transient=True) as bar:
            try:
                return [
                    asyncio.run(prove_book(book, dsn, clock_of(settings), bar))
                    for book in settings.books
                ]
            except psycopg.OperationalError as error:
                raise StorageError(f"cannot read the database: {one_line(error)}") from error


async def prove_book(book: int, dsn: str, clock: Clock, bar: Progress) -> Proof:
    """Verify one book and draw how far it is."""
    proof = Proof(book)
    tasks: dict[str, Any] = {}

    @asynccontextmanager
    async def lend() -> AsyncIterator[Connection]:
        connection = await connect(dsn, application_name="longmen verify")
        try:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            async with connection.transaction():
                yield connection
        finally:
            await connection.close()

    async for report in verify_book(book=book, lend=lend, clock=clock, checks=CHECKS):
        take(report, proof, bar, tasks)
    return proof


def take(report: Report, proof: Proof, bar: Progress, tasks: dict[str, Any]) -> None:
    """Keep a finding or the summary, draw progress."""
    if isinstance(report, Finding):
        proof.findings.append(report)
    elif isinstance(report, Summary):
        proof.summary = report
    else:
        draw(report, proof.book, bar, tasks)


def draw(step: Step, book: int, bar: Progress, tasks: dict[str, Any]) -> None:
    """Move the bar of a check; one whose end is not known pulses."""
    if step.check not in tasks:
        tasks[step.check] = bar.add_task(f"book {book}: {step.check}", total=None)
    if step.done:
        bar.update(tasks[step.check], completed=step.done, total=step.total)
    elif not step.total:
        bar.update(tasks[step.check], completed=1, total=1)


def clock_of(settings: Settings) -> Clock:
    """The clock of the server whose books these are."""
    path = settings.data / CLOCK_FILE
    return SystemClock() if settings.production or not path.exists() else OffsetClock(path)


@contextmanager
def readable_database(
    settings: Settings, announce: Callable[[str], None], *, role: str = VERIFIER_ROLE
) -> Iterator[str]:
    """A database to read: the operator's, that of the running server, or the embedded one, started.

    Args:
        settings: of the server whose database it is.
        announce: told of what takes its time.
        role: as whom to look into a running server's database.

    Raises:
        StartError: there is no database in the data folder.
        LaunchError, StorageError: the embedded one does not start.
    """
    if settings.dsn is not None:
        yield settings.dsn
        return
    data = settings.data.absolute()
    password = data / "postgres.password"
    if not password.exists():
        raise StartError(f"there is no database in {data}; set LONGMEN_DATA or LONGMEN_DSN")
    with ExitStack() as stack:
        try:
            stack.enter_context(open_data(settings))
        except FolderBusyError:
            # A server runs, and its Postgres with it.
            yield make_conninfo(
                host=str(find_home(data).runtime),
                user=role,
                password=password.read_text("ascii").strip(),
                dbname=DATABASE,
            )
            return
        opened, _ = stack.enter_context(open_database(replace(settings, data=data), announce))
        assert opened.dsn is not None, "an opened database has a DSN"
        yield opened.dsn


def as_document(proofs: list[Proof]) -> dict[str, Any]:
    """Everything as one JSON document; with one book its counts stand on top as well."""
    books = [{"book": proof.book, **asdict(proof.summary)} for proof in proofs if proof.summary]
    return {
        "finding_count": sum(proof.finding_count for proof in proofs),
        "findings": [
            {"book": proof.book, **asdict(finding)}
            for proof in proofs
            for finding in proof.findings
        ],
        "books": books,
    }


def show(console: Console, proofs: list[Proof]) -> None:
    """Tables for a person."""
    for proof in proofs:
        summary = proof.summary
        assert summary is not None, "the verification has ended"
        console.print(
            f"book {proof.book}: {summary.account_count:,} accounts, {summary.posting_count:,}"
            f" postings, {summary.event_count:,} events, {summary.block_count:,} blocks"
            f" in {summary.duration_ms / 1000:.1f} s"
        )
        if not summary.finding_count:
            console.print("[green]proven[/green]: every balance, hold, event and hash is right")
            continue
        console.print(findings_table(proof))
        console.print(kinds_table(summary))
        console.print(f"[red]{summary.finding_count:,} findings[/red]; see docs/operations.md")


def findings_table(proof: Proof) -> Table:
    """What was found, listed."""
    table = Table(title=f"Findings in book {proof.book}", title_justify="left")
    for column in ("kind", "subject", "detail"):
        table.add_column(column, overflow="fold")
    for finding in proof.findings:
        table.add_row(finding.kind, finding.subject, finding.detail)
    return table


def kinds_table(summary: Summary) -> Table:
    """What the kinds mean and how often each was found."""
    table = Table(title="What they mean", title_justify="left")
    for column in ("kind", "count", "meaning", "what to do"):
        table.add_column(column, overflow="fold")
    for kind, count in summary.counts.items():
        table.add_row(kind, f"{count:,}", KINDS[kind].meaning, KINDS[kind].action)
    return table
