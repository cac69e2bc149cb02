"""StoresService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import stores_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import STORE, TERMINAL, StoreId, book_of, new_id
from longmen_server.stores import commands, encode, queries
from longmen_server.stores.model import StoreState, store_not_found

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens


class StoresService:
    """The methods of longmen.merchants.v1.StoresService."""

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

    async def CreateStore(self, request: pb.CreateStoreRequest, call: Call) -> bytes:  # noqa: N802
        """Register a shop."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        book = book_of(merchant_id)
        if book not in self._engine.writers:
            raise merchant_not_found(merchant_id)
        command = commands.CreateStore(
            book,
            request_key(call),
            merchant_id=merchant_id,
            store_id=StoreId(new_id(book, self._clock)),
            asked=request,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def UpdateStore(self, request: pb.UpdateStoreRequest, call: Call) -> bytes:  # noqa: N802
        """Say anew what a shop is called and where it is."""
        store_id = self._store_id(request.store_id)
        command = commands.UpdateStore(
            book_of(store_id),
            request_key(call),
            store_id=store_id,
            actor=merchant_actor_of(call),
            asked=request,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def CloseStore(self, request: pb.CloseStoreRequest, call: Call) -> bytes:  # noqa: N802
        """Let the tills of a shop take no new orders."""
        return await self._bring(request, call, StoreState.CLOSED)

    async def ReopenStore(self, request: pb.ReopenStoreRequest, call: Call) -> bytes:  # noqa: N802
        """Let the tills of a closed shop sell again."""
        return await self._bring(request, call, StoreState.OPEN)

    async def GetStore(self, request: pb.GetStoreRequest, call: Call) -> pb.GetStoreResponse:  # noqa: N802
        """Return a shop."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        store_id = decode_id(STORE, request.store_id, "store_id")
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_store(connection, store_id)
        if row is None or not actor.may_use(row.merchant_id):
            raise store_not_found(store_id)
        return pb.GetStoreResponse(store=encode.store(row))

    async def ListStores(  # noqa: N802
        self, request: pb.ListStoresRequest, call: Call
    ) -> pb.ListStoresResponse:
        """List a merchant's shops."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_stores(connection, merchant_id, after=after, limit=size + 1)
        page = rows[:size]
        return pb.ListStoresResponse(
            stores=[encode.store(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].store_id, request, call) if len(rows) > size else ""
            ),
        )

    async def MoveTerminal(self, request: pb.MoveTerminalRequest, call: Call) -> bytes:  # noqa: N802
        """Put a till into a shop, or into none."""
        terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
        book = book_of(terminal_id)
        if book not in self._engine.writers:
            raise terminal_not_found(terminal_id)
        command = commands.MoveTerminal(
            book,
            request_key(call),
            terminal_id=terminal_id,
            store_id=decode_id(STORE, request.store_id, "store_id") if request.store_id else None,
            actor=merchant_actor_of(call),
        )
        return await submit(self._engine, command, request=request, call=call)

    async def _bring(
        self, request: pb.CloseStoreRequest | pb.ReopenStoreRequest, call: Call, state: StoreState
    ) -> bytes:
        store_id = self._store_id(request.store_id)
        command = commands.SetStoreState(
            book_of(store_id),
            request_key(call),
            store_id=store_id,
            actor=merchant_actor_of(call),
            state=state,
        )
        return await submit(self._engine, command, request=request, call=call)

    def _store_id(self, text: str) -> StoreId:
        """Return the store that a change names, if its book is kept here.

        Raises:
            Refusal: STORE_NOT_FOUND.
        """
        store_id = decode_id(STORE, text, "store_id")
        if book_of(store_id) not in self._engine.writers:
            raise store_not_found(store_id)
        return store_id
