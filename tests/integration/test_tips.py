"""Tips through the RPCs: asked at the till or by the code, kept apart up to the bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.payments.v1 import order_pb2
from longmen_server.payments.codes import merchant_code
from longmen_server.payments.codes.merchant_code import Tip, TipKind
from tests.support.phone import Phone
from tests.support.sample_requests import DAY, merchant, number, terminal
from tests.support.small_bank import (
    BY_NAME,
    FUNDS,
    SERVICE,
    SmallBank,
    cash,
    open_small_bank,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("tips")) as opened:
        yield opened


@pytest.fixture
async def shop(bank: SmallBank) -> Person:
    return await bank.person()


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"PaymentsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, /, **fields: Any) -> Told:
    service = "AuthorizationsService" if name == "AuthorizeOrder" else "PaymentsService"
    method = BY_NAME[f"{service}/{name}"]
    request: Any = method.request_class(request_id=bank.new_request_id(), **fields)
    return await bank.refused(method, request, SERVICE)


async def sale(bank: SmallBank, shop: Person, amount: int = 1_000, **more: Any) -> dict[str, Any]:
    return {
        "merchant_id": await merchant(bank, shop),
        "order_number": number(bank),
        "amount": cash(amount),
        **more,
    }


def paying(order: Any, payer: Person, tip: int | None = None) -> dict[str, Any]:
    fields = {"order_id": order.order_id, "from_account_id": payer.account, "amount": order.amount}
    return fields if tip is None else {**fields, "tip": cash(tip)}


async def movements(bank: SmallBank, transaction_id: str) -> list[tuple[int, int]]:
    found = await bank.do("LedgerService/GetTransaction", transaction_id=transaction_id)
    return [(one.code, one.amount.minor_units) for one in found.transaction.postings]


async def available(bank: SmallBank, person: Person) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=person.account)).account
    return int(account.balances.available)


OFFERS: list[tuple[dict[str, Any], Tip, int, int]] = [
    ({"tip": cash(70)}, Tip(TipKind.FIXED, 70), 70, 70),
    ({"tip_offer": {"mode": 2, "fixed_minor_units": 50}}, Tip(TipKind.FIXED, 50), 50, 50),
    ({"tip_offer": {"mode": 3, "basis_points": 1_250}}, Tip(TipKind.PERCENT, 1_250), 125, 125),
    ({"tip_offer": {"mode": 1}}, Tip(TipKind.ASK), 0, 33),
]


async def test_a_code_names_the_tip_and_the_payer_confirms_it(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    spent = 0
    for said, in_code, known, given in OFFERS:
        made = await do(bank, "CreateOrder", **await sale(bank, shop, **said))
        assert merchant_code.parse(made.code).tip == in_code
        scanned = (await do(bank, "ParseCode", code=made.code)).scanned
        assert (scanned.tip.minor_units, scanned.tip_offer) == (known, made.order.tip_offer)
        paid = (await do(bank, "PayOrder", **paying(made.order, payer, given))).payment
        assert (paid.amount.minor_units, paid.tip.minor_units) == (1_000, given)
        order = (await do(bank, "GetOrder", order_id=made.order.order_id)).order
        assert (order.amount.minor_units, order.tip.minor_units) == (1_000, given)
        assert await movements(bank, order.transaction_id) == [(32005, 1_000), (32030, given)]
        spent += 1_000 + given
    assert await available(bank, payer) == FUNDS - spent


async def test_a_payer_pays_the_tip_that_was_asked(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    asked = (await do(bank, "CreateOrder", **await sale(bank, shop, tip=cash(70)))).order
    for tip in (None, 69):
        answer = await refused(bank, "PayOrder", **paying(asked, payer, tip))
        assert answer.reason == "TIP_MISMATCH"
        assert answer.metadata == {"expected_minor_units": "70", "currency_code": "CNY"}
    held = await refused(bank, "AuthorizeOrder", **paying(asked, payer))
    assert held.reason == "TIP_MISMATCH"
    plain = (await do(bank, "CreateOrder", **await sale(bank, shop))).order
    assert (await refused(bank, "PayOrder", **paying(plain, payer, 1))).reason == "TIP_MISMATCH"
    free: dict[str, Any] = {"tip_offer": {"mode": order_pb2.TIP_MODE_ASK}}
    asking = (await do(bank, "CreateOrder", **await sale(bank, shop, **free))).order
    large = await refused(bank, "PayOrder", **paying(asking, payer, 1_001))
    assert large.reason == "TIP_LIMIT_EXCEEDED"
    assert large.metadata == {"limit_minor_units": "1000", "currency_code": "CNY"}
    mixed = {**paying(asking, payer), "tip": cash(1, "EUR")}
    assert (await refused(bank, "PayOrder", **mixed)).reason == "CURRENCY_MISMATCH"
    paid = (await do(bank, "PayOrder", **paying(asking, payer))).payment
    assert not paid.HasField("tip")
    ask = await sale(bank, shop, tip=cash(1_001))
    assert (await refused(bank, "CreateOrder", **ask)).reason == "TIP_LIMIT_EXCEEDED"
    wrong: dict[str, Any]
    for wrong in (
        {"tip_offer": {"mode": 2}},
        {"tip_offer": {"mode": 1}, "tip": cash(5)},
    ):
        answer = await refused(bank, "CreateOrder", **await sale(bank, shop, **wrong))
        assert answer.reason == "INVALID_REQUEST"


async def test_the_till_adds_a_tip_to_a_scan(bank: SmallBank, shop: Person, payer: Person) -> None:
    phone = await Phone.of(bank, payer)
    asked = await sale(bank, shop, tip=cash(150), code=phone.code())
    order = (await do(bank, "PayByCode", **asked)).order
    assert (order.state, order.tip.minor_units) == (order_pb2.ORDER_STATE_PAID, 150)
    other = await refused(bank, "PayByCode", **{**asked, "tip": cash(151), "code": phone.code()})
    assert (other.reason, other.metadata["fields"]) == ("ORDER_NUMBER_REUSED", "tip")
    free = await sale(bank, shop, tip_offer={"mode": order_pb2.TIP_MODE_ASK})
    await do(bank, "CreateOrder", **free)
    del free["tip_offer"]
    told = {**free, "tip": cash(33), "code": phone.code()}
    assert (await do(bank, "PayByCode", **told)).order.tip.minor_units == 33


async def test_refunds_give_the_tip_back_pro_rata(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    made = (await do(bank, "CreateOrder", **await sale(bank, shop, 1_000, tip=cash(100)))).order
    await do(bank, "PayOrder", **paying(made, payer, 100))
    shares: list[int] = []
    reply: Any = None
    for index, part in enumerate((333, 333, 434)):
        reply = await do(
            bank,
            "RefundOrder",
            order_id=made.order_id,
            refund_number=str(index),
            amount=cash(part),
        )
        shares.append(reply.refund.tip.minor_units)
        booked = await movements(bank, reply.refund.transaction_id)
        assert booked == [(32006, part - shares[-1]), (32031, shares[-1])]
    assert shares == [30, 30, 40]
    assert reply.order.state == order_pb2.ORDER_STATE_REFUNDED
    assert (reply.order.refunded.minor_units, reply.order.tip_refunded.minor_units) == (1_000, 100)
    assert await available(bank, payer) == FUNDS
    more = await refused(
        bank, "RefundOrder", order_id=made.order_id, refund_number="9", amount=cash(1)
    )
    assert more.reason == "REFUND_EXCEEDS_PAYMENT"


async def test_a_reversal_and_the_tills_totals_have_the_tip(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    till = {"terminal_id": await terminal(bank, shop), "business_date": DAY}
    for trace in (1, 2):
        more: dict[str, Any] = {**till, "trace_number": trace, "tip": cash(100), "supersede": True}
        made = (await do(bank, "CreateOrder", **await sale(bank, shop, 1_000, **more))).order
        await do(bank, "PayOrder", **paying(made, payer, 100))
    reversed_ = await do(bank, "ReverseByTerminalRef", **till, trace_number=2)
    assert reversed_.order.tip_refunded.minor_units == 100
    assert await available(bank, payer) == FUNDS - 1_100
    totals = (await bank.do("ShiftsService/GetTerminalTotals", **till)).totals
    assert [
        one.minor_units for one in (totals.sales, totals.tips, totals.refunds, totals.tips_returned)
    ] == [2_000, 200, 1_000, 100]
