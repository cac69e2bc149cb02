"""`longmen bill`: a merchant's business date line by line, and its own list compared."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import settlement_pb2
from longmen.merchants.v1 import settlements_service_pb2 as pb
from longmen_merchant import reconcile as compare_list
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES, REFUSED
from longmen_server.console.parameters import currency_option, money
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from rich.table import Table

KINDS = {
    "SALE": settlement_pb2.BILL_LINE_KIND_SALE,
    "REFUND": settlement_pb2.BILL_LINE_KIND_REFUND,
}


@click.group(epilog=EXIT_CODES)
def bill() -> None:
    """What a merchant's business date came to, line by line."""


@bill.command()
@click.argument("merchant_id")
@click.argument("business_date")
@click.option("--to", "where", type=click.Path(path_type=Path), help="File or folder to write.")
@connected
def download(session: Session, merchant_id: str, business_date: str, where: Path | None) -> None:
    """Write the bill of a BUSINESS_DATE to a file: CSV, compressed by gzip."""
    stream = session.bank.settlements.download_bill(
        merchant_id=merchant_id, business_date=business_date
    )
    name, content = "", bytearray()
    for piece in stream:
        name = name or piece.file_name
        content += piece.content
    path = Path(name) if where is None else where / name if where.is_dir() else where
    # Whole or not at all: a bill that breaks off would look like a shorter one.
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    Path(part).replace(path)
    session.show(
        pb.DownloadBillResponse(file_name=str(path)),
        lambda: views.card("Bill", [("file", str(path)), ("bytes", f"{len(content):,}")]),
    )


@bill.command()
@click.argument("merchant_id")
@click.argument("business_date")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@currency_option
@connected
def reconcile(
    session: Session, merchant_id: str, business_date: str, file: Path, currency: str
) -> None:
    """Compare a merchant's own list with the bill, and explain every difference.

    The list is a CSV FILE with the columns order_number and amount, and for refunds type (REFUND)
    and refund_number. Exit code 3 when there are differences.
    """
    whole = compare_list(
        session.bank,
        merchant_id=merchant_id,
        business_date=business_date,
        lines=read_list(file, currency),
    )
    reply = pb.ReconcileResponse(
        matched_count=whole.matched_count,
        matched_minor_units=whole.matched_minor_units,
        differences=whole.differences,
        difference_count=whole.difference_count,
        billed_minor_units=whole.billed_minor_units,
        listed_minor_units=whole.listed_minor_units,
    )
    session.show(reply, lambda: differences(reply))
    if reply.difference_count:
        click.echo(f"{reply.difference_count} differences", err=True)
        raise SystemExit(REFUSED)


def read_list(file: Path, currency: str) -> list[settlement_pb2.ListedLine]:
    """The lines of a merchant's list.

    Raises:
        ValueError: a column is missing, or a line makes no sense; names the line.
    """
    found = []
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        missing = {"order_number", "amount"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{file}: no column {', '.join(sorted(missing))}")
        for row in reader:
            kind = (row.get("type") or "SALE").strip().upper()
            if kind not in KINDS:
                raise ValueError(f"{file}, line {reader.line_num}: {kind} is no SALE or REFUND")
            try:
                paid = money((row["amount"] or "").strip(), currency)
            except ValueError as error:
                raise ValueError(f"{file}, line {reader.line_num}: {error}") from error
            line = settlement_pb2.ListedLine(
                kind=KINDS[kind],
                order_number=(row["order_number"] or "").strip(),
                refund_number=(row.get("refund_number") or "").strip(),
            )
            line.amount.minor_units = paid.minor_units
            line.amount.currency_code = paid.currency_code
            found.append(line)
    return found


def differences(reply: pb.ReconcileResponse) -> Table:
    """What a comparison found."""
    return views.table(
        f"{reply.matched_count:,} lines agree, {reply.difference_count:,} do not",
        ["difference", "line", "order", "refund", "listed", "billed", "explanation"],
        [
            [
                views.word(settlement_pb2.DifferenceKind, "DIFFERENCE_KIND_", one.kind),
                views.word(settlement_pb2.BillLineKind, "BILL_LINE_KIND_", one.line_kind),
                one.order_number,
                one.refund_number,
                views.amount(one.listed) if one.HasField("listed") else "",
                views.amount(one.billed) if one.HasField("billed") else "",
                one.explanation,
            ]
            for one in reply.differences
        ],
        right=["listed", "billed"],
    )
