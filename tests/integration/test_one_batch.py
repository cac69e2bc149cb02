"""Requests that are decided in one batch, each after those before it: as if they came in turn.

What a request needs loaded it names before any of them is decided, so it may not see yet whom an
order is paid by, or that it is paid at all.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from tests.support.edge import told
from tests.support.phone import Phone
from tests.support.sample_requests import merchant, new_plan, terminal
from tests.support.small_bank import BOOK, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from longmen_server.engine.batch import Entry
    from tests.support.postgres import Database

AMOUNT = 300


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("batch")) as opened:
        yield opened


class Scene:
    """An order of a merchant that pays fees, not paid yet, and who is to pay it."""

    def __init__(self, bank: SmallBank) -> None:
        self.bank = bank
        self.requests: dict[str, tuple[str, dict[str, Any]]] = {}

    async def set_up(self) -> None:
        bank = self.bank
        owner, payer = await bank.person(), await bank.person()
        merchant_id = await merchant(bank, owner)
        plan = await new_plan(bank, owner)
        await bank.do("PlansService/SetPlan", **plan)
        number = {"merchant_id": merchant_id, "order_number": bank.new_request_id()}
        sale = {**number, "amount": cash(AMOUNT), "description": "tea"}
        made = (await bank.do("PaymentsService/CreateOrder", **sale)).order
        order = {"order_id": made.order_id}
        whole = {**order, "amount": cash(AMOUNT)}
        paying = {**whole, "from_account_id": payer.account}
        till = {
            "terminal_id": await terminal(bank, owner),
            "trace_number": 7,
            "business_date": "2026-11-22",
        }
        code = (await Phone.of(bank, payer)).code()
        other = {**sale, "order_number": bank.new_request_id(), **till}
        self.requests = {
            "plan": ("PlansService/SetPlan", plan),
            "pay": ("PaymentsService/PayOrder", paying),
            "scan": ("PaymentsService/PayByCode", {**other, "code": code}),
            "reverse": ("PaymentsService/ReverseByTerminalRef", till),
            "resolve": ("PaymentsService/ResolveOrder", number),
            "close": ("PaymentsService/CloseOrder", order),
            "refund": ("PaymentsService/RefundOrder", {**whole, "refund_number": "1"}),
            "authorize": ("AuthorizationsService/AuthorizeOrder", paying),
            "increment": (
                "AuthorizationsService/IncrementAuthorization",
                {**order, "amount": cash(50)},
            ),
            "capture": ("AuthorizationsService/CaptureOrder", {**whole, "capture_number": "1"}),
            "void": ("AuthorizationsService/VoidOrder", order),
            "hold": ("SharingService/HoldShares", {**order, "amount": cash(60)}),
            "release": ("SharingService/ReleaseShares", order),
        }

    async def ask(self, name: str) -> str:
        method, fields = self.requests[name]
        try:
            await self.bank.do(method, **fields)
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "ok"


async def in_one_batch(bank: SmallBank, *requests: Coroutine[Any, Any, str]) -> list[str]:
    """The answers to requests that are put before the writer together, in their order."""
    writer = bank.parts.engine.writers[BOOK]
    batches, put, waiting = writer.stats.batch_count, writer.put, []
    turns = [asyncio.Event() for _ in range(len(requests) + 1)]

    def hold_back(entry: Entry) -> None:
        waiting.append(entry)
        turns[len(waiting)].set()
        if len(waiting) == len(requests):
            for one in waiting:
                put(one)

    async def in_turn(turn: asyncio.Event, request: Coroutine[Any, Any, str]) -> str:
        await turn.wait()
        return await request

    turns[0].set()
    writer.put = hold_back  # type: ignore[method-assign]
    try:
        told_ = await asyncio.gather(*map(in_turn, turns, requests))
    finally:
        del writer.put
    assert writer.stats.batch_count == batches + 1
    return told_


@pytest.mark.parametrize(
    ("names", "answers"),
    [
        ("pay refund", "ok ok"),
        ("close pay", "ok ORDER_CLOSED"),
        ("pay resolve close", "ok ok ORDER_PAID"),
        ("authorize capture refund", "ok ok ok"),
        ("authorize increment void", "ok ok ok"),
        ("pay hold refund release", "ok ok ok ok"),
        ("scan reverse", "ok ok"),
        ("reverse scan", "ok TERMINAL_REFERENCE_REVERSED"),
        ("plan scan pay", "ok ok ok"),
    ],
)
async def test_each_is_decided_after_those_before_it(
    bank: SmallBank, names: str, answers: str
) -> None:
    scene = Scene(bank)
    await scene.set_up()
    found = await in_one_batch(bank, *(scene.ask(name) for name in names.split()))
    assert found == answers.split()
