"""The table of promotions as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER, RowFamily, Statement
from longmen_server.platform.adapters import Int2Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import PromotionId
from longmen_server.promotions.model import PromotionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROMOTION_COLUMNS = ", ".join(PromotionRow.__slots__)
_ARRAYS: tuple[Any, ...] = (
    *(UuidArray, Int8Array, Int8Array, Int8Array, Int8Array, Int8Array, Int8Array),
    *(Int2Array, TextArray, TextArray, TextArray),
)


class _RunningFamily(RowFamily[int, PromotionRow]):
    """Promotions that run at a moment, for whoever offers: read without a lock.

    The key is the moment; rows are kept by their ids.
    """

    name = "fx_promotion, running"
    stage = STAGE_POINTER
    rank = 263

    def load(self, book: int, keys: Sequence[int]) -> Statement:
        return Statement(
            f"select {PROMOTION_COLUMNS} from fx_promotion where book = $1"
            " and until_us > $2 and from_us <= $3 and ended_at_us is null"
            " and used < budget".encode(),
            (book, min(keys), max(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[Any, PromotionRow]:
        return record[0], PromotionRow(*record)

    def write(
        self, book: int, inserted: Sequence[PromotionRow], changed: Sequence[PromotionRow]
    ) -> Iterable[Statement]:
        del book, inserted, changed
        raise AssertionError("promotions are written by whoever has locked them")


class _PromotionFamily(RowFamily[PromotionId, PromotionRow]):
    """Promotions for whoever spends of them: what is left is exact."""

    name = "fx_promotion"
    stage = STAGE_ACCOUNT
    rank = 264

    def load(self, book: int, keys: Sequence[PromotionId]) -> Statement:
        return Statement(
            f"select {PROMOTION_COLUMNS} from fx_promotion"
            " where book = $1 and promotion_id = any($2)"
            " order by promotion_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[PromotionId, PromotionRow]:
        return record[0], PromotionRow(*record)

    def copy(self, row: PromotionRow) -> PromotionRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[PromotionRow], changed: Sequence[PromotionRow]
    ) -> Iterable[Statement]:
        names = PromotionRow.__slots__
        if inserted:
            places = ", ".join(f"${place}" for place in range(2, 2 + len(names)))
            columns = [
                array([getattr(row, name) for row in inserted])
                for array, name in zip(_ARRAYS, names, strict=True)
            ]
            yield Statement(
                f"insert into fx_promotion (book, {PROMOTION_COLUMNS})"
                f" select $1, u.* from unnest({places}) as u".encode(),
                (book, *columns),
            )
        if changed:
            yield Statement(
                b"update fx_promotion as p set used = u.n, ended_at_us = u.e"
                b" from unnest($2, $3, $4) as u (id, n, e)"
                b" where p.book = $1 and p.promotion_id = u.id",
                (
                    book,
                    UuidArray([row.promotion_id for row in changed]),
                    Int8Array([row.used for row in changed]),
                    Int8Array([row.ended_at_us for row in changed]),
                ),
            )


RUNNING = _RunningFamily()
PROMOTION = _PromotionFamily()
