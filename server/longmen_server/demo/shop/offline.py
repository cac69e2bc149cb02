"""Half an hour without a network: tills store what they sell, and the bank decides afterwards.

A till that the bank does not answer says so in time and sees to it that nothing is paid. Then it
goes on by itself: it stores what the phones show, signed with its own key, as far as it may. Back
on the network it forwards all of it; each sale is paid by its payer, by the bank in the payer's
place, or by nobody, and is answered the same way however often it is sent.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import offline_pb2
from longmen_app import AsyncPayerCode
from longmen_merchant import AsyncTill, Journal, Limits
from longmen_merchant.offline import Forwarded, OfflineError, OfflineStore
from longmen_server.demo.shop import customers
from longmen_server.demo.shop.line import Line
from longmen_server.demo.shop.market import money

if TYPE_CHECKING:
    from longmen_server.demo.shop.market import Market, Shopper, Stall
    from longmen_server.demo.tally import Part

SPAN: Final = dt.timedelta(minutes=30)
HURRIED: Final = Limits(charge_ms=500, settle_ms=500, attempt_ms=250)
"""How long a till without a network goes on trying, so that the demonstration need not wait."""
COVERED: Final = 12_000
"""Minor units that a customer without money takes goods for: the bank makes good for it."""
LOST: Final = 19_000
"""What the same customer takes besides: more than the bank covers for anybody in a month."""
BUDGET: Final = 50_000
"""Minor units that the bank agrees to cover in a stall's sales of one day."""
BATCH: Final = 50
"""Sales that a till forwards at a time."""
OUTCOMES: Final = {"PAID": "", "COVERED": "BANK", "LOST": "MERCHANT"}
"""What becomes of stored sales here, and who bears the loss."""


@dataclass(kw_only=True)
class FarTill:
    """The till at the far end of a stall, whose line is cut."""

    stall: Stall
    line: Line
    store: OfflineStore
    terminal_id: str = ""
    penniless: Shopper | None = None
    """Somebody with a phone that shows good codes and a wallet with nothing in it."""
    buyers: dict[int, Shopper] = field(default_factory=dict)
    """Who bought, by the sequence of the stored sale."""
    expected: dict[int, str] = field(default_factory=dict)
    """What has to become of each."""


async def go_offline(market: Market) -> None:
    """Some stalls have no network for half an hour."""
    stalls = market.stalls[-market.plan.offline :]
    async with contextlib.AsyncExitStack() as stack:
        tills = [
            FarTill(
                stall=stall,
                line=await stack.enter_async_context(Line(market.config.target)),
                store=stack.enter_context(
                    OfflineStore(
                        market.folder / f"{stall.place}-far.store",
                        clock=lambda: int(market.clock.seconds() * 1_000_000),
                    )
                ),
            )
            for stall in stalls
        ]

        async def prepared(part: Part, till: FarTill) -> None:
            await prepare(market, till)
            part.done += 1

        async def sold(part: Part, till: FarTill) -> None:
            await sell(market, part, till)

        async def back(part: Part, till: FarTill) -> None:
            await forward(market, part, till)

        await market.each("prepare for no network", tills, len(tills), prepared)
        await market.each("sell without a network", tills, len(tills), sold)
        await market.clock.pass_by(SPAN)
        await market.each("forward what was stored", tills, len(tills), back)


async def prepare(market: Market, till: FarTill) -> None:
    """Set the till up while there is a network: its key, and what it may take."""
    stall = till.stall
    made = await market.bank.merchants.create_terminal(
        merchant_id=stall.merchant_id, label="far end"
    )
    till.terminal_id = made.message.terminal.terminal_id
    await market.bank.offline.set_offline_acceptance(
        merchant_id=stall.merchant_id,
        enabled=True,
        loss_bearer=offline_pb2.LOSS_BEARER_BANK,
        day_budget=money(BUDGET),
    )
    async with connect(market, till) as connected:
        await connected.prepare_offline(till.store)
    plan = market.plan
    shopper = await customers.open_wallet(market, plan.customers + plan.phones + stall.place)
    with shopper.speaking():
        shopper.codes = await AsyncPayerCode.enrol(
            shopper.wallet, money(0).currency_code, clock=market.clock.seconds
        )
    market.books.brought(shopper.account_id, 0)
    till.penniless = shopper


def connect(market: Market, till: FarTill, limits: Limits | None = None) -> AsyncTill:
    """The till as it reaches the bank, with its journal."""
    return AsyncTill(
        market.reach(target=till.line.address, key=till.stall.config.key),
        merchant_id=till.stall.merchant_id,
        terminal_id=till.terminal_id,
        journal=Journal(market.folder / f"{till.stall.place}-far.json"),
        limits=limits,
    )


def neighbour(market: Market, stall: Stall, number: int) -> Shopper:
    """A shopper near a stall."""
    place = stall.place * market.plan.offline_sales + number
    return market.shoppers[place % len(market.shoppers)]


async def sell(market: Market, part: Part, till: FarTill) -> None:
    """The bank cannot be asked: the till says so once, then stores what it sells."""
    till.line.cut()
    first = neighbour(market, till.stall, 0)
    async with connect(market, till, HURRIED) as connected:
        charge = await connected.charge(first.next_code(), money(300))
        if market.expect(
            not charge.paid and charge.reason == "UNREACHABLE" and charge.reversal_pending,
            f"a sale without a network was answered {charge.reason or 'yes'}",
        ):
            market.note_refused(part, charge.reason)
    for number in range(market.plan.offline_sales):
        shopper = neighbour(market, till.stall, number)
        store(market, part, till, shopper, 300 + number, "PAID")
    assert till.penniless is not None, "prepared before"
    store(market, part, till, till.penniless, COVERED, "COVERED")
    store(market, part, till, till.penniless, LOST, "LOST")


def store(
    market: Market, part: Part, till: FarTill, shopper: Shopper, amount: int, expected: str
) -> None:
    """Store a sale and hand the goods over; the same code is not taken for another one."""
    code = shopper.next_code()
    sale = till.store.accept(code, money(amount), description="market")
    till.buyers[sale.sequence], till.expected[sale.sequence] = shopper, expected
    part.done += 1
    try:
        till.store.accept(code, money(amount), description="market")
    except OfflineError as refused:
        market.expect(refused.reason == "CODE_USED", f"a stored code was answered {refused.reason}")
        market.note_refused(part, refused.reason)
    else:
        market.tally.problem("a till stored one code twice")


async def forward(market: Market, part: Part, till: FarTill) -> None:
    """Undo what was given up, forward what was stored, and send it again to the same answers."""
    till.line.mend()
    async with connect(market, till) as connected:
        resumed = await connected.resume()
        undone = [one for one in resumed.charges if not one.paid and not one.reversal_pending]
        market.expect(
            len(undone) == 1 and not connected.journal.entries,
            f"{len(undone)} sales without a network were undone, not 1",
        )
        key_id, sales = till.store.next_batch(BATCH)
        answered = await connected.forward_offline(till.store)
        again = await connected.bank.offline.forward_offline(
            terminal_id=till.terminal_id, key_id=key_id, sales=sales
        )
        market.expect(
            till.store.answered(again.message.results) == answered,
            "stored sales that were sent again were answered otherwise",
        )
    for one in answered:
        write_down(market, part, till, one)
    await compare(market, till, answered)


def write_down(market: Market, part: Part, till: FarTill, one: Forwarded) -> None:
    """Keep what became of a stored sale, and who bears its loss."""
    expected = till.expected[one.sequence]
    if not market.expect(
        (one.outcome, one.loss_bearer) == (expected, OUTCOMES[expected]),
        f"a stored sale is {one.outcome} ({one.reason}), its loss borne by {one.loss_bearer}",
    ):
        return
    market.books.forwarded[one.outcome].append(one.amount.minor_units)
    part.done += 1
    if one.outcome == "LOST":
        return
    market.books.sold(
        till.stall.place,
        till.buyers[one.sequence].account_id if one.outcome == "PAID" else "",
        order_id=one.order_id,
        order_number=one.order_number,
        amount=one.amount.minor_units,
    )


async def compare(market: Market, till: FarTill, answered: list[Forwarded]) -> None:
    """What the bank lists of the merchant's stored sales is what it has answered."""
    listed: Counter[tuple[int, int]] = Counter()
    async for one in market.bank.offline.list_offline_sales(merchant_id=till.stall.merchant_id):
        listed[one.result.sequence, one.amount.minor_units] += 1
    own = Counter((one.sequence, one.amount.minor_units) for one in answered)
    market.expect(listed == own, f"the bank lists {len(listed)} stored sales, not {len(own)}")
