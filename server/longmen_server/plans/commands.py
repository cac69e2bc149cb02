"""The command that makes a plan. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import plans_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.tables import MERCHANT
from longmen_server.plans import encode, model
from longmen_server.plans.model import PlanRow
from longmen_server.plans.tables import PLAN, PLANS
from longmen_server.platform.clock import business_date

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import MerchantId, PlanId

__all__ = ["SetPlan"]


class SetPlan(Command):
    """Agree on what a merchant pays and when it is settled."""

    __slots__ = ("asked", "merchant_id", "plan_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        plan_id: PlanId,
        asked: pb.SetPlanRequest,
    ) -> None:
        super().__init__(book, request)
        self.merchant_id = merchant_id
        self.plan_id = plan_id
        self.asked = asked

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant and its plans."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.merchant_id)
            yield RowKey(PLANS, self.merchant_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write the plan down unless its days have passed."""
        asked = self.asked
        if working_set.get(MERCHANT, self.merchant_id) is None:
            raise merchant_not_found(self.merchant_id)
        model.check_date(asked.effective_date, business_date(working_set.now_us))
        row = PlanRow(
            plan_id=self.plan_id,
            merchant_id=self.merchant_id,
            effective_date=asked.effective_date,
            basis_points=asked.fee.basis_points,
            fixed_minor_units=asked.fee.fixed_minor_units,
            cap_minor_units=asked.fee.cap_minor_units,
            rounding=asked.fee.rounding,
            refund_policy=asked.fee.refund_policy,
            settlement_days=asked.settlement_days,
            negative_limit_minor_units=asked.negative_limit_minor_units,
            created_at_us=working_set.next_stamp(),
        )
        working_set.insert(PLAN, row.plan_id, row)
        known = working_set.get(PLANS, self.merchant_id) or ()
        working_set.insert(PLANS, self.merchant_id, (*known, row.ref))
        plan = encode.plan(row)
        payload = plan.SerializeToString(deterministic=True)
        kind = event_pb2.EVENT_TYPE_PLAN_SET
        working_set.emit(Event(kind, self.merchant_id, 0, row.created_at_us, payload, payload))
        return pb.SetPlanResponse(
            plan=plan, committed_at=working_set.committed_at
        ).SerializeToString()
