"""The table of messages as the engine writes it: commands only ever append to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.family import STAGE_RECORD, RowFamily, Statement
from longmen_server.messages.model import ErasedRecipient, MessageRow, MessageState
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import MessageId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class _MessageFamily(RowFamily[MessageId, MessageRow]):
    name = "message_outbox"
    stage = STAGE_RECORD
    rank = 69

    def write(
        self, book: int, inserted: Sequence[MessageRow], changed: Sequence[MessageRow]
    ) -> Iterable[Statement]:
        assert not changed, "commands only append messages"
        yield Statement(
            b"insert into message_outbox (book, message_id, channel, kind, created_at_us,"
            b" due_at_us, expires_at_us, attempts, state, sealed, recipient_index)"
            b" select $1, u.i, u.c, u.k, u.t, u.t, u.x, 0, $2, u.s, u.r"
            b" from unnest($3, $4, $5, $6, $7, $8, $9) as u (i, c, k, t, x, s, r)",
            (
                book,
                int(MessageState.QUEUED),
                UuidArray([row.message_id for row in inserted]),
                Int2Array([row.channel for row in inserted]),
                TextArray([row.kind for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
                Int8Array([row.expires_at_us for row in inserted]),
                ByteaArray([row.sealed for row in inserted]),
                ByteaArray([row.recipient_index for row in inserted]),
            ),
        )


class _ErasedFamily(RowFamily[bytes, ErasedRecipient]):
    """What goes of messages with their recipient: those not delivered yet never are."""

    name = "messages of erased customers"
    stage = STAGE_RECORD
    rank = 94

    def write(
        self, book: int, inserted: Sequence[ErasedRecipient], changed: Sequence[ErasedRecipient]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        yield Statement(
            b"update message_outbox as m set state = $2, sealed = null, settled_at_us = u.t"
            b" from unnest($3, $4) as u (r, t)"
            b" where m.book = $1 and m.recipient_index = u.r and m.state = 1",
            (
                book,
                int(MessageState.EXPIRED),
                ByteaArray([row.recipient_index for row in inserted]),
                Int8Array([row.erased_at_us for row in inserted]),
            ),
        )


MESSAGE = _MessageFamily()
ERASED = _ErasedFamily()
