"""The lists of each book as a worker keeps them to look names up in: read when they change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen_server.risklists.queries import index_of, lists_version, names_version, read_lists

if TYPE_CHECKING:
    from longmen_server.platform.database import Readers
    from longmen_server.risklists.index import ListIndex

__all__ = ["KeptLists", "ListKeeper"]


@dataclass(frozen=True, slots=True)
class KeptLists:
    """Lists of a book at one moment."""

    version: int
    """Grows with every import of any list."""
    names_version: int
    """Grows with every import of a list of names; 0 before the first."""
    index: ListIndex


class ListKeeper:
    """Lists as they are now: one cheap look for each time that somebody asks."""

    def __init__(self, readers: Readers) -> None:
        """Take connections to read them by."""
        self._readers = readers
        self._kept: dict[int, KeptLists] = {}

    async def current(self, book: int, *, deadline: float) -> KeptLists:
        """Return the lists of a book as they are now; read anew only when one has changed.

        Args:
            book: whose lists.
            deadline: monotonic seconds.

        Raises:
            Refusal: they cannot be read in time.
        """
        async with self._readers.snapshot(deadline=deadline) as connection:
            version = await lists_version(connection, book)
            kept = self._kept.get(book)
            if kept is not None and kept.version == version:
                return kept
            names = await names_version(connection, book)
            stored = await read_lists(connection, book)
        index = await asyncio.to_thread(index_of, stored)
        kept = self._kept[book] = KeptLists(version, names, index)
        return kept
