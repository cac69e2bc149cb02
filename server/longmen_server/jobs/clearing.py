"""Carries instructions to the bank's clearing, and its answers back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from longmen_server.jobs.job import Done
from longmen_server.platform.ids import TRANSACTION, book_of
from longmen_server.transfers.clearing.commands import MarkSent, SettleInstruction
from longmen_server.transfers.model import InstructionState
from longmen_server.transfers.queries import open_instructions

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace
    from longmen_server.platform.ids import TransactionId
    from longmen_server.transfers.clearing.port import ClearingAdapter, Delivery

log = structlog.get_logger("longmen.clearing")


class Clearing:
    """Hands queued instructions to the adapter, then does what its answers demand."""

    name = "clearing"

    def __init__(self, adapter: ClearingAdapter) -> None:
        """Take the way to the clearing."""
        self._adapter = adapter
        self._looked_at: dict[int, TransactionId] = {}
        """By book, the last instruction asked after: so that all have their turn."""

    async def take(self, workplace: Workplace) -> Done:
        """Send what is queued and settle what is answered."""
        sent = await self._send(workplace)
        settled = await self._settle(workplace)
        return Done(sent + settled, more=sent == workplace.items_max or settled > 0)

    async def _send(self, workplace: Workplace) -> int:
        book = workplace.book
        rows = await open_instructions(
            workplace.connection,
            book,
            InstructionState.QUEUED,
            after=None,
            limit=workplace.items_max,
        )
        if rows:
            # The adapter may block on a disk or a network, which the event loop must not.
            await asyncio.to_thread(self._adapter.send, book, rows)
            await workplace.submit([MarkSent(book, [row.transaction_id for row in rows])])
        return len(rows)

    async def _settle(self, workplace: Workplace) -> int:
        book = workplace.book
        rows = await open_instructions(
            workplace.connection,
            book,
            InstructionState.SENT,
            after=self._looked_at.get(book),
            limit=workplace.items_max,
        )
        if len(rows) == workplace.items_max:
            self._looked_at[book] = rows[-1].transaction_id
        else:
            self._looked_at.pop(book, None)
        settled = 0
        for delivery in await asyncio.to_thread(self._adapter.collect, book, rows):
            settled += await _follow(workplace, delivery)
            await asyncio.to_thread(self._adapter.acknowledge, book, delivery)
        return settled


async def _follow(workplace: Workplace, delivery: Delivery) -> int:
    """Settle what a delivery answers, some at a time; return how many instructions that were."""
    own = []
    for confirmation in delivery.confirmations:
        if book_of(confirmation.transaction_id) == workplace.book:
            own.append(confirmation)
        else:
            _report(confirmation.transaction_id, delivery, "OTHER_BOOK")
    for start in range(0, len(own), workplace.items_max):
        some = own[start : start + workplace.items_max]
        outcomes = await workplace.submit(
            [
                SettleInstruction(
                    workplace.book, confirmation, settlement_id=workplace.new_transaction_id()
                )
                for confirmation in some
            ]
        )
        for confirmation, outcome in zip(some, outcomes, strict=True):
            if outcome in {"MISSING", InstructionState.UNRECOVERED.name}:
                _report(confirmation.transaction_id, delivery, outcome)
    return len(own)


def _report(transfer_id: TransactionId, delivery: Delivery, outcome: str) -> None:
    """Tell the operator of an answer that somebody has to look at."""
    log.warning(
        "clearing_answer_unsettled",
        transfer_id=TRANSACTION.encode(transfer_id),
        delivery=delivery.name,
        outcome=outcome,
    )
