"""CashiersService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import cashiers_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CASHIER, CashierId, book_of, new_id
from longmen_server.stores import cashiers, encode, queries
from longmen_server.stores.model import cashier_not_found

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens


class CashiersService:
    """The methods of longmen.merchants.v1.CashiersService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, clock: Clock, tokens: PageTokens
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens

    async def CreateCashier(self, request: pb.CreateCashierRequest, call: Call) -> bytes:  # noqa: N802
        """Register somebody who works at a merchant's tills."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        book = book_of(merchant_id)
        if book not in self._engine.writers:
            raise merchant_not_found(merchant_id)
        command = cashiers.CreateCashier(
            book,
            request_key(call),
            merchant_id=merchant_id,
            cashier_id=CashierId(new_id(book, self._clock)),
            asked=request,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def UpdateCashier(self, request: pb.UpdateCashierRequest, call: Call) -> bytes:  # noqa: N802
        """Say anew what a cashier is called, and whether the cashier still works there."""
        cashier_id = decode_id(CASHIER, request.cashier_id, "cashier_id")
        book = book_of(cashier_id)
        if book not in self._engine.writers:
            raise cashier_not_found(cashier_id)
        command = cashiers.UpdateCashier(
            book,
            request_key(call),
            cashier_id=cashier_id,
            actor=merchant_actor_of(call),
            asked=request,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def GetCashier(  # noqa: N802
        self, request: pb.GetCashierRequest, call: Call
    ) -> pb.GetCashierResponse:
        """Return a cashier."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        cashier_id = decode_id(CASHIER, request.cashier_id, "cashier_id")
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_cashier(connection, cashier_id)
        if row is None or not actor.may_use(row.merchant_id):
            raise cashier_not_found(cashier_id)
        return pb.GetCashierResponse(cashier=encode.cashier(row))

    async def ListCashiers(  # noqa: N802
        self, request: pb.ListCashiersRequest, call: Call
    ) -> pb.ListCashiersResponse:
        """List a merchant's cashiers."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_cashiers(
                connection, merchant_id, state=int(request.state), after=after, limit=size + 1
            )
        page = rows[:size]
        return pb.ListCashiersResponse(
            cashiers=[encode.cashier(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].cashier_id, request, call) if len(rows) > size else ""
            ),
        )
