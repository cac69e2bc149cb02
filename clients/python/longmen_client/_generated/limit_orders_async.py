"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import limit_orders_service_pb2, order_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncLimitOrders:
    """LimitOrdersService keeps what waits for a rate. An alert tells its customer once when the
    middle of the market comes to its rate. A limit order holds what it pays, and is exchanged
    once the customer's own rate is as good as its limit, with both sides in one transaction.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_rate_alert(
        self,
        *,
        source_currency_code: str,
        target_currency_code: str,
        rate: str,
        direction: order_pb2.RateDirection.ValueType,
        customer_id: str = "",
        valid_days: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[limit_orders_service_pb2.CreateRateAlertResponse]:
        """Has a customer told when a rate comes.

        Args:
            source_currency_code: Source currency code is what one unit is of.
            target_currency_code: Target currency code is what the rate is in.
            rate: Rate at the middle of the market to wait for, a plain decimal above zero.
            direction: Direction it has to come from.
            customer_id: Customer id whose they are; customers may leave their own out.
            valid_days: Valid days that it waits; 0 means 30.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND, FX_RATE_STALE,
                FX_RATE_REACHED, FX_WAITING_LIMIT.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.CreateRateAlertRequest(
            source_currency_code=source_currency_code,
            target_currency_code=target_currency_code,
            rate=rate,
            direction=direction,
            customer_id=customer_id,
            valid_days=valid_days,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.LIMIT_ORDERS_CREATE_RATE_ALERT, request, request.request_id, options
        )

    def list_rate_alerts(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[order_pb2.RateAlert, limit_orders_service_pb2.ListRateAlertsResponse]:
        """Lists a customer's alerts, newest first.

        Args:
            customer_id: Customer id whose they are; customers may leave their own out.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.ListRateAlertsRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.LIMIT_ORDERS_LIST_RATE_ALERTS, request, "alerts", options
        )

    async def delete_rate_alert(
        self,
        *,
        alert_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[limit_orders_service_pb2.DeleteRateAlertResponse]:
        """Lets an alert tell nothing any more.

        A deleted one stays deleted.

        Args:
            alert_id: Alert id of the alert.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_ALERT_NOT_FOUND.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.DeleteRateAlertRequest(
            alert_id=alert_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.LIMIT_ORDERS_DELETE_RATE_ALERT, request, request.request_id, options
        )

    async def create_limit_order(
        self,
        *,
        from_account_id: str,
        to_account_id: str,
        amount: Money,
        target_currency_code: str,
        rate: str,
        valid_days: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[limit_orders_service_pb2.CreateLimitOrderResponse]:
        """Holds an amount until the rate comes that it is to be exchanged at.

        Args:
            from_account_id: From account id is charged.
            to_account_id: To account id is paid.
            amount: Amount to pay, fee included.
            target_currency_code: Target currency code of the account that is paid.
            rate: Rate that one unit has to get at least, after the spread, the fee apart; a plain
                decimal above zero.
            valid_days: Valid days that it waits; 0 means 30.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH, FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND,
                FX_RATE_STALE, FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE, FX_ORDER_LIMIT,
                FX_RATE_REACHED, FX_WAITING_LIMIT, INSUFFICIENT_FUNDS, DEBIT_ACCOUNT_CLOSED,
                DEBIT_ACCOUNT_FROZEN, SINGLE_LIMIT_EXCEEDED, BALANCE_LIMIT_EXCEEDED.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.CreateLimitOrderRequest(
            from_account_id=from_account_id,
            to_account_id=to_account_id,
            amount=wire_money(amount),
            target_currency_code=target_currency_code,
            rate=rate,
            valid_days=valid_days,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.LIMIT_ORDERS_CREATE_LIMIT_ORDER, request, request.request_id, options
        )

    async def get_limit_order(
        self,
        *,
        limit_order_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> limit_orders_service_pb2.GetLimitOrderResponse:
        """Returns a limit order.

        Args:
            limit_order_id: Limit order id of the order.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_LIMIT_ORDER_NOT_FOUND.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.GetLimitOrderRequest(
            limit_order_id=limit_order_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.LIMIT_ORDERS_GET_LIMIT_ORDER, request, options)

    def list_limit_orders(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[order_pb2.LimitOrder, limit_orders_service_pb2.ListLimitOrdersResponse]:
        """Lists a customer's limit orders, newest first.

        Args:
            customer_id: Customer id whose they are; customers may leave their own out.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.ListLimitOrdersRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.LIMIT_ORDERS_LIST_LIMIT_ORDERS, request, "orders", options
        )

    async def cancel_limit_order(
        self,
        *,
        limit_order_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[limit_orders_service_pb2.CancelLimitOrderResponse]:
        """Gives an order up and frees its money.

        A cancelled one stays cancelled.

        Args:
            limit_order_id: Limit order id of the order.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_LIMIT_ORDER_NOT_FOUND,
                FX_LIMIT_ORDER_ENDED.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limit_orders_service_pb2.CancelLimitOrderRequest(
            limit_order_id=limit_order_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.LIMIT_ORDERS_CANCEL_LIMIT_ORDER, request, request.request_id, options
        )
