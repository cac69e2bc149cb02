"""A traveller's day in five currencies, and the bank's: from real rates to books that agree.

Every step goes through the public clients against a running server, and says what came of it.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from longmen.fx.v1 import order_pb2
from longmen_app import Exchange, Wallet
from longmen_client import Client, LongmenError, Money
from longmen_server.demo.identity import Step, StoryError, new_phone
from longmen_server.fxrates.seed import packaged_history

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from longmen_client import Config

HOME: Final = "CNY"
FUNDS: Final = Money(900_000, HOME)
BANK_ACCOUNT: Final = "6222021234567894"
ROUTE: Final = (
    (Money(300_000, "CNY"), "CNY", "USD"),
    (Money(20_000, "USD"), "USD", "EUR"),
    (Money(5_000, "GBP"), "EUR", "GBP"),
    (Money(10_000, "JPY"), "CNY", "JPY"),
    (Money(100_000, "THB"), "CNY", "THB"),
)
"""What is paid or got, and from which currency into which: a day in five of them beside one's own.
The amount's currency says which side is fixed."""
LIMIT: Final = Money(50_000, HOME)
NO_FEED: Final = "AED"
"""A currency that is dealt in, but in no feed of the European Central Bank."""
OLD: Final = dt.timedelta(days=3 * 365)
BROKEN: Final = (
    b"<Envelope><Cube><Cube time='2026-10-30'>"
    b"<Cube currency='USD' rate='NaN'/><Cube currency='JPY' rate='0'/></Cube></Cube></Envelope>"
)
WAIT_S: Final = 60.0
"""How long the server may take for what it does by itself."""
POLL_S: Final = 0.1
IMPORT_S: Final = 10.0
"""How long the whole history may take."""


@dataclass(kw_only=True)
class FxStory:
    """The day, step by step."""

    config: Config
    """How to reach the server as a service of the bank."""
    tell: Callable[[Step], None]
    """Told of each step as it is done."""
    steps: list[Step] = field(default_factory=list)

    def play(self) -> list[Step]:
        """Play all of it.

        Raises:
            StoryError: a step came out otherwise than it has to.
            LongmenError: the server refused what it must not refuse.
        """
        with Client(self.config) as bank:
            self._import(bank)
            wallet = Wallet.open(
                bank, phone_number=new_phone(), display_name="Traveller", currency_code=HOME
            )
            wallet.top_up(FUNDS, bank_account=BANK_ACCOUNT)
            for amount, pay, get in ROUTE:
                self._exchange(wallet, amount, pay, get)
            self._exchange_once(wallet)
            self._there_and_back(wallet)
            self._take_back(bank, wallet)
            self._wait_for_a_rate(bank, wallet)
            self._refuse_feeds(bank)
            self._close_the_day(bank)
            self._compare(bank)
            self._verify(bank)
        return self.steps

    def _done(self, title: str, result: str) -> None:
        step = Step(title, result)
        self.steps.append(step)
        self.tell(step)

    # -- rates ---------------------------------------------------------------------------------

    def _import(self, bank: Client) -> None:
        begun = time.monotonic()
        reply = bank.rates.import_rates(content=packaged_history()).message
        seconds = time.monotonic() - begun
        days = reply.day_count + reply.known_day_count
        if seconds > IMPORT_S:
            raise StoryError(f"importing {days:,} days took {seconds:.1f} s")
        self._done(
            "import the history", f"{days:,} days, {reply.day_count:,} new, in {seconds:.1f} s"
        )

    def _refuse_feeds(self, bank: Client) -> None:
        """A damaged feed is refused with its lines, and an old rate with its age."""
        problems = self._refused(
            "FX_FEED_INVALID", lambda: bank.rates.import_rates(content=BROKEN).message
        )
        self._done("send a damaged feed", f"FX_FEED_INVALID: {problems['problems']}")
        known = {one.currency_code: one for one in bank.rates.list_currencies().currencies}
        if not known[NO_FEED].rate:
            now = bank.admin.get_clock().time.ToDatetime(dt.UTC)
            bank.rates.set_rate(currency_code=NO_FEED, rate="4.1", observe_time=now - OLD)
        stale = self._refused(
            "FX_RATE_STALE",
            lambda: bank.rates.get_rate(source_currency_code=NO_FEED, target_currency_code=HOME),
        )
        days = int(stale["age_seconds"]) // 86_400
        self._done("deal at a stale feed", f"FX_RATE_STALE: {NO_FEED} is {days:,} days old")

    # -- the traveller -------------------------------------------------------------------------

    def _exchange(self, wallet: Wallet, amount: Money, pay: str, get: str) -> None:
        offer = Exchange.offer(wallet, amount, pay, get, lock_seconds=1800, open_pocket=True)
        before = wallet.balance(pay).available, wallet.balance(get).available
        offer.confirm()
        after = wallet.balance(pay).available, wallet.balance(get).available
        if (before[0] - after[0], after[1] - before[1]) != (offer.pays, offer.gets):
            raise StoryError(f"{pay} to {get} was not what was shown")
        shown = f"{offer.pays} for {offer.gets} at {offer.rate}, spread {offer.spread}"
        self._done(f"exchange {pay} into {get}", f"{shown}, fee {offer.fee}")

    def _exchange_once(self, wallet: Wallet) -> None:
        offer = Exchange.offer(wallet, Money(10_000, HOME), HOME, "USD", lock_seconds=60)
        done = offer.confirm()
        told = self._refused(
            "FX_QUOTE_USED",
            lambda: (
                wallet.bank.conversions.execute_quote(
                    quote_id=offer.quote_id, source_amount=offer.pays, target_amount=offer.gets
                ).message
            ),
        )
        if told["conversion_id"] != done.conversion_id:
            raise StoryError("a used quote names another conversion")
        self._done("confirm a quote twice", f"FX_QUOTE_USED: it became {done.conversion_id}")

    def _there_and_back(self, wallet: Wallet) -> None:
        spent = Money(10_000, HOME)
        there = Exchange.offer(wallet, spent, HOME, "USD")
        there.confirm()
        back = Exchange.offer(wallet, there.gets, "USD", HOME)
        back.confirm()
        if back.gets.minor_units >= spent.minor_units:
            raise StoryError("there and back has profited the customer")
        self._done("there and back", f"{spent} became {there.gets} became {back.gets}")

    def _take_back(self, bank: Client, wallet: Wallet) -> None:
        before = wallet.balance(HOME).available
        made = Exchange.offer(wallet, Money(20_000, HOME), HOME, "USD").confirm()
        reply = bank.conversions.reverse_conversion(conversion_id=made.conversion_id)
        wallet.remember(reply.committed_at)
        if wallet.balance(HOME).available != before:
            raise StoryError("what was taken back is not what was given")
        told = reply.message.conversion.reversal.transaction_id
        self._done("take an exchange back", f"at its own rate, spread included: {told}")

    def _wait_for_a_rate(self, bank: Client, wallet: Wallet) -> None:
        """A limit order holds its money and is filled by the server when its rate comes."""
        present = Exchange.offer(wallet, LIMIT, HOME, "USD")
        present.give_up()
        limit = f"{Decimal(present.rate) * Decimal('1.002'):.9f}"
        before = wallet.balance(HOME)
        order = bank.limit_orders.create_limit_order(
            from_account_id=wallet.account_id(HOME),
            to_account_id=wallet.account_id("USD"),
            amount=LIMIT,
            target_currency_code="USD",
            rate=limit,
        ).message.order
        held = wallet.balance(HOME)
        if before.available - held.available != LIMIT or held.posted != before.posted:
            raise StoryError("a limit order does not hold its money")
        self._done("place a limit order", f"{LIMIT} at {limit} or more, now {present.rate}")
        known = {one.currency_code: one for one in bank.rates.list_currencies().currencies}
        better = f"{Decimal(known['USD'].rate) * Decimal('1.005'):.6f}"
        now = bank.admin.get_clock().time.ToDatetime(dt.UTC)
        bank.rates.set_rate(currency_code="USD", rate=better, observe_time=now)
        filled = self._filled(bank, order.limit_order_id)
        found = bank.conversions.get_conversion(conversion_id=filled.conversion_id).conversion
        if Decimal(found.client_rate) < Decimal(limit):
            raise StoryError(f"the order was filled at {found.client_rate}, below {limit}")
        self._done("the rate comes", f"the order was filled at {found.client_rate}")

    def _filled(self, bank: Client, limit_order_id: str) -> order_pb2.LimitOrder:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            order = bank.limit_orders.get_limit_order(limit_order_id=limit_order_id).order
            if order.state == order_pb2.LIMIT_ORDER_STATE_FILLED:
                return order
            time.sleep(POLL_S)
        raise StoryError("the limit order was not filled")

    # -- the bank ------------------------------------------------------------------------------

    def _close_the_day(self, bank: Client) -> None:
        day = bank.admin.get_clock().business_date
        first = bank.positions.revalue(business_date=day).message
        again = bank.positions.revalue(business_date=day).message
        if list(first.revaluations) != list(again.revaluations):
            raise StoryError("a business date was closed twice")
        for one in first.revaluations:
            result = one.realised_minor_units + one.unrealised_minor_units
            if one.value_minor_units - one.cost_minor_units != result:
                raise StoryError(f"the result in {one.currency_code} does not add up")
        home = first.home_currency_code
        realised = Money(first.realised_minor_units, home)
        unrealised = Money(first.unrealised_minor_units, home)
        count = len(first.revaluations)
        self._done(
            "close the day", f"{count} positions: realised {realised}, unrealised {unrealised}"
        )

    def _compare(self, bank: Client) -> None:
        """Positions are the balances of the ledger's own accounts, to the minor unit."""
        positions = bank.positions.list_positions().positions
        trial = bank.ledger.get_trial_balance()
        booked = {
            (one.chart_code, one.currency_code): one.credits_posted - one.debits_posted
            for one in trial.lines
        }
        for one in positions:
            if booked.get((2120, one.currency_code), 0) != one.amount_minor_units:
                raise StoryError(f"the position in {one.currency_code} is not the ledger's")
        cost = sum(one.cost_minor_units for one in positions)
        if -booked.get((2130, HOME), 0) != cost:
            raise StoryError("what positions cost is not the ledger's")
        if not trial.balanced:
            raise StoryError("the books do not balance")
        self._done(
            "positions and ledger", f"{len(positions)} agree to the minor unit; books balance"
        )

    def _verify(self, bank: Client) -> None:
        postings = 0
        with bank.admin.verify_ledger() as messages:
            for message in messages:
                if message.HasField("finding"):
                    raise StoryError(f"verify found {message.finding.kind}")
                if message.HasField("summary"):
                    postings = message.summary.posting_count
        self._done("longmen verify", f"nothing to find in {postings:,} postings")

    def _refused(self, reason: str, ask: Callable[[], Message]) -> dict[str, str]:
        """Return the metadata of a refusal that has to come.

        Raises:
            StoryError: it was answered, or refused for something else.
        """
        try:
            ask()
        except LongmenError as error:
            if error.details.reason == reason:
                return dict(error.details.metadata)
            raise
        raise StoryError(f"{reason} did not come")
