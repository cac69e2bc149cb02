"""Agreeing on sales without a network: two people, whose risk it is, and how it ends."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from longmen.payments.v1 import offline_pb2
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from tests.support.offline import TILL_KEY, OfflineTill
from tests.support.phone import Phone
from tests.support.proof import proof_of
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchant, terminal
from tests.support.small_bank import BY_NAME, FUNDS, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

BANK, MERCHANT = offline_pb2.LOSS_BEARER_BANK, offline_pb2.LOSS_BEARER_MERCHANT
PAID, COVERED = offline_pb2.OFFLINE_OUTCOME_PAID, offline_pb2.OFFLINE_OUTCOME_COVERED
LOST = offline_pb2.OFFLINE_OUTCOME_LOST
ROOT = Path(__file__).parents[2]
SET = "OfflineService/SetOfflineAcceptance"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("agreed")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """A customer who sells as well, so that there are tokens of the merchant."""
    person = await bank.person()
    await merchant(bank, person)
    return person


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"OfflineService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def agree(bank: SmallBank, owner: Person, **terms: Any) -> Any:
    made = await bank.do(SET, merchant_id=await merchant(bank, owner), **terms)
    return made.acceptance


async def new_till(bank: SmallBank, owner: Person) -> OfflineTill:
    """A till whose key is registered by what was agreed."""
    till = OfflineTill(bank, await terminal(bank, owner), TILL_KEY)
    made = await bank.do("OfflineService/RegisterTerminalKey", **till.registration())
    till.key_id, till.terms = made.key.key_id, made.terms
    return till


async def poor_phone(bank: SmallBank) -> Phone:
    """The phone of somebody with an empty wallet."""
    payer = await bank.person()
    phone = await Phone.of(bank, payer)
    await bank.do(
        "TransfersService/Withdraw",
        account_id=payer.account,
        amount=cash(FUNDS),
        bank_account="6222020200001234567",
    )
    return phone


def told(results: list[Any]) -> list[tuple[int, str, int]]:
    return [(one.outcome, one.reason, one.loss_bearer) for one in results]


async def test_it_takes_two_members_of_staff(bank: SmallBank, owner: Person) -> None:
    mine, token = await merchant(bank, owner), bank.token("merchant", owner)
    till = OfflineTill(bank, await terminal(bank, owner), TILL_KEY)
    told_none = await refused(bank, "RegisterTerminalKey", token, **till.registration())
    assert (told_none.reason, told_none.metadata) == ("OFFLINE_NOT_ENABLED", {"merchant_id": mine})
    terms = {
        "merchant_id": mine,
        "enabled": True,
        "loss_bearer": BANK,
        "day_budget": cash(700),
    }
    ann, bob = bank.token_of("staff", "ann"), bank.token_of("staff", "bob")
    alone = await refused(bank, "SetOfflineAcceptance", ann, **terms)
    assert alone.reason == "APPROVAL_REQUIRED"
    command = {"set_offline_acceptance": {**terms, "request_id": bank.new_request_id()}}
    made = (await bank.do("ApprovalsService/ProposeApproval", ann, command=command)).approval
    assert {one.field: one.after for one in made.changes} == {
        "offline.enabled": "True",
        "offline.loss_bearer": "BANK",
        "offline.day_budget_minor_units": "700",
    }
    unchanged = await bank.do("OfflineService/GetOfflineAcceptance", token, merchant_id=mine)
    assert (unchanged.acceptance.enabled, unchanged.acceptance.version) == (False, 0)
    decision = {"approval_id": made.approval_id, "payload_hash": made.payload_hash}
    await bank.do("ApprovalsService/ApproveApproval", bob, **decision)
    agreed = await bank.do("OfflineService/GetOfflineAcceptance", token, merchant_id=mine)
    assert agreed.acceptance.day_budget.minor_units == 700
    assert (agreed.acceptance.enabled, agreed.acceptance.loss_bearer) == (True, BANK)
    told_now = await bank.do("OfflineService/GetOfflineTerms", token, terminal_id=till.terminal_id)
    assert (told_now.terms.enabled, told_now.terms.covered_limit.minor_units) == (True, 700)
    await bank.do("OfflineService/RegisterTerminalKey", token, **till.registration())


async def test_the_bank_bears_no_more_than_the_days_budget(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner, enabled=True, loss_bearer=BANK, day_budget=cash(700))
    till, phone = await new_till(bank, owner), await poor_phone(bank)
    sales = [till.sale(phone.code(), 400) for _ in range(2)]
    assert told(await till.forward(*sales)) == [
        (COVERED, "INSUFFICIENT_FUNDS", BANK),
        (LOST, "INSUFFICIENT_FUNDS", MERCHANT),
    ]
    raised = await agree(bank, owner, enabled=True, loss_bearer=BANK, day_budget=cash(800))
    assert raised.version == 2
    (covered,) = await till.forward(till.sale(phone.code(), 400))
    assert told([covered]) == [(COVERED, "INSUFFICIENT_FUNDS", BANK)]


async def test_at_its_own_risk_the_merchant_bears_all(bank: SmallBank, owner: Person) -> None:
    agreed = await agree(bank, owner, enabled=True, loss_bearer=MERCHANT)
    assert not agreed.HasField("day_budget")
    till, phone = await new_till(bank, owner), await poor_phone(bank)
    assert (till.terms.covered_limit.minor_units, till.terms.loss_bearer) == (0, MERCHANT)
    assert told(await till.forward(till.sale(phone.code()))) == [
        (LOST, "INSUFFICIENT_FUNDS", MERCHANT)
    ]


async def test_what_was_sold_before_the_end_is_taken_down(
    bank: SmallBank, owner: Person, module_database: Database
) -> None:
    await agree(bank, owner, enabled=True, loss_bearer=MERCHANT)
    till, phone = await new_till(bank, owner), await Phone.of(bank, await bank.person())
    before = till.sale(phone.code(minutes=-1), ago_s=60)
    ended = await agree(bank, owner, enabled=False)
    assert (ended.enabled, ended.loss_bearer, ended.version) == (False, MERCHANT, 2)
    after = till.sale(phone.code())
    assert told(await till.forward(before, after)) == [
        (PAID, "", offline_pb2.LOSS_BEARER_UNSPECIFIED),
        (LOST, "OFFLINE_NOT_ENABLED", MERCHANT),
    ]
    found = await bank.do("OfflineService/GetOfflineTerms", terminal_id=till.terminal_id)
    limits = found.terms
    assert not limits.enabled
    sums = (limits.sale_limit, limits.stored_limit, limits.covered_limit)
    assert [one.minor_units for one in sums] == [0, 0, 0]
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert [one for one in findings if one.kind.startswith("OFFLINE")] == []


async def test_merchants_that_had_keys_before_go_on(
    bank: SmallBank, owner: Person, module_database: Database
) -> None:
    """The migration takes them over, by the bank's own figure; others have to agree first."""
    await agree(bank, owner, enabled=True, loss_bearer=MERCHANT)
    till = await new_till(bank, owner)
    (path,) = (ROOT / "migrations" / "versions").glob("*_offline_acceptance.py")
    statements = runpy.run_path(str(path))["STATEMENTS"]
    mine = MERCHANT_TEXT.decode(await merchant(bank, owner)).hex()
    with psycopg.connect(module_database.admin_dsn) as connection:
        connection.execute("drop table offline_acceptance")
        for statement in statements:
            connection.execute(statement)
        taken_over = connection.execute(
            "select is_enabled, loss_bearer, day_budget, version from offline_acceptance"
            " where merchant_id = %s",
            [mine],
        ).fetchall()
        connection.rollback()
    assert taken_over == [(True, BANK, None, 0)]

    bank.execute(
        "update offline_acceptance set loss_bearer = 1, day_budget = null"
        " where book = 1 and merchant_id = %s",
        mine,
    )
    found = await bank.do("OfflineService/GetOfflineTerms", terminal_id=till.terminal_id)
    assert (found.terms.enabled, found.terms.covered_limit.minor_units) == (True, 100_000)


async def test_refusals_say_what_is_wrong(bank: SmallBank, owner: Person) -> None:
    mine = await merchant(bank, owner)
    covered = {"merchant_id": mine, "enabled": True, "loss_bearer": BANK}
    cases: list[tuple[dict[str, Any], str, dict[str, str]]] = [
        (
            {**covered, "day_budget": cash(100_001)},
            "OFFLINE_BUDGET_TOO_LARGE",
            {"limit_minor_units": "100000", "currency_code": "CNY"},
        ),
        (
            {**covered, "day_budget": cash(5, "USD")},
            "CURRENCY_MISMATCH",
            {"expected": "CNY", "actual": "USD"},
        ),
        (covered, "INVALID_REQUEST", {"rules": "offline_acceptance.budget_of_the_bank"}),
        (
            {**covered, "loss_bearer": MERCHANT, "day_budget": cash(5)},
            "INVALID_REQUEST",
            {"rules": "offline_acceptance.budget_of_the_bank"},
        ),
        (
            {"merchant_id": mine, "enabled": True},
            "INVALID_REQUEST",
            {"rules": "offline_acceptance.bearer_when_enabled"},
        ),
        (
            {"merchant_id": mine, "loss_bearer": MERCHANT},
            "INVALID_REQUEST",
            {"rules": "offline_acceptance.bearer_when_enabled"},
        ),
    ]
    for fields, reason, metadata in cases:
        answer = await refused(bank, "SetOfflineAcceptance", **fields)
        assert (answer.reason, answer.metadata) == (reason, metadata), fields
    for nobody in (elsewhere(mine), of_foreign_book(mine)):
        for name in ("SetOfflineAcceptance", "GetOfflineAcceptance"):
            answer = await refused(bank, name, merchant_id=nobody)
            assert (answer.reason, answer.metadata) == (
                "MERCHANT_NOT_FOUND",
                {"merchant_id": nobody},
            )
