"""The table of mandates as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.mandates.model import MandateNumber, MandateRow
from longmen_server.platform.adapters import Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import MandateId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MANDATE_COLUMNS = ", ".join(MandateRow.__slots__)


class _NumberFamily(PointerFamily[MandateNumber, MandateId]):
    """Which mandate has a merchant's number; two writers that sign one meet at the unique index."""

    name = "mandate by number"
    stage = STAGE_POINTER
    rank = 123

    def load(self, book: int, keys: Sequence[MandateNumber]) -> Statement:
        return Statement(
            b"select m.merchant_id, m.mandate_number, m.mandate_id"
            b" from unnest($2, $3) as u (m, n) join mandate as m on m.book = $1"
            b" and m.merchant_id = u.m and m.mandate_number = u.n",
            (
                book,
                UuidArray([key.merchant_id for key in keys]),
                TextArray([key.mandate_number for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MandateNumber, MandateId]:
        return MandateNumber(record[0], record[1]), record[2]


class _MandateFamily(RowFamily[MandateId, MandateRow]):
    name = "mandate"
    stage = STAGE_LINK
    rank = 124

    def load(self, book: int, keys: Sequence[MandateId]) -> Statement:
        return Statement(
            f"select {MANDATE_COLUMNS} from mandate"
            " where book = $1 and mandate_id = any($2)"
            " order by mandate_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MandateId, MandateRow]:
        return record[0], MandateRow(*record)

    def copy(self, row: MandateRow) -> MandateRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[MandateRow], changed: Sequence[MandateRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            yield Statement(
                b"update mandate as m set state = u.s, cycle_start = u.c, cycle_used = u.u,"
                b" announced = u.a, charge_from_us = u.f, version = u.v, updated_at_us = u.t"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u (id, s, c, u, a, f, v, t)"
                b" where m.book = $1 and m.mandate_id = u.id",
                (
                    book,
                    UuidArray([row.mandate_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    TextArray([row.cycle_start for row in changed]),
                    Int8Array([row.cycle_used for row in changed]),
                    Int8Array([row.announced for row in changed]),
                    Int8Array([row.charge_from_us for row in changed]),
                    Int8Array([row.version for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[MandateRow]) -> Statement:
        places = ", ".join(f"${place}" for place in range(2, 2 + len(MandateRow.__slots__)))
        return Statement(
            f"insert into mandate (book, {MANDATE_COLUMNS})"
            f" select $1, u.* from unnest({places}) as u".encode(),
            (
                book,
                UuidArray([row.mandate_id for row in rows]),
                UuidArray([row.merchant_id for row in rows]),
                TextArray([row.mandate_number for row in rows]),
                UuidArray([row.account_id for row in rows]),
                TextArray([row.currency_code for row in rows]),
                Int2Array([row.state for row in rows]),
                Int8Array([row.single_cap for row in rows]),
                Int8Array([row.cycle_cap for row in rows]),
                Int2Array([row.cycle for row in rows]),
                TextArray([row.cycle_start for row in rows]),
                Int8Array([row.cycle_used for row in rows]),
                Int2Array([row.notice_hours for row in rows]),
                Int8Array([row.announced for row in rows]),
                Int8Array([row.charge_from_us for row in rows]),
                Int8Array([row.expires_at_us for row in rows]),
                Int8Array([row.version for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.updated_at_us for row in rows]),
                TextArray([row.description for row in rows]),
            ),
        )


NUMBER = _NumberFamily()
MANDATE = _MandateFamily()
