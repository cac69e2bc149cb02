"""`longmen payout`: merchants' bank accounts, and what was paid on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import payout_pb2
from longmen.merchants.v1 import payouts_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import limit_option
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table


@click.group(epilog=EXIT_CODES)
def payout() -> None:
    """Merchants' bank accounts, and what was paid on them."""


@payout.command()
@click.argument("merchant_id")
@click.option("--bank-account", prompt=True, help="The account's number; asked for when missing.")
@request_id_option
@connected
def register(
    session: Session, merchant_id: str, *, bank_account: str, request_id: str | None
) -> None:
    """Name the bank account that a merchant wants to be paid on; the bank confirms it."""
    reply = session.bank.payouts.register_payout_account(
        merchant_id=merchant_id, bank_account=bank_account, request_id=request_id
    ).message
    session.show(reply, lambda: account_table([reply.account]))


@payout.command()
@click.argument("merchant_id")
@click.argument("payout_account_id")
@request_id_option
@connected
def confirm(
    session: Session, merchant_id: str, payout_account_id: str, request_id: str | None
) -> None:
    """Pay a merchant on the account from now on. Staff propose it: `longmen approval propose`."""
    reply = session.bank.payouts.confirm_payout_account(
        merchant_id=merchant_id, payout_account_id=payout_account_id, request_id=request_id
    ).message
    session.show(reply, lambda: account_table([reply.account]))


@payout.command()
@click.argument("merchant_id")
@connected
def account(session: Session, merchant_id: str) -> None:
    """Show the bank account that a merchant is paid on, and the one that waits to be confirmed."""
    reply = session.bank.payouts.get_payout_account(merchant_id=merchant_id)
    found = [getattr(reply, name) for name in ("account", "candidate") if reply.HasField(name)]
    session.show(reply, lambda: account_table(found))


@payout.command()
@click.argument("settlement_id")
@connected
def show(session: Session, settlement_id: str) -> None:
    """Show the payout of a settlement."""
    reply = session.bank.payouts.get_payout(settlement_id=settlement_id)
    session.show(reply, lambda: card(reply.payout))


@payout.command("list")
@click.argument("merchant_id")
@limit_option
@connected
def list_(session: Session, merchant_id: str, limit: int) -> None:
    """List a merchant's payouts, newest first."""
    found = session.bank.payouts.list_payouts(
        merchant_id=merchant_id, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(pb.ListPayoutsResponse(payouts=found), lambda: table(found))


def account_table(found: Iterable[payout_pb2.PayoutAccount]) -> Table:
    """Bank accounts of a merchant, one a row."""
    return views.table(
        "Bank accounts",
        ["ends in", "state", "since", "clearing said", "account"],
        [
            [
                one.tail,
                views.word(payout_pb2.PayoutAccountState, "PAYOUT_ACCOUNT_STATE_", one.state),
                views.moment(one.create_time),
                one.clearing_code,
                one.payout_account_id,
            ]
            for one in found
        ],
    )


def table(found: list[payout_pb2.Payout]) -> Table:
    """Payouts, one a row."""
    return views.table(
        "Payouts",
        ["date", "amount", "state", "to", "changed", "settlement"],
        [
            [
                one.business_date,
                views.amount(one.amount),
                _state(one),
                one.tail,
                views.moment(one.update_time),
                one.settlement_id,
            ]
            for one in found
        ],
        right=["amount"],
    )


def card(one: payout_pb2.Payout) -> Table:
    """A payout with its facts."""
    return views.card(
        "Payout",
        [
            ("settlement", one.settlement_id),
            ("merchant", one.merchant_id),
            ("business date", one.business_date),
            ("amount", views.amount(one.amount)),
            ("state", _state(one)),
            ("account", one.payout_account_id),
            ("ends in", one.tail),
            ("transaction", one.transaction_id),
            ("came back by", one.return_transaction_id),
            ("clearing said", one.clearing_code),
            ("made", views.moment(one.create_time)),
            ("changed", views.moment(one.update_time)),
        ],
    )


def _state(one: payout_pb2.Payout) -> views.Text:
    return views.word(payout_pb2.PayoutState, "PAYOUT_STATE_", one.state)
