"""The canonical form of a journal record, written in SQL.

It is the same form that the engine hashes (engine/journal.py for the header, ledger/canonical.py
for a posting's body), built a second time from the stored rows, so that proofs and the verifier
look at what stands in the database and not at what a process remembers. A test holds the two forms
together.
"""

from __future__ import annotations

from typing import Final

from longmen_server.engine import journal
from longmen_server.ledger import canonical
from longmen_server.ledger.posting import EVENT_TYPES

__all__ = ["IS_POSTING_EVENT", "LEAF", "LEAF_HASH"]

FIRST_POSTING_TYPE: Final = min(EVENT_TYPES.values())
LAST_POSTING_TYPE: Final = max(EVENT_TYPES.values())

IS_POSTING_EVENT: Final = f"e.type between {FIRST_POSTING_TYPE} and {LAST_POSTING_TYPE}"
"""Whether the event e stands for a posting."""

_NO_ID: Final = "'00000000-0000-0000-0000-000000000000'::uuid"
_NO_LINKS: Final = "'\\x" + "00" * (16 + 2 + 16 + 4) + "'::bytea"
"""Pending transaction and ordinal, reversed transaction and both texts of a posting without any."""


def _version(number: int) -> str:
    return f"'\\x{number:02x}'::bytea"


def _byte(column: str) -> str:
    return f"substr(int2send({column}), 2)"


def _text(column: str) -> str:
    """Two bytes of length and the UTF-8 bytes of a text; none counts as empty."""
    encoded = f"convert_to(coalesce({column}, ''), 'UTF8')"
    return f"substr(int4send(octet_length({encoded})), 3) || {encoded}"


_LINKS: Final = (
    "case when p.pending_transaction_id is null and p.reverses_transaction_id is null"
    f" and p.reference is null and p.description is null then {_NO_LINKS} else"
    f" uuid_send(coalesce(p.pending_transaction_id, {_NO_ID}))"
    " || int2send(coalesce(p.pending_ordinal, 0::smallint))"
    f" || uuid_send(coalesce(p.reverses_transaction_id, {_NO_ID}))"
    f" || {_text('p.reference')} || {_text('p.description')} end"
)

# Parentheses join short strings before long ones: less is copied.
_BODY: Final = (
    f"(({_version(canonical.VERSION)} || {_byte('p.kind')} || int2send(p.code)"
    " || convert_to(p.currency_code, 'UTF8'))"
    " || (uuid_send(p.debit_account_id) || uuid_send(p.credit_account_id) || int8send(p.amount)))"
    " || ((int8send(p.debit_version) || int8send(p.credit_version)"
    " || int8send(p.debit_posted_after) || int8send(p.credit_posted_after))"
    " || (int8send(coalesce(p.debit_held_after, 0)) || int8send(coalesce(p.credit_held_after, 0))"
    " || int8send(coalesce(p.effective_at_us, p.booked_at_us))))"
    f" || {_LINKS}"
)

_HEADER: Final = (
    f"({_version(journal.VERSION)} || {_byte('e.type')} || int2send(e.book) || int2send(e.writer))"
    " || (int8send(e.sequence) || int2send(e.ordinal) || int8send(e.booked_at_us)"
    " || uuid_send(e.subject))"
)

LEAF: Final = (
    f"({_HEADER}) || (case when {IS_POSTING_EVENT} then {_BODY}"
    " else coalesce(e.payload, ''::bytea) end)"
)
"""The leaf of the event e with its posting p; null when its posting is not there."""

LEAF_HASH: Final = f"sha256('\\x00'::bytea || {LEAF})"
"""The hash of the leaf."""
