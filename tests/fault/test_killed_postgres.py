"""Postgres killed under load: workers heal by themselves, nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen_server import migrate
from longmen_server.platform.postgres import SUPERUSER, EmbeddedPostgres
from tests.fault.bank import Bank, Teller
from tests.support.poll import until
from tests.support.server import data_folder, within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CALLERS = 24
HEALING_SECONDS = 10


class Cluster:
    """A Postgres of one's own, to be treated badly."""

    def __init__(self, data: Path) -> None:
        self.postgres = EmbeddedPostgres(data, print)

    @property
    def admin_dsn(self) -> str:
        return self.postgres.dsn(role=SUPERUSER)

    def end(self, number: signal.Signals) -> None:
        """Send the postmaster a signal and wait until it is gone."""
        pid = self.postgres.pid
        assert pid is not None
        os.kill(pid, number)
        end = time.monotonic() + 60
        while self.postgres.poll() is None:
            assert time.monotonic() < end, "Postgres does not end"
            time.sleep(0.005)

    def kill_writer(self) -> None:
        """Kill the backend of a writer; Postgres then restarts all of them."""
        with psycopg.connect(self.admin_dsn, autocommit=True) as admin:
            row = admin.execute(
                "select pid from pg_stat_activity where application_name = 'longmen writer'"
                " order by random() limit 1"
            ).fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGKILL)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    with data_folder(used=False) as data:
        data.mkdir(mode=0o755)
        found = Cluster(data)
        found.postgres.start()
        try:
            migrate.upgrade(found.postgres.dsn(role="longmen"))
            yield found
        finally:
            found.postgres.stop()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_postgres_killed_in_every_way_loses_and_doubles_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    tellers = [Teller(cluster.postgres.dsn()) for _ in range(2)]
    for teller in tellers:
        await teller.start()
    bank = Bank(tellers, tmp_path / "acknowledged")
    callers = [asyncio.create_task(bank.caller()) for _ in range(CALLERS)]

    async def more(count: int, what: str) -> float:
        """Wait for more answers; how long that took."""
        begun, goal = time.monotonic(), len(bank.done) + count
        await until(lambda: len(bank.done) >= goal, what, seconds=60)
        return time.monotonic() - begun

    for ending in (signal.SIGKILL, signal.SIGQUIT, signal.SIGINT, signal.SIGKILL):
        await more(200, "work goes on")
        cluster.end(ending)
        # Down for a moment: callers are refused and ask again, workers stay.
        unknown = bank.unknown
        await until(lambda seen=unknown: bank.unknown > seen + 50, "callers are refused")  # type: ignore[misc]
        assert all(teller.alive for teller in tellers)
        cluster.postgres.start()
        assert await more(1, "the first answer after it is back") < within(HEALING_SECONDS)
    for _ in range(3):
        await more(200, "work goes on")
        cluster.kill_writer()
        assert await more(50, "answers after a crash") < within(HEALING_SECONDS)

    bank.stopping = True
    await asyncio.gather(*callers)
    await bank.ask_again(share=7)
    assert all(teller.alive for teller in tellers), "a worker ended instead of healing"
    for teller in tellers:
        await teller.close()
    bank.check(cluster.admin_dsn)
