"""The tables of transfers as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_POINTER, RowFamily, Statement
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import TransactionId
from longmen_server.transfers.model import InstructionRow, ScheduleRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCHEDULE_COLUMNS = ", ".join(ScheduleRow.__slots__)
INSTRUCTION_COLUMNS = ", ".join(InstructionRow.__slots__)


class _ScheduleFamily(RowFamily[TransactionId, ScheduleRow]):
    name = "transfer_schedule"
    stage = STAGE_POINTER
    rank = 50

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            f"select {SCHEDULE_COLUMNS} from transfer_schedule"
            " where book = $1 and transaction_id = any($2)"
            " order by transaction_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TransactionId, ScheduleRow]:
        return record[0], ScheduleRow(*record)

    def copy(self, row: ScheduleRow) -> ScheduleRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ScheduleRow], changed: Sequence[ScheduleRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into transfer_schedule (book, {SCHEDULE_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u".encode(),
                (
                    book,
                    UuidArray([row.transaction_id for row in inserted]),
                    Int2Array([row.kind for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    Int8Array([row.due_at_us for row in inserted]),
                    UuidArray([row.settlement_id for row in inserted]),
                    TextArray([row.failure_code for row in inserted]),
                    TextArray([row.reason_text for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.updated_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update transfer_schedule as s set state = u.s, settlement_id = u.i,"
                b" failure_code = u.f, reason_text = u.r, updated_at_us = u.a"
                b" from unnest($2, $3, $4, $5, $6, $7) as u (t, s, i, f, r, a)"
                b" where s.book = $1 and s.transaction_id = u.t",
                (
                    book,
                    UuidArray([row.transaction_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    UuidArray([row.settlement_id for row in changed]),
                    TextArray([row.failure_code for row in changed]),
                    TextArray([row.reason_text for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


class _InstructionFamily(RowFamily[TransactionId, InstructionRow]):
    name = "clearing_instruction"
    stage = STAGE_POINTER
    rank = 51

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            f"select {INSTRUCTION_COLUMNS} from clearing_instruction"
            " where book = $1 and transaction_id = any($2)"
            " order by transaction_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TransactionId, InstructionRow]:
        return record[0], InstructionRow(*record)

    def copy(self, row: InstructionRow) -> InstructionRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[InstructionRow], changed: Sequence[InstructionRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into clearing_instruction (book, {INSTRUCTION_COLUMNS})"
                " select $1, u.*"
                " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as u".encode(),
                (
                    book,
                    UuidArray([row.transaction_id for row in inserted]),
                    Int2Array([row.direction for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    UuidArray([row.account_id for row in inserted]),
                    Int8Array([row.amount for row in inserted]),
                    TextArray([row.currency_code for row in inserted]),
                    ByteaArray([row.bank_account for row in inserted]),
                    UuidArray([row.key_owner for row in inserted]),
                    TextArray([row.reference for row in inserted]),
                    TextArray([row.clearing_code for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.updated_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update clearing_instruction as i"
                b" set state = u.s, clearing_code = u.c, updated_at_us = u.a"
                b" from unnest($2, $3, $4, $5) as u (t, s, c, a)"
                b" where i.book = $1 and i.transaction_id = u.t",
                (
                    book,
                    UuidArray([row.transaction_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    TextArray([row.clearing_code for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


SCHEDULE = _ScheduleFamily()
INSTRUCTION = _InstructionFamily()
