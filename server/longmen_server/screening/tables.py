"""The tables of screening as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_LINK, STAGE_RECORD, RowFamily, Statement
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId
from longmen_server.screening.model import MatchKey, MatchRow, ScreeningRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ERASED", "MATCH", "MATCH_COLUMNS", "SCREENING"]

SCREENING_COLUMNS = ", ".join(ScreeningRow.__slots__)
MATCH_COLUMNS = ", ".join(MatchRow.__slots__)


class _ScreeningFamily(RowFamily[CustomerId, ScreeningRow]):
    """Screenings, locked by whoever looks a name up and whoever gives a verdict."""

    name = "name_screening"
    stage = STAGE_LINK
    rank = 290

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            f"select {SCREENING_COLUMNS} from name_screening"
            " where book = $1 and customer_id = any($2)"
            " order by customer_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, ScreeningRow]:
        return record[0], ScreeningRow(*record)

    def copy(self, row: ScreeningRow) -> ScreeningRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ScreeningRow], changed: Sequence[ScreeningRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into name_screening (book, {SCREENING_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
                (book, *_screening_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update name_screening as s set lists_version = u.v, screened_at_us = u.t,"
                b" open_case_id = u.o, confirmed_case_id = u.k"
                b" from unnest($2, $3, $4, $5, $6) as u (c, v, t, o, k)"
                b" where s.book = $1 and s.customer_id = u.c",
                (book, *_screening_columns(changed)),
            )


def _screening_columns(given: Sequence[ScreeningRow]) -> tuple[object, ...]:
    rows = sorted(given, key=lambda row: row.customer_id)
    return (
        UuidArray([row.customer_id for row in rows]),
        Int8Array([row.lists_version for row in rows]),
        Int8Array([row.screened_at_us for row in rows]),
        UuidArray([row.open_case_id for row in rows]),
        UuidArray([row.confirmed_case_id for row in rows]),
    )


class _MatchFamily(RowFamily[MatchKey, MatchRow]):
    """Matches: a row there means that somebody looks at it, or has."""

    name = "name_match"
    stage = STAGE_LINK
    rank = 291

    def load(self, book: int, keys: Sequence[MatchKey]) -> Statement:
        columns = ", ".join(f"m.{column}" for column in MatchRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (c, i) join name_match as m"
            " on m.book = $1 and m.customer_id = u.c and m.match_id = u.i".encode(),
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                UuidArray([key.match_id for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MatchKey, MatchRow]:
        return MatchKey(record[0], record[1]), MatchRow(*record)

    def write(
        self, book: int, inserted: Sequence[MatchRow], changed: Sequence[MatchRow]
    ) -> Iterable[Statement]:
        assert not changed, "what was matched never changes"
        yield Statement(
            f"insert into name_match (book, {MATCH_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
            (
                book,
                UuidArray([row.customer_id for row in inserted]),
                UuidArray([row.match_id for row in inserted]),
                UuidArray([row.case_id for row in inserted]),
                Int2Array([row.likeness for row in inserted]),
                Int8Array([row.found_at_us for row in inserted]),
                TextArray([row.list_name for row in inserted]),
                ByteaArray([row.sealed for row in inserted]),
            ),
        )


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of screenings with whose they were."""

    name = "screening of erased customers"
    stage = STAGE_RECORD
    rank = 292

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        customers = UuidArray(inserted)
        for table in (b"name_match", b"name_screening"):
            yield Statement(
                b"delete from %s where book = $1 and customer_id = any($2)" % table,
                (book, customers),
            )


SCREENING = _ScreeningFamily()
MATCH = _MatchFamily()
ERASED = _ErasedFamily()
