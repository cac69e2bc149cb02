"""Watching rows: many watchers, one query.

All watched rows of a process are read together, a few times a second, and only while somebody
watches. Each watcher is given the newest state when it asks for it; states it had no time for are
skipped, the last one never is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import structlog

from longmen_server.platform.ids import book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers

__all__ = ["Watcher"]

log = structlog.get_logger("longmen.watch")

K = TypeVar("K", bound=bytes)
R = TypeVar("R", bound="Versioned")

READ_SECONDS_MAX: Final = 5.0
"""How long one look at the watched rows may take."""

ROWS_PER_READ: Final = 2_000
"""Rows read by one statement."""


class Versioned(Protocol):
    """A row whose version grows with every change."""

    version: int


class _Watch(Generic[R]):
    """One watcher's view of one row."""

    __slots__ = ("_changed", "_row", "seen_version")

    def __init__(self, version: int) -> None:
        self.seen_version = version
        self._row: R | None = None
        self._changed = asyncio.Event()

    def offer(self, row: R) -> None:
        """Take the newest state of the row; an unread older one is replaced."""
        if row.version > self.seen_version:
            self.seen_version = row.version
            self._row = row
            self._changed.set()

    async def next(self) -> R:
        """Return the newest state not returned yet; wait until there is one."""
        await self._changed.wait()
        self._changed.clear()
        assert self._row is not None, "a change brings its row"
        return self._row


class Watcher(Generic[K, R]):
    """The watched rows of one kind in one process."""

    def __init__(
        self,
        readers: Readers,
        clock: Clock,
        read: Callable[[Connection, int, Mapping[K, int]], Awaitable[dict[K, R]]],
        *,
        interval_ms: int,
    ) -> None:
        """Take what the watcher works with.

        Args:
            readers: where to read.
            clock: for deadlines.
            read: returns those rows of a book that have changed, by their ids, when it is told
                which version of each was seen; rows that have not changed do no harm.
            interval_ms: milliseconds between two looks.
        """
        self._readers = readers
        self._read = read
        self._clock = clock
        self._interval_s = interval_ms / 1000
        self._watches: defaultdict[K, set[_Watch[R]]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, key: K, version: int) -> AsyncIterator[_Watch[R]]:
        """Watch a row from a version on, for as long as the context is open."""
        watch: _Watch[R] = _Watch(version)
        self._watches[key].add(watch)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="watcher")
        try:
            yield watch
        finally:
            watches = self._watches[key]
            watches.discard(watch)
            if not watches:
                del self._watches[key]

    async def _look(self) -> None:
        """Look at all watched rows again and again, until none is left."""
        while self._watches:
            try:
                await self._look_once()
            except Refusal as refusal:
                # The database may be busy or gone for a while; the watchers learn the state then.
                log.warning("watch_delayed", reason=refusal.reason)
            await asyncio.sleep(self._interval_s)
        self._looking = None

    async def _look_once(self) -> None:
        by_book: defaultdict[int, list[tuple[K, int]]] = defaultdict(list)
        for key, watches in self._watches.items():
            seen = min(watch.seen_version for watch in watches)
            by_book[book_of(key)].append((key, seen))
        deadline = self._clock.monotonic() + READ_SECONDS_MAX
        async with self._readers.connection(deadline=deadline) as connection:
            for book, pairs in by_book.items():
                for start in range(0, len(pairs), ROWS_PER_READ):
                    part = dict(pairs[start : start + ROWS_PER_READ])
                    rows = await self._read(connection, book, part)
                    for key, row in rows.items():
                        for watch in self._watches.get(key, ()):
                            watch.offer(row)
