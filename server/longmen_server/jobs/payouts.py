"""Payouts to merchants on their way through the clearing: booked, handed over, and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.payouts import queries
from longmen_server.payouts.commands import DONE, PASSED, AnswerPayout, BookPayout, MarkPayoutsSent
from longmen_server.payouts.model import Answer, PayoutState
from longmen_server.payouts.numbers import key_for, open_number
from longmen_server.platform.ids import SETTLEMENT
from longmen_server.platform.pii import SealBrokenError
from longmen_server.transfers.clearing.port import Instruction
from longmen_server.transfers.model import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.jobs.job import Workplace
    from longmen_server.payouts.model import PayoutRow
    from longmen_server.platform.ids import SettlementId, TransactionId
    from longmen_server.platform.pii import Vault
    from longmen_server.transfers.clearing.port import Confirmation

__all__ = ["Payouts"]

log = structlog.get_logger("longmen.payouts")

UNREADABLE: Final = "UNREADABLE"
"""Code of payouts whose bank account cannot be read any more."""


class Payouts:
    """The payouts' share of the clearing's job."""

    def __init__(self, vault: Vault) -> None:
        """Take what opens the numbers of bank accounts."""
        self._vault = vault
        self._looked_at: dict[int, SettlementId] = {}
        """By book, the last payout asked after: so that all have their turn."""

    async def book(self, workplace: Workplace) -> int:
        """Book what waits for an account and has one; return how many were."""
        found = await queries.payable(
            workplace.connection, workplace.book, limit=workplace.items_max
        )
        replies = await workplace.submit(
            [
                BookPayout(workplace.book, row, transaction_id=workplace.new_transaction_id())
                for row in found
            ]
        )
        for row, reply in zip(found, replies, strict=True):
            if reply not in {DONE.decode(), PASSED.decode()}:
                settlement_id = SETTLEMENT.encode(row.settlement_id)
                log.warning("payout_refused", settlement_id=settlement_id, reason=reply)
        return replies.count(DONE.decode())

    async def queued(self, workplace: Workplace) -> list[Instruction]:
        """Return what is to be handed over; what cannot be read any more goes back."""
        rows = await queries.payouts_in_state(
            workplace.connection,
            workplace.book,
            PayoutState.QUEUED,
            after=None,
            limit=workplace.items_max,
        )
        readable, broken = await self._open(workplace, rows)
        if broken:
            await _answer(workplace, [(row, Answer.REFUSED, UNREADABLE) for row in broken])
        return readable

    async def sent(self, workplace: Workplace, instructions: Sequence[Instruction]) -> None:
        """Note what was handed over."""
        found = await queries.payouts_of_transactions(
            workplace.connection, workplace.book, [one.transaction_id for one in instructions]
        )
        ids = sorted(row.settlement_id for row in found.values())
        if ids:
            await workplace.submit([MarkPayoutsSent(workplace.book, ids)])

    async def awaiting(self, workplace: Workplace) -> list[Instruction]:
        """Return some of those that the clearing has not answered."""
        book = workplace.book
        rows = await queries.payouts_in_state(
            workplace.connection,
            book,
            PayoutState.SENT,
            after=self._looked_at.get(book),
            limit=workplace.items_max,
        )
        if len(rows) == workplace.items_max:
            self._looked_at[book] = rows[-1].settlement_id
        else:
            self._looked_at.pop(book, None)
        return (await self._open(workplace, rows))[0]

    async def find(
        self, workplace: Workplace, confirmations: Sequence[Confirmation]
    ) -> Mapping[TransactionId, PayoutRow]:
        """Return which of the answers are about payouts, by their transactions."""
        return await queries.payouts_of_transactions(
            workplace.connection, workplace.book, {one.transaction_id for one in confirmations}
        )

    async def follow(
        self, workplace: Workplace, answers: Sequence[tuple[PayoutRow, Confirmation]]
    ) -> list[str]:
        """Do what answers demand; return the state that each left its payout in."""
        return await _answer(
            workplace, [(row, _meaning(given), given.code) for row, given in answers]
        )

    async def _open(
        self, workplace: Workplace, rows: Sequence[PayoutRow]
    ) -> tuple[list[Instruction], list[PayoutRow]]:
        """Return instructions for what can be read, and the rest."""
        readable: list[Instruction] = []
        broken: list[PayoutRow] = []
        for row in rows:
            try:
                key = await key_for(workplace.connection, self._vault, row.account_id)
                readable.append(_instruction(row, open_number(key, row)))
            except SealBrokenError as error:
                broken.append(row)
                settlement_id = SETTLEMENT.encode(row.settlement_id)
                log.warning("payout_unreadable", settlement_id=settlement_id, error=str(error))
        return readable, broken


def _instruction(row: PayoutRow, number: str) -> Instruction:
    assert row.transaction_id is not None, "what is queued is booked"
    return Instruction(
        transaction_id=row.transaction_id,
        direction=Direction.PAY_OUT,
        account_id=row.account_id,
        amount=row.amount,
        currency_code=row.currency_code,
        bank_account=number,
        reference=row.business_date,
    )


def _meaning(given: Confirmation) -> Answer:
    if given.confirmed:
        return Answer.CONFIRMED
    return Answer.RETURNED if given.returned else Answer.REFUSED


async def _answer(
    workplace: Workplace, answers: Sequence[tuple[PayoutRow, Answer, str]]
) -> list[str]:
    return await workplace.submit(
        [
            AnswerPayout(
                workplace.book,
                row,
                answer=answer,
                code=code,
                transaction_id=workplace.new_transaction_id(),
            )
            for row, answer, code in answers
        ]
    )
