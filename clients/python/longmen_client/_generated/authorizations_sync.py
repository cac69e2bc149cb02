"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import authorizations_service_pb2
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client.money import Money


class Authorizations:
    """AuthorizationsService holds a payer's money for an order, lets the merchant take it in
    parts, and gives back what is not taken in time. An order that is authorized can be paid by
    captures only; once the last one is made, or the rest released, it is paid for what was
    taken.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def authorize_order(
        self,
        *,
        order_id: str,
        from_account_id: str,
        amount: Money,
        hold_seconds: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[authorizations_service_pb2.AuthorizeOrderResponse]:
        """Holds the amount of an order on the payer's account.

        What is held has no tip besides: capture more where the category lets it.

        Args:
            order_id: Order id to hold money for.
            from_account_id: From account id is the payer's account.
            amount: Amount that the payer confirmed; the order's.
            hold_seconds: Hold seconds until what was not captured goes back, up to 30 days; 0 means
                7 days.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH, AMOUNT_MISMATCH, TIP_MISMATCH,
                ORDER_AUTHORIZED, ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED, ORDER_REVERSED,
                INSUFFICIENT_FUNDS, DEBIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_FROZEN, NEEDS_AUTH,
                STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: payments.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = authorizations_service_pb2.AuthorizeOrderRequest(
            order_id=order_id,
            from_account_id=from_account_id,
            amount=wire_money(amount),
            hold_seconds=hold_seconds,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.AUTHORIZATIONS_AUTHORIZE_ORDER, request, request.request_id, options
        )

    def increment_authorization(
        self,
        *,
        order_id: str,
        amount: Money,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[authorizations_service_pb2.IncrementAuthorizationResponse]:
        """Holds more for an order that is authorized; its payer asks for it.

        Args:
            order_id: Order id to hold more for.
            amount: Amount to hold besides, above zero.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ORDER_NOT_AUTHORIZED, ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED, CURRENCY_MISMATCH,
                INCREMENT_LIMIT_REACHED, INSUFFICIENT_FUNDS, DEBIT_ACCOUNT_FROZEN,
                CREDIT_ACCOUNT_FROZEN, NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: payments.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = authorizations_service_pb2.IncrementAuthorizationRequest(
            order_id=order_id, amount=wire_money(amount), request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.AUTHORIZATIONS_INCREMENT_AUTHORIZATION, request, request.request_id, options
        )

    def capture_order(
        self,
        *,
        order_id: str,
        capture_number: str,
        amount: Money,
        final: bool = False,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[authorizations_service_pb2.CaptureOrderResponse]:
        """Takes all or part of what is held.

        The same number with the same content returns the capture made before.

        Args:
            order_id: Order id whose money it is.
            capture_number: Capture number of the merchant's own, unique within the order.
            amount: Amount to take, above zero.
            final: Final releases the rest.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ORDER_NOT_AUTHORIZED, ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED, CURRENCY_MISMATCH,
                CAPTURE_NUMBER_REUSED, CAPTURE_EXCEEDS_AUTHORIZATION, PAYER_STATE,
                INSUFFICIENT_FUNDS (without figures), CREDIT_ACCOUNT_FROZEN.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = authorizations_service_pb2.CaptureOrderRequest(
            order_id=order_id,
            capture_number=capture_number,
            amount=wire_money(amount),
            final=final,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.AUTHORIZATIONS_CAPTURE_ORDER, request, request.request_id, options
        )

    def void_order(
        self,
        *,
        order_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[authorizations_service_pb2.VoidOrderResponse]:
        """Releases what is held and not captured: the order is closed, or paid for what was
        captured.

        Args:
            order_id: Order id to release the money of.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ORDER_NOT_AUTHORIZED, ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = authorizations_service_pb2.VoidOrderRequest(
            order_id=order_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.AUTHORIZATIONS_VOID_ORDER, request, request.request_id, options
        )

    def get_authorization(
        self,
        *,
        order_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> authorizations_service_pb2.GetAuthorizationResponse:
        """Returns what is held for an order, and what was captured.

        Args:
            order_id: Order id whose authorization it is.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ORDER_NOT_AUTHORIZED.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = authorizations_service_pb2.GetAuthorizationRequest(
            order_id=order_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.AUTHORIZATIONS_GET_AUTHORIZATION, request, options)
