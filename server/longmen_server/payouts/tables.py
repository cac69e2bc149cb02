"""The tables of payouts as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_LINK, RowFamily, Statement
from longmen_server.payouts.model import PayoutAccountRow, PayoutRow
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import MerchantId, SettlementId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ACCOUNT_COLUMNS = ", ".join(PayoutAccountRow.__slots__)
PAYOUT_COLUMNS = ", ".join(PayoutRow.__slots__)


def _places(count: int) -> str:
    return ", ".join(f"${place}" for place in range(2, 2 + count))


class _AccountFamily(RowFamily[MerchantId, PayoutAccountRow]):
    """Where merchants are paid; two that change it meet at its row."""

    name = "merchant_payout_account"
    stage = STAGE_LINK
    rank = 240

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return Statement(
            f"select {ACCOUNT_COLUMNS} from merchant_payout_account"
            " where book = $1 and merchant_id = any($2)"
            " order by merchant_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, PayoutAccountRow]:
        return record[0], PayoutAccountRow(*record)

    def copy(self, row: PayoutAccountRow) -> PayoutAccountRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[PayoutAccountRow], changed: Sequence[PayoutAccountRow]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers that begin the same merchants meet in one order.
            rows = sorted(inserted, key=lambda row: row.merchant_id)
            yield Statement(
                f"insert into merchant_payout_account (book, {ACCOUNT_COLUMNS}) select $1, u.*"
                f" from unnest({_places(len(PayoutAccountRow.__slots__))}) as u".encode(),
                (book, *_account_columns(rows)),
            )
        if changed:
            names = PayoutAccountRow.__slots__[1:]
            columns = ", ".join(f"{name} = u.{name}" for name in names)
            yield Statement(
                f"update merchant_payout_account as a set {columns}"
                f" from unnest({_places(len(PayoutAccountRow.__slots__))})"
                f" as u ({ACCOUNT_COLUMNS})"
                " where a.book = $1 and a.merchant_id = u.merchant_id".encode(),
                (book, *_account_columns(changed)),
            )


def _account_columns(rows: Sequence[PayoutAccountRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.merchant_id for row in rows]),
        Int2Array([row.state for row in rows]),
        UuidArray([row.account_id for row in rows]),
        ByteaArray([row.sealed for row in rows]),
        TextArray([row.tail for row in rows]),
        TextArray([row.clearing_code for row in rows]),
        Int8Array([row.registered_at_us for row in rows]),
        UuidArray([row.candidate_id for row in rows]),
        ByteaArray([row.candidate_sealed for row in rows]),
        TextArray([row.candidate_tail for row in rows]),
        Int8Array([row.candidate_at_us for row in rows]),
        Int8Array([row.updated_at_us for row in rows]),
    )


class _PayoutFamily(RowFamily[SettlementId, PayoutRow]):
    """Payouts by the settlement that each pays out."""

    name = "merchant_payout"
    stage = STAGE_LINK
    rank = 241

    def load(self, book: int, keys: Sequence[SettlementId]) -> Statement:
        return Statement(
            f"select {PAYOUT_COLUMNS} from merchant_payout"
            " where book = $1 and settlement_id = any($2)"
            " order by settlement_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SettlementId, PayoutRow]:
        return record[0], PayoutRow(*record)

    def copy(self, row: PayoutRow) -> PayoutRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[PayoutRow], changed: Sequence[PayoutRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            yield Statement(
                b"update merchant_payout as p set state = u.s, payout_account_id = u.a,"
                b" sealed = u.n, tail = u.l, transaction_id = u.t, return_transaction_id = u.r,"
                b" clearing_code = u.c, updated_at_us = u.m"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)"
                b" as u (id, s, a, n, l, t, r, c, m)"
                b" where p.book = $1 and p.settlement_id = u.id",
                (
                    book,
                    UuidArray([row.settlement_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    UuidArray([row.payout_account_id for row in changed]),
                    ByteaArray([row.sealed for row in changed]),
                    TextArray([row.tail for row in changed]),
                    UuidArray([row.transaction_id for row in changed]),
                    UuidArray([row.return_transaction_id for row in changed]),
                    TextArray([row.clearing_code for row in changed]),
                    Int8Array([row.updated_at_us for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[PayoutRow]) -> Statement:
        return Statement(
            f"insert into merchant_payout (book, {PAYOUT_COLUMNS}) select $1, u.*"
            f" from unnest({_places(len(PayoutRow.__slots__))}) as u".encode(),
            (
                book,
                UuidArray([row.settlement_id for row in rows]),
                UuidArray([row.merchant_id for row in rows]),
                UuidArray([row.account_id for row in rows]),
                TextArray([row.business_date for row in rows]),
                Int8Array([row.amount for row in rows]),
                TextArray([row.currency_code for row in rows]),
                Int2Array([row.state for row in rows]),
                UuidArray([row.payout_account_id for row in rows]),
                ByteaArray([row.sealed for row in rows]),
                TextArray([row.tail for row in rows]),
                UuidArray([row.transaction_id for row in rows]),
                UuidArray([row.return_transaction_id for row in rows]),
                TextArray([row.clearing_code for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.updated_at_us for row in rows]),
            ),
        )


PAYOUT_ACCOUNT = _AccountFamily()
PAYOUT = _PayoutFamily()
