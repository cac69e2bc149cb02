"""Ends holds whose time is up, so that what they held is free again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.jobs.job import Done
from longmen_server.ledger.commands import ExpireHolds
from longmen_server.ledger.model import PostingIntent, PostingKind
from longmen_server.ledger.queries.history import expired_holds

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace


class ExpiredHolds:
    """Books an expiry for every hold that is due. Nobody can capture one meanwhile either."""

    name = "expired_holds"

    async def take(self, workplace: Workplace) -> Done:
        """End the holds that should have ended longest ago."""
        holds = await expired_holds(
            workplace.connection,
            workplace.book,
            now_us=workplace.clock.now_us(),
            limit=workplace.items_max,
        )
        if not holds:
            return Done(0, more=False)
        intents = [
            PostingIntent(
                transaction_id=workplace.new_transaction_id(),
                kind=PostingKind.EXPIRE,
                pending=hold,
            )
            for hold in holds
        ]
        replies = await workplace.submit([ExpireHolds(workplace.book, None, intents)])
        return Done(int(replies[0]), more=len(holds) == workplace.items_max)
