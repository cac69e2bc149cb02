"""Looks names up in the lists of a book, before a command is made."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from longmen_server.platform.pii import IndexKind
from longmen_server.risklists.folding import fold
from longmen_server.screening.model import FoundMatch, Screened

if TYPE_CHECKING:
    from longmen_server.platform.pii import Vault
    from longmen_server.risklists.index import Match
    from longmen_server.risklists.keeper import ListKeeper

__all__ = ["Screener"]

MATCH_ID_BYTES: Final = 16


class Screener:
    """What looks names up, in one process."""

    def __init__(self, keeper: ListKeeper, vault: Vault, *, likeness: int) -> None:
        """Take the lists, what makes marks of names, and from how many per cent on one matches."""
        self._keeper = keeper
        self._vault = vault
        self._likeness = likeness

    async def version(self, book: int, *, deadline: float) -> int:
        """Return the version of the lists of names as they are now."""
        return (await self._keeper.current(book, deadline=deadline)).names_version

    async def screen(
        self, book: int, name: str, *, sealed_name: bytes, deadline: float
    ) -> Screened:
        """Return what a name matches in the lists as they are now.

        Args:
            book: whose lists.
            name: to look up.
            sealed_name: the same as it is kept on file.
            deadline: monotonic seconds, for reading lists that have changed.

        Raises:
            Refusal: the lists cannot be read; then nobody says that there is no match.
        """
        lists = await self._keeper.current(book, deadline=deadline)
        # Some milliseconds for each ten thousand names: beside the loop that serves others.
        found = await asyncio.to_thread(lists.index.screen, name, self._likeness)
        mark = self._vault.index(IndexKind.SCREENED_NAME, fold(name)) if found else b""
        matches = tuple(_found(mark, match) for match in found)
        return Screened(sealed_name, lists.names_version, matches)


def _found(mark: bytes, match: Match) -> FoundMatch:
    """Return a match with its mark: of the name, the list and the entry, each as compared."""
    parts = (mark, match.list_name.encode(), fold(match.entry).encode())
    match_id = blake2b(b"\0".join(parts), digest_size=MATCH_ID_BYTES).digest()
    return FoundMatch(match_id, match.list_name, match.entry, match.label, match.likeness)
