"""The bench measures what it says it measures, on a plan too short to mean anything."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import grpc
import psycopg
import pytest
from rich.progress import Progress

from bench import invariants, storage
from bench.driver import Driver
from bench.load import Load, LoadError
from bench.pgbench import DATABASE as BASELINE
from bench.pgbench import BaselineError
from bench.plan import Plan
from bench.seed import open_accounts
from bench.servers import EmptyServer, LongmenServer
from bench.session import DATABASE, Session
from bench.wire import Shape
from tests.support.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.report import Bar

TINY = Plan(
    rounds=1,
    accounts=200,
    window=0.3,
    baseline_window=1,
    serial_window=0.2,
    warm_up=0.1,
    in_flight=16,
    connections=4,
    batch=100,
    batches_in_flight=2,
    hot_clients=2,
    uniform_clients=(2,),
    storage_transfers=500,
    memory_transfers=3_000,
    soak=2.0,
    open_loop=0.3,
)

STRANGERS = 50_000
"""So many accounts that a pair of them practically never exists."""

BARS = {"B1", "B2", "B3", "B3-hot", "B4", "B5", "B5-ledger", "B6", "B6-slope"}


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with Driver(2) as started:
        yield started


@pytest.fixture(scope="module")
def empty() -> Iterator[EmptyServer]:
    with EmptyServer(1) as started:
        yield started


@pytest.fixture(scope="module")
def longmen() -> Iterator[LongmenServer]:
    with (
        tempfile.TemporaryDirectory(
            prefix="longmen-bench-", ignore_cleanup_errors=True, dir=scratch()
        ) as folder,
        LongmenServer(Path(folder), 1) as started,
    ):
        yield started


class Run(NamedTuple):
    """A session that has run, and what it has found."""

    session: Session
    bars: dict[str, Bar]

    @property
    def acknowledged(self) -> int:
        return self.session.seen.acknowledged


@pytest.fixture(scope="module")
def run(driver: Driver, empty: EmptyServer, longmen: LongmenServer) -> Run:
    session = Session(
        TINY,
        driver=driver,
        longmen=longmen,
        empty=empty,
        token=longmen.run_cli("token").strip(),
        progress=Progress(disable=True),
    )
    return Run(session, {bar.id: bar for bar in session.run()})


# Whichever test comes first waits for the run.
pytestmark = pytest.mark.timeout(180)


def test_a_run_judges_every_bar_and_its_own_traces(run: Run) -> None:
    assert set(run.bars) == BARS
    assert all(bar.value > 0 for name, bar in run.bars.items() if name != "B6-slope")
    assert run.acknowledged >= TINY.memory_transfers
    assert len(run.session.seen.invariants) == len(invariants.CHECKS) + 1


def connect(longmen: LongmenServer, database: str) -> psycopg.Connection:
    dsn = longmen.postgres().with_database(database)
    return psycopg.connect(dsn, autocommit=True)


def test_a_lost_transfer_is_noticed(run: Run, longmen: LongmenServer) -> None:
    dsn = longmen.postgres().with_database(DATABASE)
    with pytest.raises(invariants.InvariantError, match="were acknowledged"):
        invariants.verify(dsn, acknowledged=run.acknowledged + 1)


@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        (
            "UPDATE ledger_account SET debits_posted = debits_posted + 1 WHERE version > 0",
            "UPDATE ledger_account SET debits_posted = debits_posted - 1 WHERE version > 0",
        ),
        (
            "UPDATE ledger_account SET version = version + 1 WHERE version > 0",
            "UPDATE ledger_account SET version = version - 1 WHERE version > 1",
        ),
        (
            "UPDATE ledger_posting SET debit_posted_after = debit_posted_after + 1000000",
            "UPDATE ledger_posting SET debit_posted_after = debit_posted_after - 1000000",
        ),
    ],
)
def test_damage_is_noticed(run: Run, longmen: LongmenServer, damage: str, repair: str) -> None:
    dsn = longmen.postgres().with_database(DATABASE)
    with connect(longmen, DATABASE) as connection:
        connection.execute(damage.encode())
        with pytest.raises(invariants.InvariantError, match="exceptions from"):
            invariants.verify(dsn, acknowledged=run.acknowledged)
        connection.execute(repair.encode())
    invariants.verify(dsn, acknowledged=run.acknowledged)


def test_a_baseline_that_does_nothing_is_noticed(run: Run, longmen: LongmenServer) -> None:
    with connect(longmen, BASELINE) as connection:
        connection.execute("DELETE FROM event")
    with pytest.raises(BaselineError, match="hold"):
        run.session.pgbench.check()


def test_bytes_are_told_apart_by_table(run: Run, longmen: LongmenServer) -> None:
    assert run.bars["B5"].parts["postings"] >= TINY.storage_transfers
    sizes = storage.measure(longmen.postgres().with_database(DATABASE))
    assert 0 < sizes.ledger() < sizes.everything()
    assert sizes.since(sizes) == dict.fromkeys(sizes.tables, 0)


def test_a_load_ends_by_count(driver: Driver, empty: EmptyServer) -> None:
    load = Load(
        empty.target, Shape("empty"), 30.0, in_flight=8, connections=2, warm_up=0, total=101
    )
    result = driver.run(load)
    assert result.completed == result.latency.get_total_count() == 101


def test_a_load_keeps_to_its_rate(driver: Driver, empty: EmptyServer) -> None:
    load = Load(empty.target, Shape("empty"), 2.0, in_flight=64, connections=2, rate=100.0)
    assert driver.run(load).rate == pytest.approx(100, rel=0.5)


def test_a_refused_call_fails_a_load_unless_tolerated(
    driver: Driver, longmen: LongmenServer
) -> None:
    load = Load(longmen.target, Shape("ledger", 2), 0.2, token="nobody")
    with pytest.raises(LoadError, match="UNAUTHENTICATED"):
        driver.run(load)
    tolerant = Load(longmen.target, Shape("ledger", 2), 0.2, token="nobody", tolerate_refusals=True)
    result = driver.run(tolerant)
    assert result.completed == 0
    assert set(result.refusals) == {"UNAUTHENTICATED"}


def test_a_transfer_that_is_refused_fails_a_load(
    run: Run, driver: Driver, longmen: LongmenServer
) -> None:
    assert run.bars, "the accounts are open"
    token = longmen.run_cli("token").strip()
    load = Load(longmen.target, Shape("ledger", STRANGERS), 0.3, token=token)
    with pytest.raises(LoadError, match="WrongReplyError"):
        driver.run(load)


def test_accounts_are_opened_in_calls_of_a_thousand(run: Run, longmen: LongmenServer) -> None:
    assert run.bars, "the accounts are open"
    token = longmen.run_cli("token").strip()
    opened: list[int] = []
    # Opening accounts that exist with the same content changes nothing.
    open_accounts(longmen.target, token, TINY.accounts, opened.append)
    assert opened == [TINY.accounts + 1]
    with pytest.raises(grpc.RpcError):
        open_accounts(longmen.target, "nobody", 1, opened.append)
