"""Charities and gifts to them; one good request of each RPC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from longmen.payments.v1 import bill_pb2
from longmen_server.platform.clock import DEFAULT_ZONE
from tests.support.selling import merchandise
from tests.support.small_bank import cash

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.small_bank import Person, SmallBank

Fields = dict[str, Any]


async def charity(bank: SmallBank, owner: Person) -> str:
    """The id of a charity that the owner runs: merchants' tokens are made for it."""
    fields = {**merchandise(), "category_code": "8398", "local_name": "希望工程"}
    reply = await bank.do("MerchantsService/CreateMerchant", **fields)
    bank.merchants[owner.customer] = reply.merchant.merchant_id
    return str(reply.merchant.merchant_id)


def year(bank: SmallBank) -> int:
    """The year by the institution's calendar."""
    now = datetime.fromtimestamp(bank.parts.clock.now_us() / 1e6, UTC)
    return now.astimezone(DEFAULT_ZONE).year


async def giving(bank: SmallBank, owner: Person, **changes: Any) -> Fields:
    return {
        "merchant_id": await charity(bank, owner),
        "from_account_id": owner.account,
        "amount": cash(200),
        "message": "for the school library",
        **changes,
    }


async def given(bank: SmallBank, owner: Person, **changes: Any) -> Fields:
    made = await bank.do("DonationsService/Donate", **await giving(bank, owner, **changes))
    return {"donation_id": made.donation_id, "format": bill_pb2.RECEIPT_FORMAT_JSON}


async def three_gifts(bank: SmallBank, owner: Person) -> Fields:
    fields = await giving(bank, owner)
    for anonymous in (False, True, False):
        await bank.do("DonationsService/Donate", **{**fields, "anonymous": anonymous})
    return {"merchant_id": fields["merchant_id"]}


async def year_of_gifts(bank: SmallBank, owner: Person) -> Fields:
    await given(bank, owner)
    return {"customer_id": owner.customer, "year": year(bank)}


SAMPLES: dict[str, Callable[[SmallBank, Person], Awaitable[Fields]]] = {
    "DonationsService/Donate": giving,
    "DonationsService/GetDonation": given,
    "DonationsService/ListDonations": three_gifts,
    "DonationsService/GetDonationSummary": year_of_gifts,
}
