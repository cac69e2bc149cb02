"""A merchant of a person's own, for whatever needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

Fields = dict[str, Any]


def merchandise() -> Fields:
    """What a merchant is taken in with."""
    return {
        "name": "Corner Tea",
        "local_name": "街角茶铺",
        "local_language": "zh",
        "city": "Shanghai",
        "country_code": "CN",
        "category_code": "5499",
        "currency_code": "CNY",
    }


async def merchant(bank: SmallBank, owner: Person) -> str:
    """The id of a merchant that the owner runs: merchants' tokens are made for it."""
    if owner.customer not in bank.merchants:
        reply = await bank.do("MerchantsService/CreateMerchant", **merchandise())
        bank.merchants[owner.customer] = reply.merchant.merchant_id
    return bank.merchants[owner.customer]
