"""How large the day is, and what happens in it. Everything follows from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from longmen_client import Money, new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from longmen_client import RequestId

CURRENCY = "CNY"
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN_NAMES = "明华强芳娜敏静丽伟勇艳杰涛磊军洋超秀英霞平刚桂"


class Twist(Enum):
    """What is special about a payment of the day."""

    NONE = "payment"
    REPLAY = "replay"
    """Sent twice under one request id: the second answer is the first again."""
    REUSE = "reuse"
    """Sent again under its request id with another amount: refused."""
    TOO_MUCH = "too much"
    """More than the payer has: refused."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment from a wallet to another."""

    payer: int
    payee: int
    """Places of the wallets; the merchant's is 0."""
    amount: Money
    request_id: RequestId
    twist: Twist


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of everything there is."""

    wallets: int = 1_000
    """Customers; the merchant comes on top."""
    payments: int = 20_000
    hot_percent: int = 40
    """Share of the payments that go to the one merchant."""
    holds: int = 400
    """Holds of the merchant on customers' money."""
    revocable: int = 200
    """Delayed payments; every other one is taken back."""
    payroll: int = 800
    """Customers that the merchant pays wages to, in one batch."""
    reversals: int = 200
    """Payments that the bank takes back."""
    withdrawals: int = 100
    statements: int = 200
    receipts: int = 50
    concurrency: int = 128
    """Calls under way at once."""
    connections: int = 4
    """Connections, so that every worker of the server has something to do."""
    seed: int = 1

    def randomness(self, part: str) -> random.Random:
        """Random numbers of one part of the day, the same for the same seed."""
        return random.Random(f"{self.seed}/{part}")  # noqa: S311 - a story, not a secret

    def top_up(self, place: int) -> Money:
        """What a customer brings in the morning."""
        return Money(self.randomness(f"top-up {place}").randrange(50_000, 500_000), CURRENCY)

    def name(self, place: int) -> str:
        """A customer's name."""
        chance = self.randomness(f"name {place}")
        given = "".join(chance.sample(GIVEN_NAMES, chance.randint(1, 2)))
        return chance.choice(SURNAMES) + given

    def day(self) -> Iterator[Payment]:
        """The payments of the day, in order."""
        chance = self.randomness("payments")
        for _ in range(self.payments):
            payer = chance.randint(1, self.wallets)
            payee = 0 if chance.randrange(100) < self.hot_percent else self._other(chance, payer)
            twist = chance.choices(
                (Twist.NONE, Twist.REPLAY, Twist.REUSE, Twist.TOO_MUCH), (920, 50, 10, 20)
            )[0]
            minor_units = chance.randrange(100, 5_000)
            if twist is Twist.TOO_MUCH:
                minor_units += 100_000_000
            yield Payment(payer, payee, Money(minor_units, CURRENCY), new_request_id(), twist)

    def chosen(self, part: str, count: int) -> Sequence[int]:
        """Customers picked for a part of the day, each at most once."""
        return self.randomness(part).sample(range(1, self.wallets + 1), min(count, self.wallets))

    def _other(self, chance: random.Random, payer: int) -> int:
        """A customer other than the payer."""
        place = chance.randint(1, self.wallets - 1)
        return place if place < payer else place + 1


SMALL = Plan(
    wallets=40,
    payments=400,
    holds=20,
    revocable=10,
    payroll=20,
    reversals=10,
    withdrawals=5,
    statements=10,
    receipts=5,
    concurrency=32,
    connections=2,
)
"""A day for tests."""
