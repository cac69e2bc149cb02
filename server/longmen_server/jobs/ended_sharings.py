"""Releases what is left to be shared of orders whose window has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from longmen_server.jobs.job import Done
from longmen_server.merchants.model import MerchantActor
from longmen_server.platform.ids import ORDER
from longmen_server.sharing.commands import DONE, EndSharing
from longmen_server.sharing.queries import ended_sharings

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace

log = structlog.get_logger("longmen.sharing")


class EndedSharings:
    """Ends sharings by time; doing it twice releases nothing more."""

    name = "ended_sharings"

    async def take(self, workplace: Workplace) -> Done:
        """End some."""
        now_us = workplace.clock.now_us()
        found = await ended_sharings(
            workplace.connection, workplace.book, now_us=now_us, limit=workplace.items_max
        )
        replies = await workplace.submit(
            [
                EndSharing(
                    workplace.book,
                    None,
                    order_id=order_id,
                    actor=MerchantActor(None),
                    transaction_id=workplace.new_transaction_id(),
                )
                for order_id in found
            ]
        )
        for order_id, reply in zip(found, replies, strict=True):
            if reply != DONE.decode():
                log.warning("sharing_not_ended", order_id=ORDER.encode(order_id), reason=reply)
        done = replies.count(DONE.decode())
        return Done(done, more=done == workplace.items_max)
