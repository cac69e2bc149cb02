"""Looks names up in the lists of a book, before a command is made."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import IndexKind
from longmen_server.risklists.folding import fold
from longmen_server.screening.model import FoundMatch, Screened
from longmen_server.screening.personal import seal_match

if TYPE_CHECKING:
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import DataKey, Vault
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
        self,
        customer_id: CustomerId,
        name: str,
        *,
        key: DataKey,
        sealed_name: bytes,
        deadline: float,
    ) -> Screened:
        """Return what a customer's name matches in the lists of the book as they are now.

        Args:
            customer_id: whose name it is.
            name: to look up.
            key: of the customer's data, to keep matches under.
            sealed_name: the same name as it is kept on file.
            deadline: monotonic seconds, for reading lists that have changed.

        Raises:
            Refusal: the lists cannot be read; then nobody says that there is no match.
        """
        lists = await self._keeper.current(book_of(customer_id), deadline=deadline)
        # Some milliseconds for each ten thousand names: beside the loop that serves others.
        found = await asyncio.to_thread(lists.index.screen, name, self._likeness)
        mark = self._vault.index(IndexKind.SCREENED_NAME, fold(name)) if found else b""
        matches = tuple(_found(key, customer_id, mark, match) for match in found)
        return Screened(sealed_name, lists.names_version, matches)


def _found(key: DataKey, customer_id: CustomerId, mark: bytes, match: Match) -> FoundMatch:
    """Return a match with its mark: of the name, the list and the entry, each as compared."""
    parts = (mark, match.list_name.encode(), fold(match.entry).encode())
    match_id = blake2b(b"\0".join(parts), digest_size=MATCH_ID_BYTES).digest()
    sealed = seal_match(key, customer_id, match_id, match.entry, match.label)
    return FoundMatch(match_id, match.list_name, sealed, match.likeness)
