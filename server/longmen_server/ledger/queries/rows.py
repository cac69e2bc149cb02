"""The columns that reads select, and how records become rows and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.ledger import encode
from longmen_server.ledger.model import AccountRow, HoldRow, PostingKind, PostingRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen.ledger.v1 import transaction_pb2

__all__ = [
    "ACCOUNT_COLUMNS",
    "HOLD_JOIN",
    "POSTING_COLUMNS",
    "POSTING_WIDTH",
    "POSTING_WITH_HOLD",
    "posting_message",
    "posting_row",
]

ACCOUNT_COLUMNS: Final = ", ".join(AccountRow.__slots__)
"""The columns of an account in the order of AccountRow."""

POSTING_COLUMNS: Final = ", ".join(f"p.{name}" for name in PostingRow._fields)
"""The columns of a posting, under the alias p, in the order of PostingRow."""

_HOLD_COLUMNS: Final = "h.captured, h.remaining, h.state, h.expires_at_us"

POSTING_WITH_HOLD: Final = f"{POSTING_COLUMNS}, {_HOLD_COLUMNS}"
"""As POSTING_COLUMNS, and what became of the hold; goes with HOLD_JOIN."""

HOLD_JOIN: Final = (
    " left join ledger_hold as h on h.book = $1 and h.transaction_id = p.transaction_id"
    f" and h.ordinal = p.ordinal and p.kind = {PostingKind.PENDING:d}"
)
"""Joins the holds of pending postings; the book is the statement's first parameter."""

POSTING_WIDTH: Final = len(PostingRow._fields)


def posting_row(record: Sequence[Any]) -> PostingRow:
    """Return the posting that a record begins with."""
    return PostingRow._make(record[:POSTING_WIDTH])


def posting_message(record: Sequence[Any]) -> transaction_pb2.Posting:
    """Return the message of a record of POSTING_WITH_HOLD."""
    row = posting_row(record)
    captured, remaining, state, expires_at_us = record[POSTING_WIDTH : POSTING_WIDTH + 4]
    if state is None:
        return encode.posting(row)
    hold = HoldRow(
        row.transaction_id,
        row.ordinal,
        row.debit_account_id,
        row.credit_account_id,
        row.currency_code,
        row.amount,
        captured,
        remaining,
        state,
        expires_at_us,
    )
    return encode.posting(row, hold)
