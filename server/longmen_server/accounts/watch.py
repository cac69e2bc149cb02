"""Watching balances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.queries.history import find_account_rows
from longmen_server.platform.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import AccountId

__all__ = ["balance_watcher"]


def balance_watcher(
    readers: Readers, clock: Clock, *, interval_ms: int
) -> Watcher[AccountId, AccountRow]:
    """Return the watcher of one process's balances.

    Args:
        readers: where to read.
        clock: for deadlines.
        interval_ms: milliseconds between two looks.
    """
    return Watcher(readers, clock, _read, interval_ms=interval_ms)


async def _read(
    connection: Connection, book: int, seen: Mapping[AccountId, int]
) -> dict[AccountId, AccountRow]:
    return await find_account_rows(connection, book, list(seen))
