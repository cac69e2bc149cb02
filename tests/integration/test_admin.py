from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest

from longmen.admin.v1 import admin_service_pb2 as pb
from longmen_server.admin.service import AdminService
from longmen_server.config import Settings
from longmen_server.ledger.chart import BANK_CLEARING
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.clock import OffsetClock, SystemClock
from longmen_server.platform.metrics import Metrics
from longmen_server.proven import CHECKS
from longmen_server.transport.server import build_server
from tests.support import edge
from tests.support.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from longmen_server.platform.clock import Clock
    from tests.support.clock import SettableClock
    from tests.support.ledger import Ledger
    from tests.support.postgres import Database

PREFIX = f"/{edge.ADMIN}/"
CLAIMED = (("authorization", f"Bearer {edge.GOOD}"),)


class Admin:
    """A served AdminService and a channel to it."""

    def __init__(self, channel: grpc.aio.Channel, service: AdminService, ledger: Ledger) -> None:
        self._channel = channel
        self.service = service
        self.ledger = ledger

    async def ask(self, name: str, request: Any = None) -> Any:
        request = request or getattr(pb, f"{name}Request")()
        call: Callable[..., Any] = self._channel.unary_unary(
            PREFIX + name, response_deserializer=getattr(pb, f"{name}Response").FromString
        )
        return await call(request.SerializeToString(), metadata=CLAIMED, timeout=20)

    async def verify(self, book: int = 0) -> list[pb.VerifyLedgerResponse]:
        call: Callable[..., Any] = self._channel.unary_stream(
            f"{PREFIX}VerifyLedger", response_deserializer=pb.VerifyLedgerResponse.FromString
        )
        request = pb.VerifyLedgerRequest(book=book).SerializeToString()
        return [message async for message in call(request, metadata=CLAIMED, timeout=20)]


@asynccontextmanager
async def serving(
    database: Database,
    settable_clock: SettableClock,
    *,
    clock: Clock | None = None,
    production: bool = False,
    edge_in_production: bool = False,
) -> AsyncIterator[Admin]:
    settings = replace(Settings(), production=production, dsn="host=secret password=secret")
    async with open_ledger(database.app_dsn, settable_clock) as ledger:
        service = AdminService(
            settings=settings,
            worker_index=3,
            clock=clock or settable_clock,
            engine=ledger.engine,
            readers=ledger.readers,
            checks=CHECKS,
        )
        server = build_server(
            {edge.ADMIN: service},
            settings=edge.settings(production=edge_in_production),
            surroundings=edge.surroundings(edge.Tokens(), Metrics()),
        )
        await server.start()
        server.set_ready(ready=True)
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                yield Admin(channel, service, ledger)
        finally:
            await server.drain(0)


async def refusal_of(asked: Any) -> edge.Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asked
    return edge.told(caught.value)


async def test_the_clock_moves_forward_and_never_back(
    database: Database, settable_clock: SettableClock, tmp_path: Path
) -> None:
    clock, seen_by_others = OffsetClock(tmp_path / "clock"), OffsetClock(tmp_path / "clock")
    async with serving(database, settable_clock, clock=clock) as admin:
        before = await admin.ask("GetClock")
        assert before.settable
        later = before.time.seconds + 86_400
        reply = await admin.ask("SetClock", pb.SetClockRequest(time=timestamp(later * 1_000_000)))
        assert later <= reply.time.seconds <= later + 20
        assert seen_by_others.now_us() >= later * 1_000_000
        back = pb.SetClockRequest(time=before.time)
        told = await refusal_of(admin.ask("SetClock", back))
    assert told.reason == "CLOCK_MOVES_BACK"
    assert int(told.metadata["now"]) >= later * 1_000_000


async def test_the_real_clock_cannot_be_set(
    database: Database, settable_clock: SettableClock
) -> None:
    request = pb.SetClockRequest(time=timestamp(2**52))
    async with serving(database, settable_clock, clock=SystemClock()) as admin:
        assert not (await admin.ask("GetClock")).settable
        told = await refusal_of(admin.ask("SetClock", request))
    assert told.reason == "CLOCK_NOT_SETTABLE"


@pytest.mark.parametrize("edge_knows", [True, False])
async def test_the_clock_of_a_production_server_is_left_alone(
    database: Database, settable_clock: SettableClock, *, edge_knows: bool
) -> None:
    request = pb.SetClockRequest(time=timestamp(2**52))
    before = settable_clock.now_us()
    async with serving(
        database, settable_clock, production=True, edge_in_production=edge_knows
    ) as admin:
        told = await refusal_of(admin.ask("SetClock", request))
    assert told.reason == "METHOD_DISABLED"
    assert settable_clock.now_us() == before


async def test_the_business_date_is_the_books_calendar_day(
    database: Database, settable_clock: SettableClock
) -> None:
    settable_clock.advance(17 * 3600)  # 17:00 UTC is 01:00 of the next day in Shanghai
    async with serving(database, settable_clock) as admin:
        reply = await admin.ask("GetClock", pb.GetClockRequest(book=1))
        told = await refusal_of(admin.ask("GetClock", pb.GetClockRequest(book=2)))
    assert reply.business_date == "2026-01-02"
    assert reply.time == timestamp(settable_clock.now_us())
    assert (told.reason, told.metadata) == ("UNKNOWN_BOOK", {"book": "2"})


async def test_limits_and_settings_are_told_with_reasons_and_without_secrets(
    database: Database, settable_clock: SettableClock
) -> None:
    async with serving(database, settable_clock) as admin:
        limits = {one.name: one for one in (await admin.ask("GetLimits")).limits}
        reply = await admin.ask("GetConfig")
    assert limits["LONGMEN_PAYMENTS_IN_WORK_MAX"].value == "1024"
    assert limits["LONGMEN_LOCK_TIMEOUT_MS"].unit == "ms"
    assert all(one.reason for one in limits.values())
    settings = {one.name: one.value for one in reply.settings}
    assert settings["LONGMEN_DSN"] == "(redacted)"
    assert set(limits) < set(settings)
    assert b"=secret" not in reply.SerializeToString()


async def test_statistics_count_what_the_writers_did(
    database: Database, settable_clock: SettableClock
) -> None:
    async with serving(database, settable_clock) as admin:
        assert not (await admin.ask("GetEngineStats")).writers[0].batch_count
        await admin.ledger.open()
        reply = await admin.ask("GetEngineStats")
    (writer,) = reply.writers
    assert reply.worker_index == 3
    assert (writer.book, writer.writer) == (1, 1)
    assert (writer.batch_count, writer.command_count, writer.largest_batch) == (1, 1, 1)
    assert writer.queue_length == 0
    assert min(writer.load_us, writer.decide_us, writer.write_us) > 0


async def test_a_verification_streams_progress_and_ends_with_the_summary(
    database: Database, settable_clock: SettableClock
) -> None:
    async with serving(database, settable_clock) as admin:
        (bank,) = await admin.ledger.open(code=BANK_CLEARING)
        (wallet,) = await admin.ledger.open()
        await admin.ledger.move(bank, wallet, 5)
        settable_clock.advance(1)
        *steps, last = await admin.verify()
    assert {step.WhichOneof("message") for step in steps} == {"progress"}
    summary = last.summary
    assert (summary.finding_count, summary.account_count, summary.posting_count) == (0, 2, 1)
    assert (summary.event_count, summary.block_count) == (3, 3)
    assert summary.read_time == timestamp(settable_clock.now_us())


async def test_a_verification_tells_what_is_wrong(
    database: Database, settable_clock: SettableClock
) -> None:
    async with serving(database, settable_clock) as admin:
        await admin.ledger.open()
        with psycopg.connect(database.admin_dsn) as connection:
            connection.execute("update ledger_account set credits_posted = 8")
        messages = await admin.verify()
    findings = [m.finding for m in messages if m.WhichOneof("message") == "finding"]
    assert {finding.kind for finding in findings} == {"COUNTER_MISMATCH", "CURRENCY_UNBALANCED"}
    assert messages[-1].summary.finding_count == 2


async def test_an_unknown_book_is_not_verified(
    database: Database, settable_clock: SettableClock
) -> None:
    async with serving(database, settable_clock) as admin:
        told = await refusal_of(admin.verify(book=9))
    assert told.reason == "UNKNOWN_BOOK"


async def test_one_worker_verifies_one_book_at_a_time(
    database: Database, settable_clock: SettableClock
) -> None:
    async with serving(database, settable_clock) as admin:
        call = admin.ledger.call("VerifyLedger")
        running = admin.service.VerifyLedger(pb.VerifyLedgerRequest(), call)
        await anext(running)
        told = await refusal_of(admin.verify())
        # One that is given up leaves the way free.
        await running.aclose()
        again = await admin.verify()
    assert told.reason == "OVERLOADED"
    assert again[-1].HasField("summary")
