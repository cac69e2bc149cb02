"""The writer: gathers what is waiting and takes it through load, decide, write and commit."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING

import psycopg
import structlog

from longmen_server.engine import batch as batches
from longmen_server.engine.events import block_statement, event_statement
from longmen_server.engine.family import ROUNDS
from longmen_server.engine.journal import Head, seal
from longmen_server.engine.session import CommitUnknownError, Session
from longmen_server.engine.working_set import WorkingSet
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.engine.batch import Decided, Entry
    from longmen_server.engine.failpoints import Failpoints
    from longmen_server.engine.family import Statement
    from longmen_server.engine.trail import Witness
    from longmen_server.platform.clock import Clock

log = structlog.get_logger("longmen.engine")

#: Conflicts between writers: serialization failure, deadlock, and a key that another writer wrote
#: meanwhile.
RETRYABLE_STATES = frozenset({"40001", "40P01", "23505"})
#: Those of them that say nothing about a command, however often they come.
CONFLICT_STATES = frozenset({"40001", "40P01"})
#: A lock that was not given in time, or a statement that ran out of it.
TIMEOUT_STATES = frozenset({"55P03", "57014"})
#: Classes that say the server is going, gone, full or read-only, rather than that a command is bad.
UNAVAILABLE_CLASSES = frozenset({"08", "53", "57", "58"})
READ_ONLY_STATE = "25006"

_SETTLE_PAUSE_SECONDS = 0.02
_UNREACHABLE = "the database cannot be reached"
_OUTCOME_UNKNOWN = "the connection broke while committing; ask again with the same request id"


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
    settle_ms_max: int = 10_000
    """How long to look for the end of a lost connection's transaction before its callers are told
    that the outcome is unknown; a crashed Postgres is usually back by then."""
    lock_timeout_ms: int = 4000
    """How long a batch waits for another writer's locks."""
    statement_timeout_ms: int = 8000
    """How long any one statement of a batch may run, its waiting for locks included."""
    silence_ms: int = 10_000
    """How long the database may say nothing before the link is given up as dead; longer than any
    statement may run. A commit that takes longer is settled, not lost."""


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


@dataclass(slots=True, kw_only=True, frozen=True)
class _Trouble:
    """A failed attempt at a batch."""

    error: Exception
    entries: Sequence[Entry]
    attempt: int
    uncertain: bool
    """Whether an earlier attempt may have been committed."""
    stale: bool
    """Whether the connection was there before the attempt and is not any more."""

    def refuse(self, reason: str, message: str) -> None:
        """Refuse every entry; never as undone when that is not known."""
        if self.uncertain:
            reason, message = "OUTCOME_UNKNOWN", _OUTCOME_UNKNOWN
        _refuse_all(self.entries, reason, message)


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
        witness: Witness | None = None,
    ) -> None:
        self.book = book
        self.number = 0
        self.stats = WriterStats()
        self._clock = clock
        self._failpoints = failpoints
        self._limits = limits
        self._witness = witness
        self._session = Session(
            dsn,
            lock_timeout_ms=limits.lock_timeout_ms,
            statement_timeout_ms=limits.statement_timeout_ms,
            silence_ms=limits.silence_ms,
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
        """Connect anew; a connection without a writer number is never kept."""
        lost = self._session.backend
        await self._session.close()
        try:
            await self._session.open()
            if lost is not None:
                # It may live on behind a dead link, and with it its row locks.
                await self._session.end_backend(lost)
            self.number = await self._session.claim_writer(self.book, 1, 32767)
            self._head = await self._session.read_head(self.book, self.number)
        except BaseException:
            await self._session.close()
            raise

    # -- queue ---------------------------------------------------------------------------------

    @property
    def head(self) -> Head:
        """How far this writer's journal has been committed, as far as it is known here."""
        return self._head

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

    def _shed(self) -> None:
        """Refuse what waits while the database cannot be reached; none of it has begun."""
        waiting = list(self._queue)
        self._queue.clear()
        _refuse_all(waiting, "STORAGE_UNAVAILABLE", _UNREACHABLE)

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
            if not entries:
                continue
            try:
                await self._process(entries)
            except Exception:  # a writer that ended would leave its callers waiting for ever
                log.exception("batch_abandoned", commands=len(entries))
                await self._session.close()
                _refuse_all(entries, "OUTCOME_UNKNOWN", _OUTCOME_UNKNOWN)

    # -- batches -------------------------------------------------------------------------------

    async def _process(self, entries: Sequence[Entry], *, uncertain: bool = False) -> None:
        """Bring a batch to an end, whatever happens: every entry is answered.

        Args:
            entries: the batch.
            uncertain: whether an earlier attempt at it may have been committed. Then nobody may be
                told that nothing was done.
        """
        for attempt in range(1, self._limits.batch_attempts_max + 1):
            connected = self._session.usable
            try:
                if not connected:
                    await self._connect()
                decided = await self._attempt(entries)
            except CommitUnknownError:
                uncertain = True
                entries = await self._settle(entries)
                if not entries:
                    return
            except Exception as error:  # noqa: BLE001 - the writer outlives whatever the database does
                await self._quiet_rollback()
                # A connection that ended while nobody used it says nothing about the database.
                stale = connected and not self._session.usable
                trouble = _Trouble(
                    error=error, entries=entries, attempt=attempt, uncertain=uncertain, stale=stale
                )
                if not await self._survivable(trouble):
                    return
            else:
                self._answer(decided)
                if self._failpoints.any_armed:
                    await self._failpoints.hit("answered")
                return
        _refuse_all(entries, "OUTCOME_UNKNOWN", _OUTCOME_UNKNOWN)

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
        self._testify(working_set, decided)
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
        """Load every stage; a round trip for which nothing is needed is not made."""
        begin = True
        latest = self._head.booked_at_us
        for stages in ROUNDS:
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
        # Booked when the locks are held, however long that took: what was known at a moment of the
        # past does not change later.
        working_set.begin_stamps(max(latest, self._clock.now_us() - 1))

    def _testify(self, working_set: WorkingSet, decided: Decided) -> None:
        """Add the event that keeps who asked for what; it stands last, at a time of its own."""
        if decided.acts and self._witness is not None:
            at_us = working_set.next_stamp()
            working_set.emit(self._witness(self.book, decided.acts, at_us))

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

    async def _survivable(self, trouble: _Trouble) -> bool:
        """Say whether to try a failed batch again; if not, every entry has been answered."""
        self.stats.retry_count += 1
        error, entries = trouble.error, trouble.entries
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        last = trouble.attempt >= self._limits.batch_attempts_max
        if state in RETRYABLE_STATES:
            # Another process may own the number by now, after a connection was lost: look again.
            await self._refresh_head()
            if not last:
                return True
            if len(entries) > 1 or state not in CONFLICT_STATES:
                await self._isolate(trouble)
                return False
            trouble.refuse("CONTENTION", "the database gave up on a conflict between writers")
        elif state in TIMEOUT_STATES:
            trouble.refuse("CONTENTION", "another writer held the rows for too long")
        elif _is_unavailable(error, state):
            if trouble.stale and not last:
                return True
            log.warning("database_unavailable", error=type(error).__name__, sqlstate=state)
            if state == READ_ONLY_STATE:
                # A primary that is one no longer: connecting anew finds the one that is.
                await self._session.close()
            trouble.refuse("STORAGE_UNAVAILABLE", _UNREACHABLE)
        else:
            await self._isolate(trouble)
        return False

    async def _isolate(self, trouble: _Trouble) -> None:
        """Find the command that the database will not take, by halves, and fail only that one."""
        entries = trouble.entries
        if len(entries) == 1:
            self.stats.poison_count += 1
            command = type(entries[0].command).__name__
            log.error("command_poisoned", command=command, exc_info=trouble.error)
            _fail(entries[0], trouble.error)
            return
        middle = len(entries) // 2
        await self._process(entries[:middle], uncertain=trouble.uncertain)
        await self._process(entries[middle:], uncertain=trouble.uncertain)

    async def _settle(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Find out what became of a batch whose connection broke while committing.

        Returns the entries to run again. That is safe because those that took effect are found by
        their request records when the batch is loaded; those without a record are the server's own
        jobs, which look at the state of their rows.
        """
        self.stats.retry_count += 1
        lost = self._session.backend
        until = self._clock.monotonic() + self._limits.settle_ms_max / 1000
        while lost is not None and self._clock.monotonic() < until:
            try:
                if not self._session.usable:
                    await self._connect()
                if await self._session.end_backend(lost):
                    return [entry for entry in entries if not entry.future.done()]
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("settling", error=type(error).__name__)
                await self._session.close()
                self._shed()
            await asyncio.sleep(_SETTLE_PAUSE_SECONDS)
        log.error("commit_outcome_unknown", commands=len(entries))
        _refuse_all(entries, "OUTCOME_UNKNOWN", _OUTCOME_UNKNOWN)
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


def _refuse_all(entries: Sequence[Entry], reason: str, message: str) -> None:
    for entry in entries:
        # One each: a refusal raised in many tasks would gather the tracebacks of all.
        _fail(entry, Refusal(reason, message))
