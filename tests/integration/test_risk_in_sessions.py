"""Risk with a customer in a session: approved with more, freed by two factors; officers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from longmen.identity.v1 import challenge_pb2
from longmen.risk.v1 import outcome_pb2
from longmen_app import AsyncFrozen, AsyncProtection, AsyncStopped, AsyncWallet, Unapproved
from longmen_client import AsyncClient, Config, Money
from longmen_server.cli import cli
from tests.support import risk
from tests.support.small_bank import BOOK, SERVICE, SmallBank, open_small_bank
from tests.support.step_up import Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

    from tests.support.postgres import Database

PENDING, APPROVED = challenge_pb2.CHALLENGE_STATE_PENDING, challenge_pb2.CHALLENGE_STATE_APPROVED
EXPIRED = challenge_pb2.CHALLENGE_STATE_EXPIRED
ONLY_OUT = outcome_pb2.FREEZE_SCOPE_ONLY_OUT


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("sessions")) as opened:
        opened.parts.risk.use(BOOK, risk.AmountSource().shipped())
        yield opened


async def with_two_factors(bank: SmallBank) -> Payer:
    payer = await Payer.new(bank)
    await payer.add_totp()
    return payer


async def decided(bank: SmallBank, payer: Payer) -> list[Any]:
    """What was decided about the payer's payments, the newest first."""
    found = await bank.do("RiskService/ListDecisions", customer_id=payer.person.customer)
    return [one for one in found.decisions if one.kind == "TRANSFER"]


async def test_what_risk_steps_up_takes_two_factors_and_goes_through_once(bank: SmallBank) -> None:
    payer = await with_two_factors(bank)
    before = await payer.balance()
    payment = payer.payment(risk.STEP_UP)
    challenge_id = await payer.challenged(payment)
    shown = await payer.challenge(challenge_id)
    assert shown.factors_needed == 2, "the policy alone would want one"
    assert (await payer.approve(challenge_id)).state == PENDING
    assert await payer.challenged(payment) == challenge_id, "one of two is not enough"
    later(bank, 30)  # the next code of the authenticator
    assert (await payer.approve(challenge_id, totp_code=payer.code())).state == APPROVED
    replies = await asyncio.gather(*(payer.pay(payment) for _ in range(8)))
    assert len({reply.transfer.transfer_id for reply in replies}) == 1
    assert await payer.balance() == before - risk.STEP_UP
    made, asked = await decided(bank, payer)
    assert [one.outcome.kind for one in (asked, made)] == [outcome_pb2.OUTCOME_KIND_STEP_UP] * 2
    assert made.transaction_id == replies[0].transfer.transfer_id
    assert asked.transaction_id != made.transaction_id, "that one was never made"


async def test_who_has_one_factor_only_cannot_go_on(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    told = await payer.pay_refused(payer.payment(risk.STEP_UP))
    assert told.reason == "STEP_UP_UNAVAILABLE"
    (asked,) = await decided(bank, payer)
    assert asked.outcome.kind == outcome_pb2.OUTCOME_KIND_STEP_UP


async def test_an_approval_with_less_is_asked_for_anew(bank: SmallBank) -> None:
    """Between approval and repetition other rules are promoted, which want more."""
    payer = await with_two_factors(bank)
    payment = payer.payment(risk.STEP_UP)
    bank.parts.risk.use(BOOK, bank.parts.risk.source.shipped())
    try:
        first = await payer.challenged(payment)
        assert (await payer.approve(first)).state == APPROVED
    finally:
        bank.parts.risk.use(BOOK, risk.AmountSource().shipped())
    second = await payer.challenged(payment)
    assert second != first
    assert (await payer.challenge(first)).state == EXPIRED
    assert (await payer.challenge(second)).factors_needed == 2


async def test_customers_lift_what_is_left_to_them_by_two_factors(bank: SmallBank) -> None:
    payer = await with_two_factors(bank)
    freeze = await frozen(bank, payer, revocable=True)
    lift = payer.request("RiskService/LiftFreeze", freeze_id=freeze)
    told = await payer.told("RiskService/LiftFreeze", lift)
    assert told.reason == "NEEDS_AUTH"
    challenge_id = told.metadata["challenge_id"]
    assert (await payer.challenge(challenge_id)).factors_needed == 2
    await payer.approve(challenge_id)
    assert (await payer.told("RiskService/LiftFreeze", lift)).reason == "NEEDS_AUTH"
    assert (await payer.pay_refused(payer.payment(500))).reason == "RISK_FROZEN"
    later(bank, 30)  # the next code of the authenticator
    await payer.approve(challenge_id, totp_code=payer.code())
    lifted = (await payer.send("RiskService/LiftFreeze", lift)).freeze
    assert lifted.lifted_by == "customer"
    payment = payer.payment(500)
    await payer.approve(await payer.challenged(payment))
    await payer.pay(payment)


@pytest.mark.parametrize(
    ("revocable", "reason"), [(True, "STEP_UP_UNAVAILABLE"), (False, "FREEZE_NOT_REVOCABLE")]
)
async def test_otherwise_they_cannot(
    bank: SmallBank,
    revocable: bool,  # noqa: FBT001 - a table's column
    reason: str,
) -> None:
    payer = await Payer.new(bank)
    freeze = await frozen(bank, payer, revocable=revocable)
    assert (await payer.refused("RiskService/LiftFreeze", freeze_id=freeze)).reason == reason


async def frozen(bank: SmallBank, payer: Payer, *, revocable: bool) -> str:
    placed = await bank.do(
        "RiskService/PlaceFreeze",
        customer_id=payer.person.customer,
        scope=ONLY_OUT,
        reason="UNUSUAL_AMOUNT",
        revocable=revocable,
    )
    return str(placed.freeze.freeze_id)


async def test_an_app_is_told_what_came_of_a_payment_by_its_type(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    payer_token, payee = payer.token, bank.payee.account
    async with AsyncClient(Config(target=bank.tokens.target, token=payer_token)) as client:
        protection = AsyncProtection(AsyncWallet(client, payer.person.customer))

        async def attempt(amount: int) -> Any:
            wallet = AsyncWallet(client, payer.person.customer)
            return await protection.attempt(await wallet.prepare(payee, Money(amount, "CNY")))

        unapproved = await attempt(500)
        assert isinstance(unapproved, Unapproved)
        assert unapproved.methods == ("PAYMENT_PIN",)
        stopped = await attempt(risk.DECLINE)
        assert isinstance(stopped, AsyncStopped)
        assert stopped.reason_code == "UNUSUAL_AMOUNT"
        appeal = await stopped.appeal("it is my rent")
        assert (appeal.state, appeal.verdict, appeal.reference) == ("OPEN", "", stopped.reference)
        assert await protection.look_up(appeal.case_id) == appeal
        await attempt(risk.FREEZE)
        again = await attempt(500)
        assert isinstance(again, AsyncFrozen)
        assert [(one.scope, one.active) for one in await protection.freezes()] == [
            ("ONLY_OUT", True)
        ]


async def command(bank: SmallBank, *words: str) -> Result:
    """What a command of an officer prints."""
    environment = {
        "LONGMEN_TARGET": bank.tokens.target,
        "LONGMEN_TOKEN": SERVICE,
        "COLUMNS": "300",
    }
    return await asyncio.to_thread(CliRunner().invoke, cli, ["risk", *words], env=environment)


async def test_officers_work_by_commands(bank: SmallBank, tmp_path: Path) -> None:
    payer = await Payer.new(bank)
    payment = payer.payment(risk.REVIEW)
    await payer.approve(await payer.challenged(payment))
    await payer.pay(payment)
    held = (await decided(bank, payer))[0]
    case_id = "case_" + held.transaction_id.removeprefix("txn_")
    call = tmp_path / "call.wav"
    call.write_bytes(b"a voice")

    async def said(*words: str, code: int = 0) -> str:
        done = await command(bank, *words)
        assert done.exit_code == code, f"{words}\n{done.output}"
        return done.output

    assert case_id in await said("cases", "list")
    await said("cases", "assign", case_id)
    noted = ("called the payer", "--evidence", "call 7", "--file", str(call))
    await said("cases", "note", case_id, *noted)
    shown = await said("cases", "show", case_id)
    assert "called the payer" in shown
    assert "call 7" in shown
    read = json.loads(await said("cases", "show", case_id, "--json"))
    assert read["notes"][0]["evidence"]["reference"] == "call 7"
    closed = await said("cases", "close", case_id, "confirmed-fraud", "--text", "asked")
    assert "confirmed" in closed.replace("-", " ").lower()
    gone = await command(bank, "cases", "note", case_id, "too late")
    assert gone.exit_code != 0
    assert "CASE_CLOSED" in gone.output
    appealed = await said("cases", "open", held.decision_id, "--text", "again", code=3)
    assert "CASE_EXISTS" in appealed

    account, payee = payer.person.account, bank.payee.account
    let = await said("simulate", account, payee, "5")
    assert "no objection" in let
    stops = await said("simulate", account, payee, str(risk.DECLINE / 100), code=1)
    assert "RISK_REJECTED" in stops
    tried = tmp_path / "rules.toml"
    tried.write_text(
        '[[rule]]\nid = "stop_all"\nowner = "fraud"\nintent = "Stops all."\nkinds = ["TRANSFER"]\n'
        'when = "amount_minor > 0"\noutcome = { kind = "decline" }\nreason = "ALL"\n'
        'notice = "PAYMENT_REFUSED"\n',
        "utf-8",
    )
    told = await said("backtest", str(tried), code=1)
    read = json.loads(await said("backtest", str(tried), "--json", code=1))
    assert int(read["newlyRefusedCount"]) >= 1
    assert read["blocksTooMuch"]
    for word in ("decisions judged again", "fraud caught", "stop_all", "█", "two people"):
        assert word in told
