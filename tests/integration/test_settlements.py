"""Fees, settlements and bills through the RPCs: what merchants pay, get and are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.merchants.v1 import plan_pb2
from longmen_server.ledger.chart import FEE_INCOME, system_account_id
from longmen_server.platform.ids import ACCOUNT
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchant, number, order_paid, ordered, terms, today
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

INCOME = ACCOUNT.encode(system_account_id(BOOK, "CNY", FEE_INCOME))
KEPT = plan_pb2.FEE_RETURN_KEPT


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("settlements")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """Somebody rich who sells, and buys from the own shop."""
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(1_000_000),
        bank_account="6222021234567890",
    )
    return person


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def payable(bank: SmallBank, owner: Person) -> str:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    return str(found.merchant.account_id)


async def agree(bank: SmallBank, owner: Person, **fee: Any) -> Any:
    fields = {"merchant_id": await merchant(bank, owner), **terms(bank, **fee)}
    return (await bank.do("PlansService/SetPlan", **fields)).plan


async def order_of(bank: SmallBank, order_id: str) -> Any:
    return (await bank.do("PaymentsService/GetOrder", order_id=order_id)).order


async def refund(bank: SmallBank, order_id: str, amount: int) -> Any:
    return await bank.do(
        "PaymentsService/RefundOrder",
        order_id=order_id,
        refund_number=number(bank),
        amount=cash(amount),
    )


# -- fees --------------------------------------------------------------------------------------


async def test_a_payment_and_its_fee_are_one_transaction(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner)
    await posted_income_exists(bank, owner)
    before = await posted(bank, INCOME)
    order = await order_of(bank, await order_paid(bank, owner, amount=cash(10_000)))
    # 60 basis points of 100.00 and 0.02.
    assert (order.fee.minor_units, order.fee.currency_code) == (62, "CNY")
    assert not order.HasField("fee_returned")
    assert await posted(bank, INCOME) == before + 62
    whole = (
        await bank.do("LedgerService/GetTransaction", transaction_id=order.transaction_id)
    ).transaction
    assert [one.amount.minor_units for one in whole.postings] == [10_000, 62]
    assert [one.code for one in whole.postings] == [32005, 32010]


async def posted_income_exists(bank: SmallBank, owner: Person) -> None:
    """Let somebody pay a first fee, which opens the account of income."""
    await order_paid(bank, owner, amount=cash(500))


async def test_merchants_without_a_plan_pay_nothing(bank: SmallBank, owner: Person) -> None:
    order = await order_of(bank, await order_paid(bank, owner))
    assert not order.HasField("fee")
    assert await posted(bank, await payable(bank, owner)) == 300


async def test_a_printed_code_costs_a_fee_too(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner)
    code = (
        await bank.do("PaymentsService/GetStaticCode", merchant_id=await merchant(bank, owner))
    ).code
    paid = await bank.do(
        "PaymentsService/PayStaticCode",
        code=code,
        from_account_id=owner.account,
        amount=cash(1_000),
    )
    assert (await order_of(bank, paid.payment.order_id)).fee.minor_units == 8
    assert await posted(bank, await payable(bank, owner)) == 992


async def test_refunds_return_the_fee_pro_rata_to_the_last_cent(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner)
    order_id = await order_paid(bank, owner, amount=cash(1_000))
    returned = []
    for amount in (333, 333, 334):
        reply = await refund(bank, order_id, amount)
        returned.append(reply.order.fee_returned.minor_units)
    # The fee is 8: 8 * 333 / 1000 is 2.66, 8 * 666 / 1000 is 5.33.
    assert returned == [2, 5, 8]
    assert await posted(bank, await payable(bank, owner)) == 0


async def test_kept_fees_take_the_merchant_below_zero_as_far_as_agreed(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner, refund_policy=KEPT, basis_points=10_000, cap_minor_units=0)
    first = await order_paid(bank, owner, amount=cash(600))
    second = await order_paid(bank, owner, amount=cash(500))
    assert await posted(bank, await payable(bank, owner)) == 0
    await refund(bank, first, 600)
    assert await posted(bank, await payable(bank, owner)) == -600
    told = await refused(
        bank,
        "PaymentsService/RefundOrder",
        order_id=second,
        refund_number=number(bank),
        amount=cash(401),
    )
    assert told.reason == "INSUFFICIENT_FUNDS"
    assert told.metadata == {"available_minor_units": "-600", "currency_code": "CNY"}
    await refund(bank, second, 400)
    assert await posted(bank, await payable(bank, owner)) == -1_000


async def test_orders_keep_the_plan_they_were_registered_under(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner)
    order = (await ordered(bank, owner, amount=cash(10_000))).order
    await agree(bank, owner, basis_points=0, fixed_minor_units=7)
    await bank.do(
        "PaymentsService/PayOrder",
        order_id=order.order_id,
        from_account_id=owner.account,
        amount=order.amount,
    )
    assert (await order_of(bank, order.order_id)).fee.minor_units == 62
    later = await order_of(bank, await order_paid(bank, owner, amount=cash(10_000)))
    assert later.fee.minor_units == 7
    plans = await bank.do(
        "PlansService/ListPlans",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
    )
    assert [one.fee.fixed_minor_units for one in plans.plans] == [7, 2]


async def test_a_plan_is_proposed_and_approved_by_two_people(
    bank: SmallBank, owner: Person
) -> None:
    fields = {"merchant_id": await merchant(bank, owner), **terms(bank)}
    told = await refused(bank, "PlansService/SetPlan", bank.token("staff"), **fields)
    assert told.reason == "APPROVAL_REQUIRED"
    made = (
        await bank.do(
            "ApprovalsService/ProposeApproval",
            bank.token_of("staff", "ann"),
            command={"set_plan": {**fields, "request_id": bank.new_request_id()}},
        )
    ).approval
    shown = {one.field: one.after for one in made.changes}
    assert shown["plan.basis_points"] == "60"
    assert shown["plan.refund_policy"] == "PRO_RATA"
    await bank.do(
        "ApprovalsService/ApproveApproval",
        bank.token_of("staff", "bob"),
        approval_id=made.approval_id,
        payload_hash=made.payload_hash,
    )
    order = await order_of(bank, await order_paid(bank, owner, amount=cash(10_000)))
    assert order.fee.minor_units == 62


async def test_plans_begin_today_or_later_and_only_for_merchants(
    bank: SmallBank, owner: Person
) -> None:
    mine = await merchant(bank, owner)
    told = await refused(
        bank,
        "PlansService/SetPlan",
        **{**terms(bank), "merchant_id": mine, "effective_date": "2020-01-01"},
    )
    assert (told.reason, told.metadata) == ("PLAN_DATE_PASSED", {"earliest_date": today(bank)})
    told = await refused(
        bank,
        "PlansService/SetPlan",
        **{**terms(bank), "merchant_id": mine, "effective_date": "2099-02-30"},
    )
    assert (told.reason, told.fields) == ("INVALID_REQUEST", ["effective_date"])
    for strange in (elsewhere(mine), of_foreign_book(mine)):
        for name, more in (("SetPlan", terms(bank)), ("ListPlans", {})):
            told = await refused(bank, f"PlansService/{name}", merchant_id=strange, **more)
            assert (told.reason, told.metadata) == (
                "MERCHANT_NOT_FOUND",
                {"merchant_id": strange},
            )
