"""The consistency token of replies: `committed_at` of a change, `at_least_as_fresh` of a read.

A token is four hexadecimal digits of the book and sixteen of the change's booked time in
microseconds. Reads go to the primary, which shows every change that was answered before, so that
any well-formed token is satisfied; a reader of replicas would wait for the token's moment here.
"""

from __future__ import annotations

import re
from typing import Final

from longmen_server.platform.ids import BOOK_MAXIMUM, BOOK_MINIMUM
from longmen_server.platform.refusal import Refusal

__all__ = ["demand_freshness", "encode_token"]

TOKEN: Final = re.compile(r"[0-9a-f]{20}", re.ASCII)
BOOK_DIGITS: Final = 4


def encode_token(book: int, committed_at_us: int) -> str:
    """The token of a change that was booked in a book at a time in microseconds."""
    return f"{book:04x}{committed_at_us:016x}"


def demand_freshness(token: str) -> None:
    """Make sure that what is read next shows the change a token stands for; empty demands nothing.

    Raises:
        Refusal: INVALID_CONSISTENCY_TOKEN for what this service never gave out.
    """
    if not token:
        return
    book = int(token[:BOOK_DIGITS], 16) if TOKEN.fullmatch(token) else 0
    if not BOOK_MINIMUM <= book <= BOOK_MAXIMUM:
        raise Refusal(
            "INVALID_CONSISTENCY_TOKEN",
            "at_least_as_fresh is not a committed_at value of this service",
            field="at_least_as_fresh",
        )
