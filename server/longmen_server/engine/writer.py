"""The writer: gathers what is waiting and takes it through load, decide, write and commit."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import psycopg
import structlog

from longmen_server.engine import batch as batches
from longmen_server.engine.events import block_statement, event_statement
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_RECORD, STAGES
from longmen_server.engine.journal import Head, seal
from longmen_server.engine.session import CommitUnknownError, Session
from longmen_server.engine.working_set import WorkingSet
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.engine.batch import Decided, Entry
    from longmen_server.engine.failpoints import Failpoints
    from longmen_server.engine.family import Statement
    from longmen_server.platform.clock import Clock

log = structlog.get_logger("longmen.engine")

#: Conflicts between writers: serialization failure, deadlock, and a key that another writer wrote
#: meanwhile.
RETRYABLE_STATES = frozenset({"40001", "40P01", "23505"})
#: A lock that was not given in time, or a statement that ran out of it.
TIMEOUT_STATES = frozenset({"55P03", "57014"})
#: Classes that say the server is going, gone, full or read-only, rather than that a command is bad.
UNAVAILABLE_CLASSES = frozenset({"08", "53", "57", "58"})
READ_ONLY_STATE = "25006"


@dataclass(slots=True, kw_only=True, frozen=True)
class WriterLimits:
    """The named limits of a writer."""

    batch_commands_max: int = 1024
    """Commands in one batch: bounds the time that the last one waits for the first."""
    batch_weight_max: int = 2000
    """Postings in one batch: bounds locks held, the size of one transaction, and how long deciding
    keeps the event loop, some 40 ms."""
    queue_commands_max: int = 8192
    """Commands waiting; beyond it new ones are refused at once."""
    batch_attempts_max: int = 6
    """Attempts at one batch before its commands are refused with CONTENTION."""
    settle_attempts_max: int = 40
    """Looks, 50 ms apart, for the end of a lost connection's transaction."""
    lock_timeout_ms: int = 4000
    """How long a batch waits for another writer's locks."""
    statement_timeout_ms: int = 20000
    """How long any one statement of a batch may run."""


@dataclass(slots=True)
class WriterStats:
    """Counters since the writer's start; times in microseconds."""

    batch_count: int = 0
    command_count: int = 0
    replay_count: int = 0
    refusal_count: int = 0
    retry_count: int = 0
    poison_count: int = 0
    largest_batch: int = 0
    load_us: int = 0
    decide_us: int = 0
    write_us: int = 0


class Writer:
    """Commits the commands of one book in one process, batch after batch."""

    def __init__(
        self,
        *,
        book: int,
        dsn: str,
        clock: Clock,
        failpoints: Failpoints,
        limits: WriterLimits,
    ) -> None:
        self.book = book
        self.number = 0
        self.stats = WriterStats()
        self._clock = clock
        self._failpoints = failpoints
        self._limits = limits
        self._session = Session(
            dsn,
            lock_timeout_ms=limits.lock_timeout_ms,
            statement_timeout_ms=limits.statement_timeout_ms,
        )
        self._head = Head(0, 0, 0, b"")
        self._queue: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect, claim a writer number and begin to work."""
        await self._connect()
        self._task = asyncio.create_task(self._run(), name=f"writer-{self.book}")

    async def stop(self) -> None:
        """Finish what is queued, then disconnect."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._session.close()

    async def _connect(self) -> None:
        await self._session.close()
        await self._session.open()
        self.number = await self._session.claim_writer(self.book, 1, 32767)
        self._head = await self._session.read_head(self.book, self.number)

    # -- queue ---------------------------------------------------------------------------------

    @property
    def queue_length(self) -> int:
        """Commands waiting."""
        return len(self._queue)

    def put(self, entry: Entry) -> None:
        """Queue a command.

        Raises:
            Refusal: OVERLOADED when the queue is full, SHUTTING_DOWN when the writer is stopping.
        """
        if self._closing:
            raise Refusal("SHUTTING_DOWN", "the server is shutting down")
        if len(self._queue) >= self._limits.queue_commands_max:
            raise Refusal("OVERLOADED", "the engine's queue is full", metadata={"class": "engine"})
        self._queue.append(entry)
        if not self._wake.is_set():
            self._wake.set()

    def _gather(self) -> list[Entry]:
        """Take everything waiting, up to the limits, leaving out callers that no longer wait."""
        limits = self._limits
        now = self._clock.monotonic()
        taken: list[Entry] = []
        weight = 0
        queue = self._queue
        while queue and len(taken) < limits.batch_commands_max:
            entry = queue[0]
            entry_weight = entry.command.weight
            if taken and weight + entry_weight > limits.batch_weight_max:
                break
            queue.popleft()
            if entry.future.done():
                continue
            if entry.deadline <= now:
                _fail(
                    entry, Refusal("DEADLINE_EXCEEDED", "the deadline passed before the work began")
                )
                continue
            weight += entry_weight
            taken.append(entry)
        return taken

    async def _run(self) -> None:
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            entries = self._gather()
            if entries:
                await self._process(entries)

    # -- batches -------------------------------------------------------------------------------

    async def _process(self, entries: Sequence[Entry]) -> None:
        """Bring a batch to an end, whatever happens: every entry is answered."""
        for attempt in range(1, self._limits.batch_attempts_max + 1):
            try:
                if not self._session.usable:
                    await self._connect()
                decided = await self._attempt(entries)
            except CommitUnknownError:
                entries = await self._settle(entries)
                if not entries:
                    return
                continue
            except Exception as error:  # noqa: BLE001 - the writer outlives whatever the database does
                await self._quiet_rollback()
                if not await self._survivable(error, entries, attempt):
                    return
                continue
            self._answer(decided)
            return
        _fail_all(
            entries, Refusal("CONTENTION", "the database gave up on a conflict between writers")
        )

    async def _attempt(self, entries: Sequence[Entry]) -> Decided:
        """Take a batch through all phases once."""
        points = self._failpoints if self._failpoints.any_armed else None
        started = perf_counter_ns()
        if points:
            await points.hit("gathered")
        working_set = WorkingSet(self.book, self._clock.now_us())
        await self._load(entries, working_set)
        if points:
            await points.hit("loaded")
        loaded = perf_counter_ns()
        decided = batches.decide(entries, working_set)
        head, statements = self._statements(working_set)
        if points:
            await points.hit("decided")
        done = perf_counter_ns()
        await self._commit(statements)
        self._head = head
        stats = self.stats
        stats.batch_count += 1
        stats.command_count += len(entries)
        stats.replay_count += decided.replays
        stats.refusal_count += decided.refusals
        stats.largest_batch = max(stats.largest_batch, len(entries))
        stats.load_us += (loaded - started) // 1000
        stats.decide_us += (done - loaded) // 1000
        stats.write_us += (perf_counter_ns() - done) // 1000
        return decided

    async def _load(self, entries: Sequence[Entry], working_set: WorkingSet) -> None:
        """Load every stage; the last two do not depend on each other and share a round trip."""
        begin = True
        latest = self._head.booked_at_us
        for stages in ((STAGES[0],), (STAGES[1],), (STAGE_ACCOUNT, STAGE_RECORD)):
            loads = [
                load
                for stage in stages
                for load in batches.load_statements(
                    self.book, batches.needed_rows(entries, working_set, stage)
                )
            ]
            if not loads:
                continue
            results = await self._session.read([statement for _, statement in loads], begin=begin)
            begin = False
            for (family, _), records in zip(loads, results, strict=True):
                latest = max(latest, batches.store_rows(working_set, family, records))
        if begin:
            await self._session.read((), begin=True)
        working_set.begin_stamps(latest)

    def _statements(self, working_set: WorkingSet) -> tuple[Head, list[Statement]]:
        """Return the statements of a batch, events and block included, and the head after it."""
        if not working_set.has_changes:
            return self._head, []
        statements = batches.write_statements(working_set)
        head = self._head
        if working_set.events:
            block, head = seal(
                book=self.book,
                writer=self.number,
                head=self._head,
                events=working_set.events,
                booked_at_us=working_set.last_stamp,
            )
            statements.append(
                event_statement(self.book, self.number, block.first_sequence, working_set.events)
            )
            statements.append(block_statement(self.book, block))
        return head, statements

    async def _commit(self, statements: list[Statement]) -> None:
        points = self._failpoints if self._failpoints.any_armed else None
        if not statements:
            await self._session.rollback()
            return
        if points is None:
            await self._session.write_and_commit(statements)
            return
        await self._session.write(statements)
        await points.hit("before_commit")
        await self._session.write_and_commit(())
        await points.hit("after_commit")

    def _answer(self, decided: Decided) -> None:
        for decision in decided.decisions:
            future = decision.entry.future
            if future.done():
                continue
            if decision.error is not None:
                future.set_exception(decision.error)
            else:
                assert decision.outcome is not None, "a decision has an outcome or an error"
                future.set_result(decision.outcome)

    # -- trouble -------------------------------------------------------------------------------

    async def _survivable(self, error: Exception, entries: Sequence[Entry], attempt: int) -> bool:
        """Say whether to try a failed batch again; if not, every entry has been answered."""
        self.stats.retry_count += 1
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        if state in RETRYABLE_STATES:
            # Another process may own the number by now, after a connection was lost: look again.
            await self._refresh_head()
            return attempt < self._limits.batch_attempts_max or await self._isolate(error, entries)
        if state in TIMEOUT_STATES:
            _fail_all(entries, Refusal("CONTENTION", "another writer held the rows for too long"))
            return False
        if _is_unavailable(error, state):
            log.warning("database_unavailable", error=type(error).__name__, sqlstate=state)
            _fail_all(entries, Refusal("STORAGE_UNAVAILABLE", "the database cannot be reached"))
            return False
        return await self._isolate(error, entries)

    async def _isolate(self, error: Exception, entries: Sequence[Entry]) -> bool:
        """Find the command that the database will not take, by halves, and fail only that one."""
        if len(entries) == 1:
            self.stats.poison_count += 1
            log.error("command_poisoned", command=type(entries[0].command).__name__, exc_info=error)
            _fail(entries[0], error)
            return False
        middle = len(entries) // 2
        await self._process(entries[:middle])
        await self._process(entries[middle:])
        return False

    async def _settle(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Find out what became of a batch whose connection broke while committing.

        Returns the entries to run again. That is safe because those that took effect are found by
        their request records when the batch is loaded; those without a record are the server's own
        jobs, which look at the state of their rows.
        """
        self.stats.retry_count += 1
        lost_pid = self._session.backend_pid
        for _ in range(self._limits.settle_attempts_max):
            try:
                await self._connect()
                gone = await self._session.wait_until_gone(
                    lost_pid, attempts=self._limits.settle_attempts_max
                )
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)
                continue
            if gone:
                return [entry for entry in entries if not entry.future.done()]
        log.error("commit_outcome_unknown", commands=len(entries))
        _fail_all(
            entries, Refusal("OUTCOME_UNKNOWN", "the connection broke while committing; ask again")
        )
        return ()

    async def _refresh_head(self) -> None:
        try:
            self._head = await self._session.read_head(self.book, self.number)
        except psycopg.Error:
            await self._session.close()

    async def _quiet_rollback(self) -> None:
        try:
            await self._session.rollback()
        except psycopg.Error:
            await self._session.close()


def _is_unavailable(error: Exception, state: str | None) -> bool:
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OSError)
    return state[:2] in UNAVAILABLE_CLASSES or state == READ_ONLY_STATE


def _fail(entry: Entry, error: BaseException) -> None:
    if not entry.future.done():
        entry.future.set_exception(error)


def _fail_all(entries: Sequence[Entry], error: Any) -> None:
    for entry in entries:
        _fail(entry, error)
