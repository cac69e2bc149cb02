"""The tables of authorizations and captures as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    RowFamily,
    Statement,
)
from longmen_server.payments.authorizations import AuthorizationRow, CaptureNumber, CaptureRow
from longmen_server.platform.adapters import (
    BoolArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import OrderId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AUTHORIZATION_COLUMNS = ", ".join(AuthorizationRow.__slots__)
CAPTURE_COLUMNS = ", ".join(CaptureRow.__slots__)


class _CaptureFamily(RowFamily[CaptureNumber, CaptureRow]):
    """Captures by their merchant's number; a lock on the order keeps two from being made at once.

    A capture that another writer made since this was read is found by the unique index: the batch
    is repeated.
    """

    name = "order_capture"
    stage = STAGE_POINTER
    rank = 120

    def load(self, book: int, keys: Sequence[CaptureNumber]) -> Statement:
        columns = ", ".join(f"c.{name}" for name in CaptureRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (o, n) join order_capture as c"
            " on c.book = $1 and c.order_id = u.o and c.capture_number = u.n".encode(),
            (
                book,
                UuidArray([key.order_id for key in keys]),
                TextArray([key.capture_number for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CaptureNumber, CaptureRow]:
        row = CaptureRow(*record)
        return CaptureNumber(row.order_id, row.capture_number), row

    def write(
        self, book: int, inserted: Sequence[CaptureRow], changed: Sequence[CaptureRow]
    ) -> Iterable[Statement]:
        assert not changed, "a capture never changes"
        yield Statement(
            f"insert into order_capture (book, {CAPTURE_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
            (
                book,
                UuidArray([row.capture_id for row in inserted]),
                UuidArray([row.order_id for row in inserted]),
                TextArray([row.capture_number for row in inserted]),
                Int8Array([row.amount for row in inserted]),
                BoolArray([row.final for row in inserted]),
                UuidArray([row.transaction_id for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
            ),
        )


class _AuthorizationFamily(RowFamily[OrderId, AuthorizationRow]):
    """What is held for orders; the lock on the order is theirs too."""

    name = "order_authorization"
    stage = STAGE_LINK
    rank = 121

    def load(self, book: int, keys: Sequence[OrderId]) -> Statement:
        return Statement(
            f"select {AUTHORIZATION_COLUMNS} from order_authorization"
            " where book = $1 and order_id = any($2)"
            " order by order_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[OrderId, AuthorizationRow]:
        return record[0], AuthorizationRow(*record)

    def copy(self, row: AuthorizationRow) -> AuthorizationRow:
        return row.copy()

    def write(
        self,
        book: int,
        inserted: Sequence[AuthorizationRow],
        changed: Sequence[AuthorizationRow],
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into order_authorization (book, {AUTHORIZATION_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u".encode(),
                (
                    book,
                    UuidArray([row.order_id for row in inserted]),
                    Int8Array([row.authorized for row in inserted]),
                    Int8Array([row.over_captured for row in inserted]),
                    Int2Array([row.percent for row in inserted]),
                    Int2Array([row.legs for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update order_authorization as a set authorized = u.a, over_captured = u.o,"
                b" legs = u.l from unnest($2, $3, $4, $5) as u (id, a, o, l)"
                b" where a.book = $1 and a.order_id = u.id",
                (
                    book,
                    UuidArray([row.order_id for row in changed]),
                    Int8Array([row.authorized for row in changed]),
                    Int8Array([row.over_captured for row in changed]),
                    Int2Array([row.legs for row in changed]),
                ),
            )


class _ReleaseFamily(RowFamily[OrderId, OrderId]):
    """Orders that are no longer authorized: what is still held for them is to be released."""

    name = "order_release"
    stage = STAGE_RECORD
    rank = 122

    def write(
        self, book: int, inserted: Sequence[OrderId], changed: Sequence[OrderId]
    ) -> Iterable[Statement]:
        assert not changed, "an order is noted once"
        yield Statement(
            b"insert into order_release (book, order_id) select $1, u.* from unnest($2) as u"
            b" on conflict do nothing",
            (book, UuidArray(inserted)),
        )


CAPTURE = _CaptureFamily()
AUTHORIZATION = _AuthorizationFamily()
RELEASE = _ReleaseFamily()
