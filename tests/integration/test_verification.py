from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from longmen_server.ledger.verification.report import FINDINGS_LISTED_MAX, KINDS
from longmen_server.platform.database import connect
from tests.support.clock import SettableClock
from tests.support.proof import fill_book, proof_of, proof_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from longmen_server.platform.database import Connection
    from tests.support.postgres import Database, SharedPostgres

ANY_POSTING = "(select ctid from ledger_posting where kind = 1 order by booked_at_us limit 1)"
CORRUPTIONS = {
    one["what"]: one
    for one in tomllib.loads(
        (Path(__file__).parents[1] / "support" / "corruptions.toml").read_text("utf-8")
    )["corruption"]
}


@pytest.fixture(scope="module")
async def filled(module_database: Database) -> Database:
    """A book with everything in it, not to be changed."""
    await fill_book(module_database.app_dsn, SettableClock())
    return module_database


@pytest.fixture
def copy(postgres: SharedPostgres, filled: Database) -> Iterator[Database]:
    """The same book, to be broken."""
    fresh = postgres.create(template=filled.name)
    yield fresh
    postgres.drop(fresh)


@pytest.fixture(scope="module")
async def breaker(postgres: SharedPostgres, filled: Database) -> AsyncIterator[Connection]:
    """A connection to another copy that may change anything, and takes it back."""
    fresh = postgres.create(template=filled.name)
    connection = await connect(fresh.admin_dsn, application_name="tests corruption")
    yield connection
    await connection.close()
    postgres.drop(fresh)


@pytest.fixture
def clock() -> SettableClock:
    later = SettableClock()
    later.advance(60)
    return later


async def test_a_book_with_everything_in_it_is_proven(
    filled: Database, clock: SettableClock
) -> None:
    findings, summary, progress = await proof_of(filled.app_dsn, clock)
    assert not findings
    assert summary.finding_count == 0
    assert not summary.counts
    with psycopg.connect(filled.app_dsn) as connection:
        for table, count in (
            ("ledger_account", summary.account_count),
            ("ledger_posting", summary.posting_count),
            ("event", summary.event_count),
            ("journal_block", summary.block_count),
        ):
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
            assert connection.execute(query).fetchone() == (count,)
        # What the book must contain for this test to mean anything.
        for wanted in (
            "select 1 from ledger_hold group by () having count(distinct state) = 4",
            "select 1 from event group by () having count(distinct writer) = 2",
            "select 1 from ledger_reversal",
            "select 1 from ledger_refusal",
            "select 1 from ledger_account where state = 6",
            "select 1 from wallet_account group by () having count(closed_at_us) = 1",
            "select 1 from kyc_standing group by () having count(distinct since_us) = 2",
            "select 1 from kyc_evidence group by () having count(distinct state) = 2",
            "select 1 from transfer_schedule group by () having count(distinct state) = 6",
            "select 1 from clearing_instruction group by () having count(distinct state) = 3",
            "select 1 from merchant_order group by () having count(distinct state) = 10",
            "select 1 from order_attempt group by () having count(distinct outcome) = 3",
            "select 1 from payer_code group by () having count(distinct state) = 2",
            "select 1 from limit_entry group by () having bool_or(reserved > 0)",
            "select 1 from limit_entry group by () having bool_or(restored > 0)",
            "select 1 from limit_entry group by () having bool_or(used + reserved = 0)",
            "select 1 from request_record group by () having count(distinct outcome) = 2",
        ):
            assert connection.execute(sql.SQL(wanted)).fetchone() == (1,), wanted
    last = {report.check: report for report in progress}
    assert all(report.done == report.total for report in last.values())


async def test_an_empty_book_is_proven(database: Database, clock: SettableClock) -> None:
    findings, summary, _ = await proof_of(database.app_dsn, clock)
    assert not findings
    assert summary.account_count == 0


async def test_another_book_is_left_alone(copy: Database, clock: SettableClock) -> None:
    corrupt(copy, CORRUPTIONS["a balance is raised"]["sql"])
    findings, _, _ = await proof_of(copy.app_dsn, clock, book=2)
    assert not findings


@pytest.mark.parametrize("what", CORRUPTIONS)
async def test_every_corruption_is_found(
    breaker: Connection, clock: SettableClock, what: str
) -> None:
    changes = statements_of(CORRUPTIONS[what]["sql"])
    findings, summary, _ = await proof_within(breaker, clock, changes)
    kinds = {finding.kind for finding in findings}
    assert set(CORRUPTIONS[what]["kinds"]) <= kinds, findings
    assert set(summary.counts) == kinds
    assert summary.finding_count == len(findings)


def test_every_kind_is_found_by_a_corruption() -> None:
    assert {kind for one in CORRUPTIONS.values() for kind in one["kinds"]} == set(KINDS)


async def test_findings_beyond_the_bound_are_counted(copy: Database, clock: SettableClock) -> None:
    corrupt(
        copy,
        "insert into request_record select 1, 1, 0, gen_random_uuid(), '\\x00', ''"
        " from generate_series(1, 150)",
    )
    findings, summary, _ = await proof_of(copy.app_dsn, clock)
    assert len(findings) == FINDINGS_LISTED_MAX
    assert summary.counts == {"REQUEST_MALFORMED": 150}


async def test_nothing_is_written_or_locked(filled: Database, clock: SettableClock) -> None:
    with psycopg.connect(filled.admin_dsn) as other:
        # Whoever needs more than to read waits for this, in vain.
        other.execute("lock table ledger_account, ledger_posting, event in exclusive mode")
        findings, _, _ = await proof_of(filled.app_dsn, clock)
    assert not findings


def corrupt(database: Database, statements: str) -> None:
    """Break a book as its superuser; every statement must change something."""
    with psycopg.connect(database.admin_dsn) as connection:
        for statement in statements_of(statements):
            changed = connection.execute(statement.encode()).rowcount
            assert changed != 0, statement


def statements_of(corruption: str) -> list[str]:
    return corruption.replace("{one}", ANY_POSTING).split(";")
