"""The tables of sharing as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_ACCOUNT,
    STAGE_LINK,
    STAGE_POINTER,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    BoolArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import OrderId
from longmen_server.sharing.model import (
    ReceiverKey,
    ReceiverRow,
    ShareNumber,
    ShareReturnRow,
    ShareRow,
    SharingRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RECEIVER_COLUMNS = ", ".join(ReceiverRow.__slots__)
SHARING_COLUMNS = ", ".join(SharingRow.__slots__)
SHARE_COLUMNS = ", ".join(ShareRow.__slots__)
RETURN_COLUMNS = ", ".join(ShareReturnRow.__slots__)


def _insert(table: str, columns: str) -> bytes:
    places = ", ".join(f"${place}" for place in range(2, 3 + columns.count(",")))
    return (
        f"insert into {table} (book, {columns}) select $1, u.* from unnest({places}) as u".encode()
    )


class _ShareFamily(RowFamily[ShareNumber, ShareRow]):
    """Shares by the merchant's number; two of one number meet at the sharing's row."""

    name = "order_share"
    stage = STAGE_POINTER
    rank = 242

    def load(self, book: int, keys: Sequence[ShareNumber]) -> Statement:
        columns = ", ".join(f"s.{name}" for name in ShareRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (o, n) join order_share as s"
            " on s.book = $1 and s.order_id = u.o and s.share_number = u.n"
            " order by s.order_id, s.share_number for no key update of s".encode(),
            (book, UuidArray([key[0] for key in keys]), TextArray([key[1] for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ShareNumber, ShareRow]:
        row = ShareRow(*record)
        return ShareNumber(row.order_id, row.share_number), row

    def copy(self, row: ShareRow) -> ShareRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ShareRow], changed: Sequence[ShareRow]
    ) -> Iterable[Statement]:
        if inserted:
            rows = sorted(inserted, key=lambda row: (row.order_id, row.share_number))
            yield Statement(
                _insert("order_share", SHARE_COLUMNS),
                (
                    book,
                    UuidArray([row.order_id for row in rows]),
                    TextArray([row.share_number for row in rows]),
                    UuidArray([row.receiver_id for row in rows]),
                    UuidArray([row.receiver_account_id for row in rows]),
                    Int8Array([row.amount for row in rows]),
                    Int8Array([row.returned for row in rows]),
                    UuidArray([row.transaction_id for row in rows]),
                    TextArray([row.description for row in rows]),
                    Int8Array([row.created_at_us for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update order_share as s set returned = u.r"
                b" from unnest($2, $3, $4) as u (o, n, r)"
                b" where s.book = $1 and s.order_id = u.o and s.share_number = u.n",
                (
                    book,
                    UuidArray([row.order_id for row in changed]),
                    TextArray([row.share_number for row in changed]),
                    Int8Array([row.returned for row in changed]),
                ),
            )


class _ReturnFamily(RowFamily[ShareNumber, ShareReturnRow]):
    """Returns by the merchant's number; they never change."""

    name = "order_share_return"
    stage = STAGE_POINTER
    rank = 243

    def load(self, book: int, keys: Sequence[ShareNumber]) -> Statement:
        columns = ", ".join(f"s.{name}" for name in ShareReturnRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (o, n) join order_share_return as s"
            " on s.book = $1 and s.order_id = u.o and s.return_number = u.n".encode(),
            (book, UuidArray([key[0] for key in keys]), TextArray([key[1] for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ShareNumber, ShareReturnRow]:
        row = ShareReturnRow(*record)
        return ShareNumber(row.order_id, row.return_number), row

    def write(
        self, book: int, inserted: Sequence[ShareReturnRow], changed: Sequence[ShareReturnRow]
    ) -> Iterable[Statement]:
        assert not changed, "a return never changes"
        rows = sorted(inserted, key=lambda row: (row.order_id, row.return_number))
        yield Statement(
            _insert("order_share_return", RETURN_COLUMNS),
            (
                book,
                UuidArray([row.order_id for row in rows]),
                TextArray([row.return_number for row in rows]),
                TextArray([row.share_number for row in rows]),
                Int8Array([row.amount for row in rows]),
                BoolArray([row.in_proportion for row in rows]),
                UuidArray([row.transaction_id for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
            ),
        )


class _SharingFamily(RowFamily[OrderId, SharingRow]):
    """What is held of orders; shares, returns and refunds of one order meet at its row."""

    name = "order_sharing"
    stage = STAGE_LINK
    rank = 244

    def load(self, book: int, keys: Sequence[OrderId]) -> Statement:
        return Statement(
            f"select {SHARING_COLUMNS} from order_sharing where book = $1 and order_id = any($2)"
            " order by order_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[OrderId, SharingRow]:
        return record[0], SharingRow(*record)

    def copy(self, row: SharingRow) -> SharingRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SharingRow], changed: Sequence[SharingRow]
    ) -> Iterable[Statement]:
        if inserted:
            rows = sorted(inserted, key=lambda row: row.order_id)
            yield Statement(
                _insert("order_sharing", SHARING_COLUMNS),
                (
                    book,
                    UuidArray([row.order_id for row in rows]),
                    UuidArray([row.merchant_id for row in rows]),
                    UuidArray([row.account_id for row in rows]),
                    TextArray([row.currency_code for row in rows]),
                    Int2Array([row.state for row in rows]),
                    *(Int8Array([getattr(row, name) for row in rows]) for name in _SUMS),
                    Int4Array([row.share_count for row in rows]),
                    Int4Array([row.cap_percent for row in rows]),
                    *(Int8Array([getattr(row, name) for row in rows]) for name in _TIMES),
                ),
            )
        if changed:
            yield Statement(
                b"update order_sharing as s set state = u.s, shared = u.h, returned = u.r,"
                b" released = u.l, share_count = u.c, version = u.v, updated_at_us = u.a"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u (id, s, h, r, l, c, v, a)"
                b" where s.book = $1 and s.order_id = u.id",
                (
                    book,
                    UuidArray([row.order_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.shared for row in changed]),
                    Int8Array([row.returned for row in changed]),
                    Int8Array([row.released for row in changed]),
                    Int4Array([row.share_count for row in changed]),
                    Int8Array([row.version for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


_SUMS = ("held", "shared", "returned", "released")
_TIMES = ("ends_at_us", "version", "created_at_us", "updated_at_us")


class _ReceiverFamily(RowFamily[ReceiverKey, ReceiverRow]):
    """Receivers, found once the order has told who shares."""

    name = "sharing_receiver"
    stage = STAGE_ACCOUNT
    rank = 245

    def load(self, book: int, keys: Sequence[ReceiverKey]) -> Statement:
        columns = ", ".join(f"r.{name}" for name in ReceiverRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (m, r) join sharing_receiver as r"
            " on r.book = $1 and r.merchant_id = u.m and r.receiver_id = u.r"
            " order by r.merchant_id, r.receiver_id for no key update of r".encode(),
            (book, UuidArray([key[0] for key in keys]), UuidArray([key[1] for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ReceiverKey, ReceiverRow]:
        row = ReceiverRow(*record)
        return ReceiverKey(row.merchant_id, row.receiver_id), row

    def copy(self, row: ReceiverRow) -> ReceiverRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ReceiverRow], changed: Sequence[ReceiverRow]
    ) -> Iterable[Statement]:
        if inserted:
            rows = sorted(inserted, key=lambda row: (row.merchant_id, row.receiver_id))
            yield Statement(
                _insert("sharing_receiver", RECEIVER_COLUMNS),
                (
                    book,
                    UuidArray([row.merchant_id for row in rows]),
                    UuidArray([row.receiver_id for row in rows]),
                    Int2Array([row.state for row in rows]),
                    Int8Array([row.created_at_us for row in rows]),
                    Int8Array([row.updated_at_us for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update sharing_receiver as r set state = u.s, updated_at_us = u.a"
                b" from unnest($2, $3, $4, $5) as u (m, i, s, a)"
                b" where r.book = $1 and r.merchant_id = u.m and r.receiver_id = u.i",
                (
                    book,
                    UuidArray([row.merchant_id for row in changed]),
                    UuidArray([row.receiver_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


SHARE = _ShareFamily()
SHARE_RETURN = _ReturnFamily()
SHARING = _SharingFamily()
RECEIVER = _ReceiverFamily()
