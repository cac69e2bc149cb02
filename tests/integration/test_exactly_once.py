"""Two engines, as in two worker processes, over one database: every effect once, to the unit."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.ledger import commands
from longmen_server.ledger.model import HoldState
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.audit import Books, audit
from tests.support.booking import account, capture, expire, hold, move, transfers, verdict
from tests.support.clock import SettableClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from longmen_server.engine.command import Command, Outcome
    from tests.support.postgres import Database

SECONDS = 30
FUNDS = 1_000_000


class Pair:
    """Two engines with a database of their own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SettableClock()
        self.engines = [
            Engine(dsn=database.app_dsn, books=[1], clock=self.clock, failpoints=Failpoints())
            for _ in range(2)
        ]
        self._turns = itertools.cycle(self.engines)

    async def ask(self, command: Command, engine: Engine | None = None) -> Outcome | BaseException:
        """Ask one of the engines, in turn."""
        try:
            deadline = self.clock.monotonic() + SECONDS
            return await (engine or next(self._turns)).submit(command, deadline=deadline)
        except Refusal as refusal:
            return refusal

    async def ask_all(self, asked: Iterable[Command]) -> list[Outcome | BaseException]:
        """Ask both engines, in turn, at once."""
        return await asyncio.gather(*(self.ask(command) for command in asked))

    def audit(self) -> Books:
        return audit(self.database.admin_dsn)

    def balances(self) -> dict[bytes, int]:
        return {
            row.account_id: row.credits_posted - row.debits_posted for row in self.audit().accounts
        }


@pytest.fixture
async def pair(database: Database) -> AsyncIterator[Pair]:
    """Accounts 1 to 9: the first is the bank's, the others wallets with money and a floor."""
    found = Pair(database)
    for engine in found.engines:
        await engine.start()
    wallets = [account(number, floor=0) for number in range(2, 10)]
    await found.ask(booking.open_accounts(account(1, chart_code=booking.CLEARING), *wallets))
    funding = [move(number, 1, number, FUNDS) for number in range(2, 10)]
    await found.ask(transfers(*funding))
    yield found
    for engine in found.engines:
        await engine.stop()


def replayed(answer: Outcome | BaseException) -> bool:
    assert isinstance(answer, (tuple, Refusal)), answer
    return bool(answer.replayed)


async def test_fifty_of_the_same_request_have_one_effect_and_one_reply(pair: Pair) -> None:
    for number in range(20):
        key = booking.request_key(1000 + number)
        # Each would make an id of its own: only the first one's may be seen.
        asked = [transfers(move(5000 + number * 50 + n, 2, 3, 7), request=key) for n in range(50)]
        answers = await pair.ask_all(asked)
        assert len({booking.reply(answer) for answer in answers}) == 1
        assert Counter(replayed(answer) for answer in answers) == {False: 1, True: 49}
    assert pair.balances()[booking.account_id(3)] == FUNDS + 20 * 7


async def test_fifty_of_the_same_refused_request_are_refused_alike(pair: Pair) -> None:
    key = booking.request_key(2000)
    # No row in common but the request's own record.
    asked = [booking.set_state(99, 4, request=key) for _ in range(50)]
    answers = await pair.ask_all(asked)
    assert {answer.reason for answer in answers if isinstance(answer, Refusal)} == {
        "ACCOUNT_NOT_FOUND"
    }
    assert Counter(replayed(answer) for answer in answers) == {False: 1, True: 49}


async def test_of_two_contents_under_one_request_id_one_wins(pair: Pair) -> None:
    for number in range(20):
        one, other = (booking.request_key(3000 + number, content) for content in (b"a", b"b"))
        answers = await pair.ask_all(
            [
                transfers(move(6000 + 2 * number, 2, 3, 5), request=one),
                transfers(move(6001 + 2 * number, 4, 5, 5), request=other),
            ]
        )
        assert sorted(verdict(answer) for answer in answers) == ["CREATED", "REQUEST_ID_REUSED"]
    books = pair.audit()
    assert len(books.postings) == 8 + 20


async def test_sixty_four_writers_of_one_account_add_up(pair: Pair) -> None:
    async def writer(number: int) -> int:
        moved = 0
        for turn in range(15):
            source = 2 + (number + turn) % 7
            answer = await pair.ask(transfers(move(10_000 + number * 100 + turn, source, 9, 3)))
            assert verdict(answer) == "CREATED"
            moved += 3
        return moved

    moved = sum(await asyncio.gather(*(writer(number) for number in range(64))))
    books = pair.audit()
    hot = next(row for row in books.accounts if row.account_id == booking.account_id(9))
    assert hot.credits_posted == FUNDS + moved == FUNDS + 64 * 15 * 3
    assert hot.version == 1 + 64 * 15


async def test_opposing_transfers_never_stand_in_each_others_way(pair: Pair) -> None:
    random_ = random.Random(7)
    expected = dict.fromkeys(range(2, 10), FUNDS)
    asked = []
    for number in range(2000):
        debit, credit = random_.sample(range(2, 10), 2)
        amount = random_.randint(1, 50)
        expected[debit] -= amount
        expected[credit] += amount
        asked.append(transfers(move(20_000 + number, debit, credit, amount)))
    answers = await pair.ask_all(asked)
    assert {verdict(answer) for answer in answers} == {"CREATED"}
    found = pair.balances()
    assert {n: found[booking.account_id(n)] for n in expected} == expected
    with psycopg.connect(pair.database.admin_dsn) as admin:
        row = admin.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
        assert row.fetchone() == (0,)


async def test_one_balance_is_never_spent_twice(pair: Pair) -> None:
    answers = await pair.ask_all(transfers(move(30_000 + n, 2, 3, 30_000)) for n in range(50))
    assert Counter(verdict(answer) for answer in answers) == {
        "CREATED": FUNDS // 30_000,
        "INSUFFICIENT_FUNDS": 50 - FUNDS // 30_000,
    }
    assert pair.balances()[booking.account_id(2)] == FUNDS % 30_000


async def test_a_batch_with_poison_fails_only_there(pair: Pair) -> None:
    # The rules let an amount of nothing pass, as no caller can ask for it; the table does not.
    asked = [transfers(move(40_000 + n, 2, 3, 0 if n == 41 else 1)) for n in range(64)]
    engine = pair.engines[0]
    answers = await asyncio.gather(
        *(pair.ask(command, engine) for command in asked), return_exceptions=True
    )
    assert isinstance(answers.pop(41), psycopg.errors.CheckViolation)
    assert {verdict(answer) for answer in answers} == {"CREATED"}
    assert pair.balances()[booking.account_id(3)] == FUNDS + 63
    assert engine.writers[1].stats.poison_count == 1


async def test_a_chosen_id_from_two_engines_is_created_once(pair: Pair) -> None:
    for number in range(20):
        asked = [transfers(move(50_000 + number, 2, 3, 5), chosen=True) for _ in range(10)]
        answers = await pair.ask_all(asked)
        assert Counter(verdict(answer) for answer in answers) == {"CREATED": 1, "EXISTS": 9}
    assert pair.balances()[booking.account_id(3)] == FUNDS + 100


async def test_a_chosen_id_with_two_contents_is_created_for_one(pair: Pair) -> None:
    for number in range(20):
        # Accounts apart, so that no lock brings the two together.
        asked = [
            transfers(move(51_000 + number, 2 + 2 * n, 3 + 2 * n, 5), chosen=True) for n in (0, 1)
        ]
        answers = await pair.ask_all(asked)
        assert sorted(verdict(answer) for answer in answers) == [
            "CREATED",
            "TRANSACTION_ID_CONFLICT",
        ]
    assert len(pair.audit().postings) == 8 + 20


async def test_a_chosen_transaction_from_two_engines_is_made_once(pair: Pair) -> None:
    for number in range(10):
        asked = [
            booking.transaction(
                52_000 + number, move(1, 2, 3, 5), move(1, 3, 4, 5), request=booking.fresh_request()
            )
            for _ in range(8)
        ]
        answers = await pair.ask_all(asked)
        made = [pb.CreateTransactionResponse.FromString(booking.reply(a)) for a in answers]
        assert len({reply.transaction.SerializeToString() for reply in made}) == 1
    assert len(pair.audit().postings) == 8 + 20


async def test_a_refused_id_is_refused_once_and_never_made(pair: Pair) -> None:
    for number in range(10):
        asked = [transfers(move(53_000 + number, 2, 99, 5), chosen=True) for _ in range(10)]
        answers = await pair.ask_all(asked)
        assert Counter(verdict(answer) for answer in answers) == {
            "CREDIT_ACCOUNT_NOT_FOUND": 1,
            "TRANSACTION_ID_REFUSED": 9,
        }
    assert len(pair.audit().refusals) == 10


async def test_a_reversal_raced_by_two_engines_happens_once(pair: Pair) -> None:
    for number in range(20):
        await pair.ask(transfers(move(60_000 + number, 2, 3, 11)))
        asked = [booking.reverse(61_000 + 10 * number + n, 60_000 + number) for n in range(10)]
        answers = await pair.ask_all(asked)
        refused = [answer.reason for answer in answers if isinstance(answer, Refusal)]
        assert refused == ["ALREADY_REVERSED"] * 9
    books = pair.audit()
    assert len(books.reversals) == 20
    assert pair.balances()[booking.account_id(3)] == FUNDS


@pytest.mark.parametrize(("size", "part"), [(60, 1), (100, 7), (1000, 999)])
async def test_a_hundred_captures_of_one_hold_take_what_it_holds(
    pair: Pair, size: int, part: int
) -> None:
    await pair.ask(transfers(hold(70_000, 2, 3, size)))
    answers = await pair.ask_all(transfers(capture(70_001 + n, 70_000, part)) for n in range(100))
    captured = min(100, size // part)
    verdicts = Counter(verdict(answer) for answer in answers)
    assert verdicts["CREATED"] == captured
    assert set(verdicts) <= {"CREATED", "CAPTURE_AMOUNT_EXCEEDED", "PENDING_POSTING_CAPTURED"}
    books = pair.audit()
    assert books.holds[0].captured == captured * part
    assert books.holds[0].remaining == size - captured * part


async def test_captures_voids_and_the_job_that_ends_holds_agree_on_one_end(pair: Pair) -> None:
    pair.clock.advance(1)
    for number in range(20):
        held = 71_000 + number
        await pair.ask(transfers(hold(held, 2, 3, 50, hold_duration_us=1)))
        if number % 2:
            pair.clock.advance(1)
        free = 71_100 + number * 10
        answers = await pair.ask_all(
            [
                transfers(capture(free, held, 20)),
                commands.ExpireHolds(1, None, [expire(free + 1, held)]),
                transfers(capture(free + 2, held, final=True)),
                commands.ExpireHolds(1, None, [expire(free + 3, held)]),
                transfers(booking.void(free + 4, held)),
            ]
        )
        ended = sum(booking.reply(answer) == b"1" for answer in (answers[1], answers[3]))
        assert ended == number % 2
    states = Counter(hold.state for hold in pair.audit().holds)
    assert states == {HoldState.EXPIRED: 10, HoldState.CAPTURED: 10}


async def test_the_same_accounts_opened_by_two_engines_are_opened_once(pair: Pair) -> None:
    for number in range(10):
        rows = [account(100 + 10 * number + n) for n in range(10)]
        answers = await pair.ask_all(booking.open_accounts(*rows) for _ in range(6))
        opened = [pb.CreateAccountsResponse.FromString(booking.reply(a)) for a in answers]
        assert len({reply.accounts[3].SerializeToString() for reply in opened}) == 1
    assert len(pair.audit().accounts) == 9 + 100
