"""The connections and the readers' pool, against a real Postgres."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Instant,
    InstantArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    Uuid,
    UuidArray,
)
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.database import Readers, connect
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import SharedPostgres

CLOCK = SystemClock()
ID = bytes.fromhex("0198f2a4111171118111111111110007")
OTHER_ID = bytes.fromhex("0198f2a4111171118222222222220007")


@asynccontextmanager
async def readers(dsn: str, *, maximum: int = 2, wait_ms: int = 250) -> AsyncIterator[Readers]:
    pool = Readers(dsn, CLOCK, minimum=1, maximum=maximum, wait_ms=wait_ms, name="test readers")
    await pool.open(timeout_seconds=5)
    try:
        yield pool
    finally:
        await pool.close()


def in_seconds(seconds: float) -> float:
    return CLOCK.monotonic() + seconds


@pytest.mark.parametrize(
    ("cast", "parameter", "expected"),
    [
        ("uuid", Uuid(ID), ID),
        ("timestamptz", Instant(1_767_225_600_123_456), 1_767_225_600_123_456),
        ("timestamptz", Instant(-1), -1),
        ("uuid[]", UuidArray([ID, None, OTHER_ID]), [ID, None, OTHER_ID]),
        ("uuid[]", UuidArray([]), []),
        ("timestamptz[]", InstantArray([0, None, 5]), [0, None, 5]),
        ("int2[]", Int2Array([-32768, None, 32767]), [-32768, None, 32767]),
        ("int4[]", Int4Array([-(2**31), None, 2**31 - 1]), [-(2**31), None, 2**31 - 1]),
        ("int8[]", Int8Array([-(2**63), None, 2**63 - 1]), [-(2**63), None, 2**63 - 1]),
        ("bool[]", BoolArray([True, None, False]), [True, None, False]),
        ("text[]", TextArray(["龙门", None, "", 'a"b,{}\\']), ["龙门", None, "", 'a"b,{}\\']),
        ("bytea[]", ByteaArray([b"\x00\xff", None, b""]), [b"\x00\xff", None, b""]),
        ("bytea", ID, ID),
    ],
)
async def test_values_survive_the_round_trip(
    postgres_dsn: str, cast: str, parameter: object, expected: object
) -> None:
    connection = await connect(postgres_dsn, application_name="test")
    async with connection:
        cursor = await connection.execute(f"select $1::{cast}", [parameter])
        assert await cursor.fetchone() == (expected,)


async def test_text_results_give_the_same_values(postgres_dsn: str) -> None:
    connection = await connect(postgres_dsn, application_name="test")
    async with connection:
        cursor = await connection.execute(
            "select $1::uuid, $2::timestamptz", [Uuid(ID), Instant(1_500_000)], binary=False
        )
        assert await cursor.fetchone() == (ID, 1_500_000)


async def test_a_session_is_in_utc_with_the_settings_asked_for(postgres_dsn: str) -> None:
    connection = await connect(
        postgres_dsn, application_name="who asks", settings={"lock_timeout": 1234}
    )
    async with connection:
        cursor = await connection.execute(
            "select current_setting('TimeZone'), current_setting('lock_timeout'),"
            " current_setting('application_name')"
        )
        assert await cursor.fetchone() == ("UTC", "1234ms", "who asks")


async def test_readers_cannot_write(database_dsn: str) -> None:
    async with readers(database_dsn) as pool:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            async with pool.connection(deadline=in_seconds(5)) as connection:
                await connection.execute("create table forbidden (id int)")


async def test_a_statement_ends_soon_after_the_deadline(postgres_dsn: str) -> None:
    async with readers(postgres_dsn) as pool:
        begun = time.monotonic()
        with pytest.raises(Refusal) as caught:
            async with pool.connection(deadline=in_seconds(0.2)) as connection:
                await connection.execute("select pg_sleep(30)")
        assert caught.value.reason == "DEADLINE_EXCEEDED"
        assert time.monotonic() - begun < 2


async def test_a_passed_deadline_borrows_nothing(postgres_dsn: str) -> None:
    async with readers(postgres_dsn) as pool:
        with pytest.raises(Refusal, match="DEADLINE_EXCEEDED"):
            async with pool.connection(deadline=in_seconds(-1)):
                raise AssertionError("no connection should have been lent")


async def test_timeouts_of_similar_deadlines_are_set_once(postgres_dsn: str) -> None:
    async with readers(postgres_dsn, maximum=1) as pool:
        for seconds in (0.9, 0.8, 0.7, 3.0, 0.9):
            async with pool.connection(deadline=in_seconds(seconds)) as connection:
                cursor = await connection.execute("select current_setting('statement_timeout')")
                row = await cursor.fetchone()
                assert row == ("4s" if seconds > 1 else "1s",)


async def test_a_full_pool_refuses_within_its_wait(postgres_dsn: str) -> None:
    async with readers(postgres_dsn, maximum=1, wait_ms=100) as pool:
        async with pool.connection(deadline=in_seconds(5)):
            begun = time.monotonic()
            with pytest.raises(Refusal) as caught:
                async with pool.connection(deadline=in_seconds(5)):
                    raise AssertionError("there is one connection only")
            assert caught.value.reason == "OVERLOADED"
            assert caught.value.metadata == {"class": "READ"}
            assert 0.09 <= time.monotonic() - begun < 1
        async with pool.connection(deadline=in_seconds(5)) as connection:
            assert await (await connection.execute("select 1")).fetchone() == (1,)


async def test_a_cut_connection_is_a_refusal_and_the_pool_heals(
    postgres: SharedPostgres, postgres_dsn: str
) -> None:
    async with readers(postgres_dsn, maximum=1) as pool:
        with pytest.raises(Refusal) as caught:
            async with pool.connection(deadline=in_seconds(5)) as connection:
                kill(postgres, connection.info.backend_pid)
                await connection.execute("select 1")
        assert caught.value.reason == "STORAGE_UNAVAILABLE"
        await heals(pool)


async def test_a_connection_cut_while_idle_is_replaced_unseen(
    postgres: SharedPostgres, postgres_dsn: str
) -> None:
    async with readers(postgres_dsn, maximum=1) as pool:
        async with pool.connection(deadline=in_seconds(5)) as connection:
            pid = connection.info.backend_pid
        kill(postgres, pid)
        connection.used_at = 0.0  # as if long ago
        async with pool.connection(deadline=in_seconds(5)) as connection:
            assert await (await connection.execute("select 1")).fetchone() == (1,)
            assert connection.info.backend_pid != pid


async def test_a_snapshot_does_not_see_later_commits(database_dsn: str) -> None:
    async with readers(database_dsn) as pool, pool.snapshot(deadline=in_seconds(5)) as snapshot:
        cursor = await snapshot.execute("select count(*) from pg_class where relname = 'later'")
        assert await cursor.fetchone() == (0,)
        cursor = await snapshot.execute("select current_setting('transaction_isolation')")
        assert await cursor.fetchone() == ("repeatable read",)


async def test_a_dead_database_is_a_refusal(postgres_dsn: str) -> None:
    async with readers(postgres_dsn, maximum=1) as pool:
        pool._pool.conninfo = "host=/nonexistent"
        with pytest.raises(Refusal):
            async with pool.connection(deadline=in_seconds(5)) as connection:
                await connection.close()
                await connection.execute("select 1")
        with pytest.raises(Refusal) as caught:
            async with pool.connection(deadline=in_seconds(5)):
                raise AssertionError("there is no database")
        assert caught.value.reason == "STORAGE_UNAVAILABLE"


def kill(postgres: SharedPostgres, pid: int) -> None:
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(%s, 5000)", [pid])


async def heals(pool: Readers) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            async with pool.connection(deadline=in_seconds(5)) as connection:
                await connection.execute("select 1")
        except Refusal:
            await asyncio.sleep(0.02)
        else:
            return
    raise AssertionError("the pool did not heal")
