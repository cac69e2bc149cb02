"""Journals against anchors that were kept elsewhere: what was cut off or rewritten shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner

from longmen_server.audit.anchor import read
from longmen_server.audit.places import AnchorFolder, NotKeptError
from longmen_server.cli import cli
from longmen_server.jobs.anchors import AGAIN_SECONDS, Anchors
from longmen_server.jobs.job import Workplace
from longmen_server.ledger.chart import BANK_CLEARING
from longmen_server.ledger.receipt import ReceiptSigner
from longmen_server.platform.database import connect
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK, SIGNING_KEY, Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

    from tests.support.postgres import Database

SIGNER = ReceiptSigner(SIGNING_KEY)
INTERVAL_S = 3_600
CUT = """
delete from event where sequence >= (select max(first_sequence) from journal_block);
delete from journal_block where number = (select max(number) from journal_block)
"""


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    async with open_ledger(database.app_dsn, SettableClock()) as opened:
        yield opened


@dataclass
class Shop:
    """A job with its own memory, as a worker has it, and what it works with."""

    ledger: Ledger
    dsn: str
    job: Anchors
    progress: int = 0

    async def take(self) -> int:
        connection = await connect(self.dsn, application_name="tests anchors")
        try:
            workplace = Workplace(
                book=BOOK,
                connection=connection,
                engine=self.ledger.engine,
                clock=self.ledger.clock,
                items_max=10,
                progress=self.progress,
            )
            done = await self.job.take(workplace)
        finally:
            await connection.close()
        self.progress = done.progress or self.progress
        return done.items


async def move(ledger: Ledger) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (wallet,) = await ledger.open(floor=0)
    await ledger.move(bank, wallet, 5)


async def verify(database: Database, *files: Path, key: str = "") -> Result:
    words = [word for path in files for word in ("--anchor", str(path))]
    words += ["--key", key or SIGNER.public_key.hex(), "--dsn", database.app_dsn]
    return await asyncio.to_thread(CliRunner().invoke, cli, ["audit", "verify", *words])


async def test_a_journal_that_was_cut_off_or_rewritten_is_found(
    database: Database, ledger: Ledger, tmp_path: Path
) -> None:
    job = Anchors([AnchorFolder(tmp_path)], SIGNER, interval_s=INTERVAL_S)
    shop = Shop(ledger, database.app_dsn, job)
    assert await shop.take() == 0, "a book without a journal has nothing to anchor"
    await move(ledger)
    assert await shop.take() == 1
    assert await shop.take() == 0, "the next one is due in an hour"
    ledger.clock.advance(INTERVAL_S)
    await move(ledger)
    assert await shop.take() == 1
    file = tmp_path / "anchors-1.jsonl"
    first, second = (read(line).anchor for line in file.read_text("utf-8").splitlines())
    assert second.heads[0].number > first.heads[0].number
    assert second.taken_at_us - first.taken_at_us == INTERVAL_S * 1_000_000
    fine = await verify(database, file)
    assert (fine.exit_code, fine.output.startswith("2 anchors, ")) == (0, True), fine.output
    other = await verify(database, file, key="00" * 32)
    assert other.exit_code == 1
    assert other.output.count("signed with another key") == 2
    with psycopg.connect(database.admin_dsn, autocommit=True) as connection:
        # Rewritten: another hash at the head, with whatever follows from it.
        connection.execute(
            "update journal_block set hash = %s where number = %s",
            (sha256(b"another").digest(), first.heads[0].number),
        )
    rewritten = await verify(database, file)
    assert rewritten.exit_code == 1
    assert f"block {first.heads[0].number} of writer 1 is another one" in rewritten.output
    with psycopg.connect(database.admin_dsn, autocommit=True) as connection:
        connection.execute(
            "update journal_block set hash = %s where number = %s",
            (first.heads[0].hash, first.heads[0].number),
        )
        connection.execute(CUT)
    cut = await verify(database, file)
    assert cut.exit_code == 1
    assert f"block {second.heads[0].number} of writer 1 is gone" in cut.output


class Moody:
    """A place that refuses while it is told to."""

    name = "moody"

    def __init__(self) -> None:
        self.refuses = True
        self.lines: list[str] = []
        self.asked = 0

    async def keep(self, book: int, line: str) -> None:
        assert book == BOOK
        self.asked += 1
        if self.refuses:
            raise NotKeptError("not now")
        self.lines.append(line)


async def test_what_a_place_has_not_kept_is_offered_again_and_the_other_has_it_once(
    database: Database, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moody = Moody()
    job = Anchors([moody, AnchorFolder(tmp_path)], SIGNER, interval_s=INTERVAL_S)
    shop = Shop(ledger, database.app_dsn, job)
    await move(ledger)
    assert await shop.take() == 1
    assert await shop.take() == 0
    assert moody.asked == 1, "it is left alone for a while"
    moody.refuses = False
    now = ledger.clock.monotonic()
    monkeypatch.setattr(ledger.clock, "monotonic", lambda: now + AGAIN_SECONDS + 1)
    assert await shop.take() == 1
    kept = (tmp_path / "anchors-1.jsonl").read_text("utf-8").splitlines()
    assert moody.lines == kept


async def test_files_without_anchors_prove_nothing(database: Database, tmp_path: Path) -> None:
    empty, noise = tmp_path / "empty", tmp_path / "noise"
    empty.write_text("\n", "utf-8")
    noise.write_text("hello\n", "utf-8")
    for file, said in ((empty, "there are no anchors"), (noise, "line 1: no anchor")):
        done = await verify(database, file)
        assert done.exit_code == 1
        assert said in done.output
