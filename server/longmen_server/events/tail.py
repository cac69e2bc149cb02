"""How far the journals of a book have come, asked once for all the streams that wait on it.

A stream that has given everything waits here. While anybody waits, one task asks the database for
the heads of the journals, often while there is news and twice a second when there is none; hundreds
of streams cost no more than one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.events.queries import heads
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers

__all__ = ["Tail"]

POLL_SECONDS_MIN: Final = 0.02
POLL_SECONDS_MAX: Final = 0.5
POLL_GROWTH: Final = 1.5
"""The wait between two looks grows from the least to the most while nothing happens."""

POLL_BUDGET_SECONDS: Final = 5.0
"""How long one look may take."""

_log = structlog.stdlib.get_logger("longmen.events")


class Tail:
    """Wakes streams of one book when there is something new."""

    def __init__(self, *, readers: Readers, clock: Clock, book: int) -> None:
        self._readers = readers
        self._clock = clock
        self._book = book
        self._heads: dict[int, int] = {}
        self._news = asyncio.Event()
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    async def wait_beyond(self, position: Mapping[int, int], *, seconds: float) -> bool:
        """Wait until a journal goes beyond a position, at most so many seconds.

        Returns:
            Whether there is something beyond it.
        """
        self._waiting += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll(), name=f"tail of book {self._book}")
        try:
            async with asyncio.timeout(seconds):
                while not self._is_beyond(position):
                    await self._news.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._task.cancel()
                self._task = None
        return True

    def _is_beyond(self, position: Mapping[int, int]) -> bool:
        return any(head > position.get(writer, 0) for writer, head in self._heads.items())

    async def _poll(self) -> None:
        """Look at the heads again and again, and wake everybody when they have moved."""
        wait = POLL_SECONDS_MIN
        while True:
            await asyncio.sleep(wait)
            found = await self._look()
            if found == self._heads:
                wait = min(POLL_SECONDS_MAX, wait * POLL_GROWTH)
                continue
            self._heads = found
            wait = POLL_SECONDS_MIN
            self._news.set()
            self._news = asyncio.Event()

    async def _look(self) -> dict[int, int]:
        """Return the heads; the ones known while the database cannot say."""
        deadline = self._clock.monotonic() + POLL_BUDGET_SECONDS
        try:
            async with self._readers.connection(deadline=deadline) as connection:
                return await heads(connection, self._book)
        except Refusal as refusal:
            _log.warning("tail_blind", book=self._book, reason=refusal.reason)
            return self._heads
