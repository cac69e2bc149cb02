"""The tables of stores and cashiers as the engine loads and writes them.

Orders look at none of them: what they need to know of a till's store is in the till's own state,
which they read anyway. So a till that is moved, and a store that closes, write it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    BoolArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CashierId, MerchantId, StoreId, TerminalId
from longmen_server.stores.model import (
    CashierRow,
    OwnNumber,
    StoreRow,
    StoreState,
    TillPlaceRow,
    TillStanding,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STORE_COLUMNS = ", ".join(StoreRow.__slots__)
CASHIER_COLUMNS = ", ".join(CashierRow.__slots__)
PLACE_COLUMNS = ", ".join(TillPlaceRow.__slots__)


def _by_number(table: str, column: str, book: int, keys: Sequence[OwnNumber]) -> Statement:
    return Statement(
        f"select t.merchant_id, t.number, t.{column} from unnest($2, $3) as u (m, n)"
        f" join {table} as t on t.book = $1 and t.merchant_id = u.m and t.number = u.n".encode(),
        (
            book,
            UuidArray([key.merchant_id for key in keys]),
            TextArray([key.number for key in keys]),
        ),
    )


def _any(table: str, column: str, book: int, keys: Sequence[MerchantId]) -> Statement:
    return Statement(
        f"select distinct on (merchant_id) merchant_id, {column} from {table}"
        f" where book = $1 and merchant_id = any($2) order by merchant_id, {column}".encode(),
        (book, UuidArray(keys)),
    )


class _StoreNumberFamily(PointerFamily[OwnNumber, StoreId]):
    """Which store has a merchant's number. Two of one number meet at the unique index."""

    name = "merchant_store by number"
    stage = STAGE_POINTER
    rank = 281

    def load(self, book: int, keys: Sequence[OwnNumber]) -> Statement:
        return _by_number("merchant_store", "store_id", book, keys)

    def decode(self, record: tuple[Any, ...]) -> tuple[OwnNumber, StoreId]:
        return OwnNumber(record[0], record[1]), record[2]


class _AnyStoreFamily(PointerFamily[MerchantId, StoreId]):
    """A store of merchants that have registered any."""

    name = "merchant_store by merchant"
    stage = STAGE_POINTER
    rank = 282

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return _any("merchant_store", "store_id", book, keys)

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, StoreId]:
        return record[0], record[1]


class _TillStandingFamily(RowFamily[TerminalId, TillStanding]):
    """Where tills stand, as their own state says it; only ever written.

    Before the stores, so that a store that closes in the same batch closes for this till too.
    """

    name = "terminal_state of a store"
    stage = STAGE_POINTER
    rank = 283

    def write(
        self, book: int, inserted: Sequence[TillStanding], changed: Sequence[TillStanding]
    ) -> Iterable[Statement]:
        assert not changed, "a till's place is said, not changed"
        rows = sorted(inserted, key=lambda row: row.terminal_id)
        yield Statement(
            b"update terminal_state as t set store_id = u.s, store_closed = false"
            b" from unnest($2, $3) as u (id, s) where t.book = $1 and t.terminal_id = u.id",
            (
                book,
                UuidArray([row.terminal_id for row in rows]),
                UuidArray([row.store_id for row in rows]),
            ),
        )


class _StoreFamily(RowFamily[StoreId, StoreRow]):
    """Stores. Closing one and putting a till into it meet at its row."""

    name = "merchant_store"
    stage = STAGE_POINTER
    rank = 284

    def load(self, book: int, keys: Sequence[StoreId]) -> Statement:
        return Statement(
            f"select {STORE_COLUMNS} from merchant_store where book = $1 and store_id = any($2)"
            " order by store_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[StoreId, StoreRow]:
        return record[0], StoreRow(*record)

    def copy(self, row: StoreRow) -> StoreRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[StoreRow], changed: Sequence[StoreRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into merchant_store (book, {STORE_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u".encode(),
                (
                    book,
                    UuidArray([row.store_id for row in inserted]),
                    UuidArray([row.merchant_id for row in inserted]),
                    TextArray([row.number for row in inserted]),
                    TextArray([row.name for row in inserted]),
                    TextArray([row.address for row in inserted]),
                    TextArray([row.city for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.updated_at_us for row in inserted]),
                ),
            )
        if changed:
            ids = UuidArray([row.store_id for row in changed])
            yield Statement(
                b"update merchant_store as s set name = u.n, address = u.a, city = u.c,"
                b" state = u.s, updated_at_us = u.t"
                b" from unnest($2, $3, $4, $5, $6, $7) as u (id, n, a, c, s, t)"
                b" where s.book = $1 and s.store_id = u.id",
                (
                    book,
                    ids,
                    TextArray([row.name for row in changed]),
                    TextArray([row.address for row in changed]),
                    TextArray([row.city for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )
            yield Statement(
                b"update terminal_state as t set store_closed = u.c"
                b" from unnest($2, $3) as u (id, c)"
                b" where t.book = $1 and t.store_id = u.id and t.store_closed <> u.c",
                (book, ids, BoolArray([row.state == StoreState.CLOSED for row in changed])),
            )


class _TillPlaceFamily(RowFamily[tuple[TerminalId, int], TillPlaceRow]):
    """Where tills stood from when on; only ever written."""

    name = "terminal_place"
    stage = STAGE_POINTER
    rank = 285

    def write(
        self, book: int, inserted: Sequence[TillPlaceRow], changed: Sequence[TillPlaceRow]
    ) -> Iterable[Statement]:
        assert not changed, "where a till stood never changes"
        yield Statement(
            f"insert into terminal_place (book, {PLACE_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4) as u".encode(),
            (
                book,
                UuidArray([row.terminal_id for row in inserted]),
                Int8Array([row.placed_at_us for row in inserted]),
                UuidArray([row.store_id for row in inserted]),
            ),
        )


class _CashierNumberFamily(PointerFamily[OwnNumber, CashierId]):
    """Which cashier has a merchant's number. Two of one number meet at the unique index."""

    name = "merchant_cashier by number"
    stage = STAGE_POINTER
    rank = 286

    def load(self, book: int, keys: Sequence[OwnNumber]) -> Statement:
        return _by_number("merchant_cashier", "cashier_id", book, keys)

    def decode(self, record: tuple[Any, ...]) -> tuple[OwnNumber, CashierId]:
        return OwnNumber(record[0], record[1]), record[2]


class _CashierFamily(RowFamily[CashierId, CashierRow]):
    """Cashiers. One who leaves and opens a shift at once meets here."""

    name = "merchant_cashier"
    stage = STAGE_LINK
    rank = 287

    def load(self, book: int, keys: Sequence[CashierId]) -> Statement:
        return Statement(
            f"select {CASHIER_COLUMNS} from merchant_cashier"
            " where book = $1 and cashier_id = any($2)"
            " order by cashier_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CashierId, CashierRow]:
        return record[0], CashierRow(*record)

    def copy(self, row: CashierRow) -> CashierRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CashierRow], changed: Sequence[CashierRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into merchant_cashier (book, {CASHIER_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
                (
                    book,
                    UuidArray([row.cashier_id for row in inserted]),
                    UuidArray([row.merchant_id for row in inserted]),
                    TextArray([row.number for row in inserted]),
                    TextArray([row.name for row in inserted]),
                    Int2Array([row.state for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.updated_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update merchant_cashier as c set name = u.n, state = u.s, updated_at_us = u.t"
                b" from unnest($2, $3, $4, $5) as u (id, n, s, t)"
                b" where c.book = $1 and c.cashier_id = u.id",
                (
                    book,
                    UuidArray([row.cashier_id for row in changed]),
                    TextArray([row.name for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


class _AnyCashierFamily(PointerFamily[MerchantId, CashierId]):
    """A cashier of merchants that have registered any."""

    name = "merchant_cashier by merchant"
    stage = STAGE_LINK
    rank = 288

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return _any("merchant_cashier", "cashier_id", book, keys)

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, CashierId]:
        return record[0], record[1]


STORE_NUMBER = _StoreNumberFamily()
ANY_STORE = _AnyStoreFamily()
TILL_STANDING = _TillStandingFamily()
STORE = _StoreFamily()
TILL_PLACE = _TillPlaceFamily()
CASHIER_NUMBER = _CashierNumberFamily()
CASHIER = _CashierFamily()
ANY_CASHIER = _AnyCashierFamily()
