"""Payouts through the RPCs and the clearing: to the bank account, and sometimes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.merchants.v1 import payout_pb2, settlement_pb2
from longmen.merchants.v1.settlements_service_pb2 import DownloadBillResponse
from longmen_merchant.bills import read_bill
from longmen_server.jobs.webhook_queue import WebhookQueue
from longmen_server.ledger.chart import BANK_CLEARING, MERCHANT_SETTLEMENT, system_account_id
from longmen_server.platform.ids import ACCOUNT
from tests.support.proof import proof_of
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchant, order_paid
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

CLEARING = ACCOUNT.encode(system_account_id(BOOK, "CNY", BANK_CLEARING))
HELD = ACCOUNT.encode(system_account_id(BOOK, "CNY", MERCHANT_SETTLEMENT))
ACTIVE = payout_pb2.PAYOUT_ACCOUNT_STATE_ACTIVE
SUSPENDED = payout_pb2.PAYOUT_ACCOUNT_STATE_SUSPENDED
WAITING = payout_pb2.PAYOUT_STATE_WAITING
PAID = payout_pb2.PAYOUT_STATE_PAID
RETURNED = payout_pb2.PAYOUT_STATE_RETURNED
GOOD = "6222 0212-3456 7890"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("payouts")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"PayoutsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"PayoutsService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def register(bank: SmallBank, owner: Person, number: str = GOOD) -> dict[str, str]:
    """A candidate, by the merchant itself: what confirms it."""
    mine = await merchant(bank, owner)
    token = bank.token("merchant", owner)
    made = await do(bank, "RegisterPayoutAccount", token, merchant_id=mine, bank_account=number)
    return {"merchant_id": mine, "payout_account_id": made.account.payout_account_id}


async def agree(bank: SmallBank, owner: Person, number: str = GOOD) -> dict[str, str]:
    fields = await register(bank, owner, number)
    await do(bank, "ConfirmPayoutAccount", **fields)
    return fields


async def settle(bank: SmallBank, owner: Person, days: int = 10) -> str:
    """Close and settle what the merchant has sold; the latest settlement."""
    await bank.close_days(days)
    found = await bank.do(
        "SettlementsService/ListSettlements", merchant_id=await merchant(bank, owner)
    )
    return str(found.settlements[0].settlement_id)


async def payout(bank: SmallBank, settlement_id: str) -> Any:
    return (await do(bank, "GetPayout", settlement_id=settlement_id)).payout


async def accounts(bank: SmallBank, owner: Person) -> Any:
    return await do(bank, "GetPayoutAccount", merchant_id=await merchant(bank, owner))


async def owed(bank: SmallBank, owner: Person) -> int:
    mine = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    account = await bank.do("LedgerService/GetAccount", account_id=mine.merchant.account_id)
    return int(account.account.balances.posted)


async def movement(bank: SmallBank, transaction_id: str) -> tuple[str, str, int, int]:
    found = await bank.do("LedgerService/GetTransaction", transaction_id=transaction_id)
    (one,) = found.transaction.postings
    return one.debit_account_id, one.credit_account_id, one.amount.minor_units, one.code


async def test_a_settlement_waits_for_an_account_and_then_goes_there_once(
    bank: SmallBank, owner: Person
) -> None:
    await order_paid(bank, owner, amount=cash(500))
    settlement_id = await settle(bank, owner)
    await bank.settle_clearing()
    waits = await payout(bank, settlement_id)
    assert (waits.state, waits.amount.minor_units, waits.transaction_id) == (WAITING, 500, "")

    fields = await register(bank, owner)
    await bank.settle_clearing()
    assert (await payout(bank, settlement_id)).state == WAITING, "nobody has confirmed it"

    await do(bank, "ConfirmPayoutAccount", **fields)
    await bank.settle_clearing()
    paid = await payout(bank, settlement_id)
    assert (paid.state, paid.tail, paid.payout_account_id) == (
        PAID,
        "7890",
        fields["payout_account_id"],
    )
    assert await movement(bank, paid.transaction_id) == (HELD, CLEARING, 500, 32032)
    await bank.settle_clearing()
    mine = await do(bank, "ListPayouts", bank.token("merchant", owner), **merchant_of(fields))
    assert list(mine.payouts) == [paid]


def merchant_of(fields: dict[str, str]) -> dict[str, str]:
    return {"merchant_id": fields["merchant_id"]}


@pytest.mark.parametrize(("number", "code"), [("REFUSE-AC04", "AC04"), ("RETURN-AC06", "AC06")])
async def test_what_comes_back_is_owed_again_and_nothing_more_goes_there(
    bank: SmallBank, owner: Person, number: str, code: str
) -> None:
    bad = await agree(bank, owner, number)
    await bank.do(
        "WebhooksService/CreateEndpoint",
        merchant_id=bad["merchant_id"],
        url="http://127.0.0.1:9/payouts",
        types=["payout.returned"],
    )
    await order_paid(bank, owner, amount=cash(700))
    first = await settle(bank, owner)
    await bank.settle_clearing()
    back = await payout(bank, first)
    assert (back.state, back.clearing_code) == (RETURNED, code)
    assert await owed(bank, owner) == 700
    held = await accounts(bank, owner)
    assert (held.account.state, held.account.clearing_code) == (SUSPENDED, code)
    async with bank.workplace() as workplace:
        await WebhookQueue().take(workplace)
    queued = await bank.do("WebhooksService/ListDeliveries", merchant_id=bad["merchant_id"])
    assert [one.type for one in queued.deliveries] == ["payout.returned"]

    # What came back is settled again with the next date, and waits for another account.
    again = await settle(bank, owner, 30)
    await bank.settle_clearing()
    assert again != first
    assert (await payout(bank, again)).state == WAITING
    good = await agree(bank, owner)
    await bank.settle_clearing()
    paid = await payout(bank, again)
    assert (paid.state, paid.amount.minor_units) == (PAID, 700)
    assert paid.payout_account_id == good["payout_account_id"]
    assert await owed(bank, owner) == 0
    assert (await payout(bank, first)).state == RETURNED


async def test_a_return_is_a_line_of_the_bill(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner, "RETURN-AC04")
    await order_paid(bank, owner, amount=cash(300))
    await settle(bank, owner)
    await bank.settle_clearing()
    await settle(bank, owner, 30)
    mine = await merchant(bank, owner)
    found = await bank.do("SettlementsService/ListSettlements", merchant_id=mine)
    newest = found.settlements[0]
    assert newest.state == settlement_pb2.SETTLEMENT_STATE_SETTLED
    assert (newest.sale_minor_units, newest.other_minor_units) == (0, 300)
    method = BY_NAME["SettlementsService/DownloadBill"]
    request = method.request_class(merchant_id=mine, business_date=newest.business_date)
    answer = await bank.call(method, request, bank.token("merchant", owner))
    pieces = [DownloadBillResponse.FromString(one).content for one in answer.messages]
    bill = read_bill(b"".join(pieces))
    assert [(one.type, one.minor_units) for one in bill.lines] == [
        ("SETTLEMENT", -300),
        ("PAYOUT_RETURN", 300),
    ]


async def test_a_suspended_account_is_taken_up_again_and_an_active_one_is_not(
    bank: SmallBank, owner: Person
) -> None:
    fields = await agree(bank, owner, "REFUSE-MS03")
    told = await refused(bank, "ConfirmPayoutAccount", **fields)
    assert (told.reason, told.metadata) == (
        "PAYOUT_ACCOUNT_ACTIVE",
        {"payout_account_id": fields["payout_account_id"]},
    )
    await order_paid(bank, owner)
    await settle(bank, owner)
    await bank.settle_clearing()
    assert (await accounts(bank, owner)).account.state == SUSPENDED
    await do(bank, "ConfirmPayoutAccount", **fields)
    account = (await accounts(bank, owner)).account
    assert (account.state, account.clearing_code) == (ACTIVE, "")


async def test_an_account_is_confirmed_by_two_people(bank: SmallBank, owner: Person) -> None:
    fields = await register(bank, owner)
    told = await refused(bank, "ConfirmPayoutAccount", bank.token("staff"), **fields)
    assert told.reason == "APPROVAL_REQUIRED"
    command = {"confirm_payout_account": {**fields, "request_id": bank.new_request_id()}}
    made = (
        await bank.do(
            "ApprovalsService/ProposeApproval", bank.token_of("staff", "ann"), command=command
        )
    ).approval
    shown = {one.field: one.after for one in made.changes}
    assert shown == {
        "payout_account.id": fields["payout_account_id"],
        "payout_account.tail": "7890",
        "payout_account.state": "ACTIVE",
    }
    assert (await accounts(bank, owner)).candidate.tail == "7890"
    await bank.do(
        "ApprovalsService/ApproveApproval",
        bank.token_of("staff", "bob"),
        approval_id=made.approval_id,
        payload_hash=made.payload_hash,
    )
    now = await accounts(bank, owner)
    assert now.account.state == ACTIVE
    assert not now.HasField("candidate")


async def test_only_numbers_that_a_clearing_can_carry(bank: SmallBank, owner: Person) -> None:
    mine = await merchant(bank, owner)
    told = await refused(bank, "RegisterPayoutAccount", merchant_id=mine, bank_account="6222*0212")
    assert (told.reason, told.metadata) == ("CLEARING_REFUSED", {"clearing_code": "AC01"})
    assert not (await accounts(bank, owner)).HasField("candidate")


async def test_what_is_not_there_is_not_found(bank: SmallBank, owner: Person) -> None:
    fields = await register(bank, owner)
    replaced = fields["payout_account_id"]
    await register(bank, owner)
    for strange in (replaced, elsewhere(replaced)):
        told = await refused(
            bank, "ConfirmPayoutAccount", **{**fields, "payout_account_id": strange}
        )
        assert (told.reason, told.metadata) == (
            "PAYOUT_ACCOUNT_NOT_FOUND",
            {"payout_account_id": strange},
        )
    await order_paid(bank, owner)
    settlement_id = await settle(bank, owner)
    other = await bank.person()
    await merchant(bank, other)
    for strange, token in (
        (elsewhere(settlement_id), SERVICE),
        (settlement_id, bank.token("merchant", other)),
    ):
        told = await refused(bank, "GetPayout", token, settlement_id=strange)
        assert (told.reason, told.metadata) == ("PAYOUT_NOT_FOUND", {"settlement_id": strange})
    mine = fields["merchant_id"]
    for strange in (elsewhere(mine), of_foreign_book(mine)):
        for name, more in (
            ("RegisterPayoutAccount", {"bank_account": GOOD}),
            ("ConfirmPayoutAccount", {"payout_account_id": replaced}),
            ("GetPayoutAccount", {}),
            ("ListPayouts", {}),
        ):
            told = await refused(bank, name, merchant_id=strange, **more)
            assert (told.reason, told.metadata) == ("MERCHANT_NOT_FOUND", {"merchant_id": strange})


async def test_a_merchant_whose_account_is_closed_to_credits_is_owed_by_the_bank(
    bank: SmallBank, owner: Person
) -> None:
    fields = await agree(bank, owner, "RETURN-AC04")
    await order_paid(bank, owner, amount=cash(400))
    settlement_id = await settle(bank, owner)
    mine = await bank.do("MerchantsService/GetMerchant", **merchant_of(fields))
    state = "LedgerService/SetAccountState"
    account_id = mine.merchant.account_id
    await bank.do(state, account_id=account_id, state="ACCOUNT_STATE_FROZEN")
    await bank.settle_clearing()
    back = await payout(bank, settlement_id)
    assert await movement(bank, back.return_transaction_id) == (CLEARING, HELD, 400, 32033)
    await bank.do(state, account_id=account_id, state="ACCOUNT_STATE_OPEN")


async def test_the_books_are_proven(bank: SmallBank, module_database: Database) -> None:
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert [one for one in findings if "PAYOUT" in one.kind or "SETTLEMENT" in one.kind] == []
