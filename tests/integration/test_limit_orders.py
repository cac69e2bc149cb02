"""What waits for a rate, through the RPCs: alerts that tell, orders that are filled; streams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from longmen.accounts.v1 import wallet_pb2
from longmen.events.v1 import event_pb2
from longmen.fx.v1 import order_pb2
from longmen.ledger.v1 import account_pb2
from longmen.risk.v1 import outcome_pb2
from longmen_server.jobs.expired_holds import ExpiredHolds
from longmen_server.jobs.limit_orders import LimitOrders
from longmen_server.limit_orders.model import WAITING_MAX
from longmen_server.risk.model import Fired, Outcome, OutcomeKind
from tests.support import risk
from tests.support.exchange import (
    alerted,
    new_alert,
    new_limit_order,
    ordered,
    with_rates,
)
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.small_bank import (
    BY_NAME,
    SERVICE,
    SmallBank,
    cash,
    open_small_bank,
    reply_class,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from longmen_server.risk.model import Fault, FeatureValue
    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

FROZEN, OPEN = account_pb2.ACCOUNT_STATE_CREDIT_FROZEN, account_pb2.ACCOUNT_STATE_OPEN
BOOK = 1
DAY_S = 86_400
MINUTE_S = 60
FUNDS = 100_000


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        opened.parts.risk.use(BOOK, risk.AmountSource().shipped())
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """A traveller with CNY 1,000."""
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(FUNDS - 10_000),
        bank_account="6222021234567890",
    )
    return person


@pytest.fixture
def rates(bank: SmallBank) -> Callable[[str], Any]:
    """Sets the rate of USD, a minute after the last, and does the server's jobs."""

    async def set_rate(dollars: str) -> int:
        now = bank.parts.clock.now_us() // 1_000_000 + MINUTE_S
        await bank.do("AdminService/SetClock", time={"seconds": now})
        await bank.do(
            "RatesService/SetRate", currency_code="USD", rate=dollars, observe_time={"seconds": now}
        )
        return await work(bank)

    return set_rate


async def work(bank: SmallBank) -> int:
    """Do what the server does by itself; return how many items that were."""
    parts = bank.parts
    job = LimitOrders(lambda _: 2**62, parts.vault, parts.office, parts.risk)
    async with bank.workplace() as workplace:
        return (await job.take(workplace)).items


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"LimitOrdersService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def found(bank: SmallBank, order: Any) -> Any:
    reply = await bank.do("LimitOrdersService/GetLimitOrder", limit_order_id=order.limit_order_id)
    return reply.order


async def balances(bank: SmallBank, account_id: str) -> tuple[int, int]:
    """What is booked and what can be spent."""
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return account.balances.posted, account.balances.available


@pytest.fixture(autouse=True)
async def usual_rates(bank: SmallBank, owner: Person) -> None:
    """One EUR is 1.1172 USD and 7.4326 CNY: one CNY is 0.1503 USD, 0.1497 to customers."""
    await with_rates(bank, owner)
    now = bank.parts.clock.now_us() // 1_000_000 + MINUTE_S
    await bank.do("AdminService/SetClock", time={"seconds": now})
    for code, rate in (("USD", "1.1172"), ("CNY", "7.4326")):
        await bank.do(
            "RatesService/SetRate", currency_code=code, rate=rate, observe_time={"seconds": now}
        )


async def test_an_order_holds_its_money_and_is_filled_once_when_its_rate_comes(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any]
) -> None:
    order = await ordered(bank, owner, rate="0.151", amount=cash(60_000))
    assert order.state == order_pb2.LIMIT_ORDER_STATE_OPEN
    assert await balances(bank, owner.account) == (FUNDS, FUNDS - 60_000)
    # One CNY is 0.15136 USD in the middle of the market, and 0.15076 to the customer.
    await rates("1.125")
    assert (await found(bank, order)).state == order_pb2.LIMIT_ORDER_STATE_OPEN
    await rates("1.13")
    filled = await found(bank, order)
    assert filled.state == order_pb2.LIMIT_ORDER_STATE_FILLED
    conversion = (
        await bank.do("ConversionsService/GetConversion", conversion_id=filled.conversion_id)
    ).conversion
    # At 1.13 / 7.4326, less 40 basis points.
    assert conversion.client_rate == "0.151424804241"
    assert conversion.exchange.source_amount == order.amount
    assert await balances(bank, owner.account) == (FUNDS - 60_000, FUNDS - 60_000)
    got = conversion.exchange.target_amount.minor_units
    assert await balances(bank, order.to_account_id) == (got, got)
    # Once only, whatever else of other tests there is to do.
    await work(bank)
    ended = await refused(bank, "CancelLimitOrder", limit_order_id=order.limit_order_id)
    assert (ended.reason, ended.metadata["state"]) == ("FX_LIMIT_ORDER_ENDED", "FILLED")
    assert ended.metadata["conversion_id"] == filled.conversion_id
    listed = await bank.do(
        "AccountsService/ListTransactions",
        account_id=owner.account,
        kinds=[wallet_pb2.MOVEMENT_KIND_HOLD, wallet_pb2.MOVEMENT_KIND_EXCHANGE],
    )
    assert [one.amount.minor_units for one in listed.movements] == [60_000, 60_000]
    assert await changes_of(bank, order) == ["OPEN", "FILLED"]


async def changes_of(bank: SmallBank, order: Any) -> list[str]:
    events = await bank.do(
        "EventsService/ListEvents",
        types=[event_pb2.EVENT_TYPE_FX_LIMIT_ORDER_CHANGED],
        page_size=1000,
    )
    return [
        one.fx_limit_order_change.state
        for one in events.events
        if one.subject_id == order.limit_order_id
    ]


async def test_an_order_whose_hold_has_ended_too_expires_all_the_same(
    bank: SmallBank, owner: Person
) -> None:
    # As after days in which no job ran.
    order = await ordered(bank, owner, valid_days=1)
    now = bank.parts.clock.now_us() // 1_000_000
    await bank.do("AdminService/SetClock", time={"seconds": now + 40 * DAY_S})
    while await work(bank):
        pass
    assert await changes_of(bank, order) == ["OPEN", "EXPIRED"]
    async with bank.workplace() as workplace:
        while (await ExpiredHolds().take(workplace)).items:
            pass
    assert await balances(bank, owner.account) == (FUNDS, FUNDS)


async def test_orders_are_given_up_and_expire_with_their_money(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any]
) -> None:
    one, other = [await ordered(bank, owner, valid_days=days) for days in (1, 2)]
    token = bank.token("customer", owner)
    for _ in range(2):
        cancelled = await bank.do(
            "LimitOrdersService/CancelLimitOrder", token, limit_order_id=other.limit_order_id
        )
        assert cancelled.order.state == order_pb2.LIMIT_ORDER_STATE_CANCELLED
    assert await balances(bank, owner.account) == (FUNDS, FUNDS - 1_000)
    now = bank.parts.clock.now_us() // 1_000_000
    await bank.do("AdminService/SetClock", time={"seconds": now + DAY_S + MINUTE_S})
    late = await refused(bank, "CancelLimitOrder", limit_order_id=one.limit_order_id)
    assert (late.reason, late.metadata["state"]) == ("FX_LIMIT_ORDER_ENDED", "EXPIRED")
    await rates("1.2")
    assert (await found(bank, one)).state == order_pb2.LIMIT_ORDER_STATE_EXPIRED
    assert await balances(bank, owner.account) == (FUNDS, FUNDS)
    listed = (await bank.do("LimitOrdersService/ListLimitOrders", token)).orders
    assert [row.limit_order_id for row in listed] == [other.limit_order_id, one.limit_order_id]


async def test_an_order_that_cannot_be_filled_waits_on(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any]
) -> None:
    order = await ordered(bank, owner, rate="0.151")
    await bank.do(
        "LedgerService/SetAccountState",
        account_id=order.to_account_id,
        state=FROZEN,
        reason_text="x",
    )
    await rates("1.14")
    assert (await found(bank, order)).state == order_pb2.LIMIT_ORDER_STATE_OPEN
    assert await balances(bank, owner.account) == (FUNDS, FUNDS - 1_000)
    await bank.do(
        "LedgerService/SetAccountState", account_id=order.to_account_id, state=OPEN, reason_text="x"
    )
    # Other tests' orders may be due with it.
    assert await work(bank) >= 1
    assert (await found(bank, order)).state == order_pb2.LIMIT_ORDER_STATE_FILLED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"rate": "0.14"}, "FX_RATE_REACHED"),
        ({"rate": "0"}, "INVALID_REQUEST"),
        ({"amount": cash(FUNDS + 1)}, "INSUFFICIENT_FUNDS"),
        ({"amount": cash(50_000_001)}, "FX_ORDER_LIMIT"),
        ({"amount": cash(5)}, "FX_AMOUNT_TOO_SMALL"),
        ({"amount": cash(100, "USD"), "target_currency_code": "CNY"}, "CURRENCY_MISMATCH"),
        ({"target_currency_code": "JPY"}, "CURRENCY_MISMATCH"),
    ],
)
async def test_what_cannot_be_ordered_holds_nothing(
    bank: SmallBank, owner: Person, fields: dict[str, Any], reason: str
) -> None:
    asked = await new_limit_order(bank, owner)
    before = bank.contents(but=frozenset({"request_record"}))
    assert (await refused(bank, "CreateLimitOrder", **{**asked, **fields})).reason == reason
    assert bank.contents(but=frozenset({"request_record"})) == before


async def test_orders_and_alerts_are_their_customers(bank: SmallBank, owner: Person) -> None:
    order, alert = await ordered(bank, owner), await alerted(bank, owner)
    other = bank.token("customer", await bank.person())
    for name in ("GetLimitOrder", "CancelLimitOrder"):
        told = await refused(bank, name, other, limit_order_id=order.limit_order_id)
        assert told.reason == "FX_LIMIT_ORDER_NOT_FOUND"
        for nowhere in (elsewhere(order.limit_order_id), of_foreign_book(order.limit_order_id)):
            told = await refused(bank, name, limit_order_id=nowhere)
            assert told.reason == "FX_LIMIT_ORDER_NOT_FOUND"
    for alert_id, token in (
        (alert.alert_id, other),
        (elsewhere(alert.alert_id), SERVICE),
        (of_foreign_book(alert.alert_id), SERVICE),
    ):
        told = await refused(bank, "DeleteRateAlert", token, alert_id=alert_id)
        assert told.reason == "FX_ALERT_NOT_FOUND"
    asked = await new_alert(bank, owner)
    nobody = await refused(
        bank, "CreateRateAlert", **{**asked, "customer_id": elsewhere(owner.customer)}
    )
    assert nobody.reason == "WALLET_NOT_FOUND"


async def test_an_alert_tells_once_when_its_rate_comes(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any]
) -> None:
    token = bank.token("customer", owner)
    up = await alerted(bank, owner, rate="0.152")
    down = await alerted(bank, owner, rate="0.149", direction=order_pb2.RATE_DIRECTION_AT_MOST)
    gone = await alerted(bank, owner, rate="0.151")
    for _ in range(2):
        deleted = await bank.do("LimitOrdersService/DeleteRateAlert", alert_id=gone.alert_id)
        assert deleted.alert.state == order_pb2.RATE_ALERT_STATE_DELETED
    before = await events_of(bank)
    await rates("1.14")
    await rates("1.15")
    listed = (await bank.do("LimitOrdersService/ListRateAlerts", token)).alerts
    assert [one.alert_id for one in listed] == [gone.alert_id, down.alert_id, up.alert_id]
    assert [one.state for one in listed] == [
        order_pb2.RATE_ALERT_STATE_DELETED,
        order_pb2.RATE_ALERT_STATE_WAITING,
        order_pb2.RATE_ALERT_STATE_TOLD,
    ]
    assert listed[2].told_rate == "0.153378360197"
    (event,) = (await events_of(bank))[len(before) :]
    assert event.subject_id == up.alert_id
    assert event.fx_alert_told.customer_id == owner.customer
    assert "1 CNY is at least 0.152 USD" in bank.last_message(owner.phone)
    now = bank.parts.clock.now_us() // 1_000_000
    await bank.do("AdminService/SetClock", time={"seconds": now + 31 * DAY_S})
    listed = (await bank.do("LimitOrdersService/ListRateAlerts", token)).alerts
    assert listed[1].state == order_pb2.RATE_ALERT_STATE_EXPIRED


async def events_of(bank: SmallBank) -> Any:
    types = [event_pb2.EVENT_TYPE_FX_ALERT_TOLD]
    return (await bank.do("EventsService/ListEvents", types=types, page_size=1000)).events


async def test_what_is_there_is_not_waited_for_and_not_too_much_waits(
    bank: SmallBank, owner: Person
) -> None:
    there = await new_alert(bank, owner, rate="0.15")
    told = await refused(bank, "CreateRateAlert", **there)
    assert (told.reason, told.metadata) == ("FX_RATE_REACHED", {"present_rate": "0.150310792993"})
    same = {**there, "source_currency_code": "USD"}
    assert (await refused(bank, "CreateRateAlert", **same)).reason == "FX_SAME_CURRENCY"
    asked = await new_alert(bank, owner)
    await asyncio.gather(
        *(bank.do("LimitOrdersService/CreateRateAlert", **asked) for _ in range(WAITING_MAX))
    )
    full = await refused(bank, "CreateRateAlert", **asked)
    assert (full.reason, full.metadata) == ("FX_WAITING_LIMIT", {"limit": str(WAITING_MAX)})
    order = await new_limit_order(bank, owner, amount=cash(100))
    await asyncio.gather(
        *(bank.do("LimitOrdersService/CreateLimitOrder", **order) for _ in range(WAITING_MAX))
    )
    assert (await refused(bank, "CreateLimitOrder", **order)).reason == "FX_WAITING_LIMIT"


async def test_an_order_with_a_session_is_approved_for_its_limit(
    bank: SmallBank, owner: Person
) -> None:
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="739154")
    token = bank.session_token(owner)
    method = BY_NAME["LimitOrdersService/CreateLimitOrder"]
    asked = await new_limit_order(bank, owner, amount=cash(50_000))
    request: Any = method.request_class(request_id=bank.new_request_id(), **asked)
    told = await bank.refused(method, request, token)
    assert told.reason == "NEEDS_AUTH"
    challenge_id = told.metadata["challenge_id"]
    challenge = (
        await bank.do("ChallengesService/GetChallenge", token, challenge_id=challenge_id)
    ).challenge
    assert challenge.text == (
        f"Exchange 500.00 CNY from {owner.account} to {asked['to_account_id']}"
        " once 1 CNY gets 0.2 USD or more."
    )
    await bank.do(
        "ChallengesService/ApproveChallenge",
        token,
        challenge_id=challenge_id,
        proof={"payment_pin": "739154"},
    )
    assert (await bank.ask(method, request, token)).available_minor_units == FUNDS - 50_000


# -- as risk judges it -------------------------------------------------------------------------


class OneRule(risk.AmountRules):
    """One outcome for one amount."""

    def __init__(self, amount: int, outcome: Outcome) -> None:
        self.fired = {amount: Fired("one", outcome, "UNUSUAL_AMOUNT", shadow=False)}

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        del now_us, key
        one = self.fired.get(int(values["amount_minor"]))  # type: ignore[arg-type]
        return ((one,) if one else (), ())


@pytest.fixture
def rule(bank: SmallBank) -> Iterator[Callable[[int, Outcome], None]]:
    """Lets one rule decide until the test is over."""
    shipped = risk.AmountSource().shipped()
    yield lambda *of: bank.parts.risk.use(BOOK, shipped._replace(rules=OneRule(*of)))
    bank.parts.risk.use(BOOK, shipped)


async def decisions(bank: SmallBank, owner: Person) -> list[Any]:
    reply = await bank.do("RiskService/ListDecisions", customer_id=owner.customer, page_size=100)
    return [one for one in reply.decisions if one.kind == "CONVERSION"]


@pytest.mark.parametrize("amount", [risk.DECLINE, risk.STEP_UP])
async def test_what_risk_declines_is_not_even_placed(
    bank: SmallBank, owner: Person, amount: int
) -> None:
    asked = await new_limit_order(bank, owner, amount=cash(amount))
    told = await refused(bank, "CreateLimitOrder", **asked)
    (one,) = await decisions(bank, owner)
    assert (told.reason, told.metadata["appeal_reference"]) == ("RISK_REJECTED", one.decision_id)
    assert await balances(bank, owner.account) == (FUNDS, FUNDS)


async def test_an_order_that_risk_declines_when_its_rate_comes_has_ended(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any], rule: Callable[..., None]
) -> None:
    order = await ordered(bank, owner, rate="0.151", amount=cash(60_000))
    rule(60_000, Outcome(OutcomeKind.DECLINE))
    await rates("1.14")
    await rates("1.15")
    ended = await found(bank, order)
    assert ended.state == order_pb2.LIMIT_ORDER_STATE_DECLINED
    assert await balances(bank, owner.account) == (FUNDS, FUNDS)
    declined, placed = await decisions(bank, owner)
    assert declined.outcome.kind == outcome_pb2.OUTCOME_KIND_DECLINE
    assert placed.outcome.kind == outcome_pb2.OUTCOME_KIND_ALLOW
    told = await refused(bank, "CancelLimitOrder", limit_order_id=order.limit_order_id)
    assert (told.reason, told.metadata["state"]) == ("FX_LIMIT_ORDER_ENDED", "DECLINED")


async def test_what_was_approved_when_it_was_placed_is_filled_without_asking_again(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any], rule: Callable[..., None]
) -> None:
    rule(5_000, Outcome(OutcomeKind.STEP_UP, 1))
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="739154")
    token = bank.session_token(owner)
    method = BY_NAME["LimitOrdersService/CreateLimitOrder"]
    asked = await new_limit_order(bank, owner, amount=cash(5_000), rate="0.151")
    request: Any = method.request_class(request_id=bank.new_request_id(), **asked)
    told = await bank.refused(method, request, token)
    assert told.reason == "NEEDS_AUTH"
    await bank.do(
        "ChallengesService/ApproveChallenge",
        token,
        challenge_id=told.metadata["challenge_id"],
        proof={"payment_pin": "739154"},
    )
    order = (await bank.ask(method, request, token)).order
    await rates("1.14")
    assert (await found(bank, order)).state == order_pb2.LIMIT_ORDER_STATE_FILLED
    assert [one.outcome.kind for one in await decisions(bank, owner)] == (
        [outcome_pb2.OUTCOME_KIND_STEP_UP] * 3
    )


async def test_an_order_of_a_frozen_customer_waits(
    bank: SmallBank, owner: Person, rates: Callable[[str], Any]
) -> None:
    order = await ordered(bank, owner, rate="0.151")
    await bank.do(
        "RiskService/PlaceFreeze",
        customer_id=owner.customer,
        scope=outcome_pb2.FREEZE_SCOPE_ONLY_OUT,
        reason="CONFIRMED_FRAUD",
    )
    await rates("1.14")
    assert (await found(bank, order)).state == order_pb2.LIMIT_ORDER_STATE_OPEN


# -- rates as they change ----------------------------------------------------------------------


async def test_rates_are_sent_at_once_and_when_they_change(
    bank: SmallBank, rates: Callable[[str], Any]
) -> None:
    method = BY_NAME["RatesService/StreamRates"]
    pairs = [
        {"source_currency_code": "USD", "target_currency_code": "CNY"},
        {"source_currency_code": "EUR", "target_currency_code": "USD"},
    ]
    stream = bank.channel.unary_stream(f"/{method.path}")(
        method.request_class(pairs=pairs).SerializeToString(),
        metadata=(("authorization", f"Bearer {SERVICE}"),),
        timeout=20,
    )

    async def mids() -> list[str]:
        reply: Any = reply_class(method).FromString(await stream.read())
        return [one.mid for one in reply.rates]

    assert await mids() == ["6.65288220551", "1.1172"]
    # Nobody reads meanwhile: what comes next is the newest, and nothing waits in between.
    for dollars in ("1.12", "1.13", "1.14"):
        await rates(dollars)
    seen: list[str] = []
    while not seen or seen[-1] != "1.14":
        seen.append((await mids())[1])
    assert len(seen) <= 3
    stream.cancel()
    for code, reason in (("USD", "FX_SAME_CURRENCY"), ("XAU", "FX_CURRENCY_NOT_TRADABLE")):
        bad = method.request_class(
            pairs=[{"source_currency_code": "USD", "target_currency_code": code}]
        )
        assert (await bank.refused(method, bad, SERVICE)).reason == reason
