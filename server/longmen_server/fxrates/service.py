"""RatesService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen.fx.v1 import rate_pb2
from longmen.fx.v1 import rates_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.fx.model import BASE, Terms, buy, cross, minor_ratio, sell, shown, value
from longmen_server.fx.policy import load_policy
from longmen_server.fxrates import build, encode, model, queries
from longmen_server.fxrates.commands import ImportRates
from longmen_server.fxrates.feeds import FRANKFURT, observed_us, parse_feed
from longmen_server.ledger.paging import EARLIEST_US, LATEST_US, page_size
from longmen_server.plans.build import check_day
from longmen_server.platform.clock import business_date, from_microseconds
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import RateImportId, new_id
from longmen_server.platform.money import currencies
from longmen_server.platform.watching import Watcher
from longmen_server.promotions.build import create_promotion, end_promotion
from longmen_server.promotions.encode import promotion
from longmen_server.promotions.model import promotion_not_found
from longmen_server.promotions.queries import list_promotions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from longmen_server.engine.engine import Engine
    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.model import Pair, RateRow
    from longmen_server.fxrates.queries import Board
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["RatesService"]

TIER: Final = "standard"
"""What a customer's rates are shown for when nobody says more."""
FIRST_READ_SECONDS: Final = 5.0
"""How long a stream may take until it sends the first rates."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An amount to try, fixed on one side."""

    minor_units: int
    is_source: bool


class RatesService:
    """The methods of longmen.fx.v1.RatesService."""

    def __init__(
        self,
        *,
        engine: Engine,
        reading: ReadTools,
        age_max_us: Callable[[int], int],
        watch_interval_ms: int,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            reading: connections for reads, clock, books and page tokens.
            age_max_us: how old a rate may be, from what the price list says.
            watch_interval_ms: milliseconds between two looks at rates that somebody follows.
        """
        self._engine = engine
        self._read = reading
        self._clock = reading.clock
        self._age_max_us = age_max_us
        self._watcher = Watcher(
            reading.readers, self._clock, queries.changed_boards, interval_ms=watch_interval_ms
        )

    def _version(self) -> FxVersion:
        return load_policy().at(business_date(self._clock.now_us()))

    async def ListCurrencies(  # noqa: N802
        self, request: pb.ListCurrenciesRequest, call: Call
    ) -> pb.ListCurrenciesResponse:
        """List every currency."""
        demand_freshness(request.at_least_as_fresh)
        rates = await self._rates(request.book, call)
        tradable, now_us = self._version().tradable, self._clock.now_us()
        return pb.ListCurrenciesResponse(
            currencies=[
                encode.currency(
                    code, exponent, rates.get(code), tradable=code in tradable, now_us=now_us
                )
                for code, exponent in sorted(currencies().items())
            ]
        )

    async def ImportRates(self, request: pb.ImportRatesRequest, call: Call) -> bytes:  # noqa: N802
        """Take a feed."""
        book = self._read.book(request.book)
        now = from_microseconds(self._clock.now_us()).astimezone(FRANKFURT)
        sheets = await asyncio.to_thread(parse_feed, request.content, today=now.date())
        command = ImportRates(
            book,
            request_key(call),
            import_id=RateImportId(new_id(book, self._clock)),
            sheets=sheets,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def SetRate(self, request: pb.SetRateRequest, call: Call) -> bytes:  # noqa: N802
        """Set one rate."""
        book = self._read.book(request.book)
        command = build.set_rate(request, request_key(call), self._clock, book=book, agreed=False)
        return await submit(self._engine, command, request=request, call=call)

    async def CreatePromotion(self, request: pb.CreatePromotionRequest, call: Call) -> bytes:  # noqa: N802
        """Begin a promotion."""
        book = self._read.book(request.book)
        command = create_promotion(request, request_key(call), self._clock, book=book)
        return await submit(self._engine, command, request=request, call=call)

    async def EndPromotion(self, request: pb.EndPromotionRequest, call: Call) -> bytes:  # noqa: N802
        """End a promotion."""
        command = end_promotion(request, request_key(call))
        if command.book not in self._engine.writers:
            raise promotion_not_found(command.promotion_id)
        return await submit(self._engine, command, request=request, call=call)

    async def ListPromotions(  # noqa: N802
        self, request: pb.ListPromotionsRequest, call: Call
    ) -> pb.ListPromotionsResponse:
        """List promotions with what was spent of them."""
        demand_freshness(request.at_least_as_fresh)
        book = self._read.book(request.book)
        before = self._read.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await list_promotions(connection, book, before=before, limit=size + 1)
        page, next_token = found[:size], ""
        if len(found) > size:
            next_token = self._read.page_tokens.seal(page[-1].promotion_id, request, call)
        home = self._version().home_currency
        return pb.ListPromotionsResponse(
            promotions=[promotion(row, home) for row in page], next_page_token=next_token
        )

    async def GetRate(self, request: pb.GetRateRequest, call: Call) -> pb.GetRateResponse:  # noqa: N802
        """Return what a pair costs."""
        demand_freshness(request.at_least_as_fresh)
        source, target = request.source_currency_code, request.target_currency_code
        version, now_us = self._version(), self._clock.now_us()
        model.check_pair(source, target, version.tradable)
        rates = await self._rates(request.book, call)
        pair = model.pair_of(rates, source, target)
        model.check_age(pair, now_us, self._age_max_us(version.rate_age_max_us))
        asked = None
        if request.minor_units:
            asked = Asked(request.minor_units, request.fixed_side != rate_pb2.FIXED_SIDE_TARGET)
        terms = self._terms(version, rates, pair, asked)
        return pb.GetRateResponse(
            rate=encode.rate(pair, terms, now_us),
            exchange=None if asked is None else try_out(pair, terms, asked),
        )

    def _terms(
        self,
        version: FxVersion,
        rates: Mapping[str, RateRow],
        pair: Pair,
        asked: Asked | None,
    ) -> Terms:
        """What it costs without a lock; without an amount, as for the smallest."""
        home_value = 0
        if asked is not None:
            code = (pair.source if asked.is_source else pair.target).currency_code
            home = model.pair_of(rates, code, version.home_currency)
            ratio = minor_ratio(home.mid, code, version.home_currency)
            home_value = value(asked.minor_units, ratio)
        return version.terms(
            pair.source.currency_code,
            pair.target.currency_code,
            tier=TIER,
            home_value=home_value,
            lock_s=0,
        )

    async def ListRates(  # noqa: N802
        self, request: pb.ListRatesRequest, call: Call
    ) -> pb.ListRatesResponse:
        """List a pair's history."""
        demand_freshness(request.at_least_as_fresh)
        source, target = request.source_currency_code, request.target_currency_code
        if source == target:
            raise model.same_currency(source)
        first = _start_us(request.start_date, "start_date", EARLIEST_US)
        after = _start_us(request.end_date, "end_date", LATEST_US, days=1)
        opened = self._read.page_tokens.open(request.page_token, request, call)
        if opened:
            after = int(opened)
        size, book = page_size(request.page_size), self._read.book(request.book)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            codes = ("" if source == BASE else source, "" if target == BASE else target)
            sheets = await queries.list_sheets(
                connection, book, codes, times=(first, after), limit=size + 1
            )
        page = sheets[:size]
        rates = []
        for sheet in page:
            known = {BASE: model.BASE_RATE.decimal, **model.decode_rates(sheet.rates)}
            day = from_microseconds(sheet.observed_at_us).astimezone(FRANKFURT).date()
            mid = shown(cross(known[source], known[target]))
            rates.append(rate_pb2.DailyRate(date=str(day), mid=mid, source=sheet.source))
        next_token = ""
        if len(sheets) > size:
            mark = str(page[-1].observed_at_us).encode()
            next_token = self._read.page_tokens.seal(mark, request, call)
        return pb.ListRatesResponse(rates=rates, next_page_token=next_token)

    async def StreamRates(  # noqa: N802
        self, request: pb.StreamRatesRequest, call: Call
    ) -> AsyncIterator[pb.StreamRatesResponse]:
        """Send what pairs cost at once, and then whenever a rate changes."""
        book = self._read.book(request.book)
        for pair in request.pairs:
            codes = (pair.source_currency_code, pair.target_currency_code)
            model.check_pair(*codes, self._version().tradable)
        deadline = min(call.deadline, self._clock.monotonic() + FIRST_READ_SECONDS)
        async with self._read.readers.connection(deadline=deadline) as connection:
            board = queries.board_of(await queries.all_rates(connection, book))
        async with self._watcher.watch(queries.board_key(book), board.version) as watch:
            while True:
                yield self._board(request, board)
                board = await watch.next()

    def _board(self, request: pb.StreamRatesRequest, board: Board) -> pb.StreamRatesResponse:
        """Return what the pairs cost.

        Raises:
            Refusal: FX_RATE_NOT_FOUND.
        """
        version, now_us = self._version(), self._clock.now_us()
        reply = pb.StreamRatesResponse()
        for asked in request.pairs:
            source, target = asked.source_currency_code, asked.target_currency_code
            pair = model.pair_of(board.rates, source, target)
            terms = version.terms(source, target, tier=TIER, home_value=0, lock_s=0)
            reply.rates.append(encode.rate(pair, terms, now_us))
        return reply

    async def _rates(self, asked: int, call: Call) -> dict[str, RateRow]:
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            return await queries.all_rates(connection, self._read.book(asked))


def try_out(pair: Pair, terms: Terms, asked: Asked) -> rate_pb2.Exchange:
    """Return what an exchange would be.

    Raises:
        Refusal: FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE.
    """
    source, target = pair.source.currency_code, pair.target.currency_code
    ratio = minor_ratio(pair.mid, source, target)
    deal = (sell if asked.is_source else buy)(asked.minor_units, ratio, terms)
    return encode.exchange(deal, source, target)


def _start_us(text: str, field: str, absent: int, *, days: int = 0) -> int:
    """Return when the fixing of a date, or of so many days later, is; what is absent is given."""
    if not text:
        return absent
    day = check_day(text, field)
    return observed_us(day + dt.timedelta(days)) if day < dt.date.max else absent
