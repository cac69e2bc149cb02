"""The tables of quotes and conversions as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.conversions.model import (
    ConversionRow,
    QuotaKey,
    QuotaRow,
    QuotaWanted,
    QuoteRow,
    ReversalRow,
)
from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import ConversionId, QuoteId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

QUOTE_COLUMNS = ", ".join(QuoteRow.__slots__)
CONVERSION_COLUMNS = ", ".join(ConversionRow.__slots__)
REVERSAL_COLUMNS = ", ".join(ReversalRow.__slots__)

_UUIDS = 6
_SMALL = 2
_WHOLE = 4
_LONG = 11


class _QuoteFamily(RowFamily[QuoteId, QuoteRow]):
    name = "fx_quote"
    stage = STAGE_LINK
    rank = 129

    def load(self, book: int, keys: Sequence[QuoteId]) -> Statement:
        return Statement(
            f"select {QUOTE_COLUMNS} from fx_quote where book = $1 and quote_id = any($2)"
            " order by quote_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[QuoteId, QuoteRow]:
        return record[0], QuoteRow(*record)

    def copy(self, row: QuoteRow) -> QuoteRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[QuoteRow], changed: Sequence[QuoteRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(_INSERT, (book, *_columns(inserted)))
        if changed:
            yield Statement(
                b"update fx_quote as q set state = u.s, conversion_id = u.c"
                b" from unnest($2, $3, $4) as u (id, s, c)"
                b" where q.book = $1 and q.quote_id = u.id",
                (
                    book,
                    UuidArray([row.quote_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    UuidArray([row.conversion_id for row in changed]),
                ),
            )


def _columns(rows: Sequence[QuoteRow]) -> list[object]:
    """Return an array for each column, in the order of the row's fields."""
    arrays: list[Any] = [
        *([UuidArray] * _UUIDS),
        *([Int2Array] * _SMALL),
        *([Int4Array] * _WHOLE),
        *([Int8Array] * _LONG),
    ]
    names = QuoteRow.__slots__
    arrays += [TextArray] * (len(names) - len(arrays))
    return [
        array([getattr(row, name) for row in rows])
        for array, name in zip(arrays, names, strict=True)
    ]


_PLACES = ", ".join(f"${place}" for place in range(2, 2 + len(QuoteRow.__slots__)))
_INSERT = (
    f"insert into fx_quote (book, {QUOTE_COLUMNS}) select $1, u.* from unnest({_PLACES}) as u"
).encode()


class _BookedFamily(RowFamily[ConversionId, ConversionRow]):
    """Conversions to take back: read without a lock, since they never change."""

    name = "fx_conversion to reverse"
    stage = STAGE_POINTER
    rank = 168

    def load(self, book: int, keys: Sequence[ConversionId]) -> Statement:
        return Statement(
            f"select {CONVERSION_COLUMNS} from fx_conversion"
            " where book = $1 and conversion_id = any($2)".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ConversionId, ConversionRow]:
        return record[0], ConversionRow(*record)

    def write(
        self, book: int, inserted: Sequence[ConversionRow], changed: Sequence[ConversionRow]
    ) -> Iterable[Statement]:
        del book, inserted, changed
        raise AssertionError("conversions are written by whoever books them")


class _ReversalFamily(RowFamily[ConversionId, ReversalRow]):
    """What became of conversions that were taken back; read when their quotes are locked."""

    name = "fx_reversal"
    stage = STAGE_RECORD
    rank = 169

    def load(self, book: int, keys: Sequence[ConversionId]) -> Statement:
        return Statement(
            f"select {REVERSAL_COLUMNS} from fx_reversal"
            " where book = $1 and conversion_id = any($2)".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ConversionId, ReversalRow]:
        return record[0], ReversalRow(*record)

    def write(
        self, book: int, inserted: Sequence[ReversalRow], changed: Sequence[ReversalRow]
    ) -> Iterable[Statement]:
        assert not changed, "a conversion is taken back once"
        rows = sorted(inserted, key=lambda row: row.conversion_id)
        yield Statement(
            f"insert into fx_reversal (book, {REVERSAL_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as u".encode(),
            (
                book,
                UuidArray([row.conversion_id for row in rows]),
                UuidArray([row.transaction_id for row in rows]),
                Int2Array([row.basis for row in rows]),
                Int8Array([row.taken for row in rows]),
                Int8Array([row.returned for row in rows]),
                Int8Array([row.residue for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                TextArray([row.source_rate for row in rows]),
                TextArray([row.target_rate for row in rows]),
            ),
        )


class _ConversionFamily(RowFamily[ConversionId, ConversionRow]):
    """Conversions are only ever written here; a quote leads to one at most."""

    name = "fx_conversion"
    stage = STAGE_LINK
    rank = 130

    def write(
        self, book: int, inserted: Sequence[ConversionRow], changed: Sequence[ConversionRow]
    ) -> Iterable[Statement]:
        assert not changed, "a conversion never changes"
        yield Statement(
            f"insert into fx_conversion (book, {CONVERSION_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
            (
                book,
                UuidArray([row.conversion_id for row in inserted]),
                UuidArray([row.quote_id for row in inserted]),
                UuidArray([row.customer_id for row in inserted]),
                UuidArray([row.transaction_id for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
                Int2Array([row.quota_side for row in inserted]),
                Int8Array([row.quota_value for row in inserted]),
            ),
        )


class _QuotaFamily(RowFamily[QuotaKey | QuotaWanted, QuotaRow]):
    """What customers have used of a year; two writers that begin one meet at the key.

    Rows are asked for by an account, since its owner is known only with it, and kept by the owner,
    so that all accounts of one share them.
    """

    name = "fx_quota"
    stage = STAGE_RECORD
    rank = 176

    def load(self, book: int, keys: Sequence[QuotaKey | QuotaWanted]) -> Statement:
        wanted = [key for key in keys if isinstance(key, QuotaWanted)]
        return Statement(
            b"select q.customer_id, q.year, q.side, q.used from unnest($2, $3) as u (a, y)"
            b" join ledger_account as l on l.book = $1 and l.account_id = u.a"
            b" join fx_quota as q on q.book = $1 and q.customer_id = l.owner_id and q.year = u.y"
            b" order by q.customer_id, q.year, q.side for no key update of q",
            (
                book,
                UuidArray([key.account_id for key in wanted]),
                Int2Array([key.year for key in wanted]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[QuotaKey, QuotaRow]:
        return QuotaKey(*record[:3]), QuotaRow(*record)

    def copy(self, row: QuotaRow) -> QuotaRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[QuotaRow], changed: Sequence[QuotaRow]
    ) -> Iterable[Statement]:
        for rows, sql in ((inserted, _QUOTA_INSERT), (changed, _QUOTA_UPDATE)):
            if rows:
                yield Statement(
                    sql,
                    (
                        book,
                        UuidArray([row.customer_id for row in rows]),
                        Int2Array([row.year for row in rows]),
                        Int2Array([row.side for row in rows]),
                        Int8Array([row.used for row in rows]),
                    ),
                )


_QUOTA_INSERT = (
    b"insert into fx_quota (book, customer_id, year, side, used)"
    b" select $1, u.* from unnest($2, $3, $4, $5) as u"
)
_QUOTA_UPDATE = (
    b"update fx_quota as q set used = u.n from unnest($2, $3, $4, $5) as u (c, y, s, n)"
    b" where q.book = $1 and q.customer_id = u.c and q.year = u.y and q.side = u.s"
)
QUOTA = _QuotaFamily()
QUOTE = _QuoteFamily()
BOOKED = _BookedFamily()
CONVERSION = _ConversionFamily()
REVERSAL = _ReversalFamily()
