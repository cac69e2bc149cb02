"""ShiftsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from longmen.merchants.v1 import shifts_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.queries import find_merchant, find_terminal
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CASHIER, SHIFT, STORE, TERMINAL, ShiftId, book_of, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.shifts import commands, encode, queries
from longmen_server.shifts.model import DayFilter, Grouping, shift_not_found

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import CashierId, MerchantId, StoreId
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens


class ShiftsService:
    """The methods of longmen.merchants.v1.ShiftsService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, clock: Clock, tokens: PageTokens
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids, and for what has expired.
            tokens: seals page tokens.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens

    async def OpenShift(self, request: pb.OpenShiftRequest, call: Call) -> bytes:  # noqa: N802
        """Begin a cashier's time at a till."""
        terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
        book = book_of(terminal_id)
        if book not in self._engine.writers:
            raise terminal_not_found(terminal_id)
        command = commands.OpenShift(
            book,
            request_key(call),
            shift_id=ShiftId(new_id(book, self._clock)),
            terminal_id=terminal_id,
            cashier_label=request.cashier_label,
            cashier_id=_cashier_id(request.cashier_id),
            actor=merchant_actor_of(call),
        )
        return await submit(self._engine, command, request=request, call=call)

    async def CloseShift(self, request: pb.CloseShiftRequest, call: Call) -> bytes:  # noqa: N802
        """End a shift."""
        shift_id = decode_id(SHIFT, request.shift_id, "shift_id")
        book = book_of(shift_id)
        if book not in self._engine.writers:
            raise shift_not_found(shift_id)
        command = commands.CloseShift(
            book, request_key(call), shift_id=shift_id, actor=merchant_actor_of(call)
        )
        return await submit(self._engine, command, request=request, call=call)

    async def GetShift(self, request: pb.GetShiftRequest, call: Call) -> pb.GetShiftResponse:  # noqa: N802
        """Return a shift and its totals."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        shift_id = decode_id(SHIFT, request.shift_id, "shift_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await queries.find_shift(connection, shift_id)
            if row is None or not actor.may_use(row.merchant_id):
                raise shift_not_found(shift_id)
            merchant = await _merchant(connection, row.merchant_id)
            sums = await queries.shift_totals(connection, row, self._clock.now_us())
        return pb.GetShiftResponse(
            shift=encode.shift(row), totals=encode.totals(sums, merchant.currency_code)
        )

    async def ListShifts(  # noqa: N802
        self, request: pb.ListShiftsRequest, call: Call
    ) -> pb.ListShiftsResponse:
        """List a merchant's shifts."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _merchant(connection, merchant_id)
            rows = await queries.list_shifts(
                connection,
                merchant_id,
                store_id=_store_id(request.store_id),
                cashier_id=_cashier_id(request.cashier_id),
                before=before,
                limit=size + 1,
            )
        page = rows[:size]
        return pb.ListShiftsResponse(
            shifts=[encode.shift(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].shift_id, request, call) if len(rows) > size else ""
            ),
        )

    async def GetTerminalTotals(  # noqa: N802
        self, request: pb.GetTerminalTotalsRequest, call: Call
    ) -> pb.GetTerminalTotalsResponse:
        """Add up what a till has taken under one of its dates."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
        _check_day(request.business_date)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            terminal = await find_terminal(connection, terminal_id)
            if terminal is None or not actor.may_use(terminal.merchant_id):
                raise terminal_not_found(terminal_id)
            merchant = await _merchant(connection, terminal.merchant_id)
            sums = await queries.day_totals(
                connection, terminal_id, request.business_date, self._clock.now_us()
            )
        return pb.GetTerminalTotalsResponse(totals=encode.totals(sums, merchant.currency_code))

    async def ListDayTotals(  # noqa: N802
        self, request: pb.ListDayTotalsRequest, call: Call
    ) -> pb.ListDayTotalsResponse:
        """Add up what a merchant's tills have taken under one of their dates."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        _check_day(request.business_date)
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        grouping = Grouping(request.grouping)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            merchant = await _merchant(connection, merchant_id)
            lines = await queries.day_lines(
                connection,
                merchant_id,
                request.business_date,
                grouping,
                store_id=_store_id(request.store_id),
                after=after.decode(),
                limit=size + 1,
                now_us=self._clock.now_us(),
            )
        page = lines[:size]
        more = len(lines) > size
        return pb.ListDayTotalsResponse(
            lines=[encode.day_line(line, grouping, merchant.currency_code) for line in page],
            next_page_token=(
                self._tokens.seal(page[-1].key.encode(), request, call) if more else ""
            ),
        )

    async def ListDayOrders(  # noqa: N802
        self, request: pb.ListDayOrdersRequest, call: Call
    ) -> pb.ListDayOrdersResponse:
        """List the orders of one date of a merchant's tills."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        _check_day(request.business_date)
        after = self._tokens.open(request.page_token, request, call)
        size, now_us = page_size(request.page_size), self._clock.now_us()
        terminal = request.terminal_id
        only = DayFilter(
            _store_id(request.store_id),
            _cashier_id(request.cashier_id),
            decode_id(TERMINAL, terminal, "terminal_id") if terminal else None,
        )
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _merchant(connection, merchant_id)
            rows = await queries.day_orders(
                connection, merchant_id, request.business_date, only, after=after, limit=size + 1
            )
        page = rows[:size]
        more = len(rows) > size
        return pb.ListDayOrdersResponse(
            orders=[encode.day_order(row, now_us) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].order.order_id, request, call) if more else ""
            ),
        )


async def _merchant(connection: Connection, merchant_id: MerchantId) -> MerchantRow:
    row = await find_merchant(connection, merchant_id)
    if row is None:
        raise merchant_not_found(merchant_id)
    return row


def _cashier_id(text: str) -> CashierId | None:
    return decode_id(CASHIER, text, "cashier_id") if text else None


def _store_id(text: str) -> StoreId | None:
    return decode_id(STORE, text, "store_id") if text else None


def _check_day(text: str) -> None:
    """Refuse a date that no calendar has.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "INVALID_REQUEST",
            "no such day",
            metadata={"rules": "business_date.day"},
            field="business_date",
        ) from None
