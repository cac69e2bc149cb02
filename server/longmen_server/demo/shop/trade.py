"""The day's trade: tills scan phones, phones scan tills, and some of the money goes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from longmen_app import AsyncPurchase
from longmen_client import LongmenError, new_request_id
from longmen_server.demo.shop.market import money

if TYPE_CHECKING:
    from longmen_merchant import AsyncTill, Charge
    from longmen_merchant._async.till import AsyncSale
    from longmen_server.demo.shop.books import Receipt
    from longmen_server.demo.shop.market import Market, Shopper, Stall
    from longmen_server.demo.shop.plan import Trade
    from longmen_server.demo.tally import Part

MISREAD_EVERY: Final = 20
"""The scanner misreads every so many codes, and the cashier scans again."""
SHOWN_AGAIN_EVERY: Final = 25
"""Every so many payers show the code that they have paid with before."""
APPROVED: Final = (20_100, 45_000)
"""Minor units that are too much to go without a PIN."""
SAYS_NO_EVERY: Final = 5
TOO_MUCH_EVERY: Final = 10
"""Every so many refunds are asked for more than was paid."""


async def scan_payers(market: Market) -> None:
    """Tills scan the codes of payers, some with a tip: small amounts are paid at once."""
    plan = market.plan
    trades = plan.trades("scanned", plan.scanned, len(market.shoppers))

    async def work(part: Part, trade: Trade) -> None:
        stall, shopper = market.stalls[trade.stall], market.shoppers[trade.shopper]
        async with shopper.busy, stall.scanning:
            tip = money(trade.tip) if trade.tip else None
            sale = stall.scanner.begin(money(trade.amount), description="market", tip=tip)
            code = shopper.next_code()
            if trade.number % MISREAD_EVERY == 1:
                await misread(market, part, sale, code)
            charge = await sale.scan(code)
            if paid(market, part, stall, shopper, charge) and (
                trade.number % SHOWN_AGAIN_EVERY == 2
            ):
                await show_again(market, part, stall.scanner, code)

    await market.each("tills scan payers", trades, plan.scanned, work)


async def misread(market: Market, part: Part, sale: AsyncSale, code: str) -> None:
    """A scan with a digit wrong is refused by its check digits, and leaves the sale open."""
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    refused = await sale.scan(wrong)
    expected = not refused.paid and refused.may_scan_again and refused.reason == "CODE_MALFORMED"
    if market.expect(expected, f"a misread code was answered {refused.reason or 'yes'}"):
        market.note_refused(part, refused.reason)


async def show_again(market: Market, part: Part, till: AsyncTill, code: str) -> None:
    """A code that has paid pays nothing more."""
    sale = till.begin(money(100), description="again")
    refused = await sale.scan(code)
    if market.expect(
        refused.reason == "CODE_USED", f"a used code was answered {refused.reason or 'yes'}"
    ):
        market.note_refused(part, refused.reason)
    given_up = await sale.cancel()
    market.expect(not given_up.paid, "a sale that was given up is paid")


async def scan_tills(market: Market) -> None:
    """Payers scan the code on a till's screen; some codes ask for a tip."""
    plan = market.plan
    trades = plan.trades("shown", plan.shown, len(market.shoppers))

    async def work(part: Part, trade: Trade) -> None:
        stall, shopper = market.stalls[trade.stall], market.shoppers[trade.shopper]
        async with shopper.busy, stall.showing:
            asks = trade.tip > 0
            sale = await stall.screen.show(money(trade.amount), description="market", ask_tip=asks)
            with shopper.speaking():
                purchase = await AsyncPurchase.scan(shopper.wallet, sale.code)
                market.expect(purchase.asks_tip == asks, f"a code asks {purchase.asks_tip} of tips")
                charge, _ = await asyncio.gather(
                    sale.wait(), purchase.confirm(tip=money(trade.tip) if asks else None)
                )
            paid(market, part, stall, shopper, charge)

    await market.each("payers scan tills", trades, plan.shown, work)


async def scan_printed(market: Market) -> None:
    """Payers scan a stall's printed code and type the amount."""
    plan = market.plan
    trades = plan.trades("printed", plan.printed, len(market.shoppers))

    async def work(part: Part, trade: Trade) -> None:
        stall, shopper = market.stalls[trade.stall], market.shoppers[trade.shopper]
        async with shopper.busy:
            with shopper.speaking():
                purchase = await AsyncPurchase.scan(shopper.wallet, stall.printed_code)
                payment = await purchase.confirm(money(trade.amount))
            order = (await stall.office.payments.get_order(order_id=payment.order_id)).order
            market.books.sold(
                stall.place,
                shopper.account_id,
                order_id=order.order_id,
                order_number=order.order_number,
                amount=trade.amount,
            )
            part.done += 1

    await market.each("payers scan printed codes", trades, plan.printed, work)


async def approve_on_phones(market: Market) -> None:
    """Larger amounts: the till waits while the payer is asked, and types a PIN or says no."""
    plan = market.plan
    trades = plan.trades("approved", plan.approved, len(market.phones))
    amounts = plan.randomness("large amounts")

    async def work(part: Part, trade: Trade) -> None:
        stall, phone = market.stalls[trade.stall], market.phones[trade.shopper]
        says_no = trade.number % SAYS_NO_EVERY == 0
        async with phone.busy, stall.scanning:
            sale = stall.scanner.begin(money(amounts.randrange(*APPROVED)), description="market")
            charge, _ = await asyncio.gather(
                sale.scan(phone.next_code()), answer(phone, says_no=says_no)
            )
            if not says_no:
                paid(market, part, stall, phone, charge)
                return
            if market.expect(
                charge.reason == "DECLINED", f"a no was answered {charge.reason or 'yes'}"
            ):
                market.note_refused(part, charge.reason)
            await sale.cancel()

    await market.each("approve on phones", trades, plan.approved, work)


async def answer(phone: Shopper, *, says_no: bool) -> None:
    """Wait until a till asks, and say yes or no."""
    assert phone.codes is not None, "every phone enrols first"
    async for scan in phone.codes.scans():
        if scan.asks:
            await (phone.codes.decline(scan) if says_no else phone.codes.confirm(scan))
            return


async def refund(market: Market) -> None:
    """Some come back with what they bought, and get a part of the money, or all of it."""
    plan = market.plan
    chance = plan.randomness("refunds")
    # In an order that does not hang on who was served first, with somebody who gave a tip ahead.
    bought = sorted(market.books.receipts, key=lambda one: (not one.tip, one.stall, one.amount))
    count = min(plan.refunds, len(bought))
    first = bought[: min(1, count)]
    chosen = list(enumerate(first + chance.sample(bought[1:], count - len(first))))
    parts = [chance.choice((3, 2, 1)) for _ in chosen]

    async def work(part: Part, one: tuple[int, Receipt]) -> None:
        number, receipt = one
        stall = market.stalls[receipt.stall]
        amount = max(1, receipt.total // parts[number])
        number_of_refund = new_request_id()
        made = await stall.scanner.refund(
            receipt.order_id, money(amount), refund_number=number_of_refund, reason_text="returned"
        )
        market.books.refunded(receipt, made.refund_number, amount)
        part.done += 1
        if number % TOO_MUCH_EVERY == 0:
            await refund_too_much(market, part, stall, receipt)

    await market.each("refund", chosen, count, work)


async def refund_too_much(market: Market, part: Part, stall: Stall, receipt: Receipt) -> None:
    """More than was paid never goes back."""
    try:
        await stall.scanner.refund(receipt.order_id, money(receipt.total + 1))
    except LongmenError as error:
        market.expect(
            error.details.reason in {"REFUND_EXCEEDS_PAYMENT", "ORDER_REFUNDED"},
            f"a refund of more than was paid was refused as {error.details.reason}",
        )
        market.tally.refused(part, error)
    else:
        market.tally.problem(f"{receipt.order_id} gave back more than was paid")


def paid(market: Market, part: Part, stall: Stall, shopper: Shopper, charge: Charge) -> bool:
    """Write a sale down that the till says is paid; anything else is a problem."""
    if not market.expect(charge.paid, f"a sale was not paid: {charge.reason}"):
        return False
    market.books.sold(
        stall.place,
        shopper.account_id,
        order_id=charge.order_id,
        order_number=charge.order_number,
        amount=charge.amount.minor_units,
        tip=0 if charge.tip is None else charge.tip.minor_units,
    )
    part.done += 1
    return True
