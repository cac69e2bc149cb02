"""The tables of identification as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.accounts.model import AliasKind
from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    RowFamily,
    Statement,
)
from longmen_server.kyc.model import (
    ChangeRow,
    EvidenceKey,
    EvidenceRow,
    StandingRow,
    UseKey,
    UseRow,
)
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STANDING_COLUMNS = ", ".join(StandingRow.__slots__)
EVIDENCE_COLUMNS = ", ".join(EvidenceRow.__slots__)
CHANGE_COLUMNS = ", ".join(ChangeRow.__slots__)


class _StandingFamily(RowFamily[CustomerId, StandingRow]):
    name = "kyc_standing"
    stage = STAGE_POINTER
    rank = 45

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            f"select {STANDING_COLUMNS} from kyc_standing"
            " where book = $1 and customer_id = any($2)"
            " order by customer_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, StandingRow]:
        return record[0], StandingRow(*record)

    def copy(self, row: StandingRow) -> StandingRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[StandingRow], changed: Sequence[StandingRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into kyc_standing (book, {STANDING_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5) as u".encode(),
                (book, *_standing_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update kyc_standing as s set identification_class = u.k, since_us = u.t,"
                b" change_count = u.n from unnest($2, $3, $4, $5) as u (c, k, t, n)"
                b" where s.book = $1 and s.customer_id = u.c",
                (book, *_standing_columns(changed)),
            )


def _standing_columns(given: Sequence[StandingRow]) -> tuple[object, ...]:
    rows = sorted(given, key=lambda row: row.customer_id)
    return (
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.identification_class for row in rows]),
        Int8Array([row.since_us for row in rows]),
        Int2Array([row.change_count for row in rows]),
    )


class _EvidenceFamily(RowFamily[EvidenceKey, EvidenceRow]):
    name = "kyc_evidence"
    stage = STAGE_POINTER
    rank = 46

    def load(self, book: int, keys: Sequence[EvidenceKey]) -> Statement:
        columns = ", ".join(f"e.{column}" for column in EvidenceRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (c, k) join kyc_evidence as e"
            " on e.book = $1 and e.customer_id = u.c and e.category = u.k"
            " order by e.customer_id, e.category for no key update of e".encode(),
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                Int2Array([key.category for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[EvidenceKey, EvidenceRow]:
        return EvidenceKey(record[0], record[1]), EvidenceRow(*record)

    def copy(self, row: EvidenceRow) -> EvidenceRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[EvidenceRow], changed: Sequence[EvidenceRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into kyc_evidence (book, {EVIDENCE_COLUMNS}) select $1, u.*"
                " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u".encode(),
                (book, *_evidence_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update kyc_evidence as e set kind = u.d, state = u.s, submitted_at_us = u.t,"
                b" changed_at_us = u.a, number_index = u.i, number = u.n, name = u.m,"
                b" birth_date = u.b"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                b" as u (c, k, d, s, t, a, i, n, m, b)"
                b" where e.book = $1 and e.customer_id = u.c and e.category = u.k",
                (book, *_evidence_columns(changed)),
            )


def _evidence_columns(given: Sequence[EvidenceRow]) -> tuple[object, ...]:
    rows = sorted(given, key=lambda row: (row.customer_id, row.category))
    return (
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.category for row in rows]),
        Int2Array([row.kind for row in rows]),
        Int2Array([row.state for row in rows]),
        Int8Array([row.submitted_at_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
        ByteaArray([row.number_index for row in rows]),
        ByteaArray([row.number for row in rows]),
        ByteaArray([row.name for row in rows]),
        ByteaArray([row.birth_date for row in rows]),
    )


class _UseFamily(RowFamily[UseKey, UseRow]):
    """The places that documents have for wallets: entries of the alias directory.

    The directory is the one table of all books, so a document has its places once in the whole
    bank. Two writers that take the same place are told apart by its key: the later batch is
    repeated and then finds the first. A place that a command edits is given up.
    """

    name = "alias by document"
    stage = STAGE_LINK
    rank = 47

    def load(self, book: int, keys: Sequence[UseKey]) -> Statement:
        del book
        return Statement(
            b"select a.value, a.customer_id, a.target_book, a.created_at_us"
            b" from unnest($2) as u (v) join alias as a on a.kind = $1 and a.value = u.v",
            (int(AliasKind.ID_NUMBER), ByteaArray([key.value for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[UseKey, UseRow]:
        value: bytes = record[0]
        key = UseKey(value[:-2], value[-2], value[-1])
        return key, UseRow(key, *record[1:])

    def copy(self, row: UseRow) -> UseRow:
        return row

    def write(
        self, book: int, inserted: Sequence[UseRow], changed: Sequence[UseRow]
    ) -> Iterable[Statement]:
        del book
        if changed:
            gone = sorted(row.key.value for row in changed)
            yield Statement(
                b"delete from alias where kind = $1 and value = any($2)",
                (int(AliasKind.ID_NUMBER), ByteaArray(gone)),
            )
        if inserted:
            rows = sorted(inserted, key=lambda row: row.key.value)
            yield Statement(
                b"insert into alias (kind, value, customer_id, target_book, created_at_us)"
                b" select $1, u.* from unnest($2, $3, $4, $5) as u",
                (
                    int(AliasKind.ID_NUMBER),
                    ByteaArray([row.key.value for row in rows]),
                    UuidArray([row.customer_id for row in rows]),
                    Int2Array([row.book for row in rows]),
                    Int8Array([row.created_at_us for row in rows]),
                ),
            )


class _ChangeFamily(RowFamily[CustomerId, ChangeRow]):
    name = "kyc_change"
    stage = STAGE_RECORD
    rank = 49

    def write(
        self, book: int, inserted: Sequence[ChangeRow], changed: Sequence[ChangeRow]
    ) -> Iterable[Statement]:
        assert not changed, "what happened stays as it was"
        yield Statement(
            f"insert into kyc_change (book, {CHANGE_COLUMNS}) select $1, u.*"
            " from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u".encode(),
            (
                book,
                UuidArray([row.customer_id for row in inserted]),
                Int2Array([row.change_number for row in inserted]),
                Int2Array([row.class_before for row in inserted]),
                Int2Array([row.class_after for row in inserted]),
                Int2Array([row.cause for row in inserted]),
                Int8Array([row.changed_at_us for row in inserted]),
                TextArray([row.rules for row in inserted]),
                ByteaArray([row.reason_text for row in inserted]),
            ),
        )


STANDING = _StandingFamily()
EVIDENCE = _EvidenceFamily()
USE = _UseFamily()
CHANGE = _ChangeFamily()
