"""`longmen fx quota`, `auto` and `promotions`: what exchanges may come to, and discounts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console import fx_orders as _fx_orders  # noqa: F401 - the group has its commands
from longmen_server.console import views
from longmen_server.console.fx import fx
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

    from longmen.fx.v1 import auto_conversion_pb2, promotion_pb2

__all__ = ["auto", "fx", "promotions", "quota"]


@fx.command()
@click.argument("customer_id", metavar="[CUSTOMER]", default="")
@connected
def quota(session: Session, customer_id: str) -> None:
    """Tell what is left of a customer's year; customers leave the CUSTOMER out."""
    reply = session.bank.conversions.get_fx_quota(customer_id=customer_id)
    session.show(reply, lambda: quota_card(reply.quota))


def quota_card(found: auto_conversion_pb2.FxQuota) -> Table:
    """What is used of a year, and what is left."""
    rows: list[tuple[str, str | views.Text]] = [("year", str(found.year))]
    rows += [("bought", views.amount(found.bought)), ("sold", views.amount(found.sold))]
    if found.HasField("limit"):
        rows += [
            ("each way", views.amount(found.limit)),
            ("left to buy", views.amount(found.buyable)),
            ("left to sell", views.amount(found.sellable)),
        ]
    rows.append(("next year from", views.moment(found.reset_time)))
    return views.card("Quota of foreign currency", rows)


@fx.group()
def auto() -> None:
    """Payments that exchange what they lack by themselves."""


@auto.command("list")
@click.argument("customer_id", metavar="[CUSTOMER]", default="")
@connected
def list_auto(session: Session, customer_id: str) -> None:
    """List what a customer has agreed to; customers leave the CUSTOMER out."""
    reply = session.bank.conversions.list_auto_conversions(customer_id=customer_id)
    session.show(reply, lambda: auto_table(list(reply.auto_conversions)))


@auto.command("set")
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--from", "sources", multiple=True, required=True, help="A pocket; repeat in order.")
@currency_option
@click.option("--payment", required=True, help="The most for one payment.")
@click.option("--day", required=True, help="The most in a day.")
@click.option("--cost", default=100, help="Basis points that it may cost at most.")
@request_id_option
@connected
def set_auto(
    session: Session,
    account_id: str,
    sources: tuple[str, ...],
    currency: str,
    payment: str,
    day: str,
    cost: int,
    request_id: str | None,
) -> None:
    """Let payments from ACCOUNT exchange what they lack out of other pockets."""
    reply = session.bank.conversions.set_auto_conversion(
        account_id=account_id,
        enabled=True,
        source_account_ids=sources,
        payment_max=money(payment, currency),
        day_max=money(day, currency),
        basis_points_max=cost,
        request_id=request_id,
    )
    session.show(reply.message, lambda: auto_table([reply.message.auto_conversion]))


@auto.command("off")
@click.argument("account_id", metavar="ACCOUNT")
@request_id_option
@connected
def turn_off(session: Session, account_id: str, request_id: str | None) -> None:
    """Let payments from ACCOUNT exchange nothing any more."""
    reply = session.bank.conversions.set_auto_conversion(
        account_id=account_id, enabled=False, request_id=request_id
    )
    session.show(reply.message, lambda: auto_table([reply.message.auto_conversion]))


def auto_table(found: list[auto_conversion_pb2.AutoConversion]) -> Table:
    """What was agreed to, by pocket."""
    columns = ["pocket", "currency", "on", "each", "a day", "today", "cost", "from"]
    rows = [
        [
            one.account_id,
            one.currency_code,
            "yes" if one.enabled else "no",
            views.amount(one.payment_max),
            views.amount(one.day_max),
            views.amount(one.day_used),
            f"{one.basis_points_max} bp",
            " ".join(one.source_account_ids),
        ]
        for one in found
    ]
    return views.table("Automatic conversions", columns, rows, right=["each", "a day", "today"])


@fx.command()
@limit_option
@book_option
@connected
def promotions(session: Session, limit: int, book: int) -> None:
    """List promotions, newest first: what they take off, and what is left of their budgets."""
    page = list(islice(session.bank.rates.list_promotions(book=book), limit))
    if session.as_json:
        for one in page:
            print_json_line(one)
        return
    session.console.print(promotion_table(page))


def promotion_table(found: list[promotion_pb2.Promotion]) -> Table:
    """The report of promotions."""
    columns = ["promotion", "name", "off the spread", "of", "until", "budget", "used", "left"]
    rows: list[list[str | views.Text]] = [
        [
            one.promotion_id,
            one.name,
            f"{one.discount_basis_points / 100:g} %",
            " ".join([*one.currency_codes, one.tier]).strip() or "all",
            views.moment(one.ended_time if one.HasField("ended_time") else one.end_time),
            views.amount(one.budget),
            views.amount(one.used),
            views.amount(one.left),
        ]
        for one in found
    ]
    return views.table("Promotions", columns, rows, right=["budget", "used", "left"])
