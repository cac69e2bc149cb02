"""The ledger's own SQL against a real Postgres: what memory answers, the database answers too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from longmen_server.engine.command import Outcome
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.ledger.model import HoldState
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.booking import account, capture, hold, move, transfers, verdict_of, void
from tests.support.clock import SettableClock
from tests.support.memory import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from longmen_server.engine.command import Command
    from longmen_server.engine.family import Statement
    from tests.support.postgres import Database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[Engine]:
    clock = SettableClock()
    engine = Engine(dsn=database.app_dsn, books=[1], clock=clock, failpoints=Failpoints())
    await engine.start()
    yield engine
    await engine.stop()


def script() -> Sequence[Command]:
    """Commands of every kind whose reading needs rows that earlier ones wrote."""
    several = (
        move(60, 1, 2, 10, reference="r"),
        capture(60, 50, 40, final=True),
        hold(60, 1, 3, 5),
    )
    return (
        booking.open_accounts(account(1), account(2), account(3, floor=0, ceiling=10_000)),
        transfers(hold(50, 1, 2, 100), chosen=True),
        booking.transaction(60, *several),
        booking.transaction(60, *several),  # again, from the rows
        booking.transaction(60, *several[:1]),  # in conflict
        transfers(capture(61, 60, 1, ordinal=1)),  # was a capture, never pending
        transfers(capture(62, 60, 1, ordinal=9)),  # no such posting
        transfers(capture(63, 60, 2, ordinal=3), chosen=True),
        transfers(capture(63, 60, 2, ordinal=3), chosen=True),
        transfers(void(64, 60, ordinal=3)),
        transfers(move(65, 3, 1, 50_000), chosen=True),  # refused
        transfers(move(65, 3, 1, 50_000), chosen=True),  # stays refused
        transfers(move(66, 1, 2, 7, description="d", effective_at_us=1), chosen=True),
        transfers(move(66, 1, 2, 7, description="d", effective_at_us=1), chosen=True),
        booking.reverse(67, 66),
        booking.reverse(68, 66),
        booking.reverse(69, 60),
        booking.set_state(3, 4),
        transfers(move(70, 1, 3, 1)),
        booking.open_accounts(account(3, floor=0, ceiling=10_000)),
        booking.open_accounts(account(3, floor=1)),
        transfers(move(71, 2, 1, 1, closes_debit_account=True)),
    )


def outline(answer: Outcome | BaseException) -> str:
    """An answer as text that two ledgers share."""
    if isinstance(answer, Refusal):
        return f"{answer.reason} {answer.metadata}"
    return booking.reply(answer).hex()


async def test_every_statement_reads_back_what_was_written(engine: Engine) -> None:
    memory = MemoryLedger()
    now = SettableClock().now_us()
    for number, command in enumerate(script()):
        expected = memory.run([command], now)[0]
        try:
            found: Outcome | BaseException = await engine.submit(
                command, deadline=SettableClock().monotonic() + 10
            )
        except Refusal as refusal:
            found = refusal
        assert outline(found) == outline(expected), f"command {number}"
    assert memory.holds[booking.transaction_id(60), 3].state == HoldState.VOIDED
    assert verdict_of(booking.results(memory.run([script()[7]], now)[0])[0]) == "EXISTS"


async def test_a_batch_of_every_kind_takes_three_round_trips(engine: Engine) -> None:
    accounts, *rest = script()
    first = transfers(hold(50, 1, 2, 100), chosen=True)
    for command in (accounts, first):
        await engine.submit(command, deadline=SettableClock().monotonic() + 10)
    session = engine.writers[1]._session
    trips: list[str] = []
    read, write = session.read, session.write_and_commit

    async def counted_read(*arguments: Any, **options: Any) -> Any:
        trips.append("read")
        return await read(*arguments, **options)

    async def counted_write(statements: Sequence[Statement]) -> None:
        trips.append("write")
        await write(statements)

    session.read = counted_read  # type: ignore[method-assign]
    session.write_and_commit = counted_write  # type: ignore[method-assign]
    deadline = SettableClock().monotonic() + 10
    calls = (engine.submit(command, deadline=deadline) for command in rest[1:])
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Outcome, Refusal}
    assert len(answers) == 20
    assert trips == ["read", "read", "write"]
    assert engine.writers[1].stats.batch_count == 3
