"""Money held first and taken later, through the RPCs: parts, more, less, races and expiry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.payments.v1 import order_pb2
from longmen_server.jobs.expired_holds import ExpiredHolds
from longmen_server.jobs.expired_orders import ExpiredOrders
from longmen_server.jobs.released_orders import ReleasedOrders
from tests.support.edge import told
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import (
    authorized_order,
    merchandise,
    merchant,
    number,
    order_paid,
    ordered,
    terms,
)
from tests.support.small_bank import BY_NAME, FUNDS, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

CALLERS = 100
HOUR = 3_600


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    folder = tmp_path_factory.mktemp("authorizations")
    async with open_small_bank(module_database, folder) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"AuthorizationsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    service = "PaymentsService" if name in {"PayOrder", "CloseOrder"} else "AuthorizationsService"
    method = BY_NAME[f"{service}/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def held(bank: SmallBank, owner: Person, payer: Person | None = None, **more: Any) -> str:
    """The id of an order of 3.00 whose money is held."""
    payer = payer or owner
    order = (await ordered(bank, owner)).order
    await do(
        bank,
        "AuthorizeOrder",
        bank.token("customer", payer),
        order_id=order.order_id,
        from_account_id=payer.account,
        amount=order.amount,
        **more,
    )
    return str(order.order_id)


async def capture(bank: SmallBank, order_id: str, amount: int, **more: Any) -> Any:
    fields = {"capture_number": number(bank), **more}
    return await do(bank, "CaptureOrder", order_id=order_id, amount=cash(amount), **fields)


async def balances(bank: SmallBank, account_id: str) -> tuple[int, int]:
    """Posted and available."""
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return account.balances.posted, account.balances.available


async def payable(bank: SmallBank, owner: Person) -> str:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    return str(found.merchant.account_id)


async def state(bank: SmallBank, order_id: str) -> str:
    order = (await bank.do("PaymentsService/GetOrder", order_id=order_id)).order
    return order_pb2.OrderState.Name(order.state).removeprefix("ORDER_STATE_")


async def set_clock(bank: SmallBank, seconds: int) -> None:
    at_us = bank.parts.clock.now_us() + seconds * 1_000_000
    whole, rest = divmod(at_us, 1_000_000)
    await bank.do("AdminService/SetClock", time={"seconds": whole, "nanos": rest * 1000})


async def run_jobs(bank: SmallBank) -> None:
    async with bank.workplace() as workplace:
        for job in (ExpiredHolds(), ExpiredOrders(), ReleasedOrders()):
            await job.take(workplace)


# -- holding and taking ------------------------------------------------------------------------


async def test_money_is_held_taken_in_parts_and_the_rest_released(
    bank: SmallBank, owner: Person
) -> None:
    payer = await bank.person()
    order_id = await held(bank, owner, payer)
    assert await state(bank, order_id) == "AUTHORIZED"
    assert await balances(bank, payer.account) == (FUNDS, FUNDS - 300)
    first = await capture(bank, order_id, 100)
    assert first.order.state == order_pb2.ORDER_STATE_AUTHORIZED
    found = (await do(bank, "GetAuthorization", order_id=order_id)).authorization
    assert (found.authorized.minor_units, found.captured.minor_units) == (300, 100)
    assert found.capturable.minor_units == 200
    last = await capture(bank, order_id, 50, final=True)
    assert last.order.state == order_pb2.ORDER_STATE_PAID
    assert await balances(bank, payer.account) == (FUNDS - 150, FUNDS - 150)
    assert (await balances(bank, await payable(bank, owner)))[0] == 150
    found = (await do(bank, "GetAuthorization", order_id=order_id)).authorization
    assert found.capturable.minor_units == 0
    assert [one.amount.minor_units for one in found.captures] == [100, 50]
    refund = await bank.do(
        "PaymentsService/RefundOrder",
        order_id=order_id,
        refund_number=number(bank),
        amount=cash(150),
    )
    assert refund.order.state == order_pb2.ORDER_STATE_REFUNDED


async def test_a_hundred_callers_capture_the_same_hold_and_one_does(
    bank: SmallBank, owner: Person
) -> None:
    order_id = await held(bank, owner)
    answers = await asyncio.gather(
        *(capture(bank, order_id, 300) for _ in range(CALLERS)), return_exceptions=True
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(errors) == CALLERS - 1
    assert {told(error).reason for error in errors} == {"ORDER_PAID"}
    assert (await balances(bank, await payable(bank, owner)))[0] == 300


async def test_one_number_is_one_capture(bank: SmallBank, owner: Person) -> None:
    order_id = await held(bank, owner)
    replies = await asyncio.gather(
        *(capture(bank, order_id, 100, capture_number="c-1") for _ in range(10))
    )
    assert len({reply.capture.capture_id for reply in replies}) == 1
    assert (await balances(bank, await payable(bank, owner)))[0] == 100
    other = await refused(
        bank,
        "CaptureOrder",
        order_id=order_id,
        capture_number="c-1",
        amount=cash(101),
        final=True,
    )
    assert other.reason == "CAPTURE_NUMBER_REUSED"
    assert other.metadata == {
        "capture_id": replies[0].capture.capture_id,
        "fields": "amount,final",
    }


async def test_more_is_held_by_the_payer_and_taken_from_all_holds(
    bank: SmallBank, owner: Person
) -> None:
    payer = await bank.person()
    token = bank.token("customer", payer)
    order_id = await held(bank, owner, payer)
    more: dict[str, Any] = {"order_id": order_id, "amount": cash(50)}
    await do(bank, "IncrementAuthorization", token, **more)
    grown = await do(bank, "IncrementAuthorization", token, **more)
    assert grown.authorization.authorized.minor_units == 400
    await capture(bank, order_id, 320)
    assert await state(bank, order_id) == "AUTHORIZED"
    assert await balances(bank, payer.account) == (FUNDS - 320, FUNDS - 400)
    await capture(bank, order_id, 80)
    assert await state(bank, order_id) == "PAID"
    stranger = bank.token("customer", await bank.person())
    second = await held(bank, owner, payer)
    hidden = await refused(
        bank, "IncrementAuthorization", stranger, order_id=second, amount=cash(1)
    )
    assert hidden.reason == "ORDER_NOT_FOUND"
    for _ in range(9):
        await do(bank, "IncrementAuthorization", token, order_id=second, amount=cash(1))
    limit = await refused(bank, "IncrementAuthorization", token, order_id=second, amount=cash(1))
    assert (limit.reason, limit.metadata) == ("INCREMENT_LIMIT_REACHED", {"limit": "9"})


async def test_a_restaurant_may_take_a_fifth_more_and_others_nothing(
    bank: SmallBank, owner: Person
) -> None:
    shop = await held(bank, owner)
    told_ = await refused(
        bank,
        "CaptureOrder",
        order_id=shop,
        capture_number=number(bank),
        amount=cash(301),
    )
    assert told_.reason == "CAPTURE_EXCEEDS_AUTHORIZATION"
    assert told_.metadata == {"capturable_minor_units": "300", "currency_code": "CNY"}
    cook = await bank.person()
    made = await bank.do(
        "MerchantsService/CreateMerchant", **{**merchandise(), "category_code": "5812"}
    )
    bank.merchants[cook.customer] = made.merchant.merchant_id
    dinner = await held(bank, cook)
    over = await refused(
        bank,
        "CaptureOrder",
        order_id=dinner,
        capture_number=number(bank),
        amount=cash(361),
    )
    assert over.metadata["capturable_minor_units"] == "360"
    paid = await capture(bank, dinner, 360)
    assert paid.order.state == order_pb2.ORDER_STATE_PAID
    assert await balances(bank, cook.account) == (FUNDS - 360, FUNDS - 360)
    # What is taken beyond the hold may not be there; how much is, is not the merchant's to know.
    poor = await held(bank, cook)
    await bank.do(
        "TransfersService/Withdraw",
        account_id=cook.account,
        amount=cash(FUNDS - 360 - 300 - 10),
        bank_account="6222020200001234567",
    )
    refusal = await refused(
        bank,
        "CaptureOrder",
        bank.token("merchant", cook),
        order_id=poor,
        capture_number=number(bank),
        amount=cash(311),
    )
    assert (refusal.reason, refusal.metadata) == ("INSUFFICIENT_FUNDS", {})
    assert await state(bank, poor) == "AUTHORIZED"


async def test_fees_follow_what_is_captured(bank: SmallBank, owner: Person) -> None:
    await bank.do(
        "PlansService/SetPlan",
        merchant_id=await merchant(bank, owner),
        **terms(bank, basis_points=1_000, fixed_minor_units=5),
    )
    order_id = await held(bank, owner)
    fees = [(await capture(bank, order_id, amount)).order.fee.minor_units for amount in (100, 200)]
    # The fixed part is charged once: 10 + 5, then 20 more.
    assert fees == [15, 35]
    assert (await balances(bank, await payable(bank, owner)))[0] == 265


# -- giving back -------------------------------------------------------------------------------


async def test_void_releases_all_or_leaves_what_was_taken(bank: SmallBank, owner: Person) -> None:
    untouched, part = await held(bank, owner), await held(bank, owner)
    await capture(bank, part, 120)
    done = [await do(bank, "VoidOrder", order_id=one) for one in (untouched, part)]
    assert [one.order.state for one in done] == [
        order_pb2.ORDER_STATE_CLOSED,
        order_pb2.ORDER_STATE_PAID,
    ]
    assert await balances(bank, owner.account) == (FUNDS - 120, FUNDS - 120)
    again = await refused(bank, "VoidOrder", order_id=untouched)
    assert again.reason == "ORDER_CLOSED"


async def test_time_releases_what_was_not_taken(bank: SmallBank, owner: Person) -> None:
    untouched = await held(bank, owner, hold_seconds=HOUR)
    part = await held(bank, owner, hold_seconds=HOUR)
    await capture(bank, part, 120)
    await set_clock(bank, HOUR)
    for order_id, reason in ((untouched, "ORDER_EXPIRED"), (part, "ORDER_PAID")):
        late = await refused(
            bank,
            "CaptureOrder",
            order_id=order_id,
            capture_number=number(bank),
            amount=cash(1),
        )
        assert late.reason == reason
    assert [await state(bank, one) for one in (untouched, part)] == ["EXPIRED", "PAID"]
    await run_jobs(bank)
    assert [await state(bank, one) for one in (untouched, part)] == ["EXPIRED", "PAID"]
    assert await balances(bank, owner.account) == (FUNDS - 120, FUNDS - 120)


async def test_what_is_closed_or_resolved_instead_is_released_by_the_job(
    bank: SmallBank, owner: Person
) -> None:
    closed, resolved = await held(bank, owner), await held(bank, owner)
    await bank.do("PaymentsService/CloseOrder", order_id=closed)
    order = (await bank.do("PaymentsService/GetOrder", order_id=resolved)).order
    answer = await bank.do(
        "PaymentsService/ResolveOrder",
        merchant_id=order.merchant_id,
        order_number=order.order_number,
    )
    assert answer.answer == order_pb2.ORDER_ANSWER_NOT_PAID_AND_CLOSED
    await run_jobs(bank)
    assert await balances(bank, owner.account) == (FUNDS, FUNDS)
    for order_id in (closed, resolved):
        late = await refused(
            bank,
            "CaptureOrder",
            order_id=order_id,
            capture_number=number(bank),
            amount=cash(1),
        )
        assert late.reason == "ORDER_CLOSED"


# -- what is refused ---------------------------------------------------------------------------


async def test_an_order_is_held_for_once_and_paid_by_captures_only(
    bank: SmallBank, owner: Person
) -> None:
    order_id = (await authorized_order(bank, owner))["order_id"]
    pay = {"order_id": order_id, "from_account_id": owner.account, "amount": cash(300)}
    for name in ("AuthorizeOrder", "PayOrder"):
        again = await refused(bank, name, **pay)
        assert (again.reason, again.metadata) == ("ORDER_AUTHORIZED", {"order_id": order_id})
    paid = await order_paid(bank, owner)
    assert (await refused(bank, "AuthorizeOrder", **{**pay, "order_id": paid})).reason == (
        "ORDER_PAID"
    )
    fresh = (await ordered(bank, owner)).order.order_id
    other = await refused(bank, "AuthorizeOrder", **{**pay, "order_id": fresh, "amount": cash(9)})
    assert other.reason == "AMOUNT_MISMATCH"
    poor = (await ordered(bank, owner, amount=cash(FUNDS + 1))).order
    told_ = await refused(
        bank, "AuthorizeOrder", **{**pay, "order_id": poor.order_id, "amount": poor.amount}
    )
    assert told_.reason == "INSUFFICIENT_FUNDS"
    for name, more in (
        ("CaptureOrder", {"capture_number": "c", "amount": cash(1)}),
        ("IncrementAuthorization", {"amount": cash(1)}),
        ("VoidOrder", {}),
        ("GetAuthorization", {}),
    ):
        told_ = await refused(bank, name, order_id=fresh, **more)
        assert (told_.reason, told_.metadata) == ("ORDER_NOT_AUTHORIZED", {"order_id": fresh})
        for strange in (elsewhere(fresh), of_foreign_book(fresh)):
            told_ = await refused(bank, name, order_id=strange, **more)
            assert told_.reason == "ORDER_NOT_FOUND"


async def test_other_merchants_neither_take_nor_release(bank: SmallBank, owner: Person) -> None:
    order_id = await held(bank, owner)
    other = await bank.person()
    await merchant(bank, other)
    token = bank.token("merchant", other)
    for name, more in (
        ("CaptureOrder", {"capture_number": "c", "amount": cash(1)}),
        ("VoidOrder", {}),
        ("GetAuthorization", {}),
    ):
        hidden = await refused(bank, name, token, order_id=order_id, **more)
        assert hidden.reason == "ORDER_NOT_FOUND"


async def test_a_session_approves_before_its_money_is_held(bank: SmallBank, owner: Person) -> None:
    order = (await ordered(bank, owner, amount=cash(30_000))).order
    await bank.do(
        "TransfersService/TopUp",
        account_id=owner.account,
        amount=cash(100_000),
        bank_account="6222021234567890",
    )
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="835207")
    asked = await refused(
        bank,
        "AuthorizeOrder",
        bank.session_token(owner),
        order_id=order.order_id,
        from_account_id=owner.account,
        amount=order.amount,
    )
    assert asked.reason == "NEEDS_AUTH"
    assert await state(bank, order.order_id) == "PENDING_PAYER"
