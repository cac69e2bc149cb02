"""Lets resets of factors take effect whose time to be turned down is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.jobs.job import Done
from longmen_server.recovery.commands import EffectReset
from longmen_server.recovery.queries import due_resets, find_reset

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace
    from longmen_server.recovery.notices import ResetNotices

__all__ = ["DueResets"]


class DueResets:
    """Removes factors, revokes devices and ends sessions, as two members of staff have agreed."""

    name = "due_resets"

    def __init__(self, notices: ResetNotices) -> None:
        """Take what tells customers."""
        self._notices = notices

    async def take(self, workplace: Workplace) -> Done:
        """Let the resets take effect that have waited longest."""
        book, connection = workplace.book, workplace.connection
        customers = await due_resets(
            connection, book, now_us=workplace.clock.now_us(), limit=workplace.items_max
        )
        commands = []
        for customer_id in customers:
            row = await find_reset(connection, book, customer_id)
            if row is not None:
                notices = await self._notices.of_effect(connection, row)
                commands.append(EffectReset(book, None, customer_id=customer_id, notices=notices))
        await workplace.submit(commands)
        return Done(len(commands), more=len(customers) == workplace.items_max)
