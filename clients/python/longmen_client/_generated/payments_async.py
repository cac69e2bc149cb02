"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import order_pb2, payments_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncPayments:
    """PaymentsService takes merchants' orders, shows their codes and lets customers pay them. An
    order ends in one of two truths, paid or never to be paid; LookupOrder tells which, and
    ResolveOrder makes it so. Merchants see their own orders only; services act for any merchant
    and customer.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_order(
        self,
        *,
        merchant_id: str,
        order_number: str,
        amount: Money,
        expires_in_seconds: int = 0,
        description: str = "",
        terminal_id: str = "",
        trace_number: int = 0,
        business_date: str = "",
        supersede: bool = False,
        tip: Money | None = None,
        tip_offer: order_pb2.TipOffer | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.CreateOrderResponse]:
        """Registers a sale and returns the code for its payer.

        The merchant's number is unique for ever: the same number with the same content returns the
        order as it stands.

        Args:
            merchant_id: Merchant id of the seller.
            order_number: Order number of the merchant's own.
            amount: Amount to be paid, above zero.
            expires_in_seconds: Expires in seconds from now; 0 means 15 minutes, 30 days at most.
            description: Description for merchant and payer.
            terminal_id: Terminal id of the till; empty without one. Terminal, trace number and
                business date go together.
            trace_number: Trace number of the till, 1 to 999999; 0 without a terminal.
            business_date: Business date of the till, YYYY-MM-DD; empty without a terminal.
            supersede: Supersede closes the order that the terminal has open, instead of refusing
                this one.
            tip: Tip that the till has asked for, paid besides the amount; none without one, or with
                a tip offer.
            tip_offer: Tip offer for the code, from which the payer's app takes it; none without
                one.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                CURRENCY_MISMATCH, ORDER_NUMBER_REUSED, ORDER_CLOSED, TERMINAL_NOT_FOUND,
                TERMINAL_BUSY, TERMINAL_REFERENCE_REUSED, TERMINAL_REFERENCE_REVERSED,
                TIP_LIMIT_EXCEEDED.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.CreateOrderRequest(
            merchant_id=merchant_id,
            order_number=order_number,
            amount=wire_money(amount),
            expires_in_seconds=expires_in_seconds,
            description=description,
            terminal_id=terminal_id,
            trace_number=trace_number,
            business_date=business_date,
            supersede=supersede,
            tip=wire_money(tip),
            tip_offer=tip_offer,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_CREATE_ORDER, request, request.request_id, options
        )

    async def get_order_code(
        self,
        *,
        order_id: str,
        format: order_pb2.CodeFormat.ValueType = order_pb2.CODE_FORMAT_UNSPECIFIED,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payments_service_pb2.GetOrderCodeResponse:
        """Returns the code of an order as text, and as a picture if a format is given.

        Args:
            order_id: Order id of the sale.
            format: Format of the picture; none without one.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.GetOrderCodeRequest(
            order_id=order_id, format=format, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.PAYMENTS_GET_ORDER_CODE, request, options)

    async def get_static_code(
        self,
        *,
        merchant_id: str,
        format: order_pb2.CodeFormat.ValueType = order_pb2.CODE_FORMAT_UNSPECIFIED,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payments_service_pb2.GetStaticCodeResponse:
        """Returns the code that a merchant prints: payers type the amount.

        Args:
            merchant_id: Merchant id of the seller.
            format: Format of the picture; none without one.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.GetStaticCodeRequest(
            merchant_id=merchant_id, format=format, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.PAYMENTS_GET_STATIC_CODE, request, options)

    async def get_order(
        self,
        *,
        order_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payments_service_pb2.GetOrderResponse:
        """Returns an order.

        Args:
            order_id: Order id of the sale.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.GetOrderRequest(
            order_id=order_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.PAYMENTS_GET_ORDER, request, options)

    async def lookup_order(
        self,
        *,
        merchant_id: str = "",
        order_number: str = "",
        terminal_id: str = "",
        trace_number: int = 0,
        business_date: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payments_service_pb2.LookupOrderResponse:
        """Answers honestly what became of an order, by the merchant's number or by the till's
        reference.

        Args:
            merchant_id: Merchant id of the seller, with the order number; empty with a till's
                reference.
            order_number: Order number of the merchant's own.
            terminal_id: Terminal id of the till, with trace number and business date; empty with an
                order number.
            trace_number: Trace number of the till, 1 to 999999; 0 without a terminal.
            business_date: Business date of the till, YYYY-MM-DD; empty without a terminal.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.LookupOrderRequest(
            merchant_id=merchant_id,
            order_number=order_number,
            terminal_id=terminal_id,
            trace_number=trace_number,
            business_date=business_date,
            at_least_as_fresh=at_least_as_fresh,
        )
        return await self._caller.ask(methods.PAYMENTS_LOOKUP_ORDER, request, options)

    def list_orders(
        self,
        *,
        merchant_id: str,
        states: Iterable[order_pb2.OrderState.ValueType] = (),
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[order_pb2.Order, payments_service_pb2.ListOrdersResponse]:
        """Lists a merchant's orders, newest first.

        Args:
            merchant_id: Merchant id of the seller.
            states: States keeps orders in these states; empty means all.
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
        request = payments_service_pb2.ListOrdersRequest(
            merchant_id=merchant_id,
            states=states,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.PAYMENTS_LIST_ORDERS, request, "orders", options)

    def watch_order(
        self,
        *,
        order_id: str,
        options: CallOptions | None = None,
    ) -> AsyncStream[payments_service_pb2.WatchOrderResponse]:
        """Sends an order at once, and then whenever it changes.

        Args:
            order_id: Order id of the sale.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND.

        Scope: orders.read. Deadline: 3600000 ms, at most 3600000 ms.
        """
        request = payments_service_pb2.WatchOrderRequest(order_id=order_id)
        return self._caller.open(methods.PAYMENTS_WATCH_ORDER, request, options)

    async def close_order(
        self,
        *,
        order_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.CloseOrderResponse]:
        """Lets an order never be paid.

        A closed one stays closed.

        Args:
            order_id: Order id of the sale.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND, ORDER_PAID,
                ORDER_REVERSED.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.CloseOrderRequest(
            order_id=order_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.PAYMENTS_CLOSE_ORDER, request, request.request_id, options
        )

    async def resolve_order(
        self,
        *,
        merchant_id: str,
        order_number: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.ResolveOrderResponse]:
        """Settles what is not known: after it the order is paid or can never be paid, even if it
        has not arrived yet.

        Args:
            merchant_id: Merchant id of the seller.
            order_number: Order number of the merchant's own.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.ResolveOrderRequest(
            merchant_id=merchant_id,
            order_number=order_number,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_RESOLVE_ORDER, request, request.request_id, options
        )

    async def reverse_by_terminal_ref(
        self,
        *,
        terminal_id: str,
        trace_number: int,
        business_date: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.ReverseByTerminalRefResponse]:
        """Undoes a sale by the till's reference: what was paid goes back, what was not is closed,
        and a sale that never arrived is refused if it arrives later.

        It may be repeated.

        Args:
            terminal_id: Terminal id of the till.
            trace_number: Trace number of the till.
            business_date: Business date of the till, YYYY-MM-DD.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND,
                REVERSAL_WINDOW_PASSED, CREDIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_FROZEN,
                DEBIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.ReverseByTerminalRefRequest(
            terminal_id=terminal_id,
            trace_number=trace_number,
            business_date=business_date,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_REVERSE_BY_TERMINAL_REF, request, request.request_id, options
        )

    async def refund_order(
        self,
        *,
        order_id: str,
        refund_number: str,
        amount: Money,
        reason_text: str = "",
        terminal_id: str = "",
        business_date: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.RefundOrderResponse]:
        """Returns all or part of a payment, at once, under a number of the merchant's own; never
        more than was paid.

        The same number with the same content returns the refund as it was made.

        Args:
            order_id: Order id of the sale.
            refund_number: Refund number of the merchant's own, unique within the order.
            amount: Amount to return, above zero.
            reason_text: Reason text kept with the refund.
            terminal_id: Terminal id of the merchant's till that gives the money back, wherever the
                sale was; empty to count the refund for the till of the sale.
            business_date: Business date of that till, YYYY-MM-DD; given exactly when the terminal
                id is.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ORDER_NOT_PAID, ORDER_REVERSED, REFUND_EXCEEDS_PAYMENT, REFUND_NUMBER_REUSED,
                REFUND_WINDOW_PASSED, CURRENCY_MISMATCH, CREDIT_ACCOUNT_CLOSED,
                CREDIT_ACCOUNT_FROZEN, DEBIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                INSUFFICIENT_FUNDS, TERMINAL_NOT_FOUND.

        Scope: orders.refund. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.RefundOrderRequest(
            order_id=order_id,
            refund_number=refund_number,
            amount=wire_money(amount),
            reason_text=reason_text,
            terminal_id=terminal_id,
            business_date=business_date,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_REFUND_ORDER, request, request.request_id, options
        )

    def list_refunds(
        self,
        *,
        order_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[order_pb2.Refund, payments_service_pb2.ListRefundsResponse]:
        """Lists the refunds of an order, oldest first.

        Args:
            order_id: Order id of the sale.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.ListRefundsRequest(
            order_id=order_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.PAYMENTS_LIST_REFUNDS, request, "refunds", options)

    async def pay_by_code(
        self,
        *,
        merchant_id: str,
        order_number: str,
        amount: Money,
        code: str,
        expires_in_seconds: int = 0,
        description: str = "",
        terminal_id: str = "",
        trace_number: int = 0,
        business_date: str = "",
        supersede: bool = False,
        tip: Money | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.PayByCodeResponse]:
        """Charges the payer whose code a till has scanned, under the merchant's own order number.

        Small amounts are paid at once; of others the payer is asked on the own device, the order is
        NEEDS_AUTH, and WatchOrder and LookupOrder tell what becomes of it. A refused scan leaves
        the order open for another one under the same number. Calls with a key are signed.

        Args:
            merchant_id: Merchant id of the seller.
            order_number: Order number of the merchant's own.
            amount: Amount to be paid, above zero.
            code: Code as scanned: eighteen digits, or EMV's consumer-presented form with them
                inside.
            expires_in_seconds: Expires in seconds from now, when the order is new; 0 means 3
                minutes, 30 days at most.
            description: Description for merchant and payer.
            terminal_id: Terminal id of the till; empty without one. Terminal, trace number and
                business date go together.
            trace_number: Trace number of the till, 1 to 999999; 0 without a terminal.
            business_date: Business date of the till, YYYY-MM-DD; empty without a terminal.
            supersede: Supersede closes the order that the terminal has open, instead of refusing
                this one.
            tip: Tip that the till has asked for, paid besides the amount; none without one.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                CURRENCY_MISMATCH, ORDER_NUMBER_REUSED, ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED,
                ORDER_REVERSED, TERMINAL_NOT_FOUND, TERMINAL_BUSY, TERMINAL_REFERENCE_REUSED,
                TERMINAL_REFERENCE_REVERSED, CODE_MALFORMED, CODE_UNKNOWN_SCHEME, CODE_INVALID,
                CODE_EXPIRED, CODE_USED, CODE_BUDGET_SPENT, PAYER_STATE, INSUFFICIENT_FUNDS,
                CREDIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_FROZEN, TIP_LIMIT_EXCEEDED.

        Scope: orders.charge. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.PayByCodeRequest(
            merchant_id=merchant_id,
            order_number=order_number,
            amount=wire_money(amount),
            code=code,
            expires_in_seconds=expires_in_seconds,
            description=description,
            terminal_id=terminal_id,
            trace_number=trace_number,
            business_date=business_date,
            supersede=supersede,
            tip=wire_money(tip),
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_PAY_BY_CODE, request, request.request_id, options
        )

    async def list_attempts(
        self,
        *,
        order_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payments_service_pb2.ListAttemptsResponse:
        """Lists the scans of payers' codes for an order, oldest first, up to 1000.

        Args:
            order_id: Order id of the sale.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.ListAttemptsRequest(
            order_id=order_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.PAYMENTS_LIST_ATTEMPTS, request, options)

    async def parse_code(
        self,
        *,
        code: str,
        options: CallOptions | None = None,
    ) -> payments_service_pb2.ParseCodeResponse:
        """Shows a payer whom and what a scanned code is for, to confirm.

        Args:
            code: Code as scanned.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CODE_MALFORMED,
                CODE_UNKNOWN_SCHEME, MERCHANT_NOT_FOUND, ORDER_NOT_FOUND, AMOUNT_MISMATCH.

        Scope: payments.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.ParseCodeRequest(code=code)
        return await self._caller.ask(methods.PAYMENTS_PARSE_CODE, request, options)

    async def pay_order(
        self,
        *,
        order_id: str,
        from_account_id: str,
        amount: Money,
        tip: Money | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.PayOrderResponse]:
        """Pays an order from a wallet account; the payer says the amount, which has to be the
        order's.

        Args:
            order_id: Order id to pay.
            from_account_id: From account id is the payer's account.
            amount: Amount that the payer confirmed.
            tip: Tip that the payer confirmed besides the amount: the order's, or where its offer
                asks, the payer's own; none without one.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH, DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED,
                DEBIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, AMOUNT_MISMATCH,
                TIP_MISMATCH, TIP_LIMIT_EXCEEDED, ORDER_COMBINED, ORDER_PAID, ORDER_CLOSED,
                ORDER_EXPIRED, ORDER_REVERSED.

        Scope: payments.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.PayOrderRequest(
            order_id=order_id,
            from_account_id=from_account_id,
            amount=wire_money(amount),
            tip=wire_money(tip),
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_PAY_ORDER, request, request.request_id, options
        )

    async def pay_static_code(
        self,
        *,
        code: str,
        from_account_id: str,
        amount: Money,
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payments_service_pb2.PayStaticCodeResponse]:
        """Pays a merchant's printed code with an amount that the payer types.

        Args:
            code: Code as scanned.
            from_account_id: From account id is the payer's account.
            amount: Amount that the payer typed, above zero.
            description: Description for merchant and payer.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CODE_MALFORMED,
                CODE_UNKNOWN_SCHEME, CODE_OF_ORDER, MERCHANT_NOT_FOUND, ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH, DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED,
                DEBIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS.

        Scope: payments.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payments_service_pb2.PayStaticCodeRequest(
            code=code,
            from_account_id=from_account_id,
            amount=wire_money(amount),
            description=description,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PAYMENTS_PAY_STATIC_CODE, request, request.request_id, options
        )
