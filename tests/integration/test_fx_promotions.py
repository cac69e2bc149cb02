"""Promotions through the RPCs: shown apart, spent exactly, never beyond their budget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from longmen.fx.v1 import quote_pb2
from tests.support.exchange import new_promotion, pocket, promoted, shown, with_rates
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> AsyncIterator[Person]:
    """Somebody with CNY 10,000; what a test promotes ends with it."""
    person = await bank.person()
    await with_rates(bank, person)
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(990_000),
        bank_account="6222021234567890",
    )
    yield person
    for one in (await bank.do("RatesService/ListPromotions")).promotions:
        await bank.do("RatesService/EndPromotion", promotion_id=one.promotion_id)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def baht(bank: SmallBank, owner: Person, amount: int = 100_000, **fields: Any) -> Any:
    """A quote of CNY into THB."""
    asked = {
        "from_account_id": owner.account,
        "to_account_id": await pocket(bank, owner, "THB"),
        "amount": cash(amount),
        **fields,
    }
    return (await bank.do("ConversionsService/CreateQuote", **asked)).quote


async def used(bank: SmallBank, promotion: Any) -> tuple[int, int]:
    """What was spent, and what is left."""
    listed = (await bank.do("RatesService/ListPromotions", page_size=1000)).promotions
    (one,) = [each for each in listed if each.promotion_id == promotion.promotion_id]
    return one.used.minor_units, one.left.minor_units


async def test_a_discount_is_shown_apart_and_spent_when_it_is_taken(
    bank: SmallBank, owner: Person
) -> None:
    plain = await baht(bank, owner)
    assert not plain.HasField("promotion")
    campaign = await promoted(bank, owner)
    quote = await baht(bank, owner)
    before, less = plain.spread_basis_points, plain.spread_basis_points // 2
    assert quote.spread_basis_points == before - less
    assert (quote.promotion.promotion_id, quote.promotion.undiscounted_basis_points) == (
        campaign.promotion_id,
        before,
    )
    assert quote.promotion.discount_basis_points == less
    # CNY 1,000.00, of which so many basis points are saved.
    exchanged = 100_000 - quote.exchange.fee.minor_units
    assert quote.promotion.saved_minor_units == -(-exchanged * less // 10_000)
    assert quote.exchange.target_amount.minor_units > plain.exchange.target_amount.minor_units
    assert await used(bank, campaign) == (0, 10_000)
    taken = await bank.do("ConversionsService/ExecuteQuote", **shown(quote))
    assert taken.conversion.promotion == quote.promotion
    saved = quote.promotion.saved_minor_units
    assert await used(bank, campaign) == (saved, 10_000 - saved)
    # An exchange at once has it too, and another currency has not.
    at_once = await bank.do(
        "ConversionsService/Convert",
        from_account_id=owner.account,
        to_account_id=await pocket(bank, owner, "THB"),
        amount=cash(10_000),
        counter_currency_code="THB",
    )
    more = at_once.conversion.promotion.saved_minor_units
    assert await used(bank, campaign) == (saved + more, 10_000 - saved - more)
    other = await baht(bank, owner, to_account_id=await pocket(bank, owner, "USD"))
    assert not other.HasField("promotion")


async def test_a_spent_promotion_refuses_with_a_fresh_quote(bank: SmallBank, owner: Person) -> None:
    saves = (await saving(bank, owner)).promotion.saved_minor_units
    campaign = await promoted(bank, owner, budget=cash(saves))
    first, second = await baht(bank, owner), await baht(bank, owner)
    await bank.do("ConversionsService/ExecuteQuote", **shown(first))
    assert await used(bank, campaign) == (saves, 0)
    told = await refused(bank, "ConversionsService/ExecuteQuote", **shown(second))
    assert (told.reason, told.metadata["quote_id"]) == ("FX_PROMOTION_SPENT", second.quote_id)
    fresh = await bank.do("ConversionsService/GetQuote", quote_id=told.metadata["fresh_quote_id"])
    assert not fresh.quote.HasField("promotion")
    await bank.do("ConversionsService/ExecuteQuote", **shown(fresh.quote))
    assert await used(bank, campaign) == (saves, 0)


async def saving(bank: SmallBank, owner: Person) -> Any:
    """A quote as it is with a promotion, which has ended again."""
    campaign = await promoted(bank, owner)
    quote = await baht(bank, owner)
    await bank.do("RatesService/EndPromotion", promotion_id=campaign.promotion_id)
    return quote


async def test_no_more_is_spent_than_there_is_however_many_come_at_once(
    bank: SmallBank, owner: Person
) -> None:
    saves = (await saving(bank, owner)).promotion.saved_minor_units
    campaign = await promoted(bank, owner, budget=cash(3 * saves + saves // 2))
    quotes = [await baht(bank, owner) for _ in range(7)]

    async def take(quote: Any) -> str:
        try:
            await bank.do("ConversionsService/ExecuteQuote", **shown(quote))
        except grpc.aio.AioRpcError:
            return "spent"
        return "taken"

    answers = await asyncio.gather(*(take(quote) for quote in quotes))
    assert sorted(answers) == ["spent"] * 4 + ["taken"] * 3
    assert await used(bank, campaign) == (3 * saves, saves // 2)
    convert = {
        "from_account_id": owner.account,
        "to_account_id": await pocket(bank, owner, "THB"),
        "amount": cash(10_000),
        "counter_currency_code": "THB",
    }
    done = await asyncio.gather(
        *(bank.do("ConversionsService/Convert", **convert) for _ in range(8))
    )
    spent = [one.conversion.promotion.saved_minor_units for one in done]
    assert 0 in spent
    assert sum(spent) <= saves // 2
    assert await used(bank, campaign) == (3 * saves + sum(spent), saves // 2 - sum(spent))


async def test_what_is_taken_back_at_its_own_rate_can_be_saved_by_somebody_else(
    bank: SmallBank, owner: Person
) -> None:
    saves = (await saving(bank, owner)).promotion.saved_minor_units
    campaign = await promoted(bank, owner, budget=cash(2 * saves))
    first, second = await baht(bank, owner), await baht(bank, owner)
    taken = [
        (await bank.do("ConversionsService/ExecuteQuote", **shown(quote))).conversion
        for quote in (first, second)
    ]
    assert await used(bank, campaign) == (2 * saves, 0)
    bases = quote_pb2.REVERSAL_BASIS_ORIGINAL, quote_pb2.REVERSAL_BASIS_TODAY
    for one, basis in zip(taken, bases, strict=True):
        await bank.do(
            "ConversionsService/ReverseConversion", conversion_id=one.conversion_id, basis=basis
        )
        # At the rate of the day the customer keeps what was saved.
        assert await used(bank, campaign) == (saves, saves)
    assert (await baht(bank, owner)).promotion == first.promotion


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"budget": cash(0)}, "INVALID_REQUEST"),
        ({"budget": cash(100, "USD")}, "CURRENCY_MISMATCH"),
        ({"currency_codes": ["XAU"]}, "FX_CURRENCY_NOT_TRADABLE"),
        ({"discount_basis_points": 10_001}, "INVALID_REQUEST"),
        ({"name": ""}, "INVALID_REQUEST"),
    ],
)
async def test_what_is_no_promotion(
    bank: SmallBank, owner: Person, fields: dict[str, Any], reason: str
) -> None:
    asked = await new_promotion(bank, owner, **fields)
    assert (await refused(bank, "RatesService/CreatePromotion", **asked)).reason == reason


async def test_promotions_run_in_their_time_and_for_their_customers(
    bank: SmallBank, owner: Person
) -> None:
    now = bank.parts.clock.now_us() // 1_000_000
    for fields in (
        {"start_time": {"seconds": now + 3_600}},
        {"end_time": {"seconds": now - 30}},
        {"tier": "gold"},
    ):
        await promoted(bank, owner, **fields)
        assert not (await baht(bank, owner)).HasField("promotion")
    assert (await baht(bank, owner, tier="gold")).HasField("promotion")
    campaign = await promoted(bank, owner)
    quote = await baht(bank, owner, lock_seconds=1_800)
    for _ in range(2):
        ended = await bank.do("RatesService/EndPromotion", promotion_id=campaign.promotion_id)
        assert ended.promotion.HasField("ended_time")
    assert not (await baht(bank, owner)).HasField("promotion")
    # What was promised holds.
    await bank.do("ConversionsService/ExecuteQuote", **shown(quote))
    for nowhere in (elsewhere(campaign.promotion_id), of_foreign_book(campaign.promotion_id)):
        told = await refused(bank, "RatesService/EndPromotion", promotion_id=nowhere)
        assert told.reason == "FX_PROMOTION_NOT_FOUND"


async def test_staff_proposes_a_promotion_to_another_one(bank: SmallBank, owner: Person) -> None:
    asked = {**await new_promotion(bank, owner), "book": 1}
    asked["request_id"] = bank.new_request_id()
    maker, checker = (bank.token_of("staff", name) for name in ("amy", "ben"))
    told = await refused(bank, "RatesService/CreatePromotion", maker, **asked)
    assert told.reason == "APPROVAL_REQUIRED"
    proposed = await bank.do(
        "ApprovalsService/ProposeApproval",
        maker,
        command={"create_fx_promotion": asked},
        reason_text="x",
    )
    approval = proposed.approval
    assert {(one.field, one.after) for one in approval.changes} >= {
        ("discount_basis_points", "5000"),
        ("budget_minor_units", "10000"),
    }
    await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=approval.approval_id,
        payload_hash=approval.payload_hash,
    )
    assert (await baht(bank, owner)).HasField("promotion")
