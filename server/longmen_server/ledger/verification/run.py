"""A verification from beginning to end: one snapshot, every check, by default two at once."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, TypeAlias

from google.protobuf.message import DecodeError

from longmen_server.ledger.verification import (
    queries,
    queries_accounts,
    queries_postings,
    queries_records,
)
from longmen_server.ledger.verification.tally import Tally

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from longmen_server.ledger.verification.queries import Check, Counts
    from longmen_server.ledger.verification.report import Report
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection

    Lend: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
    Task: TypeAlias = Callable[[Tally, Connection], Awaitable[None]]


AT_ONCE: Final = 2
"""Checks that run at the same time: two take little more than half as long as one by one, and more
would take the disk from the payments."""


async def verify(
    *, book: int, lend: Lend, clock: Clock, checks: Sequence[Check], at_once: int = AT_ONCE
) -> AsyncGenerator[Report, None]:
    """Check every invariant of a book on one snapshot and yield what there is to say, as it comes.

    Nothing is written and nothing is locked, so a server can go on working. The last item is the
    summary. Closing the generator stops the work.

    Args:
        book: what to verify.
        lend: opens a connection in a read-only transaction of isolation level repeatable read that
            has read nothing yet; it is called for each of the checks that run at once.
        clock: by which nothing may have happened later than now.
        checks: of areas beyond the ledger.
        at_once: how many checks run at the same time, at least 1. One alone sees what its own
            connection's transaction has done, which no other can.

    Raises:
        psycopg.Error, Refusal: the database went away, as the lender says it.
    """
    started, read_at_us = clock.monotonic(), clock.now_us()
    async with AsyncExitStack() as stack:
        lent = [await stack.enter_async_context(lend()) for _ in range(at_once)]
        leader, *followers = lent
        snapshot = await queries.begin(leader)
        for follower in followers:
            await queries.join(follower, snapshot)
        tally = Tally(book, read_at_us, await queries.count_rows(leader, book))
        worker = asyncio.create_task(_work(tally, lent, checks))
        try:
            while (report := await tally.reports.get()) is not None:
                yield report
            await worker
        except ExceptionGroup as group:
            # Whoever lends the connections knows their errors, not groups of them.
            raise group.exceptions[0] from group
        finally:
            worker.cancel()
            await asyncio.wait((worker,))
    yield tally.summary(duration_ms=round((clock.monotonic() - started) * 1000))


async def _work(tally: Tally, connections: Sequence[Connection], checks: Sequence[Check]) -> None:
    """Do every task, as many at once as there are connections."""
    tasks = deque(_tasks(tally.rows, checks))

    async def drain(connection: Connection) -> None:
        while tasks:
            await tasks.popleft()(tally, connection)

    try:
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(drain(connection))
    finally:
        tally.reports.put_nowait(None)


def _tasks(rows: Counts, checks: Sequence[Check]) -> list[Task]:
    """Every task, the longest first, so that both connections end at about the same time."""
    return [
        _walk,
        _replies,
        _openings,
        *(_sql(check, rows.postings) for check in queries_postings.CHECKS),
        _sql(queries_accounts.STANDING, rows.accounts),
        _sql(queries_accounts.SUMS, rows.accounts),
        _sql(queries_records.ACCOUNT_EVENTS, rows.accounts),
        *(_sql(check, rows.accounts) for check in checks),
        _sql(queries_records.REQUESTS, rows.requests),
        _requests_ahead,
    ]


async def _walk(tally: Tally, connection: Connection) -> None:
    # Its arrays would cost every server a fifth of a second at its start, and 20 MB.
    from longmen_server.ledger.verification.walk import walk_records

    await walk_records(tally, connection)


def _sql(check: Check, total: int) -> Task:
    """The task of one check that is all SQL."""
    return lambda tally, connection: tally.check(connection, check, total)


async def _replies(tally: Tally, connection: Connection) -> None:
    """Read every stored reply, and one by one only when that fails."""
    name, done, total = "stored replies", 0, tally.rows.requests
    tally.progress(name, 0, total)
    granted_are_readable = True
    try:
        async for count in queries_records.readable_replies(connection, tally.book):
            done += count
            tally.progress(name, done, max(done, total))
    except DecodeError:
        granted_are_readable = False
    broken = queries_records.unreadable_replies(
        connection, tally.book, refusals_only=granted_are_readable
    )
    async for key, why in broken:
        tally.found("REQUEST_REPLY_UNREADABLE", f"request {key}", why)
    tally.progress(name, total, total)


async def _openings(tally: Tally, connection: Connection) -> None:
    name, done, total = "accounts as opened", 0, tally.rows.accounts
    tally.progress(name, 0, total)
    async for count, differences in queries_records.changed_accounts(connection, tally.book):
        for kind, subject, detail in differences:
            tally.found(kind, subject, detail)
        done += count
        tally.progress(name, done, max(done, total))
    tally.progress(name, total, total)


async def _requests_ahead(tally: Tally, connection: Connection) -> None:
    ahead = await queries_records.requests_ahead(connection, tally.book, tally.now_us)
    for key, at_us, _ in ahead:
        tally.found("REQUEST_TIME_AHEAD", f"request {key}", f"decided at {at_us}")
    if ahead:
        tally.not_listed("REQUEST_TIME_AHEAD", ahead[0][2] - len(ahead))
