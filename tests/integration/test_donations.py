"""Donations through the RPCs: given by name or without, proven, added up by the year."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from longmen.payments.v1 import bill_pb2 as receipts
from tests.integration.test_personal_data import dump, traces
from tests.support.donations import charity, year
from tests.support.proof import proof_of
from tests.support.rpcs import elsewhere
from tests.support.selling import merchant
from tests.support.small_bank import BY_NAME, FUNDS, SERVICE, SmallBank, cash, open_small_bank
from tests.support.step_up import MEDIUM, Payer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

MESSAGE = "for the school library in the hills"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("gifts")) as opened:
        yield opened


@pytest.fixture
async def school(bank: SmallBank) -> Person:
    """Who runs a charity."""
    return await bank.person()


@pytest.fixture
async def donor(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"DonationsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"DonationsService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def test_gifts_are_told_to_the_charity_by_name_or_without(
    bank: SmallBank, school: Person, donor: Person, module_database: Database
) -> None:
    merchant_id = await charity(bank, school)
    customer, receiver = bank.token("customer", donor), bank.token("merchant", school)
    gift = {"merchant_id": merchant_id, "from_account_id": donor.account, "message": MESSAGE}
    open_one = await do(bank, "Donate", customer, **gift, amount=cash(300))
    hidden = await do(bank, "Donate", customer, **gift, amount=cash(50), anonymous=True)
    assert hidden.available_minor_units == FUNDS - 350
    found = await do(bank, "ListDonations", receiver, merchant_id=merchant_id)
    assert [
        (one.donation_id, one.anonymous, bool(one.masked_donor_name), one.message)
        for one in found.donations
    ] == [
        (hidden.donation_id, True, False, MESSAGE),
        (open_one.donation_id, False, True, MESSAGE),
    ]
    page = await do(bank, "ListDonations", receiver, merchant_id=merchant_id, page_size=1)
    rest = await do(
        bank,
        "ListDonations",
        receiver,
        merchant_id=merchant_id,
        page_size=1,
        page_token=page.next_page_token,
    )
    assert (list(rest.donations), rest.next_page_token) == ([found.donations[1]], "")
    order = (await bank.do("PaymentsService/GetOrder", order_id=hidden.order_id)).order
    assert (order.order_number, order.transaction_id) == (
        hidden.donation_id,
        hidden.transaction_id,
    )
    assert traces(dump(module_database.admin_dsn), [MESSAGE]) == []
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not findings


async def test_receipts_are_for_a_gift_and_for_a_year(
    bank: SmallBank, school: Person, donor: Person
) -> None:
    merchant_id = await charity(bank, school)
    customer = bank.token("customer", donor)
    gift = {"merchant_id": merchant_id, "from_account_id": donor.account}
    first = await do(bank, "Donate", customer, **gift, amount=cash(300))
    await do(bank, "Donate", customer, **gift, amount=cash(200), anonymous=True)
    await bank.do(
        "PaymentsService/RefundOrder",
        order_id=first.order_id,
        refund_number="1",
        amount=cash(100),
    )
    asked = {"donation_id": first.donation_id}
    own = await do(bank, "GetDonation", customer, **asked, format=receipts.RECEIPT_FORMAT_JSON)
    assert (own.donation.refunded.minor_units, own.media_type) == (100, "application/json")
    assert json.loads(own.document)["charity_name"] == "希望工程"
    same = await do(bank, "GetDonation", bank.token("merchant", school), **asked)
    assert (same.donation, same.document) == (own.donation, b"")
    summary = await do(
        bank,
        "GetDonationSummary",
        customer,
        year=year(bank),
        format=receipts.RECEIPT_FORMAT_PDF,
    )
    (total,) = summary.totals
    assert (total.charity_name, total.donation_count, total.given.minor_units) == (
        "希望工程",
        2,
        400,
    )
    assert (summary.document[:5], summary.media_type) == (b"%PDF-", "application/pdf")
    before = await do(bank, "GetDonationSummary", customer, year=year(bank) - 1)
    assert not before.totals


async def test_what_is_not_given_says_why(bank: SmallBank, school: Person, donor: Person) -> None:
    customer = bank.token("customer", donor)
    shop_id = await merchant(bank, donor)
    merchant_id = await charity(bank, school)
    gift = {"merchant_id": merchant_id, "from_account_id": donor.account, "amount": cash(10)}
    for changes, reason, metadata in (
        (
            {"merchant_id": shop_id},
            "NOT_A_CHARITY",
            {"merchant_id": shop_id, "category_code": "5499"},
        ),
        ({"merchant_id": elsewhere(merchant_id)}, "MERCHANT_NOT_FOUND", {}),
        ({"from_account_id": school.account}, "ACCOUNT_NOT_FOUND", {}),
        ({"amount": cash(FUNDS + 1)}, "INSUFFICIENT_FUNDS", {}),
        ({"amount": cash(1, "USD")}, "CURRENCY_MISMATCH", {"expected": "CNY"}),
    ):
        refusal = await refused(bank, "Donate", customer, **{**gift, **changes})
        assert refusal.reason == reason
        assert refusal.metadata.items() >= metadata.items()
    made = await do(bank, "Donate", customer, **gift)
    stranger = bank.token("customer", school)
    for token, donation_id in (
        (stranger, made.donation_id),
        (bank.token("merchant", donor), made.donation_id),
        (SERVICE, elsewhere(made.donation_id)),
    ):
        refusal = await refused(bank, "GetDonation", token, donation_id=donation_id)
        assert (refusal.reason, refusal.metadata["donation_id"]) == (
            "DONATION_NOT_FOUND",
            donation_id,
        )


async def test_a_larger_gift_is_approved_for_what_it_is(bank: SmallBank, school: Person) -> None:
    payer = await Payer.new(bank)
    request = payer.request(
        "DonationsService/Donate",
        merchant_id=await charity(bank, school),
        from_account_id=payer.person.account,
        amount=cash(MEDIUM),
    )
    asked = await payer.told("DonationsService/Donate", request)
    assert asked.reason == "NEEDS_AUTH"
    challenge = await payer.challenge(asked.metadata["challenge_id"])
    assert challenge.text.startswith("Give ")
    assert challenge.text.endswith(" to 希望工程.")
    await payer.approve(asked.metadata["challenge_id"])
    assert (await payer.send("DonationsService/Donate", request)).donation_id
