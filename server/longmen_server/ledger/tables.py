"""The ledger's tables as the engine loads and writes them.

There is one set-based statement per table and batch, and every statement names the book. Rows that
commands change are locked when they are loaded, in the order of their keys, so that two writers
never wait for each other in a circle.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_ACCOUNT,
    STAGE_POINTER,
    STAGE_RECORD,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.ledger.model import AccountRow, HoldRow, PostingRow
from longmen_server.platform.adapters import BoolArray, Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import AccountId, TransactionId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The columns of a posting in the order of PostingRow.
POSTING_COLUMNS = ", ".join(PostingRow._fields)

_ACCOUNT_LOAD = (
    b"select account_id, currency_code, account_type, chart_code, state, debits_posted,"
    b" credits_posted, debits_pending, credits_pending, floor_minor_units, ceiling_minor_units,"
    b" version, booked_at_us, created_at_us, owner_id, description, frozen_by_owner"
    b" from ledger_account where book = $1 and account_id = any($2)"
    b" order by account_id for no key update"
)
_ACCOUNT_INSERT = (
    b"insert into ledger_account (book, account_id, currency_code, account_type, chart_code, state,"
    b" debits_posted, credits_posted, debits_pending, credits_pending, floor_minor_units,"
    b" ceiling_minor_units, version, booked_at_us, created_at_us, owner_id, description,"
    b" frozen_by_owner)"
    b" select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
    b" $16, $17, $18)"
    b" as u order by 2"
)
_ACCOUNT_UPDATE = (
    b"update ledger_account as a set state = u.s, debits_posted = u.dp, credits_posted = u.cp,"
    b" debits_pending = u.dh, credits_pending = u.ch, version = u.v, booked_at_us = u.b,"
    b" frozen_by_owner = u.f"
    b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u(id, s, dp, cp, dh, ch, v, b, f)"
    b" where a.book = $1 and a.account_id = u.id"
)


class _AccountFamily(RowFamily[AccountId, AccountRow]):
    name = "ledger_account"
    stage = STAGE_ACCOUNT
    rank = 20

    def load(self, book: int, keys: Sequence[AccountId]) -> Statement:
        return Statement(_ACCOUNT_LOAD, (book, UuidArray(keys)))

    def decode(self, record: tuple[Any, ...]) -> tuple[AccountId, AccountRow]:
        return record[0], AccountRow(*record)

    def copy(self, row: AccountRow) -> AccountRow:
        return row.copy()

    def stamp(self, row: AccountRow) -> int:
        return row.booked_at_us

    def write(
        self, book: int, inserted: Sequence[AccountRow], changed: Sequence[AccountRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(_ACCOUNT_INSERT, (book, *_account_columns(inserted)))
        if changed:
            yield Statement(
                _ACCOUNT_UPDATE,
                (
                    book,
                    UuidArray([row.account_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.debits_posted for row in changed]),
                    Int8Array([row.credits_posted for row in changed]),
                    Int8Array([row.debits_pending for row in changed]),
                    Int8Array([row.credits_pending for row in changed]),
                    Int8Array([row.version for row in changed]),
                    Int8Array([row.booked_at_us for row in changed]),
                    BoolArray([row.frozen_by_owner for row in changed]),
                ),
            )


def _account_columns(rows: Sequence[AccountRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.account_id for row in rows]),
        TextArray([row.currency_code for row in rows]),
        Int2Array([row.account_type for row in rows]),
        Int2Array([row.chart_code for row in rows]),
        Int2Array([row.state for row in rows]),
        Int8Array([row.debits_posted for row in rows]),
        Int8Array([row.credits_posted for row in rows]),
        Int8Array([row.debits_pending for row in rows]),
        Int8Array([row.credits_pending for row in rows]),
        Int8Array([row.floor_minor_units for row in rows]),
        Int8Array([row.ceiling_minor_units for row in rows]),
        Int8Array([row.version for row in rows]),
        Int8Array([row.booked_at_us for row in rows]),
        Int8Array([row.created_at_us for row in rows]),
        UuidArray([row.owner_id for row in rows]),
        TextArray([row.description for row in rows]),
        BoolArray([row.frozen_by_owner for row in rows]),
    )


# A posting without any of the optional columns, which is nearly every one, goes without their
# arrays.
_POSTING_INSERT_PLAIN = (
    b"insert into ledger_posting (book, transaction_id, ordinal, kind, code, debit_account_id,"
    b" credit_account_id, currency_code, amount, booked_at_us, debit_version, credit_version,"
    b" debit_posted_after, credit_posted_after)"
    b" select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) as u"
)
_POSTING_INSERT_FULL = (
    # The columns are the constant names of PostingRow's fields, here and below.
    f"insert into ledger_posting (book, {POSTING_COLUMNS})"
    " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
    " $17, $18, $19, $20, $21, $22) as u"
).encode()
_REQUIRED_POSTING_TYPES: tuple[Any, ...] = (
    UuidArray,
    Int2Array,
    Int2Array,
    Int2Array,
    UuidArray,
    UuidArray,
    TextArray,
    Int8Array,
    Int8Array,
    Int8Array,
    Int8Array,
    Int8Array,
    Int8Array,
)
_OPTIONAL_POSTING_TYPES: tuple[Any, ...] = (
    Int8Array,
    Int8Array,
    Int8Array,
    UuidArray,
    Int2Array,
    UuidArray,
    TextArray,
    TextArray,
)
_REQUIRED = len(_REQUIRED_POSTING_TYPES)
_NOTHING_OPTIONAL = (None,) * len(_OPTIONAL_POSTING_TYPES)


class _PostingFamily(RowFamily[None, PostingRow]):
    name = "ledger_posting"
    stage = STAGE_RECORD
    rank = 24

    def write(
        self, book: int, inserted: Sequence[PostingRow], changed: Sequence[PostingRow]
    ) -> Iterable[Statement]:
        assert not changed, "a posting never changes"
        plain = [row for row in inserted if row[_REQUIRED:] == _NOTHING_OPTIONAL]
        full = [row for row in inserted if row[_REQUIRED:] != _NOTHING_OPTIONAL]
        if plain:
            columns = list(zip(*plain, strict=True))[:_REQUIRED]
            yield _posting_statement(_POSTING_INSERT_PLAIN, book, _REQUIRED_POSTING_TYPES, columns)
        if full:
            columns = list(zip(*full, strict=True))
            types = _REQUIRED_POSTING_TYPES + _OPTIONAL_POSTING_TYPES
            yield _posting_statement(_POSTING_INSERT_FULL, book, types, columns)


def _posting_statement(
    sql: bytes, book: int, types: tuple[Any, ...], columns: Sequence[tuple[Any, ...]]
) -> Statement:
    arrays = starmap(lambda array, column: array(column), zip(types, columns, strict=True))
    return Statement(sql, (book, *arrays))


class _HoldFamily(RowFamily[tuple[TransactionId, int], HoldRow]):
    name = "ledger_hold"
    stage = STAGE_POINTER
    rank = 5

    def load(self, book: int, keys: Sequence[tuple[TransactionId, int]]) -> Statement:
        return Statement(
            b"select h.transaction_id, h.ordinal, h.debit_account_id, h.credit_account_id,"
            b" h.currency_code, h.amount, h.captured, h.remaining, h.state, h.expires_at_us"
            b" from ledger_hold as h join unnest($2, $3) as u(t, o)"
            b" on h.transaction_id = u.t and h.ordinal = u.o where h.book = $1"
            b" order by h.transaction_id, h.ordinal for no key update of h",
            (book, UuidArray([key[0] for key in keys]), Int2Array([key[1] for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[tuple[TransactionId, int], HoldRow]:
        return (record[0], record[1]), HoldRow(*record)

    def copy(self, row: HoldRow) -> HoldRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[HoldRow], changed: Sequence[HoldRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                b"insert into ledger_hold (book, transaction_id, ordinal, debit_account_id,"
                b" credit_account_id, currency_code, amount, captured, remaining, state,"
                b" expires_at_us)"
                b" select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u",
                (
                    book,
                    UuidArray([row.transaction_id for row in inserted]),
                    Int2Array([row.ordinal for row in inserted]),
                    UuidArray([row.debit_account_id for row in inserted]),
                    UuidArray([row.credit_account_id for row in inserted]),
                    TextArray([row.currency_code for row in inserted]),
                    Int8Array([row.amount for row in inserted]),
                    Int8Array([row.captured for row in inserted]),
                    Int8Array([row.remaining for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    Int8Array([row.expires_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update ledger_hold as h set captured = u.c, remaining = u.r, state = u.s"
                b" from unnest($2, $3, $4, $5, $6) as u(t, o, c, r, s)"
                b" where h.book = $1 and h.transaction_id = u.t and h.ordinal = u.o",
                (
                    book,
                    UuidArray([row.transaction_id for row in changed]),
                    Int2Array([row.ordinal for row in changed]),
                    Int8Array([row.captured for row in changed]),
                    Int8Array([row.remaining for row in changed]),
                    Int2Array([row.state for row in changed]),
                ),
            )


class _TransactionFamily(PointerFamily[TransactionId, list[PostingRow]]):
    """All postings of a transaction; immutable, so read without a lock.

    Reversals need them before their accounts, retries of a chosen id after.
    """

    def __init__(self, name: str, *, stage: int, rank: int) -> None:
        self.name = name
        self.stage = stage
        self.rank = rank

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        arrays = ", ".join(f"array_agg({name} order by ordinal)" for name in PostingRow._fields[1:])
        return Statement(
            f"select transaction_id, {arrays} from ledger_posting"
            " where book = $1 and transaction_id = any($2)"
            " group by transaction_id".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TransactionId, list[PostingRow]]:
        transaction_id, *columns = record
        return transaction_id, [
            PostingRow(transaction_id, *fields) for fields in zip(*columns, strict=True)
        ]


class _ExistingFamily(PointerFamily[TransactionId, PostingRow]):
    """First postings by the transaction ids that callers chose, to tell a retry from a conflict."""

    name = "ledger_posting by chosen id"
    stage = STAGE_RECORD
    rank = 21

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            f"select {POSTING_COLUMNS} from ledger_posting"
            " where book = $1 and transaction_id = any($2) and ordinal = 0".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TransactionId, PostingRow]:
        return record[0], PostingRow(*record)


class _PostedFamily(PointerFamily[tuple[TransactionId, int], int]):
    """Kinds of postings by their address, to tell one that was never pending from none at all."""

    name = "ledger_posting by address"
    stage = STAGE_RECORD
    rank = 25

    def load(self, book: int, keys: Sequence[tuple[TransactionId, int]]) -> Statement:
        return Statement(
            b"select p.transaction_id, p.ordinal, p.kind from ledger_posting as p"
            b" join unnest($2, $3) as u(t, o) on p.transaction_id = u.t and p.ordinal = u.o"
            b" where p.book = $1",
            (book, UuidArray([key[0] for key in keys]), Int2Array([key[1] for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[tuple[TransactionId, int], int]:
        return (record[0], record[1]), record[2]


class _RefusalFamily(RowFamily[TransactionId, tuple[TransactionId, str, int]]):
    """Chosen transaction ids that were refused: id, reason, booked time."""

    name = "ledger_refusal"
    stage = STAGE_RECORD
    rank = 22

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            b"select transaction_id, reason, booked_at_us from ledger_refusal"
            b" where book = $1 and transaction_id = any($2)",
            (book, UuidArray(keys)),
        )

    def decode(
        self, record: tuple[Any, ...]
    ) -> tuple[TransactionId, tuple[TransactionId, str, int]]:
        return record[0], (record[0], record[1], record[2])

    def write(
        self,
        book: int,
        inserted: Sequence[tuple[TransactionId, str, int]],
        changed: Sequence[tuple[TransactionId, str, int]],
    ) -> Iterable[Statement]:
        assert not changed, "a refused id stays refused for its first reason"
        rows = sorted(inserted)
        yield Statement(
            b"insert into ledger_refusal (book, transaction_id, reason, booked_at_us)"
            b" select $1, u.* from unnest($2, $3, $4) as u",
            (
                book,
                UuidArray([row[0] for row in rows]),
                TextArray([row[1] for row in rows]),
                Int8Array([row[2] for row in rows]),
            ),
        )


class _ReversalFamily(RowFamily[TransactionId, tuple[TransactionId, TransactionId]]):
    """Which transaction was taken back by which: reversed id, reversing id."""

    name = "ledger_reversal"
    stage = STAGE_RECORD
    rank = 23

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            b"select transaction_id, reversal_transaction_id from ledger_reversal"
            b" where book = $1 and transaction_id = any($2)",
            (book, UuidArray(keys)),
        )

    def decode(
        self, record: tuple[Any, ...]
    ) -> tuple[TransactionId, tuple[TransactionId, TransactionId]]:
        return record[0], (record[0], record[1])

    def write(
        self,
        book: int,
        inserted: Sequence[tuple[TransactionId, TransactionId]],
        changed: Sequence[tuple[TransactionId, TransactionId]],
    ) -> Iterable[Statement]:
        assert not changed, "a transaction is taken back once"
        rows = sorted(inserted)
        yield Statement(
            b"insert into ledger_reversal (book, transaction_id, reversal_transaction_id)"
            b" select $1, u.* from unnest($2, $3) as u",
            (book, UuidArray([row[0] for row in rows]), UuidArray([row[1] for row in rows])),
        )


ACCOUNT = _AccountFamily()
HOLD = _HoldFamily()
TRANSACTION_POSTINGS = _TransactionFamily(
    "ledger_posting by transaction", stage=STAGE_POINTER, rank=6
)
CHOSEN_POSTINGS = _TransactionFamily(
    "ledger_posting by chosen transaction", stage=STAGE_RECORD, rank=26
)
POSTED = _PostedFamily()
EXISTING = _ExistingFamily()
REFUSED = _RefusalFamily()
REVERSAL = _ReversalFamily()
POSTING = _PostingFamily()
