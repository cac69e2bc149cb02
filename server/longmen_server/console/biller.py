"""`longmen biller`: the directory of bills, what billers send, and what became of it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.payments.v1 import bill_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import currency_option, money
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

CATEGORIES = {
    name.removeprefix("BILLER_CATEGORY_").lower(): value
    for name, value in bill_pb2.BillerCategory.items()
}
STATES = {"open": bill_pb2.BILLER_STATE_OPEN, "closed": bill_pb2.BILLER_STATE_CLOSED}
DUE_STATES = {
    "any": bill_pb2.DUE_STATE_UNSPECIFIED,
    "open": bill_pb2.DUE_STATE_OPEN,
    "paid": bill_pb2.DUE_STATE_PAID,
    "cancelled": bill_pb2.DUE_STATE_CANCELLED,
}
CHECKS = {
    "none": bill_pb2.ACCOUNT_NUMBER_CHECK_UNSPECIFIED,
    "luhn": bill_pb2.ACCOUNT_NUMBER_CHECK_LUHN,
    "mod97": bill_pb2.ACCOUNT_NUMBER_CHECK_MOD_97,
}
COLUMNS = ("bill_number", "account_number", "amount", "period", "due_date")
AT_ONCE = 500
"""Bills that one call takes."""


@click.group(epilog=EXIT_CODES)
def biller() -> None:
    """Merchants that send bills, and their bills."""


@biller.command()
@click.argument("merchant_id")
@click.argument("name")
@click.option("--category", type=click.Choice(list(CATEGORIES)[1:]), default="other")
@click.option("--digits", help="Lengths of account numbers of digits, such as 8-12.")
@click.option("--letters", help="The same where capital letters and dashes may be in them.")
@click.option("--check", type=click.Choice(list(CHECKS)), default="none", help="Check digits.")
@click.option("--hint", default="", help="Where customers find the number.")
@request_id_option
@connected
def create(
    session: Session,
    merchant_id: str,
    name: str,
    *,
    category: str,
    digits: str | None,
    letters: str | None,
    check: str,
    hint: str,
    request_id: str | None,
) -> None:
    """Publish the bills of a merchant in the directory."""
    shortest, _, longest = (digits or letters or "1-32").partition("-")
    reply = session.bank.bills.create_biller(
        merchant_id=merchant_id,
        name=name,
        category=CATEGORIES[category],
        account_format=bill_pb2.AccountFormat(
            digits_only=letters is None,
            minimum_length=int(shortest),
            maximum_length=int(longest or shortest),
            check=CHECKS[check],
            hint=hint,
        ),
        request_id=request_id,
    ).message
    session.show(reply, lambda: biller_table([reply.biller]))


@biller.command("list")
@click.option("--category", type=click.Choice(list(CATEGORIES)))
@click.option("--merchant", "merchant_id", default="", help="Only those of a merchant.")
@connected
def list_(session: Session, category: str | None, merchant_id: str) -> None:
    """List the directory."""
    found = list(
        session.bank.bills.list_billers(
            category=CATEGORIES[category or "unspecified"], merchant_id=merchant_id
        )
    )
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    session.console.print(biller_table(found))


@biller.command()
@click.argument("biller_id")
@click.argument("state", type=click.Choice(list(STATES)))
@request_id_option
@connected
def state(session: Session, biller_id: str, state: str, request_id: str | None) -> None:
    """Open or close a biller."""
    reply = session.bank.bills.set_biller_state(
        biller_id=biller_id, state=STATES[state], request_id=request_id
    ).message
    session.show(reply, lambda: biller_table([reply.biller]))


@biller.command()
@click.argument("biller_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@currency_option
@connected
def send(session: Session, biller_id: str, file: Path, currency: str) -> None:
    """Send the bills of a CSV FILE; what was sent before is not sent twice.

    Its columns are bill_number, account_number, amount, period and due_date, and if wanted
    last_date and description. Each 500 of them are taken whole or not at all.
    """
    bills, created = read_bills(file, currency), 0
    for start in range(0, len(bills), AT_ONCE):
        reply = session.bank.bills.send_dues(
            biller_id=biller_id, dues=bills[start : start + AT_ONCE]
        ).message
        created += reply.created_count
        if session.as_json:
            for one in reply.dues:
                print_json_line(one)
    session.say(f"{created} bills are new, {len(bills) - created} were sent before.")


@biller.command()
@click.argument("biller_id")
@click.option("--state", "wanted", type=click.Choice(list(DUE_STATES)))
@connected
def dues(session: Session, biller_id: str, wanted: str | None) -> None:
    """List a biller's bills, newest first."""
    found = list(
        session.bank.bills.list_dues(biller_id=biller_id, state=DUE_STATES[wanted or "any"])
    )
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    session.console.print(due_table(found))


@biller.command()
@click.argument("due_id")
@request_id_option
@connected
def cancel(session: Session, due_id: str, request_id: str | None) -> None:
    """Take a bill back that is not paid."""
    reply = session.bank.bills.cancel_due(due_id=due_id, request_id=request_id).message
    session.show(reply, lambda: due_table([reply.due]))


def read_bills(file: Path, currency: str) -> list[bill_pb2.SentDue]:
    """The bills of a file.

    Raises:
        ValueError: a column is missing, or a line makes no sense; names the line.
    """
    found = []
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{file}: no column {', '.join(sorted(missing))}")
        for row in reader:
            try:
                found.append(read_bill(row, currency))
            except ValueError as error:
                raise ValueError(f"{file}, line {reader.line_num}: {error}") from error
    return found


def read_bill(row: dict[str, str | None], currency: str) -> bill_pb2.SentDue:
    """One bill of a file."""
    texts = {name: (text or "").strip() for name, text in row.items() if name}
    due = money(texts["amount"], currency)
    bill = bill_pb2.SentDue(
        bill_number=texts["bill_number"],
        account_number=texts["account_number"],
        period=texts["period"],
        due_date=texts["due_date"],
        last_date=texts.get("last_date", ""),
        description=texts.get("description", ""),
    )
    bill.amount.minor_units, bill.amount.currency_code = due.minor_units, due.currency_code
    return bill


def biller_table(found: Iterable[bill_pb2.Biller]) -> Table:
    """Billers for people."""
    return views.table(
        "Billers",
        ["biller", "name", "category", "state", "merchant"],
        [
            [
                one.biller_id,
                one.name,
                views.word(bill_pb2.BillerCategory, "BILLER_CATEGORY_", one.category),
                views.word(bill_pb2.BillerState, "BILLER_STATE_", one.state),
                one.merchant_id,
            ]
            for one in found
        ],
    )


def due_table(found: Iterable[bill_pb2.Due]) -> Table:
    """Bills for people."""
    return views.table(
        "Bills",
        ["bill", "number", "account", "period", "due", "amount", "state"],
        [
            [
                one.due_id,
                one.bill_number,
                one.masked_account_number,
                one.period,
                one.due_date,
                views.amount(one.amount),
                "overdue"
                if one.overdue
                else views.word(bill_pb2.DueState, "DUE_STATE_", one.state),
            ]
            for one in found
        ],
        right=["amount"],
    )
