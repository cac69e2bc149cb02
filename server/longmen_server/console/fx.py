"""`longmen fx`: what currencies are worth, and their exchange."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.fx.v1 import quote_pb2, rate_pb2
from longmen_client import Money
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
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

    from longmen.fx.v1 import position_pb2, rates_service_pb2

LOCKS = click.Choice(["0", "60", "1800", "14400", "86400"])
BARS = "▁▂▃▄▅▆▇█"
FEED_SECONDS = 30.0
"""How long fetching a feed may take."""


@click.group(epilog=EXIT_CODES)
def fx() -> None:
    """Currencies: rates, quotes and conversions."""


@fx.command()
@click.option("--all", "with_all", is_flag=True, help="Also what has no rate.")
@book_option
@connected
def rates(session: Session, book: int, *, with_all: bool) -> None:
    """List what one EUR is worth in every currency, and how old the rates are."""
    reply = session.bank.rates.list_currencies(book=book)
    found = [one for one in reply.currencies if one.rate or with_all]
    session.show(reply, lambda: currencies_table(found))


def currencies_table(found: list[rate_pb2.Currency]) -> Table:
    """Currencies with their rates."""
    columns = ["currency", "digits", "per EUR", "source", "observed", "age", "held"]
    return views.table(
        "Rates",
        columns,
        [
            [
                one.currency_code if one.tradable else f"({one.currency_code})",
                str(one.exponent),
                one.rate,
                one.source,
                views.moment(one.observe_time),
                f"{one.age_seconds / 86_400:.1f} d" if one.HasField("observe_time") else "",
                one.held_rate,
            ]
            for one in found
        ],
        right=["digits", "per EUR", "age", "held"],
    )


@fx.command("import")
@click.argument("source", default="")
@book_option
@request_id_option
@connected
def import_rates(session: Session, source: str, book: int, request_id: str | None) -> None:
    """Import a feed: a file or an https URL; without one the whole history that came along."""
    reply = session.bank.rates.import_rates(
        content=read_feed(source), book=book, request_id=request_id
    )
    session.show(reply.message, lambda: import_card(reply.message))


def read_feed(source: str) -> bytes:
    """Return a feed's content.

    Raises:
        ValueError: the address is no https URL, or its server refuses.
        OSError: the file cannot be read.
    """
    if not source:
        from longmen_server.fxrates.seed import packaged_history

        return packaged_history()
    if "://" not in source:
        return Path(source).read_bytes()
    if not source.startswith("https://"):
        raise ValueError(f"{source}: feeds are fetched by https only")
    import httpx

    try:
        answer = httpx.get(source, timeout=FEED_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        raise ValueError(f"{source}: {error}") from error
    return answer.content


def import_card(reply: rates_service_pb2.ImportRatesResponse) -> Table:
    """What an import did."""
    held = [f"{one.currency_code} {one.present_rate} → {one.held_rate}" for one in reply.held]
    return views.card(
        "Import",
        [
            ("import", reply.import_id),
            ("new days", f"{reply.day_count:,}"),
            ("known days", f"{reply.known_day_count:,}"),
            ("changed", " ".join(reply.currency_codes)),
            ("held", ", ".join(held)),
        ],
    )


@fx.command()
@click.argument("paid", metavar="FROM")
@click.argument("got", metavar="TO")
@click.argument("amount", default="")
@click.option("--get", is_flag=True, help="The amount is what is got, not what is paid.")
@book_option
@connected
def rate(session: Session, paid: str, got: str, amount: str, book: int, *, get: bool) -> None:
    """Show what a pair costs now, and what an exchange of an AMOUNT would be."""
    source, target = paid.upper(), got.upper()
    minor_units = money(amount, target if get else source).minor_units if amount else 0
    reply = session.bank.rates.get_rate(
        source_currency_code=source,
        target_currency_code=target,
        minor_units=minor_units,
        fixed_side=rate_pb2.FIXED_SIDE_TARGET if get else rate_pb2.FIXED_SIDE_SOURCE,
        book=book,
    )
    session.show(reply, lambda: rate_card(reply.rate, reply.exchange))


def rate_card(found: rate_pb2.Rate, exchange: rate_pb2.Exchange) -> Table:
    """A pair's rate, and an exchange if there is one."""
    rows: list[tuple[str, str | views.Text]] = [
        ("mid", found.mid),
        ("customer gets", found.bid),
        ("customer pays", found.ask),
        ("spread", f"{found.spread_basis_points} bp"),
        ("fee", f"{found.fee_basis_points} bp" if found.fee_basis_points else ""),
        ("observed", views.moment(found.observe_time)),
        ("age", f"{found.age_seconds / 86_400:.1f} days"),
    ]
    rows += exchange_rows(exchange)
    return views.card(f"{found.source_currency_code}/{found.target_currency_code}", rows)


def exchange_rows(exchange: rate_pb2.Exchange) -> list[tuple[str, str | views.Text]]:
    """The amounts of an exchange."""
    named = [
        ("you pay", "source_amount"),
        ("of it fee", "fee"),
        ("you get", "target_amount"),
        ("spread", "spread"),
        ("rounding", "rounding"),
    ]
    return [
        (title, views.amount(getattr(exchange, name)))
        for title, name in named
        if exchange.HasField(name)  # type: ignore[arg-type]  # names of its fields
    ]


@fx.command()
@click.argument("paid", metavar="FROM")
@click.argument("got", metavar="TO")
@click.option("--since", "start_date", default="", help="First day, YYYY-MM-DD.")
@click.option("--until", "end_date", default="", help="Last day, YYYY-MM-DD.")
@limit_option
@book_option
@connected
def history(
    session: Session,
    paid: str,
    got: str,
    start_date: str,
    end_date: str,
    limit: int,
    book: int,
) -> None:
    """Chart the mid-market rate of a pair, day by day."""
    found = session.bank.rates.list_rates(
        source_currency_code=paid.upper(),
        target_currency_code=got.upper(),
        start_date=start_date,
        end_date=end_date,
        book=book,
    )
    days = list(islice(found, limit))
    if session.as_json:
        for one in days:
            print_json_line(one)
        return
    session.say(chart([float(one.mid) for one in reversed(days)]))
    rows = [[one.date, one.mid, one.source] for one in days]
    title = f"{paid.upper()}/{got.upper()}"
    session.console.print(views.table(title, ["date", "mid", "source"], rows, right=["mid"]))


@fx.command()
@click.argument("from_account_id", metavar="FROM")
@click.argument("to_account_id", metavar="TO")
@click.argument("amount")
@currency_option
@click.option("--lock", "lock_seconds", type=LOCKS, default="0", help="Seconds to think.")
@click.option("-y", "--yes", is_flag=True, help="Take it without asking.")
@connected
def quote(
    session: Session,
    from_account_id: str,
    to_account_id: str,
    amount: str,
    currency: str,
    lock_seconds: str,
    *,
    yes: bool,
) -> None:
    """Offer an exchange between two accounts, show it, and take it after a yes.

    The currency says which side the AMOUNT is: that of the account charged or of the one paid.
    """
    bank = session.bank.conversions
    offered = bank.create_quote(
        from_account_id=from_account_id,
        to_account_id=to_account_id,
        amount=money(amount, currency),
        lock_seconds=int(lock_seconds),
    ).message.quote
    if not session.as_json:
        session.console.print(quote_card(offered))
    if not yes:
        click.confirm("Exchange?", abort=True, err=True)
    reply = bank.execute_quote(
        quote_id=offered.quote_id,
        source_amount=Money.from_proto(offered.exchange.source_amount),
        target_amount=Money.from_proto(offered.exchange.target_amount),
    )
    session.show(reply.message, lambda: conversion_card(reply.message.conversion))


@fx.command()
@click.argument("from_account_id", metavar="FROM")
@click.argument("to_account_id", metavar="TO")
@click.argument("amount")
@currency_option
@click.argument("counter_currency", metavar="OTHER")
@request_id_option
@connected
def convert(
    session: Session,
    from_account_id: str,
    to_account_id: str,
    amount: str,
    currency: str,
    counter_currency: str,
    request_id: str | None,
) -> None:
    """Exchange a small AMOUNT at once; OTHER is the currency it is not in."""
    reply = session.bank.conversions.convert(
        from_account_id=from_account_id,
        to_account_id=to_account_id,
        amount=money(amount, currency),
        counter_currency_code=counter_currency.upper(),
        request_id=request_id,
    )
    session.show(reply.message, lambda: conversion_card(reply.message.conversion))


def quote_card(found: quote_pb2.Quote) -> Table:
    """An offer."""
    return views.card(
        "Quote",
        [
            ("quote", found.quote_id),
            ("mid", found.mid),
            ("rate", found.client_rate),
            ("spread", f"{found.spread_basis_points} bp"),
            ("fee", f"{found.fee_basis_points} bp" if found.fee_basis_points else ""),
            *exchange_rows(found.exchange),
            ("until", views.moment(found.expire_time)),
        ],
    )


def conversion_card(found: quote_pb2.Conversion) -> Table:
    """What was booked."""
    return views.card(
        "Conversion",
        [
            ("conversion", found.conversion_id),
            ("transaction", found.transaction_id),
            ("rate", found.client_rate),
            *exchange_rows(found.exchange),
            ("booked", views.moment(found.create_time)),
            *reversal_rows(found),
        ],
    )


def reversal_rows(found: quote_pb2.Conversion) -> list[tuple[str, str | views.Text]]:
    """How it was taken back, if it was."""
    if not found.HasField("reversal"):
        return []
    reversal = found.reversal
    return [
        ("taken back", views.moment(reversal.create_time)),
        ("by", reversal.transaction_id),
        ("at", f"{quote_pb2.ReversalBasis.Name(reversal.basis)[15:].lower()} rate {reversal.mid}"),
        ("taken", views.amount(reversal.taken_amount)),
        ("returned", views.amount(reversal.returned_amount)),
    ]


@fx.command()
@click.argument("conversion_id", metavar="CONVERSION")
@click.option(
    "--rate", "basis", type=click.Choice(["original", "today"]), help="Unless the policy may say."
)
@request_id_option
@connected
def reverse(
    session: Session, conversion_id: str, basis: str | None, request_id: str | None
) -> None:
    """Take a CONVERSION back: at its own rate while that may be had, at today's after."""
    wanted = f"REVERSAL_BASIS_{basis.upper() if basis else 'UNSPECIFIED'}"
    reply = session.bank.conversions.reverse_conversion(
        conversion_id=conversion_id,
        basis=quote_pb2.ReversalBasis.Value(wanted),
        request_id=request_id,
    )
    session.show(reply.message, lambda: conversion_card(reply.message.conversion))


@fx.command()
@click.argument("customer_id", metavar="[CUSTOMER]", default="")
@limit_option
@connected
def conversions(session: Session, customer_id: str, limit: int) -> None:
    """List a customer's conversions, newest first; customers leave the CUSTOMER out."""
    found = session.bank.conversions.list_conversions(customer_id=customer_id)
    page = list(islice(found, limit))
    if session.as_json:
        for one in page:
            print_json_line(one)
        return
    columns = ["conversion", "booked", "paid", "got", "rate", "fee", "taken back"]
    rows = [
        [
            one.conversion_id,
            views.moment(one.create_time),
            views.amount(one.exchange.source_amount),
            views.amount(one.exchange.target_amount),
            one.client_rate,
            views.amount(one.exchange.fee) if one.exchange.HasField("fee") else "",
            "yes" if one.HasField("reversal") else "",
        ]
        for one in page
    ]
    session.console.print(views.table("Conversions", columns, rows, right=["paid", "got", "fee"]))


@fx.command()
@book_option
@connected
def position(session: Session, book: int) -> None:
    """List what the bank holds of each currency, what it cost and what it is worth."""
    reply = session.bank.positions.list_positions(book=book)
    columns = ["currency", "amount", "cost", "value", "result", "hedge"]
    session.show(
        reply,
        lambda: views.table(
            "Positions",
            columns,
            [
                [
                    one.currency_code,
                    views.minor_units(one.amount_minor_units, one.currency_code),
                    *(
                        views.minor_units(number, one.home_currency_code)
                        for number in (
                            one.cost_minor_units,
                            one.value_minor_units,
                            one.result_minor_units,
                        )
                    ),
                    "yes" if one.to_be_hedged else "",
                ]
                for one in reply.positions
            ],
            right=columns[1:5],
        ),
    )


@fx.command()
@click.argument("business_date", metavar="DAY")
@book_option
@request_id_option
@connected
def revalue(session: Session, business_date: str, book: int, request_id: str | None) -> None:
    """Book what positions came to for a business date, DAY as YYYY-MM-DD; once."""
    reply = session.bank.positions.revalue(
        business_date=business_date, book=book, request_id=request_id
    ).message
    session.show(reply, lambda: revaluation_table(list(reply.revaluations)))
    if not session.as_json:
        home = reply.home_currency_code
        realised = views.minor_units(reply.realised_minor_units, home)
        unrealised = views.minor_units(reply.unrealised_minor_units, home)
        session.say(f"realised {realised}, unrealised {unrealised}")


@fx.command()
@click.option("--currency", "currency_code", default="", help="Only this one.")
@limit_option
@book_option
@connected
def revaluations(session: Session, currency_code: str, limit: int, book: int) -> None:
    """List what positions came to, latest business date first."""
    found = session.bank.positions.list_revaluations(currency_code=currency_code.upper(), book=book)
    page = list(islice(found, limit))
    if session.as_json:
        for one in page:
            print_json_line(one)
        return
    session.console.print(revaluation_table(page))


def revaluation_table(found: list[position_pb2.Revaluation]) -> Table:
    """What positions came to."""
    columns = ["day", "currency", "amount", "rate", "cost", "value", "realised", "unrealised"]
    return views.table(
        "Revaluations",
        columns,
        [
            [
                one.business_date,
                one.currency_code,
                views.minor_units(one.amount_minor_units, one.currency_code),
                one.mid,
                *(
                    views.minor_units(number, one.home_currency_code)
                    for number in (
                        one.cost_minor_units,
                        one.value_minor_units,
                        one.realised_minor_units,
                        one.unrealised_minor_units,
                    )
                ),
            ]
            for one in found
        ],
        right=columns[2:],
    )


def chart(values: list[float]) -> str:
    """Return values as a line of bars, from the lowest to the highest."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = high - low or 1.0
    bars = (BARS[int((value - low) / span * (len(BARS) - 1))] for value in values)
    return f"{low:g} {''.join(bars)} {high:g}"
