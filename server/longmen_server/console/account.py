"""`longmen account`: wallets and their accounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import (
    MONTH,
    EnumType,
    book_option,
    limit_option,
    since_until_options,
)
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from datetime import datetime

    from rich.table import Table

KINDS = EnumType(wallet_pb2.MovementKind.DESCRIPTOR, "MOVEMENT_KIND_")


@click.group(epilog=EXIT_CODES)
def account() -> None:
    """Wallets and their accounts."""


@account.command("open-wallet")
@click.argument("phone_number")
@click.argument("display_name")
@click.option("-c", "--currency", default="CNY", show_default=True, help="Of the first account.")
@click.option("--nickname", default="", help="What the customer calls the account.")
@book_option
@request_id_option
@connected
def open_wallet(
    session: Session,
    phone_number: str,
    display_name: str,
    currency: str,
    nickname: str,
    book: int,
    request_id: str | None,
) -> None:
    """Register a customer and open the first account."""
    reply = session.bank.accounts.open_wallet(
        phone_number=phone_number,
        display_name=display_name,
        currency_code=currency.upper(),
        nickname=nickname,
        book=book,
        request_id=request_id,
    )
    session.show(reply.message, lambda: wallet_card(reply.message.wallet, reply.message.account))


@account.command("open-pocket")
@click.argument("customer_id")
@click.argument("currency")
@click.option("--nickname", default="", help="What the customer calls the account.")
@request_id_option
@connected
def open_pocket(
    session: Session, customer_id: str, currency: str, nickname: str, request_id: str | None
) -> None:
    """Open an account in another currency."""
    reply = session.bank.accounts.open_account(
        customer_id=customer_id,
        currency_code=currency.upper(),
        nickname=nickname,
        request_id=request_id,
    )
    session.show(reply.message, lambda: account_card(reply.message.account))


@account.command("list")
@click.argument("customer_id", default="")
@connected
def list_accounts(session: Session, customer_id: str) -> None:
    """List a customer's accounts; without an id, those of the token's own customer."""
    found = list(session.bank.accounts.list_accounts(customer_id=customer_id))
    session.show(
        accounts_service_pb2.ListAccountsResponse(accounts=found),
        lambda: views.table(
            "Accounts",
            ["account", "currency", "nickname", "state", "available", "posted"],
            [
                [
                    one.account_id,
                    one.currency_code,
                    one.nickname,
                    state(one),
                    views.amount(one.balance.available),
                    views.amount(one.balance.posted),
                ]
                for one in found
            ],
            right=["available", "posted"],
        ),
    )


@account.command()
@click.argument("account_id")
@connected
def show(session: Session, account_id: str) -> None:
    """Show one account."""
    reply = session.bank.accounts.get_account(account_id=account_id)
    session.show(reply, lambda: account_card(reply.account))


@account.command()
@click.argument("account_id")
@click.option("--watch", is_flag=True, help="Go on whenever it changes, until Ctrl-C.")
@connected
def balance(session: Session, account_id: str, *, watch: bool) -> None:
    """Show what an account has, and what of it is available."""
    if not watch:
        reply = session.bank.accounts.get_balance(account_id=account_id)
        session.show(reply, lambda: balance_card(reply.balance))
        return
    with session.bank.accounts.watch_balance(account_id=account_id) as changes:
        for change in changes:
            if session.as_json:
                print_json_line(change)
            else:
                session.console.print(balance_line(change.balance))


@account.command()
@click.argument("account_id")
@since_until_options
@click.option("--kind", "kinds", type=KINDS, multiple=True, help="Only movements of this kind.")
@click.option("--text", default="", help="Only movements with this text.")
@click.option("--counterparty", default="", metavar="ACCOUNT", help="Only with this other side.")
@limit_option
@connected
def history(
    session: Session,
    account_id: str,
    since: datetime | None,
    until: datetime | None,
    kinds: tuple[wallet_pb2.MovementKind.ValueType, ...],
    text: str,
    counterparty: str,
    limit: int,
) -> None:
    """List an account's movements, newest first."""
    found = session.bank.accounts.list_transactions(
        account_id=account_id,
        from_time=since,
        to_time=until,
        kinds=kinds,
        text=text,
        counterparty_account_id=counterparty,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(
        accounts_service_pb2.ListTransactionsResponse(movements=found),
        lambda: movement_table("Movements", found),
    )


@account.command()
@click.argument("account_id")
@click.argument("month", type=MONTH, metavar="YYYY-MM")
@click.option("--csv", "form", flag_value="CSV", help="With the table as a document.")
@click.option("--pdf", "form", flag_value="PDF", help="With the page as a document.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File for the document."
)
@connected
def statement(
    session: Session,
    account_id: str,
    month: tuple[int, int],
    form: str | None,
    output: Path | None,
) -> None:
    """Show the statement of a month, or save it as CSV, PDF or JSON."""
    name = form or ("JSON" if output else "UNSPECIFIED")
    reply = session.bank.accounts.get_statement(
        account_id=account_id,
        year=month[0],
        month=month[1],
        format=wallet_pb2.StatementFormat.Value(f"STATEMENT_FORMAT_{name}"),
    )
    if output is not None:
        output.write_bytes(reply.document)
        session.say(f"{output}: {len(reply.document)} bytes of {reply.media_type}")
    elif form is not None:
        click.echo(reply.document, nl=False)
        return
    if session.as_json or output is None:
        session.show(reply.statement, lambda: statement_table(reply.statement))


@account.command()
@click.argument("account_id")
@click.option("--only-outgoing", is_flag=True, help="Leave it able to receive.")
@click.option("--reason", default="", help="Text that is kept with the change.")
@request_id_option
@connected
def freeze(
    session: Session, account_id: str, reason: str, request_id: str | None, *, only_outgoing: bool
) -> None:
    """Stop an account from paying, or from paying and receiving."""
    reply = session.bank.accounts.freeze_account(
        account_id=account_id,
        only_outgoing=only_outgoing,
        reason_text=reason,
        request_id=request_id,
    )
    session.show(reply.message, lambda: account_card(reply.message.account))


@account.command()
@click.argument("account_id")
@click.option("--reason", default="", help="Text that is kept with the change.")
@request_id_option
@connected
def unfreeze(session: Session, account_id: str, reason: str, request_id: str | None) -> None:
    """Lift a freeze."""
    reply = session.bank.accounts.unfreeze_account(
        account_id=account_id, reason_text=reason, request_id=request_id
    )
    session.show(reply.message, lambda: account_card(reply.message.account))


@account.command()
@click.argument("account_id")
@click.option("--sweep-to", default="", metavar="ACCOUNT", help="Account that takes what is left.")
@request_id_option
@connected
def close(session: Session, account_id: str, sweep_to: str, request_id: str | None) -> None:
    """Close an account for ever."""
    reply = session.bank.accounts.close_account(
        account_id=account_id, sweep_to_account_id=sweep_to, request_id=request_id
    )
    session.show(reply.message, lambda: account_card(reply.message.account))
    if reply.message.HasField("swept"):
        session.say(f"swept {views.amount(reply.message.swept).plain} to {sweep_to}")


def state(one: wallet_pb2.WalletAccount) -> views.Text:
    """An account's state, and who froze it."""
    shown = views.word(wallet_pb2.WalletAccountState, "WALLET_ACCOUNT_STATE_", one.state)
    return shown.append(" by the bank") if one.frozen_by_bank else shown


def wallet_card(wallet: wallet_pb2.Wallet, first: wallet_pb2.WalletAccount) -> Table:
    """A fresh wallet."""
    return views.card(
        "Wallet",
        [
            ("customer", wallet.customer_id),
            ("phone number", wallet.masked_phone_number),
            ("name", wallet.display_name),
            ("account", first.account_id),
            ("currency", first.currency_code),
            ("opened", views.moment(wallet.create_time)),
        ],
    )


def account_card(one: wallet_pb2.WalletAccount) -> Table:
    """An account with its balance."""
    return views.card(
        "Account",
        [
            ("account", one.account_id),
            ("customer", one.customer_id),
            ("nickname", one.nickname),
            ("state", state(one)),
            *balance_rows(one.balance),
            ("opened", views.moment(one.create_time)),
        ],
    )


def balance_rows(one: wallet_pb2.Balance) -> list[tuple[str, views.Text]]:
    """What an account has, fact by fact."""
    rows = [("available", views.amount(one.available)), ("posted", views.amount(one.posted))]
    if one.held.minor_units:
        rows.append(("held", views.amount(one.held)))
    if one.incoming.minor_units:
        rows.append(("incoming", views.amount(one.incoming)))
    return rows


def balance_card(one: wallet_pb2.Balance) -> Table:
    """What an account has."""
    return views.card("Balance", [("account", one.account_id), *balance_rows(one)])


def balance_line(one: wallet_pb2.Balance) -> views.Text:
    """What an account has, on one line."""
    return views.Text("  ").join(
        views.Text.assemble((f"{name} ", "dim"), value) for name, value in balance_rows(one)
    )


def movement_table(title: str, movements: list[wallet_pb2.Movement]) -> Table:
    """An account's movements."""
    return views.table(
        title,
        ["booked", "kind", "amount", "available", "with", "description", "transaction"],
        [
            [
                views.moment(one.booked_time),
                views.word(wallet_pb2.MovementKind, "MOVEMENT_KIND_", one.kind),
                views.amount(
                    one.amount, sign=-1 if one.direction == wallet_pb2.DIRECTION_OUT else 1
                ),
                views.amount(one.available_after),
                one.counterparty_masked_name,
                one.description,
                one.transaction_id,
            ]
            for one in movements
        ],
        right=["amount", "available"],
    )


def statement_table(stated: wallet_pb2.Statement) -> Table:
    """A statement, with its sums below."""
    table = movement_table(
        f"{stated.account_id} {stated.year}-{stated.month:02} ({stated.time_zone})",
        list(stated.movements),
    )
    table.caption = (
        f"opening {views.amount(stated.opening).plain} + in {views.amount(stated.total_in).plain}"
        f" - out {views.amount(stated.total_out).plain}"
        f" = closing {views.amount(stated.closing).plain}"
        + ("" if stated.complete else " (month not over)")
    )
    return table
