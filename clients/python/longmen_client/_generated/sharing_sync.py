"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import sharing_pb2, sharing_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client.money import Money


class Sharing:
    """SharingService lets a merchant pass parts of a paid order on to other merchants. Money to be
    shared is held first, up to a percentage of what the order brought, and is not settled
    meanwhile; then it is shared, request by request, until the merchant releases the rest or
    the window ends. A refund releases what may be held no longer; receivers give their shares
    back on request, as agreed or in proportion to the refunds.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def ask_receiver(
        self,
        *,
        merchant_id: str,
        receiver_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.AskReceiverResponse]:
        """Names another merchant that shares are to go to, in the same currency.

        The bank confirms it before anything does.

        Args:
            merchant_id: Merchant id that shares.
            receiver_id: Receiver id is the merchant that gets shares.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                RECEIVER_NOT_ALLOWED.

        Scope: sharing.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.AskReceiverRequest(
            merchant_id=merchant_id,
            receiver_id=receiver_id,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SHARING_ASK_RECEIVER, request, request.request_id, options
        )

    def confirm_receiver(
        self,
        *,
        merchant_id: str,
        receiver_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.ConfirmReceiverResponse]:
        """Lets shares go to a receiver that was asked for.

        Args:
            merchant_id: Merchant id that shares.
            receiver_id: Receiver id is the merchant that gets shares.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RECEIVER_NOT_FOUND,
                RECEIVER_STATE_CONFLICT.

        Scope: sharing.confirm. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.ConfirmReceiverRequest(
            merchant_id=merchant_id,
            receiver_id=receiver_id,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SHARING_CONFIRM_RECEIVER, request, request.request_id, options
        )

    def remove_receiver(
        self,
        *,
        merchant_id: str,
        receiver_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.RemoveReceiverResponse]:
        """Lets no more shares go to a receiver; one that was removed stays so until it is asked for
        again.

        Args:
            merchant_id: Merchant id that shares.
            receiver_id: Receiver id is the merchant that gets shares.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RECEIVER_NOT_FOUND.

        Scope: sharing.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.RemoveReceiverRequest(
            merchant_id=merchant_id,
            receiver_id=receiver_id,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SHARING_REMOVE_RECEIVER, request, request.request_id, options
        )

    def list_receivers(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[sharing_pb2.Receiver, sharing_service_pb2.ListReceiversResponse]:
        """Lists a merchant's receivers, those removed included, by their ids.

        Args:
            merchant_id: Merchant id that shares.
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

        Scope: sharing.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.ListReceiversRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.SHARING_LIST_RECEIVERS, request, "receivers", options)

    def hold_shares(
        self,
        *,
        order_id: str,
        amount: Money,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.HoldSharesResponse]:
        """Keeps money of a paid order to be shared, once for each order.

        The same amount again returns what is there.

        Args:
            order_id: Order id whose money it is.
            amount: Amount to hold.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                ORDER_NOT_PAID, ORDER_REFUNDED, ORDER_REVERSED, CURRENCY_MISMATCH, SHARING_EXISTS,
                SHARING_WINDOW_PASSED, SHARE_CAP_EXCEEDED, INSUFFICIENT_FUNDS.

        Scope: sharing.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.HoldSharesRequest(
            order_id=order_id, amount=wire_money(amount), request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.SHARING_HOLD_SHARES, request, request.request_id, options
        )

    def share_order(
        self,
        *,
        order_id: str,
        share_number: str,
        receiver_id: str,
        amount: Money,
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.ShareOrderResponse]:
        """Gives a receiver a part of what is held.

        The same number with the same content returns the share made before.

        Args:
            order_id: Order id whose money it is.
            share_number: Share number of the merchant's own, unique within the order.
            receiver_id: Receiver id is the merchant that gets shares.
            amount: Amount of the share.
            description: Description for both.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                SHARING_NOT_FOUND, SHARING_ENDED, CURRENCY_MISMATCH, RECEIVER_NOT_FOUND,
                RECEIVER_STATE_CONFLICT, SHARE_EXCEEDS_HELD, SHARE_LIMIT_REACHED,
                SHARE_NUMBER_REUSED, CREDIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_CLOSED.

        Scope: sharing.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.ShareOrderRequest(
            order_id=order_id,
            share_number=share_number,
            receiver_id=receiver_id,
            amount=wire_money(amount),
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SHARING_SHARE_ORDER, request, request.request_id, options
        )

    def release_shares(
        self,
        *,
        order_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.ReleaseSharesResponse]:
        """Ends the sharing of an order: what is left is settled with the rest.

        One that has ended stays as it is.

        Args:
            order_id: Order id whose money it is.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                SHARING_NOT_FOUND.

        Scope: sharing.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.ReleaseSharesRequest(
            order_id=order_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.SHARING_RELEASE_SHARES, request, request.request_id, options
        )

    def return_share(
        self,
        *,
        order_id: str,
        share_number: str,
        return_number: str,
        amount: Money | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[sharing_service_pb2.ReturnShareResponse]:
        """Takes a share back from its receiver, all of it or a part, also after the end; without an
        amount as much as the order's refunds so far come to.

        The same number with the same content returns what it did before.

        Args:
            order_id: Order id whose money it is.
            share_number: Share number that comes back.
            return_number: Return number of the merchant's own, unique within the order.
            amount: Amount that comes back; none for as much as the order's refunds so far come to.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                SHARING_NOT_FOUND, SHARE_NOT_FOUND, CURRENCY_MISMATCH, SHARE_RETURN_EXCEEDS,
                SHARE_NUMBER_REUSED, INSUFFICIENT_FUNDS, DEBIT_ACCOUNT_FROZEN, DEBIT_ACCOUNT_CLOSED.

        Scope: sharing.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.ReturnShareRequest(
            order_id=order_id,
            share_number=share_number,
            return_number=return_number,
            amount=wire_money(amount),
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SHARING_RETURN_SHARE, request, request.request_id, options
        )

    def get_sharing(
        self,
        *,
        order_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> sharing_service_pb2.GetSharingResponse:
        """Shows what became of an order's money that was held for others.

        Args:
            order_id: Order id whose money it is.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ORDER_NOT_FOUND,
                SHARING_NOT_FOUND.

        Scope: sharing.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = sharing_service_pb2.GetSharingRequest(
            order_id=order_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.SHARING_GET_SHARING, request, options)
