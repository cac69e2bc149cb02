"""The canonical form of a posting in the journal, compared with what a receipt says of it.

Layout, version 1, all integers big-endian. Header: version, event type, book, writer, sequence,
ordinal of the posting in its transaction, booked time in microseconds, transaction id. Body:
version, kind, code, currency, both accounts, amount, both versions, both posted balances, both held
amounts, effective time in microseconds, pending transaction and ordinal, reversed transaction, then
reference and description, each with its length in front. Absent values are zeros.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from longmen.events.v1 import event_pb2
from longmen.ledger.v1 import transaction_pb2

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from longmen.ledger.v1 import receipt_pb2

_VERSION = 1
_HEADER = struct.Struct(">BBHHQhQ16s")
_BODY = struct.Struct(">BBH3s16s16sqQQqqqqq16sh16s")
_NO_ID = bytes(16)

_EVENT_TYPES = {
    transaction_pb2.POSTING_KIND_POST: event_pb2.EVENT_TYPE_POSTING_POSTED,
    transaction_pb2.POSTING_KIND_PENDING: event_pb2.EVENT_TYPE_POSTING_PENDING,
    transaction_pb2.POSTING_KIND_CAPTURE: event_pb2.EVENT_TYPE_POSTING_CAPTURED,
    transaction_pb2.POSTING_KIND_VOID: event_pb2.EVENT_TYPE_POSTING_VOIDED,
    transaction_pb2.POSTING_KIND_EXPIRE: event_pb2.EVENT_TYPE_POSTING_EXPIRED,
}


class LeafError(ValueError):
    """A record that is no posting, or not the one it is said to be."""


class _Header(NamedTuple):
    version: int
    event_type: int
    book: int
    writer: int
    sequence: int
    ordinal: int
    booked_us: int
    transaction: bytes


class _Body(NamedTuple):
    version: int
    kind: int
    code: int
    currency: bytes
    debit_account: bytes
    credit_account: bytes
    amount: int
    debit_version: int
    credit_version: int
    debit_posted: int
    credit_posted: int
    debit_held: int
    credit_held: int
    effective_us: int
    pending_transaction: bytes
    pending_ordinal: int
    reversed_transaction: bytes


def check_posting(receipt: receipt_pb2.Receipt) -> None:
    """Check that the hashed bytes of a receipt say what its posting says.

    Raises:
        LeafError: naming the first thing that differs.
    """
    leaf, posting = receipt.record.leaf, receipt.posting
    if len(leaf) < _HEADER.size + _BODY.size:
        raise LeafError("it is too short")
    header = _Header._make(_HEADER.unpack_from(leaf))
    body = _Body._make(_BODY.unpack_from(leaf, _HEADER.size))
    reference, description = _texts(leaf[_HEADER.size + _BODY.size :])
    transaction, ordinal = _posting_id(posting.posting_id)
    pending, pending_ordinal = _posting_id(posting.pending_posting_id)
    pairs = (
        ("version", (_VERSION, _VERSION), (header.version, body.version)),
        ("event type", _EVENT_TYPES.get(posting.kind), header.event_type),
        ("book", receipt.block.book, header.book),
        ("writer", receipt.block.writer, header.writer),
        ("sequence", receipt.record.sequence, header.sequence),
        ("posting id", (transaction, ordinal), (header.transaction, header.ordinal)),
        ("transaction id", transaction, _id(posting.transaction_id)),
        ("booked time", _microseconds(posting.booked_time), header.booked_us),
        ("kind", posting.kind, body.kind),
        ("code", posting.code, body.code),
        ("currency", posting.amount.currency_code.encode(), body.currency),
        ("debit account", _id(posting.debit_account_id), body.debit_account),
        ("credit account", _id(posting.credit_account_id), body.credit_account),
        ("amount", posting.amount.minor_units, body.amount),
        ("debit account version", posting.debit_account_version, body.debit_version),
        ("credit account version", posting.credit_account_version, body.credit_version),
        ("effective time", _microseconds(posting.effective_time), body.effective_us),
        (
            "pending posting id",
            (pending, pending_ordinal),
            (body.pending_transaction, body.pending_ordinal),
        ),
        ("reversed transaction", _id(posting.reverses_transaction_id), body.reversed_transaction),
        ("reference", posting.reference, reference),
        ("description", posting.description, description),
    )
    for name, said, hashed in pairs:
        if said != hashed:
            raise LeafError(f"its {name} differs")


def _id(text: str) -> bytes:
    """The 16 bytes behind an id's text; zeros for none."""
    if not text:
        return _NO_ID
    try:
        raw = bytes.fromhex(text.partition("_")[2])
    except ValueError:
        raw = b""
    if len(raw) != len(_NO_ID):
        raise LeafError(f"{text!r} is no id")
    return raw


def _posting_id(text: str) -> tuple[bytes, int]:
    """Transaction and ordinal behind a posting's id; zeros for none."""
    transaction, _, ordinal = text.partition(".")
    return _id(transaction), int(ordinal) if ordinal.isdecimal() else 0


def _microseconds(stamp: Timestamp) -> int:
    return stamp.seconds * 1_000_000 + stamp.nanos // 1_000


def _texts(tail: bytes) -> tuple[str, str]:
    """The two texts at the end of a leaf, with nothing left over."""
    texts: list[str] = []
    for _ in range(2):
        prefix, length = tail[:2], int.from_bytes(tail[:2], "big")
        raw, tail = tail[2 : 2 + length], tail[2 + length :]
        if len(prefix) + len(raw) != 2 + length:
            raise LeafError("it is cut off")
        texts.append(raw.decode(errors="replace"))
    if tail:
        raise LeafError("it goes on after its end")
    return texts[0], texts[1]
