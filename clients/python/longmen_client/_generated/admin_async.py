"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.admin.v1 import admin_service_pb2
from longmen_client._generated import methods
from longmen_client._wire import wire_time

if TYPE_CHECKING:
    from datetime import datetime

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions


class AsyncAdmin:
    """AdminService is for operators and tests: settings, statistics, the test clock, and the proof
    of the books.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def set_clock(
        self,
        *,
        time: datetime,
        options: CallOptions | None = None,
    ) -> admin_service_pb2.SetClockResponse:
        """Moves the test clock of every worker forward, so that expiries can be tried.

        Never on a production server.

        Args:
            time: Time to set the clock to; it goes on from there.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: METHOD_DISABLED,
                CLOCK_NOT_SETTABLE, CLOCK_MOVES_BACK.

        Scope: admin.clock. Deadline: 5000 ms, at most 30000 ms.
        """
        request = admin_service_pb2.SetClockRequest(time=wire_time(time))
        return await self._caller.ask(methods.ADMIN_SET_CLOCK, request, options)

    async def get_clock(
        self,
        *,
        book: int = 0,
        options: CallOptions | None = None,
    ) -> admin_service_pb2.GetClockResponse:
        """Returns the server's time and business date.

        Args:
            book: Book whose calendar to use; 0 means the server's default book.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK.

        Scope: admin.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = admin_service_pb2.GetClockRequest(book=book)
        return await self._caller.ask(methods.ADMIN_GET_CLOCK, request, options)

    async def get_limits(
        self,
        *,
        options: CallOptions | None = None,
    ) -> admin_service_pb2.GetLimitsResponse:
        """Returns every named limit of the server with its unit and reason.

        Raises:
            LongmenError: the call did not succeed.

        Scope: admin.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = admin_service_pb2.GetLimitsRequest()
        return await self._caller.ask(methods.ADMIN_GET_LIMITS, request, options)

    async def get_config(
        self,
        *,
        options: CallOptions | None = None,
    ) -> admin_service_pb2.GetConfigResponse:
        """Returns the settings in force, secrets left out.

        Raises:
            LongmenError: the call did not succeed.

        Scope: admin.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = admin_service_pb2.GetConfigRequest()
        return await self._caller.ask(methods.ADMIN_GET_CONFIG, request, options)

    async def get_engine_stats(
        self,
        *,
        options: CallOptions | None = None,
    ) -> admin_service_pb2.GetEngineStatsResponse:
        """Returns counters of the engine of the worker that answers.

        Raises:
            LongmenError: the call did not succeed.

        Scope: admin.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = admin_service_pb2.GetEngineStatsRequest()
        return await self._caller.ask(methods.ADMIN_GET_ENGINE_STATS, request, options)

    def verify_ledger(
        self,
        *,
        book: int = 0,
        options: CallOptions | None = None,
    ) -> AsyncStream[admin_service_pb2.VerifyLedgerResponse]:
        """Checks every invariant of a book on one snapshot, without writing or locking, and streams
        progress and findings.

        The last message has the summary.

        Args:
            book: Book to verify; 0 means the server's default book.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK.

        Scope: admin.verify. Deadline: 600000 ms, at most 3600000 ms.
        """
        request = admin_service_pb2.VerifyLedgerRequest(book=book)
        return self._caller.open(methods.ADMIN_VERIFY_LEDGER, request, options)
