"""Payments to merchants that risk judges: by order, by both codes, held, and of a mandate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.risk.v1 import decision_pb2, outcome_pb2
from tests.support import risk
from tests.support.sample_requests import SAMPLES, Fields, make_sample, ordered
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

BOOK = 1
RICH = 1_000_000


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("till")) as opened:
        opened.parts.risk.use(BOOK, risk.AmountSource().shipped())
        yield opened


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(RICH),
        bank_account="6222021234567890",
    )
    return person


async def refused(bank: SmallBank, name: str, owner: Person, amount: int) -> Told:
    """The refusal of a sample whose order is of an amount."""
    method = BY_NAME[name]
    fields: Any = SAMPLES[name](bank, owner)
    fields = await fields
    if name == "PaymentsService/PayOrder":
        fields = await an_order(bank, owner, amount)
    request: Any = method.request_class(**{**fields, "amount": cash(amount)})
    request.request_id = bank.new_request_id()
    return await bank.refused(method, request, SERVICE)


async def an_order(bank: SmallBank, owner: Person, amount: int) -> Fields:
    """An order of an amount, to be paid by the owner."""
    made = await ordered(bank, owner, amount=cash(amount))
    return {
        "order_id": made.order.order_id,
        "from_account_id": owner.account,
        "amount": cash(amount),
    }


async def last(bank: SmallBank, owner: Person) -> decision_pb2.Decision:
    reply = await bank.do("RiskService/ListDecisions", customer_id=owner.customer, page_size=1)
    found: decision_pb2.Decision = reply.decisions[0]
    return found


@pytest.mark.parametrize("amount", [risk.DECLINE, risk.REVIEW, risk.DELAY])
async def test_at_the_till_nothing_waits(bank: SmallBank, payer: Person, amount: int) -> None:
    told = await refused(bank, "PaymentsService/PayOrder", payer, amount)
    one = await last(bank, payer)
    assert told.reason == "RISK_REJECTED"
    assert told.metadata["appeal_reference"] == one.decision_id
    assert one.outcome.kind == outcome_pb2.OUTCOME_KIND_DECLINE
    assert (one.kind, one.to_account_id) == ("PAYMENT", "")


async def test_a_printed_code_is_judged(bank: SmallBank, payer: Person) -> None:
    told = await refused(bank, "PaymentsService/PayStaticCode", payer, risk.DECLINE)
    assert told.reason == "RISK_REJECTED"
    assert (await last(bank, payer)).kind == "STATIC_CODE_PAYMENT"


async def test_a_merchant_is_not_told_why_a_payers_code_is_refused(
    bank: SmallBank, payer: Person
) -> None:
    told = await refused(bank, "PaymentsService/PayByCode", payer, risk.DECLINE)
    assert (told.reason, told.metadata) == ("PAYER_STATE", {"problem": "RISK"})
    one = await last(bank, payer)
    assert one.kind == "PAYER_CODE_PAYMENT"
    assert {each.feature: each for each in one.features}["channel"].string_value == "merchant"


async def test_what_is_paid_to_a_merchant_counts_for_payer_and_merchant(
    bank: SmallBank, payer: Person
) -> None:
    for _ in range(2):
        await bank.do("PaymentsService/PayOrder", **await an_order(bank, payer, 700))
    values = {each.feature: each.int_value for each in (await last(bank, payer)).features}
    assert values["payer_count_1m"] == 1
    assert values["payer_sum_24h"] == 700


@pytest.mark.parametrize(
    "name",
    ["PaymentsService/PayOrder", "PaymentsService/PayStaticCode", "PaymentsService/PayByCode"],
)
async def test_what_nobody_could_pay_is_refused_for_that_and_counted(
    bank: SmallBank, name: str
) -> None:
    poor = await bank.person()
    told = await refused(bank, name, poor, risk.DECLINE)
    assert told.reason == "INSUFFICIENT_FUNDS"
    assert ("available_minor_units" in told.metadata) == (name != "PaymentsService/PayByCode")
    made = (await bank.do("RiskService/ListDecisions", customer_id=poor.customer)).decisions
    assert {one.kind for one in made} == {"TOP_UP"}, "nothing was declined that could be appealed"
    cases = (await bank.do("CasesService/ListCases", page_size=1_000)).cases
    assert poor.customer not in {one.customer_id for one in cases}
    await bank.do("PaymentsService/PayOrder", **await an_order(bank, poor, 700))
    values = {each.feature: each.int_value for each in (await last(bank, poor)).features}
    assert (values["payer_refused_count_1h"], values["payer_count_1m"]) == (1, 0)


async def test_who_tries_to_take_more_than_there_is_is_frozen_all_the_same(bank: SmallBank) -> None:
    poor = await bank.person()
    told = await refused(bank, "PaymentsService/PayOrder", poor, risk.FREEZE)
    assert told.reason == "RISK_REJECTED"
    (freeze,) = (await bank.do("RiskService/ListFreezes", customer_id=poor.customer)).freezes
    assert freeze.decision_id == told.metadata["appeal_reference"]


PAYING = {
    "PaymentsService/PayOrder": "PAYMENT",
    "PaymentsService/PayStaticCode": "STATIC_CODE_PAYMENT",
    "PaymentsService/PayByCode": "PAYER_CODE_PAYMENT",
    "CombinedOrdersService/PayCombinedOrder": "PAYMENT",
    "OfflineService/ForwardOffline": "PAYER_CODE_PAYMENT",
    "AuthorizationsService/AuthorizeOrder": "PAYMENT",
    "AuthorizationsService/IncrementAuthorization": "PAYMENT",
    "MandatesService/ChargeMandate": "MANDATE_CHARGE",
    "BillsService/PayDue": "PAYMENT",
    "DonationsService/Donate": "PAYMENT",
}
"""Every way to pay a merchant, and as what it is judged."""


@pytest.mark.parametrize("name", PAYING)
async def test_every_way_to_pay_a_merchant_is_judged_kept_and_counted(
    bank: SmallBank, payer: Person, name: str
) -> None:
    method = BY_NAME[name]
    request: Any = await make_sample(bank, method, payer)
    before = await last(bank, payer)
    token = bank.insider(method) if "service" in method.principal_kinds else SERVICE
    await bank.ask(method, request, token)
    one = await last(bank, payer)
    assert one.decision_id > before.decision_id
    assert (one.kind, one.outcome.kind) == (PAYING[name], outcome_pb2.OUTCOME_KIND_ALLOW)
    await bank.do("PaymentsService/PayOrder", **await an_order(bank, payer, 700))
    values = {each.feature: each.int_value for each in (await last(bank, payer)).features}
    counted = {each.feature: each.int_value for each in one.features}["payer_count_1m"]
    assert values["payer_count_1m"] == counted + 1


async def test_a_part_that_is_declined_stops_all_parts(bank: SmallBank, payer: Person) -> None:
    method = BY_NAME["CombinedOrdersService/PayCombinedOrder"]
    fields: Any = SAMPLES["CombinedOrdersService/CreateCombinedOrder"](bank, payer)
    fields = await fields
    fields["parts"][-1]["amount"] = cash(risk.DECLINE)
    made = await bank.do("CombinedOrdersService/CreateCombinedOrder", **fields)
    request: Any = method.request_class(
        combined_order_id=made.combined_order.combined_order_id,
        from_account_id=payer.account,
        total=made.combined_order.total,
        request_id=bank.new_request_id(),
    )
    told = await bank.refused(method, request, SERVICE)
    one = await last(bank, payer)
    assert (told.reason, told.metadata["appeal_reference"]) == ("RISK_REJECTED", one.decision_id)
    decided = await bank.do("RiskService/ListDecisions", customer_id=payer.customer)
    assert [each.kind for each in decided.decisions] == ["PAYMENT", "TOP_UP", "TOP_UP"]


async def test_a_frozen_payer_cannot_pay_a_merchant(bank: SmallBank, payer: Person) -> None:
    await bank.do(
        "RiskService/PlaceFreeze",
        customer_id=payer.customer,
        scope=outcome_pb2.FREEZE_SCOPE_ONLY_OUT,
        reason="CONFIRMED_FRAUD",
    )
    assert (await refused(bank, "PaymentsService/PayOrder", payer, 10)).reason == "RISK_FROZEN"
    told = await refused(bank, "PaymentsService/PayByCode", payer, 10)
    assert (told.reason, told.metadata) == ("PAYER_STATE", {"problem": "ACCOUNT"})
