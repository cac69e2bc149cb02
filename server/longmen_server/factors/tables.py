"""The tables of factors as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_POINTER, STAGE_RECORD, RowFamily, Statement
from longmen_server.factors.model import (
    AttemptKey,
    AttemptRow,
    FactorKey,
    FactorRow,
    SecurityRow,
)
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FACTOR_COLUMNS = ", ".join(FactorRow.__slots__)
SECURITY_COLUMNS = ", ".join(SecurityRow.__slots__)
ATTEMPT_COLUMNS = ", ".join(AttemptRow.__slots__)


class _SecurityFamily(RowFamily[CustomerId, SecurityRow]):
    name = "customer_security"
    stage = STAGE_POINTER
    rank = 70

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            f"select {SECURITY_COLUMNS} from customer_security"
            " where book = $1 and customer_id = any($2)"
            " order by customer_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, SecurityRow]:
        return record[0], SecurityRow(*record)

    def copy(self, row: SecurityRow) -> SecurityRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SecurityRow], changed: Sequence[SecurityRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into customer_security (book, {SECURITY_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6) as u".encode(),
                (book, *_security_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update customer_security as s set kinds = u.k, exempt_count = u.e,"
                b" unblocked_at_us = u.b, changed_at_us = u.a"
                b" from unnest($2, $3, $4, $5, $6) as u (c, k, e, b, a)"
                b" where s.book = $1 and s.customer_id = u.c",
                (book, *_security_columns(changed)),
            )


def _security_columns(given: Sequence[SecurityRow]) -> tuple[object, ...]:
    # Sorted, so that two writers that insert the same customers meet in one order.
    rows = sorted(given, key=lambda row: row.customer_id)
    return (
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.kinds for row in rows]),
        Int2Array([row.exempt_count for row in rows]),
        Int8Array([row.unblocked_at_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
    )


class _FactorFamily(RowFamily[FactorKey, FactorRow]):
    name = "factor"
    stage = STAGE_POINTER
    rank = 71

    def load(self, book: int, keys: Sequence[FactorKey]) -> Statement:
        columns = ", ".join(f"f.{column}" for column in FactorRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3, $4) as u (c, k, s)"
            " join factor as f on f.book = $1 and f.customer_id = u.c and f.kind = u.k"
            " and f.slot = u.s order by f.customer_id, f.kind, f.slot"
            " for no key update of f".encode(),
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                Int2Array([key.kind for key in keys]),
                Int2Array([key.slot for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[FactorKey, FactorRow]:
        row = FactorRow(*record)
        return row.key, row

    def copy(self, row: FactorRow) -> FactorRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[FactorRow], changed: Sequence[FactorRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into factor (book, {FACTOR_COLUMNS}) select $1, u.* from"
                " unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) as u".encode(),
                (book, *_factor_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update factor as f set factor_id = u.i, state = u.t, flagged = u.g,"
                b" counter = u.n, expires_at_us = u.e, created_at_us = u.a, changed_at_us = u.h,"
                b" secret = u.x, credential_id = u.d, label = u.l"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
                b" as u (c, k, s, i, t, g, n, e, a, h, x, d, l)"
                b" where f.book = $1 and f.customer_id = u.c and f.kind = u.k and f.slot = u.s",
                (book, *_factor_columns(changed)),
            )


def _factor_columns(given: Sequence[FactorRow]) -> tuple[object, ...]:
    rows = sorted(given, key=lambda row: row.key)
    return (
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.kind for row in rows]),
        Int2Array([row.slot for row in rows]),
        UuidArray([row.factor_id for row in rows]),
        Int2Array([row.state for row in rows]),
        BoolArray([row.flagged for row in rows]),
        Int8Array([row.counter for row in rows]),
        Int8Array([row.expires_at_us for row in rows]),
        Int8Array([row.created_at_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
        ByteaArray([row.secret for row in rows]),
        ByteaArray([row.credential_id for row in rows]),
        TextArray([row.label for row in rows]),
    )


class _AttemptFamily(RowFamily[AttemptKey, AttemptRow]):
    name = "factor_attempt"
    stage = STAGE_POINTER
    rank = 72

    def load(self, book: int, keys: Sequence[AttemptKey]) -> Statement:
        columns = ", ".join(f"f.{column}" for column in AttemptRow.__slots__)
        return Statement(
            f"select {columns} from unnest($2, $3, $4) as u (c, d, k)"
            " join factor_attempt as f on f.book = $1 and f.customer_id = u.c"
            " and f.device_id = u.d and f.kind = u.k"
            " order by f.customer_id, f.device_id, f.kind for no key update of f".encode(),
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                UuidArray([key.device_id for key in keys]),
                Int2Array([key.kind for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[AttemptKey, AttemptRow]:
        row = AttemptRow(*record)
        return row.key, row

    def copy(self, row: AttemptRow) -> AttemptRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[AttemptRow], changed: Sequence[AttemptRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                f"insert into factor_attempt (book, {ATTEMPT_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
                (book, *_attempt_columns(inserted)),
            )
        if changed:
            yield Statement(
                b"update factor_attempt as f set failures = u.f, blocks = u.b,"
                b" blocked_until_us = u.u, changed_at_us = u.a"
                b" from unnest($2, $3, $4, $5, $6, $7, $8) as u (c, d, k, f, b, u, a)"
                b" where f.book = $1 and f.customer_id = u.c and f.device_id = u.d"
                b" and f.kind = u.k",
                (book, *_attempt_columns(changed)),
            )


def _attempt_columns(given: Sequence[AttemptRow]) -> tuple[object, ...]:
    rows = sorted(given, key=lambda row: row.key)
    return (
        UuidArray([row.customer_id for row in rows]),
        UuidArray([row.device_id for row in rows]),
        Int2Array([row.kind for row in rows]),
        Int2Array([row.failures for row in rows]),
        Int2Array([row.blocks for row in rows]),
        Int8Array([row.blocked_until_us for row in rows]),
        Int8Array([row.changed_at_us for row in rows]),
    )


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of factors and wrong tries with their owner: all of it."""

    name = "factors of erased customers"
    stage = STAGE_RECORD
    rank = 92

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        customers = UuidArray(inserted)
        for table in (b"factor", b"factor_attempt", b"customer_security"):
            yield Statement(
                b"delete from " + table + b" where book = $1 and customer_id = any($2)",
                (book, customers),
            )


SECURITY = _SecurityFamily()
FACTOR = _FactorFamily()
ATTEMPT = _AttemptFamily()
ERASED = _ErasedFamily()
