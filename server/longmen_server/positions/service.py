"""PositionsService: positions read from the ledger and valued at the present rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import position_pb2
from longmen.fx.v1 import positions_service_pb2 as pb
from longmen_server.conversions import queries
from longmen_server.conversions.model import counter_account_id
from longmen_server.fx.model import BASE, minor_ratio, value
from longmen_server.fx.policy import load_policy
from longmen_server.fxrates.model import check_tradable, pair_of
from longmen_server.fxrates.queries import all_rates
from longmen_server.ledger.chart import FX_POSITION, system_account_id
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.clock import business_date
from longmen_server.platform.freshness import demand_freshness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.model import RateRow
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["PositionsService"]


class PositionsService:
    """The methods of longmen.fx.v1.PositionsService."""

    def __init__(self, reading: ReadTools) -> None:
        """Take connections for reads, clock and books."""
        self._read = reading

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
        return [
            _position(
                code,
                found.get(system_account_id(book, code, FX_POSITION), 0),
                -found.get(counter_account_id(book, home, code), 0),
                rates,
                version,
            )
            for code in codes
        ]


def _position(
    code: str, amount: int, cost: int, rates: dict[str, RateRow], version: FxVersion
) -> position_pb2.Position:
    """Return a position at its present value."""
    home = version.home_currency
    message = position_pb2.Position(
        currency_code=code,
        amount_minor_units=amount,
        cost_minor_units=cost,
        home_currency_code=home,
    )
    if code in {*rates, BASE} and home in rates:
        pair = pair_of(rates, code, home)
        worth = value(amount, minor_ratio(pair.mid, code, home))
        message.value_minor_units = worth
        message.result_minor_units = worth - cost
        message.observe_time.CopyFrom(timestamp(pair.older.observed_at_us))
        message.to_be_hedged = abs(worth) >= version.position_flag
    return message
