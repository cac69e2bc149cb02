"""`longmen transfer`: money between people, and in and out of the wallet."""

from __future__ import annotations

import csv
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen_client import batch_item, errors, new_request_id
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES, REFUSED
from longmen_server.console.parameters import (
    EnumType,
    currency_option,
    limit_option,
    money,
    payee,
    since_until_options,
)
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from rich.table import Table

    from longmen_client import Reply

DELAYS = EnumType(transfer_pb2.TransferDelay.DESCRIPTOR, "TRANSFER_DELAY_")
STATES = EnumType(transfer_pb2.TransferState.DESCRIPTOR, "TRANSFER_STATE_")
BATCH_MAXIMUM = 1_000
"""Payments that one call of the contract takes."""


@click.group(epilog=EXIT_CODES)
def transfer() -> None:
    """Money between people, and in and out of the wallet."""


def words_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Texts of a payment."""
    function = click.option("--reference", default="", help="The payer's own reference.")(function)
    return click.option("--description", default="", help="Text for both sides.")(function)


@transfer.command()
@click.argument("from_account_id", metavar="FROM")
@click.argument("to")
@click.argument("amount")
@currency_option
@click.option("--delay", type=DELAYS, default="real-time", help="Time to take it back.")
@words_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask before paying.")
@request_id_option
@connected
def send(
    session: Session,
    from_account_id: str,
    to: str,
    amount: str,
    currency: str,
    delay: transfer_pb2.TransferDelay.ValueType,
    description: str,
    reference: str,
    request_id: str | None,
    *,
    yes: bool,
) -> None:
    """Pay an AMOUNT to an account id or a phone number, after showing whose it is."""
    paid = money(amount, currency)
    if not yes:
        found = session.bank.transfers.lookup_payee(
            payee=payee(to), currency_code=paid.currency_code
        )
        click.confirm(f"Pay {paid} to {found.masked_name}?", abort=True, err=True)
    reply = session.bank.transfers.create_transfer(
        from_account_id=from_account_id,
        payee=payee(to),
        amount=paid,
        delay=delay,
        description=description,
        reference=reference,
        request_id=request_id,
    )
    show_transfer(session, reply)


@transfer.command()
@click.argument("to")
@currency_option
@connected
def lookup(session: Session, to: str, currency: str) -> None:
    """Show whom an account id or a phone number belongs to, masked."""
    reply = session.bank.transfers.lookup_payee(payee=payee(to), currency_code=currency.upper())
    session.show(
        reply,
        lambda: views.card("Payee", [("name", reply.masked_name), ("account", reply.account_id)]),
    )


@transfer.command()
@click.argument("transfer_id")
@connected
def show(session: Session, transfer_id: str) -> None:
    """Show one transfer."""
    reply = session.bank.transfers.get_transfer(transfer_id=transfer_id)
    session.show(reply, lambda: transfer_card(reply.transfer))


@transfer.command("list")
@click.argument("account_id")
@since_until_options
@click.option("--state", "states", type=STATES, multiple=True, help="Only in this state.")
@limit_option
@connected
def list_transfers(
    session: Session,
    account_id: str,
    since: datetime | None,
    until: datetime | None,
    states: tuple[transfer_pb2.TransferState.ValueType, ...],
    limit: int,
) -> None:
    """List the transfers of an account, newest first."""
    found = session.bank.transfers.list_transfers(
        account_id=account_id,
        from_time=since,
        to_time=until,
        states=states,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(
        transfers_service_pb2.ListTransfersResponse(transfers=found),
        lambda: views.table(
            "Transfers",
            ["created", "kind", "state", "amount", "from", "to", "description", "transfer"],
            [
                [
                    views.moment(one.create_time),
                    views.word(transfer_pb2.TransferKind, "TRANSFER_KIND_", one.kind),
                    views.word(transfer_pb2.TransferState, "TRANSFER_STATE_", one.state),
                    views.amount(one.amount),
                    one.from_account_id,
                    one.to_account_id,
                    one.description,
                    one.transfer_id,
                ]
                for one in found
            ],
            right=["amount"],
        ),
    )


@transfer.command()
@click.argument("transfer_id")
@click.option("--reason", default="", help="Text that is kept with the change.")
@request_id_option
@connected
def hold(session: Session, transfer_id: str, reason: str, request_id: str | None) -> None:
    """Stop a delayed transfer from being paid out by time."""
    show_transfer(
        session,
        session.bank.transfers.hold_transfer(
            transfer_id=transfer_id, reason_text=reason, request_id=request_id
        ),
    )


@transfer.command()
@click.argument("transfer_id")
@request_id_option
@connected
def release(session: Session, transfer_id: str, request_id: str | None) -> None:
    """Pay a delayed transfer out at once."""
    show_transfer(
        session,
        session.bank.transfers.release_transfer(transfer_id=transfer_id, request_id=request_id),
    )


@transfer.command()
@click.argument("transfer_id")
@request_id_option
@connected
def cancel(session: Session, transfer_id: str, request_id: str | None) -> None:
    """Take a delayed transfer back before it reached the payee."""
    show_transfer(
        session,
        session.bank.transfers.cancel_transfer(transfer_id=transfer_id, request_id=request_id),
    )


@transfer.command("top-up")
@click.argument("account_id")
@click.argument("amount")
@currency_option
@click.option("--bank-account", required=True, help="Outside account the money comes from.")
@words_options
@request_id_option
@connected
def top_up(
    session: Session,
    account_id: str,
    amount: str,
    currency: str,
    bank_account: str,
    description: str,
    reference: str,
    request_id: str | None,
) -> None:
    """Bring an AMOUNT from the bank account into the wallet."""
    reply = session.bank.transfers.top_up(
        account_id=account_id,
        amount=money(amount, currency),
        bank_account=bank_account,
        description=description,
        reference=reference,
        request_id=request_id,
    )
    show_transfer(session, reply)


@transfer.command()
@click.argument("account_id")
@click.argument("amount")
@currency_option
@click.option("--bank-account", required=True, help="Outside account the money goes to.")
@words_options
@request_id_option
@connected
def withdraw(
    session: Session,
    account_id: str,
    amount: str,
    currency: str,
    bank_account: str,
    description: str,
    reference: str,
    request_id: str | None,
) -> None:
    """Send an AMOUNT from the wallet to the bank account."""
    reply = session.bank.transfers.withdraw(
        account_id=account_id,
        amount=money(amount, currency),
        bank_account=bank_account,
        description=description,
        reference=reference,
        request_id=request_id,
    )
    show_transfer(session, reply)


@transfer.command()
@click.argument("from_account_id", metavar="FROM")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@currency_option
@request_id_option
@connected
def batch(
    session: Session, from_account_id: str, file: Path, currency: str, request_id: str | None
) -> None:
    """Pay everybody in a CSV FILE with the columns to, amount, description and reference.

    A refused line leaves the others alone. Files of more than 1,000 lines go in several calls under
    request ids that follow from one, so a run with the same file and --request-id pays nobody
    twice.
    """
    items = read_items(file, currency)
    first = request_id or new_request_id()
    session.say(f"request id {first}")
    results: list[transfer_pb2.BatchItemResult] = []
    reply = transfers_service_pb2.BatchTransfersResponse()
    for start in range(0, len(items), BATCH_MAXIMUM):
        reply = session.bank.transfers.batch_transfers(
            from_account_id=from_account_id,
            items=items[start : start + BATCH_MAXIMUM],
            request_id=str(uuid.uuid5(uuid.UUID(first), str(start))) if start else first,
        ).message
        results.extend(reply.results)
    whole = transfers_service_pb2.BatchTransfersResponse(
        results=results,
        available_minor_units=reply.available_minor_units,
        committed_at=reply.committed_at,
    )
    session.show(whole, lambda: batch_table(items, results))
    refused = sum(1 for one in results if one.reason)
    if refused:
        click.echo(f"{refused} of {len(results)} payments were refused", err=True)
        raise SystemExit(REFUSED)


def read_items(file: Path, currency: str) -> list[transfer_pb2.BatchItem]:
    """The payments of a CSV file.

    Raises:
        ValueError: a column is missing, or an amount is none; names the line.
    """
    items = []
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        missing = {"to", "amount"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{file}: no column {', '.join(sorted(missing))}")
        for row in reader:
            try:
                paid = money((row["amount"] or "").strip(), currency)
            except ValueError as error:
                raise ValueError(f"{file}, line {reader.line_num}: {error}") from error
            items.append(
                batch_item(
                    payee((row["to"] or "").strip()),
                    paid,
                    description=row.get("description") or "",
                    reference=row.get("reference") or "",
                )
            )
    if not items:
        raise ValueError(f"{file}: no payments")
    return items


def show_transfer(session: Session, reply: Reply[Any]) -> None:
    """Show the transfer of a reply, and whether it is an old one."""
    session.show(reply.message, lambda: transfer_card(reply.message.transfer))
    if reply.replayed:
        session.say("this is the first answer to the request id; nothing was done again")


def transfer_card(one: transfer_pb2.Transfer) -> Table:
    """A transfer with its facts."""
    return views.card(
        "Transfer",
        [
            ("transfer", one.transfer_id),
            ("kind", views.word(transfer_pb2.TransferKind, "TRANSFER_KIND_", one.kind)),
            ("state", views.word(transfer_pb2.TransferState, "TRANSFER_STATE_", one.state)),
            ("amount", views.amount(one.amount)),
            ("from", one.from_account_id),
            ("to", one.to_account_id),
            ("description", one.description),
            ("reference", one.reference),
            ("created", views.moment(one.create_time)),
            ("due", views.moment(one.due_time)),
            ("failure", one.failure_code),
        ],
    )


def batch_table(
    items: list[transfer_pb2.BatchItem], results: list[transfer_pb2.BatchItemResult]
) -> Table:
    """What became of each payment of a batch."""
    rows: list[list[str | views.Text]] = []
    for item, result in zip(items, results, strict=True):
        refusal = errors.refusal_of(result.reason, result.reason_metadata)
        outcome = views.Text("paid", style="green")
        if refusal is not None:
            outcome = views.Text(refusal.details.reason, style="red")
        rows.append(
            [
                item.payee.account_id or item.payee.phone_number,
                views.amount(item.amount),
                outcome,
                result.transfer_id,
            ]
        )
    return views.table("Batch", ["to", "amount", "outcome", "transfer"], rows, right=["amount"])
