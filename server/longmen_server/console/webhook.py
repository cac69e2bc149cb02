"""`longmen webhook`: where merchants are told what happens, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import webhook_pb2
from longmen.merchants.v1 import webhooks_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import EnumType, limit_option
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

STATES = EnumType(webhook_pb2.DeliveryState.DESCRIPTOR, "DELIVERY_STATE_")


@click.group(epilog=EXIT_CODES)
def webhook() -> None:
    """Where merchants are told what happens."""


@webhook.command()
@click.argument("merchant_id")
@click.argument("url")
@click.option("--type", "types", multiple=True, help="Only such events, for example order.paid.")
@click.option("--notice-email", default="", help="Told when the endpoint is switched off.")
@request_id_option
@connected
def create(
    session: Session,
    merchant_id: str,
    url: str,
    types: tuple[str, ...],
    notice_email: str,
    request_id: str | None,
) -> None:
    """Make an endpoint, and print the secret that signs for it this once."""
    reply = session.bank.webhooks.create_endpoint(
        merchant_id=merchant_id,
        url=url,
        types=types,
        notice_email=notice_email,
        request_id=request_id,
    ).message
    session.show(reply, lambda: card(reply.endpoint, reply.secret))


@webhook.command("list")
@click.argument("merchant_id")
@limit_option
@connected
def list_(session: Session, merchant_id: str, limit: int) -> None:
    """List a merchant's endpoints, newest first."""
    found = session.bank.webhooks.list_endpoints(
        merchant_id=merchant_id, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(
        pb.ListEndpointsResponse(endpoints=found),
        lambda: views.table(
            "Endpoints",
            ["endpoint", "url", "state", "types", "failing since"],
            [
                [
                    one.endpoint_id,
                    one.url,
                    state(one),
                    " ".join(one.types) or "all",
                    views.moment(one.failing_since_time),
                ]
                for one in found
            ],
        ),
    )


@webhook.command()
@click.argument("endpoint_id")
@request_id_option
@connected
def enable(session: Session, endpoint_id: str, request_id: str | None) -> None:
    """Switch an endpoint on."""
    switch(session, endpoint_id, webhook_pb2.ENDPOINT_STATE_ENABLED, request_id)


@webhook.command()
@click.argument("endpoint_id")
@request_id_option
@connected
def disable(session: Session, endpoint_id: str, request_id: str | None) -> None:
    """Switch an endpoint off; what happens meanwhile is not sent later."""
    switch(session, endpoint_id, webhook_pb2.ENDPOINT_STATE_DISABLED, request_id)


@webhook.command()
@click.argument("endpoint_id")
@click.option("--overlap", "hours", type=click.IntRange(1, 168), default=24, help="Hours for both.")
@request_id_option
@connected
def rotate(session: Session, endpoint_id: str, hours: int, request_id: str | None) -> None:
    """Make another secret, and print it this once; the one before signs too for a while."""
    reply = session.bank.webhooks.rotate_secret(
        endpoint_id=endpoint_id, overlap_hours=hours, request_id=request_id
    ).message
    session.show(reply, lambda: card(reply.endpoint, reply.secret))


@webhook.command()
@click.argument("endpoint_id")
@request_id_option
@connected
def test(session: Session, endpoint_id: str, request_id: str | None) -> None:
    """Send an event of the type webhook.test."""
    reply = session.bank.webhooks.send_test_event(
        endpoint_id=endpoint_id, request_id=request_id
    ).message
    session.show(reply, lambda: deliveries_table([reply.delivery]))


@webhook.command()
@click.argument("merchant_id")
@click.option("--endpoint", "endpoint_id", default="", help="Only to this endpoint.")
@click.option("--state", type=STATES, default=None, help="Only in this state.")
@limit_option
@connected
def deliveries(
    session: Session,
    merchant_id: str,
    endpoint_id: str,
    state: webhook_pb2.DeliveryState.ValueType | None,
    limit: int,
) -> None:
    """List deliveries to a merchant, newest first."""
    found = session.bank.webhooks.list_deliveries(
        merchant_id=merchant_id,
        endpoint_id=endpoint_id,
        state=state or webhook_pb2.DELIVERY_STATE_UNSPECIFIED,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(pb.ListDeliveriesResponse(deliveries=found), lambda: deliveries_table(found))


@webhook.command()
@click.argument("delivery_id")
@request_id_option
@connected
def redeliver(session: Session, delivery_id: str, request_id: str | None) -> None:
    """Send a delivery again, whatever became of it."""
    reply = session.bank.webhooks.redeliver(delivery_id=delivery_id, request_id=request_id).message
    session.show(reply, lambda: deliveries_table([reply.delivery]))


def switch(
    session: Session,
    endpoint_id: str,
    wanted: webhook_pb2.EndpointState.ValueType,
    request_id: str | None,
) -> None:
    """Bring an endpoint to a state."""
    reply = session.bank.webhooks.set_endpoint_state(
        endpoint_id=endpoint_id, state=wanted, request_id=request_id
    ).message
    session.show(reply, lambda: card(reply.endpoint))


def state(one: webhook_pb2.Endpoint) -> str | views.Text:
    """An endpoint's state in a word."""
    return views.word(webhook_pb2.EndpointState, "ENDPOINT_STATE_", one.state)


def card(one: webhook_pb2.Endpoint, secret: str = "") -> Table:
    """An endpoint with its facts."""
    facts: list[tuple[str, str | views.Text]] = [
        ("endpoint", one.endpoint_id),
        ("url", one.url),
        ("state", state(one)),
        ("types", " ".join(one.types) or "all"),
        ("old secret until", views.moment(one.previous_secret_end_time)),
    ]
    if secret:
        facts.append(("secret", secret))
    return views.card("Endpoint", facts)


def deliveries_table(found: Iterable[webhook_pb2.Delivery]) -> Table:
    """Deliveries, a line each."""
    return views.table(
        "Deliveries",
        ["created", "type", "subject", "state", "attempts", "status", "failure", "due", "delivery"],
        [
            [
                views.moment(one.create_time),
                one.type,
                one.subject_id,
                views.word(webhook_pb2.DeliveryState, "DELIVERY_STATE_", one.state),
                str(one.attempt_count),
                str(one.last_status or ""),
                one.last_failure,
                views.moment(one.due_time),
                one.delivery_id,
            ]
            for one in found
        ],
        right=["attempts", "status"],
    )
