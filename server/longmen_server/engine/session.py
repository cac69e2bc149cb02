"""A writer's own database connection: one round trip to read, one to write and commit.

Statements go out in pipeline mode, so that their number costs parsing but no waiting. Nothing
lasting travels in the session but a lock on the writer's number, which only keeps two processes
from choosing the same one; that a journal never forks is guaranteed by its primary key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from longmen_server.engine.family import Statement
from longmen_server.engine.journal import EMPTY_HEAD, Head
from longmen_server.engine.wire import Wire
from longmen_server.platform.adapters import Instant
from longmen_server.platform.database import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection

#: Advisory lock class of writer numbers, an arbitrary constant of this product.
_WRITER_LOCK_CLASS = 0x4C4F4E47
_BEGIN = Statement(b"begin isolation level read committed", ())
_DISCARD_PLANS = Statement(b"discard plans", ())
_COMMIT = Statement(b"commit", ())
_ROLLBACK = Statement(b"rollback", ())

#: Settings of the connection. Generic plans: the statements are the same for every batch and their
#: best plan does not depend on the parameters, while planning them anew would cost more than
#: running them. A plan stays until its table is analysed again, so it must suit a table that grows:
#: one made while a table is empty reads all of it for each batch. What a table without a row will
#: look like nobody can tell the planner, so plans are made again after the first batches.
_SETTINGS: dict[str, str | int] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": 60_000,
}


class CommitUnknownError(Exception):
    """The connection broke after COMMIT was sent: the batch may or may not have taken effect."""


class Backend(NamedTuple):
    """The server's side of a connection; process ids alone come again."""

    pid: int
    started_at_us: int


class Session:
    """One connection of one writer."""

    def __init__(
        self, dsn: str, *, lock_timeout_ms: int, statement_timeout_ms: int, silence_ms: int
    ) -> None:
        self._dsn = dsn
        self._silence_ms = silence_ms
        self._settings: dict[str, str | int] = {
            **_SETTINGS,
            "lock_timeout": lock_timeout_ms,
            "statement_timeout": statement_timeout_ms,
        }
        self._connection: Connection | None = None
        self._wire: Wire | None = None
        self._backend: Backend | None = None

    async def open(self) -> None:
        """Connect; raises psycopg.OperationalError when there is no server."""
        self._connection = await connect(
            self._dsn, application_name="longmen writer", settings=self._settings
        )
        self._wire = Wire(self._connection, silence_ms=self._silence_ms)
        rows = await self._fetch(
            b"select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()", ()
        )
        self._backend = Backend(*rows[0])

    async def close(self) -> None:
        """Close the connection; safe on one that is broken or was never opened."""
        self._wire = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    @property
    def usable(self) -> bool:
        """Whether the connection is open and in no transaction."""
        return self._wire is not None and self._wire.idle

    @property
    def backend(self) -> Backend | None:
        """The server's side of the connection last opened; None before the first."""
        return self._backend

    async def claim_writer(self, book: int, first: int, last: int) -> int:
        """Lock and return the first free writer number of a range.

        Raises:
            RuntimeError: when all numbers are taken by other processes.
        """
        for writer in range(first, last + 1):
            rows = await self._fetch(
                b"select pg_try_advisory_lock($1::int, $2::int)",
                (_WRITER_LOCK_CLASS, (book << 16) | writer),
            )
            if rows[0][0]:
                return writer
        raise RuntimeError(f"all writer numbers {first} to {last} of book {book} are taken")

    async def read_head(self, book: int, writer: int) -> Head:
        """Return where a writer's journal stands."""
        rows = await self._fetch(
            b"select number, first_sequence + record_count - 1, booked_at_us, hash"
            b" from journal_block where book = $1 and writer = $2 order by number desc limit 1",
            (book, writer),
        )
        return Head(*rows[0]) if rows else EMPTY_HEAD

    async def end_backend(self, backend: Backend) -> bool:
        """Tell a former backend of ours to end; return whether it has.

        Once it has, its last transaction is decided and its locks are free.
        """
        rows = await self._fetch(
            b"select pg_terminate_backend(pid) from pg_stat_activity"
            b" where pid = $1::int and backend_start = $2",
            (backend.pid, Instant(backend.started_at_us)),
        )
        return not rows

    async def _fetch(self, sql: bytes, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return (await self._open_wire().run((Statement(sql, parameters),)))[0]

    def _open_wire(self) -> Wire:
        if self._wire is None:
            raise psycopg.OperationalError("the session is closed")
        return self._wire

    async def read(
        self, statements: Sequence[Statement], *, begin: bool
    ) -> list[list[tuple[Any, ...]]]:
        """Run reading statements in one round trip, at the beginning of a transaction if asked."""
        wire = self._open_wire()
        if not begin:
            return await wire.run(statements)
        if not wire.outgrown:
            return (await wire.run((_BEGIN, *statements)))[1:]
        wire.outgrown = False
        return (await wire.run((_BEGIN, _DISCARD_PLANS, *statements)))[2:]

    async def write(self, statements: Sequence[Statement]) -> None:
        """Run writing statements in one round trip, within the open transaction."""
        await self._open_wire().run(statements)

    async def write_and_commit(self, statements: Sequence[Statement]) -> None:
        """Run writing statements and commit, all in one round trip.

        Raises:
            CommitUnknownError: when the connection broke after the commit was sent.
            psycopg.Error: when a statement failed; then nothing was committed.
        """
        wire = self._open_wire()
        try:
            await wire.run((*statements, _COMMIT))
        except psycopg.Error as error:
            # 57P0x: the server ended the session, and a commit in flight may have got through.
            if wire.broken or error.sqlstate is None or error.sqlstate.startswith("57P"):
                raise CommitUnknownError from error
            raise

    async def rollback(self) -> None:
        """End the transaction without effect; a broken connection has none left."""
        if self._wire is not None and not self._wire.broken:
            await self._wire.run((_ROLLBACK,))
