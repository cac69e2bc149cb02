"""Samples of requests about limits, and a customer of a class who spends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen.limits.v1 import limit_pb2
from longmen_server.platform.clock import DEFAULT_ZONE, business_date
from tests.support.small_bank import Person, SmallBank, cash

if TYPE_CHECKING:
    from collections.abc import Iterable

Fields = dict[str, Any]
YUAN = 100


def today(bank: SmallBank) -> str:
    """The day of the institution."""
    return str(business_date(bank.parts.clock.now_us(), DEFAULT_ZONE))


async def to_explain(_: SmallBank, owner: Person) -> Fields:
    return {
        "account_id": owner.account,
        "kind": limit_pb2.LIMITED_KIND_TRANSFER,
        "amount": cash(100 * YUAN),
    }


async def own_limit(_: SmallBank, owner: Person) -> Fields:
    return {
        "customer_id": owner.customer,
        "period": limit_pb2.LIMIT_PERIOD_DAY,
        "amount": cash(500 * YUAN),
    }


async def account_type(_: SmallBank, owner: Person) -> Fields:
    return {"account_id": owner.account, "account_type": 2}


async def three_spenders(bank: SmallBank, owner: Person) -> Fields:
    """Days with movements of three customers."""
    await pay(bank, owner, [1])
    for _ in range(2):
        await pay(bank, await bank.person(), [1])
    return {"track": limit_pb2.LIMIT_TRACK_SPEND, "first_day": today(bank)}


async def three_rich_spenders(bank: SmallBank, _: Person) -> Fields:
    """A day on which three customers moved what has to be reported."""
    for _n in range(3):
        person = await spender(bank, 0, yuan=500_000)
        await pay(bank, person, [500_000 * YUAN])
    return {"day": today(bank)}


async def spender(bank: SmallBank, identification_class: int, yuan: int = 9_000) -> Person:
    """A customer of a class, 0 for none, with money."""
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(yuan * YUAN),
        bank_account="62220212345",
    )
    if identification_class:
        await bank.do(
            "KycService/DowngradeKyc",
            customer_id=person.customer,
            identification_class=identification_class,
            cause="DOWNGRADE_CAUSE_REQUESTED",
            reason_text="asked for it",
        )
    return person


def payment(bank: SmallBank, person: Person, amount: int, **more: Any) -> Fields:
    """A transfer to the standing payee."""
    return {
        "from_account_id": person.account,
        "payee": {"account_id": bank.payee.account},
        "amount": cash(amount),
        **more,
    }


async def pay(bank: SmallBank, person: Person, amounts: Iterable[int], **more: Any) -> None:
    for amount in amounts:
        fields = payment(bank, person, amount, **more)
        await bank.do("TransfersService/CreateTransfer", **fields)
