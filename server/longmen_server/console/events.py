"""`longmen events`: every committed change, in order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import rich_click as click

from longmen.events.v1 import event_pb2
from longmen.ledger.v1 import account_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import EnumType, book_option
from longmen_server.console.session import Session, connected, print_json_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TYPES = EnumType(event_pb2.EventType.DESCRIPTOR, "EVENT_TYPE_")


@click.group(epilog=EXIT_CODES)
def events() -> None:
    """Every committed change, in order."""


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a list or watch of events is narrowed to."""
    function = click.option("--account", default="", help="Only what touches it.")(function)
    function = click.option(
        "--type", "types", type=TYPES, multiple=True, help="Only of this type."
    )(function)
    return click.option("--cursor", default="", help="Go on after this point.")(function)


@events.command("list")
@book_option
@filter_options
@click.option("-n", "--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@connected
def list_events(
    session: Session,
    book: int,
    cursor: str,
    types: tuple[event_pb2.EventType.ValueType, ...],
    account: str,
    limit: int,
) -> None:
    """List the next events after a cursor, and the cursor to go on from."""
    reply = session.bank.events.list_events(
        book=book, cursor=cursor, types=types, account_id=account, page_size=limit
    )
    session.show(
        reply,
        lambda: views.table(
            "Events",
            ["booked", "type", "subject", "what", "event"],
            [
                [
                    views.moment(one.booked_time),
                    event_type(one),
                    one.subject_id,
                    what(one),
                    one.event_id,
                ]
                for one in reply.events
            ],
        ),
    )
    session.say(f"cursor {reply.cursor}" + (" (caught up)" if reply.caught_up else ""))


@events.command()
@book_option
@filter_options
@click.option("-n", "--limit", type=click.IntRange(1), help="Stop after so many events.")
@connected
def watch(
    session: Session,
    book: int,
    cursor: str,
    types: tuple[event_pb2.EventType.ValueType, ...],
    account: str,
    limit: int | None,
) -> None:
    """Follow events as they happen, over broken connections, until Ctrl-C.

    With --json each line is one message with its cursor; checkpoints have no events.
    """
    with session.bank.events.watch_events(
        book=book, cursor=cursor, types=types, account_id=account
    ) as messages:
        seen = itertools.count(1)
        for message in messages:
            if session.as_json:
                print_json_line(message)
            for event in message.events:
                if not session.as_json:
                    session.console.print(event_line(event), soft_wrap=True)
                if limit is not None and next(seen) >= limit:
                    return


def event_type(event: event_pb2.Event) -> views.Text:
    """What happened, as a word."""
    return views.word(event_pb2.EventType, "EVENT_TYPE_", event.type)


def what(event: event_pb2.Event) -> views.Text:
    """What happened, in short."""
    payload = event.WhichOneof("payload")
    if payload == "posting":
        posting = event.posting
        return views.Text.assemble(
            views.amount(posting.amount),
            f" {posting.debit_account_id} → {posting.credit_account_id}",
        )
    if payload == "account_state_change":
        change = event.account_state_change
        state = views.word(account_pb2.AccountState, "ACCOUNT_STATE_", change.state)
        return state.append(f" {change.reason_text}" if change.reason_text else "")
    if payload == "transfer_state_change":
        return views.Text(event.transfer_state_change.state.lower())
    if payload == "account":
        return views.Text(f"{event.account.currency_code} {event.account.chart_code}")
    return views.Text("")


def event_line(event: event_pb2.Event) -> views.Text:
    """An event on one line."""
    return views.Text("  ").join(
        [
            views.moment(event.booked_time),
            event_type(event),
            views.Text(event.subject_id, style="dim"),
            what(event),
        ]
    )
