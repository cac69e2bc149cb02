"""Pays transfers out whose time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.jobs.job import Done
from longmen_server.transfers.model import HOLD_DURATION_US
from longmen_server.transfers.queries import due_transfers
from longmen_server.transfers.settlement import PayDue

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace


class DueTransfers:
    """Captures scheduled transfers, and closes held ones whose money is no longer held."""

    name = "due_transfers"

    async def take(self, workplace: Workplace) -> Done:
        """Settle the transfers that have waited longest."""
        now_us = workplace.clock.now_us()
        ids = await due_transfers(
            workplace.connection,
            workplace.book,
            now_us=now_us,
            # The money was held from before the transfer was due, so by then it no longer is.
            held_until_us=now_us - HOLD_DURATION_US,
            limit=workplace.items_max,
        )
        commands = [
            PayDue(
                workplace.book,
                None,
                transfer_id=transfer_id,
                settlement_id=workplace.new_transaction_id(),
            )
            for transfer_id in ids
        ]
        await workplace.submit(commands)
        return Done(len(ids), more=len(ids) == workplace.items_max)
