"""How large the market is, and who buys what. Everything follows from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from longmen_server.demo.plan import GIVEN_NAMES, SURNAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

GOODS = ("tea", "noodles", "dumplings", "fruit", "books", "flowers", "shoes", "cakes", "fans")
BASIS_POINTS = Decimal(10_000)
TIPPED_EVERY = 4


@dataclass(frozen=True, slots=True)
class Trade:
    """One sale that somebody has in mind."""

    number: int
    stall: int
    shopper: int
    """Places of the stall and of who buys."""
    amount: int
    """Minor units."""

    @property
    def tip(self) -> int:
        """What the buyer gives besides: a tenth at every fourth sale, rounded down."""
        return self.amount // 10 if self.number % TIPPED_EVERY == 0 else 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a stall pays for each payment, and what of it comes back with a refund."""

    basis_points: int
    fixed: int
    """Minor units on top of the share."""
    pro_rata: bool
    """Whether a part of the fee comes back with a part of the money; else it is kept."""

    def fee(self, amount: int) -> int:
        """What a payment costs: reckoned in decimals here, in whole numbers by the server."""
        share = (Decimal(amount) * self.basis_points / BASIS_POINTS).quantize(
            Decimal(1), ROUND_HALF_UP
        )
        return min(int(share) + self.fixed, amount)

    def fee_returned(self, fee: int, *, refunded: int, paid: int) -> int:
        """What of a fee has come back once so much of a payment was refunded."""
        return int(Decimal(fee) * refunded // Decimal(paid)) if self.pro_rata else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPlan:
    """How much of everything there is."""

    merchants: int = 50
    customers: int = 500
    """Those whose wallets the bank opens."""
    phones: int = 20
    """Customers who register by themselves, with a device and a payment PIN."""
    scanned: int = 800
    """Sales at which the till scans the payer."""
    shown: int = 400
    """Sales at which the payer scans the till."""
    printed: int = 200
    """Sales by the printed code of a stall."""
    approved: int = 40
    """Sales too large to go without a PIN; of every fifth the payer says no."""
    refunds: int = 200
    lost: int = 4
    """Tills lost in the middle of a sale; every other one with its journal."""
    offline: int = 5
    """Stalls without a network for half an hour."""
    offline_sales: int = 6
    """Sales that each of them stores in it, to customers who have the money."""
    concurrency: int = 48
    connections: int = 4
    seed: int = 1

    def randomness(self, part: str) -> random.Random:
        """Random numbers of one part of the day, the same for the same seed."""
        return random.Random(f"{self.seed}/{part}")  # noqa: S311 - a story, not a secret

    def name(self, place: int) -> str:
        """A customer's name."""
        chance = self.randomness(f"name {place}")
        return chance.choice(SURNAMES) + "".join(chance.sample(GIVEN_NAMES, chance.randint(1, 2)))

    def terms(self, place: int) -> Terms:
        """What a stall has agreed on."""
        chance = self.randomness(f"terms {place}")
        return Terms(chance.choice((25, 38, 60)), chance.choice((0, 0, 1)), bool(place % 2))

    def trades(self, part: str, count: int, shoppers: int) -> Iterator[Trade]:
        """The sales of a part of the day: every stall in turn, and every shopper."""
        chance = self.randomness(part)
        order = list(range(shoppers))
        chance.shuffle(order)
        for number in range(count):
            yield Trade(
                number,
                number % self.merchants,
                order[number % shoppers],
                chance.randrange(150, 4_800),
            )


SMALL_MARKET = ShopPlan(
    merchants=4,
    customers=12,
    phones=2,
    scanned=30,
    shown=10,
    printed=6,
    approved=5,
    refunds=10,
    lost=2,
    offline=1,
    offline_sales=2,
    concurrency=8,
    connections=2,
)
"""A market for tests."""
