"""The rules of plans: which one is in force, what a payment costs, and what of it goes back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from longmen_server.platform.ids import MerchantId, PlanId

BASIS_POINTS: Final = 10_000
"""Of which a whole is made."""


class FeeRounding(IntEnum):
    """How a share is fitted into minor units; values of longmen.merchants.v1.FeeRounding."""

    HALF_UP = 1
    HALF_EVEN = 2
    DOWN = 3
    UP = 4


class FeeReturn(IntEnum):
    """What becomes of a refunded payment's fee; values of longmen.merchants.v1.FeeReturn."""

    KEPT = 1
    PRO_RATA = 2


class PlanRef(NamedTuple):
    """What tells which of a merchant's plans is in force."""

    plan_id: PlanId
    effective_date: str
    """The first business date it is in force on, YYYY-MM-DD."""
    created_at_us: int


@dataclass(slots=True, frozen=True)
class PlanRow:
    """One plan of a merchant; it never changes."""

    plan_id: PlanId
    merchant_id: MerchantId
    effective_date: str
    """The first business date it is in force on, YYYY-MM-DD."""
    basis_points: int
    fixed_minor_units: int
    cap_minor_units: int
    """0 means no cap."""
    rounding: int
    refund_policy: int
    settlement_days: int
    negative_limit_minor_units: int
    created_at_us: int

    @property
    def ref(self) -> PlanRef:
        """What tells when it is in force."""
        return PlanRef(self.plan_id, self.effective_date, self.created_at_us)

    def fee(self, amount: int) -> int:
        """Return what a payment of an amount costs; both in minor units of one currency."""
        fee = share(amount, self.basis_points, self.rounding) + self.fixed_minor_units
        if self.cap_minor_units:
            fee = min(fee, self.cap_minor_units)
        return min(fee, amount)

    def fee_to_return(self, *, fee: int, returned: int, refunded: int, paid: int) -> int:
        """Return what of a fee goes back with a refund.

        Args:
            fee: charged for the payment.
            returned: of it, before this refund.
            refunded: of the payment, this refund included.
            paid: the whole payment.
        """
        if self.refund_policy == FeeReturn.KEPT:
            return 0
        return fee * refunded // paid - returned


def share(amount: int, basis_points: int, rounding: int) -> int:
    """Return basis points of an amount in whole minor units, by a named rounding."""
    whole, rest = divmod(amount * basis_points, BASIS_POINTS)
    half = BASIS_POINTS // 2
    up = {
        FeeRounding.HALF_UP: rest >= half,
        FeeRounding.HALF_EVEN: rest > half or (rest == half and whole % 2 == 1),
        FeeRounding.DOWN: False,
        FeeRounding.UP: rest > 0,
    }[FeeRounding(rounding)]
    return whole + up


def in_force(plans: Iterable[PlanRef], today: date) -> PlanRef | None:
    """Return the plan of a day: the latest to begin, and of those for one day the last made."""
    day = today.isoformat()
    begun = [plan for plan in plans if plan.effective_date <= day]
    return max(begun, key=lambda plan: (plan.effective_date, plan.created_at_us), default=None)


def check_date(effective_date: str, today: date) -> None:
    """Refuse a plan for days whose payments are made.

    Raises:
        Refusal: PLAN_DATE_PASSED.
    """
    if effective_date < today.isoformat():
        raise Refusal(
            "PLAN_DATE_PASSED",
            "a plan cannot begin in the past",
            metadata={"earliest_date": today.isoformat()},
            field="effective_date",
        )
