"""Histories and statements on a real database: filters, pages, months, documents that add up."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psutil
import pypdf
import pytest
import pytest_asyncio
from google.protobuf import json_format

from longmen.accounts.v1 import accounts_service_pb2 as pb
from longmen.accounts.v1 import wallet_pb2
from longmen_server.accounts import queries
from longmen_server.accounts.statement_pdf import PdfPress
from longmen_server.ledger.model import PostingKind
from longmen_server.platform.clock import from_microseconds
from longmen_server.platform.ids import ACCOUNT, TRANSACTION
from longmen_server.platform.refusal import Refusal
from tests.support.clock import SettableClock
from tests.support.poll import until
from tests.support.wallets import Person, Wallets, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

TRANSFER, TOP_UP = wallet_pb2.MOVEMENT_KIND_TRANSFER, wallet_pb2.MOVEMENT_KIND_TOP_UP
WITHDRAWAL, HOLD = wallet_pb2.MOVEMENT_KIND_WITHDRAWAL, wallet_pb2.MOVEMENT_KIND_HOLD
RELEASE, REVERSAL = wallet_pb2.MOVEMENT_KIND_RELEASE, wallet_pb2.MOVEMENT_KIND_REVERSAL
SWEEP, OTHER = wallet_pb2.MOVEMENT_KIND_SWEEP, wallet_pb2.MOVEMENT_KIND_OTHER
IN, OUT = wallet_pb2.DIRECTION_IN, wallet_pb2.DIRECTION_OUT
DAY_S = 86_400


@pytest_asyncio.fixture(scope="module")
async def wallets(module_database: Database) -> AsyncIterator[Wallets]:
    async with open_wallets(module_database.app_dsn, SettableClock()) as opened:
        yield opened


async def reason(awaitable: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await awaitable
    return caught.value.reason


async def history(wallets: Wallets, person: Person, **fields: Any) -> list[wallet_pb2.Movement]:
    reply = await wallets.ask(
        "ListTransactions", person.principal, account_id=person.account, **fields
    )
    return list(reply.movements)


async def busy(wallets: Wallets) -> tuple[Person, Person]:
    """Two people with a movement of every kind between them."""
    me, other = await wallets.person(funds=10_000), await wallets.person("王小明", funds=1_000)
    await wallets.pay(me, other, 100, description="Dinner at eight", reference="A-1")
    await wallets.pay(other, me, 30, description="my half", reference="secret")
    late = await wallets.pay(me, other, 50, delay=2, description="rent")
    await wallets.ask("CancelTransfer", me.principal, transfer_id=late.transfer.transfer_id)
    await wallets.ask(
        "Withdraw", account_id=me.account, amount=cash(500), bank_account="6222", description="cash"
    )
    await wallets.jobs.run_once()
    plain = await wallets.move(me.account_id, other.account_id, 7, description="fee refund")
    await wallets.reverse(plain)
    return me, other


async def test_a_history_tells_every_kind_of_movement(wallets: Wallets) -> None:
    me, other = await busy(wallets)
    lines = await history(wallets, me)
    assert [(line.kind, line.direction, line.amount.minor_units) for line in lines] == [
        (REVERSAL, IN, 7),
        (OTHER, OUT, 7),
        (WITHDRAWAL, OUT, 500),
        (HOLD, OUT, 500),
        (RELEASE, IN, 50),
        (HOLD, OUT, 50),
        (TRANSFER, IN, 30),
        (TRANSFER, OUT, 100),
        (TOP_UP, IN, 10_000),
    ]
    assert [line.version for line in lines] == list(range(9, 0, -1))
    assert lines[0].posted_after == cash(9_430)
    assert lines[3].available_after == cash(9_430)
    assert lines[3].posted_after == cash(9_930)
    assert lines[-2].counterparty_masked_name == "*明"
    assert lines[-1].counterparty_masked_name == ""
    assert (lines[-2].reference, lines[-3].reference) == ("A-1", "")
    theirs = await history(wallets, other)
    assert (theirs[-2].counterparty_masked_name, theirs[-2].reference) == ("A*** L**", "")
    assert [(line.kind, line.direction) for line in theirs[2:4]] == [(RELEASE, OUT), (HOLD, IN)]


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"kinds": [TRANSFER]}, [7, 8]),
        ({"kinds": [TRANSFER, TOP_UP]}, [7, 8, 9]),
        ({"kinds": [HOLD, RELEASE]}, [4, 5, 6]),
        ({"kinds": [REVERSAL]}, [1]),
        ({"kinds": [OTHER]}, [2]),
        ({"kinds": [WITHDRAWAL]}, [3]),
        ({"kinds": [SWEEP]}, []),
        ({"minimum_minor_units": 100}, [3, 4, 8, 9]),
        ({"maximum_minor_units": 49}, [1, 2, 7]),
        ({"minimum_minor_units": 50, "maximum_minor_units": 500}, [3, 4, 5, 6, 8]),
        ({"text": "DINNER"}, [8]),
        ({"text": "a-1"}, [8]),
        ({"text": "e"}, [2, 5, 6, 8]),
        ({"text": "%"}, []),
        ({"text": "secret"}, []),
        ({"kinds": [TRANSFER], "minimum_minor_units": 50}, [8]),
    ],
)
async def test_filters(wallets: Wallets, fields: dict[str, Any], kept: list[int]) -> None:
    me, _ = await busy(wallets)
    whole = await history(wallets, me)
    assert await history(wallets, me, **fields) == [whole[number - 1] for number in kept]


async def test_filters_by_counterparty_and_time(wallets: Wallets) -> None:
    me, other = await busy(wallets)
    wallets.clock.advance(60)
    paid = await wallets.pay(me, other, 1)
    wallets.clock.advance(60)
    await wallets.pay(me, other, 2)
    lines = await history(wallets, me, counterparty_account_id=other.account)
    assert {line.counterparty_account_id for line in lines} == {other.account}
    assert len(lines) == 8
    booked = paid.transfer.create_time
    since = await history(wallets, me, from_time=booked)
    assert [line.amount.minor_units for line in since] == [2, 1]
    until = await history(wallets, me, to_time=booked)
    assert len(until) == 9
    both = await history(
        wallets, me, from_time=booked, to_time=from_microseconds(booked.ToMicroseconds() + 1)
    )
    assert [line.amount.minor_units for line in both] == [1]
    assert await history(wallets, me, from_time=from_microseconds(wallets.clock.now_us() + 1)) == []


async def test_a_payees_search_never_finds_the_payers_reference(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    await wallets.pay(me, other, 5, reference="hidden-7")
    assert len(await history(wallets, me, text="hidden")) == 1
    assert await history(wallets, other, text="hidden") == []


async def pages(wallets: Wallets, person: Person, **fields: Any) -> list[list[wallet_pb2.Movement]]:
    found, token = [], ""
    while True:
        reply = await wallets.ask(
            "ListTransactions",
            person.principal,
            account_id=person.account,
            page_token=token,
            **fields,
        )
        found.append(list(reply.movements))
        token = reply.next_page_token
        if not token:
            return found


async def test_pages_are_stable_while_money_moves(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1_000), await wallets.person()
    for number in range(1, 8):
        await wallets.pay(me, other, number)
    whole = await history(wallets, me)
    fields = {"account_id": me.account, "page_size": 3}
    first = await wallets.ask("ListTransactions", me.principal, **fields)
    await wallets.pay(me, other, 99)
    second = await wallets.ask(
        "ListTransactions", me.principal, page_token=first.next_page_token, **fields
    )
    assert [*first.movements, *second.movements] == whole[:6]
    # The token is good for this caller and these arguments only.
    other_fields = {**fields, "text": "x", "page_token": first.next_page_token}
    assert (
        await reason(wallets.ask("ListTransactions", me.principal, **other_fields))
        == "INVALID_PAGE_TOKEN"
    )
    stolen = {**fields, "page_token": first.next_page_token}
    assert await reason(wallets.ask("ListTransactions", **stolen)) == "INVALID_PAGE_TOKEN"


async def test_a_filtered_list_reads_a_bounded_part(
    wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be empty and go on: no filter makes one call read a whole history."""
    me, other = await wallets.person(funds=1_000), await wallets.person()
    await wallets.pay(me, other, 500, description="the needle")
    for _ in range(12):
        await wallets.pay(me, other, 1)
    monkeypatch.setattr(queries, "SCAN_VERSIONS", 2)
    monkeypatch.setattr(queries, "SCAN_STATEMENTS_MAX", 2)
    found = await pages(wallets, me, text="needle")
    assert [len(page) for page in found] == [0, 0, 0, 1]
    everything = [line for page in await pages(wallets, me, page_size=5) for line in page]
    monkeypatch.undo()
    assert everything == await history(wallets, me)


# -- statements --------------------------------------------------------------------------------


async def statement(wallets: Wallets, person: Person, **fields: Any) -> pb.GetStatementResponse:
    fields = {"year": 2026, "month": 1, "account_id": person.account, **fields}
    reply = await wallets.ask("GetStatement", person.principal, **fields)
    assert isinstance(reply, pb.GetStatementResponse)
    return reply


@pytest_asyncio.fixture
async def months(database: Database) -> AsyncIterator[Wallets]:
    """A server of its own whose clock can move by months."""
    async with open_wallets(database.app_dsn, SettableClock()) as opened:
        yield opened


async def test_statements_of_following_months_join(months: Wallets) -> None:
    wallets = months
    me, other = await busy(wallets)
    wallets.clock.advance(40 * DAY_S)
    await wallets.pay(me, other, 1_000)
    await wallets.pay(me, other, 400, delay=2)
    wallets.clock.advance(30 * DAY_S)
    await wallets.jobs.run_once()
    january, february, march = [
        (await statement(wallets, me, month=month)).statement for month in (1, 2, 3)
    ]
    assert january.opening == cash(0)
    assert january.closing == february.opening == cash(9_430)
    assert february.closing == march.opening == cash(8_430)
    assert march.closing == cash(8_030)
    assert [each.complete for each in (january, february, march)] == [True, True, False]
    assert january.time_zone == "Asia/Shanghai"
    for each in (january, february, march):
        assert (
            each.opening.minor_units + each.total_in.minor_units - each.total_out.minor_units
            == each.closing.minor_units
        )
        kinds = {line.kind for line in each.movements}
        assert not kinds & {HOLD, RELEASE}
    assert [line.amount.minor_units for line in march.movements] == [400]


async def test_a_month_ends_at_midnight_of_the_bank(months: Wallets) -> None:
    wallets = months
    me, other = await wallets.person(funds=1_000), await wallets.person()
    # 2026-01-31T16:00Z is midnight of February in Shanghai.
    midnight_us = 1_769_875_200_000_000
    wallets.clock.set_us(midnight_us - 1)
    await wallets.pay(me, other, 1)
    wallets.clock.set_us(midnight_us)
    await wallets.pay(me, other, 2)
    january = (await statement(wallets, me, month=1)).statement
    february = (await statement(wallets, me, month=2)).statement
    assert [line.amount.minor_units for line in january.movements] == [1_000, 1]
    assert [line.amount.minor_units for line in february.movements] == [2]
    assert february.opening == january.closing == cash(999)


async def test_an_empty_month_is_stated(months: Wallets) -> None:
    me = await months.person()
    months.clock.advance(40 * DAY_S)
    empty = (await statement(months, me, month=1)).statement
    assert (empty.opening, empty.closing, len(empty.movements)) == (cash(0), cash(0), 0)
    document = (
        await statement(months, me, month=1, format=wallet_pb2.STATEMENT_FORMAT_PDF)
    ).document
    assert "No movements" in pdf_text(document)


async def test_months_outside_the_accounts_life_are_refused(months: Wallets) -> None:
    me = await months.person()
    for year, month in ((2025, 12), (2026, 2), (9999, 12), (2000, 1)):
        asked = statement(months, me, year=year, month=month)
        assert await reason(asked) == "STATEMENT_MONTH_INVALID"


async def test_a_month_with_too_many_lines_is_refused(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1_000), await wallets.person()
    items = [{"payee": {"account_id": other.account}, "amount": cash(1)} for _ in range(49)]
    await wallets.ask("BatchTransfers", from_account_id=me.account, items=items)
    assert len((await statement(wallets, me)).statement.movements) == 50
    await wallets.pay(me, other, 1)
    with pytest.raises(Refusal) as caught:
        await statement(wallets, me)
    assert caught.value.reason == "STATEMENT_TOO_LARGE"
    assert caught.value.metadata == {"month": "2026-01", "limit": "50"}


def pdf_text(document: bytes) -> str:
    reader = pypdf.PdfReader(io.BytesIO(document))
    return "\n".join(page.extract_text() for page in reader.pages)


async def test_the_csv_document_adds_up(wallets: Wallets) -> None:
    me, _ = await busy(wallets)
    reply = await statement(wallets, me, format=wallet_pb2.STATEMENT_FORMAT_CSV)
    assert reply.media_type == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(reply.document.decode("utf-8-sig"), newline="")))
    balance = Decimal(lines[0]["balance"])
    for line in lines[1:-1]:
        amount = Decimal(line["amount"])
        balance += amount if line["direction"] == "IN" else -amount
        assert Decimal(line["balance"]) == balance
    assert Decimal(lines[-1]["balance"]) == balance == Decimal("94.30")
    assert [line["transaction"] for line in lines[1:-1]] == [
        line.transaction_id for line in reply.statement.movements
    ]


async def test_the_json_document_is_the_statement(wallets: Wallets) -> None:
    me, _ = await busy(wallets)
    reply = await statement(wallets, me, format=wallet_pb2.STATEMENT_FORMAT_JSON)
    assert reply.media_type == "application/json"
    assert json_format.Parse(reply.document, wallet_pb2.Statement()) == reply.statement


AMOUNT = re.compile(r"^\d+\.\d\d$")


async def test_the_pdf_document_adds_up(wallets: Wallets) -> None:
    me, other = await busy(wallets)
    await wallets.pay(other, me, 12, description="#strong[not] *markup* $x$ 晚饭")
    reply = await statement(wallets, me, format=wallet_pb2.STATEMENT_FORMAT_PDF)
    assert reply.media_type == "application/pdf"
    assert reply.document.startswith(b"%PDF-")
    text = pdf_text(reply.document)
    assert me.account in text
    # What people write is shown as they wrote it, Chinese included.
    assert "#strong[not] *markup* $x$ 晚饭" in text
    assert "*明" in text
    amounts = [Decimal(word) for word in text.split() if AMOUNT.match(word)]
    opening, total_in, total_out, closing = amounts[:4]
    assert opening + total_in - total_out == closing == Decimal("94.42")
    balance = opening
    for amount, after in zip(amounts[4::2], amounts[5::2], strict=True):
        assert after in {balance + amount, balance - amount}
        balance = after
    assert balance == closing


async def test_setting_a_page_leaves_the_event_loop_free(wallets: Wallets) -> None:
    me, _ = await busy(wallets)
    document = asyncio.create_task(statement(wallets, me, format=wallet_pb2.STATEMENT_FORMAT_PDF))
    answered = 0
    while not document.done():
        await wallets.balance(me)
        answered += 1
    assert (await document).document
    assert answered > 5


def presses() -> list[psutil.Process]:
    """Processes of ours that set pages, ended but not collected ones included."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            ended = child.status() == psutil.STATUS_ZOMBIE
            if ended or "longmen_server.accounts.statement_pdf" in child.cmdline():
                found.append(child)
    return found


async def test_a_page_nobody_waits_for_is_not_set_to_its_end(wallets: Wallets) -> None:
    del wallets
    press = PdfPress(parallel_max=1, waiting_max=0)
    setting = asyncio.create_task(press.set_pages(b"{}"))
    await until(lambda: bool(presses()), "a process begins to set the page")
    setting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await setting
    assert presses() == []
    assert not press._turns.locked()


async def test_giving_up_at_any_moment_leaves_nothing_behind() -> None:
    press = PdfPress(parallel_max=1, waiting_max=0)
    for steps in range(12):
        setting = asyncio.create_task(press.set_pages(b"{}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        setting.cancel()
        await asyncio.gather(setting, return_exceptions=True)
        assert not press._turns.locked()
    await until(lambda: not presses(), "no process is left")


async def test_pages_beyond_those_that_may_wait_are_refused() -> None:
    press = PdfPress(parallel_max=1, waiting_max=1)
    await press._turns.acquire()
    waiting = asyncio.create_task(press.set_pages(b"{}"))
    await asyncio.sleep(0)
    assert await reason(press.set_pages(b"{}")) == "OVERLOADED"
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_page_that_cannot_be_set_says_why() -> None:
    press = PdfPress(parallel_max=1, waiting_max=1)
    with pytest.raises(RuntimeError, match="could not be set"):
        await press.set_pages(b'{"lines": []}')


async def test_statements_leave_no_process_behind(wallets: Wallets) -> None:
    me, _ = await busy(wallets)
    await statement(wallets, me, format=wallet_pb2.STATEMENT_FORMAT_PDF)
    assert presses() == []


async def test_reversed_and_captured_postings_are_stated(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    held = await wallets.hold(me.account_id, other.account_id, 40)
    await wallets.settle(held, PostingKind.CAPTURE, amount=15, final=True)
    lines = (await statement(wallets, me)).statement.movements
    assert [(line.kind, line.amount.minor_units) for line in lines] == [(TOP_UP, 100), (OTHER, 15)]
    kinds = [line.kind for line in await history(wallets, me)]
    assert kinds == [RELEASE, OTHER, HOLD, TOP_UP]
    assert TRANSACTION.encode(held) == (await history(wallets, me))[2].transaction_id
    assert ACCOUNT.encode(other.account_id) == lines[1].counterparty_account_id
