"""The day itself, part by part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from longmen.transfers.v1 import transfer_pb2
from longmen_client import errors, new_request_id, pay_account
from longmen_server.demo.course import Course
from longmen_server.demo.plan import CURRENCY, Twist
from longmen_server.demo.tally import CalledOffError

if TYPE_CHECKING:
    from longmen_client import Money, Reply
    from longmen_server.demo.plan import Payment, Plan
    from longmen_server.demo.shadow import Shadow
    from longmen_server.demo.tally import Part

PHONE_NUMBERS = 100_000_000
"""Numbers behind the prefix that the day's customers come from."""


@dataclass(kw_only=True)
class Day(Course):
    """Everything the parts of the day share."""

    plan: Plan
    shadow: Shadow
    first_number: int
    """Where the customers' phone numbers begin; other runs begin elsewhere."""
    account_ids: list[str] = field(default_factory=list)
    """Accounts by place; the merchant's is 0."""
    paid: list[tuple[str, Payment]] = field(default_factory=list)
    """Payments that took effect, with their transfer ids."""
    withdrawn: dict[str, tuple[str, Money]] = field(default_factory=dict)
    """Withdrawals under way: account and amount by transfer id."""

    @property
    def concurrency(self) -> int:
        """Calls under way at once."""
        return self.plan.concurrency

    @property
    def merchant(self) -> str:
        """The hot account."""
        return self.account_ids[0]


async def open_wallets(day: Day) -> None:
    """Register the merchant and every customer."""
    places = range(day.plan.wallets + 1)
    day.account_ids.extend("" for _ in places)

    async def work(part: Part, place: int) -> None:
        request_id = new_request_id()
        name = day.plan.name(place) if place else "龙门面馆"
        number = (day.first_number + place) % PHONE_NUMBERS
        reply = await day.change(
            part,
            lambda: day.bank.accounts.open_wallet(
                phone_number=f"+86199{number:08}",
                display_name=name,
                currency_code=CURRENCY,
                request_id=request_id,
            ),
        )
        day.account_ids[place] = reply.message.account.account_id
        part.done += 1

    await day.each("open wallets", places, len(places), work)
    if not all(day.account_ids):
        raise CalledOffError


async def top_up(day: Day) -> None:
    """Let every customer bring money."""

    async def work(part: Part, place: int) -> None:
        request_id, amount = new_request_id(), day.plan.top_up(place)
        account_id = day.account_ids[place]
        await day.change(
            part,
            lambda: day.bank.transfers.top_up(
                account_id=account_id,
                amount=amount,
                bank_account=f"6222{place:015}",
                request_id=request_id,
            ),
        )
        day.shadow.credit(account_id, amount)
        part.done += 1

    await day.each("top up", range(1, day.plan.wallets + 1), day.plan.wallets, work)


async def pay(day: Day) -> None:
    """The payments of the day, with the hot merchant, and everything that can go wrong."""

    async def work(part: Part, payment: Payment) -> None:
        try:
            reply = await day.change(part, lambda: send(day, payment, payment.amount))
        except (errors.InsufficientFunds, errors.BalanceCeilingExceeded) as error:
            day.tally.refused(part, error)
            return
        if payment.twist is Twist.TOO_MUCH:
            day.tally.problem(f"{payment.amount} was paid from a wallet that had less")
        day.shadow.move(
            day.account_ids[payment.payer], day.account_ids[payment.payee], payment.amount
        )
        day.paid.append((reply.message.transfer.transfer_id, payment))
        part.done += 1
        if payment.twist is Twist.REPLAY:
            await send_again(day, part, payment, reply)
        elif payment.twist is Twist.REUSE:
            await reuse(day, part, payment)

    await day.each("pay", day.plan.day(), day.plan.payments, work)


async def send(day: Day, payment: Payment, amount: Money) -> Reply[Any]:
    """Send a payment under its request id."""
    return await day.bank.transfers.create_transfer(
        from_account_id=day.account_ids[payment.payer],
        payee=pay_account(day.account_ids[payment.payee]),
        amount=amount,
        request_id=payment.request_id,
    )


async def send_again(day: Day, part: Part, payment: Payment, first: Reply[Any]) -> None:
    """Send a payment a second time: the first reply must come back, and no money move."""
    again = await day.change(part, lambda: send(day, payment, payment.amount))
    if not again.replayed or again.message != first.message:
        day.tally.problem(f"a repeated request {payment.request_id} got another answer")


async def reuse(day: Day, part: Part, payment: Payment) -> None:
    """Send another payment under a used request id: it must be refused."""
    try:
        await day.change(part, lambda: send(day, payment, payment.amount * 2))
    except errors.RequestIdReused as error:
        day.tally.refused(part, error)
    else:
        day.tally.problem(f"request id {payment.request_id} was taken for two payments")


async def revocable(day: Day) -> None:
    """Delayed payments, of which every other one is taken back."""
    chosen = day.plan.chosen("revocable", day.plan.revocable)

    async def work(part: Part, numbered: tuple[int, int]) -> None:
        number, place = numbered
        payer, amount = day.account_ids[place], day.plan.top_up(place).split(50)[0]
        create_id, cancel_id = new_request_id(), new_request_id()
        try:
            reply = await day.change(
                part,
                lambda: day.bank.transfers.create_transfer(
                    from_account_id=payer,
                    payee=pay_account(day.merchant),
                    amount=amount,
                    delay=transfer_pb2.TRANSFER_DELAY_TWO_HOURS,
                    request_id=create_id,
                ),
            )
        except errors.InsufficientFunds as error:
            day.tally.refused(part, error)
            return
        day.shadow.hold(payer, amount)
        part.done += 1
        if number % 2:
            return
        transfer_id = reply.message.transfer.transfer_id
        await day.change(
            part,
            lambda: day.bank.transfers.cancel_transfer(
                transfer_id=transfer_id, request_id=cancel_id
            ),
        )
        day.shadow.free(payer, amount)
        part.done += 1

    await day.each("delay and take back", enumerate(chosen), len(chosen), work)
