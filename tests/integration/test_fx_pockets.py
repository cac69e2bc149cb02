"""Payments that lack money in their currency: told which pocket would do, or filled up by it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from longmen.ledger.v1 import account_pb2
from longmen.risk.v1 import outcome_pb2
from longmen.type.v1 import money_pb2
from tests.support import risk
from tests.support.exchange import new_auto_conversion, pocket, with_rates
from tests.support.rpcs import elsewhere
from tests.support.sample_requests import make_sample
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

BOOK = 1
FUNDS = 10_000
POCKET_KEYS = {
    "missing_minor_units",
    "pocket_account_id",
    "pocket_minor_units",
    "pocket_currency_code",
}


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        opened.parts.risk.use(BOOK, risk.AmountSource().shipped())
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """Somebody with CNY 100.00 and USD 0.00, where one USD is 6.6528 CNY."""
    person = await bank.person()
    await with_rates(bank, person)
    await pocket(bank, person, "USD")
    return person


def money(minor_units: int, code: str = "CNY") -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code=code)


async def fill(bank: SmallBank, account_id: str, amount: int, code: str) -> None:
    await bank.do(
        "TransfersService/TopUp",
        account_id=account_id,
        amount=cash(amount, code),
        bank_account="6222021234567890",
    )


async def paying(bank: SmallBank, owner: Person, amount: int) -> dict[str, Any]:
    """A transfer of USD to somebody."""
    return {
        "from_account_id": await pocket(bank, owner, "USD"),
        "payee": {"account_id": await pocket(bank, bank.payee, "USD")},
        "amount": cash(amount, "USD"),
    }


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def agreed(bank: SmallBank, owner: Person, **fields: Any) -> Any:
    asked = await new_auto_conversion(bank, owner, **fields)
    return (await bank.do("ConversionsService/SetAutoConversion", **asked)).auto_conversion


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


# -- which pocket would do ---------------------------------------------------------------------


async def test_a_refusal_tells_which_pocket_would_do_and_what_that_costs(
    bank: SmallBank, owner: Person
) -> None:
    dollars = await pocket(bank, owner, "USD")
    await fill(bank, dollars, 100, "USD")
    asked = await paying(bank, owner, 900)
    for token in (bank.token("customer", owner), SERVICE):
        told = await refused(bank, "TransfersService/CreateTransfer", token, **asked)
        assert told.reason == "INSUFFICIENT_FUNDS"
        # 8.00 / (1.1172 / 7.4326 * 0.996), rounded up.
        assert told.metadata == {
            "available_minor_units": "100",
            "currency_code": "USD",
            "missing_minor_units": "800",
            "pocket_account_id": owner.account,
            "pocket_minor_units": "5344",
            "pocket_currency_code": "CNY",
        }
    quote = await bank.do(
        "ConversionsService/CreateQuote",
        from_account_id=owner.account,
        to_account_id=dollars,
        amount=cash(800, "USD"),
    )
    assert quote.quote.exchange.source_amount == money(5_344)


async def test_the_cheapest_pocket_is_told_and_none_that_has_too_little(
    bank: SmallBank, owner: Person
) -> None:
    dollars, asked = await pocket(bank, owner, "USD"), await paying(bank, owner, 900)
    await fill(bank, await pocket(bank, owner, "JPY"), 50_000, "JPY")
    both = await refused(bank, "TransfersService/CreateTransfer", **asked)
    assert both.metadata["pocket_currency_code"] == "CNY"
    asked["amount"] = cash(2_000, "USD")
    one = await refused(bank, "TransfersService/CreateTransfer", **asked)
    assert one.metadata["pocket_currency_code"] == "JPY"
    asked["amount"] = cash(50_000, "USD")
    none = await refused(bank, "TransfersService/CreateTransfer", **asked)
    assert none.metadata == {"available_minor_units": "0", "currency_code": "USD"}
    await fill(bank, dollars, 2_000, "USD")
    asked["amount"] = cash(2_000, "USD")
    await bank.do("TransfersService/CreateTransfer", **asked)


@pytest.mark.parametrize(
    "name",
    [
        "PaymentsService/PayOrder",
        "PaymentsService/PayStaticCode",
        "AuthorizationsService/AuthorizeOrder",
        "CombinedOrdersService/PayCombinedOrder",
        "BillsService/PayDue",
        "DonationsService/Donate",
    ],
)
async def test_every_way_a_payer_pays_tells_it(bank: SmallBank, owner: Person, name: str) -> None:
    method = BY_NAME[name]
    request: Any = await make_sample(bank, method, owner)
    await fill(bank, await pocket(bank, owner, "USD"), 5_000, "USD")
    await emptied(bank, owner)
    told = await bank.refused(method, request, SERVICE)
    assert told.reason == "INSUFFICIENT_FUNDS"
    assert told.metadata.keys() >= POCKET_KEYS
    assert told.metadata["pocket_currency_code"] == "USD"


async def emptied(bank: SmallBank, owner: Person) -> None:
    """Everything on the account in CNY goes to somebody."""
    left = await posted(bank, owner.account)
    await bank.do(
        "TransfersService/CreateTransfer",
        from_account_id=owner.account,
        payee={"account_id": bank.payee.account},
        amount=cash(left),
    )


async def test_a_till_is_told_nothing_of_pockets(bank: SmallBank, owner: Person) -> None:
    method = BY_NAME["PaymentsService/PayByCode"]
    request: Any = await make_sample(bank, method, owner)
    await fill(bank, await pocket(bank, owner, "USD"), 5_000, "USD")
    await emptied(bank, owner)
    told = await bank.refused(method, request, bank.insider(method))
    assert (told.reason, told.metadata) == ("INSUFFICIENT_FUNDS", {})


# -- filled up by itself -----------------------------------------------------------------------


async def test_a_payment_is_filled_up_by_what_its_payer_agreed_to(
    bank: SmallBank, owner: Person
) -> None:
    agreement = await agreed(bank, owner)
    dollars = agreement.account_id
    await fill(bank, dollars, 100, "USD")
    asked = await paying(bank, owner, 900)
    reply = await bank.do("TransfersService/CreateTransfer", **asked)
    made = reply.auto_conversion
    assert reply.transfer.amount == money(900, "USD")
    assert (made.exchange.source_amount, made.exchange.target_amount) == (
        money(5_344),
        money(800, "USD"),
    )
    assert made.paid_transaction_id == reply.transfer.transfer_id
    assert (await posted(bank, owner.account), await posted(bank, dollars)) == (FUNDS - 5_344, 0)
    found = await bank.do("ConversionsService/GetConversion", conversion_id=made.conversion_id)
    assert found.conversion == made
    listed = await bank.do("AccountsService/ListTransactions", account_id=dollars)
    texts = [one.description for one in listed.movements]
    assert any(text.startswith("1 CNY = 0.14970955 USD") for text in texts)
    token = bank.token("customer", owner)
    (kept,) = (await bank.do("ConversionsService/ListAutoConversions", token)).auto_conversions
    assert (kept.day_used, kept.source_account_ids) == (money(800, "USD"), [owner.account])
    quota = (await bank.do("ConversionsService/GetFxQuota", token)).quota
    assert (quota.bought.minor_units, quota.sold.minor_units) == (803, 0)
    assert quota.buyable.minor_units == quota.limit.minor_units - 803
    assert not (
        await bank.do("TransfersService/CreateTransfer", **await enough(bank, owner))
    ).HasField("auto_conversion")


async def enough(bank: SmallBank, owner: Person) -> dict[str, Any]:
    await fill(bank, await pocket(bank, owner, "USD"), 50, "USD")
    return await paying(bank, owner, 50)


@pytest.mark.parametrize(
    "name",
    [
        "PaymentsService/PayOrder",
        "PaymentsService/PayStaticCode",
        "PaymentsService/PayByCode",
        "BillsService/PayDue",
        "DonationsService/Donate",
        "CombinedOrdersService/PayCombinedOrder",
    ],
)
async def test_every_way_that_fills_up(bank: SmallBank, owner: Person, name: str) -> None:
    method = BY_NAME[name]
    request: Any = await make_sample(bank, method, owner)
    dollars = await pocket(bank, owner, "USD")
    await fill(bank, dollars, 5_000, "USD")
    await emptied(bank, owner)
    await agreed(
        bank,
        owner,
        account_id=owner.account,
        source_account_ids=[dollars],
        payment_max=cash(10_000),
        day_max=cash(10_000),
    )
    await bank.ask(method, request, bank.insider(method))
    listed = await bank.do("ConversionsService/ListConversions", customer_id=owner.customer)
    (one,) = listed.conversions
    assert one.paid_transaction_id
    assert await posted(bank, owner.account) == 0
    assert await posted(bank, dollars) == 5_000 - one.exchange.source_amount.minor_units


@pytest.mark.parametrize(
    ("fields", "amount", "problem"),
    [
        ({}, 1_001, "PAYMENT_MAX"),
        ({"payment_max": cash(10, "USD"), "day_max": cash(10, "USD")}, 11, "PAYMENT_MAX"),
        ({"basis_points_max": 39}, 900, "SPREAD_MAX"),
        ({"payment_max": cash(2_000, "USD")}, 1_900, "POCKET_EMPTY"),
    ],
)
async def test_what_stands_in_the_way_is_told(
    bank: SmallBank, owner: Person, fields: dict[str, Any], amount: int, problem: str
) -> None:
    await agreed(bank, owner, **fields)
    told = await refused(
        bank, "TransfersService/CreateTransfer", **await paying(bank, owner, amount)
    )
    assert (told.reason, told.metadata["auto_conversion"]) == ("INSUFFICIENT_FUNDS", problem)
    assert await posted(bank, owner.account) == FUNDS


async def test_the_next_pocket_is_taken_when_the_first_has_too_little(
    bank: SmallBank, owner: Person
) -> None:
    yen = await pocket(bank, owner, "JPY")
    await agreed(bank, owner, source_account_ids=[yen, owner.account])
    reply = await bank.do("TransfersService/CreateTransfer", **await paying(bank, owner, 900))
    assert reply.auto_conversion.from_account_id == owner.account
    await bank.do("AccountsService/CloseAccount", account_id=yen)
    await agreed_off(bank, owner)
    told = await refused(bank, "TransfersService/CreateTransfer", **await paying(bank, owner, 900))
    assert "auto_conversion" not in told.metadata


async def agreed_off(bank: SmallBank, owner: Person) -> None:
    off = await bank.do(
        "ConversionsService/SetAutoConversion", account_id=await pocket(bank, owner, "USD")
    )
    assert not off.auto_conversion.enabled


async def test_what_risk_or_a_payee_refuses_exchanges_nothing(
    bank: SmallBank, owner: Person
) -> None:
    await agreed(bank, owner, payment_max=cash(2_500, "USD"))
    await fill(bank, owner.account, 100_000, "CNY")
    payee = await pocket(bank, await bank.person(), "USD")
    state = account_pb2.ACCOUNT_STATE_CREDIT_FROZEN
    await bank.do("LedgerService/SetAccountState", account_id=payee, state=state, reason_text="x")
    asked = {**await paying(bank, owner, 900), "payee": {"account_id": payee}}
    kept = frozenset({"request_record", "risk_decision"})
    before = bank.contents(but=kept)
    told = await refused(bank, "TransfersService/CreateTransfer", **asked)
    assert told.reason == "CREDIT_ACCOUNT_FROZEN"
    assert bank.contents(but=kept) == before


async def test_the_exchange_is_judged_and_its_decision_kept(bank: SmallBank, owner: Person) -> None:
    # What costs CNY 666.05 is 66,605 minor units: the amount that is declined.
    await agreed(bank, owner, payment_max=cash(20_000, "USD"), day_max=cash(20_000, "USD"))
    await fill(bank, owner.account, 100_000, "CNY")
    amount = await worth(bank, owner, risk.DECLINE)
    told = await refused(
        bank, "TransfersService/CreateTransfer", **await paying(bank, owner, amount)
    )
    reply = await bank.do("RiskService/ListDecisions", customer_id=owner.customer, page_size=1)
    (one,) = reply.decisions
    assert (told.reason, told.metadata["appeal_reference"]) == ("RISK_REJECTED", one.decision_id)
    assert (one.kind, one.outcome.kind) == ("CONVERSION", outcome_pb2.OUTCOME_KIND_DECLINE)
    assert await posted(bank, owner.account) == FUNDS + 100_000


async def worth(bank: SmallBank, owner: Person, source: int) -> int:
    """What is got for exactly so much CNY, where that is also what it costs."""
    quote = (
        await bank.do(
            "ConversionsService/CreateQuote",
            from_account_id=owner.account,
            to_account_id=await pocket(bank, owner, "USD"),
            amount=cash(source),
        )
    ).quote
    return int(quote.exchange.target_amount.minor_units)


async def test_payments_at_once_stay_within_the_day(bank: SmallBank, owner: Person) -> None:
    await fill(bank, owner.account, 90_000, "CNY")
    await agreed(bank, owner)
    asked = await paying(bank, owner, 400)

    async def pay() -> str:
        try:
            await bank.do("TransfersService/CreateTransfer", **asked)
        except grpc.aio.AioRpcError:
            return "refused"
        return "paid"

    answers = await asyncio.gather(*(pay() for _ in range(12)))
    # 25.00 a day are six times 4.00.
    assert sorted(answers) == ["paid"] * 6 + ["refused"] * 6
    token = bank.token("customer", owner)
    (kept,) = (await bank.do("ConversionsService/ListAutoConversions", token)).auto_conversions
    assert kept.day_used == money(2_400, "USD")
    told = await refused(bank, "TransfersService/CreateTransfer", **asked)
    assert told.metadata["auto_conversion"] == "DAY_MAX"
    now = bank.parts.clock.now_us() // 1_000_000
    await bank.do("AdminService/SetClock", time={"seconds": now + 86_400})
    await bank.do("TransfersService/CreateTransfer", **asked)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"payment_max": cash(0, "USD")}, "INVALID_REQUEST"),
        ({"payment_max": cash(3_000, "USD")}, "INVALID_REQUEST"),
        ({"source_account_ids": []}, "INVALID_REQUEST"),
        ({"basis_points_max": 1_001}, "INVALID_REQUEST"),
        ({"payment_max": cash(1_000, "CNY")}, "CURRENCY_MISMATCH"),
        ({"day_max": cash(2_500, "CNY")}, "CURRENCY_MISMATCH"),
    ],
)
async def test_what_cannot_be_agreed_to(
    bank: SmallBank, owner: Person, fields: dict[str, Any], reason: str
) -> None:
    asked = {**await new_auto_conversion(bank, owner), **fields}
    told = await refused(bank, "ConversionsService/SetAutoConversion", **asked)
    assert told.reason == reason


async def test_pockets_are_the_customers_own(bank: SmallBank, owner: Person) -> None:
    asked = await new_auto_conversion(bank, owner)
    other = await bank.person()
    for fields, token in (
        ({"source_account_ids": [other.account]}, SERVICE),
        ({"source_account_ids": [elsewhere(owner.account)]}, SERVICE),
        ({"account_id": elsewhere(owner.account)}, SERVICE),
        ({}, bank.token("customer", other)),
    ):
        told = await refused(
            bank, "ConversionsService/SetAutoConversion", token, **{**asked, **fields}
        )
        assert told.reason == "ACCOUNT_NOT_FOUND"
    same = {**asked, "source_account_ids": [asked["account_id"]]}
    told = await refused(bank, "ConversionsService/SetAutoConversion", **same)
    assert told.reason == "FX_SAME_CURRENCY"


async def test_it_is_agreed_to_with_approval_and_given_up_without(
    bank: SmallBank, owner: Person
) -> None:
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="739154")
    token, asked = bank.session_token(owner), await new_auto_conversion(bank, owner)
    method = BY_NAME["ConversionsService/SetAutoConversion"]
    request: Any = method.request_class(request_id=bank.new_request_id(), **asked)
    told = await bank.refused(method, request, token)
    assert told.reason == "NEEDS_AUTH"
    challenge_id = told.metadata["challenge_id"]
    shown = await bank.do("ChallengesService/GetChallenge", token, challenge_id=challenge_id)
    assert shown.challenge.text == (
        f"Let payments from {asked['account_id']} exchange what they lack from {owner.account}:"
        " up to 10.00 USD each and 25.00 USD a day, for 100 basis points at most."
    )
    await bank.do(
        "ChallengesService/ApproveChallenge",
        token,
        challenge_id=challenge_id,
        proof={"payment_pin": "739154"},
    )
    assert (await bank.ask(method, request, token)).auto_conversion.enabled
    off = await bank.do(
        "ConversionsService/SetAutoConversion", token, account_id=asked["account_id"]
    )
    assert not off.auto_conversion.enabled
