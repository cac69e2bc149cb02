"""Rates through the RPCs: feeds taken whole, jumps held, ages told, and set by two people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import rate_pb2
from longmen_server.fxrates.seed import packaged_history, seed_rates
from tests.support.exchange import feed
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

DAYS = 30
TARGET = rate_pb2.FIXED_SIDE_TARGET


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    """A bank whose book began with the rates that come with the server, up to 30 October 2026."""
    async with open_small_bank(module_database, tmp_path_factory.mktemp("rates")) as opened:
        parts = opened.parts
        for _ in range(2):  # a start after the first finds them
            now = parts.trusted_clock.monotonic()
            await seed_rates(parts.engine, parts.readers, parts.clock, BOOK, days=DAYS, now=now)
        yield opened


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"RatesService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def currency(bank: SmallBank, code: str) -> Any:
    found = (await bank.do("RatesService/ListCurrencies")).currencies
    return next(one for one in found if one.currency_code == code)


async def rate(bank: SmallBank, source: str, target: str, **fields: Any) -> Any:
    pair = {"source_currency_code": source, "target_currency_code": target}
    return await bank.do("RatesService/GetRate", **pair, **fields)


async def no_rate(bank: SmallBank, source: str, target: str, **fields: Any) -> Told:
    pair = {"source_currency_code": source, "target_currency_code": target}
    return await refused(bank, "GetRate", **pair, **fields)


async def import_days(bank: SmallBank, day: str, *rates: tuple[str, str]) -> Any:
    return await bank.do("RatesService/ImportRates", content=feed(*rates, day=day))


async def test_a_fresh_book_quotes_at_once_from_the_banks_history(bank: SmallBank) -> None:
    customer = bank.token("customer", bank.payee)
    pair = {"source_currency_code": "USD", "target_currency_code": "CNY"}
    found = await bank.do("RatesService/GetRate", customer, **pair, minor_units=100_00)
    # 7.4326 / 1.1172, and the same less and more 40 basis points.
    assert (found.rate.mid, found.rate.bid, found.rate.ask) == (
        "6.65288220551",
        "6.62627067669",
        "6.67960060795",
    )
    assert (found.rate.spread_basis_points, found.rate.source) == (40, "ecb")
    assert found.rate.observe_time.ToJsonString() == "2026-10-30T13:15:00Z"
    now = bank.parts.clock.now_us() // 1_000_000
    assert abs(found.rate.age_seconds - (now - found.rate.observe_time.seconds)) < 60
    made = found.exchange
    assert (made.source_amount.minor_units, made.target_amount.minor_units) == (10_000, 66_262)
    assert (made.spread.minor_units, made.rounding.minor_units) == (266, 0)
    bought = (await rate(bank, "USD", "CNY", minor_units=66_262, fixed_side=TARGET)).exchange
    assert bought.source_amount.minor_units == 10_000


async def test_currencies_tell_exponents_and_what_can_be_dealt_in(bank: SmallBank) -> None:
    found = {
        one.currency_code: one for one in (await bank.do("RatesService/ListCurrencies")).currencies
    }
    assert {code: found[code].exponent for code in ("JPY", "CNY", "KWD", "CLF")} == {
        "JPY": 0,
        "CNY": 2,
        "KWD": 3,
        "CLF": 4,
    }
    assert "XAU" not in found
    assert found["USD"].tradable
    assert found["USD"].rate == "1.1172"
    assert found["EUR"].rate == "1"
    assert not found["CLF"].tradable


async def test_a_pairs_history_is_listed_by_day(bank: SmallBank) -> None:
    pair = {"source_currency_code": "EUR", "target_currency_code": "USD"}
    first = await bank.do("RatesService/ListRates", **pair, page_size=2, end_date="2026-10-30")
    assert [(one.date, one.mid) for one in first.rates] == [
        ("2026-10-30", "1.1172"),
        ("2026-10-29", "1.113"),
    ]
    rest = await bank.do(
        "RatesService/ListRates",
        **pair,
        page_size=2,
        end_date="2026-10-30",
        page_token=first.next_page_token,
    )
    assert rest.rates[0].date == "2026-10-28"
    one = await bank.do(
        "RatesService/ListRates", **pair, start_date="2026-10-29", end_date="2026-10-29"
    )
    assert [found.date for found in one.rates] == ["2026-10-29"]
    same = {"source_currency_code": "USD", "target_currency_code": "USD"}
    assert (await refused(bank, "ListRates", **same)).reason == "FX_SAME_CURRENCY"


@pytest.mark.parametrize(
    ("source", "target", "fields", "reason"),
    [
        ("USD", "USD", {}, "FX_SAME_CURRENCY"),
        ("USD", "XAU", {}, "FX_CURRENCY_NOT_TRADABLE"),
        ("CLF", "USD", {}, "FX_CURRENCY_NOT_TRADABLE"),
        ("ZZZ", "USD", {}, "FX_CURRENCY_NOT_TRADABLE"),
        ("AED", "USD", {}, "FX_RATE_NOT_FOUND"),
        ("IDR", "USD", {"minor_units": 100}, "FX_AMOUNT_TOO_SMALL"),
        ("EUR", "IDR", {"minor_units": 2**62}, "FX_AMOUNT_TOO_LARGE"),
    ],
)
async def test_pairs_that_cannot_be_exchanged(
    bank: SmallBank, source: str, target: str, fields: dict[str, Any], reason: str
) -> None:
    assert (await no_rate(bank, source, target, **fields)).reason == reason


async def test_a_feed_is_taken_whole_or_not_at_all(bank: SmallBank) -> None:
    before = bank.contents(but=frozenset({"request_record"}))
    bad = feed(("USD", "1.2"), ("JPY", "0"), day="2026-10-01")
    told = await refused(bank, "ImportRates", content=bad)
    assert told.reason == "FX_FEED_INVALID"
    assert told.metadata == {
        "problems": "line 1: JPY_not_a_rate_above_zero",
        "problem_count": "1",
    }
    changed = feed(("USD", "9.9"), day="2026-10-30")
    told = await refused(bank, "ImportRates", content=changed)
    assert told.metadata["problems"] == "2026-10-30: not_as_before"
    future = feed(("USD", "1.2"), day="2199-01-01")
    told = await refused(bank, "ImportRates", content=future)
    assert told.metadata["problems"] == "line 1: date_in_future"
    assert bank.contents(but=frozenset({"request_record"})) == before


async def test_the_whole_history_is_imported_in_one_request(bank: SmallBank) -> None:
    before = await currency(bank, "USD")
    reply = await bank.do("RatesService/ImportRates", content=packaged_history())
    assert reply.day_count + reply.known_day_count > 7_000
    assert reply.known_day_count >= DAYS
    # Only what had no newer rate gets one: those that were discontinued.
    assert list(reply.currency_codes) == ["RUB"]
    assert (await currency(bank, "USD")).observe_time == before.observe_time
    oldest = await bank.do(
        "RatesService/ListRates",
        source_currency_code="EUR",
        target_currency_code="USD",
        end_date="1999-01-31",
    )
    assert (oldest.rates[-1].date, oldest.rates[-1].mid) == ("1999-01-04", "1.1789")


async def test_a_rate_that_jumps_is_held_until_two_people_set_it(bank: SmallBank) -> None:
    old = await currency(bank, "TRY")
    reply = await import_days(bank, "2026-11-02", ("TRY", "99.5"), ("PLN", "4.41"))
    assert list(reply.currency_codes) == ["PLN"]
    (held,) = reply.held
    assert (held.currency_code, held.present_rate, held.held_rate) == ("TRY", old.rate, "99.5")
    assert held.moved_basis_points == 7832
    now = await currency(bank, "TRY")
    assert (now.rate, now.held_rate) == (old.rate, "99.5")
    at = now.observe_time
    at.seconds += 1
    asked = {"currency_code": "TRY", "rate": "99.5", "observe_time": at, "book": BOOK}
    asked["request_id"] = bank.new_request_id()
    told = await refused(bank, "SetRate", **asked)
    assert told.reason == "FX_RATE_JUMP"
    assert told.metadata["limit_basis_points"] == "1000"
    maker, checker = (bank.token_of("staff", name) for name in ("amy", "ben"))
    assert (await refused(bank, "SetRate", maker, **asked)).reason == "APPROVAL_REQUIRED"
    proposed = await bank.do(
        "ApprovalsService/ProposeApproval", maker, command={"set_fx_rate": asked}, reason_text="x"
    )
    approval = proposed.approval
    assert {(one.field, one.after) for one in approval.changes} >= {("rate", "99.5")}
    await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=approval.approval_id,
        payload_hash=approval.payload_hash,
    )
    now = await currency(bank, "TRY")
    assert (now.rate, now.source, now.held_rate) == ("99.5", "manual", "")


async def test_rates_set_by_hand_are_neither_late_nor_early(bank: SmallBank) -> None:
    observed = (await currency(bank, "SEK")).observe_time.seconds
    late, early = {"seconds": observed}, {"seconds": observed + 10 * 366 * 86_400}
    fields = {"currency_code": "SEK", "rate": "11.01", "observe_time": {"seconds": observed + 60}}
    for changed, reason in (
        ({"observe_time": late}, "FX_RATE_SUPERSEDED"),
        ({"observe_time": early}, "FX_RATE_FROM_FUTURE"),
        ({"currency_code": "EUR"}, "FX_SAME_CURRENCY"),
        ({"currency_code": "CLF"}, "FX_CURRENCY_NOT_TRADABLE"),
        ({"rate": "0"}, "INVALID_REQUEST"),
    ):
        assert (await refused(bank, "SetRate", **{**fields, **changed})).reason == reason
    reply = await bank.do("RatesService/SetRate", **fields)
    assert (reply.currency.rate, reply.currency.source) == ("11.01", "manual")
    events = await bank.do(
        "EventsService/ListEvents", types=[event_pb2.EVENT_TYPE_FX_RATES_CHANGED], page_size=1000
    )
    last = events.events[-1]
    assert last.subject_id.startswith("fxi_")
    assert (last.fx_rates_change.source, list(last.fx_rates_change.currency_codes)) == (
        "manual",
        ["SEK"],
    )


async def test_a_rate_that_is_too_old_is_refused_with_its_age(bank: SmallBank) -> None:
    """On a server to try out rates may be two years old."""
    await import_days(bank, "2020-01-01", ("KWD", "0.3405"))
    told = await no_rate(bank, "KWD", "GBP")
    assert told.reason == "FX_RATE_STALE"
    fixed = (await currency(bank, "KWD")).observe_time.seconds
    assert told.metadata["currency_code"] == "KWD"
    assert told.metadata["limit_seconds"] == str(730 * 86_400)
    now = bank.parts.clock.now_us() // 1_000_000
    assert abs(int(told.metadata["age_seconds"]) - (now - fixed)) < 60
