"""What requests say of tips."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.payments.tips import TipMode, check_offer, tip_of_offer
from longmen_server.platform.refusal import Refusal

__all__ = ["asked_tip", "tip_minor_units"]

if TYPE_CHECKING:
    from typing import TypeAlias

    Tipped: TypeAlias = pb.CreateOrderRequest | pb.PayByCodeRequest | pb.PayOrderRequest


def tip_minor_units(request: Tipped) -> int:
    """Return the tip that a request names, 0 without one.

    Raises:
        Refusal: CURRENCY_MISMATCH when it is in another currency than the amount.
    """
    tip = request.tip
    if tip.minor_units and tip.currency_code != request.amount.currency_code:
        raise Refusal(
            "CURRENCY_MISMATCH",
            "the tip is in another currency than the amount",
            metadata={"expected": request.amount.currency_code, "actual": tip.currency_code},
            field="tip.currency_code",
        )
    return tip.minor_units


class AskedTip(TypedDict):
    """The parts of a sale that are about its tip."""

    tip: int
    tip_mode: int | None
    tip_value: int


def asked_tip(request: pb.CreateOrderRequest | pb.PayByCodeRequest) -> AskedTip:
    """Return the parts of a sale that are about its tip.

    Raises:
        Refusal: CURRENCY_MISMATCH, INVALID_REQUEST.
    """
    tip = tip_minor_units(request)
    if isinstance(request, pb.PayByCodeRequest):
        return {"tip": tip, "tip_mode": None, "tip_value": 0}
    if not request.HasField("tip_offer"):
        return {"tip": tip, "tip_mode": TipMode.NONE, "tip_value": 0}
    offer = request.tip_offer
    value = check_offer(
        offer.mode, fixed=offer.fixed_minor_units, basis_points=offer.basis_points, tip=tip
    )
    tip = tip_of_offer(offer.mode, value, request.amount.minor_units)
    return {"tip": tip, "tip_mode": offer.mode, "tip_value": value}
