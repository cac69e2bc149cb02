"""The table of combined orders as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.combined.model import CombinedRow
from longmen_server.engine.family import STAGE_POINTER, PointerFamily, RowFamily, Statement
from longmen_server.platform.adapters import ByteaArray, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import CombinedId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMBINED_COLUMNS = ", ".join(CombinedRow.__slots__)


class _NumberFamily(PointerFamily[str, CombinedRow]):
    """Combined orders by their platform's number; two that are registered at once meet there."""

    name = "combined_order by number"
    stage = STAGE_POINTER
    rank = 143

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            f"select {COMBINED_COLUMNS} from combined_order"
            " where book = $1 and combined_number = any($2)".encode(),
            (book, TextArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, CombinedRow]:
        row = CombinedRow(*record)
        return row.combined_number, row


class _CombinedFamily(RowFamily[CombinedId, CombinedRow]):
    """Combined orders; two payments of one meet at its row, before those of its parts."""

    name = "combined_order"
    stage = STAGE_POINTER
    rank = 144

    def load(self, book: int, keys: Sequence[CombinedId]) -> Statement:
        return Statement(
            f"select {COMBINED_COLUMNS} from combined_order"
            " where book = $1 and combined_id = any($2)"
            " order by combined_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CombinedId, CombinedRow]:
        return record[0], CombinedRow(*record)

    def copy(self, row: CombinedRow) -> CombinedRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CombinedRow], changed: Sequence[CombinedRow]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers that register the same numbers meet in one order.
            rows = sorted(inserted, key=lambda row: row.combined_number)
            yield Statement(
                f"insert into combined_order (book, {COMBINED_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u".encode(),
                (
                    book,
                    UuidArray([row.combined_id for row in rows]),
                    TextArray([row.combined_number for row in rows]),
                    TextArray([row.currency_code for row in rows]),
                    Int8Array([row.total for row in rows]),
                    TextArray([row.description for row in rows]),
                    Int8Array([row.expires_at_us for row in rows]),
                    Int8Array([row.created_at_us for row in rows]),
                    Int8Array([row.paid_at_us for row in rows]),
                    ByteaArray([row.order_ids for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update combined_order as c set paid_at_us = u.p"
                b" from unnest($2, $3) as u (id, p) where c.book = $1 and c.combined_id = u.id",
                (
                    book,
                    UuidArray([row.combined_id for row in changed]),
                    Int8Array([row.paid_at_us for row in changed]),
                ),
            )


NUMBER = _NumberFamily()
COMBINED = _CombinedFamily()
