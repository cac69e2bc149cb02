"""The morning of the customers: wallets, phones with a PIN, and codes to show."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import factor_pb2
from longmen_app import AsyncPayerCode, AsyncSession, AsyncWallet
from longmen_client.device_key import DeviceKey
from longmen_server.demo.day import PHONE_NUMBERS
from longmen_server.demo.plan import CURRENCY
from longmen_server.demo.shop.market import Shopper, money
from longmen_server.messages.outbox import read_outbox

if TYPE_CHECKING:
    from longmen.identity.v1 import challenge_pb2
    from longmen_server.demo.shop.market import Market
    from longmen_server.demo.tally import Part

PIN: Final = "835207"
FUNDS: Final = (60_000, 300_000)
"""What customers bring, in minor units: less than a wallet known by its phone number may hold."""
PHONE_FUNDS: Final = (300_000, 900_000)
"""The same of those who buy what is dear."""
MESSAGE_S: Final = 30.0
"""How long a code by message may take, in seconds."""
POLL_S: Final = 0.1


async def open_wallets(market: Market) -> None:
    """Let the bank open wallets for most customers."""
    count = market.plan.customers
    found: dict[int, Shopper] = {}

    async def work(part: Part, place: int) -> None:
        shopper = await open_wallet(market, place)
        await bring_money(market, shopper, place, FUNDS)
        found[place] = shopper
        part.done += 1

    await market.each("open wallets", range(count), count, work)
    market.shoppers.extend(found[place] for place in sorted(found))
    market.expect(len(found) == count, f"{count - len(found)} wallets could not be opened")


async def open_wallet(market: Market, place: int) -> Shopper:
    """Let the bank open a wallet, which is empty."""
    wallet = await AsyncWallet.open(
        market.bank,
        phone_number=phone_number(market, place),
        display_name=market.plan.name(place),
        currency_code=CURRENCY,
    )
    return Shopper(
        account_id=await wallet.account_id(CURRENCY),
        wallet=AsyncWallet(market.customers, wallet.customer_id),
        token=market.customer_token(wallet.customer_id),
    )


async def register_phones(market: Market) -> None:
    """Let some customers register by themselves: a code by message, a device, a PIN."""
    count = market.plan.phones
    first = market.plan.customers

    async def work(part: Part, place: int) -> None:
        session = await market.stack.enter_async_context(
            AsyncSession(market.config, DeviceKey.generate(), device_name="market")
        )
        number = phone_number(market, place)
        pending = await session.start_registration(number)
        code = await code_sent(market, number)
        if not market.expect(code, f"no code came to {number}"):
            return
        await session.complete_registration(
            pending, code=code, display_name=market.plan.name(place), currency_code=CURRENCY
        )
        await session.bank.factors.set_payment_pin(pin=PIN)
        wallet = AsyncWallet(session.bank, session.customer_id, approver=by_pin)
        phone = Shopper(account_id=await wallet.account_id(CURRENCY), wallet=wallet)
        await bring_money(market, phone, place, PHONE_FUNDS)
        market.phones.append(phone)
        part.done += 1

    await market.each("register by phone", range(first, first + count), count, work)


async def enrol_codes(market: Market) -> None:
    """Let every phone get the secret that its codes are made with."""
    everybody = [*market.shoppers, *market.phones]

    async def work(part: Part, shopper: Shopper) -> None:
        with shopper.speaking():
            shopper.codes = await AsyncPayerCode.enrol(
                shopper.wallet, CURRENCY, clock=market.clock.seconds
            )
        part.done += 1

    await market.each("enrol payer codes", everybody, len(everybody), work)


async def bring_money(
    market: Market, shopper: Shopper, place: int, least_and_most: tuple[int, int]
) -> None:
    """Fill a wallet from a bank account."""
    amount = market.plan.randomness(f"funds {place}").randrange(*least_and_most)
    await market.bank.transfers.top_up(
        account_id=shopper.account_id, amount=money(amount), bank_account=f"6222{place:015}"
    )
    market.books.brought(shopper.account_id, amount)


def by_pin(_: challenge_pb2.Challenge) -> factor_pb2.FactorProof:
    """What a customer types when the phone asks."""
    return factor_pb2.FactorProof(payment_pin=PIN)


def phone_number(market: Market, place: int) -> str:
    """A number that nobody else at the market has."""
    return f"+86199{(market.first_number + place) % PHONE_NUMBERS:08}"


async def code_sent(market: Market, number: str) -> str:
    """The code in the latest message to a number; empty when none comes."""
    end = time.monotonic() + MESSAGE_S
    while time.monotonic() < end:
        letters = await asyncio.to_thread(lambda: list(read_outbox(market.outbox)))
        for letter in reversed(letters):
            if letter["recipient"] == number:
                digits = "".join(one if one.isdigit() else " " for one in letter["text"]).split()
                return next((word for word in digits if len(word) == 6), "")
        await asyncio.sleep(POLL_S)
    return ""
