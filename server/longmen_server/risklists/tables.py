"""The tables of lists as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER, RowFamily, Statement
from longmen_server.platform.adapters import (
    ByteaArray,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.risklists.model import ChunkRow, ImportRow, ListKey, ListRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.platform.ids import ListImportId

IMPORT_COLUMNS = ", ".join(ImportRow.__slots__)
LIST_COLUMNS = ", ".join(ListRow.__slots__)
CHUNK_COLUMNS = ", ".join(ChunkRow.__slots__)


class _ImportFamily(RowFamily["ListImportId", ImportRow]):
    """Imports, locked by whoever adds to them or commits them."""

    name = "risk_list_import"
    stage = STAGE_POINTER
    rank = 213

    def load(self, book: int, keys: Sequence[ListImportId]) -> Statement:
        return Statement(
            f"select {IMPORT_COLUMNS} from risk_list_import"
            " where book = $1 and list_import_id = any($2)"
            " order by list_import_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ListImportId, ImportRow]:
        return record[0], ImportRow(*record)

    def copy(self, row: ImportRow) -> ImportRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ImportRow], changed: Sequence[ImportRow]
    ) -> Iterable[Statement]:
        yield _written(
            book,
            "risk_list_import",
            "list_import_id",
            ImportRow.__slots__,
            (*inserted, *changed),
            (
                UuidArray,
                TextArray,
                Int4Array,
                Int4Array,
                TextArray,
                TextArray,
                Int4Array,
                Int4Array,
                Int4Array,
                Int4Array,
                Int8Array,
                Int8Array,
            ),
        )


class _ListFamily(RowFamily[ListKey, ListRow]):
    """Lists. The key comes from an import, so they are locked after it."""

    name = "risk_list"
    stage = STAGE_LINK
    rank = 214

    def load(self, book: int, keys: Sequence[ListKey]) -> Statement:
        columns = ", ".join(f"l.{name}" for name in ListRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (n, k) join risk_list as l"
            " on l.book = $1 and l.name = u.n and l.kind = u.k"
            " order by l.name, l.kind for no key update of l".encode(),
            (book, TextArray([key.name for key in keys]), Int4Array([key.kind for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ListKey, ListRow]:
        row = ListRow(*record)
        return ListKey(row.name, row.kind), row

    def copy(self, row: ListRow) -> ListRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ListRow], changed: Sequence[ListRow]
    ) -> Iterable[Statement]:
        types = (TextArray, Int4Array, Int4Array, UuidArray, Int8Array)
        # A first import that races with another meets it at the key, and the batch runs again.
        if inserted:
            yield _written(book, "risk_list", "", ListRow.__slots__, inserted, types)
        if changed:
            yield _written(book, "risk_list", "name, kind", ListRow.__slots__, changed, types)


class _ChunkFamily(RowFamily[tuple[bytes, int], ChunkRow]):
    """Rows of imports, which are only ever added."""

    name = "risk_list_chunk"
    stage = STAGE_LINK
    rank = 215

    def write(
        self, book: int, inserted: Sequence[ChunkRow], changed: Sequence[ChunkRow]
    ) -> Iterable[Statement]:
        assert not changed, "rows never change"
        types = (UuidArray, Int4Array, Int4Array, ByteaArray)
        yield _written(book, "risk_list_chunk", "", ChunkRow.__slots__, inserted, types)


def _written(
    book: int, table: str, key: str, columns: Any, rows: Sequence[Any], types: Sequence[Any]
) -> Statement:
    """Return the statement that writes rows; if a key is named, those that are there change."""
    names = ", ".join(columns)
    numbers = ", ".join(f"${place}" for place in range(2, len(columns) + 2))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    meeting = f" on conflict (book, {key}) do update set {changes}" if key else ""
    ordered = sorted(rows, key=lambda row: getattr(row, columns[0]))
    return Statement(
        f"insert into {table} (book, {names}) select $1, u.* from unnest({numbers}) as u"
        f"{meeting}".encode(),
        (
            book,
            *(
                array([getattr(row, column) for row in ordered])
                for column, array in zip(columns, types, strict=True)
            ),
        ),
    )


LIST_IMPORT_ROWS = _ImportFamily()
RISK_LIST = _ListFamily()
LIST_CHUNK = _ChunkFamily()
