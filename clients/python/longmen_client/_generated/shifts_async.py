"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import shift_pb2, shifts_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncShifts:
    """ShiftsService keeps cashiers' shifts and adds up what tills have taken. Totals are of orders
    that were registered with a terminal.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def open_shift(
        self,
        *,
        terminal_id: str,
        cashier_label: str = "",
        cashier_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[shifts_service_pb2.OpenShiftResponse]:
        """Begins a cashier's time at a till, which has one shift open at most.

        A merchant that has registered cashiers names one of them; one that has not writes any
        label.

        Args:
            terminal_id: Terminal id of the till.
            cashier_label: Cashier label by which the merchant knows who works; given exactly when
                no cashier id is.
            cashier_id: Cashier id of the registered cashier who works.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND,
                SHIFT_OPEN, STORE_CLOSED, CASHIER_NOT_FOUND, CASHIER_LEFT, CASHIER_UNREGISTERED.

        Scope: shifts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.OpenShiftRequest(
            terminal_id=terminal_id,
            cashier_label=cashier_label,
            cashier_id=cashier_id,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.SHIFTS_OPEN_SHIFT, request, request.request_id, options
        )

    async def close_shift(
        self,
        *,
        shift_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[shifts_service_pb2.CloseShiftResponse]:
        """Ends a shift.

        A closed one stays as it is.

        Args:
            shift_id: Shift id to close.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SHIFT_NOT_FOUND.

        Scope: shifts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.CloseShiftRequest(
            shift_id=shift_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.SHIFTS_CLOSE_SHIFT, request, request.request_id, options
        )

    async def get_shift(
        self,
        *,
        shift_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> shifts_service_pb2.GetShiftResponse:
        """Returns a shift, and what its till has taken in it: so far, while it is open.

        Args:
            shift_id: Shift id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SHIFT_NOT_FOUND.

        Scope: shifts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.GetShiftRequest(
            shift_id=shift_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.SHIFTS_GET_SHIFT, request, options)

    def list_shifts(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        store_id: str = "",
        cashier_id: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[shift_pb2.Shift, shifts_service_pb2.ListShiftsResponse]:
        """Lists a merchant's shifts, newest first.

        Args:
            merchant_id: Merchant id whose shifts to list.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            store_id: Store id to narrow the list to; empty for all.
            cashier_id: Cashier id to narrow the list to; empty for all.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: shifts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.ListShiftsRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
            store_id=store_id,
            cashier_id=cashier_id,
        )
        return AsyncPager(self._caller, methods.SHIFTS_LIST_SHIFTS, request, "shifts", options)

    async def get_terminal_totals(
        self,
        *,
        terminal_id: str,
        business_date: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> shifts_service_pb2.GetTerminalTotalsResponse:
        """Adds up what a till has taken under one business date of its own, and given back: for its
        sales whenever it was, unless another till gave it back.

        Args:
            terminal_id: Terminal id of the till.
            business_date: Business date of the till, YYYY-MM-DD.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND.

        Scope: shifts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.GetTerminalTotalsRequest(
            terminal_id=terminal_id,
            business_date=business_date,
            at_least_as_fresh=at_least_as_fresh,
        )
        return await self._caller.ask(methods.SHIFTS_GET_TERMINAL_TOTALS, request, options)

    def list_day_totals(
        self,
        *,
        merchant_id: str,
        business_date: str,
        grouping: shift_pb2.TotalsGrouping.ValueType,
        store_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[shift_pb2.DayLine, shifts_service_pb2.ListDayTotalsResponse]:
        """Adds up what a merchant's tills have taken under one business date of theirs, by store,
        by cashier or by till; lines without anything are left out, and together they are what the
        tills' own totals come to.

        A sale counts for where its till stood and who worked there when it was paid; a refund for
        the till that gave it back, where the refund names one, under the refund's own date.

        Args:
            merchant_id: Merchant id whose day it is.
            business_date: Business date of the tills, YYYY-MM-DD.
            grouping: Grouping says by what the totals are told apart.
            store_id: Store id to narrow the totals to; empty for all.
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

        Scope: shifts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.ListDayTotalsRequest(
            merchant_id=merchant_id,
            business_date=business_date,
            grouping=grouping,
            store_id=store_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.SHIFTS_LIST_DAY_TOTALS, request, "lines", options)

    def list_day_orders(
        self,
        *,
        merchant_id: str,
        business_date: str,
        store_id: str = "",
        cashier_id: str = "",
        terminal_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[shift_pb2.DayOrder, shifts_service_pb2.ListDayOrdersResponse]:
        """Lists the orders that a merchant's tills have registered under one business date of
        theirs, oldest first, each with the store and the shift it counts for: when it was paid, or
        else when it was registered.

        Args:
            merchant_id: Merchant id whose day it is.
            business_date: Business date of the tills, YYYY-MM-DD.
            store_id: Store id to narrow the list to; empty for all.
            cashier_id: Cashier id to narrow the list to; empty for all.
            terminal_id: Terminal id to narrow the list to; empty for all.
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

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = shifts_service_pb2.ListDayOrdersRequest(
            merchant_id=merchant_id,
            business_date=business_date,
            store_id=store_id,
            cashier_id=cashier_id,
            terminal_id=terminal_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.SHIFTS_LIST_DAY_ORDERS, request, "orders", options)
