"""MerchantsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import merchants_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants import commands, encode, model, queries
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    STORE,
    TERMINAL,
    AccountId,
    MerchantId,
    TerminalId,
    book_of,
    new_id,
)

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens


class MerchantsService:
    """The methods of longmen.merchants.v1.MerchantsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        default_book: int,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
            default_book: book of merchants taken in without one.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._default_book = default_book

    async def CreateMerchant(self, request: pb.CreateMerchantRequest, call: Call) -> bytes:  # noqa: N802
        """Take a merchant in."""
        model.check_currency(request.currency_code)
        model.check_local_name(request.local_name, request.local_language)
        book = request.book or self._default_book
        command = commands.CreateMerchant(
            book,
            request_key(call),
            merchant_id=MerchantId(new_id(book, self._clock)),
            account_id=AccountId(new_id(book, self._clock)),
            asked=request,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def GetMerchant(  # noqa: N802
        self, request: pb.GetMerchantRequest, call: Call
    ) -> pb.GetMerchantResponse:
        """Return a merchant."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_merchant(connection, merchant_id)
        if row is None:
            raise model.merchant_not_found(merchant_id)
        return pb.GetMerchantResponse(merchant=encode.merchant(row))

    async def ListMerchants(  # noqa: N802
        self, request: pb.ListMerchantsRequest, call: Call
    ) -> pb.ListMerchantsResponse:
        """List the merchants of a book."""
        demand_freshness(request.at_least_as_fresh)
        book = request.book or self._default_book
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.connection(deadline=call.deadline) as connection:
            rows = await queries.list_merchants(connection, book, after=after, limit=size + 1)
        page = rows[:size]
        more = len(rows) > size
        return pb.ListMerchantsResponse(
            merchants=[encode.merchant(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].merchant_id, request, call) if more else ""
            ),
        )

    async def CreateTerminal(self, request: pb.CreateTerminalRequest, call: Call) -> bytes:  # noqa: N802
        """Register a till."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        book = book_of(merchant_id)
        if book not in self._engine.writers:
            raise model.merchant_not_found(merchant_id)
        command = commands.CreateTerminal(
            book,
            request_key(call),
            merchant_id=merchant_id,
            terminal_id=TerminalId(new_id(book, self._clock)),
            label=request.label,
            store_label=request.store_label,
            store_id=decode_id(STORE, request.store_id, "store_id") if request.store_id else None,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def GetTerminal(  # noqa: N802
        self, request: pb.GetTerminalRequest, call: Call
    ) -> pb.GetTerminalResponse:
        """Return a terminal."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await queries.find_terminal(connection, terminal_id)
            if row is None or not actor.may_use(row.merchant_id):
                raise model.terminal_not_found(terminal_id)
            states = await queries.find_terminal_states(
                connection, book_of(terminal_id), [terminal_id]
            )
        return pb.GetTerminalResponse(terminal=encode.terminal(row, states.get(terminal_id)))

    async def ListTerminals(  # noqa: N802
        self, request: pb.ListTerminalsRequest, call: Call
    ) -> pb.ListTerminalsResponse:
        """List a merchant's terminals."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await queries.find_merchant(connection, merchant_id) is None:
                raise model.merchant_not_found(merchant_id)
            rows = await queries.list_terminals(
                connection, merchant_id, after=after, limit=size + 1
            )
            page = rows[:size]
            states = await queries.find_terminal_states(
                connection, book_of(merchant_id), [row.terminal_id for row in page]
            )
        return pb.ListTerminalsResponse(
            terminals=[encode.terminal(row, states.get(row.terminal_id)) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].terminal_id, request, call) if len(rows) > size else ""
            ),
        )

    async def ReportTerminal(  # noqa: N802
        self, request: pb.ReportTerminalRequest, call: Call
    ) -> bytes:
        """Note a till's sign of life."""
        terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
        book = book_of(terminal_id)
        if book not in self._engine.writers:
            raise model.terminal_not_found(terminal_id)
        command = commands.ReportTerminal(
            book,
            request_key(call),
            terminal_id=terminal_id,
            software_version=request.software_version,
            actor=merchant_actor_of(call),
        )
        return await submit(self._engine, command, request=request, call=call)
