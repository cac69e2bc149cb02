"""The tables of settlements as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_LINK, RowFamily, Statement
from longmen_server.platform.adapters import Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import MerchantId, SettlementId
from longmen_server.settlements.model import PositionRow, SettlementRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SETTLEMENT_COLUMNS = ", ".join(SettlementRow.__slots__)

_COUNTS = SettlementRow.__slots__[
    SettlementRow.__slots__.index("from_version") : SettlementRow.__slots__.index("transaction_id")
]
"""The columns that are whole numbers of 64 bits, which stand together."""


class _PositionFamily(RowFamily[MerchantId, PositionRow]):
    name = "merchant_position"
    stage = STAGE_LINK
    rank = 115

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return Statement(
            b"select merchant_id, closed_version, closed_date, settled_date, carried"
            b" from merchant_position where book = $1 and merchant_id = any($2)"
            b" order by merchant_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, PositionRow]:
        return record[0], PositionRow(*record)

    def copy(self, row: PositionRow) -> PositionRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[PositionRow], changed: Sequence[PositionRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                b"insert into merchant_position"
                b" (book, merchant_id, closed_version, closed_date, settled_date, carried)"
                b" select $1, u.* from unnest($2, $3, $4, $5, $6) as u",
                (book, *_position_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update merchant_position as p set closed_version = u.v, closed_date = u.d,"
                b" settled_date = u.s, carried = u.c"
                b" from unnest($2, $3, $4, $5, $6) as u (id, v, d, s, c)"
                b" where p.book = $1 and p.merchant_id = u.id",
                (book, *_position_columns(changed)),
            )


def _position_columns(rows: Sequence[PositionRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.merchant_id for row in rows]),
        Int8Array([row.closed_version for row in rows]),
        TextArray([row.closed_date for row in rows]),
        TextArray([row.settled_date for row in rows]),
        Int8Array([row.carried for row in rows]),
    )


class _SettlementFamily(RowFamily[SettlementId, SettlementRow]):
    name = "merchant_settlement"
    stage = STAGE_LINK
    rank = 116

    def load(self, book: int, keys: Sequence[SettlementId]) -> Statement:
        return Statement(
            f"select {SETTLEMENT_COLUMNS} from merchant_settlement"
            " where book = $1 and settlement_id = any($2)"
            " order by settlement_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SettlementId, SettlementRow]:
        return record[0], SettlementRow(*record)

    def copy(self, row: SettlementRow) -> SettlementRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SettlementRow], changed: Sequence[SettlementRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            yield Statement(
                b"update merchant_settlement as s set state = u.s, carried_in = u.i, paid = u.p,"
                b" carried_out = u.o, transaction_id = u.t, settled_at_us = u.a"
                b" from unnest($2, $3, $4, $5, $6, $7, $8) as u (id, s, i, p, o, t, a)"
                b" where s.book = $1 and s.settlement_id = u.id",
                (
                    book,
                    UuidArray([row.settlement_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.carried_in for row in changed]),
                    Int8Array([row.paid for row in changed]),
                    Int8Array([row.carried_out for row in changed]),
                    UuidArray([row.transaction_id for row in changed]),
                    Int8Array([row.settled_at_us for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[SettlementRow]) -> Statement:
        places = ", ".join(f"${place}" for place in range(2, 2 + len(SettlementRow.__slots__)))
        return Statement(
            f"insert into merchant_settlement (book, {SETTLEMENT_COLUMNS})"
            f" select $1, u.* from unnest({places}) as u".encode(),
            (
                book,
                UuidArray([row.settlement_id for row in rows]),
                UuidArray([row.merchant_id for row in rows]),
                UuidArray([row.account_id for row in rows]),
                TextArray([row.business_date for row in rows]),
                TextArray([row.settlement_date for row in rows]),
                Int2Array([row.state for row in rows]),
                TextArray([row.currency_code for row in rows]),
                *(Int8Array([getattr(row, name) for row in rows]) for name in _COUNTS),
                UuidArray([row.transaction_id for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.settled_at_us for row in rows]),
            ),
        )


POSITION = _PositionFamily()
SETTLEMENT = _SettlementFamily()
