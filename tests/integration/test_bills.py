"""Bills through the RPCs: sent by billers, found, paid once, proven, and reminded of."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.payments.v1 import bill_pb2 as pb
from longmen_server.billers.model import LINKS_MAX
from tests.integration.test_personal_data import dump, traces
from tests.support.bills import (
    ACCOUNT_NUMBER,
    AMOUNT,
    biller,
    due,
    linked,
    new_biller,
    paid,
    sent,
)
from tests.support.edge import told
from tests.support.proof import proof_of
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.selling import merchant
from tests.support.small_bank import BY_NAME, FUNDS, SERVICE, SmallBank, cash, open_small_bank
from tests.support.step_up import LARGE, Payer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("bills")) as opened:
        yield opened


@pytest.fixture
async def power(bank: SmallBank) -> Person:
    """Who runs a power company."""
    return await bank.person()


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"BillsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"BillsService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


def pays(one: Any, payer: Person, **changes: Any) -> dict[str, Any]:
    return {
        "due_id": one.due_id,
        "from_account_id": payer.account,
        "amount": one.amount,
        **changes,
    }


async def available(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.available)


# -- the directory -----------------------------------------------------------------------------


async def test_the_directory_shows_what_is_open_and_merchants_their_own_closed_ones(
    bank: SmallBank, power: Person, payer: Person
) -> None:
    merchant_id = await merchant(bank, power)
    token = bank.token("merchant", power)
    first, second = [
        (await do(bank, "CreateBiller", token, **await new_biller(bank, power))).biller
        for _ in range(2)
    ]
    closed = await do(
        bank,
        "SetBillerState",
        token,
        biller_id=second.biller_id,
        state=pb.BILLER_STATE_CLOSED,
    )
    assert (closed.biller.state, closed.biller.version) == (pb.BILLER_STATE_CLOSED, 2)
    again = await do(
        bank,
        "SetBillerState",
        token,
        biller_id=second.biller_id,
        state=pb.BILLER_STATE_CLOSED,
    )
    assert again.biller == closed.biller
    shown = await do(bank, "ListBillers", bank.token("customer", payer), merchant_id=merchant_id)
    assert list(shown.billers) == [first]
    own = await do(bank, "ListBillers", token, merchant_id=merchant_id)
    assert [one.biller_id for one in own.billers] == [first.biller_id, second.biller_id]
    other = await do(
        bank, "ListBillers", merchant_id=merchant_id, category=pb.BILLER_CATEGORY_WATER
    )
    assert not other.billers
    everybody = await do(bank, "ListBillers", bank.token("customer", payer), page_size=1000)
    assert first in everybody.billers
    assert closed.biller not in everybody.billers


async def test_a_format_that_contradicts_itself_is_refused(bank: SmallBank, power: Person) -> None:
    fields = await new_biller(bank, power)
    form = {**fields.pop("account_format"), "minimum_length": 20}
    refusal = await refused(bank, "CreateBiller", **fields, account_format=form)
    assert refusal.reason == "INVALID_REQUEST"
    assert refusal.metadata["rules"] == "account_format.lengths"


# -- sending -----------------------------------------------------------------------------------


async def test_bills_are_taken_all_or_none(bank: SmallBank, power: Person) -> None:
    biller_id = await biller(bank, power)
    token = bank.token("merchant", power)
    good = due(bank)
    first = await do(bank, "SendDues", token, biller_id=biller_id, dues=[good])
    (one,) = first.dues
    assert (first.created_count, one.state, one.masked_account_number) == (
        1,
        pb.DUE_STATE_OPEN,
        "*******8713",
    )
    for bad, reason, field, metadata in (
        (
            due(bank, account_number="79927398714"),
            "BILL_ACCOUNT_MALFORMED",
            "dues[1].account_number",
            {"rule": "check", "hint": "top right on the bill"},
        ),
        (
            {**good, "amount": cash(AMOUNT + 1), "period": "2026-11"},
            "BILL_NUMBER_REUSED",
            "dues[1].bill_number",
            {"due_id": one.due_id, "fields": "amount,period"},
        ),
        (
            due(bank, amount=cash(5, "USD")),
            "CURRENCY_MISMATCH",
            "dues[1].amount.currency_code",
            {"expected": "CNY", "actual": "USD"},
        ),
        (
            due(bank, due_date="2026-02-30"),
            "INVALID_REQUEST",
            "dues[1].due_date",
            {"rules": "dues[1].due_date.day"},
        ),
        (
            due(bank, last_date="2020-01-01"),
            "INVALID_REQUEST",
            "dues[1].last_date",
            {"rules": "dues.last_date.before_due_date"},
        ),
    ):
        refusal = await refused(bank, "SendDues", token, biller_id=biller_id, dues=[due(bank), bad])
        assert (refusal.reason, refusal.fields) == (reason, [field])
        assert refusal.metadata.items() >= metadata.items()
    twice = due(bank)
    refusal = await refused(bank, "SendDues", token, biller_id=biller_id, dues=[twice, twice])
    assert refusal.metadata["rules"] == "dues.bill_number.unique"
    again = await do(bank, "SendDues", token, biller_id=biller_id, dues=[good, due(bank)])
    assert (again.created_count, again.dues[0]) == (1, one)
    found = await do(bank, "ListDues", token, biller_id=biller_id, page_size=1)
    assert found.dues[0] == again.dues[1]
    rest = await do(
        bank, "ListDues", token, biller_id=biller_id, page_size=1, page_token=found.next_page_token
    )
    assert (list(rest.dues), rest.next_page_token) == ([one], "")


async def test_nobody_sends_or_sees_bills_of_another_merchant(
    bank: SmallBank, power: Person, payer: Person
) -> None:
    biller_id = await biller(bank, power)
    one = await sent(bank, biller_id)
    await merchant(bank, payer)
    stranger = bank.token("merchant", payer)
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("SendDues", {"biller_id": biller_id, "dues": [due(bank)]}, "BILLER_NOT_FOUND"),
        (
            "SetBillerState",
            {"biller_id": biller_id, "state": pb.BILLER_STATE_CLOSED},
            "BILLER_NOT_FOUND",
        ),
        ("ListDues", {"biller_id": biller_id}, "BILLER_NOT_FOUND"),
        ("CancelDue", {"due_id": one.due_id}, "DUE_NOT_FOUND"),
    )
    for name, fields, reason in cases:
        assert (await refused(bank, name, stranger, **fields)).reason == reason, name
        foreign = {
            key: of_foreign_book(value) if key.endswith("_id") else value
            for key, value in fields.items()
        }
        assert (await refused(bank, name, **foreign)).reason == reason, name


# -- paying ------------------------------------------------------------------------------------


async def test_a_bill_is_found_by_its_account_number_and_paid_once(
    bank: SmallBank, power: Person, payer: Person, module_database: Database
) -> None:
    biller_id = await biller(bank, power)
    late = await sent(bank, biller_id, due_date="2020-01-05")
    later = await sent(bank, biller_id)
    customer = bank.token("customer", payer)
    found = await do(bank, "FindDues", customer, biller_id=biller_id, account_number=ACCOUNT_NUMBER)
    assert [(one.due_id, one.overdue) for one in found.dues] == [
        (late.due_id, True),
        (later.due_id, False),
    ]
    assert found.biller.name == "City Power"
    answers = await asyncio.gather(
        *(do(bank, "PayDue", customer, **pays(late, payer)) for _ in range(10)),
        return_exceptions=True,
    )
    done = [one for one in answers if not isinstance(one, BaseException)]
    reasons = {told(one).reason for one in answers if isinstance(one, grpc.aio.AioRpcError)}
    assert (len(done), reasons) == (1, {"DUE_NOT_PAYABLE"})
    reply = done[0]
    assert (reply.due.state, reply.available_minor_units) == (pb.DUE_STATE_PAID, FUNDS - AMOUNT)
    assert reply.payment.order_id == reply.due.order_id
    order = (await bank.do("PaymentsService/GetOrder", order_id=reply.due.order_id)).order
    assert (order.order_number, order.amount.minor_units) == (late.due_id, AMOUNT)
    assert await available(bank, payer.account) == FUNDS - AMOUNT
    left = await do(bank, "FindDues", customer, biller_id=biller_id, account_number=ACCOUNT_NUMBER)
    assert [one.due_id for one in left.dues] == [later.due_id]
    open_ones = await do(bank, "ListDues", biller_id=biller_id, state=pb.DUE_STATE_PAID)
    assert [one.due_id for one in open_ones.dues] == [late.due_id]
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not findings


async def test_what_cannot_be_paid_says_why(bank: SmallBank, power: Person, payer: Person) -> None:
    biller_id = await biller(bank, power)
    customer = bank.token("customer", payer)
    gone = await sent(bank, biller_id, due_date="2020-01-05", last_date="2020-02-05")
    back = await sent(bank, biller_id)
    dear = await sent(bank, biller_id, amount=cash(FUNDS + 1))
    cancelled = await do(bank, "CancelDue", due_id=back.due_id)
    assert (cancelled.due.state, cancelled.due.masked_account_number) == (
        pb.DUE_STATE_CANCELLED,
        "*******8713",
    )
    for one, changes, reason, metadata in (
        (gone, {}, "DUE_NOT_PAYABLE", {"state": "EXPIRED", "last_date": "2020-02-05"}),
        (back, {}, "DUE_NOT_PAYABLE", {"state": "CANCELLED", "last_date": ""}),
        (dear, {}, "INSUFFICIENT_FUNDS", {"available_minor_units": str(FUNDS)}),
        (
            dear,
            {"amount": cash(1)},
            "AMOUNT_MISMATCH",
            {"expected_minor_units": str(FUNDS + 1), "currency_code": "CNY"},
        ),
        (dear, {"amount": cash(FUNDS + 1, "USD")}, "CURRENCY_MISMATCH", {"expected": "CNY"}),
        (dear, {"from_account_id": power.account}, "ACCOUNT_NOT_FOUND", {}),
        (dear, {"due_id": elsewhere(dear.due_id)}, "DUE_NOT_FOUND", {}),
        (dear, {"due_id": of_foreign_book(dear.due_id)}, "DUE_NOT_FOUND", {}),
    ):
        refusal = await refused(bank, "PayDue", customer, **pays(one, payer, **changes))
        assert refusal.reason == reason
        assert refusal.metadata.items() >= metadata.items()
    twice = await refused(bank, "CancelDue", due_id=back.due_id)
    assert (twice.reason, twice.metadata["state"]) == ("DUE_NOT_PAYABLE", "CANCELLED")
    asked = {"biller_id": biller_id, "account_number": "12"}
    assert (await refused(bank, "FindDues", customer, **asked)).metadata["rule"] == "length"
    await do(bank, "SetBillerState", biller_id=biller_id, state=pb.BILLER_STATE_CLOSED)
    for name, fields in (
        ("PayDue", pays(dear, payer)),
        ("FindDues", {"biller_id": biller_id, "account_number": ACCOUNT_NUMBER}),
        ("LinkBillAccount", {"biller_id": biller_id, "account_number": ACCOUNT_NUMBER}),
    ):
        refusal = await refused(bank, name, customer, **fields)
        assert (refusal.reason, refusal.metadata["biller_id"]) == ("BILLER_CLOSED", biller_id)
    assert (
        await refused(bank, "SendDues", biller_id=biller_id, dues=[due(bank)])
    ).reason == "BILLER_CLOSED"
    unknown = elsewhere(biller_id)
    assert (
        await refused(bank, "FindDues", customer, biller_id=unknown, account_number="1")
    ).reason == "BILLER_NOT_FOUND"


async def test_a_large_bill_is_approved_for_what_it_is(bank: SmallBank, power: Person) -> None:
    payer = await Payer.new(bank)
    one = await sent(bank, await biller(bank, power), amount=cash(LARGE - 1))
    request = payer.request("BillsService/PayDue", **pays(one, payer.person))
    asked = await payer.told("BillsService/PayDue", request)
    assert asked.reason == "NEEDS_AUTH"
    challenge = await payer.challenge(asked.metadata["challenge_id"])
    assert f"to City Power for bill {one.bill_number} of 2026-10." in challenge.text
    await payer.approve(asked.metadata["challenge_id"])
    done = await payer.send("BillsService/PayDue", request)
    assert done.due.state == pb.DUE_STATE_PAID


async def test_a_receipt_is_for_who_paid(bank: SmallBank, power: Person, payer: Person) -> None:
    one = await sent(bank, await biller(bank, power))
    customer = bank.token("customer", payer)
    assert (await refused(bank, "GetBillReceipt", due_id=one.due_id)).reason == "DUE_NOT_FOUND"
    done = await do(bank, "PayDue", customer, **pays(one, payer))
    await bank.do(
        "PaymentsService/RefundOrder",
        order_id=done.due.order_id,
        refund_number="1",
        amount=cash(30),
    )
    found = await do(
        bank, "GetBillReceipt", customer, due_id=one.due_id, format=pb.RECEIPT_FORMAT_JSON
    )
    receipt = found.receipt
    assert (receipt.due, receipt.biller_name, receipt.merchant_name) == (
        done.due,
        "City Power",
        "街角茶铺",
    )
    assert (receipt.transaction_id, receipt.refunded.minor_units) == (
        done.payment.transaction_id,
        30,
    )
    document = json.loads(found.document)
    assert found.media_type == "application/json"
    assert document["due"]["masked_account_number"] == "*******8713"
    assert ACCOUNT_NUMBER not in found.document.decode()
    page = await do(
        bank, "GetBillReceipt", customer, due_id=one.due_id, format=pb.RECEIPT_FORMAT_PDF
    )
    assert (page.document[:5], page.media_type) == (b"%PDF-", "application/pdf")
    stranger = bank.token("customer", power)
    hidden = await refused(bank, "GetBillReceipt", stranger, due_id=one.due_id)
    assert hidden.reason == "DUE_NOT_FOUND"


# -- reminders ---------------------------------------------------------------------------------


async def test_customers_are_reminded_of_what_they_have_linked(
    bank: SmallBank, power: Person, payer: Person
) -> None:
    biller_id = await biller(bank, power)
    one = await sent(bank, biller_id)
    customer = bank.token("customer", payer)
    asked = {"biller_id": biller_id, "account_number": ACCOUNT_NUMBER}
    first = await do(bank, "LinkBillAccount", customer, **asked, label="home")
    renamed = await do(bank, "LinkBillAccount", customer, **asked, label="parents")
    assert renamed.link_id == first.link_id
    (reminder,) = (await do(bank, "ListBillReminders", customer)).reminders
    link = reminder.link
    assert (link.link_id, link.label) == (first.link_id, "parents")
    assert link.masked_account_number == "*******8713"
    assert [due.due_id for due in reminder.dues] == [one.due_id]
    await do(bank, "PayDue", customer, **pays(one, payer))
    (reminder,) = (await do(bank, "ListBillReminders", customer)).reminders
    assert (reminder.biller.biller_id, list(reminder.dues)) == (biller_id, [])
    stranger = bank.token("customer", power)
    for token, link_id in ((stranger, link.link_id), (SERVICE, elsewhere(link.link_id))):
        refusal = await refused(bank, "UnlinkBillAccount", token, link_id=link_id)
        assert refusal.reason == "BILL_LINK_NOT_FOUND"
    await do(bank, "UnlinkBillAccount", customer, link_id=link.link_id)
    assert not (await do(bank, "ListBillReminders", customer)).reminders
    gone = await refused(bank, "UnlinkBillAccount", customer, link_id=link.link_id)
    assert gone.reason == "BILL_LINK_NOT_FOUND"
    other = await refused(bank, "ListBillReminders", customer, customer_id=power.customer)
    assert other.reason == "WALLET_NOT_FOUND"


async def test_no_more_accounts_are_linked_than_anybody_needs(
    bank: SmallBank, power: Person, payer: Person
) -> None:
    biller_id = await biller(
        bank,
        power,
        account_format={"digits_only": True, "minimum_length": 1, "maximum_length": 3},
    )
    for number in range(LINKS_MAX):
        await linked(bank, payer, biller_id, account_number=str(number))
    refusal = await refused(
        bank,
        "LinkBillAccount",
        customer_id=payer.customer,
        biller_id=biller_id,
        account_number="999",
    )
    assert refusal.reason == "BILL_LINK_LIMIT_REACHED"
    assert refusal.metadata == {"limit": str(LINKS_MAX)}


async def test_account_numbers_are_nowhere_readable(
    bank: SmallBank, power: Person, module_database: Database
) -> None:
    await paid(bank, power)
    await linked(bank, power, await biller(bank, power), label="grandmother's house")
    found = traces(dump(module_database.admin_dsn), [ACCOUNT_NUMBER, "grandmother's house"])
    assert found == []
