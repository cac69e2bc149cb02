"""`longmen ledger`: the double-entry ledger itself, reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from longmen.ledger.v1 import ledger_service_pb2
from longmen_server.console import ledger_views
from longmen_server.console.failure import EXIT_CODES, FINDINGS
from longmen_server.console.ledger_changes import CHANGES
from longmen_server.console.ledger_proofs import PROOFS
from longmen_server.console.parameters import (
    MOMENT,
    book_option,
    limit_option,
    since_until_options,
)
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from datetime import datetime


@click.group(epilog=EXIT_CODES)
def ledger() -> None:
    """The double-entry ledger itself."""


for command in (*CHANGES, *PROOFS):
    ledger.add_command(command)


@ledger.command()
@book_option
@click.option("--owner", default="", metavar="CUSTOMER", help="Only this customer's.")
@click.option("--chart-code", type=int, default=0, help="Only of this place in the chart.")
@click.option("-c", "--currency", default="", help="Only in this currency.")
@limit_option
@connected
def accounts(
    session: Session, book: int, owner: str, chart_code: int, currency: str, limit: int
) -> None:
    """List the accounts of a book."""
    found = session.bank.ledger.list_accounts(
        book=book,
        owner_id=owner,
        chart_code=chart_code,
        currency_code=currency.upper(),
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(
        ledger_service_pb2.ListAccountsResponse(accounts=found),
        lambda: ledger_views.account_table(found),
    )


@ledger.command()
@click.argument("account_id")
@connected
def account(session: Session, account_id: str) -> None:
    """Show one account with its counters."""
    reply = session.bank.ledger.get_account(account_id=account_id)
    session.show(reply, lambda: ledger_views.account_card(reply.account))


@ledger.command()
@book_option
@since_until_options
@click.option("--code", type=int, help="Only with this classification.")
@click.option("--reference", default="", help="Only with exactly this reference.")
@click.option("--oldest-first", is_flag=True, help="From the first on.")
@limit_option
@connected
def transfers(
    session: Session,
    book: int,
    since: datetime | None,
    until: datetime | None,
    code: int | None,
    reference: str,
    limit: int,
    *,
    oldest_first: bool,
) -> None:
    """List the transactions of a book, newest first."""
    found = session.bank.ledger.list_transactions(
        book=book,
        from_time=since,
        to_time=until,
        code=code,
        reference=reference,
        newest_first=not oldest_first,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(
        ledger_service_pb2.ListTransactionsResponse(transactions=found),
        lambda: ledger_views.transaction_table("Transactions", found),
    )


@ledger.command()
@click.argument("transaction_id")
@connected
def transaction(session: Session, transaction_id: str) -> None:
    """Show one transaction with its postings."""
    reply = session.bank.ledger.get_transaction(transaction_id=transaction_id)
    session.show(
        reply,
        lambda: ledger_views.transaction_table(transaction_id, [reply.transaction]),
    )


@ledger.command()
@click.argument("account_id")
@since_until_options
@click.option("--oldest-first", is_flag=True, help="From the first on.")
@limit_option
@connected
def entries(
    session: Session,
    account_id: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    *,
    oldest_first: bool,
) -> None:
    """List an account's history with the balance after each entry, newest first."""
    found = session.bank.ledger.list_entries(
        account_id=account_id,
        from_time=since,
        to_time=until,
        newest_first=not oldest_first,
        page_size=min(limit, 1_000),
    ).first(limit)
    session.show(
        ledger_service_pb2.ListEntriesResponse(entries=found),
        lambda: ledger_views.entry_table(found),
    )


@ledger.command()
@click.argument("account_ids", nargs=-1, required=True)
@click.option("--as-of", type=MOMENT, help="Of what had happened by then.")
@click.option("--known-at", type=MOMENT, help="As the books showed it then.")
@connected
def balances(
    session: Session,
    account_ids: tuple[str, ...],
    as_of: datetime | None,
    known_at: datetime | None,
) -> None:
    """Show the balances of accounts, now or at a moment of the past."""
    reply = session.bank.ledger.get_balances(
        account_ids=account_ids, as_of_effective_time=as_of, known_at_booked_time=known_at
    )
    session.show(reply, lambda: ledger_views.balance_table(account_ids, reply.balances))


@ledger.command("trial-balance")
@book_option
@connected
def trial_balance(session: Session, book: int) -> None:
    """Sum a book by currency and chart code; debits equal credits."""
    reply = session.bank.ledger.get_trial_balance(book=book)
    session.show(reply, lambda: ledger_views.trial_balance_table(reply))
    if not reply.balanced:
        raise SystemExit(FINDINGS)
