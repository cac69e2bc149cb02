"""Messages on a real database: written with their change, delivered later, sealed meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from longmen_server.engine.command import Command
from longmen_server.jobs.deliveries import Deliveries
from longmen_server.jobs.runner import JobRunner
from longmen_server.jobs.settings import JobSettings
from longmen_server.messages.model import Channel, MessageRow
from longmen_server.messages.port import UndeliverableError
from longmen_server.messages.post_office import PostOffice
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import Sealer
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK
from tests.support.wallets import Wallets, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import Letter
    from tests.support.postgres import Database

PHONE = "+8613800138000"
TEXT = "Your code is 314159."
MINUTE_US = 60_000_000


class Write(Command):
    """Leaves a message behind, or refuses to."""

    def __init__(self, row: MessageRow, *, refuses: bool = False) -> None:
        super().__init__(BOOK, None)
        self.row = row
        self.refuses = refuses

    def decide(self, working_set: WorkingSet) -> bytes:
        working_set.append(MESSAGE, self.row)
        if self.refuses:
            raise Refusal("PERMISSION_DENIED", "no")
        return b""


class Phone:
    """A provider that notes what it gets, and fails as told."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.failures: list[Exception] = []
        self.closed = False

    async def deliver(self, letter: Letter) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.letters.append(letter)

    async def close(self) -> None:
        self.closed = True


class Station:
    """Everything a message passes through."""

    def __init__(self, wallets: Wallets, database: Database, **limits: int) -> None:
        self.wallets = wallets
        self.database = database
        self.phone = Phone()
        self.office = PostOffice(Sealer(bytes(range(32))), wallets.clock, index_key=bytes(32))
        self.job = Deliveries(
            self.office,
            {Channel.SMS: self.phone},
            **{"attempts_max": 3, "parallel_max": 10, **limits},
        )
        self.runner = JobRunner(
            dsn=database.app_dsn,
            engine=wallets.engine,
            clock=wallets.clock,
            books=[BOOK],
            jobs=(self.job,),
            settings=JobSettings(),
        )

    def row(self, channel: Channel = Channel.SMS) -> MessageRow:
        return self.office.accept(
            BOOK,
            channel=channel,
            kind="registration_code",
            recipient=PHONE,
            subject="",
            text=TEXT,
            lifetime_us=10 * MINUTE_US,
        )

    async def write(self, row: MessageRow | None = None, *, refuses: bool = False) -> None:
        command = Write(row or self.row(), refuses=refuses)
        deadline = self.wallets.clock.monotonic() + 10
        await self.wallets.engine.submit(command, deadline=deadline)

    def stored(self) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.owner_dsn) as connection:
            return connection.execute(
                "select state, attempts, failure, sealed is null from message_outbox"
                " order by message_id"
            ).fetchall()


@pytest_asyncio.fixture
async def station(database: Database) -> AsyncIterator[Station]:
    async with open_wallets(database.app_dsn, SettableClock()) as wallets:
        opened = Station(wallets, database)
        yield opened
        await opened.runner.stop()


async def test_a_message_is_delivered_once_and_its_content_deleted(station: Station) -> None:
    await station.write()
    assert station.stored() == [(1, 0, None, False)]
    assert await station.runner.run_once() == {"deliveries": 1}
    assert [(one.recipient, one.text) for one in station.phone.letters] == [(PHONE, TEXT)]
    assert station.stored() == [(2, 1, None, True)]
    assert await station.runner.run_once() == {"deliveries": 0}
    await station.job.close()
    assert station.phone.closed


async def test_a_refused_command_leaves_no_message(station: Station) -> None:
    with pytest.raises(Refusal):
        await station.write(refuses=True)
    assert station.stored() == []


async def test_nobody_reads_a_queued_message_in_the_database(station: Station) -> None:
    await station.write()
    with psycopg.connect(station.database.owner_dsn) as connection:
        row = connection.execute("select m::text, sealed from message_outbox as m").fetchone()
    assert row is not None
    assert PHONE not in row[0]
    assert "314159" not in row[0]
    assert b"314159" not in row[1]


async def test_a_failure_is_tried_again_after_growing_pauses_then_given_up(
    station: Station,
) -> None:
    station.phone.failures = [UndeliverableError("timeout", final=False) for _ in range(3)]
    await station.write()
    clock = station.wallets.clock
    await station.runner.run_once()
    assert station.stored() == [(1, 1, "timeout", False)]
    await station.runner.run_once()
    assert station.stored() == [(1, 1, "timeout", False)], "not before its time"
    clock.advance(1.0)
    await station.runner.run_once()
    clock.advance(2.0)
    await station.runner.run_once()
    assert station.stored() == [(3, 3, "timeout", True)]
    assert not station.phone.letters


async def test_what_can_never_be_delivered_is_given_up_at_once(station: Station) -> None:
    station.phone.failures = [UndeliverableError("http_400", final=True)]
    await station.write()
    await station.write(station.row(Channel.EMAIL))
    await station.runner.run_once()
    assert station.stored() == [(3, 1, "http_400", True), (3, 1, "no_carrier", True)]


async def test_a_message_that_comes_too_late_is_never_sent(station: Station) -> None:
    await station.write()
    station.wallets.clock.advance(600.0)
    await station.runner.run_once()
    assert station.stored() == [(4, 0, None, True)]
    assert not station.phone.letters


async def test_a_message_sealed_by_a_lost_key_is_given_up(station: Station) -> None:
    lost = PostOffice(Sealer(bytes(32)), station.wallets.clock, index_key=bytes(32))
    station.office, kept = lost, station.office
    await station.write()
    station.office = kept
    await station.runner.run_once()
    assert station.stored() == [(3, 1, "unsealable", True)]


async def test_logs_name_the_message_and_nothing_of_it(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    station.phone.failures = [
        UndeliverableError("timeout", final=False),
        ValueError(f"cannot send {TEXT} to {PHONE}"),
    ]
    with capture_logs() as logs:
        await station.write()
        await station.runner.run_once()
        station.wallets.clock.advance(1.0)
        await station.runner.run_once()
    told = [one for one in logs if one["event"] == "message_not_delivered"]
    assert [one["failure"] for one in told] == ["timeout", "ValueError"]
    whole = f"{logs}{caplog.text}"
    assert "314159" not in whole
    assert PHONE not in whole


async def test_more_than_fit_are_delivered_in_one_round(database: Database) -> None:
    async with open_wallets(database.app_dsn, SettableClock()) as wallets:
        station = Station(wallets, database, parallel_max=2)
        for _ in range(5):
            await station.write()
        assert await station.runner.run_once() == {"deliveries": 5}
        await station.runner.stop()
    assert len({one.message_id for one in station.phone.letters}) == 5
