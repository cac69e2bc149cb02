"""Plans as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import plan_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import MERCHANT, PLAN

if TYPE_CHECKING:
    from longmen_server.plans.model import PlanRow


def plan(row: PlanRow) -> plan_pb2.MerchantPlan:
    """Return a plan."""
    return plan_pb2.MerchantPlan(
        plan_id=PLAN.encode(row.plan_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        effective_date=row.effective_date,
        fee=plan_pb2.FeeTerms(
            basis_points=row.basis_points,
            fixed_minor_units=row.fixed_minor_units,
            cap_minor_units=row.cap_minor_units,
            rounding=row.rounding,  # type: ignore[arg-type]  # enums of the contract are ints
            refund_policy=row.refund_policy,  # type: ignore[arg-type]
        ),
        settlement_days=row.settlement_days,
        negative_limit_minor_units=row.negative_limit_minor_units,
        create_time=timestamp(row.created_at_us),
    )
