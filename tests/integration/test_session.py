"""A writer's session and the wire below it, against a real Postgres."""

from __future__ import annotations

import asyncio
import itertools
import struct
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest
from psycopg import errors

from longmen_server.engine.family import Statement
from longmen_server.engine.session import CommitUnknownError, Session
from longmen_server.platform.adapters import ByteaArray, Int2Array, Int8Array, UuidArray
from tests.support.poll import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.support.postgres import Database

REFUSALS = (
    b"insert into ledger_refusal (book, transaction_id, reason, booked_at_us)"
    b" select $1, u.a, 'TEST', u.b from unnest($2, $3) as u(a, b)"
)
REQUESTS = (
    b"insert into request_record (booked_at_us, book, outcome, request_key, content)"
    b" select 1, $1, 0, u.a, u.b from unnest($2, $3) as u(a, b)"
)


class Rig(NamedTuple):
    session: Session
    admin: psycopg.Connection

    def rows(self) -> int:
        row = self.admin.execute("select count(*) from ledger_refusal").fetchone()
        assert row is not None
        return int(row[0])


def refusals(*numbers: int, value: int = 1) -> Statement:
    ids = [number.to_bytes(16, "big") for number in numbers]
    return Statement(REFUSALS, (1, UuidArray(ids), Int8Array([value] * len(ids))))


def requests(numbers: Sequence[int], size: int) -> Statement:
    ids = [number.to_bytes(16, "big") for number in numbers]
    return Statement(REQUESTS, (1, UuidArray(ids), ByteaArray([bytes(size)] * len(ids))))


def open_session(dsn: str) -> Session:
    return Session(dsn, lock_timeout_ms=500, statement_timeout_ms=5000, silence_ms=20_000)


@pytest.fixture
async def rig(module_database: Database) -> AsyncIterator[Rig]:
    session = open_session(module_database.app_dsn)
    await session.open()
    with psycopg.connect(module_database.admin_dsn, autocommit=True) as admin:
        admin.execute("truncate ledger_refusal, request_record")
        yield Rig(session, admin)
    await session.close()


async def test_a_transaction_takes_effect_as_a_whole(rig: Rig) -> None:
    await rig.session.read((), begin=True)
    await rig.session.write([refusals(1, 2)])
    assert rig.rows() == 0
    await rig.session.write_and_commit([refusals(3)])
    assert rig.rows() == 3
    assert rig.session.usable


async def test_plans_follow_a_table_that_grows(rig: Rig) -> None:
    """Planned while it was empty, a look for one row read all of them."""
    look = Statement(
        b"select s.state from unnest($2, $3) as u (k, i) join risk_subject as s"
        b" on s.book = $1 and s.kind = u.k and s.subject = u.i",
        (1, Int2Array([1]), UuidArray([bytes(16)])),
    )
    count = Statement(
        b"select idx_tup_fetch from pg_stat_xact_user_tables where relname = 'risk_subject'", ()
    )
    # What the session has not told the statistics yet adds up.
    read = [0]
    for number in range(12):
        if number == 1:
            rig.admin.execute(
                "insert into risk_subject select 1, 1, 1, 0, gen_random_uuid(), null, ''"
                " from generate_series(1, 2000)"
            )
        _, counted = await rig.session.read((look, count), begin=True)
        await rig.session.rollback()
        read.append(counted[0][0])
    assert 2_000 in {after - before for before, after in itertools.pairwise(read)}
    assert read[-1] == read[-2]


async def test_the_failure_of_a_statement_takes_the_commit_with_it(rig: Rig) -> None:
    await rig.session.read((), begin=True)
    with pytest.raises(errors.UniqueViolation):
        await rig.session.write_and_commit([refusals(1), refusals(1), refusals(2)])
    await rig.session.rollback()
    assert rig.session.usable
    assert rig.rows() == 0


async def test_the_first_failure_is_told_however_much_is_sent_after_it(rig: Rig) -> None:
    await rig.session.read((), begin=True)
    many = [requests(range(n * 100, n * 100 + 100), 40_000) for n in range(4)]
    with pytest.raises(errors.UniqueViolation):
        await rig.session.write_and_commit([refusals(1), refusals(1), *many, refusals(2)])
    await rig.session.rollback()
    await rig.session.read((), begin=True)
    await rig.session.write_and_commit([*many, refusals(2)])
    assert rig.rows() == 1


async def test_a_value_that_does_not_fit_sends_nothing(rig: Rig) -> None:
    await rig.session.read((), begin=True)
    # The first two would be prepared, and the second of them fails: neither may be half known.
    broken = [requests([1], 1), refusals(1, 1), refusals(1, value=2**63)]
    with pytest.raises(struct.error):
        await rig.session.write_and_commit(broken)
    await rig.session.rollback()
    await rig.session.read((), begin=True)
    await rig.session.write_and_commit([requests([1], 1), refusals(1)])
    assert rig.rows() == 1


@pytest.mark.parametrize("begun", [True, False])
async def test_a_backend_that_ends_is_noticed_and_not_waited_for(rig: Rig, *, begun: bool) -> None:
    if begun:
        await rig.session.read((), begin=True)
    backend = rig.session.backend
    assert backend is not None
    rig.admin.execute("select pg_terminate_backend(%s, 5000)", [backend.pid])
    with pytest.raises(psycopg.OperationalError):
        await rig.session.read([refusals(1)], begin=not begun)
    await rig.session.rollback()
    assert not rig.session.usable


async def test_a_backend_that_ends_under_a_commit_leaves_the_outcome_unknown(rig: Rig) -> None:
    await rig.session.read((), begin=True)
    backend = rig.session.backend
    assert backend is not None
    rig.admin.execute("select pg_terminate_backend(%s, 5000)", [backend.pid])
    with pytest.raises(CommitUnknownError):
        await rig.session.write_and_commit([refusals(1)])
    assert not rig.session.usable


async def test_a_backend_that_is_told_to_end_while_it_waits_for_a_lock(rig: Rig) -> None:
    rig.admin.execute("begin; lock table ledger_refusal in share mode")
    await rig.session.read((), begin=True)
    writing = asyncio.ensure_future(rig.session.write_and_commit([refusals(1)]))
    backend = rig.session.backend
    assert backend is not None
    query = "select wait_event_type from pg_stat_activity where pid = %s"
    await until(
        lambda: rig.admin.execute(query, [backend.pid]).fetchone() == ("Lock",), "waiting for it"
    )
    rig.admin.execute("select pg_terminate_backend(%s, 5000)", [backend.pid])
    with pytest.raises(CommitUnknownError):
        await writing
    rig.admin.execute("rollback")
    assert rig.rows() == 0


async def test_a_lock_that_is_not_given_is_told_as_that(rig: Rig) -> None:
    rig.admin.execute("begin; lock table ledger_refusal in share mode")
    await rig.session.read((), begin=True)
    with pytest.raises(errors.LockNotAvailable):
        await rig.session.write_and_commit([refusals(1)])
    await rig.session.rollback()
    rig.admin.execute("rollback")
    assert rig.session.usable


async def test_former_backends_are_ended_and_others_left_alone(
    rig: Rig, module_database: Database
) -> None:
    other = open_session(module_database.app_dsn)
    await other.open()
    lost = other.backend
    assert lost is not None
    await other.read((), begin=True)
    assert await rig.session.end_backend(lost._replace(started_at_us=1)), "another process's id"
    assert other.usable is False  # in its transaction
    await until(lambda: rig.session.end_backend(lost), "the backend ends")
    with pytest.raises(psycopg.OperationalError):
        await other.read([refusals(1)], begin=False)
    await other.close()


async def test_two_sessions_never_have_the_same_writer_number(
    rig: Rig, module_database: Database
) -> None:
    other = open_session(module_database.app_dsn)
    await other.open()
    assert await rig.session.claim_writer(1, 1, 3) == 1
    assert await other.claim_writer(1, 1, 3) == 2
    assert await other.claim_writer(2, 1, 3) == 1
    await rig.session.close()
    await rig.session.open()
    assert await rig.session.claim_writer(1, 1, 3) == 1
    with pytest.raises(RuntimeError, match="taken"):
        await other.claim_writer(2, 1, 0)
    await other.close()
