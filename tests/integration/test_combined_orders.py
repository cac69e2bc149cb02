"""Combined orders through the RPCs: several merchants, one confirmation, all or nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.payments.v1 import order_pb2
from tests.support.combined import combination
from tests.support.edge import told
from tests.support.phone import Phone
from tests.support.sample_requests import merchant
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
    async with open_small_bank(module_database, tmp_path_factory.mktemp("combined")) as opened:
        yield opened


@pytest.fixture
async def shops(bank: SmallBank) -> list[str]:
    return [await merchant(bank, await bank.person()) for _ in range(3)]


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"CombinedOrdersService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, /, **fields: Any) -> Told:
    method = BY_NAME[name if "/" in name else f"CombinedOrdersService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, SERVICE)


async def made(bank: SmallBank, shops: list[str], *amounts: int) -> Any:
    fields = combination(bank, shops, *amounts)
    return (await do(bank, "CreateCombinedOrder", **fields)).combined_order


def paying(combined: Any, payer: Person, total: int | None = None) -> dict[str, Any]:
    return {
        "combined_order_id": combined.combined_order_id,
        "from_account_id": payer.account,
        "total": combined.total if total is None else cash(total),
    }


async def available(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.available)


async def takings(bank: SmallBank, merchant_id: str) -> int:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=merchant_id)
    return await available(bank, found.merchant.account_id)


async def test_every_merchant_gets_its_part_and_refunds_it_by_itself(
    bank: SmallBank, shops: list[str], payer: Person
) -> None:
    combined = await made(bank, shops, 500, 300, 200)
    assert combined.total.minor_units == 1_000
    token = bank.token("customer", payer)
    seen = await do(bank, "GetCombinedOrder", token, combined_order_id=combined.combined_order_id)
    assert [part.merchant_id for part in seen.combined_order.parts] == shops
    reply = await do(bank, "PayCombinedOrder", **paying(combined, payer))
    assert reply.available_minor_units == FUNDS - 1_000
    parts = reply.combined_order.parts
    assert {part.state for part in parts} == {order_pb2.ORDER_STATE_PAID}
    assert len({part.transaction_id for part in parts}) == 3
    assert [await takings(bank, shop) for shop in shops] == [500, 300, 200]
    back = await bank.do(
        "PaymentsService/RefundOrder",
        order_id=parts[1].order_id,
        refund_number="1",
        amount=cash(300),
    )
    assert back.order.combined_order_id == combined.combined_order_id
    assert [await takings(bank, shop) for shop in shops] == [500, 0, 200]
    assert await available(bank, payer.account) == FUNDS - 700
    again = await refused(bank, "PayCombinedOrder", **paying(combined, payer))
    assert again.reason == "ORDER_PAID"


async def test_one_part_that_cannot_be_paid_stops_all(
    bank: SmallBank, shops: list[str], payer: Person
) -> None:
    closed = await made(bank, shops, 1, 2, 3)
    await bank.do("PaymentsService/CloseOrder", order_id=closed.parts[2].order_id)
    answer = await refused(bank, "PayCombinedOrder", **paying(closed, payer))
    assert answer.reason == "ORDER_CLOSED"
    assert answer.metadata == {"order_id": closed.parts[2].order_id}
    costly = await made(bank, shops, 1, 2, FUNDS)
    answer = await refused(bank, "PayCombinedOrder", **paying(costly, payer))
    assert answer.reason == "INSUFFICIENT_FUNDS"
    wrong = await refused(bank, "PayCombinedOrder", **paying(costly, payer, 7))
    assert (wrong.reason, wrong.metadata["expected_minor_units"]) == (
        "AMOUNT_MISMATCH",
        str(FUNDS + 3),
    )
    assert await available(bank, payer.account) == FUNDS
    assert [await takings(bank, shop) for shop in shops] == [0, 0, 0]
    missing = {**paying(costly, payer), "combined_order_id": "cmb_" + "0" * 28 + "0001"}
    assert (await refused(bank, "PayCombinedOrder", **missing)).reason == "COMBINED_ORDER_NOT_FOUND"


async def test_two_payers_at_once_pay_once(bank: SmallBank, shops: list[str]) -> None:
    combined = await made(bank, shops, 5, 3, 2)
    payers = [await bank.person() for _ in range(4)]
    answers = await asyncio.gather(
        *(do(bank, "PayCombinedOrder", **paying(combined, payer)) for payer in payers),
        return_exceptions=True,
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert [told(error).reason for error in errors] == ["ORDER_PAID"] * 3
    assert [await takings(bank, shop) for shop in shops] == [5, 3, 2]


async def test_a_part_is_paid_with_the_whole_only(
    bank: SmallBank, shops: list[str], payer: Person
) -> None:
    combined = await made(bank, shops, 5, 3, 2)
    part = combined.parts[0]
    alone = {"order_id": part.order_id, "from_account_id": payer.account, "amount": part.amount}
    phone = await Phone.of(bank, payer)
    scanned = {
        "merchant_id": part.merchant_id,
        "order_number": part.order_number,
        "amount": part.amount,
        "description": "a pot of tea",
        "code": phone.code(),
    }
    for name, fields in (
        ("PaymentsService/PayOrder", alone),
        ("AuthorizationsService/AuthorizeOrder", alone),
        ("PaymentsService/PayByCode", scanned),
    ):
        answer = await refused(bank, name, **fields)
        assert answer.reason == "ORDER_COMBINED", name
        assert answer.metadata == {
            "order_id": part.order_id,
            "combined_order_id": combined.combined_order_id,
        }


async def test_a_number_is_one_combined_order_for_ever(bank: SmallBank, shops: list[str]) -> None:
    fields = combination(bank, shops[:2], 5, 3)
    first = (await do(bank, "CreateCombinedOrder", **fields)).combined_order
    assert (await do(bank, "CreateCombinedOrder", **fields)).combined_order == first
    other = {**fields, "description": "elsewhere"}
    answer = await refused(bank, "CreateCombinedOrder", **other)
    assert answer.reason == "COMBINED_NUMBER_REUSED"
    assert answer.metadata == {
        "combined_order_id": first.combined_order_id,
        "fields": "description",
    }
    taken = {**fields, "combined_number": bank.new_request_id()}
    assert (await refused(bank, "CreateCombinedOrder", **taken)).reason == "ORDER_NUMBER_REUSED"
    twice = combination(bank, [shops[0]] * 2, 5, 3)
    answer = await refused(bank, "CreateCombinedOrder", **twice)
    assert answer.metadata["rules"] == "combined.one_part_a_merchant"
    huge = combination(bank, shops[:2], 2**63 - 1, 1)
    answer = await refused(bank, "CreateCombinedOrder", **huge)
    assert (answer.reason, answer.metadata["rules"]) == ("INVALID_REQUEST", "combined.total")
    mixed = combination(bank, shops[:2], 5, 3)
    mixed["parts"][1]["amount"] = cash(3, "EUR")
    assert (await refused(bank, "CreateCombinedOrder", **mixed)).reason == "CURRENCY_MISMATCH"
    elsewhere = combination(bank, [shops[0], shops[1][:-4] + "0009"], 5, 3)
    assert (await refused(bank, "CreateCombinedOrder", **elsewhere)).reason == "MERCHANT_NOT_FOUND"
