"""Whether the database would take a payment now, asked again and again in the background.

The health protocol repeats the last answer: a probe never waits for a database that does not
answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import psycopg

from longmen_server.platform.database import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["watch_readiness"]


async def watch_readiness(
    dsn: str,
    tell: Callable[[bool], Awaitable[None]],
    *,
    interval_ms: int,
    timeout_ms: int,
) -> None:
    """Tell whether the database takes writes, every interval, until cancelled.

    It has a connection of its own, so that a busy pool is not mistaken for a dead database.

    Args:
        dsn: the database.
        tell: takes the answer; called each time, changed or not.
        interval_ms: pause between two questions.
        timeout_ms: an answer that takes longer counts as no.
    """
    connection: Connection | None = None
    try:
        while True:
            try:
                async with asyncio.timeout(timeout_ms / 1000):
                    if connection is None:
                        connection = await connect(dsn, application_name="longmen readiness")
                    ready = await takes_writes(connection)
            except (TimeoutError, psycopg.Error):
                ready = False
                await drop(connection)
                connection = None
            await tell(ready)
            await asyncio.sleep(interval_ms / 1000)
    finally:
        await drop(connection)


async def takes_writes(connection: Connection) -> bool:
    """Whether the server at the other end is a primary; after a failover it may not be."""
    cursor = await connection.execute("select not pg_is_in_recovery()")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def drop(connection: Connection | None) -> None:
    """Close a connection that may be broken."""
    if connection is not None:
        with contextlib.suppress(psycopg.Error):
            await connection.close()
