"""The tables of automatic conversions as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.auto_conversions.model import AutoRow, PaidRow, Wanted
from longmen_server.engine.family import (
    STAGE_ACCOUNT,
    STAGE_LINK,
    STAGE_RECORD,
    RowFamily,
    Statement,
)
from longmen_server.fxrates.model import RateRow
from longmen_server.fxrates.tables import RATE_COLUMNS
from longmen_server.platform.adapters import (
    BoolArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import AccountId, TransactionId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AUTO_COLUMNS = ", ".join(AutoRow.__slots__)
PAID_COLUMNS = ", ".join(PaidRow.__slots__)
_AUTO_ARRAYS: tuple[Any, ...] = (
    *(UuidArray, UuidArray, BoolArray, Int2Array, Int8Array, Int8Array, Int4Array, Int8Array),
    *(Int8Array, Int8Array, TextArray, TextArray),
)
_PAID_ARRAYS: tuple[Any, ...] = (
    *(UuidArray, UuidArray, UuidArray, Int8Array, Int4Array, Int8Array),
)
_SETTABLE = AutoRow.__slots__[2:]


class _AutoFamily(RowFamily[AccountId | Wanted, AutoRow]):
    """What customers have agreed to, by the pocket or by whose pocket in a currency it is.

    It is locked, since what a day may cost is counted in it; pockets without it lock nothing.
    """

    name = "fx_auto_conversion"
    stage = STAGE_LINK
    rank = 260

    def load(self, book: int, keys: Sequence[AccountId | Wanted]) -> Statement:
        asked = [key for key in keys if isinstance(key, Wanted)]
        wanted = [key for key in asked if key.customer_id]
        return Statement(
            f"select {AUTO_COLUMNS} from fx_auto_conversion as a where book = $1"
            " and (account_id = any($2) or (customer_id, currency_code) in"
            " (select u.* from unnest($3, $4) as u))"
            " order by account_id for no key update of a".encode(),
            (
                book,
                UuidArray([key.account_id for key in asked if key.account_id]),
                UuidArray([key.customer_id for key in wanted]),
                TextArray([key.currency_code for key in wanted]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[AccountId, AutoRow]:
        return record[0], AutoRow(*record)

    def copy(self, row: AutoRow) -> AutoRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[AutoRow], changed: Sequence[AutoRow]
    ) -> Iterable[Statement]:
        names = AutoRow.__slots__
        places = ", ".join(f"${place}" for place in range(2, 2 + len(names)))
        changes = ", ".join(f"{name} = u.{name}" for name in _SETTABLE)
        if inserted:
            yield Statement(
                f"insert into fx_auto_conversion (book, {AUTO_COLUMNS})"
                f" select $1, u.* from unnest({places}) as u".encode(),
                (book, *_columns(_AUTO_ARRAYS, names, inserted)),
            )
        if changed:
            yield Statement(
                f"update fx_auto_conversion as a set {changes}"
                f" from unnest({places}) as u ({AUTO_COLUMNS})"
                " where a.book = $1 and a.account_id = u.account_id".encode(),
                (book, *_columns(_AUTO_ARRAYS, names, changed)),
            )


class _PaidFamily(RowFamily[TransactionId, PaidRow]):
    name = "fx_auto_payment"
    stage = STAGE_RECORD
    rank = 262

    def write(
        self, book: int, inserted: Sequence[PaidRow], changed: Sequence[PaidRow]
    ) -> Iterable[Statement]:
        assert not changed, "what was paid stays so"
        yield Statement(
            f"insert into fx_auto_payment (book, {PAID_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u".encode(),
            (book, *_columns(_PAID_ARRAYS, PaidRow.__slots__, inserted)),
        )


class _LateRateFamily(RowFamily[str, RateRow]):
    """Present rates for payments that may need them: only known once it is known who pays."""

    name = "fx_rate, late"
    stage = STAGE_ACCOUNT
    rank = 261

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            f"select {RATE_COLUMNS} from fx_rate"
            " where book = $1 and currency_code = any($2)".encode(),
            (book, TextArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, RateRow]:
        return record[0], RateRow(*record)

    def write(
        self, book: int, inserted: Sequence[RateRow], changed: Sequence[RateRow]
    ) -> Iterable[Statement]:
        del book, inserted, changed
        raise AssertionError("rates are written by whoever has locked them")


def _columns(arrays: Sequence[Any], names: Sequence[str], rows: Sequence[Any]) -> list[Any]:
    return [
        array([getattr(row, name) for row in rows])
        for array, name in zip(arrays, names, strict=True)
    ]


AUTO = _AutoFamily()
PAID = _PaidFamily()
LATE_RATE = _LateRateFamily()
