"""`longmen admin`: the clock, the settings and the statistics of a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import MOMENT, SPAN, book_option
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from longmen.admin.v1 import verification_pb2


@click.group(epilog=EXIT_CODES)
def admin() -> None:
    """Clock, settings and statistics."""


@admin.command()
@click.option("--set", "set_to", type=MOMENT, help="Set the test clock to a later time.")
@click.option("--advance", type=SPAN, metavar="TIME", help="Move the test clock on: 2h, 7d.")
@book_option
@connected
def clock(session: Session, set_to: datetime | None, advance: timedelta | None, book: int) -> None:
    """Show the server's time and business date, or move the test clock forward."""
    if set_to is not None and advance is not None:
        raise click.UsageError("give --set or --advance, not both")
    if advance is not None:
        now = session.bank.admin.get_clock(book=book).time.ToDatetime(tzinfo=UTC)
        set_to = now + advance
    if set_to is not None:
        session.bank.admin.set_clock(time=set_to)
    reply = session.bank.admin.get_clock(book=book)
    session.show(
        reply,
        lambda: views.card(
            "Clock",
            [
                ("time", views.moment(reply.time)),
                ("business date", reply.business_date),
                ("settable", "yes" if reply.settable else "no"),
            ],
        ),
    )


@admin.command()
@connected
def config(session: Session) -> None:
    """Show the settings in force, without secrets."""
    reply = session.bank.admin.get_config()
    session.show(reply, lambda: setting_table("Settings", reply.settings))


@admin.command()
@connected
def limits(session: Session) -> None:
    """Show every limit with its unit and its reason."""
    reply = session.bank.admin.get_limits()
    session.show(reply, lambda: setting_table("Limits", reply.limits))


@admin.command()
@connected
def stats(session: Session) -> None:
    """Show counters of the engine of the worker that answers."""
    reply = session.bank.admin.get_engine_stats()
    columns = [
        "book",
        "writer",
        "batches",
        "commands",
        "per batch",
        "largest",
        "replayed",
        "refused",
        "retried",
        "poison",
        "queue",
        "us per command",
    ]
    session.show(
        reply,
        lambda: views.table(
            f"Engine of worker {reply.worker_index}",
            columns,
            [writer_row(one) for one in reply.writers],
            right=columns,
        ),
    )


def writer_row(one: verification_pb2.WriterStats) -> list[str]:
    """A writer's counters."""
    spent_us = one.load_us + one.decide_us + one.write_us
    return [
        str(one.book),
        str(one.writer),
        f"{one.batch_count:,}",
        f"{one.command_count:,}",
        f"{one.command_count / one.batch_count:.1f}" if one.batch_count else "",
        f"{one.largest_batch:,}",
        f"{one.replay_count:,}",
        f"{one.refusal_count:,}",
        f"{one.retry_count:,}",
        f"{one.poison_count:,}",
        f"{one.queue_length:,}",
        f"{spent_us / one.command_count:,.0f}" if one.command_count else "",
    ]


def setting_table(title: str, settings: Iterable[verification_pb2.Setting]) -> Table:
    """Settings by name."""
    return views.table(
        title,
        ["name", "value", "unit", "reason"],
        [[one.name, one.value, one.unit, one.reason] for one in settings],
        right=["value"],
    )
