"""Transaction ids that callers choose.

The same id and content is answered again, other content is a conflict, and a refused id stays
refused.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from longmen_server.ledger import encode
from longmen_server.ledger.model import BalancingMode, PostingIntent, PostingKind
from longmen_server.ledger.tables import CHOSEN_POSTINGS, EXISTING, REFUSED
from longmen_server.platform.ids import TransactionId, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen.ledger.v1 import transaction_pb2
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import PostingRow

#: Refusals that say something about an id's first use, and so do not use it up again.
_KEEPS_FIRST = frozenset({"TRANSACTION_ID_CONFLICT", "TRANSACTION_ID_REFUSED"})

#: Fields that a transaction says once for all its postings.
_OF_TRANSACTION = frozenset({"effective_time", "code", "reference", "description"})

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
    existing = working_set.get(EXISTING, intent.transaction_id)
    if existing is None:
        _check_unused(working_set, intent.transaction_id)
        return None
    field = first_difference(existing, intent)
    if field is not None:
        raise _conflict(field)
    return encode.existing(existing)


def answer_chosen_transaction(
    working_set: WorkingSet, transaction_id: TransactionId, intents: Sequence[PostingIntent]
) -> list[PostingRow] | None:
    """Return the postings of a chosen id that took effect before, or None when the id is new.

    Raises:
        Refusal: as :func:`answer_chosen_id`; a field of a posting is named like
            ``postings[2].amount``.
    """
    existing = working_set.get(EXISTING, transaction_id)
    if existing is None:
        _check_unused(working_set, transaction_id)
        return None
    rows = working_set.get(CHOSEN_POSTINGS, transaction_id) or [existing]
    field = _first_difference_in_all(rows, intents)
    if field is not None:
        raise _conflict(field)
    return rows


def _conflict(field: str) -> Refusal:
    return Refusal(
        "TRANSACTION_ID_CONFLICT",
        "the transaction id exists with another content",
        metadata={"field": field},
        field="transaction_id",
    )


def _check_unused(working_set: WorkingSet, transaction_id: TransactionId) -> None:
    """Refuse an id that was refused before, or that is of another book."""
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
            return _contract_name(name)
    return None


def _first_difference_on_hold(existing: PostingRow, intent: PostingIntent) -> str | None:
    if existing.kind != intent.kind:
        return "kind"
    if (existing.pending_transaction_id, existing.pending_ordinal) != intent.pending:
        return "pending_posting_id"
    # Without an amount a capture takes what is left, whatever that was.
    if intent.kind == PostingKind.CAPTURE and intent.amount not in {0, existing.amount}:
        return "amount"
    if intent.amount and intent.currency_code != existing.currency_code:
        return "currency_code"
    for name in ("effective_at_us", "code", "reference", "description"):
        if getattr(existing, name) != getattr(intent, name):
            return _contract_name(name)
    return None


def _first_difference_in_all(
    rows: Sequence[PostingRow], intents: Sequence[PostingIntent]
) -> str | None:
    """Compare a whole transaction, passing over the voids that its final captures added."""
    left = deque(rows)
    for index, intent in enumerate(intents):
        if not left:
            return f"postings[{index}]"
        field = first_difference(left.popleft(), intent)
        if field is not None:
            return field if field in _OF_TRANSACTION else f"postings[{index}].{field}"
        if intent.final and left and _voids(left[0], intent):
            left.popleft()
    return "postings" if left else None


def _voids(row: PostingRow, intent: PostingIntent) -> bool:
    address = (row.pending_transaction_id, row.pending_ordinal)
    return row.kind == PostingKind.VOID and address == intent.pending


def _contract_name(name: str) -> str:
    return "effective_time" if name == "effective_at_us" else name


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
