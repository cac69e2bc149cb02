"""Watching balances: many watchers, one query.

All watched accounts of a process are read together, a few times a second, and only while somebody
watches. Each watcher is given the newest state when it asks for it; states it had no time for are
skipped, the last one never is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.ledger.queries.history import find_account_rows
from longmen_server.platform.ids import book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import AccountId

__all__ = ["BalanceWatcher"]

log = structlog.get_logger("longmen.accounts")

READ_SECONDS_MAX: Final = 5.0
"""How long one look at the watched accounts may take."""

ACCOUNTS_PER_READ: Final = 2_000
"""Accounts read by one statement."""


class _Watch:
    """One watcher's view of one account."""

    __slots__ = ("_changed", "_row", "seen_version")

    def __init__(self, version: int) -> None:
        self.seen_version = version
        self._row: AccountRow | None = None
        self._changed = asyncio.Event()

    def offer(self, row: AccountRow) -> None:
        """Take the newest state of the account; an unread older one is replaced."""
        if row.version > self.seen_version:
            self.seen_version = row.version
            self._row = row
            self._changed.set()

    async def next(self) -> AccountRow:
        """Return the newest state not returned yet; wait until there is one."""
        await self._changed.wait()
        self._changed.clear()
        assert self._row is not None, "a change brings its row"
        return self._row


class BalanceWatcher:
    """The watched accounts of one process."""

    def __init__(self, readers: Readers, clock: Clock, *, interval_ms: int) -> None:
        """Take where to read, and how many milliseconds to leave between looks."""
        self._readers = readers
        self._clock = clock
        self._interval_s = interval_ms / 1000
        self._watches: defaultdict[AccountId, set[_Watch]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, account_id: AccountId, version: int) -> AsyncIterator[_Watch]:
        """Watch an account from a version on, for as long as the context is open."""
        watch = _Watch(version)
        self._watches[account_id].add(watch)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="balance-watcher")
        try:
            yield watch
        finally:
            watches = self._watches[account_id]
            watches.discard(watch)
            if not watches:
                del self._watches[account_id]

    async def _look(self) -> None:
        """Look at all watched accounts again and again, until none is left."""
        while self._watches:
            try:
                await self._look_once()
            except Refusal as refusal:
                # The database may be busy or gone for a while; the watchers learn the state then.
                log.warning("balance_watch_delayed", reason=refusal.reason)
            await asyncio.sleep(self._interval_s)
        self._looking = None

    async def _look_once(self) -> None:
        by_book: defaultdict[int, list[AccountId]] = defaultdict(list)
        for account_id in self._watches:
            by_book[book_of(account_id)].append(account_id)
        deadline = self._clock.monotonic() + READ_SECONDS_MAX
        async with self._readers.connection(deadline=deadline) as connection:
            for book, account_ids in by_book.items():
                for start in range(0, len(account_ids), ACCOUNTS_PER_READ):
                    some = account_ids[start : start + ACCOUNTS_PER_READ]
                    rows = await find_account_rows(connection, book, some)
                    for account_id, row in rows.items():
                        for watch in self._watches.get(account_id, ()):
                            watch.offer(row)
