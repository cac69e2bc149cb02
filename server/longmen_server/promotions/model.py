"""The rules of promotions: whom one is for, what it takes off, and when its money is spent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.fx.model import BASIS_POINTS
from longmen_server.platform.ids import PROMOTION
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.platform.ids import PromotionId

ANY: Final = "any"
"""The tier of promotions that are for everybody."""


@dataclass(slots=True)
class PromotionRow:
    """One promotion."""

    promotion_id: PromotionId
    from_us: int
    """When it begins."""
    until_us: int
    """When it ends by itself; the bank can end it before."""
    budget: int
    """What customers may save by it in all, in minor units of the home currency."""
    used: int
    """What they have saved so far."""
    created_at_us: int
    ended_at_us: int | None
    """When the bank ended it; None while it has not."""
    discount_basis_points: int
    """Of the spread; 1 to 10,000, which is all of it."""
    name: str
    tier: str
    currencies: str
    """Codes that both of a pair have to be among, the home currency apart; empty for any."""

    def copy(self) -> PromotionRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def left(self) -> int:
        """What customers can still save."""
        return self.budget - self.used

    def fits(self, pair: tuple[str, str], tier: str, home: str, now_us: int) -> bool:
        """Whether it takes something off an exchange at a moment."""
        codes = self.currencies.split()
        return (
            self.from_us <= now_us < self.until_us
            and self.ended_at_us is None
            and self.tier in {ANY, tier}
            and (not codes or all(code == home or code in codes for code in pair))
        )


class Discount(NamedTuple):
    """What a promotion takes off an exchange."""

    promotion_id: PromotionId
    basis_points: int
    """Of what is exchanged: by so much the spread is smaller."""


def saved(home_value: int, basis_points: int) -> int:
    """Return what a customer saves, rounded up, so that a budget is never passed unseen.

    Args:
        home_value: what is exchanged, in minor units of the home currency at the mid-market rate.
        basis_points: by which the spread is smaller.
    """
    return -(-home_value * basis_points // BASIS_POINTS)


def best(
    rows: Iterable[PromotionRow],
    pair: tuple[str, str],
    tier: str,
    home: str,
    *,
    spread: int,
    home_value: int,
    now_us: int,
) -> Discount | None:
    """Return the largest discount that an exchange can have; None for none.

    Of two that are as large the older is taken. One whose money does not pay for the whole
    exchange is not for it.

    Args:
        rows: promotions.
        pair: currencies paid and got.
        tier: the customer's.
        home: the home currency.
        spread: in basis points, by the price list.
        home_value: what is exchanged, in minor units of the home currency.
        now_us: business time.
    """
    found = []
    for row in rows:
        off = spread * row.discount_basis_points // BASIS_POINTS
        if off and row.fits(pair, tier, home, now_us) and saved(home_value, off) <= row.left:
            found.append((-off, row.promotion_id))
    if not found:
        return None
    off, promotion_id = min(found)
    return Discount(promotion_id, -off)


def promotion_not_found(promotion_id: PromotionId) -> Refusal:
    """Return the refusal for a promotion that is not there."""
    return Refusal(
        "FX_PROMOTION_NOT_FOUND",
        "no such promotion",
        metadata={"promotion_id": PROMOTION.encode(promotion_id)},
        field="promotion_id",
    )
