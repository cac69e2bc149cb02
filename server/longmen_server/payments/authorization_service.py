"""AuthorizationsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import authorizations_service_pb2 as pb
from longmen_server.accounts.actor import actor_of
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.actor import merchant_actor_of
from longmen_server.merchants.queries import find_merchant
from longmen_server.payments import authorizations, holding, model, queries
from longmen_server.payments.encode_authorizations import authorization_message
from longmen_server.payments.queries_authorizations import find_authorization, list_captures
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    ORDER,
    CaptureId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import OrderId
    from longmen_server.transport.context import Call

__all__ = ["AuthorizationsService"]

CAPTURES_MAX = 100
"""Captures that one reply lists."""


class AuthorizationsService:
    """The methods of longmen.payments.v1.AuthorizationsService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, clock: Clock, step_up: StepUpOffice
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has expired.
            step_up: gives customers' payments the gate they have to pass.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._step_up = step_up

    async def AuthorizeOrder(self, request: pb.AuthorizeOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Hold the money of an order."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        book, key = book_of(order_id), request_key(call)
        command = holding.AuthorizeOrder(
            book,
            key,
            order_id=order_id,
            payer_id=decode_id(ACCOUNT, request.from_account_id, "from_account_id"),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            hold_us=(request.hold_seconds or authorizations.HOLD_SECONDS_DEFAULT) * model.SECOND_US,
            percent=await self._percent(order_id, call),
            actor=actor_of(call),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
        )
        try:
            return await self._submit(command, order_id, request, call)
        except Refusal as refusal:
            await self._step_up.advise(refusal, call, command.payer_id, command.amount)
            raise

    async def IncrementAuthorization(  # noqa: N802
        self, request: pb.IncrementAuthorizationRequest, call: Call
    ) -> bytes:
        """Hold more for an order."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        book, key = book_of(order_id), request_key(call)
        command = holding.IncrementAuthorization(
            book,
            key,
            order_id=order_id,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            actor=actor_of(call),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
        )
        return await self._submit(command, order_id, request, call)

    async def CaptureOrder(self, request: pb.CaptureOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Take all or part of what is held."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        book = book_of(order_id)
        command = holding.CaptureOrder(
            book,
            request_key(call),
            order_id=order_id,
            asked=request,
            actor=merchant_actor_of(call),
            capture_id=CaptureId(new_id(book, self._clock)),
            transaction_id=TransactionId(new_id(book, self._clock)),
        )
        return await self._submit(command, order_id, request, call)

    async def VoidOrder(self, request: pb.VoidOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Give back what is held and not captured."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        book = book_of(order_id)
        command = holding.VoidOrder(
            book,
            request_key(call),
            order_id=order_id,
            actor=merchant_actor_of(call),
            transaction_id=TransactionId(new_id(book, self._clock)),
        )
        return await self._submit(command, order_id, request, call)

    async def GetAuthorization(  # noqa: N802
        self, request: pb.GetAuthorizationRequest, call: Call
    ) -> pb.GetAuthorizationResponse:
        """Return what is held for an order."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        order_id = decode_id(ORDER, request.order_id, "order_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            order = await queries.find_order(connection, order_id)
            if order is None or not actor.may_use(order.merchant_id):
                raise model.order_not_found(order_id)
            row = await find_authorization(connection, order_id)
            if row is None:
                raise model.not_authorized(order_id)
            captures = await list_captures(connection, order_id, limit=CAPTURES_MAX)
        message = authorization_message(row, order, captures, self._clock.now_us())
        return pb.GetAuthorizationResponse(authorization=message)

    # -- helpers -------------------------------------------------------------------------------

    async def _percent(self, order_id: OrderId, call: Call) -> int:
        """Return what the merchant's category tolerates; what is not there is refused later."""
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            order = await queries.find_order(connection, order_id)
            if order is None:
                return 0
            merchant = await find_merchant(connection, order.merchant_id)
        return (
            0 if merchant is None else authorizations.over_capture_percent(merchant.category_code)
        )

    async def _submit(
        self, command: Command, order_id: OrderId, request: Message, call: Call
    ) -> bytes:
        """Run a command; an order of a book that is not kept here is absent."""
        if command.book not in self._engine.writers:
            raise model.order_not_found(order_id)
        return await submit(self._engine, command, request=request, call=call)
