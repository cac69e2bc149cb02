"""The tables of cases as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_POINTER, STAGE_RECORD, RowFamily, Statement
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CaseId, CustomerId
from longmen_server.riskcases.model import CaseRow, NoteRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CASE_COLUMNS", "CASE_ROW", "ERASED", "NOTE", "NOTE_COLUMNS"]

CASE_COLUMNS = ", ".join(CaseRow.__slots__)
NOTE_COLUMNS = ", ".join(NoteRow.__slots__)


class _CaseFamily(RowFamily[CaseId, CaseRow]):
    name = "risk_case"
    stage = STAGE_POINTER
    rank = 220

    def load(self, book: int, keys: Sequence[CaseId]) -> Statement:
        return Statement(
            f"select {CASE_COLUMNS} from risk_case where book = $1 and case_id = any($2)"
            " order by case_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CaseId, CaseRow]:
        return record[0], CaseRow(*record)

    def copy(self, row: CaseRow) -> CaseRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CaseRow], changed: Sequence[CaseRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            yield Statement(
                b"update risk_case as c set state = u.s, verdict = u.v, is_appealed = u.a,"
                b" notes = u.n, changed_at_us = u.t, closed_at_us = u.z, assignee = u.g,"
                b" closed_by = u.b, reason_text = u.x"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                b" as u (id, s, v, a, n, t, z, g, b, x)"
                b" where c.book = $1 and c.case_id = u.id",
                (
                    book,
                    UuidArray([row.case_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int2Array([row.verdict for row in changed]),
                    BoolArray([row.is_appealed for row in changed]),
                    Int4Array([row.notes for row in changed]),
                    Int8Array([row.changed_at_us for row in changed]),
                    Int8Array([row.closed_at_us for row in changed]),
                    TextArray([row.assignee for row in changed]),
                    TextArray([row.closed_by for row in changed]),
                    TextArray([row.reason_text for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[CaseRow]) -> Statement:
        return Statement(
            f"insert into risk_case (book, {CASE_COLUMNS}) select $1, u.* from unnest($2, $3, $4,"
            " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
            " as u".encode(),
            (
                book,
                UuidArray([row.case_id for row in rows]),
                UuidArray([row.decision_id for row in rows]),
                Int2Array([row.state for row in rows]),
                Int2Array([row.cause for row in rows]),
                Int2Array([row.verdict for row in rows]),
                Int2Array([row.outcome for row in rows]),
                BoolArray([row.is_appealed for row in rows]),
                Int4Array([row.notes for row in rows]),
                Int8Array([row.amount for row in rows]),
                Int8Array([row.decided_at_us for row in rows]),
                Int8Array([row.opened_at_us for row in rows]),
                Int8Array([row.changed_at_us for row in rows]),
                Int8Array([row.closed_at_us for row in rows]),
                UuidArray([row.customer_id for row in rows]),
                UuidArray([row.payee_party for row in rows]),
                UuidArray([row.terminal_id for row in rows]),
                TextArray([row.reason for row in rows]),
                TextArray([row.assignee for row in rows]),
                TextArray([row.closed_by for row in rows]),
                TextArray([row.reason_text for row in rows]),
            ),
        )


class _NoteFamily(RowFamily[None, NoteRow]):
    """Notes; they are written once, in the order of the numbers that the case gives them."""

    name = "risk_case_note"
    stage = STAGE_RECORD
    rank = 221

    def write(
        self, book: int, inserted: Sequence[NoteRow], changed: Sequence[NoteRow]
    ) -> Iterable[Statement]:
        assert not changed, "notes never change"
        yield Statement(
            f"insert into risk_case_note (book, {NOTE_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
            (
                book,
                UuidArray([row.case_id for row in inserted]),
                Int4Array([row.number for row in inserted]),
                Int8Array([row.written_at_us for row in inserted]),
                TextArray([row.author for row in inserted]),
                TextArray([row.text for row in inserted]),
                TextArray([row.evidence_reference for row in inserted]),
                ByteaArray([row.evidence_sha256 for row in inserted]),
            ),
        )


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of cases with whose they were: what was written on them. That they were, stays."""

    name = "case notes of erased customers"
    stage = STAGE_RECORD
    rank = 222

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        customers = UuidArray(inserted)
        yield Statement(
            b"update risk_case_note set text = '', evidence_reference = '' where book = $1"
            b" and case_id in"
            b" (select case_id from risk_case where book = $1 and customer_id = any($2))",
            (book, customers),
        )
        yield Statement(
            b"update risk_case set reason_text = '' where book = $1 and customer_id = any($2)",
            (book, customers),
        )


CASE_ROW = _CaseFamily()
NOTE = _NoteFamily()
ERASED = _ErasedFamily()
