"""`longmen settlement`: what merchants were paid out, by business date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.merchants.v1 import settlement_pb2
from longmen.merchants.v1 import settlements_service_pb2 as pb
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import limit_option
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from rich.table import Table


@click.group(epilog=EXIT_CODES)
def settlement() -> None:
    """What merchants were paid out, by business date."""


@settlement.command()
@click.argument("settlement_id")
@connected
def show(session: Session, settlement_id: str) -> None:
    """Show one settlement."""
    reply = session.bank.settlements.get_settlement(settlement_id=settlement_id)
    session.show(reply, lambda: card(reply.settlement))


@settlement.command("list")
@click.argument("merchant_id")
@limit_option
@connected
def list_(session: Session, merchant_id: str, limit: int) -> None:
    """List a merchant's settlements, newest first."""
    found = session.bank.settlements.list_settlements(
        merchant_id=merchant_id, page_size=min(limit, 1_000)
    ).first(limit)
    session.show(pb.ListSettlementsResponse(settlements=found), lambda: table(found))


def table(found: list[settlement_pb2.Settlement]) -> Table:
    """Settlements, a line each."""
    columns = ["date", "settles", "state", "sales", "refunds", "fees", "net", "paid", "carried"]
    return views.table(
        "Settlements",
        [*columns, "settlement"],
        [
            [
                one.business_date,
                one.settlement_date,
                views.word(settlement_pb2.SettlementState, "SETTLEMENT_STATE_", one.state),
                amount(one.sale_minor_units, one),
                amount(one.refund_minor_units, one),
                amount(one.fee_minor_units - one.fee_returned_minor_units, one),
                amount(one.net_minor_units, one),
                amount(one.paid_minor_units, one),
                amount(one.carried_out_minor_units, one),
                one.settlement_id,
            ]
            for one in found
        ],
        right=columns[3:],
    )


def card(one: settlement_pb2.Settlement) -> Table:
    """A settlement with its facts."""
    return views.card(
        "Settlement",
        [
            ("settlement", one.settlement_id),
            ("merchant", one.merchant_id),
            ("business date", one.business_date),
            ("settles on", one.settlement_date),
            ("state", views.word(settlement_pb2.SettlementState, "SETTLEMENT_STATE_", one.state)),
            ("sales", counted(one.sale_minor_units, one.sale_count, one)),
            ("refunds", counted(one.refund_minor_units, one.refund_count, one)),
            ("fees", amount(one.fee_minor_units, one)),
            ("fees returned", amount(one.fee_returned_minor_units, one)),
            ("other", amount(one.other_minor_units, one)),
            ("net", amount(one.net_minor_units, one)),
            ("carried in", amount(one.carried_in_minor_units, one)),
            ("paid", amount(one.paid_minor_units, one)),
            ("carried out", amount(one.carried_out_minor_units, one)),
            ("transaction", one.transaction_id),
            ("settled", views.moment(one.settle_time)),
        ],
    )


def amount(value: int, one: settlement_pb2.Settlement) -> views.Text:
    """An amount of a settlement, which may be below zero."""
    return views.minor_units(value, one.currency_code)


def counted(value: int, count: int, one: settlement_pb2.Settlement) -> views.Text:
    """An amount, and how many movements it comes from."""
    return amount(value, one).append(f" in {count:,}")
