"""Positions at the close of business dates: what is booked, once, and that it is the ledger's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from longmen.events.v1 import event_pb2
from longmen_server.jobs.fx_days import FxDays
from longmen_server.settlements.calendar import CALENDAR, DAY
from tests.support.exchange import converted, feed, pocket
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

HOUR_S = 3_600


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def owner(bank: SmallBank) -> Person:
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(990_000),
        bank_account="6222021234567890",
    )
    return person


def today(bank: SmallBank) -> dt.date:
    return CALENDAR.date_of(bank.parts.clock.now_us())


async def revalue(bank: SmallBank, day: dt.date) -> Any:
    return await bank.do("PositionsService/Revalue", business_date=day.isoformat())


async def refused(bank: SmallBank, day: dt.date) -> Told:
    method = BY_NAME["PositionsService/Revalue"]
    request: Any = method.request_class(
        business_date=day.isoformat(), request_id=bank.new_request_id()
    )
    return await bank.refused(method, request, SERVICE)


async def move_to_next_day(bank: SmallBank) -> dt.date:
    day = today(bank) + DAY
    seconds = CALENDAR.end_us(day - DAY) // 1_000_000 + HOUR_S
    await bank.do("AdminService/SetClock", time={"seconds": seconds})
    return day


async def position(bank: SmallBank, code: str) -> Any:
    return (await bank.do("PositionsService/GetPosition", currency_code=code)).position


async def booked(bank: SmallBank, chart_code: int) -> int:
    """What stands on a line of the chart in the home currency."""
    lines = (await bank.do("LedgerService/GetTrialBalance")).lines
    return sum(
        one.credits_posted - one.debits_posted
        for one in lines
        if (one.currency_code, one.chart_code) == ("CNY", chart_code)
    )


async def test_business_dates_are_closed(
    bank: SmallBank, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, since each begins with what the one before has left."""
    await is_closed_once_and_its_result_booked(bank, owner)
    await are_closed_in_order(bank)
    await ended_is_closed_by_the_server(bank, owner)
    await is_not_closed_at_rates_too_old(bank, monkeypatch)


async def is_closed_once_and_its_result_booked(bank: SmallBank, owner: Person) -> None:
    """The bank sells dollars, buys some back, and the dollar falls before the close."""
    await converted(bank, owner, amount=500_000)
    dollars = await pocket(bank, owner, "USD")
    await bank.do(
        "RatesService/ImportRates",
        content=feed(("USD", "1.12"), ("CNY", "7.40"), day="2026-11-03"),
    )
    await bank.do(
        "ConversionsService/Convert",
        from_account_id=dollars,
        to_account_id=owner.account,
        amount=cash(30_000, "USD"),
        counter_currency_code="CNY",
    )
    before = await position(bank, "USD")
    assert before.revaluation_date == ""
    day = today(bank)
    reply = await revalue(bank, day)
    (found,) = reply.revaluations
    # 751.55 USD sold for 5,000.00; 300.00 of them bought back for 1,982.14, which is 13.74 less
    # than they were sold for; the other 451.55 were sold for 3,004.12 and cost 2,983.46.
    assert (found.bought_minor_units, found.sold_minor_units) == (30_000, 75_155)
    assert found.amount_minor_units == before.amount_minor_units == -45_155
    assert found.cost_minor_units == before.cost_minor_units == -301_786
    assert found.value_minor_units == before.value_minor_units == -298_346
    assert (found.realised_minor_units, found.unrealised_minor_units) == (1_374, 2_066)
    assert (reply.realised_minor_units, reply.unrealised_minor_units) == (1_374, 2_066)
    assert (await booked(bank, 4030), await booked(bank, 4040)) == (1_374, 2_066)
    after = await position(bank, "USD")
    assert (after.cost_minor_units, after.result_minor_units) == (-298_346, 0)
    assert after.revaluation_date == day.isoformat()
    again = await revalue(bank, day)
    assert list(again.revaluations) == [found]
    assert await booked(bank, 4030) == 1_374
    events = await bank.do(
        "EventsService/ListEvents", types=[event_pb2.EVENT_TYPE_FX_REVALUED], page_size=1000
    )
    (event,) = events.events
    assert event.subject_id == found.transaction_id
    assert event.fx_revaluation.business_date == day.isoformat()
    assert event.fx_revaluation.unrealised_minor_units == 2_066


async def are_closed_in_order(bank: SmallBank) -> None:
    day = today(bank)
    early = await refused(bank, day + DAY)
    assert early.reason == "FX_REVALUATION_EARLY"
    assert early.metadata["present_date"] == day.isoformat()
    late = await refused(bank, day - DAY)
    assert late.reason == "FX_REVALUATION_SUPERSEDED"
    assert late.metadata["last_date"] == day.isoformat()
    method = BY_NAME["PositionsService/Revalue"]
    request: Any = method.request_class(
        business_date="2026-02-30", request_id=bank.new_request_id()
    )
    told = await bank.refused(method, request, SERVICE)
    assert told.metadata == {"rules": "business_date.day"}


async def ended_is_closed_by_the_server(bank: SmallBank, owner: Person) -> None:
    ended = await move_to_next_day(bank)
    yen = await pocket(bank, owner, "JPY")
    await converted(bank, owner, to_account_id=yen, counter_currency_code="JPY")
    following = await move_to_next_day(bank)
    await bank.do(
        "RatesService/ImportRates",
        content=feed(("USD", "1.13"), ("CNY", "7.40"), ("JPY", "176"), day="2026-11-04"),
    )
    assert following == ended + DAY
    job = FxDays(lambda _: bank.parts.clock.now_us())
    async with bank.workplace() as workplace:

        async def take(progress: int) -> Any:
            return await job.take(replace(workplace, progress=progress))

        done = await take(ended.toordinal())
        assert done.progress == following.toordinal()
        assert (await take(done.progress)).items == 0
        assert (await take(ended.toordinal())).items == 1
    pages: list[Any] = []
    token = ""
    while not pages or token:
        page = await bank.do("PositionsService/ListRevaluations", page_size=1, page_token=token)
        pages.extend(page.revaluations)
        token = page.next_page_token
    told = [(one.business_date, one.currency_code) for one in pages]
    assert told == [
        (ended.isoformat(), "JPY"),
        (ended.isoformat(), "USD"),
        ((ended - DAY).isoformat(), "USD"),
    ]
    whole = await bank.do("LedgerService/GetTransaction", transaction_id=pages[0].transaction_id)
    for posting in whole.transaction.postings:
        # It was booked on the following date and counts on its own.
        at = posting.effective_time
        assert CALENDAR.date_of(at.seconds * 1_000_000 + at.nanos // 1_000) == ended
    only = await bank.do("PositionsService/ListRevaluations", currency_code="JPY")
    assert list(only.revaluations) == pages[:1]


async def is_not_closed_at_rates_too_old(bank: SmallBank, monkeypatch: pytest.MonkeyPatch) -> None:
    day = await move_to_next_day(bank)
    before = bank.contents(but=frozenset({"request_record"}))
    monkeypatch.setattr("longmen_server.fxrates.settings.TRIAL_AGE_US", 1_000_000)
    assert (await refused(bank, day)).reason == "FX_RATE_STALE"
    assert bank.contents(but=frozenset({"request_record"})) == before
