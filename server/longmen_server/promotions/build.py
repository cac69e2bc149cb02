"""Commands of promotions that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.encode import microseconds
from longmen_server.platform.ids import PROMOTION, PromotionId, book_of, new_id
from longmen_server.promotions.commands import CreatePromotion, EndPromotion
from longmen_server.promotions.model import ANY, PromotionRow

if TYPE_CHECKING:
    from longmen.fx.v1 import rates_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["create_promotion", "end_promotion"]


def create_promotion(
    request: pb.CreatePromotionRequest, key: RequestKey | None, clock: Clock, *, book: int
) -> CreatePromotion:
    """Return the command that begins a promotion."""
    row = PromotionRow(
        promotion_id=PromotionId(new_id(book, clock)),
        from_us=microseconds(request.start_time),
        until_us=microseconds(request.end_time),
        budget=request.budget.minor_units,
        used=0,
        created_at_us=0,
        ended_at_us=None,
        discount_basis_points=request.discount_basis_points,
        name=request.name,
        tier=request.tier or ANY,
        currencies=" ".join(sorted(request.currency_codes)),
    )
    return CreatePromotion(book, key, row=row, budget_currency=request.budget.currency_code)


def end_promotion(request: pb.EndPromotionRequest, key: RequestKey | None) -> EndPromotion:
    """Return the command that ends a promotion."""
    promotion_id = decode_id(PROMOTION, request.promotion_id, "promotion_id")
    return EndPromotion(book_of(promotion_id), key, promotion_id=promotion_id)
