"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import webhook_pb2, webhooks_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncWebhooks:
    """WebhooksService posts what happens to merchants' own servers, signed by the Standard
    Webhooks scheme, at least once, and the events of one order in their order. Nobody has to
    rely on it: ListOrders, WatchOrder and LookupOrder tell the same.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_endpoint(
        self,
        *,
        merchant_id: str,
        url: str,
        types: Iterable[str] = (),
        notice_email: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[webhooks_service_pb2.CreateEndpointResponse]:
        """Makes an endpoint and returns the secret that signs for it, this once.

        Args:
            merchant_id: Merchant id to tell.
            url: Url to post to: https, except on servers to try out; no address that only the bank
                can reach.
            types: Types to tell of, such as order.paid; empty means all.
            notice_email: Notice email address that is told when the endpoint is switched off for
                failing.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                ENDPOINT_URL_REFUSED, ENDPOINT_LIMIT_REACHED.

        Scope: webhooks.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.CreateEndpointRequest(
            merchant_id=merchant_id,
            url=url,
            types=types,
            notice_email=notice_email,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.WEBHOOKS_CREATE_ENDPOINT, request, request.request_id, options
        )

    def list_endpoints(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[webhook_pb2.Endpoint, webhooks_service_pb2.ListEndpointsResponse]:
        """Lists a merchant's endpoints, newest first.

        Args:
            merchant_id: Merchant id whose endpoints they are.
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

        Scope: webhooks.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.ListEndpointsRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.WEBHOOKS_LIST_ENDPOINTS, request, "endpoints", options
        )

    async def set_endpoint_state(
        self,
        *,
        endpoint_id: str,
        state: webhook_pb2.EndpointState.ValueType,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[webhooks_service_pb2.SetEndpointStateResponse]:
        """Switches an endpoint on or off.

        What happens while it is off is not sent later.

        Args:
            endpoint_id: Endpoint id to switch.
            state: State to bring it to: enabled or disabled.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ENDPOINT_NOT_FOUND.

        Scope: webhooks.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.SetEndpointStateRequest(
            endpoint_id=endpoint_id, state=state, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.WEBHOOKS_SET_ENDPOINT_STATE, request, request.request_id, options
        )

    async def rotate_secret(
        self,
        *,
        endpoint_id: str,
        overlap_hours: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[webhooks_service_pb2.RotateSecretResponse]:
        """Returns a new secret, this once; the one before signs too until its overlap is over.

        Args:
            endpoint_id: Endpoint id whose secret it is.
            overlap_hours: Overlap hours for which the secret before signs too; 0 means 24.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ENDPOINT_NOT_FOUND.

        Scope: webhooks.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.RotateSecretRequest(
            endpoint_id=endpoint_id,
            overlap_hours=overlap_hours,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.WEBHOOKS_ROTATE_SECRET, request, request.request_id, options
        )

    async def send_test_event(
        self,
        *,
        endpoint_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[webhooks_service_pb2.SendTestEventResponse]:
        """Queues an event of the type webhook.test to an endpoint.

        Args:
            endpoint_id: Endpoint id to send it to.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ENDPOINT_NOT_FOUND,
                ENDPOINT_DISABLED.

        Scope: webhooks.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.SendTestEventRequest(
            endpoint_id=endpoint_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.WEBHOOKS_SEND_TEST_EVENT, request, request.request_id, options
        )

    def list_deliveries(
        self,
        *,
        merchant_id: str,
        endpoint_id: str = "",
        state: webhook_pb2.DeliveryState.ValueType = webhook_pb2.DELIVERY_STATE_UNSPECIFIED,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[webhook_pb2.Delivery, webhooks_service_pb2.ListDeliveriesResponse]:
        """Lists deliveries to a merchant's endpoints, newest first.

        Args:
            merchant_id: Merchant id whose deliveries they are.
            endpoint_id: Endpoint id; empty means all of the merchant's.
            state: State; unspecified means all.
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

        Scope: webhooks.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.ListDeliveriesRequest(
            merchant_id=merchant_id,
            endpoint_id=endpoint_id,
            state=state,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.WEBHOOKS_LIST_DELIVERIES, request, "deliveries", options
        )

    async def redeliver(
        self,
        *,
        delivery_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[webhooks_service_pb2.RedeliverResponse]:
        """Queues a delivery again, whatever became of it.

        Args:
            delivery_id: Delivery id to send again.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DELIVERY_NOT_FOUND,
                ENDPOINT_DISABLED.

        Scope: webhooks.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = webhooks_service_pb2.RedeliverRequest(
            delivery_id=delivery_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.WEBHOOKS_REDELIVER, request, request.request_id, options
        )
