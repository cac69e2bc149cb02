"""Jobs on a real database: leases, restarts at any point, bounded takes, one broken job."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio

from longmen.transfers.v1 import transfer_pb2
from longmen_server.jobs.clearing import Clearing
from longmen_server.jobs.expired_holds import ExpiredHolds
from longmen_server.jobs.job import Done
from longmen_server.jobs.runner import JobRunner
from longmen_server.jobs.settings import JobSettings
from longmen_server.ledger.model import PostingKind
from longmen_server.platform.ids import TRANSACTION
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers.clearing.files import FileClearing
from longmen_server.transfers.clearing.instant import InstantClearing
from longmen_server.transfers.model import InstructionState
from longmen_server.transfers.settlement import PayDue
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK
from tests.support.poll import until
from tests.support.wallets import Wallets, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from longmen_server.jobs.job import Job, Workplace
    from longmen_server.transfers.clearing.port import Delivery, Instruction
    from tests.support.postgres import Database

DAY_S = 86_400
COMPLETED, FAILED = transfer_pb2.TRANSFER_STATE_COMPLETED, transfer_pb2.TRANSFER_STATE_FAILED
PROCESSING = transfer_pb2.TRANSFER_STATE_PROCESSING


@pytest_asyncio.fixture
async def wallets(database: Database) -> AsyncIterator[Wallets]:
    async with open_wallets(database.app_dsn, SettableClock()) as opened:
        yield opened


def runner(
    wallets: Wallets, database: Database, *jobs: Job, settings: JobSettings | None = None
) -> JobRunner:
    return JobRunner(
        dsn=database.app_dsn,
        engine=wallets.engine,
        clock=wallets.clock,
        books=[BOOK],
        jobs=jobs,
        settings=settings or JobSettings(),
    )


async def one(database: Database, query: str, *parameters: Any) -> Any:
    async with await psycopg.AsyncConnection.connect(database.owner_dsn) as connection:
        cursor = await connection.execute(query.encode(), parameters)
        record = await cursor.fetchone()
        return None if record is None else record[0]


async def withdraw(wallets: Wallets, person: Any, amount: int) -> str:
    reply = await wallets.ask(
        "Withdraw", account_id=person.account, amount=cash(amount), bank_account="6222"
    )
    return str(reply.transfer.transfer_id)


async def state(wallets: Wallets, transfer_id: str) -> int:
    found = await wallets.ask("GetTransfer", transfer_id=transfer_id)
    return int(found.transfer.state)


class Recorder:
    """A job that notes who did it, and can be made to fail."""

    name = "recorder"

    def __init__(self) -> None:
        self.taken = 0
        self.more = 0
        self.error: Exception | None = None

    async def take(self, workplace: Workplace) -> Done:
        assert workplace.book == BOOK
        if self.error is not None:
            raise self.error
        self.taken += 1
        self.more -= 1
        return Done(1, more=self.more > 0)


# -- leases ------------------------------------------------------------------------------------


async def test_a_job_of_a_book_is_done_by_one_process(wallets: Wallets, database: Database) -> None:
    mine, theirs = Recorder(), Recorder()
    first, second = runner(wallets, database, mine), runner(wallets, database, theirs)
    for _ in range(3):
        await first.run_once()
        await second.run_once()
    assert (mine.taken, theirs.taken) == (3, 0)
    # A process that ends gives its leases up; one that is killed loses them by time.
    await first.stop()
    await second.run_once()
    assert theirs.taken == 1
    third = runner(wallets, database, mine)
    await third.run_once()
    assert mine.taken == 3
    wallets.clock.advance(15.1)
    await third.run_once()
    assert mine.taken == 4
    await second.run_once()
    assert theirs.taken == 1
    await second.stop()
    await third.stop()


async def test_a_lease_is_written_only_when_half_of_it_is_gone(
    wallets: Wallets, database: Database
) -> None:
    work = runner(wallets, database, Recorder())
    query = "select xmin::text from job_lease where job = 'recorder'"
    await work.run_once()
    written = await one(database, query)
    wallets.clock.advance(7)
    await work.run_once()
    assert await one(database, query) == written
    wallets.clock.advance(1)
    await work.run_once()
    assert await one(database, query) != written
    await work.stop()


async def test_a_job_takes_while_there_is_more_and_not_for_ever(
    wallets: Wallets, database: Database
) -> None:
    job = Recorder()
    work = runner(wallets, database, job, settings=JobSettings(job_rounds_max=5))
    job.more = 3
    assert await work.run_once() == {"recorder": 3}
    job.more = 100
    assert await work.run_once() == {"recorder": 5}
    await work.stop()


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), Refusal("OVERLOADED", "busy"), psycopg.OperationalError("gone")]
)
async def test_one_broken_job_leaves_the_others_alone(
    wallets: Wallets, database: Database, error: Exception
) -> None:
    broken, sound = Recorder(), Recorder()
    broken.name, broken.error = "broken", error
    work = runner(wallets, database, broken, sound)
    for _ in range(2):
        assert await work.run_once() == {"broken": 0, "recorder": 1}
    broken.error = None
    assert await work.run_once() == {"broken": 1, "recorder": 1}
    await work.stop()


async def test_a_lost_connection_is_made_again(wallets: Wallets, database: Database) -> None:
    job = Recorder()
    work = runner(wallets, database, job)
    await work.run_once()
    async with await psycopg.AsyncConnection.connect(database.admin_dsn) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'longmen jobs' and datname = %s",
            [database.name],
        )
    await work.run_once()
    await work.run_once()
    assert job.taken >= 2
    await work.stop()


async def test_the_runner_goes_on_by_itself(wallets: Wallets, database: Database) -> None:
    job = Recorder()
    work = runner(wallets, database, job, settings=JobSettings(job_interval_ms=1))
    work.start()
    await until(lambda: job.taken >= 3, "three rounds")
    await work.stop()
    after = job.taken
    await asyncio.sleep(0.01)
    assert job.taken == after


# -- holds -------------------------------------------------------------------------------------


async def test_holds_end_when_their_time_is_up(wallets: Wallets, database: Database) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    short = [
        await wallets.hold(me.account_id, other.account_id, 10, hold_duration_us=60_000_000)
        for _ in range(5)
    ]
    await wallets.hold(me.account_id, other.account_id, 7)
    await wallets.settle(short[0], PostingKind.CAPTURE, 4)
    work = runner(wallets, database, ExpiredHolds(), settings=JobSettings(job_items_max=2))
    assert await work.run_once() == {"expired_holds": 0}
    wallets.clock.advance(60)
    assert await work.run_once() == {"expired_holds": 5}
    assert await work.run_once() == {"expired_holds": 0}
    assert await wallets.balance(me) == (96, 89, 7, 0)
    assert await wallets.balance(other) == (4, 4, 0, 7)
    await work.stop()


async def test_two_processes_expire_a_hold_once(wallets: Wallets, database: Database) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    for _ in range(20):
        await wallets.hold(me.account_id, other.account_id, 5, hold_duration_us=60_000_000)
    wallets.clock.advance(60)
    async with open_wallets(database.app_dsn, wallets.clock) as second:
        place = {"settings": JobSettings(job_items_max=3)}
        works = [runner(each, database, ExpiredHolds(), **place) for each in (wallets, second)]
        # Without leases both do everything: the worst that leases are there to avoid.
        for work in works:
            work._holder = works[0]._holder
        counts = await asyncio.gather(*(work.run_once() for work in works))
        assert sum(count["expired_holds"] for count in counts) == 20
        for work in works:
            await work.stop()
    assert await wallets.balance(me) == (100, 100, 0, 0)


async def test_a_transfer_is_not_paid_before_its_time_whoever_asks(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 60, delay=2)).transfer
    for seconds, left in ((2 * 3600 - 1, b"SCHEDULED"), (1, b"COMPLETED"), (1, b"COMPLETED")):
        wallets.clock.advance(seconds)
        command = PayDue(
            BOOK,
            None,
            transfer_id=TRANSACTION.decode(transfer.transfer_id),
            settlement_id=wallets.new_transaction_id(),
        )
        assert await wallets.submit(command) == left
    assert await wallets.balance(other) == (60, 60, 0, 0)


# -- clearing ----------------------------------------------------------------------------------


async def test_the_clearing_by_files(wallets: Wallets, database: Database, tmp_path: Path) -> None:
    me = await wallets.person(funds=1_000)
    confirmed, refused = await withdraw(wallets, me, 100), await withdraw(wallets, me, 200)
    work = runner(wallets, database, Clearing(FileClearing(tmp_path), wallets.vault))
    await work.run_once()
    (out,) = (tmp_path / "1" / "out").iterdir()
    sent = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [each["amount"] for each in sent] == ["10.00", "1.00", "2.00"]
    assert [each["direction"] for each in sent] == ["COLLECT", "PAY_OUT", "PAY_OUT"]
    assert await state(wallets, confirmed) == PROCESSING
    # Nothing is sent again.
    await work.run_once()
    assert len(list((tmp_path / "1" / "out").iterdir())) == 1
    answers = [
        {"transfer_id": confirmed, "outcome": "CONFIRMED"},
        {"transfer_id": refused, "outcome": "REFUSED", "code": "AC04"},
        {"transfer_id": confirmed, "outcome": "REFUSED", "code": "LATE"},
        {"transfer_id": "txn_" + "0" * 28 + "0007", "outcome": "CONFIRMED"},
        {"transfer_id": "txn_" + "0" * 28 + "0001", "outcome": "CONFIRMED"},
    ]
    text = "".join(json.dumps(answer) + "\n" for answer in answers)
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "1" / "in" / name).write_text(text, "utf-8")
    await work.run_once()
    # The first answer counts, however often answers come.
    assert await state(wallets, confirmed) == COMPLETED
    assert await state(wallets, refused) == FAILED
    assert await wallets.balance(me) == (900, 900, 0, 0)
    query = "select state from clearing_instruction where transaction_id = %s"
    for transfer_id, kept in (
        (confirmed, InstructionState.CONFIRMED),
        (refused, InstructionState.REFUSED),
    ):
        assert await one(database, query, transfer_id.removeprefix("txn_")) == kept
    assert {path.name for path in (tmp_path / "1" / "in" / "done").iterdir()} == {
        "a.jsonl",
        "b.jsonl",
    }
    await work.stop()


class Crash(Exception):  # noqa: N818 - what a kill would be
    """The process ends here."""


class CrashingClearing(InstantClearing):
    """Crashes once at a point of the hand-over."""

    def __init__(self, point: str) -> None:
        self.point = point
        self.sent: list[Any] = []

    def _pass(self, point: str) -> None:
        if self.point == point:
            self.point = ""
            raise Crash

    def send(self, book: int, instructions: Sequence[Instruction]) -> None:
        self._pass("before send")
        self.sent += [row.transaction_id for row in instructions]
        self._pass("after send")
        super().send(book, instructions)

    def collect(self, book: int, awaiting: Sequence[Instruction]) -> Sequence[Delivery]:
        self._pass("before collect")
        return super().collect(book, awaiting)

    def acknowledge(self, book: int, delivery: Delivery) -> None:
        self._pass("before acknowledge")
        super().acknowledge(book, delivery)


@pytest.mark.parametrize(
    "point", ["before send", "after send", "before collect", "before acknowledge", ""]
)
async def test_the_clearing_goes_on_wherever_it_stopped(
    wallets: Wallets, database: Database, point: str
) -> None:
    me = await wallets.person(funds=1_000)
    transfer_id = await withdraw(wallets, me, 100)
    adapter = CrashingClearing(point)
    for _ in range(2):
        work = runner(wallets, database, Clearing(adapter, wallets.vault))
        await work.run_once()
        await work.stop()
    assert await state(wallets, transfer_id) == COMPLETED
    assert await wallets.balance(me) == (900, 900, 0, 0)
    # What was handed over twice is the same transfer, which the clearing does once.
    wanted = 2 if point == "after send" else 1
    assert adapter.sent.count(TRANSACTION.decode(transfer_id)) == wanted


class SlowClearing(InstantClearing):
    """Answers only what it is asked to, and notes what it was asked after."""

    def __init__(self) -> None:
        self.asked: list[set[Any]] = []

    def collect(self, book: int, awaiting: Sequence[Instruction]) -> Sequence[Delivery]:
        del book
        self.asked.append({row.transaction_id for row in awaiting})
        return []


async def test_all_that_wait_have_their_turn(wallets: Wallets, database: Database) -> None:
    me = await wallets.person(funds=1_000)
    ids = {TRANSACTION.decode(await withdraw(wallets, me, 1)) for _ in range(6)}
    adapter = SlowClearing()
    work = runner(
        wallets, database, Clearing(adapter, wallets.vault), settings=JobSettings(job_items_max=3)
    )
    for _ in range(6):
        await work.run_once()
    assert ids <= set().union(*adapter.asked)
    assert all(len(each) <= 3 for each in adapter.asked)
    await work.stop()


async def test_a_withdrawal_confirmed_after_its_hold_ran_out_is_left_for_people(
    wallets: Wallets, database: Database, tmp_path: Path
) -> None:
    me = await wallets.person(funds=1_000)
    transfer_id = await withdraw(wallets, me, 100)
    work = runner(
        wallets, database, Clearing(FileClearing(tmp_path), wallets.vault), ExpiredHolds()
    )
    await work.run_once()
    wallets.clock.advance(401 * DAY_S)
    await work.run_once()
    answer = json.dumps({"transfer_id": transfer_id, "outcome": "CONFIRMED"})
    (tmp_path / "1" / "in" / "a.jsonl").write_text(answer, "utf-8")
    await work.run_once()
    found = await wallets.ask("GetTransfer", transfer_id=transfer_id)
    assert (found.transfer.state, found.transfer.failure_code) == (
        FAILED,
        "PENDING_POSTING_EXPIRED",
    )
    query = "select state from clearing_instruction where transaction_id = %s"
    assert await one(database, query, transfer_id.removeprefix("txn_")) == 5
    await work.stop()


# -- replies -----------------------------------------------------------------------------------


async def test_replies_are_forgotten_after_their_time(wallets: Wallets, database: Database) -> None:
    me, other = await wallets.person(funds=1_000), await wallets.person()
    old = [wallets.new_request_id() for _ in range(7)]
    for request_id in old:
        await wallets.pay(me, other, 1, request_id=request_id)
    refused = wallets.new_request_id()
    with pytest.raises(Refusal):
        await wallets.pay(me, other, 5_000, request_id=refused)
    wallets.clock.advance(29 * DAY_S)
    young = wallets.new_request_id()
    first = await wallets.pay(me, other, 2, request_id=young)
    await wallets.jobs.run_once()
    assert await wallets.pay(me, other, 2, request_id=young) == first
    count = "select count(*) from request_record where reply is null"
    assert await one(database, count) == 0
    wallets.clock.advance(DAY_S + 61)
    work = wallets.new_runner(
        database.app_dsn, InstantClearing(), JobSettings(job_items_max=2, job_rounds_max=1_000)
    )
    await wallets.jobs.stop()
    await work.run_once()
    for request_id in (*old, refused):
        with pytest.raises(Refusal) as caught:
            await wallets.pay(
                me, other, 5_000 if request_id == refused else 1, request_id=request_id
            )
        assert caught.value.reason == "REPLY_EXPIRED"
    assert await wallets.pay(me, other, 2, request_id=young) == first
    assert (await wallets.balance(other))[0] == 9
    forgotten = await one(database, count)
    await work.run_once()
    assert await one(database, count) == forgotten
    wallets.clock.advance(30 * DAY_S)
    await work.run_once()
    with pytest.raises(Refusal) as caught:
        await wallets.pay(me, other, 2, request_id=young)
    assert caught.value.reason == "REPLY_EXPIRED"
    await work.stop()


async def test_an_empty_book_has_nothing_to_forget(wallets: Wallets) -> None:
    assert (await wallets.jobs.run_once())["reply_expiry"] == 0
