"""Commands of the ledger from their requests, for whoever may give them: a caller or a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger import commands, decode
from longmen_server.platform.ids import (
    ACCOUNT,
    ORDINAL_MAXIMUM,
    TRANSACTION,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen.ledger.v1 import ledger_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.ledger.model import PostingIntent
    from longmen_server.platform.clock import Clock

__all__ = [
    "book_of_intent",
    "create_transaction",
    "effective",
    "reverse_transaction",
    "set_account_state",
    "undecided_id",
]

#: Postings of one transaction, those included that final captures add.
_POSTINGS_MAX = ORDINAL_MAXIMUM + 1


def create_transaction(
    request: pb.CreateTransactionRequest, key: RequestKey | None, clock: Clock
) -> commands.CreateTransaction:
    """Return the command of one transaction of several postings.

    Raises:
        Refusal: INVALID_REQUEST and what decoding refuses.
    """
    _check_bare_postings(request)
    intents = [
        decode.transfer(spec, field=f"postings[{index}]", make_id=undecided_id)[0]
        for index, spec in enumerate(request.postings)
    ]
    book = book_of_intent(intents[0])
    chosen = bool(request.transaction_id)
    transaction_id = (
        decode.decode_id(TRANSACTION, request.transaction_id, "transaction_id")
        if chosen
        else TransactionId(new_id(book, clock))
    )
    for intent in intents:
        intent.transaction_id = transaction_id
        intent.code = request.code
        intent.reference = request.reference or None
        intent.description = request.description or None
        intent.effective_at_us = effective(request)
    return commands.CreateTransaction(
        book, key, intents, transaction_id=transaction_id, chosen=chosen
    )


def reverse_transaction(
    request: pb.ReverseTransactionRequest, key: RequestKey | None, clock: Clock
) -> commands.ReverseTransaction:
    """Return the command that takes a transaction back."""
    original_id = decode.decode_id(TRANSACTION, request.transaction_id, "transaction_id")
    book = book_of(original_id)
    return commands.ReverseTransaction(
        book,
        key,
        original_id=original_id,
        reversal_id=TransactionId(new_id(book, clock)),
        effective_at_us=effective(request),
        reference=request.reference or None,
        description=request.description or None,
    )


def set_account_state(
    request: pb.SetAccountStateRequest, key: RequestKey | None
) -> commands.SetAccountState:
    """Return the command that freezes, opens or closes an account."""
    account_id = decode.decode_id(ACCOUNT, request.account_id, "account_id")
    return commands.SetAccountState(
        book_of(account_id),
        key,
        account_id=account_id,
        state=request.state,
        reason_text=request.reason_text,
    )


def undecided_id() -> TransactionId:
    """Return the id of an intent whose book is not known yet."""
    return TransactionId(b"")


def book_of_intent(intent: PostingIntent) -> int:
    """Return the book of an intent: that of its hold or of its debit account."""
    if intent.pending is not None:
        return book_of(intent.pending[0])
    assert intent.debit_account_id is not None, "the contract demands accounts or a pending posting"
    return book_of(intent.debit_account_id)


def effective(
    request: pb.CreateTransactionRequest | pb.CapturePendingRequest | pb.ReverseTransactionRequest,
) -> int | None:
    """Return when a request's postings count, in microseconds; None for when they are booked."""
    if not request.HasField("effective_time"):
        return None
    return decode.instant_us(request.effective_time, "effective_time")


def _check_bare_postings(request: pb.CreateTransactionRequest) -> None:
    """Refuse on a posting what only its transaction may say, and more postings than addresses."""
    if len(request.postings) + sum(spec.final for spec in request.postings) > _POSTINGS_MAX:
        raise Refusal(
            "INVALID_REQUEST",
            "a transaction has at most 100 postings; a final capture may make two",
            metadata={"rules": "create_transaction.postings"},
            field="postings",
        )
    for index, spec in enumerate(request.postings):
        said = {
            "transaction_id": spec.transaction_id,
            "linked": spec.linked,
            "code": spec.code,
            "reference": spec.reference,
            "description": spec.description,
            "effective_time": spec.HasField("effective_time"),
        }
        for name, value in said.items():
            if value:
                raise Refusal(
                    "INVALID_REQUEST",
                    "the transaction says this for all its postings",
                    metadata={"rules": "create_transaction.bare_postings"},
                    field=f"postings[{index}].{name}",
                )
