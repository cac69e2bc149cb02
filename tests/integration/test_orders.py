"""Orders: registered, looked up honestly, paid once, closed, refunded, reversed; exact reasons."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import order_pb2 as pb
from longmen_server.payments import scan
from longmen_server.payments.codes import merchant_code
from longmen_server.payments.codes.merchant_code import Account, MerchantCode
from longmen_server.payments.codes.tlv import seal
from tests.support.edge import told
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import (
    DAY,
    merchandise,
    merchant,
    number,
    order_paid,
    ordered,
    sale,
    terminal,
    tilled,
)
from tests.support.small_bank import BY_NAME, FUNDS, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

PAID, CLOSED = pb.ORDER_ANSWER_PAID, pb.ORDER_ANSWER_NOT_PAID_AND_CLOSED
STILL_POSSIBLE, NEVER_SEEN = pb.ORDER_ANSWER_STILL_POSSIBLE, pb.ORDER_ANSWER_NEVER_SEEN
PAYERS = 50
DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("orders")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"PaymentsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"PaymentsService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def pay(bank: SmallBank, payer: Person, order: pb.Order) -> Any:
    return await do(
        bank,
        "PayOrder",
        bank.token("customer", payer),
        order_id=order.order_id,
        from_account_id=payer.account,
        amount=order.amount,
    )


async def not_paid(bank: SmallBank, payer: Person, order: pb.Order) -> Told:
    return await refused(
        bank,
        "PayOrder",
        order_id=order.order_id,
        from_account_id=payer.account,
        amount=order.amount,
    )


async def state(bank: SmallBank, order_id: str) -> str:
    order = (await do(bank, "GetOrder", order_id=order_id)).order
    return pb.OrderState.Name(order.state).removeprefix("ORDER_STATE_")


async def available(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def payable(bank: SmallBank, owner: Person) -> str:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    return str(found.merchant.account_id)


async def lookup(bank: SmallBank, order: pb.Order) -> int:
    reply = await do(
        bank, "LookupOrder", merchant_id=order.merchant_id, order_number=order.order_number
    )
    return int(reply.answer)


async def set_clock(bank: SmallBank, seconds: int) -> None:
    """Move the business clock on."""
    at_us = bank.parts.clock.now_us() + seconds * 1_000_000
    whole, rest = divmod(at_us, 1_000_000)
    await bank.do("AdminService/SetClock", time={"seconds": whole, "nanos": rest * 1000})


# -- paying ------------------------------------------------------------------------------------


async def test_a_scanned_order_is_confirmed_and_paid_in_one_posting(
    bank: SmallBank, owner: Person
) -> None:
    payer = await bank.person()
    made = await ordered(bank, owner)
    assert made.order.state == pb.ORDER_STATE_PENDING_PAYER
    shown = await do(bank, "ParseCode", bank.token("customer", payer), code=made.code)
    assert shown.scanned.merchant_name == "Corner Tea"
    assert shown.scanned.order_id == made.order.order_id
    assert shown.scanned.amount.minor_units == 300
    paid = await pay(bank, payer, made.order)
    assert paid.available_minor_units == FUNDS - 300
    assert paid.payment.amount.minor_units == 300
    assert await available(bank, await payable(bank, owner)) == 300
    order = (await do(bank, "GetOrder", order_id=made.order.order_id)).order
    assert order.state == pb.ORDER_STATE_PAID
    assert order.transaction_id == paid.payment.transaction_id
    assert order.pay_time == paid.payment.pay_time
    assert await lookup(bank, order) == PAID
    history = await bank.do(
        "AccountsService/ListTransactions", account_id=payer.account, page_size=1
    )
    (movement,) = history.movements
    assert movement.transaction_id == order.transaction_id
    assert movement.kind == 9
    assert movement.reference == order.order_number


async def test_each_step_of_an_order_is_told_as_an_event(bank: SmallBank, owner: Person) -> None:
    order_id = await order_paid(bank, owner)
    found: list[Any] = []
    cursor = ""
    while page := await bank.do("EventsService/ListEvents", page_size=1000, cursor=cursor):
        found += [one for one in page.events if one.subject_id == order_id]
        if not page.events:
            break
        cursor = page.cursor
    assert {one.type for one in found} == {event_pb2.EVENT_TYPE_ORDER_CHANGED}
    assert [one.order_change.state for one in found] == ["PENDING_PAYER", "PAID"]


async def test_fifty_payers_of_one_order_make_one_payment(bank: SmallBank, owner: Person) -> None:
    payers = await asyncio.gather(*(bank.person() for _ in range(PAYERS)))
    order = (await ordered(bank, owner)).order
    account = await payable(bank, owner)
    before = await available(bank, account)
    answers = await asyncio.gather(
        *(pay(bank, payer, order) for payer in payers), return_exceptions=True
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(errors) == PAYERS - 1
    assert {told(error).reason for error in errors} == {"ORDER_PAID"}
    assert await available(bank, account) == before + 300
    spent = [FUNDS - await available(bank, payer.account) for payer in payers]
    assert sorted(spent) == [0] * (PAYERS - 1) + [300]


async def test_payer_and_till_race_to_one_truth(bank: SmallBank, owner: Person) -> None:
    payer = await bank.person()
    for _ in range(5):
        order = (await ordered(bank, owner)).order
        paid: Any
        closed: Any
        paid, closed = await asyncio.gather(
            pay(bank, payer, order),
            do(bank, "CloseOrder", order_id=order.order_id),
            return_exceptions=True,
        )
        outcome = await state(bank, order.order_id)
        if isinstance(paid, grpc.aio.AioRpcError):
            assert told(paid).reason == "ORDER_CLOSED"
            assert outcome == "CLOSED"
        else:
            assert isinstance(closed, grpc.aio.AioRpcError)
            assert told(closed).reason == "ORDER_PAID"
            assert outcome == "PAID"


async def test_what_cannot_be_paid_says_why(bank: SmallBank, owner: Person) -> None:
    payer = await bank.person()
    order = (await ordered(bank, owner)).order
    other = await refused(
        bank,
        "PayOrder",
        order_id=order.order_id,
        from_account_id=payer.account,
        amount=cash(299),
    )
    assert other.reason == "AMOUNT_MISMATCH"
    assert other.metadata == {"expected_minor_units": "300", "currency_code": "CNY"}
    rich = (await ordered(bank, owner, amount=cash(FUNDS + 1))).order
    assert (await not_paid(bank, payer, rich)).reason == "INSUFFICIENT_FUNDS"
    assert await state(bank, rich.order_id) == "PENDING_PAYER"
    await pay(bank, payer, order)
    again = await not_paid(bank, payer, order)
    assert (again.reason, again.metadata) == ("ORDER_PAID", {"order_id": order.order_id})
    closed = (await ordered(bank, owner)).order
    await do(bank, "CloseOrder", order_id=closed.order_id)
    told_ = await not_paid(bank, payer, closed)
    assert (told_.reason, told_.metadata) == ("ORDER_CLOSED", {"order_id": closed.order_id})
    for strange in (elsewhere(order.order_id), of_foreign_book(order.order_id)):
        missing = await refused(
            bank,
            "PayOrder",
            order_id=strange,
            from_account_id=payer.account,
            amount=cash(1),
        )
        assert (missing.reason, missing.metadata) == ("ORDER_NOT_FOUND", {"order_id": strange})


async def test_an_expired_order_is_never_paid_and_can_be_closed(
    bank: SmallBank, owner: Person
) -> None:
    order = (await ordered(bank, owner, expires_in_seconds=30)).order
    await set_clock(bank, 31)
    late = await not_paid(bank, owner, order)
    assert late.reason == "ORDER_EXPIRED"
    assert late.metadata["order_id"] == order.order_id
    assert await state(bank, order.order_id) == "EXPIRED"
    # A payment that began in time may be on its way, until that is noted or out of the question.
    assert await lookup(bank, order) == STILL_POSSIBLE
    await set_clock(bank, 60)
    assert await lookup(bank, order) == CLOSED
    await do(bank, "CloseOrder", order_id=order.order_id)
    assert await state(bank, order.order_id) == "CLOSED"


async def test_an_order_has_an_amount_that_its_code_can_say(bank: SmallBank, owner: Person) -> None:
    most = 999_999_999_999  # thirteen characters with the point
    fields = {**await sale(bank, owner), "amount": cash(most)}
    for amount in (most + 1, 2**63 - 1):
        told = await refused(bank, "CreateOrder", **{**fields, "amount": cash(amount)})
        assert (told.reason, told.metadata) == (
            "INVALID_REQUEST",
            {"rules": "code.amount_too_large"},
        )
    # What was refused has not taken the number.
    assert (await do(bank, "CreateOrder", **fields)).order.amount.minor_units == most


async def test_a_static_code_is_paid_with_a_typed_amount(bank: SmallBank, owner: Person) -> None:
    payer = await bank.person()
    token = bank.token("customer", payer)
    code = (await do(bank, "GetStaticCode", merchant_id=await merchant(bank, owner))).code
    shown = (await do(bank, "ParseCode", token, code=code)).scanned
    assert (shown.order_id, shown.currency_code) == ("", "CNY")
    paid = await do(
        bank,
        "PayStaticCode",
        token,
        code=code,
        from_account_id=payer.account,
        amount=cash(77),
        description="donation",
    )
    assert paid.available_minor_units == FUNDS - 77
    assert await available(bank, await payable(bank, owner)) == 77
    order = (await do(bank, "GetOrder", order_id=paid.payment.order_id)).order
    assert (order.state, order.description) == (pb.ORDER_STATE_PAID, "donation")


async def test_codes_that_are_not_for_us_say_what_is_wrong(bank: SmallBank, owner: Person) -> None:
    made = await ordered(bank, owner)

    def parts(scheme: str, *fields: tuple[str, str], amount: int | None = None) -> str:
        return merchant_code.build(
            MerchantCode(
                accounts=(Account("26", scheme, fields),),
                category_code="5499",
                currency_code="CNY",
                country_code="CN",
                name="Corner Tea",
                city="Shanghai",
                amount_minor_units=amount,
            )
        )

    merchant_hex = made.order.merchant_id.removeprefix("mer_")
    order_hex = made.order.order_id.removeprefix("ord_")
    wanted = {
        "hello": "CODE_MALFORMED",
        made.code[:-1] + ("0" if made.code[-1] != "0" else "1"): "CODE_MALFORMED",
        parts(scan.SCHEME, ("01", "12")): "CODE_MALFORMED",
        parts("com.example", ("01", merchant_hex)): "CODE_UNKNOWN_SCHEME",
        parts(scan.SCHEME, ("01", elsewhere(f"mer_{merchant_hex}")[4:])): "MERCHANT_NOT_FOUND",
        parts(
            scan.SCHEME, ("01", merchant_hex), ("02", elsewhere(f"ord_{order_hex}")[4:]), amount=5
        ): "ORDER_NOT_FOUND",
        # Somebody has pasted a smaller amount over the merchant's own.
        parts(scan.SCHEME, ("01", merchant_hex), ("02", order_hex), amount=5): "AMOUNT_MISMATCH",
        seal("000201"): "CODE_MALFORMED",
    }
    for code, reason in wanted.items():
        assert (await refused(bank, "ParseCode", code=code)).reason == reason
    for code, reason in {
        "hello": "CODE_MALFORMED",
        parts("com.example", ("01", merchant_hex)): "CODE_UNKNOWN_SCHEME",
        parts(scan.SCHEME, ("01", elsewhere(f"mer_{merchant_hex}")[4:])): "MERCHANT_NOT_FOUND",
        made.code: "CODE_OF_ORDER",
    }.items():
        answer = await refused(
            bank, "PayStaticCode", code=code, from_account_id=owner.account, amount=cash(5)
        )
        assert answer.reason == reason


async def test_pictures_of_codes_come_as_pixels_or_lines(bank: SmallBank, owner: Person) -> None:
    order = (await ordered(bank, owner)).order
    plain = await do(bank, "GetOrderCode", order_id=order.order_id)
    assert (plain.image, plain.media_type) == (b"", "")
    drawn = await do(bank, "GetOrderCode", order_id=order.order_id, format=pb.CODE_FORMAT_PNG)
    assert drawn.code == plain.code
    assert drawn.image.startswith(b"\x89PNG")
    assert drawn.media_type == "image/png"
    lines = await do(
        bank,
        "GetStaticCode",
        merchant_id=order.merchant_id,
        format=pb.CODE_FORMAT_SVG,
    )
    assert b"<svg" in lines.image
    assert lines.media_type == "image/svg+xml"


# -- numbers and honest answers ----------------------------------------------------------------


async def test_a_number_names_one_order_for_ever(bank: SmallBank, owner: Person) -> None:
    fields = await sale(bank, owner)
    first = await do(bank, "CreateOrder", **fields)
    again = await do(bank, "CreateOrder", **fields)
    assert again.order == first.order
    assert again.code == first.code
    till = await tilled(bank, owner)
    for changes, names in (
        ({"amount": cash(301)}, "amount"),
        ({"description": "coffee", "amount": cash(2)}, "amount,description"),
        (till, "terminal_id,trace_number,business_date"),
    ):
        answer = await refused(bank, "CreateOrder", **{**fields, **changes})
        assert answer.code.name == "ALREADY_EXISTS"
        assert answer.reason == "ORDER_NUMBER_REUSED"
        assert answer.metadata == {"order_id": first.order.order_id, "fields": names}


async def test_many_tills_that_send_one_number_make_one_order(
    bank: SmallBank, owner: Person
) -> None:
    fields = await sale(bank, owner)
    made = await asyncio.gather(*(do(bank, "CreateOrder", **fields) for _ in range(20)))
    assert len({one.order.order_id for one in made}) == 1


async def test_look_ups_answer_honestly(bank: SmallBank, owner: Person) -> None:
    fields = {**await sale(bank, owner), **await tilled(bank, owner)}
    by_number = {key: fields[key] for key in ("merchant_id", "order_number")}
    by_till = {key: fields[key] for key in ("terminal_id", "trace_number", "business_date")}

    async def answers() -> set[int]:
        return {int((await do(bank, "LookupOrder", **by)).answer) for by in (by_number, by_till)}

    assert await answers() == {NEVER_SEEN}
    order = (await do(bank, "CreateOrder", **fields)).order
    assert await answers() == {STILL_POSSIBLE}
    await pay(bank, owner, order)
    assert await answers() == {PAID}
    await do(bank, "RefundOrder", order_id=order.order_id, refund_number="1", amount=cash(300))
    assert await answers() == {PAID}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "lookup.one_way"),
        ({"order_number": "1"}, "lookup.number_whole"),
        ({"merchant_id": "mer_" + "0" * 28 + "0001"}, "lookup.number_whole"),
        ({"trace_number": 1}, "terminal_reference.whole"),
        (
            {
                "terminal_id": "trm_" + "0" * 28 + "0001",
                "trace_number": 1,
                "business_date": "2026-02-30",
            },
            "business_date.day",
        ),
    ],
    ids=["nothing", "number alone", "merchant alone", "trace alone", "no such day"],
)
async def test_look_ups_are_by_one_whole_name(
    bank: SmallBank, fields: dict[str, Any], rule: str
) -> None:
    answer = await refused(bank, "LookupOrder", **fields)
    assert (answer.reason, answer.metadata["rules"]) == ("INVALID_REQUEST", rule)


async def test_after_resolving_an_order_is_paid_or_never_will_be(
    bank: SmallBank, owner: Person
) -> None:
    paid = (await do(bank, "GetOrder", order_id=await order_paid(bank, owner))).order
    open_ = (await ordered(bank, owner)).order
    late = await sale(bank, owner)
    expected = (
        (paid.order_number, PAID),
        (open_.order_number, CLOSED),
        (late["order_number"], CLOSED),
    )
    for order_number, answer in expected:
        for _ in range(2):
            reply = await do(
                bank,
                "ResolveOrder",
                merchant_id=paid.merchant_id,
                order_number=order_number,
            )
            assert reply.answer == answer
    assert (await not_paid(bank, owner, open_)).reason == "ORDER_CLOSED"
    assert (await refused(bank, "CreateOrder", **late)).reason == "ORDER_CLOSED"
    barred = await do(
        bank, "LookupOrder", merchant_id=late["merchant_id"], order_number=late["order_number"]
    )
    assert barred.answer == CLOSED
    assert not barred.order.HasField("amount")
    assert (await refused(bank, "GetOrderCode", order_id=barred.order.order_id)).reason == (
        "ORDER_NOT_FOUND"
    )


async def test_orders_are_listed_newest_first_and_by_state(bank: SmallBank, owner: Person) -> None:
    orders = [(await ordered(bank, owner)).order for _ in range(3)]
    await pay(bank, owner, orders[1])
    mine = await merchant(bank, owner)
    listed = (await do(bank, "ListOrders", merchant_id=mine)).orders
    assert [one.order_id for one in listed] == [one.order_id for one in reversed(orders)]
    paid = (await do(bank, "ListOrders", merchant_id=mine, states=[pb.ORDER_STATE_PAID])).orders
    assert [one.order_id for one in paid] == [orders[1].order_id]
    await set_clock(bank, 901)
    expired = await do(bank, "ListOrders", merchant_id=mine, states=[pb.ORDER_STATE_EXPIRED])
    assert len(expired.orders) == 2


async def test_a_watcher_learns_of_the_payment(bank: SmallBank, owner: Person) -> None:
    order = (await ordered(bank, owner)).order
    method = BY_NAME["PaymentsService/WatchOrder"]
    call = bank.channel.unary_stream(f"/{method.path}")(
        method.request_class(order_id=order.order_id).SerializeToString(),
        metadata=(("authorization", f"Bearer {bank.token('merchant', owner)}"),),
        timeout=20,
    )
    states = []
    reply: Any = type(await do(bank, "GetOrder", order_id=order.order_id))
    async for message in call:
        states.append(reply.FromString(message).order.state)
        if len(states) == 1:
            await pay(bank, owner, order)
        if states[-1] == pb.ORDER_STATE_PAID:
            call.cancel()
            break
    assert states == [pb.ORDER_STATE_PENDING_PAYER, pb.ORDER_STATE_PAID]


# -- whose it is -------------------------------------------------------------------------------


async def test_another_merchants_orders_are_not_there(bank: SmallBank, owner: Person) -> None:
    stranger = await bank.person()
    await merchant(bank, stranger)
    token = bank.token("merchant", stranger)
    till = await tilled(bank, owner)
    order_id = await order_paid(bank, owner, **till)
    more: dict[str, Any]
    for name, more in (
        ("GetOrder", {}),
        ("GetOrderCode", {}),
        ("ListRefunds", {}),
        ("CloseOrder", {}),
        ("RefundOrder", {"refund_number": "1", "amount": cash(1)}),
    ):
        answer = await refused(bank, name, token, order_id=order_id, **more)
        assert (answer.reason, answer.metadata) == ("ORDER_NOT_FOUND", {"order_id": order_id})
    theirs = await merchant(bank, owner)
    for name, more in (
        ("CreateOrder", {"order_number": "1", "amount": cash(1)}),
        ("ListOrders", {}),
        ("GetStaticCode", {}),
        ("ResolveOrder", {"order_number": "1"}),
        ("LookupOrder", {"order_number": "1"}),
    ):
        answer = await refused(bank, name, token, merchant_id=theirs, **more)
        assert (answer.reason, answer.metadata) == ("MERCHANT_NOT_FOUND", {"merchant_id": theirs})
    for name in ("ReverseByTerminalRef", "LookupOrder"):
        answer = await refused(bank, name, token, **till)
        assert answer.reason == "TERMINAL_NOT_FOUND"
    fields = {**await sale(bank, stranger), **till}
    assert (await refused(bank, "CreateOrder", token, **fields)).reason == "TERMINAL_NOT_FOUND"


async def test_a_merchant_sells_in_its_own_currency_only(bank: SmallBank, owner: Person) -> None:
    fields = {**await sale(bank, owner), "amount": cash(5, "USD")}
    answer = await refused(bank, "CreateOrder", **fields)
    assert answer.reason == "CURRENCY_MISMATCH"
    assert answer.metadata == {"expected": "CNY", "actual": "USD"}


async def test_orders_of_merchants_that_are_not_there(bank: SmallBank, owner: Person) -> None:
    fields = await sale(bank, owner)
    for strange in (elsewhere(fields["merchant_id"]), of_foreign_book(fields["merchant_id"])):
        answer = await refused(bank, "CreateOrder", **{**fields, "merchant_id": strange})
        assert (answer.reason, answer.metadata) == ("MERCHANT_NOT_FOUND", {"merchant_id": strange})


# -- money back --------------------------------------------------------------------------------


async def test_refunds_add_up_to_what_was_paid_and_no_more(bank: SmallBank, owner: Person) -> None:
    payer = await bank.person()
    order = (await ordered(bank, owner)).order
    early = await refused(
        bank, "RefundOrder", order_id=order.order_id, refund_number="0", amount=cash(1)
    )
    assert early.reason == "ORDER_NOT_PAID"
    assert early.metadata == {"order_id": order.order_id, "state": "PENDING_PAYER"}
    await pay(bank, payer, order)

    async def give(text: str, amount: int) -> Any:
        return await do(
            bank,
            "RefundOrder",
            bank.token("merchant", owner),
            order_id=order.order_id,
            refund_number=text,
            amount=cash(amount),
        )

    first = await give("1", 100)
    assert first.order.state == pb.ORDER_STATE_PARTIALLY_REFUNDED
    assert await available(bank, payer.account) == FUNDS - 200
    assert (await give("1", 100)).refund == first.refund
    assert await available(bank, payer.account) == FUNDS - 200
    reused = await refused(
        bank, "RefundOrder", order_id=order.order_id, refund_number="1", amount=cash(99)
    )
    assert reused.reason == "REFUND_NUMBER_REUSED"
    assert reused.metadata == {"refund_id": first.refund.refund_id, "fields": "amount"}
    over = await refused(
        bank, "RefundOrder", order_id=order.order_id, refund_number="2", amount=cash(201)
    )
    assert over.reason == "REFUND_EXCEEDS_PAYMENT"
    assert over.metadata == {"remaining_minor_units": "200", "currency_code": "CNY"}
    foreign = await refused(
        bank, "RefundOrder", order_id=order.order_id, refund_number="2", amount=cash(1, "USD")
    )
    assert foreign.reason == "CURRENCY_MISMATCH"
    last = await give("2", 200)
    assert last.order.state == pb.ORDER_STATE_REFUNDED
    assert await available(bank, payer.account) == FUNDS
    nothing = await refused(
        bank, "RefundOrder", order_id=order.order_id, refund_number="3", amount=cash(1)
    )
    assert nothing.reason == "REFUND_EXCEEDS_PAYMENT"
    listed = (await do(bank, "ListRefunds", order_id=order.order_id)).refunds
    assert [one.refund_id for one in listed] == [first.refund.refund_id, last.refund.refund_id]


async def test_a_storm_of_refunds_never_exceeds_the_payment(bank: SmallBank, owner: Person) -> None:
    order_id = await order_paid(bank, owner)
    before = await available(bank, owner.account)
    answers = await asyncio.gather(
        *(
            do(
                bank,
                "RefundOrder",
                order_id=order_id,
                refund_number=str(index),
                amount=cash(70),
            )
            for index in range(30)
        ),
        return_exceptions=True,
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(answers) - len(errors) == 4
    assert {told(error).reason for error in errors} == {"REFUND_EXCEEDS_PAYMENT"}
    assert await available(bank, owner.account) == before + 280


async def test_a_lost_sale_is_reversed_by_the_tills_reference(
    bank: SmallBank, owner: Person
) -> None:
    payer = await bank.person()
    till = await tilled(bank, owner)
    order = (await ordered(bank, owner, **till)).order
    await pay(bank, payer, order)
    await do(bank, "RefundOrder", order_id=order.order_id, refund_number="1", amount=cash(100))
    token = bank.token("merchant", owner)
    for _ in range(2):
        done = await do(bank, "ReverseByTerminalRef", token, **till)
        assert done.outcome == pb.REVERSAL_OUTCOME_RETURNED
        assert done.order.state == pb.ORDER_STATE_REVERSED
        assert await available(bank, payer.account) == FUNDS
    assert await lookup(bank, order) == CLOSED
    assert (await not_paid(bank, payer, order)).reason == "ORDER_REVERSED"
    for name, more in (
        ("CloseOrder", {}),
        ("RefundOrder", {"refund_number": "2", "amount": cash(1)}),
    ):
        answer = await refused(bank, name, order_id=order.order_id, **more)
        assert (answer.reason, answer.metadata) == ("ORDER_REVERSED", {"order_id": order.order_id})


async def test_a_reversal_before_the_sale_bars_it(bank: SmallBank, owner: Person) -> None:
    till = await tilled(bank, owner)
    for _ in range(2):
        done = await do(bank, "ReverseByTerminalRef", **till)
        assert done.outcome == pb.REVERSAL_OUTCOME_BLOCKED
        assert not done.HasField("order")
    assert (await do(bank, "LookupOrder", **till)).answer == CLOSED
    fields = {**await sale(bank, owner), **till}
    late = await refused(bank, "CreateOrder", **fields)
    assert late.reason == "TERMINAL_REFERENCE_REVERSED"
    assert late.metadata == {
        "terminal_id": till["terminal_id"],
        "trace_number": "17",
        "business_date": DAY,
    }


async def test_a_sale_and_its_reversal_that_race_leave_one_truth(
    bank: SmallBank, owner: Person
) -> None:
    for _ in range(5):
        till = await tilled(bank, owner)
        fields = {**await sale(bank, owner), **till}
        made: Any
        done: Any
        made, done = await asyncio.gather(
            do(bank, "CreateOrder", **fields),
            do(bank, "ReverseByTerminalRef", **till),
            return_exceptions=True,
        )
        if isinstance(made, grpc.aio.AioRpcError):
            assert told(made).reason == "TERMINAL_REFERENCE_REVERSED"
            assert done.outcome == pb.REVERSAL_OUTCOME_BLOCKED
        else:
            assert done.outcome == pb.REVERSAL_OUTCOME_CLOSED
            assert await state(bank, made.order.order_id) == "CLOSED"


async def test_an_unpaid_sale_is_closed_by_its_reversal(bank: SmallBank, owner: Person) -> None:
    till = await tilled(bank, owner)
    order = (await ordered(bank, owner, **till)).order
    done = await do(bank, "ReverseByTerminalRef", **till)
    assert done.outcome == pb.REVERSAL_OUTCOME_CLOSED
    assert (await not_paid(bank, owner, order)).reason == "ORDER_CLOSED"


async def test_a_tills_reference_is_one_sales_only(bank: SmallBank, owner: Person) -> None:
    till = await tilled(bank, owner)
    order = (await ordered(bank, owner, **till)).order
    answer = await refused(bank, "CreateOrder", **{**await sale(bank, owner), **till})
    assert answer.code.name == "ALREADY_EXISTS"
    assert answer.reason == "TERMINAL_REFERENCE_REUSED"
    assert answer.metadata == {"order_id": order.order_id}


async def test_tills_that_are_not_there(bank: SmallBank, owner: Person) -> None:
    till = await terminal(bank, owner)
    for strange in (elsewhere(till), of_foreign_book(till)):
        reference = {"terminal_id": strange, "trace_number": 1, "business_date": DAY}
        answer = await refused(bank, "ReverseByTerminalRef", **reference)
        assert (answer.reason, answer.metadata) == ("TERMINAL_NOT_FOUND", {"terminal_id": strange})


async def test_money_goes_back_within_its_window_only(bank: SmallBank, owner: Person) -> None:
    till = await tilled(bank, owner)
    order_id = await order_paid(bank, owner, **till)
    await set_clock(bank, 7 * DAY_SECONDS + 1)
    late = await refused(bank, "ReverseByTerminalRef", **till)
    assert (late.reason, late.metadata) == ("REVERSAL_WINDOW_PASSED", {"window_days": "7"})
    give = {"order_id": order_id, "amount": cash(1)}
    await do(bank, "RefundOrder", refund_number=number(bank), **give)
    await set_clock(bank, 358 * DAY_SECONDS)
    later = await refused(bank, "RefundOrder", refund_number=number(bank), **give)
    assert (later.reason, later.metadata) == ("REFUND_WINDOW_PASSED", {"window_days": "365"})


async def test_a_merchant_with_money_paid_out_cannot_refund_it(
    bank: SmallBank, owner: Person
) -> None:
    order_id = await order_paid(bank, owner)
    await bank.do(
        "LedgerService/CreateTransfers",
        transfers=[
            {
                "debit_account_id": await payable(bank, owner),
                "credit_account_id": bank.payee.account,
                "amount": cash(250),
            }
        ],
    )
    answer = await refused(
        bank, "RefundOrder", order_id=order_id, refund_number="1", amount=cash(51)
    )
    assert answer.reason == "INSUFFICIENT_FUNDS"
    assert await state(bank, order_id) == "PAID"


def test_what_merchants_are_taken_in_with_fits_a_code() -> None:
    assert len(str(merchandise()["name"])) <= merchant_code.NAME_CHARACTERS_MAX
