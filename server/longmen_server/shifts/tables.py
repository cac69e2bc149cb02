"""The table of shifts as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import ShiftId, TerminalId
from longmen_server.shifts.model import ShiftRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHIFT_COLUMNS = ", ".join(ShiftRow.__slots__)


class _OpenShiftFamily(PointerFamily[TerminalId, ShiftId]):
    """Which shift of a till is open. Two that are opened at once meet at the unique index."""

    name = "merchant_shift by terminal"
    stage = STAGE_POINTER
    rank = 110

    def load(self, book: int, keys: Sequence[TerminalId]) -> Statement:
        return Statement(
            b"select terminal_id, shift_id from merchant_shift"
            b" where book = $1 and terminal_id = any($2) and closed_at_us is null",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TerminalId, ShiftId]:
        return record[0], record[1]


class _ShiftFamily(RowFamily[ShiftId, ShiftRow]):
    name = "merchant_shift"
    stage = STAGE_LINK
    rank = 111

    def load(self, book: int, keys: Sequence[ShiftId]) -> Statement:
        return Statement(
            f"select {SHIFT_COLUMNS} from merchant_shift where book = $1 and shift_id = any($2)"
            " order by shift_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ShiftId, ShiftRow]:
        return record[0], ShiftRow(*record)

    def copy(self, row: ShiftRow) -> ShiftRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ShiftRow], changed: Sequence[ShiftRow]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers that open shifts of the same tills meet in one order.
            rows = sorted(inserted, key=lambda row: row.terminal_id)
            yield Statement(
                f"insert into merchant_shift (book, {SHIFT_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u".encode(),
                (
                    book,
                    UuidArray([row.shift_id for row in rows]),
                    UuidArray([row.merchant_id for row in rows]),
                    UuidArray([row.terminal_id for row in rows]),
                    TextArray([row.cashier_label for row in rows]),
                    Int8Array([row.opened_at_us for row in rows]),
                    Int8Array([row.closed_at_us for row in rows]),
                    UuidArray([row.cashier_id for row in rows]),
                    UuidArray([row.store_id for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update merchant_shift as s set closed_at_us = u.c"
                b" from unnest($2, $3) as u (id, c) where s.book = $1 and s.shift_id = u.id",
                (
                    book,
                    UuidArray([row.shift_id for row in changed]),
                    Int8Array([row.closed_at_us for row in changed]),
                ),
            )


OPEN_SHIFT = _OpenShiftFamily()
SHIFT = _ShiftFamily()
