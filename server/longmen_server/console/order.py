"""`longmen order`: merchants' orders, from the code to the refund."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import rich_click as click

from longmen.payments.v1 import order_pb2
from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_client import new_request_id
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import EnumType, currency_option, limit_option, money
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rich.table import Table
    from rich.text import Text

STATES = EnumType(order_pb2.OrderState.DESCRIPTOR, "ORDER_STATE_")


@click.group(epilog=EXIT_CODES)
def order() -> None:
    """Merchants' orders, from the code to the refund."""


def sale_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a sale is beside its amount."""
    function = click.option("--number", default="", help="The merchant's own; made if omitted.")(
        function
    )
    function = click.option("--description", default="", help="Text for both sides.")(function)
    return click.option(
        "--expires", "expires_s", default=0, help="Seconds; the contract's default if omitted."
    )(function)


@order.command()
@click.argument("merchant_id")
@click.argument("amount")
@currency_option
@sale_options
@click.option("--qr", is_flag=True, help="Draw the code.")
@click.option("--tip", default="", help="Amount besides, that the payer has named.")
@click.option("--ask-tip", is_flag=True, help="Let the payer's app ask for a tip.")
@click.option("--tip-percent", default=0.0, help="Tip in per cent of the amount.")
@request_id_option
@connected
def create(
    session: Session,
    merchant_id: str,
    amount: str,
    *,
    currency: str,
    tip: str,
    ask_tip: bool,
    tip_percent: float,
    number: str,
    description: str,
    expires_s: int,
    qr: bool,
    request_id: str | None,
) -> None:
    """Register a sale and show the code for its payer."""
    reply = session.bank.payments.create_order(
        merchant_id=merchant_id,
        order_number=number or new_request_id(),
        amount=money(amount, currency),
        description=description,
        expires_in_seconds=expires_s,
        tip=money(tip, currency) if tip else None,
        tip_offer=_offer(ask_tip=ask_tip, percent=tip_percent),
        request_id=request_id,
    ).message
    session.show(reply, lambda: order_card(reply.order, code=reply.code))
    if qr:
        session.say(drawn(reply.code))


def _offer(*, ask_tip: bool, percent: float) -> order_pb2.TipOffer | None:
    """What the order's code says of tips."""
    if percent:
        return order_pb2.TipOffer(
            mode=order_pb2.TIP_MODE_PERCENT, basis_points=round(percent * 100)
        )
    return order_pb2.TipOffer(mode=order_pb2.TIP_MODE_ASK) if ask_tip else None


@order.command()
@click.argument("merchant_id")
@click.argument("amount")
@click.argument("code")
@currency_option
@sale_options
@request_id_option
@connected
def charge(
    session: Session,
    merchant_id: str,
    amount: str,
    code: str,
    *,
    currency: str,
    number: str,
    description: str,
    expires_s: int,
    request_id: str | None,
) -> None:
    """Charge the payer whose CODE was scanned."""
    reply = session.bank.payments.pay_by_code(
        merchant_id=merchant_id,
        order_number=number or new_request_id(),
        amount=money(amount, currency),
        code=code,
        description=description,
        expires_in_seconds=expires_s,
        request_id=request_id,
    ).message
    session.show(reply, lambda: order_card(reply.order))


@order.command()
@click.argument("order_id")
@connected
def show(session: Session, order_id: str) -> None:
    """Show an order, with its scans and refunds."""
    reply = session.bank.payments.get_order(order_id=order_id)
    session.show(reply, lambda: order_card(reply.order))
    if session.as_json:
        return
    scans = session.bank.payments.list_attempts(order_id=order_id).attempts
    rows: list[list[Text | str]]
    if scans:
        rows = [
            [
                views.moment(one.create_time),
                views.word(order_pb2.AttemptOutcome, "ATTEMPT_OUTCOME_", one.outcome),
                one.reason,
            ]
            for one in scans
        ]
        session.console.print(views.table("Scans", ["time", "outcome", "reason"], rows))
    refunds = session.bank.payments.list_refunds(order_id=order_id).first(1_000)
    if refunds:
        rows = [
            [views.moment(one.create_time), views.amount(one.amount), one.reason_text]
            for one in refunds
        ]
        columns = ["time", "amount", "reason"]
        session.console.print(views.table("Refunds", columns, rows, right=["amount"]))


@order.command("list")
@click.argument("merchant_id")
@click.option("--state", "states", type=STATES, multiple=True, help="Only in this state.")
@limit_option
@connected
def list_orders(
    session: Session,
    merchant_id: str,
    states: tuple[order_pb2.OrderState.ValueType, ...],
    limit: int,
) -> None:
    """List a merchant's orders, newest first."""
    found = session.bank.payments.list_orders(
        merchant_id=merchant_id, states=states, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(
        pb.ListOrdersResponse(orders=found),
        lambda: views.table(
            "Orders",
            ["created", "state", "amount", "refunded", "number", "order"],
            [
                [
                    views.moment(one.create_time),
                    views.word(order_pb2.OrderState, "ORDER_STATE_", one.state),
                    views.amount(one.amount),
                    views.amount(one.refunded) if one.refunded.minor_units else "",
                    one.order_number,
                    one.order_id,
                ]
                for one in found
            ],
            right=["amount", "refunded"],
        ),
    )


@order.command()
@click.argument("merchant_id")
@click.argument("number")
@click.option("--resolve", is_flag=True, help="Have it paid or closed for ever.")
@connected
def lookup(session: Session, merchant_id: str, number: str, *, resolve: bool) -> None:
    """Tell honestly what became of an order, by the merchant's number."""
    reply: pb.ResolveOrderResponse | pb.LookupOrderResponse
    if resolve:
        reply = session.bank.payments.resolve_order(
            merchant_id=merchant_id, order_number=number
        ).message
    else:
        reply = session.bank.payments.lookup_order(merchant_id=merchant_id, order_number=number)
    answer = views.word(order_pb2.OrderAnswer, "ORDER_ANSWER_", reply.answer)
    session.show(reply, lambda: views.card("Order", [("answer", answer), *facts(reply.order)]))


@order.command()
@click.argument("order_id")
@connected
def watch(session: Session, order_id: str) -> None:
    """Print an order whenever it changes, until Ctrl-C."""
    with session.bank.payments.watch_order(order_id=order_id) as stream:
        for message in stream:
            session.show(message, partial(order_card, message.order))


@order.command()
@click.argument("order_id")
@click.argument("from_account_id", metavar="FROM")
@click.option("--tip", default="", help="Amount besides, where the order asks for one.")
@request_id_option
@connected
def pay(
    session: Session, order_id: str, from_account_id: str, *, tip: str, request_id: str | None
) -> None:
    """Pay an order from a wallet's account."""
    found = session.bank.payments.get_order(order_id=order_id).order
    due = found.amount
    from longmen_client import Money

    besides = money(tip, due.currency_code) if tip else None
    if besides is None and found.tip.minor_units:
        besides = Money.from_proto(found.tip)

    session.bank.payments.pay_order(
        order_id=order_id,
        from_account_id=from_account_id,
        amount=Money.from_proto(due),
        tip=besides,
        request_id=request_id,
    )
    reply = session.bank.payments.get_order(order_id=order_id)
    session.show(reply, lambda: order_card(reply.order))


@order.command()
@click.argument("order_id")
@request_id_option
@connected
def close(session: Session, order_id: str, request_id: str | None) -> None:
    """Let an order never be paid."""
    reply = session.bank.payments.close_order(order_id=order_id, request_id=request_id).message
    session.show(reply, lambda: order_card(reply.order))


@order.command()
@click.argument("order_id")
@click.argument("amount")
@currency_option
@click.option("--number", default="", help="Of the refund, the merchant's own; made if omitted.")
@click.option("--reason", default="", help="Text that is kept with the refund.")
@request_id_option
@connected
def refund(
    session: Session,
    order_id: str,
    amount: str,
    *,
    currency: str,
    number: str,
    reason: str,
    request_id: str | None,
) -> None:
    """Return all or part of a payment."""
    reply = session.bank.payments.refund_order(
        order_id=order_id,
        refund_number=number or new_request_id(),
        amount=money(amount, currency),
        reason_text=reason,
        request_id=request_id,
    ).message
    session.show(reply, lambda: order_card(reply.order))


def order_card(one: order_pb2.Order, *, code: str = "") -> Table:
    """One order."""
    return views.card("Order", [*facts(one), ("code", code)])


def facts(one: order_pb2.Order) -> list[tuple[str, Any]]:
    """What an order is, as rows; none for an order that nobody has seen."""
    if not one.order_id:
        return []
    return [
        ("state", views.word(order_pb2.OrderState, "ORDER_STATE_", one.state)),
        ("amount", views.amount(one.amount) if one.HasField("amount") else ""),
        ("tip", views.amount(one.tip) if one.tip.minor_units else ""),
        ("refunded", views.amount(one.refunded) if one.refunded.minor_units else ""),
        ("tip refunded", views.amount(one.tip_refunded) if one.tip_refunded.minor_units else ""),
        ("number", one.order_number),
        ("description", one.description),
        ("expires", views.moment(one.expire_time)),
        ("paid", views.moment(one.pay_time)),
        ("transaction", one.transaction_id),
        ("order", one.order_id),
    ]


def drawn(code: str) -> str:
    """A code as lines of a terminal."""
    import segno

    out = io.StringIO()
    segno.make(code, error="m").terminal(out, compact=True)
    return out.getvalue()
