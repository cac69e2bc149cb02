"""Two workers, and requests about the same orders at the same time: the books agree afterwards.

What came of each request is left open but for one thing: nothing breaks. The verifier judges.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen_server.app import open_parts
from tests.support.combined import combination
from tests.support.edge import told
from tests.support.phone import Phone
from tests.support.proof import proof_of
from tests.support.sample_requests import merchant, new_plan, terminal
from tests.support.small_bank import SmallBank, cash, open_small_bank, open_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from tests.support.postgres import Database
    from tests.support.small_bank import Person

ROUNDS, AT_ONCE = 6, 12
"""Lives of orders: so many times so many at once."""
AMOUNT_MAX = 400


@pytest.fixture(scope="module")
async def banks(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[SmallBank]]:
    """Two workers of one server."""
    async with (
        open_small_bank(module_database, tmp_path_factory.mktemp("workers")) as first,
        open_parts(first.parts.settings, 1) as parts,
        open_worker(parts, first.tokens) as channel,
    ):
        second = SmallBank(parts, first.tokens, channel, module_database.admin_dsn)
        yield [first, second]
        second.close()


class Market:
    """Two shops, their payers, and whatever may happen to an order."""

    def __init__(self, banks: list[SmallBank], chance: random.Random) -> None:
        self.banks = banks
        self.chance = chance
        self.answers: Counter[str] = Counter()
        self.shops: list[str] = []
        self.payers: list[Person] = []
        self.phones: list[Phone] = []
        self.till = ""
        self.traces = 0

    async def set_up(self) -> None:
        bank = self.banks[0]
        owners = [await bank.person() for _ in range(2)]
        for owner in owners:
            self.shops.append(await merchant(bank, owner))
            await bank.do("PlansService/SetPlan", **await new_plan(bank, owner))
        self.till = await terminal(bank, owners[0])
        pair = {"merchant_id": self.shops[0], "receiver_id": self.shops[1]}
        await bank.do("SharingService/AskReceiver", **pair)
        await bank.do("SharingService/ConfirmReceiver", **pair)
        self.payers = [await bank.person() for _ in range(3)]
        self.phones = [await Phone.of(bank, payer) for payer in self.payers]

    async def ask(self, name: str, **fields: Any) -> Any:
        """Ask either worker; None for a refusal."""
        try:
            reply = await self.chance.choice(self.banks).do(name, **fields)
        except grpc.aio.AioRpcError as error:
            self.answers[told(error).reason] += 1
            return None
        self.answers["ok"] += 1
        return reply

    def amount(self, most: int = AMOUNT_MAX) -> dict[str, Any]:
        return cash(self.chance.randint(1, most))

    def payer(self) -> str:
        return self.chance.choice(self.payers).account

    def number(self, many: int = 3) -> str:
        return str(self.chance.randrange(many))

    async def at_once(self, *requests: Coroutine[Any, Any, Any]) -> None:
        await asyncio.gather(*requests)

    async def order(self) -> None:
        """An order that two payers want, and everybody does something about afterwards."""
        new_id = self.banks[0].new_request_id()
        made = await self.ask(
            "PaymentsService/CreateOrder",
            merchant_id=self.shops[0],
            order_number=new_id,
            amount=self.amount(),
        )
        order = {"order_id": made.order.order_id}
        way = self.chance.choice(
            [
                "PaymentsService/PayOrder",
                "AuthorizationsService/AuthorizeOrder",
                "AuthorizationsService/AuthorizeOrder",
            ]
        )
        paying = {**order, "amount": made.order.amount}
        await self.at_once(
            *(self.ask(way, from_account_id=self.payer(), **paying) for _ in range(2)),
            self.ask("AuthorizationsService/VoidOrder", **order),
        )
        share = {**order, "share_number": self.number(2)}
        deeds: list[tuple[str, dict[str, Any]]] = [
            ("PaymentsService/RefundOrder", {"refund_number": self.number()}),
            ("AuthorizationsService/CaptureOrder", {"capture_number": self.number()}),
            ("AuthorizationsService/IncrementAuthorization", {}),
            ("SharingService/HoldShares", {}),
            ("SharingService/ShareOrder", {**share, "receiver_id": self.shops[1]}),
        ]
        chosen = [self.chance.choice(deeds) for _ in range(self.chance.randint(3, 6))]
        await self.at_once(
            *(
                self.ask(name, **{**order, **fields, "amount": self.amount(60)})
                for name, fields in chosen
            ),
            self.ask("SharingService/ReturnShare", **share, return_number=self.number()),
            self.ask("AuthorizationsService/VoidOrder", **order),
        )

    async def scan(self) -> None:
        """A code that is scanned twice, while the till gives up."""
        self.traces += 1
        till = {
            "terminal_id": self.till,
            "trace_number": self.traces,
            "business_date": "2026-11-22",
        }
        number = {"merchant_id": self.shops[0], "order_number": self.banks[0].new_request_id()}
        sale = {**number, **till, "amount": self.amount(), "supersede": True}
        sale["code"] = self.chance.choice(self.phones).code()
        requests = [
            self.ask("PaymentsService/PayByCode", **sale),
            self.ask("PaymentsService/PayByCode", **sale),
            self.ask("PaymentsService/ReverseByTerminalRef", **till),
            self.ask("PaymentsService/ResolveOrder", **number),
        ]
        self.chance.shuffle(requests)
        await self.at_once(*requests)

    async def basket(self) -> None:
        """A combined order that several pay, while a shop closes its part."""
        fields = combination(self.banks[0], self.shops, *(self.chance.sample(range(1, 300), 2)))
        made = await self.ask("CombinedOrdersService/CreateCombinedOrder", **fields)
        combined = made.combined_order
        paying = {"combined_order_id": combined.combined_order_id, "total": combined.total}
        name = "CombinedOrdersService/PayCombinedOrder"
        await self.at_once(
            *(self.ask(name, from_account_id=self.payer(), **paying) for _ in range(3)),
            self.ask("PaymentsService/CloseOrder", order_id=combined.parts[0].order_id),
        )


async def test_whoever_comes_first_the_books_agree(banks: list[SmallBank]) -> None:
    market = Market(banks, random.Random(7))
    await market.set_up()
    lives = (market.order, market.order, market.scan, market.basket)
    for _ in range(ROUNDS):
        await asyncio.gather(*(lives[place % len(lives)]() for place in range(AT_ONCE)))
    assert market.answers["INTERNAL"] == 0
    assert market.answers["ok"] > sum(market.answers.values()) / 4
    parts = banks[0].parts
    assert parts.settings.dsn is not None
    findings, _, _ = await proof_of(parts.settings.dsn, parts.clock)
    assert findings == []
