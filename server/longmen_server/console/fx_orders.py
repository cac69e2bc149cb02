"""`longmen fx alert` and `longmen fx order`: what waits for a rate, and rates as they change."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import rich_click as click

from longmen.fx.v1 import order_pb2, rates_service_pb2
from longmen_client import Money
from longmen_server.console import views
from longmen_server.console.fx import conversion_card, fx, quote_card
from longmen_server.console.parameters import (
    book_option,
    currency_option,
    limit_option,
    money,
)
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["alert", "order", "pay", "watch"]

DAYS = click.option("--days", "valid_days", default=30, help="How long it waits, 1 to 90.")


@fx.command()
@click.argument("pairs", metavar="FROM/TO...", nargs=-1, required=True)
@book_option
@connected
def watch(session: Session, pairs: tuple[str, ...], book: int) -> None:
    """Show what pairs cost now and whenever that changes, until Ctrl-C."""
    asked = [
        rates_service_pb2.CurrencyPair(source_currency_code=source, target_currency_code=target)
        for source, _, target in (pair.upper().partition("/") for pair in pairs)
    ]
    with session.bank.rates.stream_rates(pairs=asked, book=book) as changes:
        for change in changes:
            if session.as_json:
                print_json_line(change)
                continue
            for one in change.rates:
                pair = f"{one.source_currency_code}/{one.target_currency_code}"
                seen = views.moment(one.observe_time)
                session.say(f"{pair} {one.mid} (gets {one.bid}, pays {one.ask}), {seen}")


@fx.command()
@click.argument("from_account_id", metavar="FROM")
@click.argument("amount")
@currency_option
@click.argument("got", metavar="GET")
@click.option("--to", "payee_account_id", default="", help="Another customer's account in GET.")
@click.option("--reference", default="", help="Of a beneficiary abroad, at the bank's gateway.")
@click.option("-y", "--yes", is_flag=True, help="Pay without asking.")
@connected
def pay(
    session: Session,
    from_account_id: str,
    amount: str,
    currency: str,
    got: str,
    payee_account_id: str,
    reference: str,
    *,
    yes: bool,
) -> None:
    """Pay somebody in another currency, GET, after showing rate and fee.

    The currency says which side the AMOUNT is: what is paid, or what is got.
    """
    bank = session.bank.conversions
    offered = bank.quote_abroad(
        from_account_id=from_account_id,
        payee_account_id=payee_account_id,
        amount=money(amount, currency),
        target_currency_code=got.upper(),
    ).message.quote
    if not session.as_json:
        session.console.print(quote_card(offered))
    if not yes:
        click.confirm("Pay?", abort=True, err=True)
    reply = bank.pay_abroad(
        quote_id=offered.quote_id,
        source_amount=Money.from_proto(offered.exchange.source_amount),
        target_amount=Money.from_proto(offered.exchange.target_amount),
        reference=reference,
    )
    session.show(reply.message, lambda: conversion_card(reply.message.conversion))


@fx.group()
def alert() -> None:
    """Alerts: told once when a rate comes."""


@alert.command("add")
@click.argument("paid", metavar="FROM")
@click.argument("got", metavar="TO")
@click.argument("rate")
@click.option("--below", is_flag=True, help="It has to fall to the rate, not to rise.")
@click.option("--customer", "customer_id", default="", help="Customers leave their own out.")
@DAYS
@request_id_option
@connected
def add_alert(
    session: Session,
    paid: str,
    got: str,
    rate: str,
    customer_id: str,
    valid_days: int,
    request_id: str | None,
    *,
    below: bool,
) -> None:
    """Have a customer told when one FROM is RATE of TO."""
    direction = order_pb2.RATE_DIRECTION_AT_MOST if below else order_pb2.RATE_DIRECTION_AT_LEAST
    reply = session.bank.limit_orders.create_rate_alert(
        customer_id=customer_id,
        source_currency_code=paid.upper(),
        target_currency_code=got.upper(),
        rate=rate,
        direction=direction,
        valid_days=valid_days,
        request_id=request_id,
    ).message
    session.show(reply, lambda: alert_table([reply.alert]))


@alert.command("list")
@click.argument("customer_id", metavar="[CUSTOMER]", default="")
@limit_option
@connected
def list_alerts(session: Session, customer_id: str, limit: int) -> None:
    """List a customer's alerts, newest first."""
    found = session.bank.limit_orders.list_rate_alerts(customer_id=customer_id)
    page = list(islice(found, limit))
    if session.as_json:
        for one in page:
            print_json_line(one)
        return
    session.console.print(alert_table(page))


@alert.command("delete")
@click.argument("alert_id", metavar="ALERT")
@request_id_option
@connected
def delete_alert(session: Session, alert_id: str, request_id: str | None) -> None:
    """Let an ALERT tell nothing any more."""
    reply = session.bank.limit_orders.delete_rate_alert(
        alert_id=alert_id, request_id=request_id
    ).message
    session.show(reply, lambda: alert_table([reply.alert]))


def alert_table(found: list[order_pb2.RateAlert]) -> Table:
    """Alerts."""
    columns = ["alert", "pair", "rate", "state", "until", "told"]
    return views.table(
        "Alerts",
        columns,
        [
            [
                one.alert_id,
                f"{one.source_currency_code}/{one.target_currency_code}",
                f"{SIGNS[one.direction]} {one.rate}",
                order_pb2.RateAlertState.Name(one.state)[17:].lower(),
                views.moment(one.expire_time),
                one.told_rate,
            ]
            for one in found
        ],
        right=["rate", "told"],
    )


SIGNS = {order_pb2.RATE_DIRECTION_AT_LEAST: "≥", order_pb2.RATE_DIRECTION_AT_MOST: "≤"}


@fx.group()
def order() -> None:
    """Limit orders: exchanged once a rate comes."""


@order.command("place")
@click.argument("from_account_id", metavar="FROM")
@click.argument("to_account_id", metavar="TO")
@click.argument("amount")
@currency_option
@click.argument("got", metavar="GET")
@click.argument("rate")
@DAYS
@request_id_option
@connected
def place_order(
    session: Session,
    from_account_id: str,
    to_account_id: str,
    amount: str,
    currency: str,
    got: str,
    rate: str,
    valid_days: int,
    request_id: str | None,
) -> None:
    """Hold AMOUNT and exchange it into GET once one unit gets RATE or more."""
    reply = session.bank.limit_orders.create_limit_order(
        from_account_id=from_account_id,
        to_account_id=to_account_id,
        amount=money(amount, currency),
        target_currency_code=got.upper(),
        rate=rate,
        valid_days=valid_days,
        request_id=request_id,
    ).message
    session.show(reply, lambda: order_table([reply.order]))


@order.command("show")
@click.argument("limit_order_id", metavar="ORDER")
@connected
def show_order(session: Session, limit_order_id: str) -> None:
    """Show an ORDER."""
    reply = session.bank.limit_orders.get_limit_order(limit_order_id=limit_order_id)
    session.show(reply, lambda: order_table([reply.order]))


@order.command("list")
@click.argument("customer_id", metavar="[CUSTOMER]", default="")
@limit_option
@connected
def list_orders(session: Session, customer_id: str, limit: int) -> None:
    """List a customer's limit orders, newest first."""
    found = session.bank.limit_orders.list_limit_orders(customer_id=customer_id)
    page = list(islice(found, limit))
    if session.as_json:
        for one in page:
            print_json_line(one)
        return
    session.console.print(order_table(page))


@order.command("cancel")
@click.argument("limit_order_id", metavar="ORDER")
@request_id_option
@connected
def cancel_order(session: Session, limit_order_id: str, request_id: str | None) -> None:
    """Give an ORDER up and free its money."""
    reply = session.bank.limit_orders.cancel_limit_order(
        limit_order_id=limit_order_id, request_id=request_id
    ).message
    session.show(reply, lambda: order_table([reply.order]))


def order_table(found: list[order_pb2.LimitOrder]) -> Table:
    """Limit orders."""
    columns = ["order", "pays", "for", "rate", "state", "until", "conversion"]
    return views.table(
        "Limit orders",
        columns,
        [
            [
                one.limit_order_id,
                views.amount(one.amount),
                one.target_currency_code,
                one.rate,
                order_pb2.LimitOrderState.Name(one.state)[18:].lower(),
                views.moment(one.expire_time),
                one.conversion_id,
            ]
            for one in found
        ],
        right=["pays", "rate"],
    )
