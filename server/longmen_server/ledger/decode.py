"""Messages of the contract as what the ledger's commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.encode import microseconds
from longmen_server.ledger.model import DEFAULT_HOLD_DURATION_US, PostingIntent, PostingKind
from longmen_server.platform.ids import (
    ACCOUNT,
    TRANSACTION,
    IdKind,
    MalformedIdError,
    TransactionId,
    decode_posting,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

    from longmen.ledger.v1 import transaction_pb2

    T = TypeVar("T", bound=bytes)


def decode_id(kind: IdKind[T], text: str, field: str) -> T:
    """Return an id's bytes.

    Raises:
        Refusal: INVALID_REQUEST when it names no book, which the pattern in the contract cannot
        see.
    """
    try:
        return kind.decode(text)
    except MalformedIdError as error:
        raise Refusal(
            "INVALID_REQUEST", str(error), metadata={"rules": "id.book"}, field=field
        ) from error


def decode_posting_id(text: str, field: str) -> tuple[TransactionId, int]:
    """Return a posting's address; raises as :func:`decode_id`."""
    try:
        return decode_posting(text)
    except MalformedIdError as error:
        raise Refusal(
            "INVALID_REQUEST", str(error), metadata={"rules": "id.book"}, field=field
        ) from error


def transfer(
    spec: transaction_pb2.TransferSpec, *, field: str, make_id: Callable[[], TransactionId]
) -> tuple[PostingIntent, bool]:
    """Return what a spec asks for, and whether its id was the caller's choice.

    Args:
        spec: a validated spec.
        field: path of the spec in its request, for refusals.
        make_id: makes an id when the caller chose none.
    """
    chosen = spec.transaction_id
    intent = PostingIntent(
        transaction_id=(
            decode_id(TRANSACTION, chosen, f"{field}.transaction_id") if chosen else make_id()
        ),
        kind=spec.kind or PostingKind.POST,
        code=spec.code,
        reference=spec.reference or None,
        description=spec.description or None,
    )
    if spec.HasField("amount"):
        intent.amount = spec.amount.minor_units
        intent.currency_code = spec.amount.currency_code
    if spec.HasField("effective_time"):
        intent.effective_at_us = instant_us(spec.effective_time, f"{field}.effective_time")
    _check_meaning(spec, intent.kind, field)
    if spec.pending_posting_id:
        intent.pending = decode_posting_id(spec.pending_posting_id, f"{field}.pending_posting_id")
        intent.final = spec.final
        return intent, bool(chosen)
    intent.debit_account_id = decode_id(ACCOUNT, spec.debit_account_id, f"{field}.debit_account_id")
    intent.credit_account_id = decode_id(
        ACCOUNT, spec.credit_account_id, f"{field}.credit_account_id"
    )
    intent.balancing = spec.balancing
    intent.closes_debit_account = spec.closes_debit_account
    intent.closes_credit_account = spec.closes_credit_account
    if spec.HasField("hold_duration"):
        intent.hold_duration_us = duration_us(spec.hold_duration)
    else:
        intent.hold_duration_us = DEFAULT_HOLD_DURATION_US
    return intent, bool(chosen)


def _check_meaning(spec: transaction_pb2.TransferSpec, kind: int, field: str) -> None:
    """Refuse what would be ignored: the caller means something by it."""
    if kind <= PostingKind.PENDING:
        wrong = "final" if spec.final else ""
        if kind == PostingKind.POST and spec.HasField("hold_duration"):
            wrong = "hold_duration"
    else:
        said = {
            "hold_duration": spec.HasField("hold_duration"),
            "balancing": spec.balancing,
            "closes_debit_account": spec.closes_debit_account,
            "closes_credit_account": spec.closes_credit_account,
            "amount": kind == PostingKind.VOID and spec.HasField("amount"),
            "final": kind == PostingKind.VOID and spec.final,
        }
        wrong = next((name for name, value in said.items() if value), "")
    if wrong:
        raise Refusal(
            "INVALID_REQUEST",
            "the field means nothing for this kind of posting",
            metadata={"rules": "transfer_spec.fields_of_kind"},
            field=f"{field}.{wrong}",
        )


#: Seconds of the first and the last instant that a Timestamp may be: years 1 to 9999.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_NANOS = range(1_000_000_000)


def instant_us(value: Timestamp, field: str) -> int:
    """Return a Timestamp in microseconds; finer parts are cut off.

    Raises:
        Refusal: INVALID_REQUEST when it is none of the years 1 to 9999.
    """
    if not _FIRST_SECOND <= value.seconds <= _LAST_SECOND or value.nanos not in _NANOS:
        raise Refusal(
            "INVALID_REQUEST",
            "a timestamp lies in the years 1 to 9999",
            metadata={"rules": "timestamp.range"},
            field=field,
        )
    return microseconds(value)


def duration_us(value: Duration) -> int:
    """Return a Duration in microseconds, at least one; finer parts are cut off."""
    return max(1, value.seconds * 1_000_000 + value.nanos // 1000)
