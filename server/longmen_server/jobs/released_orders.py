"""Gives back what is held for orders that were closed instead of captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.jobs.job import Done
from longmen_server.payments.holding import ReleaseHolds
from longmen_server.payments.queries_authorizations import forget_releases, orders_to_release

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace


class ReleasedOrders:
    """Releases holds of orders that are authorized no longer; doing it twice releases nothing."""

    name = "released_orders"

    async def take(self, workplace: Workplace) -> Done:
        """Release the holds of some orders, then forget them."""
        book, connection = workplace.book, workplace.connection
        orders = await orders_to_release(connection, book, limit=workplace.items_max)
        if not orders:
            return Done(0, more=False)
        await workplace.submit(
            [
                ReleaseHolds(book, order_id, transaction_id=workplace.new_transaction_id())
                for order_id in orders
            ]
        )
        await forget_releases(connection, book, orders)
        return Done(len(orders), more=len(orders) == workplace.items_max)
