"""Carries instructions to the bank's clearing, and its answers back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.jobs.job import Done
from longmen_server.jobs.payouts import Payouts
from longmen_server.platform.ids import TRANSACTION, book_of
from longmen_server.platform.pii import SealBrokenError
from longmen_server.transfers.bank_accounts import open_bank_account
from longmen_server.transfers.clearing.commands import MarkSent, SettleInstruction
from longmen_server.transfers.clearing.port import Confirmation, Delivery, Instruction
from longmen_server.transfers.model import InstructionState
from longmen_server.transfers.queries import open_instructions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.jobs.job import Workplace
    from longmen_server.platform.ids import TransactionId
    from longmen_server.platform.pii import Vault
    from longmen_server.transfers.clearing.port import ClearingAdapter
    from longmen_server.transfers.queries import FoundInstruction

log = structlog.get_logger("longmen.clearing")

UNREADABLE: Final = "UNREADABLE"
"""Code of instructions whose bank account cannot be read any more."""


class Clearing:
    """Hands queued instructions to the adapter, then does what its answers demand."""

    name = "clearing"

    def __init__(self, adapter: ClearingAdapter, vault: Vault) -> None:
        """Take the way to the clearing, and what opens the numbers of bank accounts."""
        self._adapter = adapter
        self._vault = vault
        self._payouts = Payouts(vault)
        self._looked_at: dict[int, TransactionId] = {}
        """By book, the last instruction asked after: so that all have their turn."""

    async def take(self, workplace: Workplace) -> Done:
        """Book what merchants are to get, send what is queued, and settle what is answered."""
        await self._payouts.book(workplace)
        sent = await self._send(workplace) + await self._send_payouts(workplace)
        settled = await self._settle(workplace)
        return Done(sent + settled, more=sent >= workplace.items_max or settled > 0)

    async def _send(self, workplace: Workplace) -> int:
        book = workplace.book
        found = await open_instructions(
            workplace.connection,
            book,
            InstructionState.QUEUED,
            after=None,
            limit=workplace.items_max,
        )
        readable, unreadable = self._open(found)
        if unreadable:
            # Nobody will ever read them again: the wallets are put right, and somebody is told.
            refusals = [Confirmation(each, confirmed=False, code=UNREADABLE) for each in unreadable]
            await self._follow(workplace, Delivery("own", refusals))
        if readable:
            # The adapter may block on a disk or a network, which the event loop must not.
            await asyncio.to_thread(self._adapter.send, book, readable)
            await workplace.submit([MarkSent(book, [each.transaction_id for each in readable])])
        return len(found)

    async def _send_payouts(self, workplace: Workplace) -> int:
        found = await self._payouts.queued(workplace)
        if found:
            await asyncio.to_thread(self._adapter.send, workplace.book, found)
            await self._payouts.sent(workplace, found)
        return len(found)

    def _open(
        self, found: Sequence[FoundInstruction]
    ) -> tuple[list[Instruction], list[TransactionId]]:
        """Return the instructions that can be read, and the ids of those that cannot any more."""
        readable: list[Instruction] = []
        unreadable: list[TransactionId] = []
        for each in found:
            try:
                readable.append(_instruction(each, open_bank_account(self._vault, each)))
            except SealBrokenError as error:
                transfer_id = each.row.transaction_id
                unreadable.append(transfer_id)
                log.warning(
                    "clearing_instruction_unreadable",
                    transfer_id=TRANSACTION.encode(transfer_id),
                    error=str(error),
                )
        return readable, unreadable

    async def _settle(self, workplace: Workplace) -> int:
        book = workplace.book
        found = await open_instructions(
            workplace.connection,
            book,
            InstructionState.SENT,
            after=self._looked_at.get(book),
            limit=workplace.items_max,
        )
        if len(found) == workplace.items_max:
            self._looked_at[book] = found[-1].row.transaction_id
        else:
            self._looked_at.pop(book, None)
        settled = 0
        awaiting, _ = self._open(found)
        awaiting += await self._payouts.awaiting(workplace)
        for delivery in await asyncio.to_thread(self._adapter.collect, book, awaiting):
            settled += await self._follow(workplace, delivery)
            await asyncio.to_thread(self._adapter.acknowledge, book, delivery)
        return settled

    async def _follow(self, workplace: Workplace, delivery: Delivery) -> int:
        """Settle what a delivery answers; return how many instructions that were."""
        own = []
        for confirmation in delivery.confirmations:
            if book_of(confirmation.transaction_id) == workplace.book:
                own.append(confirmation)
            else:
                _report(confirmation.transaction_id, delivery, "OTHER_BOOK")
        for start in range(0, len(own), workplace.items_max):
            some = own[start : start + workplace.items_max]
            payouts = await self._payouts.find(workplace, some)
            answers = [
                (payouts[one.transaction_id], one) for one in some if one.transaction_id in payouts
            ]
            await self._payouts.follow(workplace, answers)
            rest = [one for one in some if one.transaction_id not in payouts]
            await _settle_wallets(workplace, rest, delivery)
        return len(own)


def _instruction(found: FoundInstruction, bank_account: str) -> Instruction:
    row = found.row
    return Instruction(
        transaction_id=row.transaction_id,
        direction=row.direction,
        account_id=row.account_id,
        amount=row.amount,
        currency_code=row.currency_code,
        bank_account=bank_account,
        reference=row.reference or "",
    )


async def _settle_wallets(
    workplace: Workplace, answers: Sequence[Confirmation], delivery: Delivery
) -> None:
    """Settle instructions of wallets, and tell the operator of those that could not be."""
    outcomes = await workplace.submit(
        [
            SettleInstruction(
                workplace.book, confirmation, settlement_id=workplace.new_transaction_id()
            )
            for confirmation in answers
        ]
    )
    for confirmation, outcome in zip(answers, outcomes, strict=True):
        # What came back after it was paid out has no wallet to go to by itself.
        if confirmation.returned or outcome in {"MISSING", InstructionState.UNRECOVERED.name}:
            _report(confirmation.transaction_id, delivery, outcome)


def _report(transfer_id: TransactionId, delivery: Delivery, outcome: str) -> None:
    """Tell the operator of an answer that somebody has to look at."""
    log.warning(
        "clearing_answer_unsettled",
        transfer_id=TRANSACTION.encode(transfer_id),
        delivery=delivery.name,
        outcome=outcome,
    )
