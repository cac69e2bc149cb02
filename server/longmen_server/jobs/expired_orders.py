"""Notes which orders time has closed, so that events and watchers tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.jobs.job import Done
from longmen_server.payments.endings import ExpireOrders
from longmen_server.payments.queries import due_orders

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace


class ExpiredOrders:
    """Ends orders that were not paid in time. Nobody can pay one meanwhile either."""

    name = "expired_orders"

    async def take(self, workplace: Workplace) -> Done:
        """End the orders that should have ended longest ago."""
        orders = await due_orders(
            workplace.connection,
            workplace.book,
            now_us=workplace.clock.now_us(),
            limit=workplace.items_max,
        )
        if not orders:
            return Done(0, more=False)
        replies = await workplace.submit([ExpireOrders(workplace.book, orders)])
        return Done(int(replies[0]), more=len(orders) == workplace.items_max)
