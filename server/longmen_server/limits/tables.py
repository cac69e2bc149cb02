"""The tables of limits as the engine loads and writes them.

All are loaded in the round trip of the accounts, by the account: whose it is the database looks up
on the way, so that no movement waits for another round trip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_ACCOUNT, RowFamily, Statement
from longmen_server.kyc.model import Category, EvidenceState
from longmen_server.limits.model import (
    AccountFacts,
    AccountTypeRow,
    CounterKey,
    CounterRow,
    EntryRow,
    OwnKey,
    OwnRow,
)
from longmen_server.platform.adapters import (
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import AccountId, TransactionId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COUNTER_COLUMNS = ", ".join(CounterRow.__slots__)
ENTRY_COLUMNS = ", ".join(EntryRow.__slots__)
OWN_COLUMNS = ", ".join(OwnRow.__slots__)
TYPE_COLUMNS = ", ".join(AccountTypeRow.__slots__)

_OWNERS = (
    "select w.customer_id from wallet_account as w where w.book = $1 and w.account_id = any($2)"
)
COUNTERS_SQL = (
    f"select {COUNTER_COLUMNS} from limit_counter where book = $1"
    f" and holder_id = any(array({_OWNERS}) || $2::uuid[]) order by holder_id, track"
)
OWN_SQL = (
    f"select {OWN_COLUMNS} from limit_own where book = $1"
    f" and customer_id = any(array({_OWNERS}) || $2::uuid[]) order by customer_id, period"
)
FACTS_SQL = (
    "select w.account_id, w.customer_id, coalesce(s.identification_class, 0::smallint),"
    " coalesce(e.kind, 0::smallint), coalesce(t.account_type, 0::smallint)"
    " from wallet_account as w"
    " left join kyc_standing as s on s.book = $1 and s.customer_id = w.customer_id"
    " left join kyc_evidence as e on e.book = $1 and e.customer_id = w.customer_id"
    f" and e.category = {int(Category.DOCUMENT)} and e.state = {int(EvidenceState.ACTIVE)}"
    " left join limit_account_type as t on t.book = $1 and t.account_id = w.account_id"
    " where w.book = $1 and w.account_id = any($2)"
)


class _FactsFamily(RowFamily[AccountId, AccountFacts]):
    """What decides which caps bind an account: nothing for accounts that are not of wallets.

    It locks nothing: a class that changes at the same moment counts from the next batch on.
    """

    name = "limits by account"
    stage = STAGE_ACCOUNT
    rank = 180

    def load(self, book: int, keys: Sequence[AccountId]) -> Statement:
        return Statement(FACTS_SQL.encode(), (book, UuidArray(keys)))

    def decode(self, record: tuple[Any, ...]) -> tuple[AccountId, AccountFacts]:
        return record[0], AccountFacts(*record)

    def write(
        self, book: int, inserted: Sequence[AccountFacts], changed: Sequence[AccountFacts]
    ) -> Iterable[Statement]:
        del book, inserted, changed
        raise AssertionError("what decides which caps bind is only ever read")


class _OwnFamily(RowFamily[Any, OwnRow]):
    """Customers' own caps; loaded by an account or by its owner, kept by :class:`OwnKey`."""

    name = "limit_own"
    stage = STAGE_ACCOUNT
    rank = 181

    def load(self, book: int, keys: Sequence[bytes]) -> Statement:
        return Statement(f"{OWN_SQL} for no key update".encode(), (book, UuidArray(keys)))

    def decode(self, record: tuple[Any, ...]) -> tuple[OwnKey, OwnRow]:
        return OwnKey(record[0], record[1]), OwnRow(*record)

    def copy(self, row: OwnRow) -> OwnRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[OwnRow], changed: Sequence[OwnRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into limit_own (book, {OWN_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u".encode(),
                (book, *_own_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update limit_own as o set amount = u.a, next_amount = u.n, from_us = u.f,"
                b" changed_at_us = u.t from unnest($2, $3, $4, $5, $6, $7) as u (c, p, a, n, f, t)"
                b" where o.book = $1 and o.customer_id = u.c and o.period = u.p",
                (book, *_own_columns(changed)),
            )


def _own_columns(rows: Sequence[OwnRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.period for row in rows]),
        Int8Array([row.amount for row in rows]),
        Int8Array([row.next_amount for row in rows]),
        Int8Array([row.from_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
    )


class _CounterFamily(RowFamily[Any, CounterRow]):
    """The sums; loaded by a payer's account, kept by :class:`CounterKey`.

    A customer has one row for each track ever used, an account of a type one more: bounded, and
    locked with the account that the movement locks anyway.
    """

    name = "limit_counter"
    stage = STAGE_ACCOUNT
    rank = 182

    def load(self, book: int, keys: Sequence[AccountId]) -> Statement:
        return Statement(f"{COUNTERS_SQL} for no key update".encode(), (book, UuidArray(keys)))

    def decode(self, record: tuple[Any, ...]) -> tuple[CounterKey, CounterRow]:
        return CounterKey(record[0], record[1]), CounterRow(*record)

    def copy(self, row: CounterRow) -> CounterRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CounterRow], changed: Sequence[CounterRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into limit_counter (book, {COUNTER_COLUMNS}) select $1, u.*"
                " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u".encode(),
                (book, *_counter_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update limit_counter as c set day = u.d, day_count = u.n, day_used = u.du,"
                b" day_reserved = u.dr, day_restored = u.dx, year_used = u.yu,"
                b" year_reserved = u.yr, year_restored = u.yx"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                b" as u (h, t, d, n, du, dr, dx, yu, yr, yx)"
                b" where c.book = $1 and c.holder_id = u.h and c.track = u.t",
                (book, *_counter_columns(changed)),
            )


def _counter_columns(given: Sequence[CounterRow]) -> tuple[object, ...]:
    # Two writers that begin the same rows meet in one order.
    rows = sorted(given, key=lambda row: (row.holder_id, row.track))
    return (
        UuidArray([row.holder_id for row in rows]),
        Int2Array([row.track for row in rows]),
        Int4Array([row.day for row in rows]),
        Int4Array([row.day_count for row in rows]),
        Int8Array([row.day_used for row in rows]),
        Int8Array([row.day_reserved for row in rows]),
        Int8Array([row.day_restored for row in rows]),
        Int8Array([row.year_used for row in rows]),
        Int8Array([row.year_reserved for row in rows]),
        Int8Array([row.year_restored for row in rows]),
    )


class _EntryFamily(RowFamily[TransactionId, EntryRow]):
    name = "limit_entry"
    stage = STAGE_ACCOUNT
    rank = 183

    def load(self, book: int, keys: Sequence[TransactionId]) -> Statement:
        return Statement(
            f"select {ENTRY_COLUMNS} from limit_entry where book = $1"
            " and transaction_id = any($2) order by transaction_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[TransactionId, EntryRow]:
        return record[0], EntryRow(*record)

    def copy(self, row: EntryRow) -> EntryRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[EntryRow], changed: Sequence[EntryRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into limit_entry (book, {ENTRY_COLUMNS}) select $1, u.*"
                " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
                " as u".encode(),
                (
                    book,
                    UuidArray([row.transaction_id for row in inserted]),
                    UuidArray([row.customer_id for row in inserted]),
                    UuidArray([row.account_id for row in inserted]),
                    Int2Array([row.kind for row in inserted]),
                    Int2Array([row.tracks for row in inserted]),
                    Int4Array([row.day for row in inserted]),
                    TextArray([row.currency_code for row in inserted]),
                    Int8Array([row.amount for row in inserted]),
                    Int8Array([row.base for row in inserted]),
                    Int8Array([row.used for row in inserted]),
                    Int8Array([row.reserved for row in inserted]),
                    Int8Array([row.restored for row in inserted]),
                    Int8Array([row.updated_at_us for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update limit_entry as e set used = u.u, reserved = u.r, restored = u.x,"
                b" updated_at_us = u.t from unnest($2, $3, $4, $5, $6) as u (id, u, r, x, t)"
                b" where e.book = $1 and e.transaction_id = u.id",
                (
                    book,
                    UuidArray([row.transaction_id for row in changed]),
                    Int8Array([row.used for row in changed]),
                    Int8Array([row.reserved for row in changed]),
                    Int8Array([row.restored for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )


class _AccountTypeFamily(RowFamily[AccountId, AccountTypeRow]):
    name = "limit_account_type"
    stage = STAGE_ACCOUNT
    rank = 184

    def load(self, book: int, keys: Sequence[AccountId]) -> Statement:
        return Statement(
            f"select {TYPE_COLUMNS} from limit_account_type where book = $1"
            " and account_id = any($2) order by account_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[AccountId, AccountTypeRow]:
        return record[0], AccountTypeRow(*record)

    def copy(self, row: AccountTypeRow) -> AccountTypeRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[AccountTypeRow], changed: Sequence[AccountTypeRow]
    ) -> Iterable[Statement]:
        insert = (
            f"insert into limit_account_type (book, {TYPE_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4) as u"
        )
        update = (
            "update limit_account_type as t set account_type = u.k, changed_at_us = u.c"
            " from unnest($2, $3, $4) as u (a, k, c) where t.book = $1 and t.account_id = u.a"
        )
        for rows, sql in ((inserted, insert), (changed, update)):
            if rows:
                yield Statement(
                    sql.encode(),
                    (
                        book,
                        UuidArray([row.account_id for row in rows]),
                        Int2Array([row.account_type for row in rows]),
                        Int8Array([row.changed_at_us for row in rows]),
                    ),
                )


FACTS = _FactsFamily()
OWN = _OwnFamily()
COUNTER = _CounterFamily()
ENTRY = _EntryFamily()
ACCOUNT_TYPE = _AccountTypeFamily()
