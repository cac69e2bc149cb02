"""The evening: everything is compared, added up and proven."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from typing import TYPE_CHECKING

from longmen.accounts.v1 import wallet_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_client import LongmenError, Money, total
from longmen_client.receipts import ReceiptError, verify_receipt
from longmen_server.demo.plan import CURRENCY
from longmen_server.demo.tally import timed

if TYPE_CHECKING:
    from longmen.admin.v1 import verification_pb2
    from longmen.ledger.v1 import ledger_service_pb2
    from longmen_server.demo.course import Course
    from longmen_server.demo.day import Day
    from longmen_server.demo.tally import Part

BALANCES_MAXIMUM = 100
"""Accounts that one call of the contract reads."""
CLEARING_S = 30.0
"""How long the clearing may take for a withdrawal before it counts as under way, in seconds."""
POLL_S = 0.25


async def settle_withdrawals(day: Day) -> None:
    """See what became of each withdrawal; what is still under way stays held."""
    deadline = time.monotonic() + CLEARING_S

    async def work(part: Part, transfer_id: str) -> None:
        account_id, amount = day.withdrawn[transfer_id]
        while True:
            reply = await timed(
                part, lambda: day.bank.transfers.get_transfer(transfer_id=transfer_id)
            )
            state = reply.transfer.state
            if state == transfer_pb2.TRANSFER_STATE_COMPLETED:
                day.shadow.pay_out(account_id, amount)
                part.done += 1
                return
            if state == transfer_pb2.TRANSFER_STATE_FAILED:
                day.shadow.free(account_id, amount)
                part.done += 1
                return
            if time.monotonic() > deadline:
                day.shadow.undecided.add(account_id)
                return
            await asyncio.sleep(POLL_S)

    await day.each("settle withdrawals", day.withdrawn, len(day.withdrawn), work)


async def compare_balances(day: Day) -> None:
    """Every wallet must have what the replies of the day add up to."""
    starts = range(0, len(day.account_ids), BALANCES_MAXIMUM)

    async def work(part: Part, start: int) -> None:
        account_ids = day.account_ids[start : start + BALANCES_MAXIMUM]
        reply = await timed(part, lambda: day.bank.ledger.get_balances(account_ids=account_ids))
        for mismatch in day.shadow.mismatches(account_ids, reply.balances):
            day.tally.problem(mismatch)
        part.done += len(account_ids)

    await day.each("compare balances", starts, len(starts), work)


async def check_statements(day: Day) -> None:
    """Statements must add up and close with what the account has."""
    clock = await day.bank.admin.get_clock()
    today = date.fromisoformat(clock.business_date)
    places = day.plan.chosen("statements", day.plan.statements)

    async def work(part: Part, place: int) -> None:
        account_id = day.account_ids[place]
        reply = await timed(
            part,
            lambda: day.bank.accounts.get_statement(
                account_id=account_id, year=today.year, month=today.month
            ),
        )
        statement = reply.statement
        moved = total((signed(one) for one in statement.movements), CURRENCY)
        opening, closing = (Money.from_proto(one) for one in (statement.opening, statement.closing))
        if opening + moved != closing:
            day.tally.problem(f"the statement of {account_id} does not add up")
        expected = day.shadow.posted[account_id]
        if account_id not in day.shadow.undecided and closing.minor_units != expected:
            day.tally.problem(f"the statement of {account_id} closes with another balance")
        part.done += 1

    await day.each("check statements", places, len(places), work)


async def walk_history(day: Day) -> None:
    """The merchant's whole history: no version may be missing, and it must end with the balance.

    A statement of a month would not do: the merchant has more movements than one carries.
    """
    step = day.begin("walk the merchant's history", 0)
    with day.part("walk the merchant's history") as part:
        posted = 0
        async for entry in day.bank.ledger.list_entries(account_id=day.merchant, page_size=1_000):
            step()
            part.done += 1
            posted = entry.posted_after_minor_units
            if entry.version != part.done:
                day.tally.problem(f"the merchant's entry {part.done} has version {entry.version}")
        if posted != day.shadow.posted[day.merchant]:
            day.tally.problem("the merchant's history ends with another balance")


def signed(movement: wallet_pb2.Movement) -> Money:
    """A movement's amount with the sign of its direction."""
    amount = Money.from_proto(movement.amount)
    return -amount if movement.direction == wallet_pb2.DIRECTION_OUT else amount


async def verify_receipts(day: Day) -> None:
    """Receipts must hold offline, all under one key."""
    count = min(day.plan.receipts, len(day.paid))
    chosen = day.plan.randomness("receipts").sample(day.paid, count)
    keys: set[bytes] = set()

    async def work(part: Part, one: tuple[str, object]) -> None:
        reply = await timed(part, lambda: day.bank.ledger.get_receipt(posting_id=one[0]))
        keys.add(reply.receipt.public_key)
        try:
            verify_receipt(reply.receipt, reply.receipt.public_key)
        except ReceiptError as error:
            day.tally.problem(f"the receipt of {one[0]} proves nothing: {error}")
        part.done += 1

    await day.each("verify receipts", chosen, count, work)
    if len(keys) > 1:
        day.tally.problem(f"receipts are signed with {len(keys)} different keys")


async def trial_balance(day: Course) -> ledger_service_pb2.GetTrialBalanceResponse:
    """The sums of the whole book; debits must equal credits."""
    reply = await day.bank.ledger.get_trial_balance()
    if not reply.balanced:
        day.tally.problem("the trial balance does not balance")
    return reply


async def verify_ledger(day: Course) -> verification_pb2.VerificationSummary | None:
    """Let the server check every invariant of its books; None when it did not come to its end."""
    step = day.begin("verify ledger", 0)
    summary: verification_pb2.VerificationSummary | None = None
    with day.part("verify ledger") as part:
        try:
            async with day.bank.admin.verify_ledger() as messages:
                async for message in messages:
                    step()
                    if message.HasField("finding"):
                        finding = message.finding
                        day.tally.problem(f"{finding.kind} {finding.subject}: {finding.detail}")
                    elif message.HasField("summary"):
                        summary = message.summary
        except LongmenError as error:
            day.tally.problem(f"verify ledger: {error}")
        if summary is None:
            day.tally.problem("the verification of the ledger did not come to its end")
        else:
            part.done = summary.account_count
    return summary
