"""The canonical form of a posting: the bytes that stand for it in the journal's hashes.

Layout, version 1, all integers big-endian:
    B version, B kind, H code, 3s currency code, 16s debit account, 16s credit account, q amount,
    Q debit version, Q credit version, q debit posted after, q credit posted after,
    q debit held after, q credit held after, q effective_at_us, 16s pending transaction, h pending
    ordinal, 16s reversed transaction, then H length and bytes of the reference, H length and bytes
    of the description
Absent values are zeros, and the effective time of a posting that counts when it was booked is its
booked time. The transaction id, the ordinal and the booked time stand in the leaf's header.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longmen_server.ledger.model import PostingRow

VERSION = 1
_BODY = struct.Struct(">BBH3s16s16sqQQqqqqq16sh16s")
_NO_ID = bytes(16)
_NO_TEXTS = b"\x00\x00\x00\x00"


def posting_body(posting: PostingRow) -> bytes:
    """Return the canonical form of a posting."""
    (
        _,
        _,
        kind,
        code,
        debit,
        credit,
        currency,
        amount,
        booked_at_us,
        debit_version,
        credit_version,
        debit_posted,
        credit_posted,
        effective_at_us,
        debit_held,
        credit_held,
        pending,
        pending_ordinal,
        reverses,
        reference,
        description,
    ) = posting
    body = _BODY.pack(
        VERSION,
        kind,
        code,
        currency.encode(),
        debit,
        credit,
        amount,
        debit_version,
        credit_version,
        debit_posted,
        credit_posted,
        debit_held or 0,
        credit_held or 0,
        booked_at_us if effective_at_us is None else effective_at_us,
        pending or _NO_ID,
        pending_ordinal or 0,
        reverses or _NO_ID,
    )
    if reference is None and description is None:
        return body + _NO_TEXTS
    return body + _text(reference) + _text(description)


def _text(text: str | None) -> bytes:
    encoded = (text or "").encode()
    return len(encoded).to_bytes(2, "big") + encoded
