"""`longmen cashier`: who works at a merchant's tills, and their shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import cashiers_service_pb2 as pb
from longmen.merchants.v1 import shift_pb2, shifts_service_pb2, store_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import limit_option
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from rich.table import Table


@click.group(epilog=EXIT_CODES)
def cashier() -> None:
    """Who works at a merchant's tills, and their shifts."""


@cashier.command()
@click.argument("merchant_id")
@click.argument("number")
@click.argument("name")
@request_id_option
@connected
def create(
    session: Session, merchant_id: str, number: str, name: str, request_id: str | None
) -> None:
    """Register somebody under the merchant's own NUMBER."""
    reply = session.bank.cashiers.create_cashier(
        merchant_id=merchant_id, number=number, name=name, request_id=request_id
    ).message
    session.show(reply, lambda: table([reply.cashier]))


@cashier.command()
@click.argument("cashier_id")
@click.option("--name", help="From now on.")
@click.option("--left/--back", default=None, help="Whether the cashier has left, or is back.")
@request_id_option
@connected
def update(
    session: Session,
    cashier_id: str,
    *,
    name: str | None,
    left: bool | None,
    request_id: str | None,
) -> None:
    """Rename a cashier, or say who has left and who is back."""
    known = session.bank.cashiers.get_cashier(cashier_id=cashier_id).cashier
    state = known.state
    if left is not None:
        state = store_pb2.CASHIER_STATE_LEFT if left else store_pb2.CASHIER_STATE_ACTIVE
    reply = session.bank.cashiers.update_cashier(
        cashier_id=cashier_id, name=name or known.name, state=state, request_id=request_id
    ).message
    session.show(reply, lambda: table([reply.cashier]))


@cashier.command("list")
@click.argument("merchant_id")
@click.option("--all", "everybody", is_flag=True, help="Also those who have left.")
@limit_option
@connected
def list_(session: Session, merchant_id: str, *, everybody: bool, limit: int) -> None:
    """List a merchant's cashiers in the order they were registered."""
    found = session.bank.cashiers.list_cashiers(
        merchant_id=merchant_id,
        state=(
            store_pb2.CASHIER_STATE_UNSPECIFIED if everybody else store_pb2.CASHIER_STATE_ACTIVE
        ),
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(pb.ListCashiersResponse(cashiers=found), lambda: table(found))


@cashier.command()
@click.argument("merchant_id")
@click.option("--cashier", "cashier_id", default="", help="Only this cashier's.")
@click.option("--store", "store_id", default="", help="Only those in this shop.")
@limit_option
@connected
def shifts(
    session: Session, merchant_id: str, *, cashier_id: str, store_id: str, limit: int
) -> None:
    """List a merchant's shifts, newest first."""
    found = session.bank.shifts.list_shifts(
        merchant_id=merchant_id,
        cashier_id=cashier_id,
        store_id=store_id,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(shifts_service_pb2.ListShiftsResponse(shifts=found), lambda: shift_table(found))


def table(found: list[store_pb2.Cashier]) -> Table:
    """Cashiers, one a row."""
    return views.table(
        "Cashiers",
        ["number", "name", "state", "cashier"],
        [
            [
                one.number,
                one.name,
                views.word(store_pb2.CashierState, "CASHIER_STATE_", one.state),
                one.cashier_id,
            ]
            for one in found
        ],
    )


def shift_table(found: list[shift_pb2.Shift]) -> Table:
    """Shifts, one a row."""
    return views.table(
        "Shifts",
        ["cashier", "opened", "closed", "store", "till", "shift"],
        [
            [
                one.cashier_label,
                views.moment(one.open_time),
                views.moment(one.close_time),
                one.store_id,
                one.terminal_id,
                one.shift_id,
            ]
            for one in found
        ],
    )
