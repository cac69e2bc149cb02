"""The tables of billers, bills and linked accounts as the engine loads and writes them."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

from longmen_server.billers.model import BillerRow, BillNumber, DueRow, LinkRef, LinkRow
from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import BillerId, BillLinkId, CustomerId, DueId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BILLER_COLUMNS = ", ".join(BillerRow.__slots__)
DUE_COLUMNS = ", ".join(DueRow.__slots__)
LINK_COLUMNS = ", ".join(LinkRow.__slots__)


def _places(columns: Sequence[str]) -> str:
    return ", ".join(f"${place}" for place in range(2, 2 + len(columns)))


class _NumberFamily(PointerFamily[BillNumber, DueId]):
    """Which bill has a biller's number; two writers that take one meet at the unique index."""

    name = "bill_due by number"
    stage = STAGE_POINTER
    rank = 156

    def load(self, book: int, keys: Sequence[BillNumber]) -> Statement:
        return Statement(
            b"select d.biller_id, d.bill_number, d.due_id"
            b" from unnest($2, $3) as u (b, n) join bill_due as d on d.book = $1"
            b" and d.biller_id = u.b and d.bill_number = u.n",
            (
                book,
                UuidArray([key.biller_id for key in keys]),
                TextArray([key.bill_number for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[BillNumber, DueId]:
        return BillNumber(record[0], record[1]), record[2]


class _LinksFamily(PointerFamily[CustomerId, tuple[LinkRef, ...]]):
    """Which accounts a customer has linked; two writers that link one meet at the unique index."""

    name = "bill_link by customer"
    stage = STAGE_POINTER
    rank = 157

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, array_agg(link_id order by link_id),"
            b" array_agg(biller_id order by link_id), array_agg(account_index order by link_id)"
            b" from bill_link where book = $1 and customer_id = any($2)"
            b" and removed_at_us is null group by customer_id",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, tuple[LinkRef, ...]]:
        return record[0], tuple(starmap(LinkRef, zip(*record[1:], strict=True)))

    def copy(self, row: tuple[LinkRef, ...]) -> tuple[LinkRef, ...]:
        return row


class _BillerFamily(RowFamily[BillerId, BillerRow]):
    name = "biller"
    stage = STAGE_LINK
    rank = 158

    def load(self, book: int, keys: Sequence[BillerId]) -> Statement:
        return Statement(
            f"select {BILLER_COLUMNS} from biller where book = $1 and biller_id = any($2)"
            " order by biller_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[BillerId, BillerRow]:
        return record[0], BillerRow(*record)

    def copy(self, row: BillerRow) -> BillerRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[BillerRow], changed: Sequence[BillerRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into biller (book, {BILLER_COLUMNS}) select $1, u.*"
                f" from unnest({_places(BillerRow.__slots__)}) as u".encode(),
                (
                    book,
                    UuidArray([row.biller_id for row in inserted]),
                    UuidArray([row.merchant_id for row in inserted]),
                    TextArray([row.name for row in inserted]),
                    Int2Array([row.category for row in inserted]),
                    BoolArray([row.digits_only for row in inserted]),
                    Int2Array([row.minimum_length for row in inserted]),
                    Int2Array([row.maximum_length for row in inserted]),
                    Int2Array([row.number_check for row in inserted]),
                    TextArray([row.hint for row in inserted]),
                    TextArray([row.currency_code for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    Int8Array([row.version for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.updated_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update biller as b set state = u.s, version = u.v, updated_at_us = u.t"
                b" from unnest($2, $3, $4, $5) as u (id, s, v, t)"
                b" where b.book = $1 and b.biller_id = u.id",
                (
                    book,
                    UuidArray([row.biller_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.version for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


class _DueFamily(RowFamily[DueId, DueRow]):
    name = "bill_due"
    stage = STAGE_LINK
    rank = 159

    def load(self, book: int, keys: Sequence[DueId]) -> Statement:
        return Statement(
            f"select {DUE_COLUMNS} from bill_due where book = $1 and due_id = any($2)"
            " order by due_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[DueId, DueRow]:
        return record[0], DueRow(*record)

    def copy(self, row: DueRow) -> DueRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[DueRow], changed: Sequence[DueRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            yield Statement(
                b"update bill_due as d set state = u.s, order_id = u.o, payer_account_id = u.a,"
                b" paid_at_us = u.p, version = u.v, updated_at_us = u.t"
                b" from unnest($2, $3, $4, $5, $6, $7, $8) as u (id, s, o, a, p, v, t)"
                b" where d.book = $1 and d.due_id = u.id",
                (
                    book,
                    UuidArray([row.due_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    UuidArray([row.order_id for row in changed]),
                    UuidArray([row.payer_account_id for row in changed]),
                    Int8Array([row.paid_at_us for row in changed]),
                    Int8Array([row.version for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[DueRow]) -> Statement:
        return Statement(
            f"insert into bill_due (book, {DUE_COLUMNS}) select $1, u.*"
            f" from unnest({_places(DueRow.__slots__)}) as u".encode(),
            (
                book,
                UuidArray([row.due_id for row in rows]),
                UuidArray([row.biller_id for row in rows]),
                UuidArray([row.merchant_id for row in rows]),
                TextArray([row.bill_number for row in rows]),
                ByteaArray([row.account_index for row in rows]),
                ByteaArray([row.account_number for row in rows]),
                Int8Array([row.amount for row in rows]),
                TextArray([row.currency_code for row in rows]),
                TextArray([row.period for row in rows]),
                TextArray([row.due_date for row in rows]),
                TextArray([row.last_date for row in rows]),
                TextArray([row.description for row in rows]),
                Int2Array([row.state for row in rows]),
                UuidArray([row.order_id for row in rows]),
                UuidArray([row.payer_account_id for row in rows]),
                Int8Array([row.paid_at_us for row in rows]),
                Int8Array([row.version for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.updated_at_us for row in rows]),
            ),
        )


class _LinkFamily(RowFamily[BillLinkId, LinkRow]):
    name = "bill_link"
    stage = STAGE_LINK
    rank = 160

    def load(self, book: int, keys: Sequence[BillLinkId]) -> Statement:
        return Statement(
            f"select {LINK_COLUMNS} from bill_link where book = $1 and link_id = any($2)"
            " order by link_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[BillLinkId, LinkRow]:
        return record[0], LinkRow(*record)

    def copy(self, row: LinkRow) -> LinkRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[LinkRow], changed: Sequence[LinkRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into bill_link (book, {LINK_COLUMNS}) select $1, u.*"
                f" from unnest({_places(LinkRow.__slots__)}) as u".encode(),
                (
                    book,
                    UuidArray([row.link_id for row in inserted]),
                    UuidArray([row.customer_id for row in inserted]),
                    UuidArray([row.biller_id for row in inserted]),
                    ByteaArray([row.account_index for row in inserted]),
                    ByteaArray([row.account_number for row in inserted]),
                    ByteaArray([row.label for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.removed_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update bill_link as l set account_index = u.i, account_number = u.n,"
                b" label = u.l, removed_at_us = u.t"
                b" from unnest($2, $3, $4, $5, $6) as u (id, i, n, l, t)"
                b" where l.book = $1 and l.link_id = u.id",
                (
                    book,
                    UuidArray([row.link_id for row in changed]),
                    ByteaArray([row.account_index for row in changed]),
                    ByteaArray([row.account_number for row in changed]),
                    ByteaArray([row.label for row in changed]),
                    Int8Array([row.removed_at_us for row in changed]),
                ),
            )


class _ErasedFamily(RowFamily[CustomerId, tuple[CustomerId, int]]):
    """What goes of linked accounts with their owner."""

    name = "bill_link of erased customers"
    stage = STAGE_RECORD
    rank = 161

    def write(
        self,
        book: int,
        inserted: Sequence[tuple[CustomerId, int]],
        changed: Sequence[tuple[CustomerId, int]],
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        yield Statement(
            b"update bill_link as l set account_index = null, account_number = null, label = null,"
            b" removed_at_us = coalesce(l.removed_at_us, u.t) from unnest($2, $3) as u (id, t)"
            b" where l.book = $1 and l.customer_id = u.id",
            (
                book,
                UuidArray([customer_id for customer_id, _ in inserted]),
                Int8Array([at_us for _, at_us in inserted]),
            ),
        )


NUMBER = _NumberFamily()
LINKS = _LinksFamily()
BILLER = _BillerFamily()
DUE = _DueFamily()
LINK = _LinkFamily()
ERASED = _ErasedFamily()
