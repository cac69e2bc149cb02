"""Exchanges through the RPCs: shown, confirmed, booked once over positions; exact reasons."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.fx.v1 import quote_pb2
from longmen_server.fx import policy
from tests.support.edge import told
from tests.support.exchange import converted, feed, pocket, quoted, shown, wanted
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

EXECUTORS = 50


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """A traveller with CNY 10,000."""
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(990_000),
        bank_account="6222021234567890",
    )
    return person


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"ConversionsService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"ConversionsService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def position(bank: SmallBank, code: str) -> Any:
    return (await bank.do("PositionsService/GetPosition", currency_code=code)).position


async def move_clock(bank: SmallBank, seconds: int) -> None:
    now = bank.parts.clock.now_us() // 1_000_000
    await bank.do("AdminService/SetClock", time={"seconds": now + seconds})


async def test_a_traveller_sees_what_is_booked(bank: SmallBank, owner: Person) -> None:
    token = bank.token("customer", owner)
    quote = await quoted(bank, owner, amount=100_000, lock_seconds=1800)
    made = quote.exchange
    # 1,000.00 CNY at 1.1172 / 7.4326 are 150.31 USD; 50 basis points of it stay with the bank.
    assert (quote.mid, quote.spread_basis_points) == ("0.150310792993", 50)
    assert (made.source_amount.minor_units, made.target_amount.minor_units) == (100_000, 14_955)
    assert (made.spread.minor_units, made.rounding.minor_units) == (75, 1)
    before = await position(bank, "USD")
    reply = await do(bank, "ExecuteQuote", token, **shown(quote))
    assert reply.available_minor_units == 900_000
    assert reply.conversion.exchange == made
    assert await posted(bank, quote.to_account_id) == 14_955
    after = await position(bank, "USD")
    assert before.amount_minor_units - after.amount_minor_units == 14_955 + 75 + 1
    assert before.cost_minor_units - after.cost_minor_units == 100_000
    whole = (
        await bank.do(
            "LedgerService/GetTransaction", transaction_id=reply.conversion.transaction_id
        )
    ).transaction
    assert [(one.amount.currency_code, one.amount.minor_units) for one in whole.postings] == [
        ("CNY", 100_000),
        ("USD", 14_955),
        ("USD", 75),
        ("USD", 1),
    ]
    found = (await do(bank, "GetQuote", token, quote_id=quote.quote_id)).quote
    assert found.state == quote_pb2.QUOTE_STATE_USED
    assert found.conversion_id == reply.conversion.conversion_id
    (listed,) = (await do(bank, "ListConversions", token)).conversions
    assert listed == reply.conversion
    assert (
        await do(bank, "GetConversion", token, conversion_id=listed.conversion_id)
    ).conversion == listed


async def test_a_fixed_target_costs_the_least_and_comes_exactly(
    bank: SmallBank, owner: Person
) -> None:
    made = await converted(bank, owner, amount=10_000, currency="USD", counter_currency_code="CNY")
    assert made.exchange.target_amount.minor_units == 10_000
    # 100.00 / (1.1172 / 7.4326 * 0.996), rounded up.
    assert made.exchange.source_amount.minor_units == 66_797
    assert await posted(bank, owner.account) == 1_000_000 - 66_797


async def test_two_foreign_currencies_have_counter_values_that_cancel_out(
    bank: SmallBank, owner: Person
) -> None:
    dollars = await pocket(bank, owner, "USD")
    baht = await pocket(bank, owner, "THB")
    await converted(bank, owner, amount=500_000)
    before = {code: await position(bank, code) for code in ("USD", "THB")}
    made = (
        await do(
            bank,
            "Convert",
            from_account_id=dollars,
            to_account_id=baht,
            amount=cash(10_000, "USD"),
            counter_currency_code="THB",
        )
    ).conversion.exchange
    assert made.fee.minor_units == 20
    after = {code: await position(bank, code) for code in ("USD", "THB")}
    cost = {code: after[code].cost_minor_units - before[code].cost_minor_units for code in after}
    # 99.80 USD are 663.96 CNY.
    assert cost == {"USD": 66_396, "THB": -66_396}
    bought = after["USD"].amount_minor_units - before["USD"].amount_minor_units
    assert bought == 10_000 - 20
    assert (await bank.do("LedgerService/GetTrialBalance")).balanced
    listed = (await bank.do("PositionsService/ListPositions")).positions
    for one in listed:
        assert one == await position(bank, one.currency_code)


async def test_of_many_executions_one_converts(bank: SmallBank, owner: Person) -> None:
    quote = await quoted(bank, owner, amount=100, lock_seconds=60)

    async def execute() -> str:
        try:
            await do(bank, "ExecuteQuote", **shown(quote))
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "OK"

    answers = await asyncio.gather(*(execute() for _ in range(EXECUTORS)))
    assert sorted(answers) == ["FX_QUOTE_USED"] * (EXECUTORS - 1) + ["OK"]
    assert await posted(bank, owner.account) == 1_000_000 - 100
    used = await refused(bank, "ExecuteQuote", **shown(quote))
    found = (await do(bank, "GetQuote", quote_id=quote.quote_id)).quote
    assert used.metadata["conversion_id"] == found.conversion_id
    assert (await refused(bank, "CancelQuote", quote_id=quote.quote_id)).reason == "FX_QUOTE_USED"


async def test_a_quote_too_late_offers_a_fresh_one(bank: SmallBank, owner: Person) -> None:
    quote = await quoted(bank, owner, lock_seconds=60)
    await move_clock(bank, 61)
    late = await refused(bank, "ExecuteQuote", **shown(quote))
    assert late.reason == "FX_QUOTE_EXPIRED"
    assert late.metadata["source_minor_units"] == "1000"
    state = (await do(bank, "GetQuote", quote_id=quote.quote_id)).quote.state
    assert state == quote_pb2.QUOTE_STATE_EXPIRED
    fresh = (await do(bank, "GetQuote", quote_id=late.metadata["fresh_quote_id"])).quote
    assert str(fresh.exchange.target_amount.minor_units) == late.metadata["target_minor_units"]
    await do(bank, "ExecuteQuote", **shown(fresh))


async def test_without_a_lock_a_quote_goes_while_its_rate_stays(
    bank: SmallBank, owner: Person
) -> None:
    open_quote = await quoted(bank, owner)
    locked = await quoted(bank, owner, lock_seconds=60)
    await bank.do(
        "RatesService/ImportRates", content=feed(("USD", "1.12"), ("CNY", "7.44"), day="2026-11-03")
    )
    moved = await refused(bank, "ExecuteQuote", **shown(open_quote))
    assert moved.reason == "FX_RATE_MOVED"
    fresh = (await do(bank, "GetQuote", quote_id=moved.metadata["fresh_quote_id"])).quote
    assert fresh.mid == "0.150537634409"
    await do(bank, "ExecuteQuote", **shown(fresh))
    assert (await do(bank, "ExecuteQuote", **shown(locked))).conversion.mid == "0.150310792993"
    await bank.do(
        "RatesService/ImportRates",
        content=feed(("USD", "1.1172"), ("CNY", "7.4326"), day="2026-11-04"),
    )


async def test_a_quote_is_its_customers_and_what_was_shown(bank: SmallBank, owner: Person) -> None:
    other = bank.token("customer", await bank.person())
    quote = await quoted(bank, owner)
    for name, fields in (
        ("ExecuteQuote", shown(quote)),
        ("GetQuote", {"quote_id": quote.quote_id}),
        ("CancelQuote", {"quote_id": quote.quote_id}),
    ):
        assert (await refused(bank, name, other, **fields)).reason == "FX_QUOTE_NOT_FOUND"
        for nowhere in (elsewhere(quote.quote_id), of_foreign_book(quote.quote_id)):
            there = {**fields, "quote_id": nowhere}
            assert (await refused(bank, name, **there)).reason == "FX_QUOTE_NOT_FOUND"
    changed = {**shown(quote), "target_amount": cash(151, "USD")}
    wrong = await refused(bank, "ExecuteQuote", **changed)
    assert (wrong.reason, wrong.metadata["expected_minor_units"]) == ("AMOUNT_MISMATCH", "149")
    await do(bank, "CancelQuote", quote_id=quote.quote_id)
    again = (await do(bank, "CancelQuote", quote_id=quote.quote_id)).quote
    assert again.state == quote_pb2.QUOTE_STATE_CANCELLED
    gone = await refused(bank, "ExecuteQuote", **shown(quote))
    assert gone.reason == "FX_QUOTE_CANCELLED"
    conversion = await converted(bank, owner)
    hidden = await refused(bank, "GetConversion", other, conversion_id=conversion.conversion_id)
    assert hidden.reason == "FX_CONVERSION_NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"amount": cash(100, "JPY")}, "CURRENCY_MISMATCH"),
        ({"amount": cash(5)}, "FX_AMOUNT_TOO_SMALL"),
        ({"amount": cash(2**62)}, "FX_ORDER_LIMIT"),
        ({"amount": cash(50_000_001)}, "FX_ORDER_LIMIT"),
        ({"counter_currency_code": "JPY"}, "CURRENCY_MISMATCH"),
        ({"amount": cash(5_000_001)}, "FX_QUOTE_NEEDED"),
        ({"amount": cash(1_000_001)}, "INSUFFICIENT_FUNDS"),
    ],
)
async def test_what_cannot_be_exchanged_moves_nothing(
    bank: SmallBank, owner: Person, fields: dict[str, Any], reason: str
) -> None:
    asked = await wanted(bank, owner, counter_currency_code="USD")
    asked |= fields
    before = bank.contents(but=frozenset({"request_record"}))
    assert (await refused(bank, "Convert", **asked)).reason == reason
    assert bank.contents(but=frozenset({"request_record"})) == before


async def test_accounts_are_two_of_one_customer(bank: SmallBank, owner: Person) -> None:
    asked = await wanted(bank, owner)
    other = await bank.person()
    foreign = {**asked, "to_account_id": await pocket(bank, other, "USD")}
    assert (await refused(bank, "CreateQuote", **foreign)).reason == "ACCOUNT_NOT_FOUND"
    mine = bank.token("customer", owner)
    assert (await refused(bank, "CreateQuote", mine, **foreign)).reason == "ACCOUNT_NOT_FOUND"
    same = {**asked, "to_account_id": asked["from_account_id"]}
    assert (await refused(bank, "CreateQuote", **same)).reason == "FX_SAME_CURRENCY"
    gold = await refused(bank, "CreateQuote", mine, **asked, tier="gold")
    assert gold.metadata == {"rules": "tier.bank_only"}
    better = (await do(bank, "CreateQuote", **asked, tier="gold")).quote
    assert better.spread_basis_points == 15


async def test_a_full_position_takes_no_more(
    bank: SmallBank, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank's own price list, with a limit that any exchange passes."""
    await converted(bank, owner)
    text = policy.read_text().replace("position_max = 2_000_000_000", "position_max = 1")
    narrow = policy.read_policy(text.replace("position_flag = 500_000_000", "position_flag = 1"))
    monkeypatch.setattr("longmen_server.fxrates.commands.load_policy", lambda: narrow)
    monkeypatch.setattr("longmen_server.positions.service.load_policy", lambda: narrow)
    # So much that whatever other tests left cannot bring the position nearer to nothing by it.
    asked = await wanted(bank, owner, amount=900_000, counter_currency_code="USD")
    told_ = await refused(bank, "Convert", **asked)
    assert (told_.reason, told_.metadata) == ("FX_POSITION_LIMIT", {"currency_code": "USD"})
    assert (await position(bank, "USD")).to_be_hedged
    # What makes it smaller goes.
    back = {
        "from_account_id": asked["to_account_id"],
        "to_account_id": owner.account,
        "amount": cash(100, "USD"),
        "counter_currency_code": "CNY",
    }
    await do(bank, "Convert", **back)


async def test_a_years_quota_is_used_up_given_back_and_begins_anew(
    bank: SmallBank, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank's own price list, with a quota of 20.00 USD: 149.55 CNY at 1.1172 / 7.4326."""
    text = policy.read_text().replace("quota = 5_000_000", "quota = 2_000")
    small = policy.read_policy(text)
    monkeypatch.setattr("longmen_server.fxrates.commands.load_policy", lambda: small)
    first = await converted(bank, owner, amount=10_000)
    asked = await wanted(bank, owner, amount=1_000, counter_currency_code="USD")

    async def convert() -> str:
        try:
            await do(bank, "Convert", **asked)
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "OK"

    # 15.03 USD are used, and each of these is another 1.50: three of them at once, and no more.
    answers = await asyncio.gather(*(convert() for _ in range(10)))
    assert sorted(answers) == ["FX_QUOTA_EXCEEDED"] * 7 + ["OK"] * 3
    full = await refused(bank, "Convert", **asked)
    assert (full.reason, full.metadata["used_minor_units"]) == ("FX_QUOTA_EXCEEDED", "1953")
    assert (full.metadata["limit_minor_units"], full.metadata["currency_code"]) == ("2000", "USD")
    # To sell is another quota, and between foreign currencies there is none.
    back = {
        "from_account_id": asked["to_account_id"],
        "to_account_id": owner.account,
        "amount": cash(500, "USD"),
        "counter_currency_code": "CNY",
    }
    await do(bank, "Convert", **back)
    yen = {
        **back,
        "to_account_id": await pocket(bank, owner, "JPY"),
        "counter_currency_code": "JPY",
    }
    await do(bank, "Convert", **yen)
    await bank.do(
        "TransfersService/TopUp",
        account_id=asked["to_account_id"],
        amount=cash(1_000, "USD"),
        bank_account="6222021234567890",
    )
    await do(bank, "ReverseConversion", conversion_id=first.conversion_id)
    assert await convert() == "OK"


async def test_an_exchange_with_a_session_is_approved_for_both_amounts(
    bank: SmallBank, owner: Person
) -> None:
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="739154")
    token = bank.session_token(owner)
    quote = await quoted(bank, owner, amount=100_000, lock_seconds=60)
    method = BY_NAME["ConversionsService/ExecuteQuote"]
    request: Any = method.request_class(request_id=bank.new_request_id(), **shown(quote))
    asked = await bank.refused(method, request, token)
    assert asked.reason == "NEEDS_AUTH"
    challenge_id = asked.metadata["challenge_id"]
    challenge = (
        await bank.do("ChallengesService/GetChallenge", token, challenge_id=challenge_id)
    ).challenge
    assert challenge.text == (
        f"Exchange 1000.00 CNY from {owner.account} for 149.67 USD to {quote.to_account_id}."
    )
    await bank.do(
        "ChallengesService/ApproveChallenge",
        token,
        challenge_id=challenge_id,
        proof={"payment_pin": "739154"},
    )
    done = await bank.ask(method, request, token)
    assert done.conversion.exchange.target_amount.minor_units == 14_967


async def test_a_position_is_of_a_currency_that_is_dealt_in(bank: SmallBank) -> None:
    method = BY_NAME["PositionsService/GetPosition"]
    request = method.request_class(currency_code="XAU")
    assert (await bank.refused(method, request, SERVICE)).reason == "FX_CURRENCY_NOT_TRADABLE"
    empty = await position(bank, "CHF")
    assert (empty.amount_minor_units, empty.cost_minor_units) == (0, 0)
