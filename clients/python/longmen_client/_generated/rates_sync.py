"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import promotion_pb2, rate_pb2, rates_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client._wire import wire_money, wire_time
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client._sync.stream import Stream
    from longmen_client.money import Money


class Rates:
    """RatesService keeps what currencies are worth. Every rate has a source, the time it was fixed
    and the time it came; nothing is overwritten and nothing guessed: a rate that is too old is
    refused with its age. Pairs are computed through EUR from exact fractions.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_currencies(
        self,
        *,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> rates_service_pb2.ListCurrenciesResponse:
        """Lists every currency of ISO 4217 with minor units, by code, with its present rate.

        Args:
            book: Book of the rates; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.ListCurrenciesRequest(
            book=book, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.RATES_LIST_CURRENCIES, request, options)

    def import_rates(
        self,
        *,
        content: bytes,
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rates_service_pb2.ImportRatesResponse]:
        """Takes a feed of the European Central Bank: the daily XML, or the history as CSV or ZIP.

        It is taken whole or not at all. Days that are known are passed over. A rate that moves too
        far from the present one is held until it is set by two people.

        Args:
            content: Content of the feed as it came.
            book: Book of the rates; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_FEED_INVALID.

        Scope: fx.rates. Deadline: 30000 ms, at most 60000 ms.
        """
        request = rates_service_pb2.ImportRatesRequest(
            content=content, book=book, request_id=request_id or new_request_id()
        )
        return self._caller.change(methods.RATES_IMPORT_RATES, request, request.request_id, options)

    def set_rate(
        self,
        *,
        currency_code: str,
        rate: str,
        observe_time: datetime,
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rates_service_pb2.SetRateResponse]:
        """Sets the rate of one currency by hand.

        Two people may set any; a service is held to the same jumps as feeds.

        Args:
            currency_code: Currency code of the rate.
            rate: Rate in units per EUR, as a plain decimal with up to twelve digits on either side
                of the point.
            observe_time: Observe time is when the rate was observed; not in the future, and not
                before the present rate.
            book: Book of the rate; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_CURRENCY_NOT_TRADABLE,
                FX_RATE_FROM_FUTURE, FX_RATE_SUPERSEDED, FX_RATE_JUMP.

        Scope: fx.rates. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.SetRateRequest(
            currency_code=currency_code,
            rate=rate,
            observe_time=wire_time(observe_time),
            book=book,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(methods.RATES_SET_RATE, request, request.request_id, options)

    def create_promotion(
        self,
        *,
        name: str,
        discount_basis_points: int,
        start_time: datetime,
        end_time: datetime,
        budget: Money,
        book: int = 0,
        currency_codes: Iterable[str] = (),
        tier: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rates_service_pb2.CreatePromotionResponse]:
        """Begins a discount of the spread, now or later: quotes show it apart, and executing them
        uses its budget, never more.

        Staff proposes it to another one.

        Args:
            name: Name of the campaign.
            discount_basis_points: Discount basis points of the spread that are taken off; 10,000 is
                all of it.
            start_time: Start time from which it counts.
            end_time: End time from which it does not; one that is not after the start never counts.
            budget: Budget that customers may save by it in all, in the home currency.
            book: Book of the promotion; 0 means the server's default book.
            currency_codes: Currency codes that both of a pair are among, the home currency apart;
                empty means any.
            tier: Tier of customers; empty means every one.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CURRENCY_MISMATCH,
                FX_CURRENCY_NOT_TRADABLE.

        Scope: fx.rates. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.CreatePromotionRequest(
            name=name,
            discount_basis_points=discount_basis_points,
            start_time=wire_time(start_time),
            end_time=wire_time(end_time),
            budget=wire_money(budget),
            book=book,
            currency_codes=currency_codes,
            tier=tier,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.RATES_CREATE_PROMOTION, request, request.request_id, options
        )

    def end_promotion(
        self,
        *,
        promotion_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rates_service_pb2.EndPromotionResponse]:
        """Ends a promotion before its time; what was quoted with it holds while there is money
        left.

        Ending it again does no harm.

        Args:
            promotion_id: Promotion id of the campaign.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_PROMOTION_NOT_FOUND.

        Scope: fx.rates. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.EndPromotionRequest(
            promotion_id=promotion_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.RATES_END_PROMOTION, request, request.request_id, options
        )

    def list_promotions(
        self,
        *,
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[promotion_pb2.Promotion, rates_service_pb2.ListPromotionsResponse]:
        """Lists promotions with what was spent of them, newest first.

        Args:
            book: Book of the promotions; 0 means the server's default book.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK,
                INVALID_PAGE_TOKEN.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.ListPromotionsRequest(
            book=book,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.RATES_LIST_PROMOTIONS, request, "promotions", options)

    def get_rate(
        self,
        *,
        source_currency_code: str,
        target_currency_code: str,
        minor_units: int = 0,
        fixed_side: rate_pb2.FixedSide.ValueType = rate_pb2.FIXED_SIDE_UNSPECIFIED,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> rates_service_pb2.GetRateResponse:
        """Returns what a pair costs now, and with an amount what an exchange of it would be;
        nothing is promised.

        Args:
            source_currency_code: Source currency code is what is paid.
            target_currency_code: Target currency code is what is got.
            minor_units: Minor units to try an exchange of; 0 tries none.
            fixed_side: Fixed side that the minor units are on; unspecified means what is paid.
            book: Book of the rates; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_SAME_CURRENCY,
                FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND, FX_RATE_STALE, FX_AMOUNT_TOO_SMALL,
                FX_AMOUNT_TOO_LARGE.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.GetRateRequest(
            source_currency_code=source_currency_code,
            target_currency_code=target_currency_code,
            minor_units=minor_units,
            fixed_side=fixed_side,
            book=book,
            at_least_as_fresh=at_least_as_fresh,
        )
        return self._caller.ask(methods.RATES_GET_RATE, request, options)

    def stream_rates(
        self,
        *,
        pairs: Iterable[rates_service_pb2.CurrencyPair],
        book: int = 0,
        options: CallOptions | None = None,
    ) -> Stream[rates_service_pb2.StreamRatesResponse]:
        """Sends what pairs cost at once, and then whenever a rate changes.

        A reader that is slow gets the newest when it is ready, and nothing of what came between.

        Args:
            pairs: Pairs to follow, up to 50.
            book: Book of the rates; 0 means the server's default book.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_SAME_CURRENCY,
                FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND, UNKNOWN_BOOK.

        Scope: fx.read. Deadline: 3600000 ms, at most 3600000 ms.
        """
        request = rates_service_pb2.StreamRatesRequest(pairs=pairs, book=book)
        return self._caller.open(methods.RATES_STREAM_RATES, request, options)

    def list_rates(
        self,
        *,
        source_currency_code: str,
        target_currency_code: str,
        start_date: str = "",
        end_date: str = "",
        page_size: int = 0,
        page_token: str = "",
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[rate_pb2.DailyRate, rates_service_pb2.ListRatesResponse]:
        """Lists a pair's mid-market rates of past days, newest first.

        A currency without a rate on a day is left out of that day.

        Args:
            source_currency_code: Source currency code is what is paid.
            target_currency_code: Target currency code is what is got.
            start_date: Start date, YYYY-MM-DD, the first to list; empty means from the beginning.
            end_date: End date, YYYY-MM-DD, the last to list; empty means up to now.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            book: Book of the rates; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_SAME_CURRENCY,
                INVALID_PAGE_TOKEN.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rates_service_pb2.ListRatesRequest(
            source_currency_code=source_currency_code,
            target_currency_code=target_currency_code,
            start_date=start_date,
            end_date=end_date,
            page_size=page_size,
            page_token=page_token,
            book=book,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.RATES_LIST_RATES, request, "rates", options)
