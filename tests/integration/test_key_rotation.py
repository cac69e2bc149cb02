"""The key that wraps data keys changes under load, and nobody notices."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
import pytest_asyncio

from longmen_server import rotation
from longmen_server.personal_keys import PersonalKeysError
from longmen_server.platform import pii
from longmen_server.platform.pii import Vault
from tests.support.personal import key_file
from tests.support.server import data_folder, longmen, running
from tests.support.wallets import Wallets, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.clock import SettableClock
    from tests.support.postgres import Database

PEOPLE = 60


class Stopped(Exception):  # noqa: N818 - an event of the test, not an error
    """The rotation was stopped by somebody."""


@pytest_asyncio.fixture
async def wallets(database: Database, settable_clock: SettableClock) -> AsyncIterator[Wallets]:
    async with open_wallets(database.app_dsn, settable_clock) as opened:
        yield opened


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def wrapping_keys(database: Database) -> set[int]:
    """Ids of the keys by which data keys are wrapped, as noted and as the bytes tell."""
    with psycopg.connect(database.app_dsn) as connection:
        rows = connection.execute("select wrapping_key, wrapped from customer_key").fetchall()
    assert all(pii.wrapping_key_of(wrapped) == noted for noted, wrapped in rows)
    return {noted for noted, _ in rows}


async def test_everything_works_while_keys_rotate(wallets: Wallets, database: Database) -> None:
    people = [await wallets.person(f"Person {n}", funds=100) for n in range(PEOPLE)]
    before = pii.read_key_ids(key_file()).wrapping[0]
    rotating = asyncio.create_task(
        asyncio.to_thread(rotation.rotate, database.app_dsn, key_file(), on_progress=unseen)
    )
    calls = 0
    while not rotating.done():
        one, other = people[calls % PEOPLE], people[(calls + 7) % PEOPLE]
        newcomer, found, paid, _ = await asyncio.gather(
            wallets.person("Newcomer"),
            wallets.ask("GetWallet", one.principal),
            wallets.ask(
                "CreateTransfer",
                one.principal,
                from_account_id=one.account,
                payee={"phone_number": other.phone},
                amount=cash(1),
            ),
            wallets.top_up(one, 5),
        )
        people.append(newcomer)
        assert found.wallet.display_name == f"Person {calls % PEOPLE}"
        assert paid.transfer.to_account_id == other.account
        calls += 1
    done = rotating.result()
    assert calls >= PEOPLE // 2
    assert not done.resumed
    assert done.key_id not in {0, before}
    assert wrapping_keys(database) == {done.key_id}
    # The job, another process with its own vault, opens what was sealed before and after.
    await wallets.jobs.run_once()
    gone = rotation.destroy_old_keys(database.app_dsn, key_file())
    assert before in gone
    fresh = Vault(key_file(), time.monotonic)
    assert fresh.wrapping_key == done.key_id
    for person in people[-3:] + people[:3]:
        await wallets.ask("GetWallet", person.principal)


async def test_a_rotation_that_was_stopped_goes_on(
    wallets: Wallets, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PORTION", 4)
    for number in range(10):
        await wallets.person(f"Person {number}")

    def stop(done: int, total: int) -> None:
        assert total == 11
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        await asyncio.to_thread(rotation.rotate, database.app_dsn, key_file(), on_progress=stop)
    current = pii.read_key_ids(key_file()).wrapping[0]
    assert len(wrapping_keys(database)) == 2
    with pytest.raises(PersonalKeysError, match="7 data keys are still wrapped by older keys"):
        rotation.destroy_old_keys(database.app_dsn, key_file())
    seen: list[tuple[int, int]] = []
    done = await asyncio.to_thread(
        rotation.rotate,
        database.app_dsn,
        key_file(),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert (done.key_id, done.count, done.resumed) == (current, 7, True)
    assert seen == [(0, 7), (4, 7), (7, 7)]
    assert wrapping_keys(database) == {current}


async def test_a_prepared_key_is_the_one_taken(wallets: Wallets, database: Database) -> None:
    await wallets.person("Mia")
    prepared = rotation.prepare_key(database.app_dsn, key_file())
    assert prepared not in wrapping_keys(database)
    done = await asyncio.to_thread(
        rotation.rotate, database.app_dsn, key_file(), on_progress=unseen
    )
    assert done.key_id == prepared
    assert wrapping_keys(database) == {prepared}


@pytest.mark.slow
def test_the_command_rotates_beside_a_running_server() -> None:
    with data_folder() as data, running(data):
        done = longmen("keys", "rotate-pii", "--destroy-old", LONGMEN_DATA=str(data))
        assert done.returncode == 0, done.stderr
        first, second = done.stdout.splitlines()
        (key_id,) = pii.read_key_ids(data / "keys" / "personal-data.json").wrapping
        assert first == f"1 data keys are wrapped by key {key_id}"
        assert second == "destroyed 1 older keys"
        prepared = longmen("keys", "rotate-pii", "--prepare", LONGMEN_DATA=str(data))
        assert prepared.returncode == 0
        assert "unused yet" in prepared.stdout
