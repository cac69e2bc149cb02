"""CombinedOrdersService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import combined_service_pb2 as pb
from longmen_server.accounts.actor import actor_of
from longmen_server.combined import commands, encode, model, queries
from longmen_server.combined.model import CombinedRow, PartRow, split_ids
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.payments.commands import Sale
from longmen_server.payments.model import EXPIRES_SECONDS_DEFAULT, SECOND_US
from longmen_server.payments.queries import find_orders
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    COMBINED,
    MERCHANT,
    CombinedId,
    OrderId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.engine import Engine
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.transport.context import Call


class CombinedOrdersService:
    """The methods of longmen.payments.v1.CombinedOrdersService."""

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

    async def CreateCombinedOrder(  # noqa: N802
        self, request: pb.CreateCombinedOrderRequest, call: Call
    ) -> bytes:
        """Register an order with each merchant."""
        parts = [
            PartRow(
                decode_id(MERCHANT, part.merchant_id, "parts.merchant_id"),
                part.order_number,
                part.amount.minor_units,
                part.amount.currency_code,
                part.description,
            )
            for part in request.parts
        ]
        book = book_of(parts[0].merchant_id)
        for part in parts:
            if book_of(part.merchant_id) != book or book not in self._engine.writers:
                raise merchant_not_found(part.merchant_id)
        seconds = request.expires_in_seconds or EXPIRES_SECONDS_DEFAULT
        combined_id = CombinedId(new_id(book, self._clock))
        sales = [self._sale(book, part, combined_id, seconds) for part in parts]
        wanted = CombinedRow(
            combined_id=combined_id,
            combined_number=request.combined_number,
            currency_code=parts[0].currency_code,
            total=sum(part.amount for part in parts),
            description=request.description,
            expires_at_us=seconds * SECOND_US,
            created_at_us=0,
            paid_at_us=None,
            order_ids=b"".join(sale.order_id for sale in sales),
        )
        command = commands.CreateCombinedOrder(book, request_key(call), wanted=wanted, sales=sales)
        return await submit(self._engine, command, request=request, call=call)

    async def GetCombinedOrder(  # noqa: N802
        self, request: pb.GetCombinedOrderRequest, call: Call
    ) -> pb.GetCombinedOrderResponse:
        """Show whom and what it is for."""
        demand_freshness(request.at_least_as_fresh)
        combined_id = decode_id(COMBINED, request.combined_order_id, "combined_order_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await queries.find_combined(connection, combined_id)
            parts = await _parts(connection, row)
        if row is None:
            raise model.combined_not_found(combined_id)
        return pb.GetCombinedOrderResponse(
            combined_order=encode.combined(row, parts, self._clock.now_us())
        )

    async def PayCombinedOrder(  # noqa: N802
        self, request: pb.PayCombinedOrderRequest, call: Call
    ) -> bytes:
        """Pay all parts, or none."""
        combined_id = decode_id(COMBINED, request.combined_order_id, "combined_order_id")
        book, key = book_of(combined_id), request_key(call)
        if book not in self._engine.writers:
            raise model.combined_not_found(combined_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            parts = await _parts(connection, await queries.find_combined(connection, combined_id))
        command = commands.PayCombinedOrder(
            book,
            key,
            combined_id=combined_id,
            merchant_ids=[merchant.merchant_id for _, merchant in parts],
            payer_id=decode_id(ACCOUNT, request.from_account_id, "from_account_id"),
            total=request.total.minor_units,
            currency_code=request.total.currency_code,
            actor=actor_of(call),
            transaction_ids=[TransactionId(new_id(book, self._clock)) for _ in parts],
            gate=self._step_up.gate(call, key, book),
            guards=self._step_up.guards(call, book, len(parts)),
            funding=self._step_up.funding,
        )
        try:
            return await submit(self._engine, command, request=request, call=call)
        except Refusal as refusal:
            await self._step_up.advise(refusal, call, command.payer_id, command.total)
            raise

    def _sale(self, book: int, part: PartRow, combined_id: CombinedId, seconds: int) -> Sale:
        return Sale(
            order_id=OrderId(new_id(book, self._clock)),
            merchant_id=part.merchant_id,
            order_number=part.order_number,
            amount=part.amount,
            currency_code=part.currency_code,
            expires_seconds=seconds,
            description=part.description,
            reference=None,
            combined_id=combined_id,
        )


async def _parts(
    connection: Connection, row: CombinedRow | None
) -> list[tuple[OrderRow, MerchantRow]]:
    """Return the parts of a combined order; none of one that is not there."""
    if row is None:
        return []
    order_ids = split_ids(row.order_ids)
    found = await find_orders(connection, book_of(row.combined_id), order_ids)
    parts = []
    for order_id in order_ids:
        merchant = await find_merchant(connection, found[order_id].merchant_id)
        assert merchant is not None, "an order has a merchant"
        parts.append((found[order_id], merchant))
    return parts
