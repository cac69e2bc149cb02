"""Transaction ids that callers choose.

The same id and content is answered again, other content is a conflict, and a refused id stays
refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger import encode
from longmen_server.ledger.model import BalancingMode, PostingIntent, PostingKind
from longmen_server.ledger.tables import EXISTING, REFUSED
from longmen_server.platform.ids import TransactionId, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen.ledger.v1 import transaction_pb2
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import PostingRow

#: Refusals that say something about an id's first use, and so do not use it up again.
_KEEPS_FIRST = frozenset({"TRANSACTION_ID_CONFLICT", "TRANSACTION_ID_REFUSED"})

#: Fields compared, in the order in which the first difference is reported.
_COMPARED = (
    "kind",
    "debit_account_id",
    "credit_account_id",
    "amount",
    "currency_code",
    "effective_at_us",
    "code",
    "reference",
    "description",
)


def answer_chosen_id(
    working_set: WorkingSet, intent: PostingIntent
) -> transaction_pb2.TransferResult | None:
    """Return the earlier result of a chosen id, or None when the id is new.

    Raises:
        Refusal: BOOK_MISMATCH, TRANSACTION_ID_CONFLICT naming the first field that differs,
            TRANSACTION_ID_REFUSED.
    """
    transaction_id = intent.transaction_id
    existing = working_set.get(EXISTING, transaction_id)
    if existing is not None:
        field = first_difference(existing, intent)
        if field is None:
            return encode.existing(existing)
        raise Refusal(
            "TRANSACTION_ID_CONFLICT",
            "the transaction id exists with another content",
            metadata={"field": field},
            field="transaction_id",
        )
    refused = working_set.get(REFUSED, transaction_id)
    if refused is not None:
        raise Refusal(
            "TRANSACTION_ID_REFUSED",
            "the transaction id was refused before",
            metadata={"first_reason": refused[1]},
            field="transaction_id",
        )
    if book_of(transaction_id) != working_set.book:
        raise Refusal(
            "BOOK_MISMATCH",
            "the ids belong to different books",
            metadata={"field": "transaction_id"},
            field="transaction_id",
        )
    return None


def first_difference(existing: PostingRow, intent: PostingIntent) -> str | None:
    """Return the contract's name of the first field in which an intent differs from a posting."""
    if intent.pending is not None:
        return _first_difference_on_hold(existing, intent)
    for name in _COMPARED:
        stored, wanted = getattr(existing, name), getattr(intent, name)
        if name == "amount" and intent.balancing != BalancingMode.EXACT:
            # A balancing transfer moved what it could; the limit asked for is not kept.
            if stored > wanted:
                return name
            continue
        if stored != wanted:
            return name.removesuffix("_us").replace("effective_at", "effective_time")
    return None


def _first_difference_on_hold(existing: PostingRow, intent: PostingIntent) -> str | None:
    if existing.kind != intent.kind:
        return "kind"
    if (existing.pending_transaction_id, existing.pending_ordinal) != intent.pending:
        return "pending_posting_id"
    if intent.kind == PostingKind.CAPTURE and intent.amount not in {0, existing.amount}:
        return "amount"
    for name in ("code", "reference", "description"):
        if getattr(existing, name) != getattr(intent, name):
            return name
    return None


def remember_refusal(
    working_set: WorkingSet, transaction_id: TransactionId, refusal: Refusal
) -> None:
    """Keep a chosen id refused; an id with a first use, or of another book, is left alone."""
    if refusal.reason in _KEEPS_FIRST or book_of(transaction_id) != working_set.book:
        return
    if working_set.get(EXISTING, transaction_id) or working_set.get(REFUSED, transaction_id):
        return
    row = (transaction_id, refusal.reason, working_set.next_stamp())
    working_set.insert(REFUSED, transaction_id, row)
