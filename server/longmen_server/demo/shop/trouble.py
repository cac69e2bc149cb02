"""What goes wrong at a market: tills that are lost in the middle of a sale."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import order_pb2
from longmen_client import new_request_id
from longmen_merchant import AsyncTill, Journal
from longmen_server.demo.shop.line import Line
from longmen_server.demo.shop.market import money

if TYPE_CHECKING:
    from longmen_server.demo.shop.market import Market, Shopper, Stall
    from longmen_server.demo.tally import Part

LOST_SALE: Final = 2_500
"""Minor units of the sale that a till is lost in."""
SEEN_S: Final = 20.0
"""How long the bank may take to have a sale whose answer was swallowed, in seconds."""
POLL_S: Final = 0.05


async def lose_tills(market: Market) -> None:
    """Tills are lost after the payer has paid and before they know it.

    Those whose journal is left find out when they are switched on again. Of the others only the
    bank knows: their merchants learn it in the evening, when they compare their lists.
    """
    count = min(market.plan.lost, len(market.stalls))

    async def work(part: Part, place: int) -> None:
        stall, shopper = market.stalls[place], market.shoppers[place]
        async with Line(market.config.target) as line, shopper.busy:
            await lose_till(market, part, stall, shopper, line, journal_left=place % 2 == 0)

    await market.each("lose tills", range(count), count, work)


async def lose_till(
    market: Market,
    part: Part,
    stall: Stall,
    shopper: Shopper,
    line: Line,
    *,
    journal_left: bool,
) -> None:
    """Lose a till of a stall in the middle of a sale."""
    made = await market.bank.merchants.create_terminal(
        merchant_id=stall.merchant_id, label="by the door"
    )
    terminal_id = made.message.terminal.terminal_id
    path = market.folder / f"{stall.place}-lost.json"
    number = new_request_id()

    def switch_on() -> AsyncTill:
        return AsyncTill(
            market.reach(target=line.address, key=stall.config.key),
            merchant_id=stall.merchant_id,
            terminal_id=terminal_id,
            journal=Journal(path),
        )

    async with switch_on() as till:
        await till.lookup(number)
        line.swallow_answers()
        selling = asyncio.ensure_future(
            till.charge(shopper.next_code(), money(LOST_SALE), order_number=number)
        )
        booked = await until_paid(stall, number)
        selling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await selling
    line.mend()
    if not market.expect(booked, f"the bank has not booked the sale of a lost till: {number}"):
        return
    found = (
        await stall.office.payments.lookup_order(merchant_id=stall.merchant_id, order_number=number)
    ).order
    if journal_left:
        async with switch_on() as till:
            resumed = await till.resume()
            told = [(one.order_number, one.paid) for one in resumed.charges]
            market.expect(told == [(number, True)], f"a till that came back was told {told}")
    market.books.sold(
        stall.place,
        shopper.account_id,
        order_id=found.order_id,
        order_number=number,
        amount=LOST_SALE,
        listed=journal_left,
    )
    part.done += 1


async def until_paid(stall: Stall, number: str) -> bool:
    """Wait until the bank has booked a sale; say whether it has."""
    end = time.monotonic() + SEEN_S
    while time.monotonic() < end:
        found = await stall.office.payments.lookup_order(
            merchant_id=stall.merchant_id, order_number=number
        )
        if found.answer == order_pb2.ORDER_ANSWER_PAID:
            return True
        await asyncio.sleep(POLL_S)
    return False
