"""A book with exchanges of every fate, for what proves books."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from longmen.fx.v1 import conversions_service_pb2
from longmen_server.accounts.model import Actor
from longmen_server.auto_conversions.commands import SetAutoConversion
from longmen_server.auto_conversions.funding import AutoFunding
from longmen_server.conversions.commands import CreateQuote, ExecuteQuote
from longmen_server.conversions.model import ReversalBasis
from longmen_server.conversions.pricing import Asked
from longmen_server.conversions.reversing import ReverseConversion
from longmen_server.fxrates.commands import ImportRates, SetRate
from longmen_server.fxrates.feeds import Sheet
from longmen_server.ledger.chart import BANK_CLEARING
from longmen_server.limit_orders.commands import (
    CancelLimitOrder,
    CreateLimitOrder,
    FillLimitOrder,
)
from longmen_server.platform.clock import DEFAULT_ZONE, from_microseconds
from longmen_server.platform.ids import (
    QUOTE,
    ConversionId,
    CustomerId,
    LimitOrderId,
    PromotionId,
    QuoteId,
    RateImportId,
    new_id,
)
from longmen_server.positions.commands import Revalue
from longmen_server.promotions.commands import CreatePromotion
from longmen_server.promotions.model import PromotionRow
from longmen_server.settlements.calendar import CALENDAR
from longmen_server.transfers.commands import CreateTransfer, Payment
from tests.support.ledger import BOOK, Ledger

if TYPE_CHECKING:
    from longmen_server.platform.ids import AccountId
    from tests.support.clock import SettableClock

__all__ = ["fill_exchange"]


async def fill_exchange(ledger: Ledger, clock: SettableClock) -> None:
    """Rates, exchanges, what waits for a rate, and a close."""
    now = from_microseconds(clock.now_us())
    sheet = Sheet(
        now.date() - timedelta(1),
        {code: Decimal(rate) for code, rate in (("USD", "1.1172"), ("CNY", "7.4326"))},
    )
    await ledger.submit(
        ImportRates(BOOK, None, import_id=RateImportId(new_id(BOOK, clock)), sheets=[sheet])
    )
    await _set_hong_kong(ledger, clock, "8.7652", seconds_ago=1)
    await _promote(ledger, clock)
    dollars, abroad = await _exchanges(ledger, clock)
    await _fill_up(ledger, clock)
    asked = _asked(clock, dollars, abroad, 3_001)
    orders = [await _order(ledger, clock, asked, rate) for rate in ("7.82", "9", "9")]
    await ledger.submit(
        CancelLimitOrder(
            BOOK,
            None,
            limit_order_id=orders[2],
            release_id=ledger.new_transaction_id(),
            actor=Actor(None),
        )
    )
    await _set_hong_kong(ledger, clock, "8.8", seconds_ago=0)
    await ledger.submit(
        FillLimitOrder(
            BOOK,
            limit_order_id=orders[0],
            release_id=ledger.new_transaction_id(),
            asked=_asked(clock, dollars, abroad, 3_001),
            conversion_id=ConversionId(new_id(BOOK, clock)),
            transaction_id=ledger.new_transaction_id(),
        )
    )
    await ledger.submit(
        Revalue(
            BOOK,
            None,
            business_date=CALENDAR.date_of(clock.now_us()),
            transaction_id=ledger.new_transaction_id(),
            age_max_us=lambda listed_us: listed_us,
        )
    )


async def _promote(ledger: Ledger, clock: SettableClock) -> None:
    """A discount of HKD that what follows spends of."""
    now_us = clock.now_us()
    row = PromotionRow(
        promotion_id=PromotionId(new_id(BOOK, clock)),
        from_us=now_us - 1_000_000,
        until_us=now_us + 86_400_000_000,
        budget=1_000_000,
        used=0,
        created_at_us=0,
        ended_at_us=None,
        discount_basis_points=5_000,
        name="Peak",
        tier="any",
        currencies="HKD USD",
    )
    await ledger.submit(CreatePromotion(BOOK, None, row=row, budget_currency="CNY"))


async def _set_hong_kong(
    ledger: Ledger, clock: SettableClock, rate: str, *, seconds_ago: int
) -> None:
    """Set the rate of HKD by hand."""
    await ledger.submit(
        SetRate(
            BOOK,
            None,
            import_id=RateImportId(new_id(BOOK, clock)),
            currency_code="HKD",
            rate=Decimal(rate),
            observed_at_us=clock.now_us() - seconds_ago * 1_000_000,
            agreed=True,
        )
    )


def _asked(clock: SettableClock, dollars: AccountId, abroad: AccountId, amount: int) -> Asked:
    return Asked(
        quote_id=QuoteId(new_id(BOOK, clock)),
        from_account_id=dollars,
        to_account_id=abroad,
        amount=amount,
        currency_code="USD",
        lock_seconds=60,
        tier="standard",
        age_max_us=lambda listed_us: listed_us,
        promoted=True,
    )


async def _order(ledger: Ledger, clock: SettableClock, asked: Asked, rate: str) -> LimitOrderId:
    limit_order_id = LimitOrderId(new_id(BOOK, clock))
    await ledger.submit(
        CreateLimitOrder(
            BOOK,
            None,
            limit_order_id=limit_order_id,
            asked=asked,
            target_currency="HKD",
            rate=rate,
            valid_days=30,
            actor=Actor(None),
            gate=None,
        )
    )
    return limit_order_id


async def _exchanges(ledger: Ledger, clock: SettableClock) -> tuple[AccountId, AccountId]:
    """Conversions across the home currency, two of them taken back, and a quote that is open."""
    owner = CustomerId(new_id(BOOK, clock))
    (bank,) = await ledger.open(code=BANK_CLEARING, currency="USD")
    (dollars,) = await ledger.open(floor=0, owner=owner, currency="USD")
    (abroad,) = await ledger.open(floor=0, owner=owner, currency="HKD")
    (home,) = await ledger.open(floor=0, owner=owner)
    await ledger.move(bank, dollars, 50_000, currency_code="USD")

    async def offered(amount: int, into: AccountId = abroad) -> Any:
        asked = _asked(clock, dollars, into, amount)
        reply = await ledger.submit(CreateQuote(BOOK, None, asked=asked, actor=Actor(None)))
        return conversions_service_pb2.CreateQuoteResponse.FromString(reply).quote

    async def converted(amount: int, into: AccountId = abroad) -> ConversionId:
        quote = await offered(amount, into)
        got = quote.exchange.target_amount
        conversion_id = ConversionId(new_id(BOOK, clock))
        await ledger.submit(
            ExecuteQuote(
                BOOK,
                None,
                quote_id=QUOTE.decode(quote.quote_id),
                source=(quote.exchange.source_amount.minor_units, "USD"),
                target=(got.minor_units, got.currency_code),
                fresh_id=QuoteId(new_id(BOOK, clock)),
                age_max_us=lambda listed_us: listed_us,
                actor=Actor(None),
                conversion_id=conversion_id,
                transaction_id=ledger.new_transaction_id(),
                gate=None,
            )
        )
        return conversion_id

    await offered(77)
    await converted(10_001)
    await converted(2_001, home)
    for basis in ReversalBasis:
        await ledger.submit(
            ReverseConversion(
                BOOK,
                None,
                conversion_id=await converted(5_003),
                basis=basis,
                transaction_id=ledger.new_transaction_id(),
                age_max_us=lambda listed_us: listed_us,
            )
        )
    return dollars, abroad


async def _fill_up(ledger: Ledger, clock: SettableClock) -> None:
    """A payment in HKD that exchanges what it lacks out of USD, as its payer agreed to."""
    owner, other = (CustomerId(new_id(BOOK, clock)) for _ in range(2))
    (bank,) = await ledger.open(code=BANK_CLEARING, currency="USD")
    (dollars,) = await ledger.open(floor=0, owner=owner, currency="USD")
    (abroad,) = await ledger.open(floor=0, owner=owner, currency="HKD")
    (payee,) = await ledger.open(floor=0, owner=other, currency="HKD")
    await ledger.move(bank, dollars, 10_000, currency_code="USD")
    await ledger.submit(
        SetAutoConversion(
            BOOK,
            None,
            account_id=abroad,
            enabled=True,
            source_ids=[dollars],
            payment_max=(1_000, "HKD"),
            day_max=(1_000, "HKD"),
            basis_points_max=200,
            actor=Actor(None),
            gate=None,
        )
    )
    payment = Payment(
        transaction_id=ledger.new_transaction_id(),
        payee_id=payee,
        phone_index=b"",
        amount=777,
        currency_code="HKD",
        description="",
        reference="",
    )
    await ledger.submit(
        CreateTransfer(
            BOOK,
            None,
            payer_id=abroad,
            payment=payment,
            delay=0,
            actor=Actor(None),
            zone=DEFAULT_ZONE,
            funding=AutoFunding(lambda listed_us: listed_us),
        )
    )
