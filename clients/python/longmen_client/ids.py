"""Ids that callers make: request ids, and ids of transactions and accounts chosen before the call.

An id made here is 128 bits: 48 bits of milliseconds since 1970, a version of 7, a 12-bit counter,
the variant, 46 random bits, and the number of the id's book in the last 16 bits. Ids of one
process grow. On the wire it is a prefix and 32 lower-case hexadecimal digits; the last four
digits are the book. Treat every id as opaque but for `book_of`.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid
from typing import NewType

__all__ = [
    "AccountId",
    "CustomerId",
    "RequestId",
    "TransactionId",
    "book_of",
    "new_account_id",
    "new_request_id",
    "new_transaction_id",
    "new_transaction_id_for",
    "posting_id",
    "request_id_of",
]

RequestId = NewType("RequestId", str)
"""A UUID that names one intention of the caller, kept over every retry."""

AccountId = NewType("AccountId", str)
TransactionId = NewType("TransactionId", str)
CustomerId = NewType("CustomerId", str)

_BOOK_MAXIMUM = 32767
_COUNTER_MAXIMUM = 0xFFF
_VERSION = 7
_VARIANT = 0b10
_TEXT = re.compile(r"(?:acct|txn|cust|evt)_[0-9a-f]{28}([0-9a-f]{4})(?:\.[1-9][0-9]?)?")


class _Sequence:
    """Strictly growing pairs of millisecond and counter for one process; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """The next 60-bit number: 48 bits of milliseconds, then 12 bits of counter."""
        now_ms = time.time_ns() // 1_000_000  # noqa: TID251 - a client has its own clock only
        with self._lock:
            # A full counter, or a clock that was set back, borrows from the next millisecond.
            self._last = max(self._last + 1, now_ms << 12)
            return self._last


_sequence = _Sequence()


def new_request_id() -> RequestId:
    """A request id for one intention. Keep it, best in your database, before the call goes out."""
    return RequestId(str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)))


def request_id_of(text: str) -> RequestId:
    """A request id that was kept earlier.

    Raises:
        ValueError: it is not a UUID.
    """
    return RequestId(str(uuid.UUID(text)))


def new_transaction_id(book: int = 1) -> TransactionId:
    """A transaction id of a book.

    Raises:
        ValueError: the book is not between 1 and 32767.
    """
    return TransactionId(f"txn_{_new_hex(book)}")


def new_transaction_id_for(account_id: str) -> TransactionId:
    """A transaction id of the book an account is in.

    Raises:
        ValueError: the text is no id.
    """
    return new_transaction_id(book_of(account_id))


def new_account_id(book: int = 1) -> AccountId:
    """An account id of a book.

    Raises:
        ValueError: the book is not between 1 and 32767.
    """
    return AccountId(f"acct_{_new_hex(book)}")


def posting_id(transaction_id: str, index: int = 0) -> str:
    """The id of a transaction's posting by its index: the first is written like the transaction.

    Raises:
        ValueError: the index is not between 0 and 99, or the text is no transaction id.
    """
    if not transaction_id.startswith("txn_") or not _TEXT.fullmatch(transaction_id):
        raise ValueError(f"{transaction_id!r} is not a transaction id")
    if not 0 <= index <= 99:
        raise ValueError("a transaction has postings 0 to 99")
    return f"{transaction_id}.{index}" if index else transaction_id


def book_of(any_id: str) -> int:
    """The book of an id of an account, transaction, posting, customer or event.

    Raises:
        ValueError: the text is no id.
    """
    match = _TEXT.fullmatch(any_id)
    if match is None:
        raise ValueError(f"{any_id!r} is not an id")
    return int(match[1], 16)


def _new_hex(book: int) -> str:
    """32 hexadecimal digits of a fresh id of a book."""
    if not 1 <= book <= _BOOK_MAXIMUM:
        raise ValueError(f"a book is a number from 1 to {_BOOK_MAXIMUM}, not {book}")
    milliseconds, counter = divmod(_sequence.next(), _COUNTER_MAXIMUM + 1)
    high = milliseconds << 16 | _VERSION << 12 | counter
    low = _VARIANT << 62 | secrets.randbits(46) << 16 | book
    return f"{high:016x}{low:016x}"
