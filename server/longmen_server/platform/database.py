"""Connections to Postgres: how they are opened, and the bounded pool that every read goes through.

All of them are autocommit, speak binary, use `$1` placeholders and give up on a dead network within
seconds. The engine opens its own connection with `connect`; reads borrow one from `Readers`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, IsolationLevel, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from longmen_server.platform import adapters
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.platform.clock import Clock

__all__ = [
    "BinaryCursor",
    "Connection",
    "Readers",
    "complete_dsn",
    "connect",
    "session_options",
]

NETWORK: Final[dict[str, str | int]] = {
    "connect_timeout": 2,  # seconds for each host of the list
    "keepalives": 1,
    "keepalives_idle": 5,  # seconds of silence before the first probe
    "keepalives_interval": 2,  # seconds between probes
    "keepalives_count": 3,  # lost probes before the link is dead
    "tcp_user_timeout": 4000,  # ms that sent data may stay unacknowledged
}
"""A half-open link is found dead within 5 s instead of the kernel's 15 minutes."""

TIMEOUT_STEP_MINIMUM_MS: Final = 250
"""Statement timeouts follow deadlines in powers of two from here, so they rarely change."""

IDLE_SECONDS_TRUSTED: Final = 1.0
"""A pooled connection idle for longer is tried before it is lent: one round trip, now and then."""

CHECK_SECONDS: Final = 0.5
"""How long that trial may take before the connection is given up."""

WAITING_PER_CONNECTION: Final = 32
"""Callers that may wait for each connection of a pool; the next one is refused at once."""

PREPARE_AT_ONCE: Final = 0
PREPARED_MAXIMUM: Final = 200
"""Statements kept prepared on one connection; the house has fewer, all fixed texts."""


class BinaryCursor(AsyncRawCursor[TupleRow]):
    """A cursor with `$1` placeholders and binary results."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.format = Format.BINARY


class Connection(AsyncConnection[TupleRow]):
    """A connection that remembers what its pool wants to know about it."""

    statement_timeout_ms: int = 0
    """The session's statement timeout; 0 is none."""
    used_at: float = 0.0
    """When it was last given back, in monotonic seconds."""


Parameters: TypeAlias = dict[str, Any]


def session_options(settings: dict[str, str | int]) -> str:
    """The `options` of libpq for settings that hold from the session's first statement."""
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def complete_dsn(dsn: str, *, application_name: str, settings: dict[str, str | int]) -> str:
    """The DSN with our network limits and session settings; what the operator wrote wins.

    Raises:
        psycopg.ProgrammingError: the DSN cannot be parsed.
    """
    given: Parameters = conninfo_to_dict(dsn)
    options = session_options({"TimeZone": "UTC", **settings})
    parameters = {
        **NETWORK,
        "application_name": application_name,
        **given,
        "options": f"{options} {given.get('options') or ''}".strip(),
    }
    return make_conninfo(**parameters)


async def connect(
    dsn: str, *, application_name: str, settings: dict[str, str | int] | None = None
) -> Connection:
    """One autocommit connection with binary cursors and our adapters.

    Args:
        dsn: libpq connection string or URL; may list several hosts.
        application_name: shown in `pg_stat_activity`.
        settings: session settings, for example `{"lock_timeout": 2000}` (ms).

    Raises:
        psycopg.OperationalError: no host answered, or the log-in was refused.
    """
    connection = await Connection.connect(
        complete_dsn(dsn, application_name=application_name, settings=settings or {}),
        autocommit=True,
        prepare_threshold=PREPARE_AT_ONCE,
        cursor_factory=BinaryCursor,
    )
    configure(connection)
    return connection


def configure(connection: Connection) -> None:
    """Our adapters and limits on a fresh connection."""
    connection.prepared_max = PREPARED_MAXIMUM
    adapters.register(connection)


class Readers:
    """A bounded pool of read-only connections whose statements end with their caller's deadline."""

    def __init__(
        self, dsn: str, clock: Clock, *, minimum: int, maximum: int, wait_ms: int, name: str
    ) -> None:
        """Describe the pool; `open` connects.

        Args:
            dsn: where to read.
            clock: for deadlines.
            minimum: connections kept open.
            maximum: connections at most; more callers wait.
            wait_ms: how long a caller may wait for one before it is refused as OVERLOADED.
            name: application name of the connections.
        """
        self._clock = clock
        self._wait_seconds = wait_ms / 1000
        self._lent = 0
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            complete_dsn(
                dsn,
                application_name=name,
                settings={
                    "default_transaction_read_only": "on",
                    "idle_in_transaction_session_timeout": 60_000,  # ms; a leaked transaction
                },
            ),
            connection_class=Connection,
            kwargs={
                "autocommit": True,
                "prepare_threshold": PREPARE_AT_ONCE,
                "cursor_factory": BinaryCursor,
            },
            min_size=minimum,
            max_size=maximum,
            timeout=self._wait_seconds,
            max_waiting=maximum * WAITING_PER_CONNECTION,
            max_lifetime=30 * 60,  # s; lets new hosts of the DSN take part
            max_idle=5 * 60,  # s
            reconnect_timeout=60,  # s; then tried again by the next caller
            name=name,
            open=False,
            configure=self._configure,
            check=self._check,
        )

    @staticmethod
    async def _configure(connection: Connection) -> None:
        """What the pool does with each fresh connection."""
        configure(connection)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)

    async def _check(self, connection: Connection) -> None:
        """Try a connection that has been idle; raising makes the pool replace it."""
        if self._clock.monotonic() - connection.used_at > IDLE_SECONDS_TRUSTED:
            async with asyncio.timeout(CHECK_SECONDS):
                await AsyncConnectionPool.check_connection(connection)

    async def open(self, *, timeout_seconds: float) -> None:
        """Connect the minimum.

        Raises:
            psycopg_pool.PoolTimeout: the database did not answer in time.
        """
        await self._pool.open(wait=True, timeout=timeout_seconds)

    async def close(self) -> None:
        """Wait for borrowed connections and close all."""
        await self._pool.close()

    def statistics(self) -> dict[str, int]:
        """The pool's counters, for metrics."""
        return self._pool.get_stats()

    @asynccontextmanager
    async def connection(self, *, deadline: float) -> AsyncIterator[Connection]:
        """A connection for reads, each statement in its own snapshot, until the deadline.

        Args:
            deadline: monotonic seconds of the injected clock.

        Raises:
            Refusal: DEADLINE_EXCEEDED, OVERLOADED when none became free in time,
                STORAGE_UNAVAILABLE when the database cannot be reached or dropped the connection.
        """
        connection = await self._borrow(deadline)
        try:
            await self._bound(connection, deadline)
            yield connection
        except errors.QueryCanceled as error:
            raise deadline_exceeded() from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise storage_unavailable() from error
        finally:
            self._lent -= 1
            connection.used_at = self._clock.monotonic()
            await asyncio.shield(self._pool.putconn(connection))

    @asynccontextmanager
    async def snapshot(self, *, deadline: float) -> AsyncIterator[Connection]:
        """As `connection`, with every statement on one snapshot (repeatable read, read only).

        Raises:
            Refusal: as `connection`.
        """
        async with self.connection(deadline=deadline) as connection, connection.transaction():
            yield connection

    async def _borrow(self, deadline: float) -> Connection:
        """A pooled connection, waiting no longer than allowed."""
        remaining = deadline - self._clock.monotonic()
        if remaining <= 0:
            raise deadline_exceeded()
        try:
            connection = await self._pool.getconn(timeout=min(remaining, self._wait_seconds))
        except PoolClosed as error:
            raise Refusal("SHUTTING_DOWN", "the server is shutting down") from error
        except (PoolTimeout, TooManyRequests) as error:
            if self._clock.monotonic() >= deadline:
                raise deadline_exceeded() from error
            # Where others have connections the database is there, and the pool is busy or growing.
            raise (overloaded() if self._lent else storage_unavailable()) from error
        except psycopg.OperationalError as error:
            raise storage_unavailable() from error
        self._lent += 1
        return connection

    async def _bound(self, connection: Connection, deadline: float) -> None:
        """Give the session a statement timeout that covers the deadline.

        Rounded up to a power of two so that most borrowers find it set already: the caller's own
        cancellation is exact, this one stops what a lost caller left behind.
        """
        remaining_ms = max(1, int((deadline - self._clock.monotonic()) * 1000))
        step_ms = TIMEOUT_STEP_MINIMUM_MS
        while step_ms < remaining_ms:
            step_ms *= 2
        if connection.statement_timeout_ms != step_ms:
            await connection.execute(f"set statement_timeout = {step_ms}".encode())
            connection.statement_timeout_ms = step_ms


def deadline_exceeded() -> Refusal:
    """The refusal of a call whose time is up."""
    return Refusal("DEADLINE_EXCEEDED", "the deadline passed")


def overloaded() -> Refusal:
    """The refusal of a read that found every connection busy for too long."""
    return Refusal("OVERLOADED", "too many reads are running", metadata={"class": "READ"})


def storage_unavailable() -> Refusal:
    """The refusal of a call that the database cannot serve at the moment."""
    return Refusal("STORAGE_UNAVAILABLE", "the database cannot be reached; nothing was done")
