"""The tables of orders as the engine loads and writes them."""

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
from longmen_server.payments.model import (
    AttemptRow,
    OrderNumber,
    OrderRow,
    RefundNumber,
    RefundRow,
    TerminalReference,
    TerminalReferenceRow,
)
from longmen_server.platform.adapters import (
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import OrderId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ORDER_COLUMNS = ", ".join(OrderRow.__slots__)
REFUND_COLUMNS = ", ".join(RefundRow.__slots__)
ATTEMPT_COLUMNS = ", ".join(AttemptRow.__slots__)
REFERENCE_COLUMNS = ", ".join(TerminalReferenceRow.__slots__)


class _OrderNumberFamily(PointerFamily[OrderNumber, OrderId]):
    """Which order has a merchant's number, to refuse a second one.

    Two writers that register the same number are told apart by the unique index: the later batch
    is repeated and then finds the first.
    """

    name = "merchant_order by number"
    stage = STAGE_POINTER
    rank = 102

    def load(self, book: int, keys: Sequence[OrderNumber]) -> Statement:
        return Statement(
            b"select o.merchant_id, o.order_number, o.order_id"
            b" from unnest($2, $3) as u (m, n) join merchant_order as o on o.book = $1"
            b" and o.merchant_id = u.m and o.order_number = u.n",
            (
                book,
                UuidArray([key.merchant_id for key in keys]),
                TextArray([key.order_number for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[OrderNumber, OrderId]:
        return OrderNumber(record[0], record[1]), record[2]


class _TerminalReferenceFamily(RowFamily[TerminalReference, TerminalReferenceRow]):
    """What became of tills' references. A sale and its reversal that race meet at the key."""

    name = "terminal_reference"
    stage = STAGE_POINTER
    rank = 103

    def load(self, book: int, keys: Sequence[TerminalReference]) -> Statement:
        return Statement(
            b"select r.terminal_id, r.business_date, r.trace_number, r.order_id, r.created_at_us"
            b" from unnest($2, $3, $4) as u (t, d, n) join terminal_reference as r on r.book = $1"
            b" and r.terminal_id = u.t and r.business_date = u.d and r.trace_number = u.n",
            (
                book,
                UuidArray([key.terminal_id for key in keys]),
                TextArray([key.business_date for key in keys]),
                Int4Array([key.trace_number for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TerminalReference, TerminalReferenceRow]:
        row = TerminalReferenceRow(*record)
        return TerminalReference(row.terminal_id, row.business_date, row.trace_number), row

    def write(
        self,
        book: int,
        inserted: Sequence[TerminalReferenceRow],
        changed: Sequence[TerminalReferenceRow],
    ) -> Iterable[Statement]:
        assert not changed, "a reference is what it was first"
        yield Statement(
            f"insert into terminal_reference (book, {REFERENCE_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
            (
                book,
                UuidArray([row.terminal_id for row in inserted]),
                TextArray([row.business_date for row in inserted]),
                Int4Array([row.trace_number for row in inserted]),
                UuidArray([row.order_id for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
            ),
        )


class _RefundFamily(RowFamily[RefundNumber, RefundRow]):
    """Refunds by their merchant's number; a lock on the order keeps two from being made at once."""

    name = "order_refund"
    stage = STAGE_POINTER
    rank = 104

    def load(self, book: int, keys: Sequence[RefundNumber]) -> Statement:
        columns = ", ".join(f"r.{name}" for name in RefundRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (o, n) join order_refund as r"
            " on r.book = $1 and r.order_id = u.o and r.refund_number = u.n".encode(),
            (
                book,
                UuidArray([key.order_id for key in keys]),
                TextArray([key.refund_number for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[RefundNumber, RefundRow]:
        row = RefundRow(*record)
        return RefundNumber(row.order_id, row.refund_number), row

    def write(
        self, book: int, inserted: Sequence[RefundRow], changed: Sequence[RefundRow]
    ) -> Iterable[Statement]:
        assert not changed, "a refund never changes"
        yield Statement(
            f"insert into order_refund (book, {REFUND_COLUMNS}) select $1, u.*"
            " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as u".encode(),
            (
                book,
                UuidArray([row.refund_id for row in inserted]),
                UuidArray([row.order_id for row in inserted]),
                TextArray([row.refund_number for row in inserted]),
                Int8Array([row.amount for row in inserted]),
                TextArray([row.currency_code for row in inserted]),
                UuidArray([row.transaction_id for row in inserted]),
                TextArray([row.reason_text for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
                Int8Array([row.tip for row in inserted]),
                UuidArray([row.terminal_id for row in inserted]),
                TextArray([row.business_date for row in inserted]),
            ),
        )


class _AttemptFamily(RowFamily[OrderId, AttemptRow]):
    """Scans for orders; only ever written, each under a booked time of its own."""

    name = "order_attempt"
    stage = STAGE_RECORD
    rank = 108

    def write(
        self, book: int, inserted: Sequence[AttemptRow], changed: Sequence[AttemptRow]
    ) -> Iterable[Statement]:
        assert not changed, "an attempt never changes"
        yield Statement(
            f"insert into order_attempt (book, {ATTEMPT_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
            (
                book,
                UuidArray([row.order_id for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
                Int2Array([row.outcome for row in inserted]),
                TextArray([row.reason for row in inserted]),
                UuidArray([row.account_id for row in inserted]),
            ),
        )


class _OrderFamily(RowFamily[OrderId, OrderRow]):
    name = "merchant_order"
    stage = STAGE_LINK
    rank = 107

    def load(self, book: int, keys: Sequence[OrderId]) -> Statement:
        return Statement(
            f"select {ORDER_COLUMNS} from merchant_order"
            " where book = $1 and order_id = any($2)"
            " order by order_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[OrderId, OrderRow]:
        return record[0], OrderRow(*record)

    def copy(self, row: OrderRow) -> OrderRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[OrderRow], changed: Sequence[OrderRow]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers that register the same numbers meet in one order.
            yield self._insert(
                book, sorted(inserted, key=lambda row: (row.merchant_id, row.order_number))
            )
        if changed:
            yield Statement(
                b"update merchant_order as o set state = u.s, refunded = u.r,"
                b" payer_account_id = u.p, transaction_id = u.t, paid_at_us = u.a, version = u.v,"
                b" updated_at_us = u.c, fee = u.f, fee_returned = u.g, captured = u.k,"
                b" expires_at_us = u.x, tip = u.i, tip_refunded = u.j"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
                b" as u (id, s, r, p, t, a, v, c, f, g, k, x, i, j)"
                b" where o.book = $1 and o.order_id = u.id",
                (
                    book,
                    UuidArray([row.order_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.refunded for row in changed]),
                    UuidArray([row.payer_account_id for row in changed]),
                    UuidArray([row.transaction_id for row in changed]),
                    Int8Array([row.paid_at_us for row in changed]),
                    Int8Array([row.version for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                    Int8Array([row.fee for row in changed]),
                    Int8Array([row.fee_returned for row in changed]),
                    Int8Array([row.captured for row in changed]),
                    Int8Array([row.expires_at_us for row in changed]),
                    Int8Array([row.tip for row in changed]),
                    Int8Array([row.tip_refunded for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[OrderRow]) -> Statement:
        places = ", ".join(f"${place}" for place in range(2, 2 + len(OrderRow.__slots__)))
        return Statement(
            f"insert into merchant_order (book, {ORDER_COLUMNS})"
            f" select $1, u.* from unnest({places}) as u".encode(),
            (
                book,
                UuidArray([row.order_id for row in rows]),
                UuidArray([row.merchant_id for row in rows]),
                TextArray([row.order_number for row in rows]),
                Int2Array([row.state for row in rows]),
                Int8Array([row.amount for row in rows]),
                TextArray([row.currency_code for row in rows]),
                Int8Array([row.refunded for row in rows]),
                UuidArray([row.account_id for row in rows]),
                Int8Array([row.expires_at_us for row in rows]),
                TextArray([row.description for row in rows]),
                UuidArray([row.terminal_id for row in rows]),
                Int4Array([row.trace_number for row in rows]),
                TextArray([row.business_date for row in rows]),
                UuidArray([row.payer_account_id for row in rows]),
                UuidArray([row.transaction_id for row in rows]),
                Int8Array([row.paid_at_us for row in rows]),
                Int8Array([row.version for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.updated_at_us for row in rows]),
                UuidArray([row.plan_id for row in rows]),
                Int8Array([row.fee for row in rows]),
                Int8Array([row.fee_returned for row in rows]),
                Int8Array([row.captured for row in rows]),
                Int8Array([row.tip for row in rows]),
                Int8Array([row.tip_refunded for row in rows]),
                Int2Array([row.tip_mode for row in rows]),
                Int8Array([row.tip_value for row in rows]),
                UuidArray([row.combined_id for row in rows]),
            ),
        )


ORDER_NUMBER = _OrderNumberFamily()
TERMINAL_REFERENCE = _TerminalReferenceFamily()
REFUND = _RefundFamily()
ATTEMPT = _AttemptFamily()
ORDER = _OrderFamily()
