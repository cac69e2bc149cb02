"""LimitOrdersService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.fx.v1 import limit_orders_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.conversions.pricing import Asked
from longmen_server.engine.door import request_key, submit
from longmen_server.fx.model import parse_rate
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.limit_orders import alerts, commands, encode, model, queries
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    LIMIT_ORDER,
    RATE_ALERT,
    LimitOrderId,
    QuoteId,
    RateAlertId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["LimitOrdersService"]

TIER: Final = "standard"
"""At what orders are filled: nobody names another for them."""


class LimitOrdersService:
    """The methods of longmen.fx.v1.LimitOrdersService."""

    def __init__(
        self,
        *,
        engine: Engine,
        reading: ReadTools,
        age_max_us: Callable[[int], int],
        step_up: StepUpOffice,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            reading: connections for reads, clock, books and page tokens.
            age_max_us: how old a rate may be, from what the price list says.
            step_up: gives customers' orders the gate they have to pass.
        """
        self._engine = engine
        self._read = reading
        self._clock = reading.clock
        self._age_max_us = age_max_us
        self._step_up = step_up

    # -- alerts --------------------------------------------------------------------------------

    async def CreateRateAlert(self, request: pb.CreateRateAlertRequest, call: Call) -> bytes:  # noqa: N802
        """Have a customer told when a rate comes."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        command = alerts.CreateRateAlert(
            book,
            request_key(call),
            alert_id=RateAlertId(new_id(book, self._clock)),
            customer_id=customer_id,
            pair=(request.source_currency_code, request.target_currency_code),
            rate=_rate(request.rate),
            direction=request.direction,
            valid_days=request.valid_days or model.VALID_DAYS_DEFAULT,
            age_max_us=self._age_max_us,
        )
        absent = wallet_not_found(CUSTOMER.encode(customer_id))
        return await self._submit(command, request, call, absent=absent)

    async def ListRateAlerts(  # noqa: N802
        self, request: pb.ListRateAlertsRequest, call: Call
    ) -> pb.ListRateAlertsResponse:
        """List a customer's alerts."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        before = self._read.page_tokens.open(request.page_token, request, call)
        size, now_us = page_size(request.page_size), self._clock.now_us()
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await queries.list_alerts(
                connection, customer_id, before=before, limit=size + 1
            )
        page, next_token = found[:size], ""
        if len(found) > size:
            next_token = self._read.page_tokens.seal(page[-1].alert_id, request, call)
        return pb.ListRateAlertsResponse(
            alerts=[encode.alert(row, now_us) for row in page], next_page_token=next_token
        )

    async def DeleteRateAlert(self, request: pb.DeleteRateAlertRequest, call: Call) -> bytes:  # noqa: N802
        """Give an alert up."""
        alert_id = decode_id(RATE_ALERT, request.alert_id, "alert_id")
        command = alerts.DeleteRateAlert(
            book_of(alert_id), request_key(call), alert_id=alert_id, actor=actor_of(call)
        )
        return await self._submit(command, request, call, absent=model.alert_not_found(alert_id))

    # -- limit orders --------------------------------------------------------------------------

    async def CreateLimitOrder(self, request: pb.CreateLimitOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Take an order in."""
        from_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book, key = book_of(from_id), request_key(call)
        asked = Asked(
            quote_id=QuoteId(new_id(book, self._clock)),
            from_account_id=from_id,
            to_account_id=decode_id(ACCOUNT, request.to_account_id, "to_account_id"),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            lock_seconds=0,
            tier=TIER,
            age_max_us=self._age_max_us,
        )
        command = commands.CreateLimitOrder(
            book,
            key,
            limit_order_id=LimitOrderId(new_id(book, self._clock)),
            asked=asked,
            target_currency=request.target_currency_code,
            rate=_rate(request.rate),
            valid_days=request.valid_days or model.VALID_DAYS_DEFAULT,
            actor=actor_of(call),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
        )
        return await self._submit(command, request, call, absent=account_not_found(from_id))

    async def GetLimitOrder(  # noqa: N802
        self, request: pb.GetLimitOrderRequest, call: Call
    ) -> pb.GetLimitOrderResponse:
        """Return an order."""
        demand_freshness(request.at_least_as_fresh)
        limit_order_id = decode_id(LIMIT_ORDER, request.limit_order_id, "limit_order_id")
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_order(connection, limit_order_id)
        if row is None or not actor_of(call).may_use(row.customer_id):
            raise model.order_not_found(limit_order_id)
        return pb.GetLimitOrderResponse(order=encode.order(row, self._clock.now_us()))

    async def ListLimitOrders(  # noqa: N802
        self, request: pb.ListLimitOrdersRequest, call: Call
    ) -> pb.ListLimitOrdersResponse:
        """List a customer's orders."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        before = self._read.page_tokens.open(request.page_token, request, call)
        size, now_us = page_size(request.page_size), self._clock.now_us()
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await queries.list_orders(
                connection, customer_id, before=before, limit=size + 1
            )
        page, next_token = found[:size], ""
        if len(found) > size:
            next_token = self._read.page_tokens.seal(page[-1].limit_order_id, request, call)
        return pb.ListLimitOrdersResponse(
            orders=[encode.order(row, now_us) for row in page], next_page_token=next_token
        )

    async def CancelLimitOrder(self, request: pb.CancelLimitOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Give an order up."""
        limit_order_id = decode_id(LIMIT_ORDER, request.limit_order_id, "limit_order_id")
        book = book_of(limit_order_id)
        command = commands.CancelLimitOrder(
            book,
            request_key(call),
            limit_order_id=limit_order_id,
            release_id=TransactionId(new_id(book, self._clock)),
            actor=actor_of(call),
        )
        absent = model.order_not_found(limit_order_id)
        return await self._submit(command, request, call, absent=absent)

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what is of a book that is not kept here is not there."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)


def _rate(text: str) -> str:
    """Return a rate's text.

    Raises:
        Refusal: INVALID_REQUEST for a rate of zero.
    """
    if parse_rate(text) is None:
        raise Refusal(
            "INVALID_REQUEST",
            "a rate is above zero",
            metadata={"rules": "rate.positive"},
            field="rate",
        )
    return text
