"""The runner of jobs: one for each worker process, each job of a book in one process at a time.

A lease, a row of the database, says which process does a job of a book. It is a matter of economy,
not of safety: every job may run twice, since its commands look at the rows they lock. So a process
that was slow, or a clock that jumped, does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

import psycopg
import structlog

from longmen_server.jobs import queries
from longmen_server.jobs.job import Workplace
from longmen_server.jobs.queries import Lease
from longmen_server.platform.database import connect
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.engine.engine import Engine
    from longmen_server.jobs.job import Job
    from longmen_server.jobs.settings import JobSettings
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection

__all__ = ["JobRunner"]

log = structlog.get_logger("longmen.jobs")

#: Settings of the runner's connection. Its statements are short; a long one is a mistake.
_SESSION: dict[str, str | int] = {"statement_timeout": 30_000, "lock_timeout": 5_000}


class JobRunner:
    """Runs jobs round after round."""

    def __init__(
        self,
        *,
        dsn: str,
        engine: Engine,
        clock: Clock,
        books: Sequence[int],
        jobs: Sequence[Job],
        settings: JobSettings,
    ) -> None:
        """Take what the jobs work with.

        Args:
            dsn: where to read and to keep leases.
            engine: runs the jobs' commands; it must outlive the runner.
            clock: tells what is due.
            books: whose work to do.
            jobs: what to do, in order.
            settings: limits.
        """
        self._dsn = dsn
        self._engine = engine
        self._clock = clock
        self._books = books
        self._jobs = jobs
        self._settings = settings
        self._holder = os.urandom(16)
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to run rounds."""
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def stop(self) -> None:
        """Stop, in the middle of a round if need be, give up the leases and disconnect."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._connection is not None:
            # A lease that cannot be given up ends by itself.
            with contextlib.suppress(psycopg.Error):
                await queries.release_leases(self._connection, self._books, self._holder)
        await self._disconnect()

    async def _run(self) -> None:
        while True:
            await self.run_once()
            await asyncio.sleep(self._settings.job_interval_ms / 1000)

    async def run_once(self) -> dict[str, int]:
        """Run one round: every job of every book whose lease is to be had, until it is done.

        Trouble of one job is logged and leaves the others alone.

        Returns:
            How many items each job did, by its name.
        """
        done = {job.name: 0 for job in self._jobs}
        try:
            leases = await queries.look_at_leases(
                await self._connected(), self._books, self._holder
            )
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            log.warning("jobs_disconnected", error=str(error))
            await self._disconnect()
            return done
        for book in self._books:
            for job in self._jobs:
                try:
                    done[job.name] += await self._do(job, book, leases.get((book, job.name)))
                except Refusal as refusal:
                    log.warning("job_delayed", job=job.name, book=book, reason=refusal.reason)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    log.warning("job_disconnected", job=job.name, book=book, error=str(error))
                    await self._disconnect()
                except Exception:
                    log.exception("job_failed", job=job.name, book=book)
        return done

    async def _do(self, job: Job, book: int, lease: Lease | None) -> int:
        """Do a job of a book, up to the limit of takes; return how many items were done."""
        items = 0
        for _ in range(self._settings.job_rounds_max):
            lease = await self._hold(job, book, lease)
            if lease is None:
                break
            workplace = await self._enter(book, lease)
            done = await job.take(workplace)
            items += done.items
            if done.progress is not None and done.progress != lease.progress:
                await queries.save_progress(
                    workplace.connection, book, job.name, self._holder, done.progress
                )
                lease = lease._replace(progress=done.progress)
            if not done.more:
                break
        return items

    async def _hold(self, job: Job, book: int, lease: Lease | None) -> Lease | None:
        """Return the job's lease as our own, taken or renewed if need be; None for another's."""
        now_us, lease_us = self._clock.now_us(), self._settings.job_lease_ms * 1000
        if lease is not None:
            left_us = lease.expires_at_us - now_us
            if lease.own and left_us > lease_us // 2:
                return lease
            if not lease.own and left_us > 0:
                return None
        progress = await queries.take_lease(
            await self._connected(),
            book,
            job.name,
            self._holder,
            now_us=now_us,
            lease_us=lease_us,
        )
        return None if progress is None else Lease(True, now_us + lease_us, progress)

    async def _enter(self, book: int, lease: Lease) -> Workplace:
        return Workplace(
            book=book,
            connection=await self._connected(),
            engine=self._engine,
            clock=self._clock,
            items_max=self._settings.job_items_max,
            progress=lease.progress,
        )

    async def _connected(self) -> Connection:
        """Return the runner's connection, opened anew if it was lost."""
        connection = self._connection
        if connection is None or connection.closed:
            connection = await connect(
                self._dsn, application_name="longmen jobs", settings=_SESSION
            )
            self._connection = connection
        return connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()
