"""What the merchant and the bank do in the course of the day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from longmen_client import (
    Money,
    batch_item,
    errors,
    hold_spec,
    new_request_id,
    new_transaction_id_for,
    pay_account,
)
from longmen_server.demo.plan import CURRENCY

if TYPE_CHECKING:
    from longmen.transfers.v1 import transfer_pb2
    from longmen_client import RequestId
    from longmen_server.demo.day import Day
    from longmen_server.demo.plan import Payment
    from longmen_server.demo.tally import Part

HOLD_LENGTH = timedelta(days=3)
DEPOSIT = Money(30_000, CURRENCY)
"""What the merchant holds of a customer's money, as a deposit."""
LEDGER_BATCH = 100
"""Holds that go to the ledger in one call."""
WAGES = Money(2_500, CURRENCY)


async def hold_and_capture(day: Day) -> None:
    """Deposits held by the merchant in batches; some captured in parts, some set free."""
    chosen = day.plan.chosen("holds", day.plan.holds)
    batches = [
        chosen[start : start + LEDGER_BATCH] for start in range(0, len(chosen), LEDGER_BATCH)
    ]
    held: list[tuple[str, str]] = []

    async def hold(part: Part, places: list[int]) -> None:
        payers = [day.account_ids[place] for place in places]
        specs = [
            hold_spec(
                debit_account_id=payer,
                credit_account_id=day.merchant,
                amount=DEPOSIT,
                hold_duration=HOLD_LENGTH,
                transaction_id=new_transaction_id_for(payer),
                description="deposit",
            )
            for payer in payers
        ]
        request_id = new_request_id()
        reply = await day.change(
            part,
            lambda: day.bank.ledger.create_transfers(transfers=specs, request_id=request_id),
        )
        for payer, result in zip(payers, reply.message.results, strict=True):
            refusal = errors.refusal_of(result.reason, result.reason_metadata)
            if refusal is not None:
                day.tally.refused(part, refusal)
                continue
            day.shadow.hold(payer, DEPOSIT)
            held.append((payer, result.transaction_id))
            part.done += 1

    await day.each("hold deposits", [list(batch) for batch in batches], len(batches), hold)

    async def settle(part: Part, numbered: tuple[int, tuple[str, str]]) -> None:
        number, (payer, posting_id) = numbered
        if number % 3 == 0:
            await void(day, part, payer, posting_id)
        else:
            await capture_in_parts(day, part, payer, posting_id, keep_rest=number % 3 == 2)

    await day.each("capture and void", enumerate(held), len(held), settle)


async def void(day: Day, part: Part, payer: str, posting_id: str) -> None:
    """Set a deposit free; a second time is refused."""
    first, second = new_request_id(), new_request_id()

    async def call(request_id: RequestId) -> Any:
        return await day.bank.ledger.void_pending(
            pending_posting_id=posting_id, request_id=request_id
        )

    await day.change(part, lambda: call(first))
    day.shadow.free(payer, DEPOSIT)
    part.done += 1
    try:
        await day.change(part, lambda: call(second))
    except errors.PendingPostingVoided as error:
        day.tally.refused(part, error)
    else:
        day.tally.problem(f"{posting_id} was set free twice")


async def capture_in_parts(
    day: Day, part: Part, payer: str, posting_id: str, *, keep_rest: bool
) -> None:
    """Take a third of a deposit, then the rest, or another third and set the rest free."""
    third = DEPOSIT.split(3)[0]
    second = third if keep_rest else DEPOSIT - third
    await capture(day, part, posting_id, third, final=False)
    day.shadow.capture(payer, day.merchant, third)
    await capture(day, part, posting_id, second, final=True)
    day.shadow.capture(payer, day.merchant, second)
    if keep_rest:
        day.shadow.free(payer, DEPOSIT - third - second)


async def capture(day: Day, part: Part, posting_id: str, amount: Money, *, final: bool) -> None:
    """Take a part of a deposit."""
    request_id = new_request_id()
    await day.change(
        part,
        lambda: day.bank.ledger.capture_pending(
            pending_posting_id=posting_id, amount=amount, final=final, request_id=request_id
        ),
    )
    part.done += 1


async def pay_wages(day: Day) -> None:
    """The merchant pays many people in one call, the same call twice."""
    places = day.plan.chosen("payroll", day.plan.payroll)
    step = day.begin("pay wages", 2)
    items = [
        batch_item(pay_account(day.account_ids[place]), WAGES, description="wages")
        for place in places
    ]
    request_id = new_request_id()
    with day.part("pay wages") as part:
        first = await day.change(part, lambda: batch(day, items, request_id))
        step()
        for place, result in zip(places, first.message.results, strict=True):
            refusal = errors.refusal_of(result.reason, result.reason_metadata)
            if refusal is not None:
                day.tally.refused(part, refusal)
                continue
            day.shadow.move(day.merchant, day.account_ids[place], WAGES)
            part.done += 1
        again = await day.change(part, lambda: batch(day, items, request_id))
        step()
        if not again.replayed or again.message != first.message:
            day.tally.problem("the repeated payroll got another answer")


async def batch(day: Day, items: list[transfer_pb2.BatchItem], request_id: RequestId) -> Any:
    """Send the payroll."""
    return await day.bank.transfers.batch_transfers(
        from_account_id=day.merchant, items=items, request_id=request_id
    )


async def reverse(day: Day) -> None:
    """The bank takes payments back; a second time is refused."""
    count = min(day.plan.reversals, len(day.paid))
    chosen = day.plan.randomness("reversals").sample(day.paid, count)

    async def work(part: Part, one: tuple[str, Payment]) -> None:
        transfer_id, payment = one
        request_id, second = new_request_id(), new_request_id()
        try:
            await day.change(part, lambda: reversal(day, transfer_id, request_id))
        except errors.InsufficientFunds as error:
            # The payee has spent it already.
            day.tally.refused(part, error)
            return
        payer, payee = day.account_ids[payment.payer], day.account_ids[payment.payee]
        day.shadow.move(payee, payer, payment.amount)
        part.done += 1
        try:
            await day.change(part, lambda: reversal(day, transfer_id, second))
        except errors.AlreadyReversed as error:
            day.tally.refused(part, error)
        else:
            day.tally.problem(f"{transfer_id} was taken back twice")

    await day.each("take back", chosen, count, work)


async def reversal(day: Day, transfer_id: str, request_id: RequestId) -> Any:
    """Take one payment back."""
    return await day.bank.ledger.reverse_transaction(
        transaction_id=transfer_id, description="complaint", request_id=request_id
    )


async def withdraw(day: Day) -> None:
    """Money to outside bank accounts: held until the clearing confirms it."""
    chosen = day.plan.chosen("withdrawals", day.plan.withdrawals)
    amount = Money(1_000, CURRENCY)

    async def work(part: Part, place: int) -> None:
        account_id, request_id = day.account_ids[place], new_request_id()
        try:
            reply = await day.change(
                part,
                lambda: day.bank.transfers.withdraw(
                    account_id=account_id,
                    amount=amount,
                    bank_account=f"6222{place:015}",
                    request_id=request_id,
                ),
            )
        except errors.InsufficientFunds as error:
            day.tally.refused(part, error)
            return
        day.shadow.hold(account_id, amount)
        day.withdrawn[reply.message.transfer.transfer_id] = (account_id, amount)
        part.done += 1

    await day.each("withdraw", chosen, len(chosen), work)
