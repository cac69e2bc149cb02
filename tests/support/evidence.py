"""Documents and bank accounts that can be genuine, a new one each time."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

from stdnum.cn import ric

from longmen.identity.v1 import identity_pb2

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

BANK_ACCOUNT = "6222021234567894"
"""A card with its check digit."""

FIRST_DAY = dt.date(1950, 1, 1)
PER_DAY = 999
_numbers = itertools.count()


def resident_id() -> str:
    """The number of a resident identity card that nobody has used."""
    days, sequence = divmod(next(_numbers), PER_DAY)
    born = FIRST_DAY + dt.timedelta(days)
    number = f"110101{born:%Y%m%d}{sequence + 1:03d}"
    return number + ric.calc_check_digit(number + "0")


def card(number: str = "", **changes: Any) -> dict[str, Any]:
    """Evidence of a resident identity card."""
    fields = {
        "kind": identity_pb2.EVIDENCE_RESIDENT_ID,
        "name": "林黛玉",
        "number": number or resident_id(),
        **changes,
    }
    return {"document": fields}


def account(number: str = BANK_ACCOUNT) -> dict[str, Any]:
    """Evidence of a bank account."""
    return {"bank_account": number}


async def document(bank: SmallBank, owner: Person) -> dict[str, Any]:
    """The fields of a request that puts a document on file."""
    return {"customer_id": owner.customer, "evidence": card()}


async def filed(bank: SmallBank, owner: Person) -> dict[str, Any]:
    """A customer with a document on file."""
    await bank.do("KycService/SubmitEvidence", **await document(bank, owner))
    return {"customer_id": owner.customer}


async def lowered(bank: SmallBank, owner: Person) -> dict[str, Any]:
    """The fields of a request that puts a customer with a document under the rules of a class."""
    return {
        **await filed(bank, owner),
        "identification_class": 3,
        "cause": "DOWNGRADE_CAUSE_REQUESTED",
        "reason_text": "asked for at the counter",
    }


async def raised(bank: SmallBank, owner: Person) -> dict[str, Any]:
    """The fields of a request that upgrades a customer of the worst class."""
    fields = await lowered(bank, owner)
    await bank.do("KycService/DowngradeKyc", **{**fields, "identification_class": 4})
    return {**await filed(bank, owner), "identification_class": 3}
