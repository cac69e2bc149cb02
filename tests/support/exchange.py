"""Exchanges in the tests: rates of one day, wallets in several currencies, quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen.fx.v1 import order_pb2, quote_pb2
from longmen_server.settlements.calendar import CALENDAR
from tests.support.small_bank import cash

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

Fields = dict[str, Any]

FIXING = (
    ("USD", "1.1172"),
    ("CNY", "7.4326"),
    ("JPY", "175.68"),
    ("HKD", "8.7652"),
    ("THB", "37.683"),
)
"""Some of the rates of 30 October 2026."""


def feed(*rates: tuple[str, str], day: str = "2026-10-30") -> bytes:
    """A daily feed of the European Central Bank."""
    cubes = "".join(f"<Cube currency='{code}' rate='{rate}'/>" for code, rate in rates)
    return f"<Envelope><Cube><Cube time='{day}'>{cubes}</Cube></Cube></Envelope>".encode()


async def with_rates(bank: SmallBank, _: Person, **fields: Any) -> Fields:
    """A pair, once there are rates."""
    await bank.do("RatesService/ImportRates", content=feed(*FIXING))
    return {"source_currency_code": "CNY", "target_currency_code": "USD", **fields}


async def new_rate(bank: SmallBank, owner: Person) -> Fields:
    """A rate a little above the present one."""
    await with_rates(bank, owner)
    found = (await bank.do("RatesService/ListCurrencies")).currencies
    present = next(one for one in found if one.currency_code == "HKD")
    at = present.observe_time
    at.seconds += 1
    return {"currency_code": "HKD", "rate": present.rate + "1", "observe_time": at}


async def rates_of_days(bank: SmallBank, owner: Person) -> Fields:
    for day in (27, 28, 29):
        await bank.do("RatesService/ImportRates", content=feed(*FIXING, day=f"2026-10-{day}"))
    return await with_rates(bank, owner)


async def pocket(bank: SmallBank, owner: Person, currency: str) -> str:
    """The id of the owner's account in a currency, opened if need be."""
    found = await bank.do("AccountsService/ListAccounts", customer_id=owner.customer)
    for one in found.accounts:
        if one.currency_code == currency:
            return str(one.account_id)
    opened = await bank.do(
        "AccountsService/OpenAccount", customer_id=owner.customer, currency_code=currency
    )
    return str(opened.account.account_id)


async def wanted(
    bank: SmallBank, owner: Person, amount: int = 1_000, currency: str = "CNY", **fields: Any
) -> Fields:
    """An exchange of the owner's CNY into USD."""
    await with_rates(bank, owner)
    return {
        "from_account_id": owner.account,
        "to_account_id": await pocket(bank, owner, "USD"),
        "amount": cash(amount, currency),
        **fields,
    }


async def quoted(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    """A quote of the owner's."""
    asked = await wanted(bank, owner, **fields)
    return (await bank.do("ConversionsService/CreateQuote", **asked)).quote


async def own_quote(bank: SmallBank, owner: Person) -> Fields:
    return {"quote_id": (await quoted(bank, owner)).quote_id}


def shown(quote: Any) -> Fields:
    """A quote as its customer confirms it."""
    return {
        "quote_id": quote.quote_id,
        "source_amount": quote.exchange.source_amount,
        "target_amount": quote.exchange.target_amount,
    }


async def quote_to_take(bank: SmallBank, owner: Person) -> Fields:
    return shown(await quoted(bank, owner))


async def small_exchange(bank: SmallBank, owner: Person) -> Fields:
    return await wanted(bank, owner, counter_currency_code="USD")


async def converted(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    """A conversion of the owner's."""
    asked = await wanted(bank, owner, **{"counter_currency_code": "USD", **fields})
    return (await bank.do("ConversionsService/Convert", **asked)).conversion


async def own_conversion(bank: SmallBank, owner: Person) -> Fields:
    return {"conversion_id": (await converted(bank, owner)).conversion_id}


async def conversion_to_reverse(bank: SmallBank, owner: Person) -> Fields:
    return {**await own_conversion(bank, owner), "basis": quote_pb2.REVERSAL_BASIS_ORIGINAL}


async def busy_traveller(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await converted(bank, owner)
    return {"customer_id": owner.customer}


async def book_with_position(bank: SmallBank, owner: Person) -> Fields:
    await converted(bank, owner)
    return {}


async def day_to_close(bank: SmallBank, owner: Person) -> Fields:
    """A day with three currencies' positions: it is closed once, so whoever does it closes all."""
    await converted(bank, owner)
    for code in ("JPY", "HKD"):
        to_account_id = await pocket(bank, owner, code)
        await converted(bank, owner, to_account_id=to_account_id, counter_currency_code=code)
    return {"business_date": CALENDAR.date_of(bank.parts.clock.now_us()).isoformat()}


async def days_closed(bank: SmallBank, owner: Person) -> Fields:
    """The same day after its close."""
    await bank.do("PositionsService/Revalue", **await day_to_close(bank, owner))
    return {}


async def pairs_to_follow(bank: SmallBank, owner: Person) -> Fields:
    there = await with_rates(bank, owner)
    return {"pairs": [there, {"source_currency_code": "USD", "target_currency_code": "JPY"}]}


async def new_promotion(bank: SmallBank, owner: Person, **fields: Any) -> Fields:
    """Half of the spread of THB for a day from now."""
    await with_rates(bank, owner)
    now = bank.parts.clock.now_us() // 1_000_000
    return {
        "name": "Golden week",
        "discount_basis_points": 5_000,
        "currency_codes": ["THB"],
        "start_time": {"seconds": now - 60},
        "end_time": {"seconds": now + 86_400},
        "budget": cash(10_000),
        **fields,
    }


async def promoted(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    """A promotion."""
    asked = await new_promotion(bank, owner, **fields)
    return (await bank.do("RatesService/CreatePromotion", **asked)).promotion


async def promotion_to_end(bank: SmallBank, owner: Person) -> Fields:
    return {"promotion_id": (await promoted(bank, owner)).promotion_id}


async def book_with_promotions(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await promoted(bank, owner)
    return {}


async def new_auto_conversion(bank: SmallBank, owner: Person, **fields: Any) -> Fields:
    """What lets the owner's payments in USD exchange what they lack out of CNY."""
    await with_rates(bank, owner)
    return {
        "account_id": await pocket(bank, owner, "USD"),
        "enabled": True,
        "source_account_ids": [owner.account],
        "payment_max": cash(1_000, "USD"),
        "day_max": cash(2_500, "USD"),
        "basis_points_max": 100,
        **fields,
    }


async def customer_with_auto_conversions(bank: SmallBank, owner: Person) -> Fields:
    asked = await new_auto_conversion(bank, owner)
    await bank.do("ConversionsService/SetAutoConversion", **asked)
    return {"customer_id": owner.customer}


async def new_alert(bank: SmallBank, owner: Person, **fields: Any) -> Fields:
    """An alert of a rate that is far away."""
    return {
        **await with_rates(bank, owner),
        "customer_id": owner.customer,
        "rate": "0.2",
        "direction": order_pb2.RATE_DIRECTION_AT_LEAST,
        **fields,
    }


async def alerted(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    """An alert of the owner's."""
    asked = await new_alert(bank, owner, **fields)
    return (await bank.do("LimitOrdersService/CreateRateAlert", **asked)).alert


async def own_alert(bank: SmallBank, owner: Person) -> Fields:
    return {"alert_id": (await alerted(bank, owner)).alert_id}


async def customer_with_alerts(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await alerted(bank, owner)
    return {"customer_id": owner.customer}


async def new_limit_order(bank: SmallBank, owner: Person, **fields: Any) -> Fields:
    """An order for a rate that is far away."""
    asked = await wanted(bank, owner)
    return {**asked, "target_currency_code": "USD", "rate": "0.2", **fields}


async def ordered(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    """A limit order of the owner's."""
    asked = await new_limit_order(bank, owner, **fields)
    return (await bank.do("LimitOrdersService/CreateLimitOrder", **asked)).order


async def own_limit_order(bank: SmallBank, owner: Person) -> Fields:
    return {"limit_order_id": (await ordered(bank, owner)).limit_order_id}


async def customer_with_limit_orders(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await ordered(bank, owner)
    return {"customer_id": owner.customer}


async def new_payment_abroad(bank: SmallBank, owner: Person, **fields: Any) -> Fields:
    """A payment of the owner's CNY to somebody's USD."""
    await with_rates(bank, owner)
    return {
        "from_account_id": owner.account,
        "payee_account_id": await pocket(bank, bank.payee, "USD"),
        "amount": cash(1_000),
        "target_currency_code": "USD",
        **fields,
    }


async def quoted_abroad(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    """A quote of a payment of the owner's to somebody else."""
    asked = await new_payment_abroad(bank, owner, **fields)
    return (await bank.do("ConversionsService/QuoteAbroad", **asked)).quote


async def payment_abroad(bank: SmallBank, owner: Person) -> Fields:
    return shown(await quoted_abroad(bank, owner))
