"""PositionsService: positions read from the ledger and valued at the present rates, and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.fx.v1 import position_pb2
from longmen.fx.v1 import positions_service_pb2 as pb
from longmen_server.conversions import queries
from longmen_server.conversions.model import counter_account_id
from longmen_server.engine.door import request_key, submit
from longmen_server.fx.model import BASE, minor_ratio, value
from longmen_server.fx.policy import load_policy
from longmen_server.fxrates.model import check_tradable, pair_of
from longmen_server.fxrates.queries import all_rates
from longmen_server.ledger.chart import FX_POSITION, system_account_id
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.paging import page_size
from longmen_server.plans.build import check_day
from longmen_server.platform.clock import business_date
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import TransactionId, new_id
from longmen_server.positions import encode
from longmen_server.positions.commands import Revalue
from longmen_server.positions.queries import list_revaluations, revaluation_dates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.engine.engine import Engine
    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.model import RateRow
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["PositionsService"]

LAST_DAY: Final = "9999-12-31"


class PositionsService:
    """The methods of longmen.fx.v1.PositionsService."""

    def __init__(
        self, *, engine: Engine, reading: ReadTools, age_max_us: Callable[[int], int]
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            reading: connections for reads, clock, books and page tokens.
            age_max_us: how old a rate may be, from what the price list says.
        """
        self._engine = engine
        self._read = reading
        self._age_max_us = age_max_us

    async def GetPosition(  # noqa: N802
        self, request: pb.GetPositionRequest, call: Call
    ) -> pb.GetPositionResponse:
        """Return the position in one currency."""
        demand_freshness(request.at_least_as_fresh)
        book, version = self._read.book(request.book), self._version()
        check_tradable(request.currency_code, version.tradable)
        (position,) = await self._positions(book, version, [request.currency_code], call)
        return pb.GetPositionResponse(position=position)

    async def ListPositions(  # noqa: N802
        self, request: pb.ListPositionsRequest, call: Call
    ) -> pb.ListPositionsResponse:
        """List every currency that was dealt in."""
        demand_freshness(request.at_least_as_fresh)
        book, version = self._read.book(request.book), self._version()
        return pb.ListPositionsResponse(positions=await self._positions(book, version, None, call))

    async def Revalue(self, request: pb.RevalueRequest, call: Call) -> bytes:  # noqa: N802
        """Close a business date."""
        book = self._read.book(request.book)
        command = Revalue(
            book,
            request_key(call),
            business_date=check_day(request.business_date, "business_date"),
            transaction_id=TransactionId(new_id(book, self._read.clock)),
            age_max_us=self._age_max_us,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def ListRevaluations(  # noqa: N802
        self, request: pb.ListRevaluationsRequest, call: Call
    ) -> pb.ListRevaluationsResponse:
        """List what was booked, latest business date first."""
        demand_freshness(request.at_least_as_fresh)
        book, size = self._read.book(request.book), page_size(request.page_size)
        opened = self._read.page_tokens.open(request.page_token, request, call).decode()
        day, _, code = opened.partition(" ")
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await list_revaluations(
                connection,
                book,
                request.currency_code,
                after=(day or LAST_DAY, code),
                limit=size + 1,
            )
        page, next_token = found[:size], ""
        if len(found) > size:
            mark = f"{page[-1].business_date} {page[-1].currency_code}".encode()
            next_token = self._read.page_tokens.seal(mark, request, call)
        return pb.ListRevaluationsResponse(
            revaluations=[encode.revaluation(row) for row in page], next_page_token=next_token
        )

    def _version(self) -> FxVersion:
        return load_policy().at(business_date(self._read.clock.now_us()))

    async def _positions(
        self, book: int, version: FxVersion, codes: Sequence[str] | None, call: Call
    ) -> list[position_pb2.Position]:
        """Read balances and rates of one moment; all currencies unless some are named."""
        home = version.home_currency
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            if codes is None:
                codes = await queries.dealt_in(connection, book)
            wanted = [system_account_id(book, code, FX_POSITION) for code in codes]
            wanted += [counter_account_id(book, home, code) for code in codes]
            found = await queries.balances(connection, book, wanted)
            rates = await all_rates(connection, book)
            dates = await revaluation_dates(connection, book)
        return [
            _position(
                code,
                found.get(system_account_id(book, code, FX_POSITION), 0),
                -found.get(counter_account_id(book, home, code), 0),
                rates,
                version,
                dates.get(code, ""),
            )
            for code in codes
        ]


def _position(
    code: str,
    amount: int,
    cost: int,
    rates: dict[str, RateRow],
    version: FxVersion,
    revaluation_date: str,
) -> position_pb2.Position:
    """Return a position at its present value."""
    home = version.home_currency
    message = position_pb2.Position(
        currency_code=code,
        amount_minor_units=amount,
        cost_minor_units=cost,
        home_currency_code=home,
        revaluation_date=revaluation_date,
    )
    if code in {*rates, BASE} and home in rates:
        pair = pair_of(rates, code, home)
        worth = value(amount, minor_ratio(pair.mid, code, home))
        message.value_minor_units = worth
        message.result_minor_units = worth - cost
        message.observe_time.CopyFrom(timestamp(pair.older.observed_at_us))
        message.to_be_hedged = abs(worth) >= version.position_flag
    return message
