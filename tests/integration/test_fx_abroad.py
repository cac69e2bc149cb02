"""Payments in the payee's currency through the RPCs: shown, confirmed, booked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.exchange import feed, new_payment_abroad, pocket, quoted, quoted_abroad, shown
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

FUNDS = 100_000


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """A customer with CNY 1,000."""
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(FUNDS - 10_000),
        bank_account="6222021234567890",
    )
    return person


async def pay(bank: SmallBank, quote: Any, token: str = SERVICE, **fields: Any) -> Any:
    return await bank.do("ConversionsService/PayAbroad", token, **{**shown(quote), **fields})


async def refused(bank: SmallBank, name: str, token: str = SERVICE, **fields: Any) -> Told:
    method = BY_NAME[f"ConversionsService/{name}"]
    request: Any = method.request_class(request_id=bank.new_request_id(), **fields)
    return await bank.refused(method, request, token)


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def postings(bank: SmallBank, transaction_id: str) -> Any:
    reply = await bank.do("LedgerService/GetTransaction", transaction_id=transaction_id)
    return reply.transaction.postings


async def test_another_customer_is_paid_in_the_own_currency(bank: SmallBank, owner: Person) -> None:
    payee = await bank.person()
    dollars = await pocket(bank, payee, "USD")
    token = bank.token("customer", owner)
    asked = await new_payment_abroad(
        bank, owner, payee_account_id=dollars, amount=cash(5_000, "USD"), lock_seconds=60
    )
    quote = (await bank.do("ConversionsService/QuoteAbroad", token, **asked)).quote
    made = quote.exchange
    # 50.00 / (1.1172 / 7.4326 * 0.9958) rounded up are 334.05, which are 99.7 % of 335.06.
    assert (quote.spread_basis_points, quote.fee_basis_points) == (42, 30)
    assert (made.target_amount.minor_units, made.source_amount.minor_units) == (5_000, 33_506)
    assert made.fee.minor_units == 101
    reply = await pay(bank, quote, token)
    assert reply.available_minor_units == FUNDS - 33_506
    assert (await posted(bank, owner.account), await posted(bank, dollars)) == (
        FUNDS - 33_506,
        5_000,
    )
    lines = await postings(bank, reply.conversion.transaction_id)
    assert lines[0].description.startswith("1 CNY = 0.14967949 USD, fee 1.01 CNY")
    # The payee does not see what it has cost.
    assert lines[1].description == ""
    listed = await bank.do("ConversionsService/ListConversions", token)
    assert [one.conversion_id for one in listed.conversions] == [reply.conversion.conversion_id]
    theirs = await bank.do("ConversionsService/ListConversions", bank.token("customer", payee))
    assert not theirs.conversions
    kept = await refused(bank, "ReverseConversion", conversion_id=reply.conversion.conversion_id)
    assert kept.reason == "FX_NOT_REVERSIBLE"


async def test_a_beneficiary_abroad_is_paid_by_the_correspondent(
    bank: SmallBank, owner: Person
) -> None:
    quote = await quoted_abroad(bank, owner, payee_account_id="", amount=cash(50_000))
    unnamed = await refused(bank, "PayAbroad", **shown(quote))
    assert (unnamed.reason, unnamed.metadata) == ("FX_REFERENCE_NEEDED", {"needed": "true"})
    reply = await pay(bank, quote, reference="GW-2026/0001")
    lines = await postings(bank, reply.conversion.transaction_id)
    assert (lines[1].reference, lines[1].credit_account_id) == (
        "GW-2026/0001",
        quote.to_account_id,
    )
    correspondent = (
        await bank.do("LedgerService/GetAccount", account_id=quote.to_account_id)
    ).account
    assert (correspondent.chart_code, correspondent.currency_code) == (2140, "USD")
    assert correspondent.balances.posted == quote.exchange.target_amount.minor_units
    assert await posted(bank, owner.account) == FUNDS - 50_000
    used = await refused(bank, "PayAbroad", reference="GW-2026/0001", **shown(quote))
    assert used.reason == "FX_QUOTE_USED"
    inside = await quoted_abroad(bank, owner)
    named = await refused(bank, "PayAbroad", reference="GW-1", **shown(inside))
    assert (named.reason, named.metadata) == ("FX_REFERENCE_NEEDED", {"needed": "false"})


async def test_a_payment_too_late_offers_a_fresh_one(bank: SmallBank, owner: Person) -> None:
    quote = await quoted_abroad(bank, owner)
    await bank.do(
        "RatesService/ImportRates", content=feed(("USD", "1.12"), ("CNY", "7.44"), day="2026-11-03")
    )
    moved = await refused(bank, "PayAbroad", **shown(quote))
    assert moved.reason == "FX_RATE_MOVED"
    fresh = await bank.do("ConversionsService/GetQuote", quote_id=moved.metadata["fresh_quote_id"])
    assert fresh.quote.fee_basis_points == 30
    await pay(bank, fresh.quote)
    await bank.do(
        "RatesService/ImportRates",
        content=feed(("USD", "1.1172"), ("CNY", "7.4326"), day="2026-11-04"),
    )


async def test_who_cannot_be_paid_is_refused(bank: SmallBank, owner: Person) -> None:
    asked = await new_payment_abroad(bank, owner)
    payee = asked["payee_account_id"]
    for changed, reason in (
        ({"payee_account_id": elsewhere(payee)}, "PAYEE_NOT_FOUND"),
        ({"payee_account_id": of_foreign_book(payee)}, "PAYEE_NOT_FOUND"),
        ({"target_currency_code": "JPY"}, "PAYEE_CURRENCY_UNAVAILABLE"),
        ({"payee_account_id": await pocket(bank, owner, "USD")}, "FX_PAYEE_IS_PAYER"),
        ({"from_account_id": elsewhere(owner.account)}, "ACCOUNT_NOT_FOUND"),
        ({"amount": cash(100, "JPY")}, "CURRENCY_MISMATCH"),
        (
            {"payee_account_id": bank.payee.account, "target_currency_code": "CNY"},
            "FX_SAME_CURRENCY",
        ),
    ):
        assert (await refused(bank, "QuoteAbroad", **{**asked, **changed})).reason == reason
    stranger = bank.token("customer", await bank.person())
    assert (await refused(bank, "QuoteAbroad", stranger, **asked)).reason == "ACCOUNT_NOT_FOUND"
    own = await quoted(bank, owner)
    assert (await refused(bank, "PayAbroad", **shown(own))).reason == "FX_PAYEE_IS_PAYER"
    abroad = await quoted_abroad(bank, owner)
    assert (await refused(bank, "ExecuteQuote", **shown(abroad))).reason == "ACCOUNT_NOT_FOUND"
    mine = await refused(bank, "PayAbroad", stranger, **shown(abroad))
    assert mine.reason == "FX_QUOTE_NOT_FOUND"


async def test_a_payment_with_a_session_is_approved_for_payee_and_amounts(
    bank: SmallBank, owner: Person
) -> None:
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="739154")
    token = bank.session_token(owner)
    quote = await quoted_abroad(bank, owner, amount=cash(50_000), lock_seconds=60)
    method = BY_NAME["ConversionsService/PayAbroad"]
    request: Any = method.request_class(request_id=bank.new_request_id(), **shown(quote))
    asked = await bank.refused(method, request, token)
    assert asked.reason == "NEEDS_AUTH"
    challenge_id = asked.metadata["challenge_id"]
    challenge = (
        await bank.do("ChallengesService/GetChallenge", token, challenge_id=challenge_id)
    ).challenge
    gets = quote.exchange.target_amount.minor_units / 100
    assert challenge.text == (
        f"Pay {gets:.2f} USD to {quote.to_account_id} for 500.00 CNY from {owner.account}."
    )
    await bank.do(
        "ChallengesService/ApproveChallenge",
        token,
        challenge_id=challenge_id,
        proof={"payment_pin": "739154"},
    )
    assert (await bank.ask(method, request, token)).available_minor_units == FUNDS - 50_000
    # The payee is known from now on, and is paid again.
    again = await quoted_abroad(bank, owner, amount=cash(49_999))
    request = method.request_class(request_id=bank.new_request_id(), **shown(again))
    asked = await bank.refused(method, request, token)
    await bank.do(
        "ChallengesService/ApproveChallenge",
        token,
        challenge_id=asked.metadata["challenge_id"],
        proof={"payment_pin": "739154"},
    )
    assert (await bank.ask(method, request, token)).available_minor_units == FUNDS - 99_999
