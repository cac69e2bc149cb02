"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import cashiers_service_pb2, store_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Cashiers:
    """CashiersService keeps who works at a merchant's tills. A merchant that has registered no
    cashier opens shifts with any label; one that has opens them with those cashiers only.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create_cashier(
        self,
        *,
        merchant_id: str,
        number: str,
        name: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cashiers_service_pb2.CreateCashierResponse]:
        """Registers somebody who works at the merchant's tills.

        Args:
            merchant_id: Merchant id the cashier works for.
            number: Number of the merchant's own, unique among its cashiers for ever.
            name: Name as the merchant knows it.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                CASHIER_NUMBER_TAKEN.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cashiers_service_pb2.CreateCashierRequest(
            merchant_id=merchant_id,
            number=number,
            name=name,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.CASHIERS_CREATE_CASHIER, request, request.request_id, options
        )

    def update_cashier(
        self,
        *,
        cashier_id: str,
        name: str,
        state: store_pb2.CashierState.ValueType,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cashiers_service_pb2.UpdateCashierResponse]:
        """Says anew what a cashier is called, and whether the cashier still works there; the number
        stays.

        Args:
            cashier_id: Cashier id to change.
            name: Name from now on.
            state: State from now on: active, or left.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CASHIER_NOT_FOUND.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cashiers_service_pb2.UpdateCashierRequest(
            cashier_id=cashier_id, name=name, state=state, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.CASHIERS_UPDATE_CASHIER, request, request.request_id, options
        )

    def get_cashier(
        self,
        *,
        cashier_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> cashiers_service_pb2.GetCashierResponse:
        """Returns a cashier.

        Args:
            cashier_id: Cashier id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CASHIER_NOT_FOUND.

        Scope: merchants.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cashiers_service_pb2.GetCashierRequest(
            cashier_id=cashier_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.CASHIERS_GET_CASHIER, request, options)

    def list_cashiers(
        self,
        *,
        merchant_id: str,
        state: store_pb2.CashierState.ValueType = store_pb2.CASHIER_STATE_UNSPECIFIED,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[store_pb2.Cashier, cashiers_service_pb2.ListCashiersResponse]:
        """Lists a merchant's cashiers in the order they were registered.

        Args:
            merchant_id: Merchant id whose cashiers to list.
            state: State to narrow the list to; unspecified for all.
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
        request = cashiers_service_pb2.ListCashiersRequest(
            merchant_id=merchant_id,
            state=state,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.CASHIERS_LIST_CASHIERS, request, "cashiers", options)
