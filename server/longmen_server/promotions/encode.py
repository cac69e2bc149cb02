"""Promotions as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import promotion_pb2
from longmen_server.fxrates.encode import money
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import PROMOTION

if TYPE_CHECKING:
    from longmen_server.promotions.model import PromotionRow


def promotion(row: PromotionRow, home: str) -> promotion_pb2.Promotion:
    """Return a promotion as it stands, with what was spent of it."""
    return promotion_pb2.Promotion(
        promotion_id=PROMOTION.encode(row.promotion_id),
        name=row.name,
        discount_basis_points=row.discount_basis_points,
        currency_codes=row.currencies.split(),
        tier="" if row.tier == "any" else row.tier,
        start_time=timestamp(row.from_us),
        end_time=timestamp(row.until_us),
        ended_time=None if row.ended_at_us is None else timestamp(row.ended_at_us),
        budget=money(row.budget, home),
        used=money(row.used, home),
        left=money(row.left, home),
    )
