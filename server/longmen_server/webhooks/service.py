"""WebhooksService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final

from longmen.merchants.v1 import webhooks_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    DELIVERY,
    ENDPOINT,
    DeliveryId,
    EndpointId,
    book_of,
    new_id,
)
from longmen_server.platform.outbound import BlockedUrlError, destination_of
from longmen_server.platform.refusal import Refusal
from longmen_server.webhooks import commands, encode, model, queries
from longmen_server.webhooks.model import HOUR_US, EndpointRow, EndpointState
from longmen_server.webhooks.poster import secret_text

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import MerchantId
    from longmen_server.platform.sealing import Sealer
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["WebhooksService"]

SECRET_BYTES: Final = 32
OVERLAP_HOURS_DEFAULT: Final = 24


class WebhooksService:
    """The methods of longmen.merchants.v1.WebhooksService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        sealer: Sealer,
        development: bool,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and times.
            tokens: seals page tokens.
            sealer: seals secrets and addresses.
            development: lets endpoints be http and on this machine.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._sealer = sealer
        self._development = development

    async def CreateEndpoint(  # noqa: N802
        self, request: pb.CreateEndpointRequest, call: Call
    ) -> pb.CreateEndpointResponse:
        """Make an endpoint."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        self._check_url(request.url)
        book = book_of(merchant_id)
        endpoint_id = EndpointId(new_id(book, self._clock))
        secret = secrets.token_bytes(SECRET_BYTES)
        address = request.notice_email.encode()
        row = EndpointRow(
            endpoint_id=endpoint_id,
            merchant_id=merchant_id,
            url=request.url,
            types=" ".join(sorted(set(request.types))),
            state=EndpointState.ENABLED,
            secret=self._sealer.seal(secret, endpoint_id),
            previous_secret=None,
            previous_until_us=None,
            notice_address=self._sealer.seal(address, endpoint_id) if address else None,
            created_at_us=0,
            failing_since_us=None,
        )
        command = commands.CreateEndpoint(
            book, request_key(call), row=row, sealed_secret=self._seal(secret, call)
        )
        recorded = await self._submit(
            command, request, call, absent=merchant_not_found(merchant_id)
        )
        reply = pb.CreateEndpointResponse.FromString(recorded)
        reply.secret = self._opened(reply.secret, call)
        return reply

    async def ListEndpoints(  # noqa: N802
        self, request: pb.ListEndpointsRequest, call: Call
    ) -> pb.ListEndpointsResponse:
        """List a merchant's endpoints."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size, now_us = page_size(request.page_size), self._clock.now_us()
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _demand_merchant(connection, merchant_id)
            rows = await queries.list_endpoints(
                connection, merchant_id, before=before, limit=size + 1
            )
        page = rows[:size]
        return pb.ListEndpointsResponse(
            endpoints=[encode.endpoint(row, now_us) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].endpoint_id, request, call) if len(rows) > size else ""
            ),
        )

    async def SetEndpointState(  # noqa: N802
        self, request: pb.SetEndpointStateRequest, call: Call
    ) -> bytes:
        """Switch an endpoint on or off."""
        endpoint_id = decode_id(ENDPOINT, request.endpoint_id, "endpoint_id")
        command = commands.SetEndpointState(
            book_of(endpoint_id),
            request_key(call),
            endpoint_id=endpoint_id,
            actor=merchant_actor_of(call),
            state=request.state,
        )
        absent = model.endpoint_not_found(endpoint_id)
        return await self._submit(command, request, call, absent=absent)

    async def RotateSecret(  # noqa: N802
        self, request: pb.RotateSecretRequest, call: Call
    ) -> pb.RotateSecretResponse:
        """Let another secret sign."""
        endpoint_id = decode_id(ENDPOINT, request.endpoint_id, "endpoint_id")
        secret = secrets.token_bytes(SECRET_BYTES)
        command = commands.RotateSecret(
            book_of(endpoint_id),
            request_key(call),
            endpoint_id=endpoint_id,
            actor=merchant_actor_of(call),
            secret=self._sealer.seal(secret, endpoint_id),
            sealed_secret=self._seal(secret, call),
            overlap_us=(request.overlap_hours or OVERLAP_HOURS_DEFAULT) * HOUR_US,
        )
        absent = model.endpoint_not_found(endpoint_id)
        recorded = await self._submit(command, request, call, absent=absent)
        reply = pb.RotateSecretResponse.FromString(recorded)
        reply.secret = self._opened(reply.secret, call)
        return reply

    async def SendTestEvent(self, request: pb.SendTestEventRequest, call: Call) -> bytes:  # noqa: N802
        """Queue a test."""
        endpoint_id = decode_id(ENDPOINT, request.endpoint_id, "endpoint_id")
        book = book_of(endpoint_id)
        command = commands.SendTestEvent(
            book,
            request_key(call),
            endpoint_id=endpoint_id,
            actor=merchant_actor_of(call),
            delivery_id=DeliveryId(new_id(book, self._clock)),
        )
        absent = model.endpoint_not_found(endpoint_id)
        return await self._submit(command, request, call, absent=absent)

    async def ListDeliveries(  # noqa: N802
        self, request: pb.ListDeliveriesRequest, call: Call
    ) -> pb.ListDeliveriesResponse:
        """List deliveries."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        endpoint_id = None
        if request.endpoint_id:
            endpoint_id = decode_id(ENDPOINT, request.endpoint_id, "endpoint_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _demand_merchant(connection, merchant_id)
            rows = await queries.list_deliveries(
                connection,
                merchant_id,
                endpoint_id=endpoint_id,
                state=request.state,
                before=before,
                limit=size + 1,
            )
        page = rows[:size]
        return pb.ListDeliveriesResponse(
            deliveries=[encode.delivery(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].delivery_id, request, call) if len(rows) > size else ""
            ),
        )

    async def Redeliver(self, request: pb.RedeliverRequest, call: Call) -> bytes:  # noqa: N802
        """Queue a delivery again."""
        delivery_id = decode_id(DELIVERY, request.delivery_id, "delivery_id")
        command = commands.Redeliver(
            book_of(delivery_id),
            request_key(call),
            delivery_id=delivery_id,
            actor=merchant_actor_of(call),
        )
        absent = model.delivery_not_found(delivery_id)
        return await self._submit(command, request, call, absent=absent)

    # -- helpers -------------------------------------------------------------------------------

    def _check_url(self, url: str) -> None:
        """Refuse urls that are never posted to.

        Raises:
            Refusal: ENDPOINT_URL_REFUSED.
        """
        try:
            destination_of(url, development=self._development)
        except BlockedUrlError as error:
            raise Refusal(
                "ENDPOINT_URL_REFUSED",
                "nothing is posted to such a url",
                metadata={"rule": error.rule},
                field="url",
            ) from error

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)

    def _seal(self, secret: bytes, call: Call) -> str:
        """Return a secret as the request's record keeps it."""
        return base64.urlsafe_b64encode(
            self._sealer.seal(secret, request_key(call).digest)
        ).decode()

    def _opened(self, recorded: str, call: Call) -> str:
        """Return a secret from a request's record, as its merchant gets it."""
        sealed = base64.urlsafe_b64decode(recorded)
        return secret_text(self._sealer.open(sealed, request_key(call).digest))


async def _demand_merchant(connection: Connection, merchant_id: MerchantId) -> None:
    if await find_merchant(connection, merchant_id) is None:
        raise merchant_not_found(merchant_id)
