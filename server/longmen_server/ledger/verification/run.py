"""A verification from beginning to end: one snapshot, two connections, every check."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from longmen_server.ledger.verification import (
    queries,
    queries_accounts,
    queries_journal,
    queries_postings,
    queries_records,
)
from longmen_server.ledger.verification.journal_walk import Leaves, Walk
from longmen_server.ledger.verification.report import (
    FINDINGS_LISTED_MAX,
    KINDS,
    Finding,
    Progress,
    Report,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from longmen_server.ledger.verification.queries import Check, Counts
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection

    Lend: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
    Task: TypeAlias = Callable[["_Run", Connection], Awaitable[None]]


async def verify(*, book: int, lend: Lend, clock: Clock) -> AsyncGenerator[Report, None]:
    """Check every invariant of a book on one snapshot and yield what there is to say, as it comes.

    Nothing is written and nothing is locked, so a server can go on working. The last item is the
    summary. Closing the generator stops the work.

    Args:
        book: what to verify.
        lend: opens a connection in a read-only transaction of isolation level repeatable read that
            has read nothing yet; it is called twice, since two checks run at once.
        clock: by which nothing may have happened later than now.

    Raises:
        psycopg.Error, Refusal: the database went away, as the lender says it.
    """
    started, read_at_us = clock.monotonic(), clock.now_us()
    async with lend() as leader, lend() as follower:
        await queries.join(follower, await queries.begin(leader))
        run = _Run(book, read_at_us, await queries.count_rows(leader, book))
        worker = asyncio.create_task(run.work((leader, follower)))
        try:
            while (report := await run.reports.get()) is not None:
                yield report
            await worker
        except ExceptionGroup as group:
            # Whoever lends the connections knows their errors, not groups of them.
            raise group.exceptions[0] from group
        finally:
            worker.cancel()
            await asyncio.wait((worker,))
    yield run.summary(duration_ms=round((clock.monotonic() - started) * 1000))


@dataclass
class _Run:
    """One verification under way."""

    book: int
    now_us: int
    rows: Counts
    # Not bounded: what comes in is, by kinds and checks.
    reports: asyncio.Queue[Report | None] = field(default_factory=asyncio.Queue)
    counts: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)

    async def work(self, connections: tuple[Connection, ...]) -> None:
        """Do every task, as many at once as there are connections."""
        tasks = deque(_tasks(self.rows))
        try:
            async with asyncio.TaskGroup() as group:
                for connection in connections:
                    group.create_task(self._drain(tasks, connection))
        finally:
            self.reports.put_nowait(None)

    async def _drain(self, tasks: deque[Task], connection: Connection) -> None:
        while tasks:
            await tasks.popleft()(self, connection)

    def progress(self, check: str, done: int, total: int) -> None:
        """Tell how far a check has come."""
        self.reports.put_nowait(Progress(check, done, total))

    def found(self, kind: str, subject: str, detail: str) -> None:
        """Count a finding, and tell it unless enough of its kind were told."""
        assert kind in KINDS, "every kind is documented"
        self.counts[kind] += 1
        if self.listed[kind] < FINDINGS_LISTED_MAX:
            self.listed[kind] += 1
            self.reports.put_nowait(Finding(kind, subject, detail))

    def not_listed(self, kind: str, count: int) -> None:
        """Count findings of a kind that the database has counted without listing them."""
        self.counts[kind] += count

    def summary(self, *, duration_ms: int) -> Summary:
        """The end of it."""
        return Summary(
            finding_count=self.counts.total(),
            counts=dict(sorted(self.counts.items())),
            account_count=self.rows.accounts,
            posting_count=self.rows.postings,
            block_count=self.rows.blocks,
            event_count=self.rows.events,
            duration_ms=duration_ms,
            read_at_us=self.now_us,
        )


def _tasks(rows: Counts) -> list[Task]:
    """Every task, the longest first, so that both connections end at about the same time."""
    return [
        _journals,
        partial(_check, check=queries_accounts.ENTRIES, total=2 * rows.postings),
        _replies,
        _posting_events,
        _openings,
        *(partial(_check, check=check, total=rows.postings) for check in queries_postings.CHECKS),
        partial(_check, check=queries_accounts.STANDING, total=rows.accounts),
        partial(_check, check=queries_accounts.SUMS, total=rows.accounts),
        partial(_check, check=queries_records.ACCOUNT_EVENTS, total=rows.accounts),
        partial(_check, check=queries_records.REQUESTS, total=rows.requests),
        _requests_ahead,
    ]


async def _check(run: _Run, connection: Connection, *, check: Check, total: int) -> None:
    """Run one check that is all SQL."""
    run.progress(check.name, 0, total)
    listed: Counter[str] = Counter()
    totals: dict[str, int] = {}
    for found in await queries.run_check(connection, check, run.book):
        run.found(found.kind, found.subject, found.detail)
        listed[found.kind] += 1
        totals[found.kind] = found.count
    for kind, count in totals.items():
        run.not_listed(kind, count - listed[kind])
    run.progress(check.name, total, total)


async def _posting_events(run: _Run, connection: Connection) -> None:
    """Compare postings and events at once, and one by one only when that fails."""
    check, total = queries_records.POSTING_EVENTS, run.rows.postings
    run.progress(check.name, 0, total)
    if await queries_records.postings_have_events(connection, run.book):
        run.progress(check.name, total, total)
    else:
        await _check(run, connection, check=check, total=total)


async def _replies(run: _Run, connection: Connection) -> None:
    name, done, total = "stored replies", 0, run.rows.requests
    run.progress(name, 0, total)
    async for count, broken in queries_records.unreadable_replies(connection, run.book):
        for key, why in broken:
            run.found("REQUEST_REPLY_UNREADABLE", f"request {key}", why)
        done += count
        run.progress(name, done, max(done, total))
    run.progress(name, total, total)


async def _openings(run: _Run, connection: Connection) -> None:
    name, done, total = "accounts as opened", 0, run.rows.accounts
    run.progress(name, 0, total)
    async for count, differences in queries_records.changed_accounts(connection, run.book):
        for kind, subject, detail in differences:
            run.found(kind, subject, detail)
        done += count
        run.progress(name, done, max(done, total))
    run.progress(name, total, total)


async def _requests_ahead(run: _Run, connection: Connection) -> None:
    ahead = await queries_records.requests_ahead(connection, run.book, run.now_us)
    for key, at_us, _ in ahead:
        run.found("REQUEST_TIME_AHEAD", f"request {key}", f"decided at {at_us}")
    if ahead:
        run.not_listed("REQUEST_TIME_AHEAD", ahead[0][2] - len(ahead))


async def _journals(run: _Run, connection: Connection) -> None:
    """Walk along the journals, blocks and leaves side by side."""
    name, done = "journals", 0
    run.progress(name, 0, run.rows.events)
    await queries_journal.open_journal(connection, run.book)
    walk, feed = Walk(run.book, run.found), _Feed(connection)
    writer, leaves = 0, Leaves()
    while blocks := await queries_journal.next_blocks(connection):
        for block in blocks:
            if block.writer != writer:
                await _pass_over(walk, feed, writer, leaves, before=block.writer)
                writer, leaves = block.writer, Leaves()
            await feed.fill(writer, leaves, until=block.first_sequence + block.record_count - 1)
            walk.step(block, leaves)
            done += block.record_count
        run.progress(name, min(done, run.rows.events), run.rows.events)
    await _pass_over(walk, feed, writer, leaves, before=None)
    run.progress(name, run.rows.events, run.rows.events)


async def _pass_over(
    walk: Walk, feed: _Feed, writer: int, leaves: Leaves, *, before: int | None
) -> None:
    """Tell of the leaves left of a writer whose blocks have ended, and of writers without any."""
    await feed.fill(writer, leaves, until=None)
    walk.finish(writer, leaves)
    while (run := await feed.peek()) is not None and (before is None or run.writer < before):
        other = Leaves()
        await feed.fill(run.writer, other, until=None)
        walk.finish(run.writer, other)


class _Feed:
    """The stream of leaves, with a look ahead."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runs: deque[queries_journal.Run] = deque()
        self._ended = False

    async def peek(self) -> queries_journal.Run | None:
        """Return the next run without taking it; None at the end."""
        if not self._runs and not self._ended:
            self._runs.extend(await queries_journal.next_runs(self._connection))
            self._ended = not self._runs
        return self._runs[0] if self._runs else None

    async def fill(self, writer: int, leaves: Leaves, *, until: int | None) -> None:
        """Add a writer's runs up to one that has a sequence, or all of them."""
        while (until is None or leaves.last < until) and (run := await self.peek()) is not None:
            if run.writer != writer:
                return
            leaves.add(run.leaves)
            self._runs.popleft()
