"""The evening: webhooks, bills, settlement and every balance are held against what was written."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import TYPE_CHECKING, Final

from longmen.merchants.v1 import payout_pb2, settlement_pb2
from longmen_client import new_request_id
from longmen_merchant.bills import BillError, read_bill
from longmen_server.demo.evening import BALANCES_MAXIMUM
from longmen_server.demo.shop.books import REFUND, SALE
from longmen_server.demo.shop.clock import NIGHT
from longmen_server.demo.shop.market import money
from longmen_server.demo.tally import timed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from longmen_merchant.bills import Bill
    from longmen_server.demo.shop.market import Market, Stall
    from longmen_server.demo.tally import Part

WEBHOOKS_S: Final = 60.0
"""How long webhooks may take, in seconds: the first pause after a refused one is five."""
JOBS_S: Final = 60.0
"""How long the bank's jobs may take to close dates and to pay out, in seconds."""
POLL_S: Final = 0.2


async def hear_webhooks(market: Market) -> None:
    """Every paid order must have been told, signed, to the merchant it is of."""
    paid = market.books.paid_orders
    step = market.begin("hear webhooks", len(paid))
    heard: set[tuple[int, str]] = set()
    with market.part("hear webhooks") as part:

        async def all_heard() -> bool:
            found = {
                (stall, event.data["order_id"])
                for stall, events in market.listener.events.items()
                for event in tuple(events.values())
                if event.type == "order.paid"
            }
            for _ in found - heard:
                step()
            heard.update(found)
            return paid <= heard

        await until(all_heard, WEBHOOKS_S)
        part.done = len(heard)
    market.expect(heard == paid, f"webhooks told of {len(heard)} paid orders, not of {len(paid)}")
    for problem in market.listener.problems:
        market.tally.problem(problem)
    market.expect(not market.listener.turned_away[0], "no webhook was ever sent again")
    market.facts["webhooks"] = sum(len(events) for events in market.listener.events.values())


async def close_day(market: Market) -> None:
    """Let the night come, and wait until the bank has closed every merchant's date."""
    await market.clock.move_to(market.clock.day + dt.timedelta(days=1), NIGHT)

    async def work(part: Part, stall: Stall) -> None:
        closed = await until(lambda: has_settlement(market, part, stall), JOBS_S)
        if market.expect(closed, f"the date of stall {stall.place} was not closed"):
            part.done += 1

    await market.each("close the date", market.stalls, len(market.stalls), work)


async def has_settlement(market: Market, part: Part, stall: Stall) -> bool:
    """Whether the market's date of a merchant is closed."""
    return await settlement_of(market, part, stall) is not None


async def settlement_of(
    market: Market, part: Part, stall: Stall
) -> settlement_pb2.Settlement | None:
    """The settlement of the market's date; None before it is closed."""
    day = market.clock.day.isoformat()
    found = await timed(
        part,
        lambda: stall.office.settlements.list_settlements(merchant_id=stall.merchant_id).first(10),
    )
    return next((one for one in found if one.business_date == day), None)


async def read_bills(market: Market) -> None:
    """Every bill must be what its merchant wrote down, line by line and in its totals."""

    async def work(part: Part, stall: Stall) -> None:
        content = bytearray()
        async with stall.office.settlements.download_bill(
            merchant_id=stall.merchant_id, business_date=market.clock.day.isoformat()
        ) as pieces:
            async for piece in pieces:
                content += piece.content
        try:
            bill = read_bill(bytes(content))
        except BillError as error:
            market.tally.problem(f"the bill of stall {stall.place} proves nothing: {error}")
            return
        compare_bill(market, stall, bill)
        part.done += len(bill.lines)

    await market.each("read bills", market.stalls, len(market.stalls), work)


def compare_bill(market: Market, stall: Stall, bill: Bill) -> None:
    """Hold a bill against a merchant's books."""
    books = market.books.stalls[stall.place]
    name = f"the bill of stall {stall.place}"
    written = {kind: amount for kind, amount in books.totals.items() if amount}
    market.expect(dict(bill.sums) == written, f"{name} has {dict(bill.sums)}, not {written}")
    counts = {kind: count for kind, count in books.counts.items() if count}
    market.expect(dict(bill.counts) == counts, f"{name} counts {dict(bill.counts)}, not {counts}")
    billed = {
        (line.type, line.order_number, line.refund_number): abs(line.minor_units)
        for line in bill.lines
        if line.type in {SALE, REFUND}
    }
    listed = {
        (line.kind, line.order_number, line.refund_number): line.amount for line in books.lines
    }
    listed |= {(SALE, one.order_number, ""): one.amount for one in books.unlisted}
    market.expect(billed == listed, f"{name} has other lines than its merchant")


async def reconcile(market: Market) -> None:
    """Merchants compare their lists: only what a lost till took with it may be missing."""
    found = 0

    async def work(part: Part, stall: Stall) -> None:
        nonlocal found
        books = market.books.stalls[stall.place]
        reply = await timed(
            part,
            lambda: stall.office.settlements.reconcile(
                merchant_id=stall.merchant_id,
                business_date=market.clock.day.isoformat(),
                lines=[line.listed() for line in books.lines],
            ),
        )
        missing = {
            (one.order_id, one.billed.minor_units)
            for one in reply.differences
            if one.kind == settlement_pb2.DIFFERENCE_KIND_MISSING_THERE
        }
        lost = {(one.order_id, one.amount) for one in books.unlisted}
        market.expect(
            missing == lost and reply.difference_count == len(lost),
            f"stall {stall.place} was told of {reply.difference_count} differences",
        )
        found += len(missing)
        part.done += reply.matched_count

    await market.each("reconcile", market.stalls, len(market.stalls), work)
    market.facts["found_by_reconciling"] = found


async def pay_out(market: Market) -> None:
    """On its day every merchant's bank account gets what the books say, to the last fen."""
    dates: set[str] = set()

    async def look(part: Part, stall: Stall) -> None:
        found = await settlement_of(market, part, stall)
        if market.expect(found, f"the settlement of stall {stall.place} is gone") and found:
            dates.add(found.settlement_date)
            part.done += 1

    await market.each("look at settlements", market.stalls, len(market.stalls), look)
    if dates and (due := dt.date.fromisoformat(max(dates))) > market.clock.day + dt.timedelta(1):
        await market.clock.move_to(due, NIGHT)

    async def work(part: Part, stall: Stall) -> None:
        async def is_settled() -> bool:
            found = await settlement_of(market, part, stall)
            return found is not None and found.state != settlement_pb2.SETTLEMENT_STATE_PENDING

        await until(is_settled, JOBS_S)
        found = await settlement_of(market, part, stall)
        net = market.books.stalls[stall.place].net
        if market.expect(
            found is not None
            and found.paid_minor_units == max(0, net)
            and found.net_minor_units == net,
            f"stall {stall.place} was not paid {net}",
        ):
            market.books.stalls[stall.place].paid_out = max(0, net)
            part.done += net <= 0 or await arrived(market, stall, found, net)

    await market.each("pay out", market.stalls, len(market.stalls), work)
    market.facts["paid_out"] = sum(books.paid_out for books in market.books.stalls)


async def arrived(
    market: Market, stall: Stall, settlement: settlement_pb2.Settlement | None, amount: int
) -> bool:
    """Wait until the clearing has confirmed what went to a stall's bank account."""
    assert settlement is not None, "looked at before"

    async def is_paid() -> bool:
        found = await stall.office.payouts.get_payout(settlement_id=settlement.settlement_id)
        return found.payout.state == payout_pb2.PAYOUT_STATE_PAID and (
            found.payout.amount.minor_units == amount
        )

    return market.expect(
        await until(is_paid, JOBS_S), f"{amount} did not arrive at the bank of stall {stall.place}"
    )


async def return_lost(market: Market) -> None:
    """What only a lost till knew of was never handed over: the payers get it back."""
    found = [one for books in market.books.stalls for one in books.unlisted]

    async def work(part: Part, place: int) -> None:
        receipt = found[place]
        number = new_request_id()
        await market.stalls[receipt.stall].scanner.refund(
            receipt.order_id, money(receipt.amount), refund_number=number, reason_text="not served"
        )
        market.books.refunded(receipt, number, receipt.amount)
        part.done += 1

    await market.each("return what was lost", range(len(found)), len(found), work)


async def compare_balances(market: Market) -> None:
    """Every wallet and every merchant must have what was written down."""
    expected = dict(market.books.wallets)
    for stall in market.stalls:
        books = market.books.stalls[stall.place]
        expected[stall.account_id] = books.net - books.paid_out
    account_ids = list(expected)
    starts = range(0, len(account_ids), BALANCES_MAXIMUM)

    async def work(part: Part, start: int) -> None:
        some = account_ids[start : start + BALANCES_MAXIMUM]
        reply = await timed(part, lambda: market.bank.ledger.get_balances(account_ids=some))
        for account_id, actual in zip(some, reply.balances, strict=True):
            market.expect(
                actual.posted == actual.available == expected[account_id],
                f"{account_id} has {actual.posted}, of which {actual.available} are available, "
                f"not {expected[account_id]}",
            )
        part.done += len(some)

    await market.each("compare balances", starts, len(starts), work)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Wait until something holds; say whether it does in time."""
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(POLL_S)
    return True
