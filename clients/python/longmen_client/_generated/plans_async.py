"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import plan_pb2, plans_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncPlans:
    """PlansService keeps what merchants pay and when they are settled. Plans are dated and never
    change: a new one takes over on its day.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def set_plan(
        self,
        *,
        merchant_id: str,
        effective_date: str,
        fee: plan_pb2.FeeTerms,
        settlement_days: int = 0,
        negative_limit_minor_units: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[plans_service_pb2.SetPlanResponse]:
        """Makes a plan for a merchant from a day on, which may be today.

        Orders keep the plan that they were registered under.

        Args:
            merchant_id: Merchant id it is for.
            effective_date: Effective date, YYYY-MM-DD by the institution's calendar; today or
                later.
            fee: Fee of each payment.
            settlement_days: Settlement days is the n of T+n: working days from a business date to
                its settlement.
            negative_limit_minor_units: Negative limit minor units is how far below zero refunds may
                take what the bank owes the merchant.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                PLAN_DATE_PASSED.

        Scope: merchants.plan. Deadline: 5000 ms, at most 30000 ms.
        """
        request = plans_service_pb2.SetPlanRequest(
            merchant_id=merchant_id,
            effective_date=effective_date,
            fee=fee,
            settlement_days=settlement_days,
            negative_limit_minor_units=negative_limit_minor_units,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PLANS_SET_PLAN, request, request.request_id, options
        )

    def list_plans(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[plan_pb2.MerchantPlan, plans_service_pb2.ListPlansResponse]:
        """Lists a merchant's plans, newest first.

        Args:
            merchant_id: Merchant id whose plans they are.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: merchants.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = plans_service_pb2.ListPlansRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.PLANS_LIST_PLANS, request, "plans", options)
