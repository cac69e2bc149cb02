"""Billers, their bills, and customers who are reminded of them; one good request of each RPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen.payments.v1 import bill_pb2
from tests.support.selling import merchant
from tests.support.small_bank import cash

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.small_bank import Person, SmallBank

Fields = dict[str, Any]

ACCOUNT_NUMBER = "79927398713"
"""The number of ISO/IEC 7812's own example."""
AMOUNT = 230
FORMAT = {
    "digits_only": True,
    "minimum_length": 8,
    "maximum_length": 12,
    "check": bill_pb2.ACCOUNT_NUMBER_CHECK_LUHN,
    "hint": "top right on the bill",
}


async def new_biller(bank: SmallBank, owner: Person) -> Fields:
    return {
        "merchant_id": await merchant(bank, owner),
        "name": "City Power",
        "category": bill_pb2.BILLER_CATEGORY_ELECTRICITY,
        "account_format": FORMAT,
    }


async def biller(bank: SmallBank, owner: Person, **changes: Any) -> str:
    """The id of a biller of the owner's."""
    fields = {**await new_biller(bank, owner), **changes}
    return str((await bank.do("BillsService/CreateBiller", **fields)).biller.biller_id)


def due(bank: SmallBank, **changes: Any) -> Fields:
    """A bill to send."""
    return {
        "bill_number": bank.new_request_id(),
        "account_number": ACCOUNT_NUMBER,
        "amount": cash(AMOUNT),
        "period": "2026-10",
        "due_date": "2030-01-20",
        "description": "112 kWh",
        **changes,
    }


async def sent(bank: SmallBank, biller_id: str, **changes: Any) -> Any:
    """A bill that was sent."""
    reply = await bank.do("BillsService/SendDues", biller_id=biller_id, dues=[due(bank, **changes)])
    return reply.dues[0]


async def paid(bank: SmallBank, owner: Person, **changes: Any) -> Any:
    """A bill that the owner sent, and paid."""
    made = await sent(bank, await biller(bank, owner), **changes)
    reply = await bank.do(
        "BillsService/PayDue",
        due_id=made.due_id,
        from_account_id=owner.account,
        amount=made.amount,
    )
    return reply.due


async def linked(bank: SmallBank, owner: Person, biller_id: str, **changes: Any) -> str:
    """The id of a linked account of the owner's."""
    fields = {"account_number": ACCOUNT_NUMBER, "label": "home", **changes}
    reply = await bank.do(
        "BillsService/LinkBillAccount",
        customer_id=owner.customer,
        biller_id=biller_id,
        **fields,
    )
    return str(reply.link_id)


async def closing(bank: SmallBank, owner: Person) -> Fields:
    return {"biller_id": await biller(bank, owner), "state": bill_pb2.BILLER_STATE_CLOSED}


async def directory(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await biller(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def sending(bank: SmallBank, owner: Person) -> Fields:
    return {"biller_id": await biller(bank, owner), "dues": [due(bank), due(bank)]}


async def cancelling(bank: SmallBank, owner: Person) -> Fields:
    return {"due_id": (await sent(bank, await biller(bank, owner))).due_id}


async def three_dues(bank: SmallBank, owner: Person) -> Fields:
    biller_id = await biller(bank, owner)
    for _ in range(3):
        await sent(bank, biller_id)
    return {"biller_id": biller_id}


async def finding(bank: SmallBank, owner: Person) -> Fields:
    return {**await three_dues(bank, owner), "account_number": ACCOUNT_NUMBER}


async def paying(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await cancelling(bank, owner),
        "from_account_id": owner.account,
        "amount": cash(AMOUNT),
    }


async def receipt(bank: SmallBank, owner: Person) -> Fields:
    return {
        "due_id": (await paid(bank, owner)).due_id,
        "format": bill_pb2.RECEIPT_FORMAT_JSON,
    }


async def linking(bank: SmallBank, owner: Person) -> Fields:
    return {
        "customer_id": owner.customer,
        "biller_id": await biller(bank, owner),
        "account_number": ACCOUNT_NUMBER,
        "label": "home",
    }


async def unlinking(bank: SmallBank, owner: Person) -> Fields:
    return {"link_id": await linked(bank, owner, await biller(bank, owner))}


async def reminders(bank: SmallBank, owner: Person) -> Fields:
    biller_id = await biller(bank, owner)
    await sent(bank, biller_id)
    await linked(bank, owner, biller_id)
    return {"customer_id": owner.customer}


SAMPLES: dict[str, Callable[[SmallBank, Person], Awaitable[Fields]]] = {
    "BillsService/CreateBiller": new_biller,
    "BillsService/SetBillerState": closing,
    "BillsService/ListBillers": directory,
    "BillsService/SendDues": sending,
    "BillsService/CancelDue": cancelling,
    "BillsService/ListDues": three_dues,
    "BillsService/FindDues": finding,
    "BillsService/PayDue": paying,
    "BillsService/GetBillReceipt": receipt,
    "BillsService/LinkBillAccount": linking,
    "BillsService/UnlinkBillAccount": unlinking,
    "BillsService/ListBillReminders": reminders,
}
