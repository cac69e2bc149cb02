"""Watching orders: tills and channels that wait for a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.payments.queries import find_changed_orders
from longmen_server.platform.watching import Watcher

if TYPE_CHECKING:
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import OrderId

__all__ = ["order_watcher"]


def order_watcher(
    readers: Readers, clock: Clock, *, interval_ms: int
) -> Watcher[OrderId, OrderRow]:
    """Return the watcher of one process's orders.

    Args:
        readers: where to read.
        clock: for deadlines.
        interval_ms: milliseconds between two looks.
    """
    return Watcher(readers, clock, find_changed_orders, interval_ms=interval_ms)
