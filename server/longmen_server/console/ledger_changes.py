"""`longmen ledger`: what moves money or changes accounts in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.ledger.v1 import account_pb2, ledger_service_pb2
from longmen_client import account_spec, hold_spec, transfer_spec
from longmen_server.console import ledger_views, views
from longmen_server.console.failure import REFUSED
from longmen_server.console.parameters import (
    MOMENT,
    SPAN,
    EnumType,
    book_option,
    currency_option,
    money,
)
from longmen_server.console.session import Session, connected, request_id_option

if TYPE_CHECKING:
    from datetime import datetime, timedelta

STATES = EnumType(account_pb2.AccountState.DESCRIPTOR, "ACCOUNT_STATE_")


@click.command("open")
@click.argument("chart_code", type=int)
@click.argument("currency")
@click.option("--owner", default="", metavar="CUSTOMER", help="Customer it belongs to.")
@click.option("--floor", type=int, help="Lowest balance, in minor units.")
@click.option("--ceiling", type=int, help="Highest balance, in minor units.")
@click.option("--unlimited", is_flag=True, help="Take the chart's default floor away.")
@click.option("--description", default="", help="A name for people.")
@book_option
@request_id_option
@connected
def open_account(
    session: Session,
    chart_code: int,
    currency: str,
    owner: str,
    floor: int | None,
    ceiling: int | None,
    description: str,
    book: int,
    request_id: str | None,
    *,
    unlimited: bool,
) -> None:
    """Open an account at a place of the chart of accounts."""
    reply = session.bank.ledger.create_accounts(
        accounts=[
            account_spec(
                chart_code=chart_code,
                currency_code=currency.upper(),
                owner_id=owner,
                floor_minor_units=floor,
                ceiling_minor_units=ceiling,
                unlimited=unlimited,
                description=description,
            )
        ],
        book=book,
        request_id=request_id,
    )
    session.show(reply.message, lambda: ledger_views.account_card(reply.message.accounts[0]))


@click.command()
@click.argument("debit_account_id", metavar="DEBIT")
@click.argument("credit_account_id", metavar="CREDIT")
@click.argument("amount")
@currency_option
@click.option("--hold-for", type=SPAN, metavar="TIME", help="Only hold it, for so long: 2h, 7d.")
@click.option("--effective", type=MOMENT, help="When it counts, if not now.")
@click.option("--code", type=int, default=0, help="Classification.")
@click.option("--reference", default="", help="Reference of the caller.")
@click.option("--description", default="", help="Text for people.")
@request_id_option
@connected
def post(
    session: Session,
    debit_account_id: str,
    credit_account_id: str,
    amount: str,
    currency: str,
    hold_for: timedelta | None,
    effective: datetime | None,
    code: int,
    reference: str,
    description: str,
    request_id: str | None,
) -> None:
    """Move an AMOUNT from the debit to the credit account, or hold it."""
    moved = money(amount, currency)
    if hold_for is not None:
        spec = hold_spec(
            debit_account_id=debit_account_id,
            credit_account_id=credit_account_id,
            amount=moved,
            hold_duration=hold_for,
            code=code,
            reference=reference,
            description=description,
        )
    else:
        spec = transfer_spec(
            debit_account_id=debit_account_id,
            credit_account_id=credit_account_id,
            amount=moved,
            effective_time=effective,
            code=code,
            reference=reference,
            description=description,
        )
    reply = session.bank.ledger.create_transfers(transfers=[spec], request_id=request_id)
    (result,) = reply.message.results
    session.show(reply.message, lambda: ledger_views.result_card(result))
    if result.reason:
        refusal = ledger_views.refusal_text(result.reason, result.reason_metadata)
        click.echo(f"refused: {refusal}", err=True)
        raise SystemExit(REFUSED)


@click.command()
@click.argument("posting_id")
@click.argument("amount", default="")
@currency_option
@click.option("--final", is_flag=True, help="Free whatever the hold has left.")
@request_id_option
@connected
def capture(
    session: Session,
    posting_id: str,
    amount: str,
    currency: str,
    request_id: str | None,
    *,
    final: bool,
) -> None:
    """Turn all, or an AMOUNT, of what a pending posting holds into a final movement."""
    reply = session.bank.ledger.capture_pending(
        pending_posting_id=posting_id,
        amount=money(amount, currency) if amount else None,
        final=final,
        request_id=request_id,
    ).message
    session.show(reply, lambda: ledger_views.result_card(reply.result, reply.hold))


@click.command()
@click.argument("posting_id")
@request_id_option
@connected
def void(session: Session, posting_id: str, request_id: str | None) -> None:
    """Free whatever a pending posting still holds."""
    reply = session.bank.ledger.void_pending(
        pending_posting_id=posting_id, request_id=request_id
    ).message
    session.show(reply, lambda: ledger_views.result_card(reply.result, reply.hold))


@click.command()
@click.argument("transaction_id")
@click.option("--description", default="", help="Text for people, such as why.")
@request_id_option
@connected
def reverse(
    session: Session, transaction_id: str, description: str, request_id: str | None
) -> None:
    """Take a transaction back by an equal and opposite one."""
    reply = session.bank.ledger.reverse_transaction(
        transaction_id=transaction_id, description=description, request_id=request_id
    ).message
    session.show(
        reply,
        lambda: ledger_views.transaction_table(
            f"Reversal of {transaction_id}", [reply.transaction]
        ),
    )


@click.command("set-state")
@click.argument("account_id")
@click.argument("state", type=STATES)
@click.option("--reason", default="", help="Text that is kept with the change.")
@request_id_option
@connected
def set_state(
    session: Session,
    account_id: str,
    state: account_pb2.AccountState.ValueType,
    reason: str,
    request_id: str | None,
) -> None:
    """Freeze, unfreeze, mark as closing or close an account."""
    reply = session.bank.ledger.set_account_state(
        account_id=account_id, state=state, reason_text=reason, request_id=request_id
    ).message
    session.show(reply, lambda: ledger_views.account_card(reply.account))


@click.command()
@click.argument("transaction_ids", nargs=-1, required=True)
@connected
def lookup(session: Session, transaction_ids: tuple[str, ...]) -> None:
    """Tell what became of transaction ids: created, refused, or never seen."""
    reply = session.bank.ledger.lookup_transfers(transaction_ids=transaction_ids)
    states = ledger_service_pb2.TransferLookup.State
    session.show(
        reply,
        lambda: views.table(
            "Transfers",
            ["transaction", "state", "reason"],
            [
                [one.transaction_id, views.word(states, "STATE_", one.state), one.refusal_reason]
                for one in reply.lookups
            ],
        ),
    )


CHANGES = (open_account, post, capture, void, reverse, set_state, lookup)
"""Commands of this module."""
