"""Tables of the general ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.ledger.v1 import account_pb2, ledger_service_pb2, transaction_pb2
from longmen_client import errors
from longmen_server.console import views

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table

    from longmen.errors.v1 import error_reason_pb2


def account_card(one: account_pb2.Account) -> Table:
    """A ledger account with its counters."""
    currency = one.currency_code
    balances = one.balances
    rows: list[tuple[str, str | views.Text]] = [
        ("account", one.account_id),
        ("description", one.description),
        ("owner", one.owner_id),
        ("type", views.word(account_pb2.AccountType, "ACCOUNT_TYPE_", one.type)),
        ("chart code", str(one.chart_code)),
        ("state", account_state(one)),
        ("posted", views.minor_units(balances.posted, currency)),
        ("available", views.minor_units(balances.available, currency)),
        ("debits", counter(balances.debits_posted, balances.debits_pending, currency)),
        ("credits", counter(balances.credits_posted, balances.credits_pending, currency)),
    ]
    if one.HasField("floor_minor_units"):
        rows.append(("floor", views.minor_units(one.floor_minor_units, currency)))
    if one.HasField("ceiling_minor_units"):
        rows.append(("ceiling", views.minor_units(one.ceiling_minor_units, currency)))
    rows += [
        ("version", str(balances.version)),
        ("opened", views.moment(one.create_time)),
        ("changed", views.moment(one.update_time)),
    ]
    return views.card("Ledger account", rows)


def account_state(one: account_pb2.Account) -> views.Text:
    """What postings an account takes."""
    return views.word(account_pb2.AccountState, "ACCOUNT_STATE_", one.state)


def counter(posted: int, pending: int, currency: str) -> views.Text:
    """One side of an account: what is posted, and what is pending if anything is."""
    text = views.minor_units(posted, currency)
    if pending:
        text.append(" + pending ").append_text(views.minor_units(pending, currency))
    return text


def account_table(accounts: Iterable[account_pb2.Account]) -> Table:
    """Ledger accounts."""
    return views.table(
        "Ledger accounts",
        ["account", "code", "type", "state", "posted", "available", "description"],
        [
            [
                one.account_id,
                str(one.chart_code),
                views.word(account_pb2.AccountType, "ACCOUNT_TYPE_", one.type),
                account_state(one),
                views.minor_units(one.balances.posted, one.currency_code),
                views.minor_units(one.balances.available, one.currency_code),
                one.description,
            ]
            for one in accounts
        ],
        right=["code", "posted", "available"],
    )


def posting_rows(postings: Iterable[transaction_pb2.Posting]) -> list[Sequence[str | views.Text]]:
    """Postings, one on each row."""
    return [
        [
            views.moment(one.booked_time),
            one.posting_id,
            kind(one),
            one.debit_account_id,
            one.credit_account_id,
            views.amount(one.amount),
            one.reference or one.description,
        ]
        for one in postings
    ]


def kind(posting: transaction_pb2.Posting) -> views.Text:
    """What a posting does, and what became of a hold."""
    text = views.word(transaction_pb2.PostingKind, "POSTING_KIND_", posting.kind)
    if posting.hold.state:
        hold = views.word(transaction_pb2.HoldState, "HOLD_STATE_", posting.hold.state)
        text.append(", ").append_text(hold)
    if posting.reverses_transaction_id:
        text.append(", reversal")
    return text


def transaction_table(title: str, transactions: Iterable[transaction_pb2.Transaction]) -> Table:
    """Transactions by their postings."""
    postings = [posting for one in transactions for posting in one.postings]
    return views.table(
        title,
        ["booked", "posting", "kind", "debit", "credit", "amount", "reference"],
        posting_rows(postings),
        right=["amount"],
    )


def entry_table(entries: Iterable[transaction_pb2.Entry]) -> Table:
    """An account's history."""
    rows: list[list[str | views.Text]] = []
    for one in entries:
        posting = one.posting
        debit = one.side == transaction_pb2.Entry.SIDE_DEBIT
        currency = posting.amount.currency_code
        rows.append(
            [
                str(one.version),
                views.moment(posting.booked_time),
                kind(posting),
                views.amount(posting.amount) if debit else "",
                "" if debit else views.amount(posting.amount),
                views.minor_units(one.posted_after_minor_units, currency),
                views.minor_units(one.available_after_minor_units, currency),
                posting.posting_id,
            ]
        )
    return views.table(
        "Entries",
        ["version", "booked", "kind", "debit", "credit", "posted after", "available", "posting"],
        rows,
        right=["version", "debit", "credit", "posted after", "available"],
    )


def balance_table(account_ids: Sequence[str], balances: Iterable[account_pb2.Balances]) -> Table:
    """Balances of accounts."""
    return views.table(
        "Balances",
        ["account", "posted", "available", "debits", "credits", "version"],
        [
            [
                account_id,
                views.minor_units(one.posted, one.currency_code),
                views.minor_units(one.available, one.currency_code),
                counter(one.debits_posted, one.debits_pending, one.currency_code),
                counter(one.credits_posted, one.credits_pending, one.currency_code),
                str(one.version),
            ]
            for account_id, one in zip(account_ids, balances, strict=True)
        ],
        right=["posted", "available", "debits", "credits", "version"],
    )


def trial_balance_table(reply: ledger_service_pb2.GetTrialBalanceResponse) -> Table:
    """A book's sums by currency and chart code."""
    columns = ["currency", "code", "name", "type", "accounts", "debits", "credits"]
    table = views.table(
        "Trial balance",
        columns,
        [
            [
                one.currency_code,
                str(one.chart_code),
                one.chart_name,
                views.word(account_pb2.AccountType, "ACCOUNT_TYPE_", one.type),
                f"{one.account_count:,}",
                counter(one.debits_posted, one.debits_pending, one.currency_code),
                counter(one.credits_posted, one.credits_pending, one.currency_code),
            ]
            for one in reply.lines
        ],
        right=["code", "accounts", "debits", "credits"],
    )
    for currency in sorted({one.currency_code for one in reply.lines}):
        lines = [one for one in reply.lines if one.currency_code == currency]
        debits = sum(one.debits_posted + one.debits_pending for one in lines)
        credits_ = sum(one.credits_posted + one.credits_pending for one in lines)
        table.add_section()
        table.add_row(
            currency,
            "",
            "sum with pending",
            "",
            "",
            views.minor_units(debits, currency),
            views.minor_units(credits_, currency),
            style="bold",
        )
    table.caption = "balanced" if reply.balanced else "NOT BALANCED"
    return table


def result_card(
    result: transaction_pb2.TransferResult, hold: transaction_pb2.Hold | None = None
) -> Table:
    """What became of one transfer."""
    outcome = views.word(transaction_pb2.TransferResult.Outcome, "OUTCOME_", result.outcome)
    currency = result.debit_balances.currency_code or result.credit_balances.currency_code
    rows: list[tuple[str, str | views.Text]] = [
        ("outcome", outcome),
        ("transaction", result.transaction_id),
        ("reason", refusal_text(result.reason, result.reason_metadata)),
        ("booked", views.moment(result.booked_time)),
    ]
    if currency:
        rows += [
            ("amount", views.minor_units(result.amount_minor_units, currency)),
            ("debit available", views.minor_units(result.debit_balances.available, currency)),
            ("credit available", views.minor_units(result.credit_balances.available, currency)),
        ]
    if hold is not None and hold.state:
        rows.append(("hold", views.word(transaction_pb2.HoldState, "HOLD_STATE_", hold.state)))
        if currency:
            rows.append(("captured", views.minor_units(hold.captured_minor_units, currency)))
            rows.append(("still held", views.minor_units(hold.remaining_minor_units, currency)))
        rows.append(("expires", views.moment(hold.expire_time)))
    return views.card("Transfer", rows)


def refusal_text(
    reason: error_reason_pb2.ErrorReason.ValueType, metadata: Mapping[str, str]
) -> str:
    """The reason of a refusal with its facts; empty for none."""
    refusal = errors.refusal_of(reason, metadata)
    if refusal is None:
        return ""
    facts = ", ".join(f"{key}={value}" for key, value in sorted(metadata.items()))
    return f"{refusal.details.reason} ({facts})" if facts else refusal.details.reason
