"""The tables of sales without a network as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER, RowFamily, Statement
from longmen_server.offline.model import (
    AcceptanceRow,
    BudgetKey,
    BudgetRow,
    OfflineSaleRow,
    SaleAddress,
    TerminalKeyRow,
)
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import MerchantId, TerminalKeyId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ACCEPTANCE_COLUMNS = ", ".join(AcceptanceRow.__slots__)
KEY_COLUMNS = ", ".join(TerminalKeyRow.__slots__)
SALE_COLUMNS = ", ".join(OfflineSaleRow.__slots__)
_BUDGET_COLUMNS = ", ".join(BudgetRow.__slots__)
_SALE_PLACES = ", ".join(f"${place}" for place in range(2, 2 + len(OfflineSaleRow.__slots__)))


class _TerminalKeyFamily(RowFamily[TerminalKeyId, TerminalKeyRow]):
    """Keys of tills. Two forwards of one key meet at its row, so that its sales stay in order."""

    name = "terminal_key"
    stage = STAGE_POINTER
    rank = 140

    def load(self, book: int, keys: Sequence[TerminalKeyId]) -> Statement:
        return Statement(
            f"select {KEY_COLUMNS} from terminal_key where book = $1 and key_id = any($2)"
            " order by key_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TerminalKeyId, TerminalKeyRow]:
        return record[0], TerminalKeyRow(*record)

    def copy(self, row: TerminalKeyRow) -> TerminalKeyRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[TerminalKeyRow], changed: Sequence[TerminalKeyRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into terminal_key (book, {KEY_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u".encode(),
                (
                    book,
                    UuidArray([row.key_id for row in inserted]),
                    UuidArray([row.terminal_id for row in inserted]),
                    Int2Array([row.algorithm for row in inserted]),
                    ByteaArray([row.public_key for row in inserted]),
                    TextArray([row.thumbprint for row in inserted]),
                    Int8Array([row.last_sequence for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.revoked_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update terminal_key as k set last_sequence = u.s, revoked_at_us = u.r"
                b" from unnest($2, $3, $4) as u (id, s, r)"
                b" where k.book = $1 and k.key_id = u.id",
                (
                    book,
                    UuidArray([row.key_id for row in changed]),
                    Int8Array([row.last_sequence for row in changed]),
                    Int8Array([row.revoked_at_us for row in changed]),
                ),
            )


class _OfflineSaleFamily(RowFamily[SaleAddress, OfflineSaleRow]):
    """What was taken down; the lock on the key keeps two writers from taking one sale down."""

    name = "offline_sale"
    stage = STAGE_POINTER
    rank = 141

    def load(self, book: int, keys: Sequence[SaleAddress]) -> Statement:
        columns = ", ".join(f"s.{name}" for name in OfflineSaleRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3) as u (k, n) join offline_sale as s"
            " on s.book = $1 and s.key_id = u.k and s.sequence = u.n".encode(),
            (
                book,
                UuidArray([key.key_id for key in keys]),
                Int8Array([key.sequence for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SaleAddress, OfflineSaleRow]:
        row = OfflineSaleRow(*record)
        return SaleAddress(row.key_id, row.sequence), row

    def write(
        self, book: int, inserted: Sequence[OfflineSaleRow], changed: Sequence[OfflineSaleRow]
    ) -> Iterable[Statement]:
        assert not changed, "what was taken down never changes"
        yield Statement(
            f"insert into offline_sale (book, {SALE_COLUMNS})"
            f" select $1, u.* from unnest({_SALE_PLACES}) as u".encode(),
            (
                book,
                UuidArray([row.key_id for row in inserted]),
                Int8Array([row.sequence for row in inserted]),
                UuidArray([row.terminal_id for row in inserted]),
                UuidArray([row.merchant_id for row in inserted]),
                TextArray([row.order_number for row in inserted]),
                Int8Array([row.amount for row in inserted]),
                TextArray([row.currency_code for row in inserted]),
                Int8Array([row.accepted_at_us for row in inserted]),
                ByteaArray([row.digest for row in inserted]),
                Int2Array([row.outcome for row in inserted]),
                TextArray([row.reason for row in inserted]),
                UuidArray([row.order_id for row in inserted]),
                UuidArray([row.transaction_id for row in inserted]),
                UuidArray([row.account_id for row in inserted]),
                Int8Array([row.recorded_at_us for row in inserted]),
            ),
        )


class _BudgetFamily(RowFamily[BudgetKey, BudgetRow]):
    """Budgets of payers and merchants. Two writers that begin one meet at its key."""

    name = "offline_budget"
    stage = STAGE_LINK
    rank = 142

    def load(self, book: int, keys: Sequence[BudgetKey]) -> Statement:
        columns = ", ".join(f"b.{name}" for name in BudgetRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3, $4) as u (o, p, c) join offline_budget as b"
            " on b.book = $1 and b.owner_id = u.o and b.period = u.p and b.currency_code = u.c"
            " order by b.owner_id, b.period, b.currency_code for no key update of b".encode(),
            (
                book,
                UuidArray([key.owner_id for key in keys]),
                TextArray([key.period for key in keys]),
                TextArray([key.currency_code for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[BudgetKey, BudgetRow]:
        row = BudgetRow(*record)
        return BudgetKey(row.owner_id, row.period, row.currency_code), row

    def copy(self, row: BudgetRow) -> BudgetRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[BudgetRow], changed: Sequence[BudgetRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into offline_budget (book, {_BUDGET_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
                (book, *_budget_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update offline_budget as b set used_count = u.n, used_amount = u.a"
                b" from unnest($2, $3, $4, $5, $6) as u (o, p, c, n, a)"
                b" where b.book = $1 and b.owner_id = u.o and b.period = u.p"
                b" and b.currency_code = u.c",
                (book, *_budget_columns(changed)),
            )


def _budget_columns(given: Sequence[BudgetRow]) -> tuple[object, ...]:
    # Sorted, so that two writers that begin the same budgets meet in one order.
    rows = sorted(given, key=lambda row: (row.owner_id, row.period, row.currency_code))
    return (
        UuidArray([row.owner_id for row in rows]),
        TextArray([row.period for row in rows]),
        TextArray([row.currency_code for row in rows]),
        Int4Array([row.used_count for row in rows]),
        Int8Array([row.used_amount for row in rows]),
    )


class _AcceptanceFamily(RowFamily[MerchantId, AcceptanceRow]):
    """What was agreed with merchants."""

    name = "offline_acceptance"
    stage = STAGE_POINTER
    rank = 289

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return Statement(
            f"select {ACCEPTANCE_COLUMNS} from offline_acceptance"
            " where book = $1 and merchant_id = any($2)"
            " order by merchant_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, AcceptanceRow]:
        return record[0], AcceptanceRow(*record)

    def copy(self, row: AcceptanceRow) -> AcceptanceRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[AcceptanceRow], changed: Sequence[AcceptanceRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into offline_acceptance (book, {ACCEPTANCE_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u".encode(),
                (book, *_acceptance_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update offline_acceptance as a set is_enabled = u.e, loss_bearer = u.l,"
                b" day_budget = u.b, version = u.v, changed_at_us = u.t"
                b" from unnest($2, $3, $4, $5, $6, $7) as u (id, e, l, b, v, t)"
                b" where a.book = $1 and a.merchant_id = u.id",
                (book, *_acceptance_columns(changed)),
            )


def _acceptance_columns(rows: Sequence[AcceptanceRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.merchant_id for row in rows]),
        BoolArray([row.is_enabled for row in rows]),
        Int2Array([row.loss_bearer for row in rows]),
        Int8Array([row.day_budget for row in rows]),
        Int8Array([row.version for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
    )


ACCEPTANCE = _AcceptanceFamily()
KEY = _TerminalKeyFamily()
OFFLINE_SALE = _OfflineSaleFamily()
BUDGET = _BudgetFamily()
