"""The engine of one process: a writer for each book, and the door to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from longmen_server.engine.batch import Entry
from longmen_server.engine.writer import Writer, WriterLimits
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.engine.command import Command, Outcome
    from longmen_server.engine.failpoints import Failpoints
    from longmen_server.engine.trail import Witness
    from longmen_server.platform.clock import Clock


class Engine:
    """Runs commands. One per process; all its methods belong to the process's event loop."""

    def __init__(
        self,
        *,
        dsn: str,
        books: Sequence[int],
        clock: Clock,
        failpoints: Failpoints,
        limits: WriterLimits | None = None,
        witness: Witness | None = None,
    ) -> None:
        chosen = limits or WriterLimits()
        self._writers: dict[int, Writer] = {
            book: Writer(
                book=book,
                dsn=dsn,
                clock=clock,
                failpoints=failpoints,
                limits=chosen,
                witness=witness,
            )
            for book in books
        }

    @property
    def writers(self) -> Mapping[int, Writer]:
        """The writers by book, for statistics."""
        return self._writers

    async def start(self) -> None:
        """Start every writer; raises psycopg.OperationalError when there is no database."""
        try:
            for writer in self._writers.values():
                await writer.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Finish everything queued and stop."""
        await asyncio.gather(*(writer.stop() for writer in self._writers.values()))

    async def submit(self, command: Command, *, deadline: float) -> Outcome:
        """Run a command and return its reply once it is durable.

        The caller may be cancelled at any time: a command that has not begun is dropped, one that
        has begun runs to its end.

        Args:
            command: what to do.
            deadline: monotonic seconds after which the caller no longer waits.

        Raises:
            Refusal: the command's own refusal, or OVERLOADED, DEADLINE_EXCEEDED,
            STORAGE_UNAVAILABLE,
                CONTENTION, OUTCOME_UNKNOWN, SHUTTING_DOWN, REQUEST_ID_REUSED, REPLY_EXPIRED,
                UNKNOWN_BOOK.
        """
        writer = self._writers.get(command.book)
        if writer is None:
            raise Refusal(
                "UNKNOWN_BOOK",
                "this server keeps no such book",
                metadata={"book": str(command.book)},
            )
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        writer.put(Entry(command, future, deadline))
        return await future
