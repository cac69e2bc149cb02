"""The table of proposals as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.approvals.model import ApprovalRow
from longmen_server.engine.family import STAGE_POINTER, RowFamily, Statement
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import ApprovalId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["APPROVAL_ROWS", "COLUMNS"]

COLUMNS: Final = (
    "approval_id, state, method, payload, payload_hash, changes, reason_text, maker,"
    " maker_session, maker_device, maker_person, created_at_us, expires_at_us, decider,"
    " decided_at_us, decision_text, reply, decider_person"
)
"""The columns of an `ApprovalRow`, in its order."""


class _ApprovalFamily(RowFamily[ApprovalId, ApprovalRow]):
    name = "approval"
    stage = STAGE_POINTER
    rank = 80

    def load(self, book: int, keys: Sequence[ApprovalId]) -> Statement:
        return Statement(
            f"select {COLUMNS} from approval where book = $1 and approval_id = any($2)"
            " order by approval_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ApprovalId, ApprovalRow]:
        return record[0], ApprovalRow(*record)

    def copy(self, row: ApprovalRow) -> ApprovalRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ApprovalRow], changed: Sequence[ApprovalRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            yield Statement(
                b"update approval as a set state = u.s, decider = u.d, decided_at_us = u.t,"
                b" decision_text = u.x, reply = u.r, decider_person = u.p"
                b" from unnest($2, $3, $4, $5, $6, $7, $8) as u (id, s, d, t, x, r, p)"
                b" where a.book = $1 and a.approval_id = u.id",
                (
                    book,
                    UuidArray([row.approval_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    TextArray([row.decider for row in changed]),
                    Int8Array([row.decided_at_us for row in changed]),
                    TextArray([row.decision_text for row in changed]),
                    ByteaArray([row.reply for row in changed]),
                    TextArray([row.decider_person for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[ApprovalRow]) -> Statement:
        return Statement(
            f"insert into approval (book, {COLUMNS}) select $1, u.* from unnest($2, $3, $4, $5, $6,"
            " $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) as u".encode(),
            (
                book,
                UuidArray([row.approval_id for row in rows]),
                Int2Array([row.state for row in rows]),
                TextArray([row.method for row in rows]),
                ByteaArray([row.payload for row in rows]),
                ByteaArray([row.payload_hash for row in rows]),
                ByteaArray([row.changes for row in rows]),
                TextArray([row.reason_text for row in rows]),
                TextArray([row.maker for row in rows]),
                TextArray([row.maker_session for row in rows]),
                TextArray([row.maker_device for row in rows]),
                TextArray([row.maker_person for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.expires_at_us for row in rows]),
                TextArray([row.decider for row in rows]),
                Int8Array([row.decided_at_us for row in rows]),
                TextArray([row.decision_text for row in rows]),
                ByteaArray([row.reply for row in rows]),
                TextArray([row.decider_person for row in rows]),
            ),
        )


APPROVAL_ROWS = _ApprovalFamily()
