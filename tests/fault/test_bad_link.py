"""The link to the database fails around the commit: every reply is right, every effect single."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.engine.writer import WriterLimits
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.audit import audit
from tests.support.booking import account, move, transfers, verdict
from tests.support.clock import START_US, SettableClock
from tests.support.link import Fate, Link
from tests.support.poll import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from longmen_server.engine.command import Command, Outcome
    from tests.support.postgres import Database

FATES: tuple[Fate, ...] = ("lose_request", "lose_reply", "strand")
FUNDS = 1_000_000


def done(calls: Iterable[asyncio.Future[Any]]) -> int:
    return sum(call.done() for call in calls)


class Rig:
    """An engine behind a link, with accounts 1 and 2."""

    def __init__(self, engine: Engine, link: Link, clock: SettableClock) -> None:
        self.engine = engine
        self.link = link
        self.clock = clock

    async def ask(self, command: Command, seconds: float = 20) -> Outcome | BaseException:
        try:
            deadline = self.clock.monotonic() + seconds
            return await self.engine.submit(command, deadline=deadline)
        except Refusal as refusal:
            return refusal


@asynccontextmanager
async def running(
    database: Database, limits: WriterLimits | None = None, failpoints: str = ""
) -> AsyncIterator[Rig]:
    clock = SettableClock()
    async with Link(database.app_dsn) as link:
        engine = Engine(
            dsn=link.dsn,
            books=[1],
            clock=clock,
            failpoints=Failpoints(failpoints),
            limits=limits,
        )
        await engine.start()
        try:
            rig = Rig(engine, link, clock)
            rows = (account(1), account(2, floor=0), account(3, floor=0))
            booking.reply(await rig.ask(booking.open_accounts(*rows)))
            assert verdict(await rig.ask(transfers(move(1, 1, 2, FUNDS)))) == "CREATED"
            yield rig
        finally:
            await engine.stop()


@pytest.mark.parametrize("fate", FATES)
async def test_a_commit_whose_link_ends_is_settled_to_one_effect(
    database: Database, fate: Fate
) -> None:
    async with running(database) as rig:
        rig.link.fates.extend([fate, "pass"])
        asked = [transfers(move(10 + n, 2, 3, 1)) for n in range(50)]
        answers = await asyncio.gather(*(rig.ask(command) for command in asked))
        assert {verdict(answer) for answer in answers} == {"CREATED"}
        assert fate in rig.link.met
        again = await asyncio.gather(*(rig.ask(command) for command in asked))
        assert [booking.reply(a) for a in again] == [booking.reply(a) for a in answers]
    books = audit(database.admin_dsn)
    assert len(books.postings) == 51


async def test_settling_tells_what_took_effect_from_what_did_not(database: Database) -> None:
    async with running(database) as rig:
        for number, fate in enumerate(FATES * 3):
            rig.link.fates.append(fate)
            outcome = await rig.ask(transfers(move(100 + number, 2, 3, 1)))
            assert not isinstance(outcome, BaseException)
            # Replayed means that the lost commit had got through.
            assert outcome.replayed == (fate == "lose_reply")
    assert len(audit(database.admin_dsn).postings) == 10


async def test_commits_lost_at_random_under_load_lose_and_double_nothing(
    database: Database,
) -> None:
    random_ = random.Random(11)
    async with running(database) as rig:
        rig.link.fates.extend(random_.choice((*FATES, "pass", "pass")) for _ in range(40))

        async def caller(number: int) -> Counter[str]:
            found = Counter[str]()
            for turn in range(25):
                command = transfers(move(1000 + number * 100 + turn, 2, 3, 1))
                answer = await rig.ask(command)
                while verdict(answer) == "OUTCOME_UNKNOWN":
                    answer = await rig.ask(command)
                found[verdict(answer)] += 1
            return found

        counts = await asyncio.gather(*(caller(number) for number in range(20)))
        assert sum(counts, Counter()) == {"CREATED": 500}
    books = audit(database.admin_dsn)
    assert len(books.postings) == 501
    assert len({request.request_key for request in books.requests}) == 502


async def test_a_link_that_swallows_everything_is_given_up(database: Database) -> None:
    limits = WriterLimits(statement_timeout_ms=200, lock_timeout_ms=100, silence_ms=400)
    async with running(database, limits) as rig:
        rig.link.fates.append("silence")
        started = time.monotonic()
        outcome = await rig.ask(transfers(move(10, 2, 3, 1)))
        assert not isinstance(outcome, BaseException)
        assert outcome.replayed, "the commit had arrived"
        assert 0.4 <= time.monotonic() - started < 5
    assert len(audit(database.admin_dsn).postings) == 2


async def test_a_connection_reset_in_the_middle_is_no_harm(database: Database) -> None:
    async with running(database) as rig:
        asked = [transfers(move(10 + n, 2, 3, 1)) for n in range(3000)]
        calls = [asyncio.ensure_future(rig.ask(command)) for command in asked]
        for share in (300, 900, 1500, 2400):
            await until(lambda: done(calls) >= share, "some are done")  # noqa: B023 - used here only
            rig.link.reset()
        answers = [await call for call in calls]
        verdicts = {verdict(answer) for answer in answers}
        assert "CREATED" in verdicts
        assert verdicts <= {"CREATED", "STORAGE_UNAVAILABLE", "OUTCOME_UNKNOWN"}
        unavailable = [
            command
            for command, answer in zip(asked, answers, strict=True)
            if verdict(answer) == "STORAGE_UNAVAILABLE"
        ]
        digests = {c.request.digest for c in unavailable if c.request}
        recorded = {request.request_key for request in audit(database.admin_dsn).requests}
        assert not digests & recorded, "unavailable means that nothing was done"
        again = await asyncio.gather(*(rig.ask(command) for command in asked))
        assert {verdict(answer) for answer in again} == {"CREATED"}
    assert len(audit(database.admin_dsn).postings) == 3001


async def test_without_a_database_calls_are_refused_fast_and_served_after(
    database: Database,
) -> None:
    async with running(database) as rig:
        rig.link.cut = True
        rig.link.reset()
        await rig.ask(transfers(move(9, 2, 3, 1)))  # finds the link gone
        for number in range(20):
            started = time.monotonic()
            assert verdict(await rig.ask(transfers(move(10 + number, 2, 3, 1)))) == (
                "STORAGE_UNAVAILABLE"
            )
            assert time.monotonic() - started < 1
        rig.link.cut = False
        assert verdict(await rig.ask(transfers(move(50, 2, 3, 1)))) == "CREATED"


async def test_an_outcome_that_stays_unknown_is_called_so_and_found_later(
    database: Database,
) -> None:
    async with running(database, WriterLimits(settle_ms_max=200)) as rig:
        rig.link.fates.append("lose_reply")
        rig.link.cut_with_commit = True
        command = transfers(move(10, 2, 3, 1))
        assert verdict(await rig.ask(command)) == "OUTCOME_UNKNOWN"
        rig.link.cut = False
        outcome = await rig.ask(command)
        assert not isinstance(outcome, BaseException)
        assert (verdict(outcome), outcome.replayed) == ("CREATED", True)


# -- Waiting for rows, conflicts and clocks --------------------------------------------------------


async def test_a_row_held_for_too_long_is_contention(database: Database) -> None:
    async with running(database, WriterLimits(lock_timeout_ms=200)) as rig:
        with psycopg.connect(database.admin_dsn) as admin:
            admin.execute("select from ledger_account where book = 1 for update")
            started = time.monotonic()
            assert verdict(await rig.ask(transfers(move(10, 2, 3, 1)))) == "CONTENTION"
            assert 0.2 <= time.monotonic() - started < 2
        assert verdict(await rig.ask(transfers(move(10, 2, 3, 1)))) == "CREATED"


@pytest.mark.parametrize(("state", "failures"), [("40001", 3), ("40P01", 1), ("40001", 99)])
async def test_a_conflict_told_by_the_database_is_repeated_in_silence(
    database: Database, state: str, failures: int
) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        owner.execute("create sequence tries")
        owner.execute("grant usage on sequence tries to public")
        owner.execute(
            "create function fail() returns trigger language plpgsql as $$ begin"
            f" if nextval('tries') <= {failures} then raise sqlstate '{state}'; end if;"
            " return new; end $$"
        )
        async with running(database) as rig:
            owner.execute(
                "create trigger fail before insert on ledger_posting"
                " for each row execute function fail()"
            )
            answer = await rig.ask(transfers(move(10, 2, 3, 1)))
            assert verdict(answer) == ("CREATED" if failures < 6 else "CONTENTION")
            owner.execute("drop trigger fail on ledger_posting")
            assert verdict(await rig.ask(transfers(move(11, 2, 3, 1)))) == "CREATED"
    audit(database.admin_dsn)


async def test_a_clock_that_is_set_back_does_not_set_back_the_books(database: Database) -> None:
    async with running(database) as rig:
        for number, moved in enumerate((0, -86_400, 86_400, -1, 1)):
            rig.clock.set_us(START_US + moved * 1_000_000)
            assert verdict(await rig.ask(transfers(move(10 + number, 2, 3, 1)))) == "CREATED"
    stamps = [p.booked_at_us for p in audit(database.admin_dsn).postings]
    assert stamps == sorted(set(stamps))


async def test_a_caller_that_gave_up_after_the_commit_finds_it_by_the_request(
    database: Database,
) -> None:
    async with running(database, failpoints="after_commit=delay:150") as rig:
        command = transfers(move(10, 2, 3, 1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await rig.ask(command)
        outcome = await rig.ask(command)
        assert not isinstance(outcome, BaseException)
        assert (verdict(outcome), outcome.replayed) == ("CREATED", True)


async def test_callers_cancelled_at_random_leave_an_effect_or_none(database: Database) -> None:
    random_ = random.Random(5)
    async with running(database, WriterLimits(batch_commands_max=50)) as rig:
        asked = [transfers(move(10 + n, 2, 3, 1)) for n in range(1000)]

        async def impatient(command: Command) -> None:
            call = asyncio.ensure_future(rig.ask(command))
            # Some are gone before they can have begun, some stay to the end.
            patience = random_.choice((0, 0.001, 0.01, 0.1 * random_.random(), 20))
            await asyncio.wait([call], timeout=patience)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

        await asyncio.gather(*(impatient(command) for command in asked))
        answers = await asyncio.gather(*(rig.ask(command) for command in asked))
        assert {verdict(answer) for answer in answers} == {"CREATED"}
        replays = sum(1 for a in answers if not isinstance(a, BaseException) and a.replayed)
        assert 0 < replays < 1000
    assert len(audit(database.admin_dsn).postings) == 1001
