"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import position_pb2, positions_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncPositions:
    """PositionsService reports the bank's positions. A position is read from the ledger's own
    accounts, so report and ledger cannot differ. At the close of each business date positions
    are revalued: what they are worth more or less than they cost is booked as realised and
    unrealised result.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get_position(
        self,
        *,
        currency_code: str,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> positions_service_pb2.GetPositionResponse:
        """Returns the position in one currency; of one never dealt in it is empty.

        Args:
            currency_code: Currency code of the position.
            book: Book of the positions; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_CURRENCY_NOT_TRADABLE,
                UNKNOWN_BOOK.

        Scope: fx.positions. Deadline: 5000 ms, at most 30000 ms.
        """
        request = positions_service_pb2.GetPositionRequest(
            currency_code=currency_code, book=book, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.POSITIONS_GET_POSITION, request, options)

    async def list_positions(
        self,
        *,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> positions_service_pb2.ListPositionsResponse:
        """Lists every currency that was dealt in, by code.

        Args:
            book: Book of the positions; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK.

        Scope: fx.positions. Deadline: 5000 ms, at most 30000 ms.
        """
        request = positions_service_pb2.ListPositionsRequest(
            book=book, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.POSITIONS_LIST_POSITIONS, request, options)

    async def revalue(
        self,
        *,
        business_date: str,
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[positions_service_pb2.RevalueResponse]:
        """Books what positions came to for a business date, once; asked again, it returns what was
        booked.

        The server does it by itself after each business date.

        Args:
            business_date: Business date, YYYY-MM-DD: the present one, or one that has ended; not
                before the last that was revalued.
            book: Book of the positions; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK,
                FX_REVALUATION_EARLY, FX_REVALUATION_SUPERSEDED, FX_RATE_NOT_FOUND, FX_RATE_STALE.

        Scope: fx.revalue. Deadline: 10000 ms, at most 30000 ms.
        """
        request = positions_service_pb2.RevalueRequest(
            business_date=business_date, book=book, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.POSITIONS_REVALUE, request, request.request_id, options
        )

    def list_revaluations(
        self,
        *,
        currency_code: str = "",
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[position_pb2.Revaluation, positions_service_pb2.ListRevaluationsResponse]:
        """Lists what was booked, latest business date first, then by currency code.

        Args:
            currency_code: Currency code of the position; empty means every one.
            book: Book of the positions; 0 means the server's default book.
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

        Scope: fx.positions. Deadline: 5000 ms, at most 30000 ms.
        """
        request = positions_service_pb2.ListRevaluationsRequest(
            currency_code=currency_code,
            book=book,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.POSITIONS_LIST_REVALUATIONS, request, "revaluations", options
        )
