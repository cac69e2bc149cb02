"""Stores and cashiers through the RPCs: a chain with shops, tills and people, and every refusal."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from longmen.merchants.v1 import shift_pb2, store_pb2
from tests.support import edge
from tests.support.proof import proof_of
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchandise, merchant, number, order_paid, today
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

ACTIVE, LEFT = store_pb2.CASHIER_STATE_ACTIVE, store_pb2.CASHIER_STATE_LEFT
OPEN, CLOSED = store_pb2.STORE_STATE_OPEN, store_pb2.STORE_STATE_CLOSED
BY_STORE = shift_pb2.TOTALS_GROUPING_STORE
BY_CASHIER = shift_pb2.TOTALS_GROUPING_CASHIER
BY_TERMINAL = shift_pb2.TOTALS_GROUPING_TERMINAL
KINDS = {"STORE_MISMATCH", "TILL_PLACE_MISMATCH", "SHIFT_MISMATCH"}
_TRACES = count(1)


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("stores")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """A customer who sells as well, so that there are tokens of the merchant."""
    person = await bank.person()
    await merchant(bank, person)
    return person


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def store(bank: SmallBank, owner: Person, own_number: str = "001", **more: Any) -> str:
    made = await bank.do(
        "StoresService/CreateStore",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
        number=own_number,
        name=f"Tea {own_number}",
        **more,
    )
    return str(made.store.store_id)


async def cashier(bank: SmallBank, owner: Person, own_number: str = "7") -> str:
    made = await bank.do(
        "CashiersService/CreateCashier",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
        number=own_number,
        name="Li Na",
    )
    return str(made.cashier.cashier_id)


async def till(bank: SmallBank, owner: Person, store_id: str = "", label: str = "") -> str:
    made = await bank.do(
        "MerchantsService/CreateTerminal",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
        label="till",
        store_id=store_id,
        store_label=label,
    )
    assert (made.terminal.store_id, made.terminal.store_label) == (store_id, label)
    assert not made.terminal.HasField("last_seen_time")
    return str(made.terminal.terminal_id)


async def opened(bank: SmallBank, terminal_id: str, **who: str) -> Any:
    made = await bank.do("ShiftsService/OpenShift", terminal_id=terminal_id, **who)
    return made.shift


def at(bank: SmallBank, terminal_id: str) -> dict[str, Any]:
    return {
        "terminal_id": terminal_id,
        "trace_number": next(_TRACES),
        "business_date": today(bank),
    }


async def sold(bank: SmallBank, owner: Person, terminal_id: str, amount: int) -> str:
    return await order_paid(bank, owner, amount=cash(amount), **at(bank, terminal_id))


async def given_back(bank: SmallBank, order_id: str, amount: int, **where: str) -> Any:
    made = await bank.do(
        "PaymentsService/RefundOrder",
        order_id=order_id,
        refund_number=number(bank),
        amount=cash(amount),
        **where,
    )
    return made.refund


def sums(totals: Any) -> tuple[int, int, int, int]:
    """How many sales of how much, how many refunds of how much."""
    return (
        totals.sales_count,
        totals.sales.minor_units,
        totals.refunds_count,
        totals.refunds.minor_units,
    )


async def lines(bank: SmallBank, owner: Person, grouping: int, **more: Any) -> dict[str, Any]:
    """The lines of the day, by store, label of cashier, or till."""
    found = await bank.do(
        "ShiftsService/ListDayTotals",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
        business_date=today(bank),
        grouping=grouping,
        **more,
    )
    name: dict[int, str] = {
        BY_STORE: "store_id",
        BY_CASHIER: "cashier_label",
        BY_TERMINAL: "terminal_id",
    }
    return {getattr(line, name[grouping]): sums(line.totals) for line in found.lines}


async def orders(bank: SmallBank, owner: Person, **only: str) -> list[Any]:
    """The orders of the day, read one a page."""
    found: list[Any] = []
    page = ""
    while page or not found:
        reply = await bank.do(
            "ShiftsService/ListDayOrders",
            bank.token("merchant", owner),
            merchant_id=await merchant(bank, owner),
            business_date=today(bank),
            page_size=1,
            page_token=page,
            **only,
        )
        found += reply.orders
        page = reply.next_page_token
        if not page:
            break
    return found


async def test_a_chain_counts_its_day_by_store_by_cashier_and_by_till(
    bank: SmallBank, owner: Person
) -> None:
    token = bank.token("merchant", owner)
    stores = [await store(bank, owner, f"00{one}") for one in range(3)]
    tills = [await till(bank, owner, store_id) for store_id in stores]
    people = [await cashier(bank, owner, f"{one:02}") for one in range(12)]
    first = await opened(bank, tills[0], cashier_id=people[0])
    assert (first.cashier_id, first.cashier_label, first.store_id) == (people[0], "00", stores[0])
    await opened(bank, tills[1], cashier_id=people[11])
    tea = await sold(bank, owner, tills[0], 500)
    await sold(bank, owner, tills[1], 300)
    await bank.do("ShiftsService/CloseShift", token, shift_id=first.shift_id)
    await sold(bank, owner, tills[0], 40)
    second = await opened(bank, tills[0], cashier_id=people[1])
    await sold(bank, owner, tills[0], 7)
    # Sold in one shop and brought back to another, and to the till it was bought at.
    where = {"terminal_id": tills[1], "business_date": today(bank)}
    back = await given_back(bank, tea, 100, **where)
    assert (back.terminal_id, back.business_date) == (tills[1], today(bank))
    await given_back(bank, tea, 20)

    assert await lines(bank, owner, BY_STORE) == {
        stores[0]: (3, 547, 1, 20),
        stores[1]: (1, 300, 1, 100),
    }
    assert await lines(bank, owner, BY_TERMINAL) == {
        tills[0]: (3, 547, 1, 20),
        tills[1]: (1, 300, 1, 100),
    }
    by_cashier = {"00": (1, 500, 0, 0), "": (1, 40, 0, 0), "01": (1, 7, 1, 20)}
    assert await lines(bank, owner, BY_CASHIER) == {**by_cashier, "11": (1, 300, 1, 100)}
    assert await lines(bank, owner, BY_CASHIER, store_id=stores[0]) == by_cashier
    counted = [
        (one.order.amount.minor_units, one.store_id, one.cashier_label)
        for one in await orders(bank, owner)
    ]
    assert counted == [
        (500, stores[0], "00"),
        (300, stores[1], "11"),
        (40, stores[0], ""),
        (7, stores[0], "01"),
    ]
    narrowed: list[tuple[dict[str, str], list[int]]] = [
        ({"store_id": stores[0]}, [500, 40, 7]),
        ({"cashier_id": people[1]}, [7]),
        ({"terminal_id": tills[1]}, [300]),
        ({"store_id": stores[2]}, []),
    ]
    for only, amounts in narrowed:
        found = await orders(bank, owner, **only)
        assert [one.order.amount.minor_units for one in found] == amounts, only
    for terminal_id, expected in ((tills[0], (3, 547, 1, 20)), (tills[1], (1, 300, 1, 100))):
        day = await bank.do(
            "ShiftsService/GetTerminalTotals", terminal_id=terminal_id, business_date=today(bank)
        )
        assert sums(day.totals) == expected
    for shift_id, expected in ((first.shift_id, (1, 500, 0, 0)), (second.shift_id, (1, 7, 1, 20))):
        shown = await bank.do("ShiftsService/GetShift", token, shift_id=shift_id)
        assert sums(shown.totals) == expected

    mine = {"merchant_id": await merchant(bank, owner)}
    listed = await bank.do("ShiftsService/ListShifts", token, **mine, cashier_id=people[1])
    assert [one.shift_id for one in listed.shifts] == [second.shift_id]
    listed = await bank.do("ShiftsService/ListShifts", token, **mine, store_id=stores[1])
    assert [one.cashier_label for one in listed.shifts] == ["11"]


async def test_what_a_till_sold_stays_with_the_store_it_stood_in(
    bank: SmallBank, owner: Person
) -> None:
    old, new = await store(bank, owner, "1"), await store(bank, owner, "2")
    terminal_id = await till(bank, owner)
    await sold(bank, owner, terminal_id, 10)
    for store_id, amount in ((old, 20), (new, 30), (new, 31), ("", 40)):
        moved = await bank.do(
            "StoresService/MoveTerminal",
            bank.token("merchant", owner),
            terminal_id=terminal_id,
            store_id=store_id,
        )
        assert moved.terminal.store_id == store_id
        assert moved.terminal.HasField("last_seen_time")
        await sold(bank, owner, terminal_id, amount)
    assert await lines(bank, owner, BY_STORE) == {
        "": (2, 50, 0, 0),
        old: (1, 20, 0, 0),
        new: (2, 61, 0, 0),
    }


async def test_a_closed_store_sells_nothing_and_still_gives_back(
    bank: SmallBank, owner: Person, module_database: Database
) -> None:
    token = bank.token("merchant", owner)
    shop, other = await store(bank, owner, "1"), await store(bank, owner, "2")
    terminal_id = await till(bank, owner, shop)
    order_id = await sold(bank, owner, terminal_id, 100)
    for _ in range(2):
        closed = await bank.do("StoresService/CloseStore", token, store_id=shop)
        assert closed.store.state == CLOSED
    sale = {
        "merchant_id": await merchant(bank, owner),
        "order_number": number(bank),
        "amount": cash(5),
        **at(bank, terminal_id),
    }
    expected = ("STORE_CLOSED", {"store_id": shop})
    for name, fields in {
        "PaymentsService/CreateOrder": sale,
        "ShiftsService/OpenShift": {"terminal_id": terminal_id, "cashier_label": "x"},
        "StoresService/MoveTerminal": {
            "terminal_id": await till(bank, owner, other),
            "store_id": shop,
        },
        "MerchantsService/CreateTerminal": {
            "merchant_id": await merchant(bank, owner),
            "label": "till",
            "store_id": shop,
        },
    }.items():
        told = await refused(bank, name, **fields)
        assert (told.reason, told.metadata) == expected, name
    await given_back(bank, order_id, 60, terminal_id=terminal_id, business_date=today(bank))
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert [one for one in findings if one.kind in KINDS] == []

    # Out of the closed shop, or with the shop open again, the till sells.
    reopened = await bank.do("StoresService/ReopenStore", token, store_id=shop)
    assert reopened.store.state == OPEN
    await sold(bank, owner, terminal_id, 5)
    await bank.do("StoresService/CloseStore", token, store_id=shop)
    await bank.do("StoresService/MoveTerminal", token, terminal_id=terminal_id, store_id=other)
    await sold(bank, owner, terminal_id, 6)


async def test_tills_that_come_and_go_while_a_store_closes(
    bank: SmallBank, owner: Person, module_database: Database
) -> None:
    """Whatever comes first, no till in a closed store sells, and every till outside of it does."""
    mine, shop, other = await merchant(bank, owner), *[await store(bank, owner, n) for n in "12"]
    tills = [await till(bank, owner, shop if place % 2 else other) for place in range(6)]

    async def moved(terminal_id: str, store_id: str) -> str:
        try:
            await bank.do("StoresService/MoveTerminal", terminal_id=terminal_id, store_id=store_id)
        except grpc.aio.AioRpcError:
            return ""
        return store_id

    async def ordered(terminal_id: str) -> str:
        fields = {"merchant_id": mine, "order_number": number(bank), "amount": cash(1)}
        method = BY_NAME["PaymentsService/CreateOrder"]
        request: Any = method.request_class(**fields, **at(bank, terminal_id))
        request.request_id, request.supersede = bank.new_request_id(), True
        try:
            await bank.call(method, request, SERVICE)
        except grpc.aio.AioRpcError as error:
            return edge.told(error).reason
        return ""

    results = await asyncio.gather(
        *(moved(one, other if place % 2 else shop) for place, one in enumerate(tills)),
        bank.do("StoresService/CloseStore", store_id=shop),
        *(ordered(one) for one in tills),
    )
    # Nobody is turned away from the open store, whatever happens to the one that closes.
    assert [results[place] for place in (1, 3, 5)] == [other] * 3
    assert set(results[7:]) <= {"", "STORE_CLOSED"}
    for one in tills:
        shown = await bank.do("MerchantsService/GetTerminal", terminal_id=one)
        closed = shown.terminal.store_id == shop
        assert await ordered(one) == ("STORE_CLOSED" if closed else "")
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert [one for one in findings if one.kind in KINDS] == []


async def test_one_of_many_gets_a_number(bank: SmallBank, owner: Person) -> None:
    new = {"merchant_id": await merchant(bank, owner), "number": "001", "name": "Tea"}

    async def made(name: str) -> str:
        try:
            await bank.do(name, **new)
        except grpc.aio.AioRpcError as error:
            return edge.told(error).reason
        return ""

    for name, reason in {
        "StoresService/CreateStore": "STORE_NUMBER_TAKEN",
        "CashiersService/CreateCashier": "CASHIER_NUMBER_TAKEN",
    }.items():
        results = await asyncio.gather(*(made(name) for _ in range(8)))
        assert sorted(results) == ["", *[reason] * 7]


async def test_who_left_opens_no_shift_and_closes_the_last(bank: SmallBank, owner: Person) -> None:
    token = bank.token("merchant", owner)
    terminal_id, cashier_id = await till(bank, owner), await cashier(bank, owner)
    shift = await opened(bank, terminal_id, cashier_id=cashier_id)
    changed = {"cashier_id": cashier_id, "name": "Li Na"}
    known = await bank.do("CashiersService/UpdateCashier", token, **changed, state=LEFT)
    assert known.cashier.state == LEFT
    await bank.do("ShiftsService/CloseShift", token, shift_id=shift.shift_id)
    again = {"terminal_id": terminal_id, "cashier_id": cashier_id}
    told = await refused(bank, "ShiftsService/OpenShift", **again)
    assert (told.reason, told.metadata) == ("CASHIER_LEFT", {"cashier_id": cashier_id})
    listed = await bank.do(
        "CashiersService/ListCashiers", merchant_id=await merchant(bank, owner), state=ACTIVE
    )
    assert list(listed.cashiers) == []
    await bank.do("CashiersService/UpdateCashier", token, **changed, state=ACTIVE)
    assert (await opened(bank, terminal_id, cashier_id=cashier_id)).cashier_label == "7"


async def test_labels_hold_until_something_is_registered(bank: SmallBank, owner: Person) -> None:
    mine = await merchant(bank, owner)
    labelled = await till(bank, owner, label="station")
    shift = await opened(bank, labelled, cashier_label="Xiao Wang")
    assert (shift.cashier_id, shift.cashier_label, shift.store_id) == ("", "Xiao Wang", "")
    store_id, cashier_id = await store(bank, owner), await cashier(bank, owner)
    told = await refused(
        bank,
        "MerchantsService/CreateTerminal",
        merchant_id=mine,
        label="till",
        store_label="station",
    )
    assert (told.reason, told.metadata) == ("STORE_UNREGISTERED", {"merchant_id": mine})
    told = await refused(
        bank, "ShiftsService/OpenShift", terminal_id=await till(bank, owner), cashier_label="x"
    )
    assert (told.reason, told.metadata) == ("CASHIER_UNREGISTERED", {"merchant_id": mine})

    # What was labelled goes on: the shift is closed, and the till keeps its label until it moves.
    await bank.do("ShiftsService/CloseShift", shift_id=shift.shift_id)
    kept = await bank.do("MerchantsService/GetTerminal", terminal_id=labelled)
    assert (kept.terminal.store_label, kept.terminal.store_id) == ("station", "")
    await bank.do("StoresService/MoveTerminal", terminal_id=labelled, store_id=store_id)
    kept = await bank.do("MerchantsService/GetTerminal", terminal_id=labelled)
    assert (kept.terminal.store_label, kept.terminal.store_id) == ("", store_id)
    assert (await opened(bank, labelled, cashier_id=cashier_id)).store_id == store_id


async def test_what_is_registered_is_kept_and_changed(bank: SmallBank, owner: Person) -> None:
    token = bank.token("merchant", owner)
    store_id = await store(bank, owner, "A-1", address="1 Port Road", city="Qingdao")
    changed = await bank.do(
        "StoresService/UpdateStore", token, store_id=store_id, name="Harbour", city="Dalian"
    )
    found = (await bank.do("StoresService/GetStore", token, store_id=store_id)).store
    assert found == changed.store
    assert (found.number, found.name, found.address, found.city) == ("A-1", "Harbour", "", "Dalian")
    cashier_id = await cashier(bank, owner)
    await bank.do(
        "CashiersService/UpdateCashier", token, cashier_id=cashier_id, name="Li Na Na", state=ACTIVE
    )
    shown = (await bank.do("CashiersService/GetCashier", token, cashier_id=cashier_id)).cashier
    assert (shown.number, shown.name, shown.state) == ("7", "Li Na Na", ACTIVE)


async def test_refusals_say_what_is_wrong(bank: SmallBank, owner: Person) -> None:
    mine, token = await merchant(bank, owner), bank.token("merchant", owner)
    stranger = await bank.person()
    await merchant(bank, stranger)
    store_id, _ = await store(bank, owner), await cashier(bank, owner)
    terminal_id = await till(bank, owner)
    theirs, their_cashier = await store(bank, stranger), await cashier(bank, stranger)
    their_till = await till(bank, stranger)
    unknown = (await bank.do("MerchantsService/CreateMerchant", **merchandise())).merchant
    nobody = elsewhere(unknown.merchant_id)
    order_id = await order_paid(bank, owner)
    refund = {"order_id": order_id, "refund_number": "1", "amount": cash(10)}
    new = {"merchant_id": mine, "number": "001", "name": "Tea"}
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("StoresService/CreateStore", new, "STORE_NUMBER_TAKEN"),
        ("StoresService/CreateStore", {**new, "merchant_id": nobody}, "MERCHANT_NOT_FOUND"),
        ("StoresService/UpdateStore", {"store_id": theirs, "name": "x"}, "STORE_NOT_FOUND"),
        ("StoresService/CloseStore", {"store_id": elsewhere(store_id)}, "STORE_NOT_FOUND"),
        ("StoresService/CloseStore", {"store_id": of_foreign_book(store_id)}, "STORE_NOT_FOUND"),
        ("StoresService/ReopenStore", {"store_id": theirs}, "STORE_NOT_FOUND"),
        ("StoresService/GetStore", {"store_id": theirs}, "STORE_NOT_FOUND"),
        ("StoresService/MoveTerminal", {"terminal_id": their_till}, "TERMINAL_NOT_FOUND"),
        (
            "StoresService/MoveTerminal",
            {"terminal_id": terminal_id, "store_id": theirs},
            "STORE_NOT_FOUND",
        ),
        (
            "MerchantsService/CreateTerminal",
            {"merchant_id": mine, "label": "x", "store_id": theirs},
            "STORE_NOT_FOUND",
        ),
        ("CashiersService/CreateCashier", {**new, "number": "7"}, "CASHIER_NUMBER_TAKEN"),
        (
            "CashiersService/UpdateCashier",
            {"cashier_id": their_cashier, "name": "x", "state": LEFT},
            "CASHIER_NOT_FOUND",
        ),
        ("CashiersService/GetCashier", {"cashier_id": their_cashier}, "CASHIER_NOT_FOUND"),
        (
            "ShiftsService/OpenShift",
            {"terminal_id": terminal_id, "cashier_id": their_cashier},
            "CASHIER_NOT_FOUND",
        ),
        (
            "PaymentsService/RefundOrder",
            {**refund, "terminal_id": their_till, "business_date": today(bank)},
            "TERMINAL_NOT_FOUND",
        ),
    ]
    for name, fields, reason in cases:
        assert (await refused(bank, name, token, **fields)).reason == reason, (name, fields)


async def test_requests_that_contradict_themselves(bank: SmallBank, owner: Person) -> None:
    mine, token = await merchant(bank, owner), bank.token("merchant", owner)
    store_id, cashier_id = await store(bank, owner), await cashier(bank, owner)
    terminal_id = await till(bank, owner)
    refund = {"order_id": await order_paid(bank, owner), "refund_number": "1", "amount": cash(10)}
    malformed: list[tuple[str, dict[str, Any], str]] = [
        (
            "MerchantsService/CreateTerminal",
            {"merchant_id": mine, "label": "x", "store_id": store_id, "store_label": "x"},
            "terminal.one_store",
        ),
        ("ShiftsService/OpenShift", {"terminal_id": terminal_id}, "shift.one_cashier"),
        (
            "ShiftsService/OpenShift",
            {"terminal_id": terminal_id, "cashier_id": cashier_id, "cashier_label": "x"},
            "shift.one_cashier",
        ),
        (
            "PaymentsService/RefundOrder",
            {**refund, "terminal_id": terminal_id},
            "refund.till_whole",
        ),
        (
            "ShiftsService/ListDayTotals",
            {"merchant_id": mine, "business_date": "2026-02-30", "grouping": BY_STORE},
            "business_date.day",
        ),
    ]
    for name, fields, rule in malformed:
        told = await refused(bank, name, token, **fields)
        assert (told.reason, told.metadata["rules"]) == ("INVALID_REQUEST", rule), (name, fields)


async def test_a_refund_names_its_till_for_good(bank: SmallBank, owner: Person) -> None:
    order_id, terminal_id = await order_paid(bank, owner), await till(bank, owner)
    fields = {
        "order_id": order_id,
        "refund_number": "1",
        "amount": cash(10),
        "terminal_id": terminal_id,
        "business_date": today(bank),
    }
    made = await bank.do("PaymentsService/RefundOrder", **fields)
    again = await bank.do("PaymentsService/RefundOrder", **fields)
    assert again.refund == made.refund
    fields["terminal_id"] = await till(bank, owner)
    told = await refused(bank, "PaymentsService/RefundOrder", **fields)
    assert (told.reason, told.metadata["fields"]) == ("REFUND_NUMBER_REUSED", "terminal_id")


async def test_days_are_read_page_by_page(bank: SmallBank, owner: Person) -> None:
    token, mine = bank.token("merchant", owner), await merchant(bank, owner)
    expected = {}
    for amount in (1, 2, 3):
        terminal_id = await till(bank, owner)
        await sold(bank, owner, terminal_id, amount)
        expected[terminal_id] = (1, amount, 0, 0)
    found: dict[str, Any] = {}
    page, pages = "", 0
    while pages == 0 or page:
        reply = await bank.do(
            "ShiftsService/ListDayTotals",
            token,
            merchant_id=mine,
            business_date=today(bank),
            grouping=BY_TERMINAL,
            page_size=2,
            page_token=page,
        )
        found |= {line.terminal_id: sums(line.totals) for line in reply.lines}
        page, pages = reply.next_page_token, pages + 1
    assert (found, pages) == (expected, 2)
