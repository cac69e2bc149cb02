"""The table of plans as the engine loads and writes it. Plans never change: no row is locked."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_ACCOUNT,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.plans.model import PlanRef, PlanRow
from longmen_server.platform.adapters import Int4Array, Int8Array, TextArray, UuidArray
from longmen_server.platform.ids import MerchantId, PlanId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PLAN_COLUMNS = ", ".join(PlanRow.__slots__)


class _PlansFamily(PointerFamily[MerchantId, tuple[PlanRef, ...]]):
    """Which plans a merchant has, for whoever registers a sale: there are a few."""

    name = "merchant_plan by merchant"
    stage = STAGE_POINTER
    rank = 113

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return Statement(
            b"select merchant_id, array_agg(plan_id order by plan_id),"
            b" array_agg(effective_date order by plan_id),"
            b" array_agg(created_at_us order by plan_id)"
            b" from merchant_plan where book = $1 and merchant_id = any($2) group by merchant_id",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, tuple[PlanRef, ...]]:
        return record[0], tuple(starmap(PlanRef, zip(*record[1:], strict=True)))


class _PlanFamily(RowFamily[PlanId, PlanRow]):
    """The plan that an order was registered under, loaded with the accounts."""

    name = "merchant_plan"
    stage = STAGE_ACCOUNT
    rank = 114

    def load(self, book: int, keys: Sequence[PlanId]) -> Statement:
        return Statement(
            f"select {PLAN_COLUMNS} from merchant_plan"
            " where book = $1 and plan_id = any($2)".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[PlanId, PlanRow]:
        return record[0], PlanRow(*record)

    def write(
        self, book: int, inserted: Sequence[PlanRow], changed: Sequence[PlanRow]
    ) -> Iterable[Statement]:
        assert not changed, "a plan never changes"
        yield Statement(
            f"insert into merchant_plan (book, {PLAN_COLUMNS}) select $1, u.*"
            " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as u".encode(),
            (
                book,
                UuidArray([row.plan_id for row in inserted]),
                UuidArray([row.merchant_id for row in inserted]),
                TextArray([row.effective_date for row in inserted]),
                Int4Array([row.basis_points for row in inserted]),
                Int8Array([row.fixed_minor_units for row in inserted]),
                Int8Array([row.cap_minor_units for row in inserted]),
                Int4Array([row.rounding for row in inserted]),
                Int4Array([row.refund_policy for row in inserted]),
                Int4Array([row.settlement_days for row in inserted]),
                Int8Array([row.negative_limit_minor_units for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
            ),
        )


PLANS = _PlansFamily()
PLAN = _PlanFamily()
