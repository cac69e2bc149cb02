"""The tables of merchants as the engine loads and writes them.

Their rows never change, so they are read without a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_POINTER, RowFamily, Statement
from longmen_server.merchants.model import MerchantRow, TerminalRow
from longmen_server.platform.adapters import Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import MerchantId, TerminalId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MERCHANT_COLUMNS = ", ".join(MerchantRow.__slots__)
TERMINAL_COLUMNS = ", ".join(TerminalRow.__slots__)


class _MerchantFamily(RowFamily[MerchantId, MerchantRow]):
    name = "merchant"
    stage = STAGE_POINTER
    rank = 100

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return Statement(
            f"select {MERCHANT_COLUMNS} from merchant"
            " where book = $1 and merchant_id = any($2)".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, MerchantRow]:
        return record[0], MerchantRow(*record)

    def write(
        self, book: int, inserted: Sequence[MerchantRow], changed: Sequence[MerchantRow]
    ) -> Iterable[Statement]:
        assert not changed, "a merchant never changes"
        yield Statement(
            f"insert into merchant (book, {MERCHANT_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u".encode(),
            (
                book,
                UuidArray([row.merchant_id for row in inserted]),
                TextArray([row.name for row in inserted]),
                TextArray([row.local_name for row in inserted]),
                TextArray([row.local_language for row in inserted]),
                TextArray([row.city for row in inserted]),
                TextArray([row.country_code for row in inserted]),
                TextArray([row.category_code for row in inserted]),
                TextArray([row.currency_code for row in inserted]),
                UuidArray([row.account_id for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
            ),
        )


class _TerminalFamily(RowFamily[TerminalId, TerminalRow]):
    name = "merchant_terminal"
    stage = STAGE_POINTER
    rank = 101

    def load(self, book: int, keys: Sequence[TerminalId]) -> Statement:
        return Statement(
            f"select {TERMINAL_COLUMNS} from merchant_terminal"
            " where book = $1 and terminal_id = any($2)".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TerminalId, TerminalRow]:
        return record[0], TerminalRow(*record)

    def write(
        self, book: int, inserted: Sequence[TerminalRow], changed: Sequence[TerminalRow]
    ) -> Iterable[Statement]:
        assert not changed, "a terminal never changes"
        yield Statement(
            f"insert into merchant_terminal (book, {TERMINAL_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
            (
                book,
                UuidArray([row.terminal_id for row in inserted]),
                UuidArray([row.merchant_id for row in inserted]),
                TextArray([row.label for row in inserted]),
                TextArray([row.store_label for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
            ),
        )


MERCHANT = _MerchantFamily()
TERMINAL = _TerminalFamily()
