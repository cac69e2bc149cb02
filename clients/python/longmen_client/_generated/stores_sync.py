"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import store_pb2, stores_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Stores:
    """StoresService keeps the shops of merchants and says which tills stand where. A merchant
    without stores has nothing to do here: its tills go on with any store label, or none.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create_store(
        self,
        *,
        merchant_id: str,
        number: str,
        name: str,
        address: str = "",
        city: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[stores_service_pb2.CreateStoreResponse]:
        """Registers a shop.

        Args:
            merchant_id: Merchant id whose shop it is.
            number: Number of the merchant's own, unique among its stores for ever.
            name: Name as the merchant knows it.
            address: Address within the city.
            city: City it stands in.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                STORE_NUMBER_TAKEN.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = stores_service_pb2.CreateStoreRequest(
            merchant_id=merchant_id,
            number=number,
            name=name,
            address=address,
            city=city,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.STORES_CREATE_STORE, request, request.request_id, options
        )

    def update_store(
        self,
        *,
        store_id: str,
        name: str,
        address: str = "",
        city: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[stores_service_pb2.UpdateStoreResponse]:
        """Says anew what a shop is called and where it is; its number stays.

        Args:
            store_id: Store id to change.
            name: Name it has from now on.
            address: Address it has from now on.
            city: City it stands in from now on.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STORE_NOT_FOUND.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = stores_service_pb2.UpdateStoreRequest(
            store_id=store_id,
            name=name,
            address=address,
            city=city,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.STORES_UPDATE_STORE, request, request.request_id, options
        )

    def close_store(
        self,
        *,
        store_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[stores_service_pb2.CloseStoreResponse]:
        """Lets the tills of a shop take no new orders.

        A closed one stays as it is.

        Args:
            store_id: Store id to close.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STORE_NOT_FOUND.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = stores_service_pb2.CloseStoreRequest(
            store_id=store_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(methods.STORES_CLOSE_STORE, request, request.request_id, options)

    def reopen_store(
        self,
        *,
        store_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[stores_service_pb2.ReopenStoreResponse]:
        """Lets the tills of a closed shop sell again.

        An open one stays as it is.

        Args:
            store_id: Store id to open again.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STORE_NOT_FOUND.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = stores_service_pb2.ReopenStoreRequest(
            store_id=store_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.STORES_REOPEN_STORE, request, request.request_id, options
        )

    def get_store(
        self,
        *,
        store_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> stores_service_pb2.GetStoreResponse:
        """Returns a shop.

        Args:
            store_id: Store id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STORE_NOT_FOUND.

        Scope: merchants.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = stores_service_pb2.GetStoreRequest(
            store_id=store_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.STORES_GET_STORE, request, options)

    def list_stores(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[store_pb2.Store, stores_service_pb2.ListStoresResponse]:
        """Lists a merchant's shops in the order they were registered.

        Args:
            merchant_id: Merchant id whose shops to list.
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
        request = stores_service_pb2.ListStoresRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.STORES_LIST_STORES, request, "stores", options)

    def move_terminal(
        self,
        *,
        terminal_id: str,
        store_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[stores_service_pb2.MoveTerminalResponse]:
        """Puts a till into a shop of its merchant, or into none.

        What it has sold before counts for where it stood then.

        Args:
            terminal_id: Terminal id of the till.
            store_id: Store id of the shop it stands in from now on; empty for none.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND,
                STORE_NOT_FOUND, STORE_CLOSED.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = stores_service_pb2.MoveTerminalRequest(
            terminal_id=terminal_id, store_id=store_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.STORES_MOVE_TERMINAL, request, request.request_id, options
        )
