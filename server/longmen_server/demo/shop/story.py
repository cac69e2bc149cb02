"""The whole market day, from taking merchants in to proving the books."""

from __future__ import annotations

import dataclasses
import secrets
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from longmen_client import AsyncClient, LongmenError
from longmen_server.demo.day import PHONE_NUMBERS
from longmen_server.demo.evening import trial_balance, verify_ledger
from longmen_server.demo.shop import customers, evening, offline, stalls, trade, trouble
from longmen_server.demo.shop.clock import MarketClock
from longmen_server.demo.shop.listener import Listener
from longmen_server.demo.shop.market import Market, speaker
from longmen_server.demo.story import Outcome
from longmen_server.demo.tally import CalledOffError, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_client import Config
    from longmen_server.demo.shop.plan import ShopPlan

__all__ = ["play"]


async def play(
    config: Config,
    plan: ShopPlan,
    *,
    staff_token: str,
    customer_token: Callable[[str], str],
    outbox: Path,
    begin: Callable[[str, int], Callable[[], None]],
) -> Outcome:
    """Play the day and judge it.

    Args:
        config: how to reach the server as a service of the bank.
        plan: how much of everything.
        staff_token: of somebody who hands out API keys.
        customer_token: mints the token of a customer.
        outbox: the server's file of messages that would have been sent.
        begin: told of each part and its number of steps; gives what to call at each step.
    """
    began = time.perf_counter()
    bare = dataclasses.replace(config, token=None, connections=1)
    balance = summary = None
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="longmen-market-"))
        bank = await stack.enter_async_context(AsyncClient(config))
        everybody = dataclasses.replace(config, token=speaker)
        market = Market(
            bank=bank,
            tally=Tally(),
            begin=begin,
            plan=plan,
            config=bare,
            customers=await stack.enter_async_context(AsyncClient(everybody)),
            keeper=await stack.enter_async_context(
                AsyncClient(dataclasses.replace(config, token=staff_token))
            ),
            customer_token=customer_token,
            outbox=outbox,
            folder=Path(folder),
            first_number=secrets.randbelow(PHONE_NUMBERS),
            clock=MarketClock(bank),
            listener=await stack.enter_async_context(Listener()),
            stack=stack,
        )
        try:
            await _day(market)
            await _evening(market)
            balance = await trial_balance(market)
            summary = await verify_ledger(market)
        except CalledOffError:
            market.tally.problems.append("the day was called off")
        except LongmenError as error:
            market.tally.problems.append(f"the day was called off: {error.details.method}: {error}")
    market.facts["trade"] = market.books.facts()
    market.facts["stored"] = market.books.stored_facts()
    return Outcome(plan, market.tally, time.perf_counter() - began, balance, summary)


async def _day(market: Market) -> None:
    """From the opening to the last refund."""
    await market.clock.open()
    stalls.open_books(market)
    await stalls.open_stalls(market)
    await customers.open_wallets(market)
    await customers.register_phones(market)
    if market.tally.problems:
        raise CalledOffError
    await customers.enrol_codes(market)
    await trade.scan_payers(market)
    await trade.scan_tills(market)
    await trade.scan_printed(market)
    await trade.approve_on_phones(market)
    await trouble.lose_tills(market)
    await offline.go_offline(market)
    await trade.refund(market)


async def _evening(market: Market) -> None:
    """From the last webhook to the last balance."""
    await evening.hear_webhooks(market)
    await evening.close_day(market)
    await evening.read_bills(market)
    await evening.reconcile(market)
    await evening.pay_out(market)
    await evening.return_lost(market)
    await evening.compare_balances(market)
