"""`longmen merchant`: who is paid for goods and services, and their tills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import merchants_service_pb2 as pb
from longmen.payments.v1 import offline_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import book_option, currency_option, limit_option, money
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from rich.table import Table

    from longmen.merchants.v1 import merchant_pb2


@click.group(epilog=EXIT_CODES)
def merchant() -> None:
    """Who is paid for goods and services, and their tills."""


@merchant.command()
@click.argument("name")
@click.option("--city", default="Shanghai", show_default=True, help="Where it sells.")
@click.option("--country", default="CN", show_default=True, help="Two letters by ISO 3166-1.")
@click.option("--category", default="5499", show_default=True, help="Four digits by ISO 18245.")
@click.option("--local-name", default="", help="Name in its own script, with --language.")
@click.option("--language", default="", help="Two letters by ISO 639-1.")
@currency_option
@book_option
@request_id_option
@connected
def create(
    session: Session,
    name: str,
    *,
    city: str,
    country: str,
    category: str,
    local_name: str,
    language: str,
    currency: str,
    book: int,
    request_id: str | None,
) -> None:
    """Take a merchant in."""
    reply = session.bank.merchants.create_merchant(
        name=name,
        city=city,
        country_code=country,
        category_code=category,
        local_name=local_name,
        local_language=language,
        currency_code=currency.upper(),
        book=book,
        request_id=request_id,
    ).message
    session.show(reply, lambda: merchant_card(reply.merchant))


@merchant.command()
@click.argument("merchant_id")
@connected
def show(session: Session, merchant_id: str) -> None:
    """Show a merchant."""
    reply = session.bank.merchants.get_merchant(merchant_id=merchant_id)
    session.show(reply, lambda: merchant_card(reply.merchant))


@merchant.command("list")
@book_option
@limit_option
@connected
def list_merchants(session: Session, book: int, limit: int) -> None:
    """List merchants in the order they were taken in."""
    found = session.bank.merchants.list_merchants(book=book, page_size=min(limit, 1_000)).first(
        limit
    )
    session.show(
        pb.ListMerchantsResponse(merchants=found),
        lambda: views.table(
            "Merchants",
            ["name", "city", "currency", "merchant"],
            [[one.name, one.city, one.currency_code, one.merchant_id] for one in found],
        ),
    )


@merchant.command("add-till")
@click.argument("merchant_id")
@click.argument("label")
@click.option("--store", default="", help="The shop it stands in: its id, or any label.")
@request_id_option
@connected
def add_till(
    session: Session, merchant_id: str, label: str, store: str, request_id: str | None
) -> None:
    """Register a till."""
    registered = store.startswith("sto_")
    reply = session.bank.merchants.create_terminal(
        merchant_id=merchant_id,
        label=label,
        store_label="" if registered else store,
        store_id=store if registered else "",
        request_id=request_id,
    ).message
    session.show(reply, lambda: till_table([reply.terminal]))


@merchant.command()
@click.argument("merchant_id")
@limit_option
@connected
def tills(session: Session, merchant_id: str, limit: int) -> None:
    """List a merchant's tills: when each was seen last, and its latest order."""
    found = session.bank.merchants.list_terminals(
        merchant_id=merchant_id, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(pb.ListTerminalsResponse(terminals=found), lambda: till_table(found))


@merchant.command()
@click.argument("merchant_id")
@click.option("--bank", "budget", help="Enable: the bank bears losses of so much a day.")
@click.option("--own-risk", is_flag=True, help="Enable: the merchant bears losses.")
@click.option("--off", is_flag=True, help="Let its tills sell without a network no longer.")
@currency_option
@request_id_option
@connected
def offline(
    session: Session,
    merchant_id: str,
    *,
    budget: str | None,
    own_risk: bool,
    off: bool,
    currency: str,
    request_id: str | None,
) -> None:
    """Show or agree whether a merchant's tills sell without a network, and at whose risk.

    Staff propose a change instead: `longmen approval propose`.
    """
    if sum((budget is not None, own_risk, off)) > 1:
        raise click.UsageError("only one of --bank, --own-risk and --off")
    bank = session.bank.offline
    if budget is None and not own_risk and not off:
        shown = bank.get_offline_acceptance(merchant_id=merchant_id)
        session.show(shown, lambda: acceptance_card(shown.acceptance))
        return
    bearer = offline_pb2.LOSS_BEARER_UNSPECIFIED
    if not off:
        bearer = offline_pb2.LOSS_BEARER_MERCHANT if own_risk else offline_pb2.LOSS_BEARER_BANK
    reply = bank.set_offline_acceptance(
        merchant_id=merchant_id,
        enabled=not off,
        loss_bearer=bearer,
        day_budget=None if budget is None else money(budget, currency),
        request_id=request_id,
    ).message
    session.show(reply, lambda: acceptance_card(reply.acceptance))


def acceptance_card(one: offline_pb2.OfflineAcceptance) -> Table:
    """What was agreed on sales without a network."""
    budget = views.amount(one.day_budget) if one.HasField("day_budget") else ""
    return views.card(
        "Sales without a network",
        [
            ("enabled", "yes" if one.enabled else "no"),
            ("losses", views.word(offline_pb2.LossBearer, "LOSS_BEARER_", one.loss_bearer)),
            ("a day at most", budget),
            ("agreed", views.moment(one.update_time)),
            ("merchant", one.merchant_id),
        ],
    )


def merchant_card(one: merchant_pb2.Merchant) -> Table:
    """One merchant."""
    return views.card(
        "Merchant",
        [
            ("name", one.name),
            ("local name", one.local_name),
            ("city", f"{one.city}, {one.country_code}"),
            ("category", one.category_code),
            ("currency", one.currency_code),
            ("account", one.account_id),
            ("since", views.moment(one.create_time)),
            ("merchant", one.merchant_id),
        ],
    )


def till_table(found: list[merchant_pb2.Terminal]) -> Table:
    """Tills, one a row."""
    return views.table(
        "Tills",
        ["label", "store", "seen", "software", "last order", "till"],
        [
            [
                one.label,
                one.store_id or one.store_label,
                views.moment(one.last_seen_time),
                one.software_version,
                one.last_order_id,
                one.terminal_id,
            ]
            for one in found
        ],
    )
