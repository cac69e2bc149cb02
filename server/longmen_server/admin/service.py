"""AdminService: what operators and tests ask of a server. No rule and no SQL here."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from longmen.admin.v1 import admin_service_pb2 as pb
from longmen.admin.v1 import verification_pb2
from longmen_server.config import describe
from longmen_server.ledger.decode import instant_us
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.verification.report import Finding, Progress, Report
from longmen_server.ledger.verification.run import verify
from longmen_server.platform.clock import ClockMovesBackError, business_date
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from longmen_server.config import Described, Settings
    from longmen_server.engine.engine import Engine
    from longmen_server.engine.writer import Writer
    from longmen_server.ledger.verification.queries import Check
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call

__all__ = ["AdminService"]


@runtime_checkable
class _Settable(Protocol):
    """A clock that can be moved."""

    def set_us(self, target_us: int, /) -> None:
        """Move it to an instant, in microseconds since the epoch."""


class AdminService:
    """The servicer of longmen.admin.v1.AdminService."""

    def __init__(
        self,
        *,
        settings: Settings,
        worker_index: int,
        clock: Clock,
        engine: Engine,
        readers: Readers,
        checks: Sequence[Check],
    ) -> None:
        """Take the parts of a worker.

        Args:
            settings: those in force.
            worker_index: which worker this is.
            clock: business time, perhaps settable.
            engine: whose statistics are asked for.
            readers: lends two connections to a verification.
            checks: what a verification checks beyond the ledger.
        """
        self._settings = settings
        self._worker_index = worker_index
        self._clock = clock
        self._engine = engine
        self._readers = readers
        self._checks = checks
        self._verifying = False

    async def SetClock(self, request: pb.SetClockRequest, call: Call) -> pb.SetClockResponse:  # noqa: N802
        """Move the test clock forward."""
        if self._settings.production:
            raise Refusal(
                "METHOD_DISABLED",
                "the clock of a production server is not set",
                metadata={"method": call.method},
            )
        if not self._clock.settable or not isinstance(self._clock, _Settable):
            raise Refusal("CLOCK_NOT_SETTABLE", "the server runs on the real clock")
        target_us = instant_us(request.time, "time")
        try:
            self._clock.set_us(target_us)
        except ClockMovesBackError as error:
            raise Refusal(
                "CLOCK_MOVES_BACK",
                "the clock shows a later time already",
                metadata={"now": str(error.now_us)},
                field="time",
            ) from error
        return pb.SetClockResponse(time=timestamp(self._clock.now_us()))

    async def GetClock(self, request: pb.GetClockRequest, call: Call) -> pb.GetClockResponse:  # noqa: N802
        """Return the time and the business date."""
        del call
        self._book(request.book)
        now_us = self._clock.now_us()
        return pb.GetClockResponse(
            time=timestamp(now_us),
            business_date=business_date(now_us).isoformat(),
            settable=self._clock.settable,
        )

    async def GetLimits(self, request: pb.GetLimitsRequest, call: Call) -> pb.GetLimitsResponse:  # noqa: N802
        """Return the limits of the edge and of the engine."""
        del request, call
        sections = (self._settings.edge, self._settings.writer)
        return pb.GetLimitsResponse(
            limits=[each for section in sections for each in _settings(describe(section))]
        )

    async def GetConfig(self, request: pb.GetConfigRequest, call: Call) -> pb.GetConfigResponse:  # noqa: N802
        """Return every setting in force, without secrets."""
        del request, call
        return pb.GetConfigResponse(settings=_settings(describe(self._settings)))

    async def GetEngineStats(  # noqa: N802
        self, request: pb.GetEngineStatsRequest, call: Call
    ) -> pb.GetEngineStatsResponse:
        """Return the counters of this worker's writers."""
        del request, call
        writers = self._engine.writers
        return pb.GetEngineStatsResponse(
            writers=[_statistics(writers[book]) for book in sorted(writers)],
            worker_index=self._worker_index,
        )

    async def VerifyLedger(  # noqa: N802
        self, request: pb.VerifyLedgerRequest, call: Call
    ) -> AsyncGenerator[pb.VerifyLedgerResponse, None]:
        """Prove a book; one at a time, since it takes two readers and as many cores."""
        book = self._book(request.book)
        if self._verifying:
            raise Refusal(
                "OVERLOADED", "this worker verifies a book already", metadata={"class": "ADMIN"}
            )
        self._verifying = True
        try:
            reports = verify(
                book=book,
                lend=lambda: self._readers.snapshot(deadline=call.deadline),
                clock=self._clock,
                checks=self._checks,
            )
            async with aclosing(reports):
                async for report in reports:
                    yield _message(report)
        finally:
            self._verifying = False

    def _book(self, asked: int) -> int:
        """Return the book a request is about; 0 asks for the default."""
        book = asked or self._settings.books[0]
        if book not in self._settings.books:
            raise Refusal(
                "UNKNOWN_BOOK",
                "this server keeps no such book",
                metadata={"book": str(book)},
                field="book",
            )
        return book


def _settings(described: Iterable[Described]) -> list[verification_pb2.Setting]:
    return [
        verification_pb2.Setting(name=one.name, value=one.value, unit=one.unit, reason=one.reason)
        for one in described
    ]


def _statistics(writer: Writer) -> verification_pb2.WriterStats:
    stats = writer.stats
    return verification_pb2.WriterStats(
        book=writer.book,
        writer=writer.number,
        batch_count=stats.batch_count,
        command_count=stats.command_count,
        replay_count=stats.replay_count,
        refusal_count=stats.refusal_count,
        retry_count=stats.retry_count,
        poison_count=stats.poison_count,
        queue_length=writer.queue_length,
        largest_batch=stats.largest_batch,
        load_us=stats.load_us,
        decide_us=stats.decide_us,
        write_us=stats.write_us,
    )


def _message(report: Report) -> pb.VerifyLedgerResponse:
    if isinstance(report, Progress):
        return pb.VerifyLedgerResponse(
            progress=verification_pb2.VerificationProgress(
                check=report.check, done=report.done, total=report.total
            )
        )
    if isinstance(report, Finding):
        return pb.VerifyLedgerResponse(
            finding=verification_pb2.VerificationFinding(
                kind=report.kind, subject=report.subject, detail=report.detail
            )
        )
    return pb.VerifyLedgerResponse(
        summary=verification_pb2.VerificationSummary(
            finding_count=report.finding_count,
            account_count=report.account_count,
            posting_count=report.posting_count,
            block_count=report.block_count,
            event_count=report.event_count,
            duration_ms=report.duration_ms,
            read_time=timestamp(report.read_at_us),
        )
    )
