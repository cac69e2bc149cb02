"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import combined_service_pb2
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client.money import Money


class CombinedOrders:
    """CombinedOrdersService lets a platform sell for several merchants at once. The payer confirms
    once and pays every merchant or none; after that each part is an order like any other,
    refunded, settled and billed by itself. A part can be paid in no other way.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create_combined_order(
        self,
        *,
        combined_number: str,
        parts: Iterable[combined_service_pb2.CombinedPartRequest],
        description: str = "",
        expires_in_seconds: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[combined_service_pb2.CreateCombinedOrderResponse]:
        """Registers an order with each merchant.

        The same number with the same content returns what is there.

        Args:
            combined_number: Combined number of the platform's own, unique for ever.
            parts: Parts, each of another merchant.
            description: Description for the payer.
            expires_in_seconds: Expires in seconds from now; 0 means 15 minutes, 30 days at most.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                CURRENCY_MISMATCH, ORDER_NUMBER_REUSED, ORDER_CLOSED, COMBINED_NUMBER_REUSED.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = combined_service_pb2.CreateCombinedOrderRequest(
            combined_number=combined_number,
            parts=parts,
            description=description,
            expires_in_seconds=expires_in_seconds,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.COMBINED_ORDERS_CREATE_COMBINED_ORDER, request, request.request_id, options
        )

    def get_combined_order(
        self,
        *,
        combined_order_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> combined_service_pb2.GetCombinedOrderResponse:
        """Shows a payer whom and what it is for, to confirm, and a platform how its parts stand.

        Args:
            combined_order_id: Combined order id.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: COMBINED_ORDER_NOT_FOUND.

        Scope: payments.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = combined_service_pb2.GetCombinedOrderRequest(
            combined_order_id=combined_order_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.COMBINED_ORDERS_GET_COMBINED_ORDER, request, options)

    def pay_combined_order(
        self,
        *,
        combined_order_id: str,
        from_account_id: str,
        total: Money,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[combined_service_pb2.PayCombinedOrderResponse]:
        """Pays all parts from a wallet account, or none; the payer says the total.

        Args:
            combined_order_id: Combined order id.
            from_account_id: From account id is the payer's account.
            total: Total that the payer confirmed.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: COMBINED_ORDER_NOT_FOUND,
                ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH, AMOUNT_MISMATCH, ORDER_PAID, ORDER_CLOSED,
                ORDER_EXPIRED, ORDER_REVERSED, DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED,
                DEBIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, NEEDS_AUTH,
                STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: payments.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = combined_service_pb2.PayCombinedOrderRequest(
            combined_order_id=combined_order_id,
            from_account_id=from_account_id,
            total=wire_money(total),
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.COMBINED_ORDERS_PAY_COMBINED_ORDER, request, request.request_id, options
        )
