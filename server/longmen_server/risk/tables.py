"""The tables of risk as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_JUDGEMENT,
    STAGE_POINTER,
    STAGE_RECORD,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId, DecisionId, FreezeId, TransactionId
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.rows import DecisionRow, FreezeRow, HoldRow, NoticeRow
from longmen_server.risk.subjects import Subject, SubjectKey, decode_sections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

DECISION_COLUMNS = ", ".join(DecisionRow._fields)
FREEZE_COLUMNS = ", ".join(FreezeRow.__slots__)
HOLD_COLUMNS = ", ".join(HoldRow.__slots__)
NOTICE_COLUMNS = ", ".join(NoticeRow.__slots__)


class _SubjectFamily(RowFamily[SubjectKey, Subject]):
    """The state of subjects, locked as accounts are, so that what is counted is exact.

    Two writers that meet a new subject at once are told apart by its key: the later batch is
    repeated and then finds the row.
    """

    name = "risk_subject"
    stage = STAGE_JUDGEMENT
    rank = 190

    def load(self, book: int, keys: Sequence[SubjectKey]) -> Statement:
        return Statement(
            b"select s.kind, s.subject, s.frozen, s.freeze_id, s.seen_at_us, s.state"
            b" from unnest($2, $3) as u (k, i)"
            b" join risk_subject as s on s.book = $1 and s.kind = u.k and s.subject = u.i"
            b" order by s.kind, s.subject for no key update of s",
            (
                book,
                Int2Array([key.kind for key in keys]),
                UuidArray([key.subject for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SubjectKey, Subject]:
        kind, subject, frozen, freeze_id, seen_at_us, state = record
        key = SubjectKey(kind, subject)
        try:
            return key, Subject(key, frozen, decode_sections(state), seen_at_us, freeze_id)
        except ValueError:
            # A row that cannot be read is no reason to stop the batch: its features fail instead.
            return key, Subject(key, frozen, None, seen_at_us, freeze_id, bytes(state))

    def copy(self, row: Subject) -> Subject:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[Subject], changed: Sequence[Subject]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers that meet the same new subjects meet in one order.
            yield Statement(
                b"insert into risk_subject (book, kind, subject, frozen, freeze_id, seen_at_us,"
                b" state) select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u",
                (book, *_subject_columns(sorted(inserted, key=_key_of))),
            )
        if changed:
            yield Statement(
                b"update risk_subject as s set frozen = u.f, freeze_id = u.z, seen_at_us = u.a,"
                b" state = u.s from unnest($2, $3, $4, $5, $6, $7) as u (k, i, f, z, a, s)"
                b" where s.book = $1 and s.kind = u.k and s.subject = u.i",
                (book, *_subject_columns(changed)),
            )


def _key_of(row: Subject) -> SubjectKey:
    return row.key


def _subject_columns(rows: Sequence[Subject]) -> tuple[object, ...]:
    return (
        Int2Array([row.key.kind for row in rows]),
        UuidArray([row.key.subject for row in rows]),
        Int2Array([row.frozen for row in rows]),
        UuidArray([row.freeze_id for row in rows]),
        Int8Array([row.seen_at_us for row in rows]),
        ByteaArray([row.encode() for row in rows]),
    )


class _DecisionFamily(RowFamily[DecisionId, DecisionRow]):
    name = "risk_decision"
    stage = STAGE_RECORD
    rank = 191

    def write(
        self, book: int, inserted: Sequence[DecisionRow], changed: Sequence[DecisionRow]
    ) -> Iterable[Statement]:
        assert not changed, "a decision never changes"
        yield Statement(
            f"insert into risk_decision (book, {DECISION_COLUMNS}) select $1, u.* from unnest("
            "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
            " $20, $21, $22, $23) as u".encode(),
            (book, *map(_as_array, _DECISION_ARRAYS, zip(*inserted, strict=True))),
        )


_DECISION_ARRAYS = (
    *([UuidArray] * 7),
    Int8Array,
    *([Int2Array] * 2),
    Int4Array,
    *([Int2Array] * 2),
    BoolArray,
    *([Int8Array] * 2),
    Int4Array,
    Int8Array,
    TextArray,
    *([ByteaArray] * 3),
)
"""How each column of a decision travels, in the order of its fields."""


def _as_array(kind: Callable[[Any], object], column: tuple[Any, ...]) -> object:
    return kind(column)


class _FreezeFamily(RowFamily[FreezeId, FreezeRow]):
    name = "risk_freeze"
    stage = STAGE_POINTER
    rank = 192

    def load(self, book: int, keys: Sequence[FreezeId]) -> Statement:
        return Statement(
            f"select {FREEZE_COLUMNS} from risk_freeze where book = $1 and freeze_id = any($2)"
            " order by freeze_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[FreezeId, FreezeRow]:
        return record[0], FreezeRow(*record)

    def copy(self, row: FreezeRow) -> FreezeRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[FreezeRow], changed: Sequence[FreezeRow]
    ) -> Iterable[Statement]:
        if changed:
            # Before the new ones: the index lets a party have one active freeze.
            yield Statement(
                b"update risk_freeze as f set state = u.s, changed_at_us = u.a, lifted_by = u.b,"
                b" reason_text = u.t from unnest($2, $3, $4, $5, $6) as u (i, s, a, b, t)"
                b" where f.book = $1 and f.freeze_id = u.i",
                (
                    book,
                    UuidArray([row.freeze_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.changed_at_us for row in changed]),
                    TextArray([row.lifted_by for row in changed]),
                    TextArray([row.reason_text for row in changed]),
                ),
            )
        if inserted:
            rows = sorted(inserted, key=lambda row: row.freeze_id)
            yield Statement(
                f"insert into risk_freeze (book, {FREEZE_COLUMNS}) select $1, u.* from unnest("
                "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
                " as u".encode(),
                (
                    book,
                    UuidArray([row.freeze_id for row in rows]),
                    UuidArray([row.party for row in rows]),
                    Int2Array([row.party_kind for row in rows]),
                    Int2Array([row.state for row in rows]),
                    Int2Array([row.scope for row in rows]),
                    UuidArray([row.account_id for row in rows]),
                    Int2Array([row.account_state for row in rows]),
                    BoolArray([row.by_decision for row in rows]),
                    BoolArray([row.revocable for row in rows]),
                    Int8Array([row.placed_at_us for row in rows]),
                    Int8Array([row.changed_at_us for row in rows]),
                    TextArray([row.reason for row in rows]),
                    TextArray([row.placed_by for row in rows]),
                    TextArray([row.lifted_by for row in rows]),
                    TextArray([row.reason_text for row in rows]),
                ),
            )


class _HoldFamily(RowFamily[TransactionId, HoldRow]):
    name = "risk_hold"
    stage = STAGE_POINTER
    rank = 193

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            f"select {HOLD_COLUMNS} from risk_hold where book = $1 and transaction_id = any($2)"
            " order by transaction_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TransactionId, HoldRow]:
        return record[0], HoldRow(*record)

    def copy(self, row: HoldRow) -> HoldRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[HoldRow], changed: Sequence[HoldRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into risk_hold (book, {HOLD_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
                (
                    book,
                    UuidArray([row.transaction_id for row in inserted]),
                    UuidArray([row.decision_id for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.changed_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update risk_hold as h set state = u.s, changed_at_us = u.a"
                b" from unnest($2, $3, $4) as u (t, s, a)"
                b" where h.book = $1 and h.transaction_id = u.t",
                (
                    book,
                    UuidArray([row.transaction_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.changed_at_us for row in changed]),
                ),
            )


class _NoticeFamily(RowFamily[tuple[DecisionId, int], NoticeRow]):
    name = "risk_notice"
    stage = STAGE_POINTER
    rank = 194

    def load(self, book: int, keys: Sequence[tuple[DecisionId, int]]) -> Statement:
        columns = ", ".join(f"n.{column}" for column in NoticeRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (d, k) join risk_notice as n"
            " on n.book = $1 and n.decision_id = u.d and n.kind = u.k"
            " order by n.decision_id, n.kind for no key update of n".encode(),
            (
                book,
                UuidArray([key[0] for key in keys]),
                Int2Array([key[1] for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[tuple[DecisionId, int], NoticeRow]:
        return (record[0], record[1]), NoticeRow(*record)

    def copy(self, row: NoticeRow) -> NoticeRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[NoticeRow], changed: Sequence[NoticeRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into risk_notice (book, {NOTICE_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
                (
                    book,
                    UuidArray([row.decision_id for row in inserted]),
                    Int2Array([row.kind for row in inserted]),
                    UuidArray([row.customer_id for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    BoolArray([row.done for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update risk_notice as n set done = true from unnest($2, $3) as u (d, k)"
                b" where n.book = $1 and n.decision_id = u.d and n.kind = u.k",
                (
                    book,
                    UuidArray([row.decision_id for row in changed]),
                    Int2Array([row.kind for row in changed]),
                ),
            )


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of risk with a customer: what is counted, and what was still to be told.

    Decisions stay, of nobody whose name is known: they say why money did or did not move. So does a
    freeze in force, with the row that keeps it.
    """

    name = "risk of erased customers"
    stage = STAGE_RECORD
    rank = 195

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        customers = UuidArray(inserted)
        yield Statement(
            f"delete from risk_subject where book = $1 and kind = {int(SubjectKind.PARTY)}"
            " and subject = any($2) and frozen = 0".encode(),
            (book, customers),
        )
        yield Statement(
            b"delete from risk_notice where book = $1 and customer_id = any($2)",
            (book, customers),
        )


ERASED = _ErasedFamily()
SUBJECT = _SubjectFamily()
DECISION_ROW = _DecisionFamily()
FREEZE_ROW = _FreezeFamily()
RISK_HOLD = _HoldFamily()
RISK_NOTICE = _NoticeFamily()
