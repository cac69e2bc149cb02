"""Everything the parts of a market day share: stalls, customers, phones, books and the clock."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from longmen_client import Money
from longmen_server.demo.course import Course
from longmen_server.demo.plan import CURRENCY
from longmen_server.demo.shop.books import Books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path

    from longmen_app import AsyncPayerCode, AsyncWallet
    from longmen_client import AsyncClient, Config
    from longmen_merchant import AsyncTill
    from longmen_server.demo.shop.clock import MarketClock
    from longmen_server.demo.shop.listener import Listener
    from longmen_server.demo.shop.plan import ShopPlan
    from longmen_server.demo.tally import Part

_SPEAKER: ContextVar[str] = ContextVar("speaker", default="")
"""The token of the customer whose turn it is: all of them share a few connections."""


def money(minor_units: int) -> Money:
    """An amount in the market's currency."""
    return Money(minor_units, CURRENCY)


def speaker() -> str:
    """The token of the customer whose turn it is."""
    return _SPEAKER.get()


@dataclass(kw_only=True)
class Stall:
    """A merchant with two tills: one that scans and one that shows codes."""

    place: int
    merchant_id: str
    account_id: str
    """What the bank owes it on."""
    config: Config
    """How its systems call: by an API key that signs."""
    office: AsyncClient
    scanner: AsyncTill
    screen: AsyncTill
    printed_code: str
    scanning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A till serves one customer at a time."""
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(kw_only=True)
class Shopper:
    """A customer with a phone that shows codes."""

    account_id: str
    wallet: AsyncWallet
    token: str = ""
    """Empty for those whose own session speaks for them."""
    codes: AsyncPayerCode | None = None
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A customer buys one thing at a time."""

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Let the shared connections speak for this customer."""
        before = _SPEAKER.set(self.token)
        try:
            yield
        finally:
            _SPEAKER.reset(before)

    def next_code(self) -> str:
        """What the phone shows; it needs no network for that."""
        assert self.codes is not None, "every shopper enrols first"
        return self.codes.maker.next_code()


@dataclass(kw_only=True)
class Market(Course):
    """The market of one day."""

    plan: ShopPlan
    config: Config
    """How to reach the server; without a token."""
    customers: AsyncClient
    """Calls for whoever is speaking."""
    keeper: AsyncClient
    """Calls as staff, who hand out API keys."""
    customer_token: Callable[[str], str]
    """Mints the token of a customer."""
    outbox: Path
    """The server's file of messages that would have been sent."""
    folder: Path
    """Where the tills keep their journals."""
    first_number: int
    """Where the customers' phone numbers begin; other runs begin elsewhere."""
    clock: MarketClock
    listener: Listener
    stack: AsyncExitStack
    """Closes what the parts open."""
    books: Books = field(default_factory=Books)
    stalls: list[Stall] = field(default_factory=list)
    shoppers: list[Shopper] = field(default_factory=list)
    phones: list[Shopper] = field(default_factory=list)
    """Customers with a session of their own, who are asked to approve."""

    @property
    def concurrency(self) -> int:
        """Customers served at once."""
        return self.plan.concurrency

    @property
    def facts(self) -> dict[str, Any]:
        """Figures for the report."""
        return self.tally.facts

    def expect(self, holds: object, text: str) -> bool:
        """Note a problem unless something holds; say whether it does."""
        if not holds:
            self.tally.problem(text)
        return bool(holds)

    def note_refused(self, part: Part, reason: str) -> None:
        """Count a "no" that is part of the story."""
        part.refused += 1
        self.tally.refusals[reason] += 1

    def reach(self, **changes: Any) -> Config:
        """How to reach the server, with changes."""
        return dataclasses.replace(self.config, **changes)
