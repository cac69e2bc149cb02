"""The writer against a database that fails on demand: who is answered what, and when."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from longmen_server.engine.failpoints import POINTS, Failpoints
from longmen_server.engine.writer import WriterLimits
from longmen_server.platform.refusal import Refusal
from tests.support.clock import START_US, SettableClock
from tests.support.simulation import (
    COUNTER_MAXIMUM,
    COUNTERS,
    Add,
    SimulatedDatabase,
    SimulatedSession,
    reason_of,
    request,
    simulated_engine,
    submit,
    writer_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.engine.engine import Engine
    from longmen_server.engine.working_set import WorkingSet

ATTEMPTS = WriterLimits().batch_attempts_max


class Rig:
    """One engine over one simulated database."""

    def __init__(self, engine: Engine, session: SimulatedSession) -> None:
        self.engine = engine
        self.session = session
        self.database = session.database

    async def together(self, *commands: Add) -> list[str]:
        """Submit so that all stand in one batch."""
        return await asyncio.gather(*(reason_of(self.engine, command) for command in commands))


@asynccontextmanager
async def running(
    *, limits: WriterLimits | None = None, failpoints: Failpoints | None = None
) -> AsyncIterator[Rig]:
    session = SimulatedSession(SimulatedDatabase())
    engine = simulated_engine(session, limits=limits, failpoints=failpoints)
    await engine.start()
    session.forget_calls()
    try:
        yield Rig(engine, session)
    finally:
        await engine.stop()


async def test_commands_that_wait_together_share_one_transaction() -> None:
    async with running() as rig:
        replies = await rig.together(*(Add(request(n), 1, 1) for n in range(100)))
        assert replies == [str(n) for n in range(1, 101)]
        assert rig.session.calls == ["read", "commit"]


async def test_a_lone_command_does_not_wait_for_others() -> None:
    async with running() as rig:
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert rig.session.calls == ["read", "commit"]


async def test_nobody_is_answered_before_the_commit() -> None:
    points = Failpoints("before_commit=delay:20")
    async with running(failpoints=points) as rig:
        waiting = asyncio.ensure_future(reason_of(rig.engine, Add(request(1), 1, 5)))
        await rig.session.reached("write")
        assert not waiting.done()
        assert rig.database.state.counters == {}
        assert await waiting == "5"
        assert rig.database.state.counters == {1: 5}


async def test_a_refusal_leaves_nothing_but_its_record() -> None:
    async with running() as rig:
        replies = await rig.together(
            Add(request(1), 1, 5), Add(request(2), 1, -6), Add(request(3), 1, 2)
        )
        assert replies == ["5", "INSUFFICIENT_FUNDS", "7"]
        assert rig.database.state.counters == {1: 7}
        assert len(rig.database.state.requests) == 3
        assert len(rig.database.state.events) == 2


async def test_a_repeated_refusal_is_the_same_refusal_although_it_would_pass_now() -> None:
    async with running() as rig:
        assert await reason_of(rig.engine, Add(request(1), 1, -1)) == "INSUFFICIENT_FUNDS"
        assert await reason_of(rig.engine, Add(request(2), 1, 10)) == "10"
        with pytest.raises(Refusal) as repeated:
            await submit(rig.engine, Add(request(1), 1, -1))
        assert repeated.value.replayed
        assert repeated.value.metadata == {"value": "-1"}
        assert rig.database.state.counters == {1: 10}


async def test_a_refusal_that_is_not_final_leaves_its_request_id_to_be_used() -> None:
    class Waiting(Add):
        """Wants the counter to be there first."""

        __slots__ = ()

        def decide(self, working_set: WorkingSet) -> bytes:
            if working_set.get(COUNTERS, self.counter) is None:
                refusal = Refusal("NEEDS_AUTH", "not yet")
                refusal.final = False
                raise refusal
            return super().decide(working_set)

    async with running() as rig:
        assert await reason_of(rig.engine, Waiting(request(1), 1, 5)) == "NEEDS_AUTH"
        assert rig.database.state.requests == {}
        assert await reason_of(rig.engine, Add(request(2), 1, 10)) == "10"
        outcomes = [await submit(rig.engine, Waiting(request(1), 1, 5)) for _ in range(2)]
        assert [(outcome.reply, outcome.replayed) for outcome in outcomes] == [
            (b"15", False),
            (b"15", True),
        ]


async def test_a_repeated_request_in_the_same_batch_is_replayed() -> None:
    async with running() as rig:
        commands = [Add(request(1), 1, 5) for _ in range(50)]
        outcomes = await asyncio.gather(*(submit(rig.engine, command) for command in commands))
        assert {outcome.reply for outcome in outcomes} == {b"5"}
        assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 49


@pytest.mark.parametrize("fate", ["lost", "unseen", "limbo"])
async def test_an_unknown_commit_is_settled_to_one_effect(fate: str) -> None:
    async with running() as rig:
        rig.session.plan("commit", fate)
        assert await rig.together(Add(request(1), 1, 5), Add(request(2), 1, 5)) == ["5", "10"]
        assert rig.database.state.counters == {1: 10}
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"


async def test_an_unknown_commit_is_not_called_contention_when_attempts_run_out() -> None:
    async with running() as rig:
        rig.session.plan("commit", *["lost"] * (ATTEMPTS - 1), "unseen")
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "OUTCOME_UNKNOWN"
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert rig.database.state.counters == {1: 5}


@pytest.mark.parametrize("later", ["broken", "55P03", "53100", "57P01"])
async def test_after_an_unknown_commit_nobody_is_told_that_nothing_was_done(later: str) -> None:
    async with running() as rig:
        rig.session.plan("commit", "unseen")
        rig.session.plan("read", None, later, later, later)
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "OUTCOME_UNKNOWN"
        rig.session.script.clear()
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"


async def test_an_outcome_that_cannot_be_read_in_time_is_unknown() -> None:
    async with running(limits=WriterLimits(settle_ms_max=30)) as rig:
        rig.session.plan("commit", "unseen")
        rig.session.plan("open", *["refused"] * 10_000)
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "OUTCOME_UNKNOWN"
        rig.session.script.clear()
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert rig.database.state.counters == {1: 5}


async def test_while_an_outcome_is_sought_others_are_refused_at_once() -> None:
    async with running(limits=WriterLimits(settle_ms_max=20_000)) as rig:
        rig.session.plan("commit", "unseen")
        rig.session.plan("open", *["refused"] * 10_000)
        sought = asyncio.ensure_future(reason_of(rig.engine, Add(request(1), 1, 5)))
        await rig.session.reached("open")
        async with asyncio.timeout(1):
            assert (
                await rig.together(*(Add(request(n), 1, 1) for n in range(2, 9)))
                == ["STORAGE_UNAVAILABLE"] * 7
            )
        assert not sought.done()
        rig.session.script.clear()
        assert await sought == "5"
        assert rig.database.state.counters == {1: 5}


@pytest.mark.parametrize("fault", ["interface", "exhausted"])
async def test_the_writer_outlives_whatever_goes_wrong_while_settling(fault: str) -> None:
    async with running(limits=WriterLimits(settle_ms_max=100)) as rig:
        rig.session.plan("commit", "unseen")
        rig.session.plan("claim", fault)
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) in {"5", "OUTCOME_UNKNOWN"}
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert await reason_of(rig.engine, Add(request(2), 1, 5)) == "10"


async def test_a_writer_without_a_number_does_not_write() -> None:
    async with running() as rig:
        rig.session.plan("read", "broken")
        rig.session.plan("claim", "exhausted")
        with pytest.raises((Refusal, RuntimeError)):
            await submit(rig.engine, Add(request(1), 1, 5))
        assert not rig.session.usable
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert rig.database.numbers == {writer_of(rig.engine).number: rig.session.backend}


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_conflict_is_repeated_and_in_the_end_called_contention(state: str) -> None:
    async with running() as rig:
        rig.session.plan("commit", *[state] * (ATTEMPTS - 1))
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        rig.session.plan("commit", *[state] * ATTEMPTS)
        assert await reason_of(rig.engine, Add(request(2), 1, 5)) == "CONTENTION"
        assert rig.database.state.counters == {1: 5}


async def test_a_lock_that_is_not_given_in_time_is_contention() -> None:
    async with running() as rig:
        rig.session.plan("read", "55P03")
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "CONTENTION"
        assert rig.session.calls.count("read") == 1


async def test_without_a_database_calls_are_refused_at_once_and_later_served() -> None:
    async with running() as rig:
        rig.database.reachable = False
        assert await rig.together(Add(request(1), 1, 5), Add(request(2), 1, 5)) == [
            "STORAGE_UNAVAILABLE",
            "STORAGE_UNAVAILABLE",
        ]
        assert len(rig.session.calls) < 10
        rig.database.reachable = True
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"


async def test_a_connection_lost_while_idle_costs_nobody_a_refusal() -> None:
    async with running() as rig:
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        rig.session.plan("read", "broken")
        assert await reason_of(rig.engine, Add(request(2), 1, 5)) == "10"


async def test_a_full_disk_is_refused_without_repeating() -> None:
    async with running() as rig:
        rig.session.plan("commit", "53100")
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "STORAGE_UNAVAILABLE"
        assert rig.session.calls.count("commit") == 1


async def test_a_primary_that_is_one_no_longer_is_left() -> None:
    async with running() as rig:
        rig.session.plan("commit", "25006")
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "STORAGE_UNAVAILABLE"
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert rig.session.calls.count("open") == 1


async def test_only_the_command_the_database_will_not_take_fails() -> None:
    async with running() as rig:
        commands = [Add(request(n), n, 1) for n in range(64)]
        commands[37] = Add(request(37), 37, COUNTER_MAXIMUM + 1)
        answers = await asyncio.gather(
            *(submit(rig.engine, command) for command in commands), return_exceptions=True
        )
        assert isinstance(answers.pop(37), errors.CheckViolation)
        assert all(getattr(answer, "reply", None) == b"1" for answer in answers)
        assert len(rig.database.state.counters) == 63
        assert request(37).digest not in rig.database.state.requests
        assert writer_of(rig.engine).stats.poison_count == 1


async def test_a_command_that_breaks_while_deciding_fails_alone() -> None:
    class Broken(Add):
        __slots__ = ()

        def decide(self, working_set: object) -> bytes:
            super().decide(working_set)  # type: ignore[arg-type]
            raise ZeroDivisionError

    async with running() as rig:
        answers = await asyncio.gather(
            submit(rig.engine, Add(request(1), 1, 5)),
            submit(rig.engine, Broken(request(2), 1, 7)),
            submit(rig.engine, Add(request(3), 1, 5)),
            return_exceptions=True,
        )
        assert isinstance(answers[1], ZeroDivisionError)
        assert rig.database.state.counters == {1: 10}
        assert len(rig.database.state.requests) == 2


async def test_a_command_that_breaks_while_naming_its_rows_fails_alone() -> None:
    class Broken(Add):
        __slots__ = ()

        def keys(self, working_set: object, stage: int) -> list[object]:  # type: ignore[override]
            raise KeyError(stage)

    async with running() as rig:
        answers = await asyncio.gather(
            submit(rig.engine, Add(request(1), 1, 5)),
            submit(rig.engine, Broken(request(2), 1, 7)),
            return_exceptions=True,
        )
        assert isinstance(answers[1], KeyError)
        assert rig.database.state.counters == {1: 5}


async def test_a_deadline_that_has_passed_never_starts() -> None:
    async with running() as rig:
        late = Add(request(1), 1, 5)
        with pytest.raises(Refusal, match="DEADLINE_EXCEEDED"):
            await submit(rig.engine, late, seconds=-1)
        assert late.started == []
        assert rig.session.calls == []


async def test_a_caller_gone_before_the_start_is_dropped() -> None:
    async with running() as rig:
        command = Add(request(1), 1, 5)
        call = asyncio.ensure_future(submit(rig.engine, command))
        await asyncio.sleep(0)  # let it stand in the queue, not yet gathered
        call.cancel()
        assert await reason_of(rig.engine, Add(request(2), 2, 1)) == "1"
        assert command.started == []
        assert rig.database.state.counters == {2: 1}


async def test_a_caller_gone_after_the_start_finds_the_effect_by_its_request_id() -> None:
    points = Failpoints("before_commit=delay:20")
    async with running(failpoints=points) as rig:
        call = asyncio.ensure_future(submit(rig.engine, Add(request(1), 1, 5)))
        await rig.session.reached("write")
        call.cancel()
        outcome = await submit(rig.engine, Add(request(1), 1, 5))
        assert outcome == (b"5", True)


async def test_a_full_queue_refuses_at_once() -> None:
    points = Failpoints("loaded=delay:50")
    async with running(limits=WriterLimits(queue_commands_max=3), failpoints=points) as rig:
        first = asyncio.ensure_future(reason_of(rig.engine, Add(request(0), 1, 1)))
        await rig.session.reached("read")
        answers = await rig.together(*(Add(request(n), 1, 1) for n in range(1, 6)))
        assert answers == ["2", "3", "4", "OVERLOADED", "OVERLOADED"]
        assert await first == "1"


async def test_a_stopping_writer_finishes_its_queue_and_takes_no_more() -> None:
    async with running() as rig:
        calls = [asyncio.ensure_future(submit(rig.engine, Add(request(n), 1, 1))) for n in range(9)]
        await asyncio.sleep(0)  # let them stand in the queue
        await rig.engine.stop()
        assert [call.result().reply for call in calls] == [str(n).encode() for n in range(1, 10)]
        assert await reason_of(rig.engine, Add(request(10), 1, 1)) == "SHUTTING_DOWN"


async def test_batches_keep_to_their_limits_and_to_the_order_of_arrival() -> None:
    async with running(limits=WriterLimits(batch_commands_max=10)) as rig:
        replies = await rig.together(*(Add(request(n), 1, 1) for n in range(35)))
        assert replies == [str(n) for n in range(1, 36)]
        assert rig.session.calls.count("commit") == 4
        assert writer_of(rig.engine).stats.largest_batch == 10


async def test_a_heavy_command_goes_alone_and_never_starves() -> None:
    class Heavy(Add):
        __slots__ = ()

        @property
        def weight(self) -> int:
            return 500

    async with running(limits=WriterLimits(batch_weight_max=100)) as rig:
        commands = [Add(request(1), 1, 1), Heavy(request(2), 1, 1), Add(request(3), 1, 1)]
        assert await rig.together(*commands) == ["1", "2", "3"]
        assert rig.session.calls.count("commit") == 3


async def test_each_caller_gets_a_refusal_of_its_own() -> None:
    async with running() as rig:
        rig.database.reachable = False
        answers = await asyncio.gather(
            *(submit(rig.engine, Add(request(n), 1, 1)) for n in range(5)), return_exceptions=True
        )
        assert len({id(answer) for answer in answers}) == 5
        rig.database.reachable = True


async def test_an_unknown_book_is_refused() -> None:
    async with running() as rig:
        command = Add(request(1), 1, 1)
        command.book = 2
        assert await reason_of(rig.engine, command) == "UNKNOWN_BOOK"


async def test_booked_times_begin_when_the_locks_are_held() -> None:
    session = SimulatedSession(SimulatedDatabase())
    clock = SettableClock()
    points = Failpoints()
    engine = simulated_engine(session, clock=clock, failpoints=points)
    await engine.start()
    read = session.read

    async def slow_read(*arguments: object, **options: object) -> object:
        clock.advance(3)  # another writer held the rows
        return await read(*arguments, **options)  # type: ignore[arg-type]

    session.read = slow_read  # type: ignore[assignment, method-assign]
    command = Add(request(1), 1, 1)
    await submit(engine, command)
    await engine.stop()
    assert command.started == [START_US]
    assert set(session.database.state.events.values()) == {START_US + 3_000_000}


@pytest.mark.parametrize("point", POINTS)
async def test_every_failpoint_stands_where_a_batch_passes(point: str) -> None:
    points = Failpoints(f"{point}=error")
    async with running(failpoints=points) as rig:
        answers = await asyncio.gather(
            *(submit(rig.engine, Add(request(n), 1, 1)) for n in range(2)), return_exceptions=True
        )
        assert not points.any_armed, "the batch did not pass it"
        # With more than one command the batch is taken apart and repeated, so nobody notices.
        assert [getattr(answer, "reply", answer) for answer in answers] == [b"1", b"2"]
        assert rig.database.state.counters == {1: 2}


@pytest.mark.parametrize("point", POINTS)
async def test_a_failure_at_any_phase_leaves_the_request_to_be_repeated(point: str) -> None:
    points = Failpoints(f"{point}=error")
    async with running(failpoints=points) as rig:
        await asyncio.gather(submit(rig.engine, Add(request(1), 1, 5)), return_exceptions=True)
        assert await reason_of(rig.engine, Add(request(1), 1, 5)) == "5"
        assert await reason_of(rig.engine, Add(request(2), 1, 5)) == "10"
        assert rig.database.state.counters == {1: 10}


async def test_an_engine_that_cannot_start_all_its_writers_stops_those_it_started() -> None:
    session = SimulatedSession(SimulatedDatabase())
    engine = simulated_engine(session)
    second = SimulatedSession(session.database)
    second.plan("open", "refused")
    other = type(writer_of(engine))(
        book=2, dsn="", clock=SettableClock(), failpoints=Failpoints(), limits=WriterLimits()
    )
    other._session = second  # type: ignore[assignment]
    engine._writers[2] = other
    with pytest.raises(errors.OperationalError):
        await engine.start()
    assert not session.usable
    assert session.database.numbers == {}
