"""Processes that end without warning: nothing acknowledged is lost, nothing happens twice.

The acknowledgements are written to a file outside of everything that is killed, as TPC's durability
test does with its success file. After healing, every call whose outcome is unknown is asked again
with the same request id until it is definite; then the books are proven from their rows.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from longmen_client import AsyncClient, Config, LongmenError, RetryPolicy, transfer_spec
from longmen_client.money import Money
from longmen_server.engine.failpoints import POINTS
from longmen_server.platform.postgres import DATABASE, SUPERUSER
from longmen_server.platform.postgres_home import find_home
from tests.support.audit import audit
from tests.support.crasher import command
from tests.support.ledger import PATIENCE, open_ledger
from tests.support.server import Server, data_folder, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.clock import SettableClock
    from tests.support.postgres import Database

pytestmark = pytest.mark.timeout(240)

CALLERS = 16
WORKER_KILLS = 20
PAYER = "acct_00000000000070018000000000000001"
MERCHANT = "acct_00000000000070008000000000000001"
"""Two of the sample accounts that a server started for trying out has."""


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_any_phase_of_a_batch_leaves_one_effect(
    database: Database, settable_clock: SettableClock, point: str
) -> None:
    clock = settable_clock
    async with open_ledger(database.app_dsn, clock) as ledger:
        payer, payee = await ledger.open(2)
        task = {
            "dsn": database.app_dsn,
            "debit": payer.hex(),
            "credit": payee.hex(),
            "digest": os.urandom(16).hex(),
            "content": os.urandom(32).hex(),
        }
        crashed = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.support.crasher", point],
            input=json.dumps(task) + "\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert crashed.returncode == -signal.SIGKILL, crashed.stderr

        outcome = await ledger.engine.submit(
            command(task, clock), deadline=clock.monotonic() + PATIENCE
        )
        committed_before_the_end = point in {"after_commit", "answered"}
        assert outcome.replayed == committed_before_the_end
    books = audit(database.admin_dsn)
    assert [posting.amount for posting in books.postings] == [11]


class Bank:
    """Callers that pay without end, and the file in which they write what they were told."""

    def __init__(self, server: Server, log: Path) -> None:
        self.config = Config(
            target=server.address,
            token=server.token,
            connections=8,
            retry=RetryPolicy(max_attempts=1),
        )
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.path = log
        self.unknown: set[str] = set()
        self.acknowledged = 0
        self._numbers = iter(range(1, 1_000_000))

    def write(self, *words: str) -> None:
        os.write(self._log, (" ".join(words) + "\n").encode())

    async def pay(self, client: AsyncClient, request_id: str) -> None:
        """One attempt; an acknowledgement is on file before anything else happens."""
        spec = transfer_spec(
            debit_account_id=PAYER,
            credit_account_id=MERCHANT,
            amount=Money(1, "CNY"),
            reference=request_id,
        )
        try:
            reply = await client.ledger.create_transfers(transfers=[spec], request_id=request_id)
        except LongmenError:
            self.unknown.add(request_id)
            return
        self.write("ok", request_id, reply.message.results[0].transaction_id)
        self.unknown.discard(request_id)
        self.acknowledged += 1

    async def caller(self, client: AsyncClient, stop: asyncio.Event) -> None:
        while not stop.is_set():
            request_id = f"00000000-0000-4000-8000-{next(self._numbers):012d}"
            await self.pay(client, request_id)
            if request_id in self.unknown:
                # Refusals come at once: without a pause an outage would be thousands of them.
                await asyncio.sleep(0.1)

    async def settle(self, client: AsyncClient) -> None:
        """Ask again until every outcome is known."""
        for _ in range(400):
            if not self.unknown:
                return
            await asyncio.gather(*(self.pay(client, each) for each in sorted(self.unknown)))
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(self.unknown)} outcomes stay unknown")

    def acknowledgements(self) -> Counter[str]:
        lines = self.path.read_text("utf-8").splitlines()
        return Counter(line.split()[1] for line in lines)


@pytest.fixture
def bank_server() -> Iterator[Server]:
    # Twenty crashes in a row are meant: the wait before a restart must not grow with them.
    chosen = {"LONGMEN_WORKERS": "2", "LONGMEN_RESTART_DELAY_MS_MAX": "100"}
    with data_folder() as data, running(data, chosen) as server:
        yield server


async def progressed(bank: Bank, calls: int) -> None:
    """Wait until so many more calls were acknowledged."""
    target = bank.acknowledged + calls
    for _ in range(6_000):
        if bank.acknowledged >= target:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the server does not answer any more")


def owner_dsn(server: Server) -> str:
    home = find_home(server.data)
    password = (server.data / "postgres.password").read_text("ascii").strip()
    return f"host={home.runtime} user={SUPERUSER} password={password} dbname={DATABASE}"


async def check(bank: Bank, server: Server) -> None:
    """What was acknowledged is there once, nothing else is, and the books are whole."""
    acknowledged = bank.acknowledgements()
    books = await asyncio.to_thread(audit, owner_dsn(server))
    found = Counter(posting.reference for posting in books.postings if posting.reference)
    assert set(acknowledged) == set(found)
    assert set(found.values()) == {1}
    assert len(found) > 200


async def test_workers_killed_under_load_lose_and_double_nothing(
    bank_server: Server, tmp_path: Path
) -> None:
    chance = random.Random(20)
    bank = Bank(bank_server, tmp_path / "acknowledged")
    async with AsyncClient(bank.config) as client:
        stop = asyncio.Event()
        callers = [asyncio.create_task(bank.caller(client, stop)) for _ in range(CALLERS)]
        for _ in range(WORKER_KILLS):
            await progressed(bank, chance.randint(20, 80))
            workers = bank_server.workers()
            if workers:
                chance.choice(workers).kill()
        await progressed(bank, 50)
        stop.set()
        await asyncio.gather(*callers)
        await bank.settle(client)
    await check(bank, bank_server)


@pytest.mark.parametrize("victim", ["postmaster", "backend"])
async def test_postgres_killed_under_load_loses_and_doubles_nothing(
    bank_server: Server, tmp_path: Path, victim: str
) -> None:
    bank = Bank(bank_server, tmp_path / "acknowledged")
    async with AsyncClient(bank.config) as client:
        stop = asyncio.Event()
        callers = [asyncio.create_task(bank.caller(client, stop)) for _ in range(CALLERS)]
        for _ in range(3):
            await progressed(bank, 150)
            postmaster = bank_server.postmaster()
            if victim == "postmaster":
                postmaster.kill()
            else:
                writers = [
                    p for p in postmaster.children() if "longmen_app" in " ".join(p.cmdline())
                ]
                writers[0].kill()
        await progressed(bank, 150)
        stop.set()
        await asyncio.gather(*callers)
        await bank.settle(client)
    await check(bank, bank_server)
