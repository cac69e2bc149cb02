"""The tables of merchants as the engine loads and writes them.

Merchants and terminals never change, so they are read without a lock; what is known of a terminal
beyond that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_POINTER, RowFamily, Statement
from longmen_server.merchants.model import MerchantRow, TerminalRow, TerminalStateRow
from longmen_server.platform.adapters import BoolArray, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import MerchantId, TerminalId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MERCHANT_COLUMNS = ", ".join(MerchantRow.__slots__)
TERMINAL_COLUMNS = ", ".join(TerminalRow.__slots__)
TERMINAL_STATE_COLUMNS = ", ".join(TerminalStateRow.__slots__)


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


class _TerminalStateFamily(RowFamily[TerminalId, TerminalStateRow]):
    """When tills were seen, and their latest orders. Sales of one till meet at its row."""

    name = "terminal_state"
    stage = STAGE_POINTER
    rank = 105

    def load(self, book: int, keys: Sequence[TerminalId]) -> Statement:
        return Statement(
            f"select {TERMINAL_STATE_COLUMNS} from terminal_state"
            " where book = $1 and terminal_id = any($2)"
            " order by terminal_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TerminalId, TerminalStateRow]:
        return record[0], TerminalStateRow(*record)

    def copy(self, row: TerminalStateRow) -> TerminalStateRow:
        return row.copy()

    def write(
        self,
        book: int,
        inserted: Sequence[TerminalStateRow],
        changed: Sequence[TerminalStateRow],
    ) -> Iterable[Statement]:
        if inserted:
            # In one order, so that two writers that see the same tills first meet.
            rows = sorted(inserted, key=lambda row: row.terminal_id)
            yield Statement(
                f"insert into terminal_state (book, {TERMINAL_STATE_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u".encode(),
                (
                    book,
                    *_state_columns(rows),
                    UuidArray([row.store_id for row in rows]),
                    BoolArray([row.store_closed for row in rows]),
                ),
            )
        if changed:
            # Not where it stands: that is written where tills are placed and stores are closed.
            yield Statement(
                b"update terminal_state as t set seen_at_us = u.s, software_version = u.v,"
                b" last_order_id = u.o from unnest($2, $3, $4, $5) as u (id, s, v, o)"
                b" where t.book = $1 and t.terminal_id = u.id",
                (book, *_state_columns(changed)),
            )


def _state_columns(rows: Sequence[TerminalStateRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.terminal_id for row in rows]),
        Int8Array([row.seen_at_us for row in rows]),
        TextArray([row.software_version for row in rows]),
        UuidArray([row.last_order_id for row in rows]),
    )


MERCHANT = _MerchantFamily()
TERMINAL = _TerminalFamily()
TERMINAL_STATE = _TerminalStateFamily()
