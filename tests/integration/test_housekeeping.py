"""What has served its purpose goes after its time, in bounded takes, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from longmen_server.jobs.housekeeping import Housekeeping
from longmen_server.jobs.runner import JobRunner
from longmen_server.jobs.settings import JobSettings
from longmen_server.platform.ids import new_id
from tests.support.identity import register, sign_in
from tests.support.proof import proof_of
from tests.support.small_bank import BOOK, SmallBank, open_small_bank
from tests.support.step_up import Payer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

DAY = 86_400
MINUTE = 60
SWEPT = (
    "identity_verification",
    "identity_sending",
    "identity_session",
    "challenge",
    "message_outbox",
    "signature_nonce",
)
KEPT = ("wallet", "wallet_account", "identity_device", "factor", "kyc_change", "event")


@pytest.fixture
async def bank(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(database, tmp_path_factory.mktemp("housekeeping")) as opened:
        yield opened


def later(bank: SmallBank, seconds: float) -> None:
    clock: Any = bank.parts.clock
    clock.set_us(clock.now_us() + round(seconds * 1_000_000))


def counts(database: Database, tables: tuple[str, ...] = SWEPT) -> dict[str, int]:
    with psycopg.connect(database.admin_dsn) as connection:
        found = {}
        for table in tables:
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
            row = connection.execute(query).fetchone()
            assert row is not None
            found[table] = int(row[0])
        return found


async def clean(bank: SmallBank, **limits: int) -> int:
    """Run one round of housekeeping; how many rows went."""
    parts = bank.parts
    assert parts.settings.dsn is not None
    settings = replace(JobSettings(), **limits)
    absolute_s = parts.settings.identity.session_absolute_s
    runner = JobRunner(
        dsn=parts.settings.dsn,
        engine=parts.engine,
        clock=parts.clock,
        books=[BOOK],
        jobs=[Housekeeping(settings, absolute_s, parts.trusted_clock)],
        settings=settings,
    )
    done = await runner.run_once()
    await runner.stop()
    return done["housekeeping"]


def note_nonces(bank: SmallBank, database: Database) -> None:
    """One nonce whose time is over, and one whose is not, by the machine's clock."""
    now_us = bank.parts.trusted_clock.now_us()
    with psycopg.connect(database.admin_dsn) as connection:
        for expires_at_us in (now_us - 1, now_us + 3600 * 1_000_000):
            connection.execute(
                "insert into signature_nonce (expires_at_us, book, nonce_key)"
                " values (%s, %s, %s::uuid)",
                (expires_at_us, BOOK, new_id(BOOK, bank.parts.clock).hex()),
            )


async def test_each_sort_goes_after_its_own_time(bank: SmallBank, database: Database) -> None:
    who = await register(bank)
    await sign_in(bank, who)
    payer = await Payer.new(bank)
    used = payer.payment()
    await payer.approve(await payer.challenged(used))
    await payer.pay(used)
    await payer.challenged(payer.payment())
    note_nonces(bank, database)
    start, kept = counts(database), counts(database, KEPT)
    assert min(start.values()) > 0, start
    assert start["challenge"] == 2

    assert await clean(bank) == 1
    assert counts(database) == {**start, "signature_nonce": 1}
    later(bank, 2 * DAY - MINUTE)
    assert await clean(bank) == 0

    later(bank, 2 * MINUTE)
    await clean(bank)
    young = counts(database)
    assert (young["identity_verification"], young["identity_sending"]) == (0, 0)
    for table in ("identity_session", "challenge", "message_outbox"):
        assert young[table] == start[table]

    later(bank, 28 * DAY)
    await clean(bank)
    month = counts(database)
    assert month["message_outbox"] == 0
    assert month["challenge"] == 1, "what was approved is the bank's proof for longer"
    assert month["identity_session"] == start["identity_session"]
    later(bank, DAY / 2)
    await clean(bank)
    # That of `Payer` goes on for ever, as no session of a customer does.
    assert counts(database)["identity_session"] == 1

    later(bank, 371 * DAY)
    await clean(bank)
    assert counts(database)["challenge"] == 0
    assert counts(database)["signature_nonce"] == 1, "its time is not a test clock's"
    assert counts(database, KEPT) == kept
    findings, _, _ = await proof_of(database.app_dsn, bank.parts.clock)
    assert not findings


async def test_takes_are_bounded_and_the_rest_comes_with_the_next(
    bank: SmallBank, database: Database
) -> None:
    for _ in range(5):
        await register(bank)
    later(bank, 3 * DAY)
    assert counts(database)["identity_verification"] == 5
    assert await clean(bank, job_items_max=2, job_rounds_max=1) == 4
    left = counts(database)
    assert (left["identity_verification"], left["identity_sending"]) == (3, 3)
    # Unfinished work goes on at once, finished work after a pause.
    assert await clean(bank, job_items_max=2) == 6
    assert await clean(bank) == 0
    assert counts(database)["identity_verification"] == 0


async def test_days_are_those_that_are_set(bank: SmallBank, database: Database) -> None:
    await register(bank)
    later(bank, 8 * DAY)
    await clean(bank, message_kept_days=7, session_kept_days=7, verification_kept_days=9)
    left = counts(database)
    assert (left["message_outbox"], left["identity_session"]) == (0, 0)
    assert left["identity_verification"] == 1
