"""Merchants and their terminals: taken in, read by themselves only, refused by exact reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.events.v1 import event_pb2
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchandise, merchant, terminal
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

CREATE = "MerchantsService/CreateMerchant"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("merchants")) as opened:
        yield opened


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def test_a_merchant_is_taken_in_with_an_account_of_what_is_owed(bank: SmallBank) -> None:
    made = (await bank.do(CREATE, bank.token("staff"), **merchandise())).merchant
    assert made.name == "Corner Tea"
    assert (made.local_name, made.local_language) == ("街角茶铺", "zh")
    assert made.merchant_id.startswith("mer_")
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=made.merchant_id)
    assert found.merchant == made
    account = (await bank.do("LedgerService/GetAccount", account_id=made.account_id)).account
    assert (account.chart_code, account.currency_code) == (2020, "CNY")
    assert not account.HasField("floor_minor_units")
    events = await bank.do("EventsService/ListEvents", page_size=1000)
    (told,) = [one for one in events.events if one.subject_id == made.merchant_id]
    assert told.type == event_pb2.EVENT_TYPE_MERCHANT_OPENED


async def test_merchants_are_listed_in_the_order_they_came(bank: SmallBank) -> None:
    made = [(await bank.do(CREATE, **merchandise())).merchant for _ in range(3)]
    listed: list[Any] = []
    token = ""
    while True:
        page = await bank.do("MerchantsService/ListMerchants", page_size=2, page_token=token)
        assert len(page.merchants) <= 2
        listed.extend(page.merchants)
        token = page.next_page_token
        if not token:
            break
    assert listed[-3:] == made
    assert [one.merchant_id for one in listed] == sorted(one.merchant_id for one in listed)


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"local_name": ""}, "local_name", "merchant.local_name_with_language"),
        ({"local_language": ""}, "local_language", "merchant.local_name_with_language"),
        ({"name": "x" * 26}, "name", "string.max_len"),
        ({"city": ""}, "city", "string.min_len"),
        ({"country_code": "cn"}, "country_code", "string.pattern"),
        ({"category_code": "54"}, "category_code", "string.pattern"),
    ],
)
async def test_what_no_code_could_carry_is_refused(
    bank: SmallBank, fields: dict[str, str], field: str, rule: str
) -> None:
    told = await refused(bank, CREATE, **{**merchandise(), **fields})
    assert (told.reason, told.fields) == ("INVALID_REQUEST", [field])
    assert told.metadata["rules"] == rule


async def test_a_currency_without_minor_units_is_refused(bank: SmallBank) -> None:
    told = await refused(bank, CREATE, **{**merchandise(), "currency_code": "XXX"})
    assert (told.reason, told.metadata) == ("UNKNOWN_CURRENCY", {"currency_code": "XXX"})


async def test_a_merchant_sees_and_equips_itself_and_nobody_else(bank: SmallBank) -> None:
    owner, other = await bank.person(), await bank.person()
    mine, theirs = await merchant(bank, owner), await merchant(bank, other)
    till, their_till = await terminal(bank, owner), await terminal(bank, other)
    token = bank.token("merchant", owner)
    seen = await bank.do("MerchantsService/GetMerchant", token, merchant_id=mine)
    assert seen.merchant.merchant_id == mine
    made = await bank.do(
        "MerchantsService/CreateTerminal",
        token,
        merchant_id=mine,
        label="till 2",
        store_label="airport",
    )
    found = await bank.do(
        "MerchantsService/GetTerminal", token, terminal_id=made.terminal.terminal_id
    )
    assert found.terminal == made.terminal
    assert (found.terminal.label, found.terminal.store_label) == ("till 2", "airport")
    for strange in (theirs, elsewhere(mine), of_foreign_book(mine)):
        for name, more in (("GetMerchant", {}), ("CreateTerminal", {"label": "x"})):
            told = await refused(
                bank, f"MerchantsService/{name}", token, merchant_id=strange, **more
            )
            assert told.reason == "MERCHANT_NOT_FOUND"
            assert told.metadata == {"merchant_id": strange}
    for strange in (their_till, elsewhere(till), of_foreign_book(till)):
        told = await refused(bank, "MerchantsService/GetTerminal", token, terminal_id=strange)
        assert (told.reason, told.metadata) == ("TERMINAL_NOT_FOUND", {"terminal_id": strange})


async def test_no_terminal_is_registered_for_nobody(bank: SmallBank) -> None:
    mine = await merchant(bank, await bank.person())
    for strange in (elsewhere(mine), of_foreign_book(mine)):
        told = await refused(
            bank, "MerchantsService/CreateTerminal", merchant_id=strange, label="x"
        )
        assert (told.reason, told.metadata) == ("MERCHANT_NOT_FOUND", {"merchant_id": strange})


async def test_a_merchants_token_that_names_no_merchant_may_do_nothing(bank: SmallBank) -> None:
    mine = await merchant(bank, await bank.person())
    told = await refused(
        bank, "MerchantsService/GetMerchant", bank.token("merchant"), merchant_id=mine
    )
    assert told.reason == "PERMISSION_DENIED"
