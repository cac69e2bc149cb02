"""`longmen sharing`: parts of what orders brought, passed on to other merchants (分账)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.payments.v1 import sharing_pb2
from longmen.payments.v1 import sharing_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import currency_option, limit_option, money
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


@click.group(epilog=EXIT_CODES)
def sharing() -> None:
    """Parts of what orders brought, passed on to other merchants."""


@sharing.command()
@click.argument("merchant_id")
@click.argument("receiver_id")
@request_id_option
@connected
def ask(session: Session, merchant_id: str, receiver_id: str, request_id: str | None) -> None:
    """Name another merchant that shares are to go to; the bank confirms it."""
    reply = session.bank.sharing.ask_receiver(
        merchant_id=merchant_id, receiver_id=receiver_id, request_id=request_id
    ).message
    session.show(reply, lambda: receiver_table([reply.receiver]))


@sharing.command()
@click.argument("merchant_id")
@click.argument("receiver_id")
@request_id_option
@connected
def confirm(session: Session, merchant_id: str, receiver_id: str, request_id: str | None) -> None:
    """Let shares go to a receiver. Staff propose it: `longmen approval propose`."""
    reply = session.bank.sharing.confirm_receiver(
        merchant_id=merchant_id, receiver_id=receiver_id, request_id=request_id
    ).message
    session.show(reply, lambda: receiver_table([reply.receiver]))


@sharing.command()
@click.argument("merchant_id")
@click.argument("receiver_id")
@request_id_option
@connected
def remove(session: Session, merchant_id: str, receiver_id: str, request_id: str | None) -> None:
    """Let no more shares go to a receiver."""
    reply = session.bank.sharing.remove_receiver(
        merchant_id=merchant_id, receiver_id=receiver_id, request_id=request_id
    ).message
    session.show(reply, lambda: receiver_table([reply.receiver]))


@sharing.command()
@click.argument("merchant_id")
@limit_option
@connected
def receivers(session: Session, merchant_id: str, limit: int) -> None:
    """List whom a merchant's shares may go to."""
    found = session.bank.sharing.list_receivers(
        merchant_id=merchant_id, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(pb.ListReceiversResponse(receivers=found), lambda: receiver_table(found))


@sharing.command()
@click.argument("order_id")
@click.argument("amount")
@currency_option
@request_id_option
@connected
def hold(
    session: Session, order_id: str, amount: str, *, currency: str, request_id: str | None
) -> None:
    """Keep a part of what an order brought for sharing."""
    reply = session.bank.sharing.hold_shares(
        order_id=order_id, amount=money(amount, currency), request_id=request_id
    ).message
    session.show(reply, lambda: views_of(reply.sharing))


@sharing.command()
@click.argument("order_id")
@click.argument("receiver_id")
@click.argument("amount")
@click.option("--number", required=True, help="The merchant's own of the share.")
@click.option("--description", default="", help="What it is for.")
@currency_option
@request_id_option
@connected
def give(
    session: Session,
    order_id: str,
    receiver_id: str,
    amount: str,
    *,
    number: str,
    description: str,
    currency: str,
    request_id: str | None,
) -> None:
    """Give a receiver a part of what is held of an order."""
    reply = session.bank.sharing.share_order(
        order_id=order_id,
        share_number=number,
        receiver_id=receiver_id,
        amount=money(amount, currency),
        description=description,
        request_id=request_id,
    ).message
    session.show(reply, lambda: views_of(reply.sharing))


@sharing.command("return")
@click.argument("order_id")
@click.argument("share_number")
@click.argument("amount", default="")
@click.option("--number", required=True, help="The merchant's own of the return.")
@currency_option
@request_id_option
@connected
def return_(
    session: Session,
    order_id: str,
    share_number: str,
    amount: str,
    *,
    number: str,
    currency: str,
    request_id: str | None,
) -> None:
    """Take a share back: AMOUNT by agreement, or as much as the refunds so far come to."""
    reply = session.bank.sharing.return_share(
        order_id=order_id,
        share_number=share_number,
        return_number=number,
        amount=money(amount, currency) if amount else None,
        request_id=request_id,
    ).message
    session.show(reply, lambda: views_of(reply.sharing))


@sharing.command()
@click.argument("order_id")
@request_id_option
@connected
def release(session: Session, order_id: str, request_id: str | None) -> None:
    """Give the rest of what is held back to the merchant."""
    reply = session.bank.sharing.release_shares(order_id=order_id, request_id=request_id).message
    session.show(reply, lambda: views_of(reply.sharing))


@sharing.command()
@click.argument("order_id")
@connected
def show(session: Session, order_id: str) -> None:
    """Show what is held of an order, and its shares."""
    reply = session.bank.sharing.get_sharing(order_id=order_id)
    session.show(reply, lambda: views_of(reply.sharing))


def receiver_table(found: list[sharing_pb2.Receiver]) -> Table:
    """Receivers, one a row."""
    return views.table(
        "Receivers",
        ["receiver", "state", "changed"],
        [
            [
                one.receiver_id,
                views.word(sharing_pb2.ReceiverState, "RECEIVER_STATE_", one.state),
                views.moment(one.update_time),
            ]
            for one in found
        ],
    )


def views_of(one: sharing_pb2.Sharing) -> RenderableType:
    """What is held of an order, and its shares below."""
    from rich.console import Group

    return Group(card(one), share_table(one)) if one.shares else card(one)


def card(one: sharing_pb2.Sharing) -> Table:
    """What is held of an order."""
    return views.card(
        "Sharing",
        [
            ("order", one.order_id),
            ("merchant", one.merchant_id),
            ("state", views.word(sharing_pb2.SharingState, "SHARING_STATE_", one.state)),
            ("held", views.amount(one.held)),
            ("shared", views.amount(one.shared)),
            ("came back", views.amount(one.returned)),
            ("released", views.amount(one.released)),
            ("ends", views.moment(one.end_time)),
        ],
    )


def share_table(one: sharing_pb2.Sharing) -> Table:
    """Shares of an order, one a row."""
    return views.table(
        "Shares",
        ["number", "receiver", "amount", "came back", "given", "for"],
        [
            [
                share.share_number,
                share.receiver_id,
                views.amount(share.amount),
                views.amount(share.returned),
                views.moment(share.create_time),
                share.description,
            ]
            for share in one.shares
        ],
        right=["amount", "came back"],
    )
