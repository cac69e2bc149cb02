"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import positions_service_pb2
from longmen_client._generated import methods

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions


class AsyncPositions:
    """PositionsService reports the bank's positions. A position is read from the ledger's own
    accounts, so report and ledger cannot differ.
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
