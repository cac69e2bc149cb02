"""`longmen store`: a merchant's shops, the tills in them, and what a day came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import shift_pb2, shifts_service_pb2, store_pb2
from longmen.merchants.v1 import stores_service_pb2 as pb
from longmen.payments.v1 import order_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.merchant import till_table
from longmen_server.console.parameters import EnumType, limit_option
from longmen_server.console.pos import TOTALS_COLUMNS, totals_cells
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from rich.table import Table

GROUPING = EnumType(shift_pb2.TotalsGrouping.DESCRIPTOR, "TOTALS_GROUPING_")


@click.group(epilog=EXIT_CODES)
def store() -> None:
    """A merchant's shops, their tills and their takings."""


@store.command()
@click.argument("merchant_id")
@click.argument("number")
@click.argument("name")
@click.option("--address", default="", help="Within the city.")
@click.option("--city", default="", help="Where it stands.")
@request_id_option
@connected
def create(
    session: Session,
    merchant_id: str,
    number: str,
    name: str,
    *,
    address: str,
    city: str,
    request_id: str | None,
) -> None:
    """Register a shop under the merchant's own NUMBER."""
    reply = session.bank.stores.create_store(
        merchant_id=merchant_id,
        number=number,
        name=name,
        address=address,
        city=city,
        request_id=request_id,
    ).message
    session.show(reply, lambda: card(reply.store))


@store.command()
@click.argument("store_id")
@click.argument("name")
@click.option("--address", default="", help="Within the city.")
@click.option("--city", default="", help="Where it stands.")
@request_id_option
@connected
def update(
    session: Session, store_id: str, name: str, *, address: str, city: str, request_id: str | None
) -> None:
    """Say anew what a shop is called and where it is."""
    reply = session.bank.stores.update_store(
        store_id=store_id, name=name, address=address, city=city, request_id=request_id
    ).message
    session.show(reply, lambda: card(reply.store))


@store.command()
@click.argument("store_id")
@request_id_option
@connected
def close(session: Session, store_id: str, request_id: str | None) -> None:
    """Let the tills of a shop take no new orders."""
    reply = session.bank.stores.close_store(store_id=store_id, request_id=request_id).message
    session.show(reply, lambda: card(reply.store))


@store.command()
@click.argument("store_id")
@request_id_option
@connected
def reopen(session: Session, store_id: str, request_id: str | None) -> None:
    """Let the tills of a closed shop sell again."""
    reply = session.bank.stores.reopen_store(store_id=store_id, request_id=request_id).message
    session.show(reply, lambda: card(reply.store))


@store.command()
@click.argument("store_id")
@connected
def show(session: Session, store_id: str) -> None:
    """Show a shop."""
    reply = session.bank.stores.get_store(store_id=store_id)
    session.show(reply, lambda: card(reply.store))


@store.command("list")
@click.argument("merchant_id")
@limit_option
@connected
def list_(session: Session, merchant_id: str, limit: int) -> None:
    """List a merchant's shops in the order they were registered."""
    found = session.bank.stores.list_stores(
        merchant_id=merchant_id, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(pb.ListStoresResponse(stores=found), lambda: table(found))


@store.command("put-till")
@click.argument("terminal_id")
@click.argument("store_id", default="")
@request_id_option
@connected
def put_till(session: Session, terminal_id: str, store_id: str, request_id: str | None) -> None:
    """Put a till into a shop; into none when none is named."""
    reply = session.bank.stores.move_terminal(
        terminal_id=terminal_id, store_id=store_id, request_id=request_id
    ).message
    session.show(reply, lambda: till_table([reply.terminal]))


@store.command()
@click.argument("merchant_id")
@click.argument("business_date")
@click.option("--by", "grouping", type=GROUPING, default="store", show_default=True)
@click.option("--store", "store_id", default="", help="Only what this shop took.")
@limit_option
@connected
def takings(
    session: Session,
    merchant_id: str,
    business_date: str,
    *,
    grouping: shift_pb2.TotalsGrouping.ValueType,
    store_id: str,
    limit: int,
) -> None:
    """Add up a business date (YYYY-MM-DD) of a merchant's tills."""
    found = session.bank.shifts.list_day_totals(
        merchant_id=merchant_id,
        business_date=business_date,
        grouping=grouping,
        store_id=store_id,
        page_size=min(limit, 1_000),
    ).first(limit)
    reply = shifts_service_pb2.ListDayTotalsResponse(lines=found)
    session.show(reply, lambda: takings_table(found))


@store.command()
@click.argument("merchant_id")
@click.argument("business_date")
@click.option("--store", "store_id", default="", help="Only what this shop registered.")
@click.option("--cashier", "cashier_id", default="", help="Only in this cashier's shifts.")
@click.option("--till", "terminal_id", default="", help="Only at this till.")
@limit_option
@connected
def orders(
    session: Session,
    merchant_id: str,
    business_date: str,
    *,
    store_id: str,
    cashier_id: str,
    terminal_id: str,
    limit: int,
) -> None:
    """List the orders of a business date (YYYY-MM-DD), with the shop and cashier they count for."""
    found = session.bank.shifts.list_day_orders(
        merchant_id=merchant_id,
        business_date=business_date,
        store_id=store_id,
        cashier_id=cashier_id,
        terminal_id=terminal_id,
        page_size=min(limit, 1_000),
    ).first(limit)
    reply = shifts_service_pb2.ListDayOrdersResponse(orders=found)
    session.show(reply, lambda: orders_table(found))


def orders_table(found: list[shift_pb2.DayOrder]) -> Table:
    """Orders of a day, one a row."""
    return views.table(
        "Orders",
        ["time", "amount", "state", "cashier", "store", "order"],
        [
            [
                views.moment(one.order.create_time),
                views.amount(one.order.amount),
                views.word(order_pb2.OrderState, "ORDER_STATE_", one.order.state),
                one.cashier_label,
                one.store_id,
                one.order.order_id,
            ]
            for one in found
        ],
        right=["amount"],
    )


def takings_table(found: list[shift_pb2.DayLine]) -> Table:
    """What each store, cashier or till has taken, one a row."""
    return views.table(
        "Takings",
        ["", *TOTALS_COLUMNS],
        [
            [
                one.store_id or one.cashier_label or one.terminal_id or "none",
                *totals_cells(one.totals),
            ]
            for one in found
        ],
        right=TOTALS_COLUMNS,
    )


def table(found: list[store_pb2.Store]) -> Table:
    """Stores, one a row."""
    return views.table(
        "Stores",
        ["number", "name", "city", "state", "store"],
        [[one.number, one.name, one.city, _state(one), one.store_id] for one in found],
    )


def card(one: store_pb2.Store) -> Table:
    """One store with its facts."""
    return views.card(
        "Store",
        [
            ("number", one.number),
            ("name", one.name),
            ("address", one.address),
            ("city", one.city),
            ("state", _state(one)),
            ("merchant", one.merchant_id),
            ("since", views.moment(one.create_time)),
            ("changed", views.moment(one.update_time)),
            ("store", one.store_id),
        ],
    )


def _state(one: store_pb2.Store) -> views.Text:
    return views.word(store_pb2.StoreState, "STORE_STATE_", one.state)
