"""A database in memory that a writer can be run against, and that fails on demand.

It knows one table of counters with a check, the request records and the journal, keeps what is not
committed apart, and can lose a connection before a commit, after it, or so that the commit is
decided only later. So every order of failures can be played through in microseconds, without a
database and always in the same way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import errors

from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.engine.family import STAGE_ACCOUNT, RowFamily, Statement
from longmen_server.engine.journal import EMPTY_HEAD, Event, Head
from longmen_server.engine.session import CommitUnknownError
from longmen_server.platform.refusal import Refusal
from tests.support.clock import SettableClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from longmen_server.engine.command import Outcome
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.engine.writer import Writer, WriterLimits

LOCK_TURNS = 500
"""Turns of the event loop that a transaction waits for another one's rows."""

COUNTER_MAXIMUM = 1_000_000
"""The database refuses more, as a CHECK would; the command does not look."""


class _Counters(RowFamily[int, list[int]]):
    """Rows of key and value."""

    name = "counter"
    stage = STAGE_ACCOUNT
    rank = 20

    def load(self, book: int, keys: Sequence[int]) -> Statement:
        return Statement(b"load counters", (book, tuple(keys)))

    def decode(self, record: tuple[Any, ...]) -> tuple[int, list[int]]:
        return record[0], [record[0], record[1]]

    def copy(self, row: list[int]) -> list[int]:
        return list(row)

    def write(
        self, book: int, inserted: Sequence[list[int]], changed: Sequence[list[int]]
    ) -> Iterable[Statement]:
        yield Statement(b"write counters", (book, [tuple(row) for row in (*inserted, *changed)]))


COUNTERS = _Counters()


class Add(Command):
    """Add to a counter and answer its new value; below zero is refused."""

    __slots__ = ("amount", "counter", "started")

    def __init__(self, request: RequestKey | None, counter: int, amount: int) -> None:
        super().__init__(1, request)
        self.counter = counter
        self.amount = amount
        self.started: list[int] = []
        """When it was decided; only watched, never decided upon."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        if stage == STAGE_ACCOUNT:
            yield RowKey(COUNTERS, self.counter)

    def decide(self, working_set: WorkingSet) -> bytes:
        self.started.append(working_set.now_us)
        present = working_set.get(COUNTERS, self.counter)
        value = (present[1] if present else 0) + self.amount
        if value < 0:
            raise Refusal("INSUFFICIENT_FUNDS", "below zero", metadata={"value": str(value)})
        if present:
            working_set.edit(COUNTERS, self.counter)[1] = value
        else:
            working_set.insert(COUNTERS, self.counter, [self.counter, value])
        subject = self.counter.to_bytes(16, "big")
        event = Event(1, subject, 0, working_set.next_stamp(), b"", value.to_bytes(8, "big"))
        working_set.emit(event)
        return str(value).encode()


def request(number: int, content: int = 0) -> RequestKey:
    """The key of a request by its number."""
    return RequestKey(number.to_bytes(16, "big"), content.to_bytes(32, "big"))


class Block(NamedTuple):
    """What is kept of a block."""

    number: int
    first_sequence: int
    booked_at_us: int
    record_count: int
    previous_hash: bytes
    hash: bytes


@dataclass
class State:
    """The committed rows."""

    counters: dict[int, int] = field(default_factory=dict)
    requests: dict[bytes, tuple[Any, ...]] = field(default_factory=dict)
    blocks: dict[tuple[int, int], Block] = field(default_factory=dict)
    events: dict[tuple[int, int], int] = field(default_factory=dict)

    def apply(self, statements: Sequence[Statement]) -> None:
        """Write statements, all or none."""
        fresh = State(
            dict(self.counters), dict(self.requests), dict(self.blocks), dict(self.events)
        )
        for statement in statements:
            fresh.write(statement)
        self.__dict__.update(fresh.__dict__)

    def write(self, statement: Statement) -> None:
        """Write one statement or raise what the database would."""
        table = statement.sql.split()[2 if statement.sql.startswith(b"insert") else 1]
        getattr(self, f"_write_{table.decode()}")(*statement.parameters)

    def _write_counters(self, book: int, rows: Sequence[tuple[int, int]]) -> None:
        for key, value in rows:
            if value > COUNTER_MAXIMUM:
                raise errors.CheckViolation("counter_check")
            self.counters[key] = value

    def _write_request_record(self, book: int, *arrays: Any) -> None:
        columns = (array.values for array in arrays)
        for booked, outcome, digest, content, reply in zip(*columns, strict=True):
            if digest in self.requests:
                raise errors.UniqueViolation("request_record_pkey")
            self.requests[digest] = (digest, content, outcome, reply, booked)

    def _write_event(self, first: int, book: int, writer: int, *arrays: Any) -> None:
        for offset, booked in enumerate(arrays[0].values):
            if (writer, first + offset) in self.events:
                raise errors.UniqueViolation("event_pkey")
            self.events[writer, first + offset] = booked

    def _write_journal_block(self, *values: Any) -> None:
        number, first, booked, records, _, writer, previous, _, block_hash = values
        if (writer, number) in self.blocks:
            raise errors.UniqueViolation("journal_block_pkey")
        self.blocks[writer, number] = Block(number, first, booked, records, previous, block_hash)


class SimulatedDatabase:
    """What sessions share."""

    def __init__(self) -> None:
        self.state = State()
        self.reachable = True
        self.pids = count(1)
        self.numbers: dict[int, int] = {}
        """Writer numbers that are taken, by the backend that took them."""
        self.limbo: dict[int, tuple[int, Sequence[Statement]]] = {}
        """Lost backends whose commit is decided only later: looks left, statements."""

        self.holder = 0
        """The backend whose transaction holds the rows: one lock stands for all."""

    async def lock(self, pid: int) -> None:
        """Wait for the rows, for a while."""
        for _ in range(LOCK_TURNS):
            if self.holder in {0, pid}:
                self.holder = pid
                return
            await asyncio.sleep(0)
        self.look_at(self.holder)  # time goes by for what is undecided, too
        raise errors.LockNotAvailable("55P03")

    def unlock(self, pid: int) -> None:
        """Let go of the rows, unless the transaction is undecided."""
        if self.holder == pid and pid not in self.limbo:
            self.holder = 0

    def look_at(self, pid: int) -> bool:
        """Say whether a backend has ended; a commit in limbo gets through when its time is up."""
        if pid not in self.limbo:
            return True
        looks, statements = self.limbo[pid]
        if looks > 0:
            self.limbo[pid] = (looks - 1, statements)
            return False
        del self.limbo[pid]
        self.unlock(pid)
        self.numbers = {n: owner for n, owner in self.numbers.items() if owner != pid}
        self.state.apply(statements)
        return True


Fault = str
"""What goes wrong: refused, broken, 40001, 40P01, 55P03, 53100, lost (commit did not get through),
unseen (it did), limbo (it does later)."""


class SimulatedSession:
    """What a writer needs of a session."""

    def __init__(
        self, database: SimulatedDatabase, faults: Callable[[str], Fault | None] | None = None
    ) -> None:
        self.database = database
        self.script: dict[str, deque[Fault | None]] = {}
        """Faults to come by operation: open, claim, read, commit, rollback."""
        self.calls: list[str] = []
        self._faults = faults or self._scripted
        self._pid = 0
        self._open = False
        self._in_transaction = False
        self._written: list[Statement] = []
        self._reached: dict[str, asyncio.Event] = {}

    def forget_calls(self) -> None:
        """Begin to watch anew."""
        self.calls.clear()
        self._reached.clear()

    async def reached(self, operation: str) -> None:
        """Wait until an operation begins for the first time since calls were forgotten."""
        await self._reached.setdefault(operation, asyncio.Event()).wait()

    def plan(self, operation: str, *faults: Fault | None) -> None:
        """Let the next calls of an operation fail so; None lets one pass."""
        self.script.setdefault(operation, deque()).extend(faults)

    def _scripted(self, operation: str) -> Fault | None:
        planned = self.script.get(operation)
        return planned.popleft() if planned else None

    def _fault(self, operation: str) -> Fault | None:
        self.calls.append(operation)
        self._reached.setdefault(operation, asyncio.Event()).set()
        return self._faults(operation)

    async def open(self) -> None:
        if self._fault("open") or not self.database.reachable:
            raise errors.OperationalError("connection refused")
        self._pid = next(self.database.pids)
        self._open = True
        self._in_transaction = False

    async def close(self) -> None:
        self._lose()

    def _lose(self) -> None:
        self._open = False
        self.database.unlock(self._pid)
        for number, pid in list(self.database.numbers.items()):
            if pid == self._pid and pid not in self.database.limbo:
                del self.database.numbers[number]

    @property
    def usable(self) -> bool:
        return self._open and not self._in_transaction

    @property
    def backend(self) -> int | None:
        return self._pid or None

    async def claim_writer(self, book: int, first: int, last: int) -> int:
        fault = self._fault("claim")
        if fault == "interface":
            self._lose()
            raise psycopg.InterfaceError("the connection is closed")
        if fault:
            raise RuntimeError("all writer numbers are taken")
        taken = self.database.numbers
        number = next(n for n in range(first, last + 1) if n not in taken)
        taken[number] = self._pid
        return number

    async def read_head(self, book: int, writer: int) -> Head:
        blocks = [b for (w, _), b in self.database.state.blocks.items() if w == writer]
        if not blocks:
            return EMPTY_HEAD
        last = max(blocks, key=lambda block: block.number)
        sequence = last.first_sequence + last.record_count - 1
        return Head(last.number, sequence, last.booked_at_us, last.hash)

    async def end_backend(self, backend: int) -> bool:
        return self.database.look_at(backend)

    async def read(
        self, statements: Sequence[Statement], *, begin: bool
    ) -> list[list[tuple[Any, ...]]]:
        self._raise(self._fault("read"))
        if begin:
            self._in_transaction = True
            await self.database.lock(self._pid)
        return [self._rows(statement) for statement in statements]

    def _rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        state = self.database.state
        if statement.sql == b"load counters":
            return [(k, state.counters[k]) for k in statement.parameters[1] if k in state.counters]  # type: ignore[attr-defined]
        digests = statement.parameters[1].values  # type: ignore[attr-defined]
        return [state.requests[digest] for digest in digests if digest in state.requests]

    def _raise(self, fault: Fault | None) -> None:
        if not self._open:
            raise psycopg.OperationalError("the session is closed")
        if fault is None and self.database.reachable:
            return
        if fault in {None, "broken"}:
            self._lose()
            raise errors.OperationalError("server closed the connection unexpectedly")
        assert fault is not None, "the database can be reached"
        self._in_transaction = True
        raise errors.lookup(fault)(fault)

    async def write(self, statements: Sequence[Statement]) -> None:
        self._raise(self._fault("write"))
        self._written = list(statements)

    async def write_and_commit(self, statements: Sequence[Statement]) -> None:
        written, self._written = [*self._written, *statements], []
        fault = self._fault("commit")
        if fault in {"lost", "unseen", "limbo"}:
            if fault == "limbo":
                self.database.limbo[self._pid] = (5, written)
            elif fault == "unseen":
                self.database.state.apply(written)
            self._lose()
            raise CommitUnknownError
        self._raise(fault)
        self.database.state.apply(written)
        self._end_transaction()

    async def rollback(self) -> None:
        self._raise(self._fault("rollback"))
        self._written = []
        self._end_transaction()

    def _end_transaction(self) -> None:
        self._in_transaction = False
        self.database.unlock(self._pid)


def simulated_engine(
    session: SimulatedSession,
    *,
    clock: SettableClock | None = None,
    failpoints: Failpoints | None = None,
    limits: WriterLimits | None = None,
) -> Engine:
    """An engine whose only writer talks to a simulated database."""
    engine = Engine(
        dsn="",
        books=[1],
        clock=clock or SettableClock(),
        failpoints=failpoints or Failpoints(),
        limits=limits,
    )
    writer_of(engine)._session = session  # type: ignore[assignment]
    return engine


def writer_of(engine: Engine) -> Writer:
    """The only writer of an engine."""
    return engine.writers[1]


async def submit(engine: Engine, command: Command, *, seconds: float = 30) -> Outcome:
    """Run a command with a deadline from now."""
    return await engine.submit(command, deadline=SettableClock().monotonic() + seconds)


async def reason_of(engine: Engine, command: Command) -> str:
    """Run a command; return why it was refused, or its reply."""
    try:
        return (await submit(engine, command)).reply.decode()
    except Refusal as refusal:
        return refusal.reason
