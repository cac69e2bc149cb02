"""The table of devices that show codes, as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_LOOKUP,
    STAGE_POINTER,
    STAGE_RECORD,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.payer_codes.model import CodeDevice, PayerCodeRow
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAYER_CODE_COLUMNS = ", ".join(PayerCodeRow.__slots__)
_PLACES = ", ".join(f"${place}" for place in range(2, 2 + len(PayerCodeRow.__slots__)))


class _HandleFamily(PointerFamily[CodeDevice, int]):
    """Which number a device has. Two enrolments of one device meet at the unique index."""

    name = "payer_code by device"
    stage = STAGE_POINTER
    rank = 109

    def load(self, book: int, keys: Sequence[CodeDevice]) -> Statement:
        return Statement(
            b"select c.customer_id, c.device_id, c.handle from unnest($2, $3) as u (c, d)"
            b" join payer_code as c on c.book = $1 and c.customer_id = u.c and c.device_id = u.d",
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                UuidArray([key.device_id for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CodeDevice, int]:
        return CodeDevice(record[0], record[1]), record[2]


class _OwnerFamily(PointerFamily[int, CodeDevice]):
    """Whose device has a number, which never changes."""

    name = "payer_code by handle"
    stage = STAGE_LOOKUP
    rank = 112

    def load(self, book: int, keys: Sequence[int]) -> Statement:
        return Statement(
            b"select handle, customer_id, device_id from payer_code"
            b" where book = $1 and handle = any($2)",
            (book, Int4Array(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[int, CodeDevice]:
        return record[0], CodeDevice(record[1], record[2])


class _PayerCodeFamily(RowFamily[int, PayerCodeRow]):
    """Devices by their numbers; scans of one device's codes meet at its row."""

    name = "payer_code"
    stage = STAGE_LINK
    rank = 106

    def load(self, book: int, keys: Sequence[int]) -> Statement:
        return Statement(
            f"select {PAYER_CODE_COLUMNS} from payer_code"
            " where book = $1 and handle = any($2) order by handle for no key update".encode(),
            (book, Int4Array(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[int, PayerCodeRow]:
        return record[0], PayerCodeRow(*record)

    def copy(self, row: PayerCodeRow) -> PayerCodeRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[PayerCodeRow], changed: Sequence[PayerCodeRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into payer_code (book, {PAYER_CODE_COLUMNS})"
                f" select $1, u.* from unnest({_PLACES}) as u".encode(),
                (book, *_columns(inserted)),
            )
        if changed:
            yield Statement(
                f"update payer_code as c set account_id = u.a, currency_code = u.m, state = u.s,"
                " secret = u.k, used = u.u, enrolled_at_us = u.e, renewed_at_us = u.r,"
                " spent_count = u.n, spent_amount = u.t, wrong_count = u.w, last_order_id = u.o,"
                f" version = u.v from unnest({_PLACES})"
                " as u (h, c, d, a, m, s, k, u, e, r, n, t, w, o, v)"
                " where c.book = $1 and c.handle = u.h".encode(),
                (book, *_columns(changed)),
            )


def _columns(given: Sequence[PayerCodeRow]) -> tuple[object, ...]:
    # Sorted, so that two writers that enrol the same devices meet in one order.
    rows = sorted(given, key=lambda row: row.handle)
    return (
        Int4Array([row.handle for row in rows]),
        UuidArray([row.customer_id for row in rows]),
        UuidArray([row.device_id for row in rows]),
        UuidArray([row.account_id for row in rows]),
        TextArray([row.currency_code for row in rows]),
        Int2Array([row.state for row in rows]),
        ByteaArray([row.secret for row in rows]),
        ByteaArray([row.used for row in rows]),
        Int8Array([row.enrolled_at_us for row in rows]),
        Int8Array([row.renewed_at_us for row in rows]),
        Int4Array([row.spent_count for row in rows]),
        Int8Array([row.spent_amount for row in rows]),
        Int4Array([row.wrong_count for row in rows]),
        UuidArray([row.last_order_id for row in rows]),
        Int8Array([row.version for row in rows]),
    )


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of payer codes with their owner: nobody takes one any more."""

    name = "payer codes of erased customers"
    stage = STAGE_RECORD
    rank = 95

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        yield Statement(
            b"update payer_code set state = 2, secret = '', version = version + 1"
            b" where book = $1 and customer_id = any($2) and state <> 2",
            (book, UuidArray(inserted)),
        )


HANDLE = _HandleFamily()
CODE_OWNER = _OwnerFamily()
PAYER_CODE = _PayerCodeFamily()
ERASED = _ErasedFamily()
