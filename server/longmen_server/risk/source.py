"""Where a worker gets rules, scorecard and lists from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from longmen_server.risk.desk import Loaded
from longmen_server.risk.model import ListedKind
from longmen_server.risk.scorecard import shipped as shipped_card
from longmen_server.risk.shipped import shipped as shipped_rules
from longmen_server.risklists.queries import index_of, lists_version, read_lists
from longmen_server.riskrules.queries import active_version, rules_of_version

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

__all__ = ["RulesSource"]

LISTS_BITS = 32
"""Low bits of the number that says whether anything has changed: those of the lists."""


class RulesSource:
    """The rules and lists of each book, and the scorecard that comes with the server."""

    def shipped(self) -> Loaded:
        """Return what is in force before anything was saved."""
        return Loaded(shipped_rules(), shipped_card())

    async def version(self, connection: Connection, book: int) -> int:
        """Return a number that changes whenever something else is in force."""
        rules = await active_version(connection, book)
        return rules << LISTS_BITS | await lists_version(connection, book)

    async def load(self, connection: Connection, book: int) -> Loaded:
        """Return what is in force."""
        rules = await rules_of_version(connection, book, await active_version(connection, book))
        # Movements ask for no names, and lists of those are the long ones.
        every = await read_lists(connection, book)
        stored = [one for one in every if one[1] != ListedKind.NAME]
        # Beside the loop: a hundred thousand entries take a good part of a second.
        lists = await asyncio.to_thread(index_of, stored)
        return Loaded(rules or shipped_rules(), shipped_card(), lists)

    async def past(
        self, connection: Connection, book: int, rules_version: int, card_version: int
    ) -> Loaded | None:
        """Return what was in force under these numbers; None when it is gone."""
        rules = await rules_of_version(connection, book, rules_version)
        card = shipped_card()
        if rules is None or card.version != card_version:
            return None
        return Loaded(rules, card)
