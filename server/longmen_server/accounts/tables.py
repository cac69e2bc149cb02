"""The tables of wallets as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.accounts.model import (
    AliasKey,
    AliasKind,
    AliasRow,
    CustomerKeyRow,
    CustomerPockets,
    PhoneKey,
    PhonePayee,
    PocketKey,
    PocketRow,
    WalletRow,
)
from longmen_server.engine.family import STAGE_POINTER, PointerFamily, RowFamily, Statement
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import AccountId, CustomerId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


WALLET_COLUMNS = ", ".join(WalletRow.__slots__)


class _AliasFamily(RowFamily[AliasKey, AliasRow]):
    """The alias directory, the one table that is the same for all books.

    An alias never changes; one that a command edits is removed, because its customer is erased.
    """

    name = "alias"
    stage = STAGE_POINTER
    rank = 40

    def load(self, book: int, keys: Sequence[AliasKey]) -> Statement:
        del book
        return Statement(
            b"select a.kind, a.value, a.customer_id, a.target_book, a.created_at_us"
            b" from unnest($1, $2) as u (k, v) join alias as a on a.kind = u.k and a.value = u.v",
            (Int2Array([key.kind for key in keys]), ByteaArray([key.value for key in keys])),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[AliasKey, AliasRow]:
        return AliasKey(record[0], record[1]), AliasRow(*record)

    def copy(self, row: AliasRow) -> AliasRow:
        return row

    def write(
        self, book: int, inserted: Sequence[AliasRow], changed: Sequence[AliasRow]
    ) -> Iterable[Statement]:
        del book
        if changed:
            gone = sorted(changed, key=lambda row: (row.kind, row.value))
            yield Statement(
                b"delete from alias as a using unnest($1, $2) as u (k, v)"
                b" where a.kind = u.k and a.value = u.v",
                (Int2Array([row.kind for row in gone]), ByteaArray([row.value for row in gone])),
            )
        if not inserted:
            return
        # Sorted, so that two writers that register the same numbers meet in one order.
        rows = sorted(inserted, key=lambda row: (row.kind, row.value))
        yield Statement(
            b"insert into alias (kind, value, customer_id, target_book, created_at_us)"
            b" select u.* from unnest($1, $2, $3, $4, $5) as u",
            (
                Int2Array([row.kind for row in rows]),
                ByteaArray([row.value for row in rows]),
                UuidArray([row.customer_id for row in rows]),
                Int2Array([row.target_book for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
            ),
        )


class _PhonePayeeFamily(RowFamily[PhoneKey, PhonePayee]):
    """Payees by phone number and currency: alias and pocket in one read.

    Neither is locked. An alias goes only after all accounts behind it are closed, and an account
    that is closed meanwhile is found closed when it is loaded and locked to be paid.
    """

    name = "alias and wallet_account"
    stage = STAGE_POINTER
    rank = 41

    def load(self, book: int, keys: Sequence[PhoneKey]) -> Statement:
        return Statement(
            b"select u.p, u.c, a.customer_id, a.target_book, w.account_id"
            b" from unnest($3, $4) as u (p, c)"
            b" join alias as a on a.kind = $2 and a.value = u.p"
            b" left join wallet_account as w on w.book = $1 and w.customer_id = a.customer_id"
            b" and w.currency_code = u.c and w.closed_at_us is null",
            (
                book,
                int(AliasKind.PHONE_NUMBER),
                ByteaArray([key.phone_index for key in keys]),
                TextArray([key.currency_code for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[PhoneKey, PhonePayee]:
        return PhoneKey(record[0], record[1]), PhonePayee(record[2], record[3], record[4])

    def write(
        self, book: int, inserted: Sequence[PhonePayee], changed: Sequence[PhonePayee]
    ) -> Iterable[Statement]:
        del book, inserted, changed
        raise AssertionError("payees are only ever read")


class _WalletFamily(RowFamily[CustomerId, WalletRow]):
    name = "wallet"
    stage = STAGE_POINTER
    rank = 42

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            f"select {WALLET_COLUMNS} from wallet where book = $1 and customer_id = any($2)"
            " order by customer_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, WalletRow]:
        return record[0], WalletRow(*record)

    def copy(self, row: WalletRow) -> WalletRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[WalletRow], changed: Sequence[WalletRow]
    ) -> Iterable[Statement]:
        if changed:
            yield Statement(
                b"update wallet as w set display_name = u.n, phone_number = u.p, phone_index = u.i,"
                b" email = u.e, erased_at_us = u.t, email_proven_at_us = u.v"
                b" from unnest($2, $3, $4, $5, $6, $7, $8) as u (c, n, p, i, e, t, v)"
                b" where w.book = $1 and w.customer_id = u.c",
                (
                    book,
                    UuidArray([row.customer_id for row in changed]),
                    ByteaArray([row.display_name for row in changed]),
                    ByteaArray([row.phone_number for row in changed]),
                    ByteaArray([row.phone_index for row in changed]),
                    ByteaArray([row.email for row in changed]),
                    Int8Array([row.erased_at_us for row in changed]),
                    Int8Array([row.email_proven_at_us for row in changed]),
                ),
            )
        if not inserted:
            return
        yield Statement(
            f"insert into wallet (book, {WALLET_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u".encode(),
            (
                book,
                UuidArray([row.customer_id for row in inserted]),
                ByteaArray([row.display_name for row in inserted]),
                ByteaArray([row.phone_number for row in inserted]),
                ByteaArray([row.phone_index for row in inserted]),
                ByteaArray([row.email for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
                Int8Array([row.erased_at_us for row in inserted]),
                Int8Array([row.email_proven_at_us for row in inserted]),
            ),
        )


class _CustomerKeyFamily(RowFamily[CustomerId, CustomerKeyRow]):
    """Wrapped data keys. A rotation wraps them anew beside the engine; the keys stay the same.

    No command changes one; one that a command edits is deleted, which erases its customer.
    """

    name = "customer_key"
    stage = STAGE_POINTER
    rank = 90

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, wrapped, wrapping_key, created_at_us from customer_key"
            b" where book = $1 and customer_id = any($2) order by customer_id for update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, CustomerKeyRow]:
        return record[0], CustomerKeyRow(*record)

    def copy(self, row: CustomerKeyRow) -> CustomerKeyRow:
        return row

    def write(
        self, book: int, inserted: Sequence[CustomerKeyRow], changed: Sequence[CustomerKeyRow]
    ) -> Iterable[Statement]:
        if changed:
            yield Statement(
                b"delete from customer_key where book = $1 and customer_id = any($2)",
                (book, UuidArray([row.customer_id for row in changed])),
            )
        if not inserted:
            return
        yield Statement(
            b"insert into customer_key (book, customer_id, wrapped, wrapping_key, created_at_us)"
            b" select $1, u.* from unnest($2, $3, $4, $5) as u",
            (
                book,
                UuidArray([row.customer_id for row in inserted]),
                ByteaArray([row.wrapped for row in inserted]),
                Int8Array([row.wrapping_key for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
            ),
        )


class _CustomerPocketsFamily(RowFamily[CustomerId, CustomerPockets]):
    """How many open accounts a customer has, read once the wallet is locked against new ones."""

    name = "wallet_account by customer"
    stage = STAGE_POINTER
    rank = 91

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select u.c, (select count(*) from wallet_account as w where w.book = $1"
            b" and w.customer_id = u.c and w.closed_at_us is null) from unnest($2) as u (c)",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, CustomerPockets]:
        return record[0], CustomerPockets(*record)

    def copy(self, row: CustomerPockets) -> CustomerPockets:
        return CustomerPockets(row.customer_id, row.open_count, row.erased)

    def write(
        self, book: int, inserted: Sequence[CustomerPockets], changed: Sequence[CustomerPockets]
    ) -> Iterable[Statement]:
        assert not inserted, "they are counted, not kept"
        yield Statement(
            b"update wallet_account set nickname = '' where book = $1 and customer_id = any($2)",
            (book, UuidArray([row.customer_id for row in changed if row.erased])),
        )


class _PocketFamily(RowFamily[AccountId, PocketRow]):
    name = "wallet_account"
    stage = STAGE_POINTER
    rank = 43

    def load(self, book: int, keys: Sequence[AccountId]) -> Statement:
        return Statement(
            b"select account_id, customer_id, currency_code, nickname,"
            b" created_at_us, closed_at_us from wallet_account"
            b" where book = $1 and account_id = any($2) order by account_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[AccountId, PocketRow]:
        return record[0], PocketRow(*record)

    def copy(self, row: PocketRow) -> PocketRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[PocketRow], changed: Sequence[PocketRow]
    ) -> Iterable[Statement]:
        if inserted:
            rows = sorted(inserted, key=lambda row: (row.customer_id, row.currency_code))
            yield Statement(
                b"insert into wallet_account (book, account_id, customer_id, currency_code,"
                b" nickname, created_at_us, closed_at_us)"
                b" select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u",
                (
                    book,
                    UuidArray([row.account_id for row in rows]),
                    UuidArray([row.customer_id for row in rows]),
                    TextArray([row.currency_code for row in rows]),
                    TextArray([row.nickname for row in rows]),
                    Int8Array([row.created_at_us for row in rows]),
                    Int8Array([row.closed_at_us for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update wallet_account as w"
                b" set closed_at_us = u.c"
                b" from unnest($2, $3) as u (id, c)"
                b" where w.book = $1 and w.account_id = u.id",
                (
                    book,
                    UuidArray([row.account_id for row in changed]),
                    Int8Array([row.closed_at_us for row in changed]),
                ),
            )


class _OpenPocketFamily(PointerFamily[PocketKey, AccountId]):
    """Which open account a customer has in a currency, to refuse a second one.

    Two writers that open the same pocket are told apart by the unique index: the later batch is
    repeated and then finds the first.
    """

    name = "wallet_account by currency"
    stage = STAGE_POINTER
    rank = 44

    def load(self, book: int, keys: Sequence[PocketKey]) -> Statement:
        return Statement(
            b"select w.customer_id, w.currency_code, w.account_id"
            b" from unnest($2, $3) as u (i, c) join wallet_account as w on w.book = $1"
            b" and w.customer_id = u.i and w.currency_code = u.c and w.closed_at_us is null",
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                TextArray([key.currency_code for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[PocketKey, AccountId]:
        return PocketKey(record[0], record[1]), record[2]


ALIAS = _AliasFamily()
PHONE_PAYEE = _PhonePayeeFamily()
WALLET = _WalletFamily()
CUSTOMER_KEY = _CustomerKeyFamily()
CUSTOMER_POCKETS = _CustomerPocketsFamily()
POCKET = _PocketFamily()
OPEN_POCKET = _OpenPocketFamily()
