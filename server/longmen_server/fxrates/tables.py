"""The tables of rates as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    RowFamily,
    Statement,
)
from longmen_server.fxrates.model import RateRow, SheetKey, SheetRow
from longmen_server.platform.adapters import Int8Array, TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RATE_COLUMNS = ", ".join(RateRow.__slots__)
SHEET_COLUMNS = ", ".join(SheetRow.__slots__)


class _SheetFamily(RowFamily[SheetKey, SheetRow]):
    """The history. Two imports of one day that race meet at the key."""

    name = "fx_sheet"
    stage = STAGE_POINTER
    rank = 126

    def load(self, book: int, keys: Sequence[SheetKey]) -> Statement:
        columns = ", ".join(f"s.{name}" for name in SheetRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (f, o) join fx_sheet as s on s.book = $1"
            " and s.source = u.f and s.observed_at_us = u.o".encode(),
            (
                book,
                TextArray([key.source for key in keys]),
                Int8Array([key.observed_at_us for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SheetKey, SheetRow]:
        row = SheetRow(*record)
        return SheetKey(row.source, row.observed_at_us), row

    def write(
        self, book: int, inserted: Sequence[SheetRow], changed: Sequence[SheetRow]
    ) -> Iterable[Statement]:
        assert not changed, "what was observed stays so"
        yield Statement(
            f"insert into fx_sheet (book, {SHEET_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
            (
                book,
                TextArray([row.source for row in inserted]),
                Int8Array([row.observed_at_us for row in inserted]),
                Int8Array([row.imported_at_us for row in inserted]),
                UuidArray([row.import_id for row in inserted]),
                TextArray([row.rates for row in inserted]),
            ),
        )


class _RateFamily(RowFamily[str, RateRow]):
    """Present rates for whoever deals at them: read without a lock, so that nobody waits."""

    name = "fx_rate"
    stage = STAGE_POINTER
    rank = 127

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            f"select {RATE_COLUMNS} from fx_rate"
            " where book = $1 and currency_code = any($2)".encode(),
            (book, TextArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, RateRow]:
        return record[0], RateRow(*record)

    def write(
        self, book: int, inserted: Sequence[RateRow], changed: Sequence[RateRow]
    ) -> Iterable[Statement]:
        del book, inserted, changed
        raise AssertionError("rates are written by whoever has locked them")


class _RateChangeFamily(_RateFamily):
    """Present rates for whoever changes them."""

    name = "fx_rate to change"
    stage = STAGE_LINK
    rank = 128

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            f"select {RATE_COLUMNS} from fx_rate where book = $1 and currency_code = any($2)"
            " order by currency_code for no key update".encode(),
            (book, TextArray(keys)),
        )

    def copy(self, row: RateRow) -> RateRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[RateRow], changed: Sequence[RateRow]
    ) -> Iterable[Statement]:
        rows = sorted((*inserted, *changed), key=lambda row: row.currency_code)
        changes = ", ".join(f"{name} = excluded.{name}" for name in RateRow.__slots__[1:])
        # A first rate may have come by another writer meanwhile; the later observation stays.
        yield Statement(
            f"insert into fx_rate (book, {RATE_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u"
            f" on conflict (book, currency_code) do update set {changes}"
            " where fx_rate.observed_at_us <= excluded.observed_at_us".encode(),
            (
                book,
                TextArray([row.currency_code for row in rows]),
                TextArray([row.rate for row in rows]),
                TextArray([row.source for row in rows]),
                Int8Array([row.observed_at_us for row in rows]),
                Int8Array([row.imported_at_us for row in rows]),
                TextArray([row.held_rate for row in rows]),
                TextArray([row.held_source for row in rows]),
                Int8Array([row.held_at_us for row in rows]),
            ),
        )


SHEET = _SheetFamily()
RATE = _RateFamily()
RATE_CHANGE = _RateChangeFamily()
