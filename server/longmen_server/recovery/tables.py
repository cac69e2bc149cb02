"""The table of resets as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import CustomerId, DeviceId
from longmen_server.recovery.model import ResetRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ACTIVE_DEVICES", "ERASED", "FACTOR_RESET", "RESET_COLUMNS"]

RESET_COLUMNS = ", ".join(ResetRow.__slots__)
_ID_BYTES = 16


class _ResetFamily(RowFamily[CustomerId, ResetRow]):
    name = "factor_reset"
    stage = STAGE_POINTER
    rank = 230

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            f"select {RESET_COLUMNS} from factor_reset where book = $1 and customer_id = any($2)"
            " order by customer_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, ResetRow]:
        return record[0], ResetRow(*record)

    def copy(self, row: ResetRow) -> ResetRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ResetRow], changed: Sequence[ResetRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into factor_reset (book, {RESET_COLUMNS}) select $1, u.*"
                " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u".encode(),
                (book, *_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update factor_reset as r set state = u.s, kinds = u.k, evidence = u.e,"
                b" evidence_reference = u.f, thumbprint = u.t, approved_at_us = u.a,"
                b" effective_at_us = u.w, changed_at_us = u.h"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)"
                b" as u (c, s, k, e, f, t, a, w, h)"
                b" where r.book = $1 and r.customer_id = u.c",
                (book, *_columns(changed)),
            )


def _columns(given: Sequence[ResetRow]) -> tuple[object, ...]:
    # Sorted, so that two writers that insert the same customers meet in one order.
    rows = sorted(given, key=lambda row: row.customer_id)
    return (
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.state for row in rows]),
        Int2Array([row.kinds for row in rows]),
        Int2Array([row.evidence for row in rows]),
        TextArray([row.evidence_reference for row in rows]),
        TextArray([row.thumbprint for row in rows]),
        Int8Array([row.approved_at_us for row in rows]),
        Int8Array([row.effective_at_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
    )


class _ActiveDevicesFamily(PointerFamily[CustomerId, tuple[DeviceId, ...]]):
    """Which devices of a customer are active; read under the lock of the customer's row."""

    name = "identity_device of a customer"
    stage = STAGE_LINK
    rank = 231

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, string_agg(uuid_send(device_id), ''::bytea order by device_id)"
            b" from identity_device where book = $1 and customer_id = any($2)"
            b" and state = 1 group by customer_id",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, tuple[DeviceId, ...]]:
        joined: bytes = record[1]
        return record[0], tuple(
            DeviceId(joined[at : at + _ID_BYTES]) for at in range(0, len(joined), _ID_BYTES)
        )

    # The rows are the device family's to write.


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of resets with their customer: all of it."""

    name = "resets of erased customers"
    stage = STAGE_RECORD
    rank = 232

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        yield Statement(
            b"delete from factor_reset where book = $1 and customer_id = any($2)",
            (book, UuidArray(inserted)),
        )


FACTOR_RESET = _ResetFamily()
ACTIVE_DEVICES = _ActiveDevicesFamily()
ERASED = _ErasedFamily()
