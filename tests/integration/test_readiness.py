"""Readiness follows the database, in both directions, within a bound."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen_server.platform.readiness import watch_readiness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import SharedPostgres


class Answers:
    """What readiness was told, and when it last changed."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    async def tell(self, answer: bool) -> None:  # noqa: FBT001 - as the watcher calls it
        self.told.append(answer)

    async def become(self, answer: bool, seconds: float = 5) -> None:  # noqa: FBT001
        """Wait until it was told, and forget what was told before."""
        until = time.monotonic() + seconds
        while answer not in self.told:
            assert time.monotonic() < until, f"only {set(self.told)}"
            await asyncio.sleep(0.01)
        del self.told[: self.told.index(answer)]


@asynccontextmanager
async def watching(dsn: str) -> AsyncIterator[Answers]:
    answers = Answers()
    task = asyncio.create_task(watch_readiness(dsn, answers.tell, interval_ms=20, timeout_ms=500))
    try:
        yield answers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_database_that_answers_is_ready(database_dsn: str) -> None:
    async with watching(database_dsn) as answers:
        await answers.become(True)


async def test_a_lost_connection_is_noticed_and_made_again(
    postgres: SharedPostgres, database_dsn: str
) -> None:
    async with watching(database_dsn) as answers:
        await answers.become(True)
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'longmen readiness'"
            )
        await answers.become(False)
        await answers.become(True)


async def test_a_database_that_refuses_us_is_not_ready_until_it_lets_us_in(
    postgres: SharedPostgres, database_dsn: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database_dsn)["dbname"]
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"alter database {name} with connection limit 0".encode())
        async with watching(database_dsn) as answers:
            await answers.become(False)
            connection.execute(f"alter database {name} with connection limit -1".encode())
            await answers.become(True)


@pytest.mark.parametrize("dsn", ["host=/nonexistent", "host=127.0.0.1 port=1"])
async def test_no_database_is_not_ready(dsn: str) -> None:
    async with watching(dsn) as answers:
        await answers.become(False)


async def test_a_database_that_does_not_answer_is_not_ready_in_time() -> None:
    """A server that accepts and then says nothing."""
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, watching(f"host=127.0.0.1 port={port}") as answers:
        await answers.become(False, seconds=1.5)
        assert True not in answers.told
    for writer in writers:
        writer.close()
        await writer.wait_closed()
