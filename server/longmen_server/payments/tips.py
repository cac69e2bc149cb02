"""The rules of tips: what a code offers, what a payer may give, what goes back with a refund. Pure.

A tip is kept apart from the amount everywhere: it has a posting of its own, no fee is charged on
it, and bills and settlements name it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from longmen_server.payments.codes.merchant_code import Tip, TipKind
from longmen_server.platform.money import MINOR_UNITS_MAXIMUM
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.payments.model import OrderRow

__all__ = [
    "TipMode",
    "check_limit",
    "check_offer",
    "check_payers_tip",
    "code_tip",
    "share_of_refund",
    "tip_mismatch",
    "tip_of_offer",
]

BASIS_POINTS: Final = 10_000


class TipMode(IntEnum):
    """How a tip comes about; values are those of longmen.payments.v1.TipMode."""

    NONE = 0
    ASK = 1
    FIXED = 2
    PERCENT = 3


_KINDS: Final = {
    TipMode.ASK: TipKind.ASK,
    TipMode.FIXED: TipKind.FIXED,
    TipMode.PERCENT: TipKind.PERCENT,
}


def tip_of_offer(mode: int, value: int, amount: int) -> int:
    """Return the tip that an offer comes to; 0 where the payer is to say it.

    Args:
        mode: of the offer.
        value: minor units of a fixed tip, basis points of a share.
        amount: of the order, in minor units.
    """
    if mode == TipMode.FIXED:
        return value
    if mode == TipMode.PERCENT:
        return (amount * value * 2 + BASIS_POINTS) // (2 * BASIS_POINTS)
    return 0


def check_offer(mode: int, *, fixed: int, basis_points: int, tip: int) -> int:
    """Return the value of an offer.

    Raises:
        Refusal: INVALID_REQUEST when it does not fit its mode, or the till names a tip besides.
    """
    values = {TipMode.FIXED: fixed, TipMode.PERCENT: basis_points}
    wanted = values.pop(TipMode(mode), None)
    if wanted == 0 or any(values.values()):
        raise _invalid("tip_offer", "tip_offer.value_of_its_mode")
    if mode and tip:
        raise _invalid("tip", "tip.either_asked_or_offered")
    return wanted or 0


def check_limit(tip: int, amount: int, percent_max: int, currency_code: str) -> None:
    """Refuse a tip that is too large to be meant.

    Raises:
        Refusal: TIP_LIMIT_EXCEEDED.
    """
    # What is paid in all has to be an amount as well.
    limit = min(amount * percent_max // 100, MINOR_UNITS_MAXIMUM - amount)
    if tip > limit:
        raise Refusal(
            "TIP_LIMIT_EXCEEDED",
            "the tip is larger than one may be",
            metadata={"limit_minor_units": str(limit), "currency_code": currency_code},
            field="tip",
        )


def check_payers_tip(order: OrderRow, tip: int, currency_code: str, percent_max: int) -> None:
    """Refuse a tip that is not the order's, unless the payer may choose it.

    Raises:
        Refusal: TIP_MISMATCH, TIP_LIMIT_EXCEEDED.
    """
    wrong_currency = bool(tip) and currency_code != order.currency_code
    if wrong_currency or (order.tip_mode != TipMode.ASK and tip != order.tip):
        raise tip_mismatch(order)
    check_limit(tip, order.amount, percent_max, order.currency_code)


def tip_mismatch(order: OrderRow) -> Refusal:
    """Return the refusal of a tip that is not the order's."""
    return Refusal(
        "TIP_MISMATCH",
        "the tip is not the order's",
        metadata={
            "expected_minor_units": str(order.tip),
            "currency_code": order.currency_code,
        },
        field="tip",
    )


def share_of_refund(order: OrderRow, amount: int) -> int:
    """Return what of a refund is the tip's: pro rata, and all of it by the last cent."""
    total = order.paid + order.tip
    if not order.tip or not total:
        return 0
    returned = order.refunded + order.tip_refunded + amount
    return returned * order.tip // total - order.tip_refunded


def code_tip(order: OrderRow) -> Tip | None:
    """Return what an order's code says of tips.

    A tip that the till has asked for is a fixed one to the payer's app.
    """
    kind = _KINDS.get(TipMode(order.tip_mode))
    if kind is not None:
        return Tip(kind, order.tip_value)
    return Tip(TipKind.FIXED, order.tip) if order.tip else None


def _invalid(field: str, rule: str) -> Refusal:
    return Refusal(
        "INVALID_REQUEST", "the tip is not well formed", metadata={"rules": rule}, field=field
    )
