"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import merchant_pb2, merchants_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncMerchants:
    """MerchantsService takes merchants in and keeps their terminals. A merchant's token has the
    merchant's id as its subject; merchants see themselves only, and register their own
    terminals.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_merchant(
        self,
        *,
        name: str,
        city: str,
        country_code: str,
        category_code: str,
        currency_code: str,
        local_name: str = "",
        local_language: str = "",
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[merchants_service_pb2.CreateMerchantResponse]:
        """Takes a merchant in and opens the account of what the bank owes it, in the book given or
        the server's first.

        Args:
            name: Name as payers read it.
            city: City the merchant sells in.
            country_code: Country code, two letters by ISO 3166-1.
            category_code: Category code, four digits by ISO 18245.
            currency_code: Currency code to sell and be settled in, by ISO 4217.
            local_name: Local name in the merchant's own script.
            local_language: Local language of the local name, two letters by ISO 639-1; given
                exactly when the local name is.
            book: Book to keep the merchant in; 0 means the server's first.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_CURRENCY.

        Scope: merchants.onboard. Deadline: 5000 ms, at most 30000 ms.
        """
        request = merchants_service_pb2.CreateMerchantRequest(
            name=name,
            city=city,
            country_code=country_code,
            category_code=category_code,
            currency_code=currency_code,
            local_name=local_name,
            local_language=local_language,
            book=book,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.MERCHANTS_CREATE_MERCHANT, request, request.request_id, options
        )

    async def get_merchant(
        self,
        *,
        merchant_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> merchants_service_pb2.GetMerchantResponse:
        """Returns a merchant.

        Args:
            merchant_id: Merchant id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: merchants.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = merchants_service_pb2.GetMerchantRequest(
            merchant_id=merchant_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.MERCHANTS_GET_MERCHANT, request, options)

    def list_merchants(
        self,
        *,
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[merchant_pb2.Merchant, merchants_service_pb2.ListMerchantsResponse]:
        """Lists the merchants of a book in the order they were taken in.

        Args:
            book: Book to list; 0 means the server's first.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN.

        Scope: merchants.list. Deadline: 5000 ms, at most 30000 ms.
        """
        request = merchants_service_pb2.ListMerchantsRequest(
            book=book,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.MERCHANTS_LIST_MERCHANTS, request, "merchants", options
        )

    async def create_terminal(
        self,
        *,
        merchant_id: str,
        label: str,
        store_label: str = "",
        store_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[merchants_service_pb2.CreateTerminalResponse]:
        """Registers a till of a merchant.

        A merchant that has registered stores names them by id; one that has not writes any label.

        Args:
            merchant_id: Merchant id whose terminal it is.
            label: Label by which the merchant knows it.
            store_label: Store label of the shop it stands in.
            store_id: Store id of the registered store it stands in; empty for none.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                STORE_NOT_FOUND, STORE_CLOSED, STORE_UNREGISTERED.

        Scope: merchants.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = merchants_service_pb2.CreateTerminalRequest(
            merchant_id=merchant_id,
            label=label,
            store_label=store_label,
            store_id=store_id,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.MERCHANTS_CREATE_TERMINAL, request, request.request_id, options
        )

    async def get_terminal(
        self,
        *,
        terminal_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> merchants_service_pb2.GetTerminalResponse:
        """Returns a terminal.

        Args:
            terminal_id: Terminal id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND.

        Scope: merchants.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = merchants_service_pb2.GetTerminalRequest(
            terminal_id=terminal_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.MERCHANTS_GET_TERMINAL, request, options)

    def list_terminals(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[merchant_pb2.Terminal, merchants_service_pb2.ListTerminalsResponse]:
        """Lists a merchant's terminals in the order they were registered: when each was seen last,
        and its latest order.

        Args:
            merchant_id: Merchant id whose terminals to list.
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
        request = merchants_service_pb2.ListTerminalsRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.MERCHANTS_LIST_TERMINALS, request, "terminals", options
        )

    async def report_terminal(
        self,
        *,
        terminal_id: str,
        software_version: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[merchants_service_pb2.ReportTerminalResponse]:
        """Is a till's sign of life, with the version of its software.

        Tills send it every few minutes; orders are signs of life too.

        Args:
            terminal_id: Terminal id that is alive.
            software_version: Software version of the till; empty where it has none.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND.

        Scope: orders.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = merchants_service_pb2.ReportTerminalRequest(
            terminal_id=terminal_id,
            software_version=software_version,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.MERCHANTS_REPORT_TERMINAL, request, request.request_id, options
        )
