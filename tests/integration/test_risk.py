"""What becomes of movements that risk judges: every outcome carried out, kept and told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import decision_pb2, outcome_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import DECISION, FREEZE, TRANSACTION, TransactionId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.subjects import check_state
from tests.support import risk
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK, PATIENCE
from tests.support.wallets import SERVICE, STAFF, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database
    from tests.support.wallets import Person, Wallets

FUNDS = 1_000_000


@pytest_asyncio.fixture(scope="module")
async def wallets(module_database: Database) -> AsyncIterator[Wallets]:
    async with open_wallets(module_database.app_dsn, SettableClock()) as opened:
        yield opened


@pytest_asyncio.fixture
async def payer(wallets: Wallets) -> Person:
    return await wallets.person(funds=FUNDS)


@pytest_asyncio.fixture
async def payee(wallets: Wallets) -> Person:
    return await wallets.person()


async def decided(wallets: Wallets, person: Person) -> list[decision_pb2.Decision]:
    """All decisions about a customer's payments, the oldest first, as the bank sees them."""
    reply = await wallets.ask("ListDecisions", customer_id=person.customer)
    return [one for one in reversed(reply.decisions) if one.kind != "TOP_UP"]


async def notices(wallets: Wallets, person: Person) -> list[int]:
    """Kinds of what a customer is to be told."""
    async with wallets.readers.connection(deadline=wallets.clock.monotonic() + PATIENCE) as link:
        cursor = await link.execute(
            b"select kind from risk_notice where book = $1 and customer_id = $2 order by kind",
            (BOOK, Uuid(person.customer_id)),
        )
        return [record[0] for record in await cursor.fetchall()]


async def refused(wallets: Wallets, payer: Person, payee: Person, amount: int) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await wallets.pay(payer, payee, amount)
    return caught.value


async def test_what_nothing_speaks_against_is_paid_and_kept(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, 500)
    again = await wallets.pay(payer, payee, 700)
    first, second = await decided(wallets, payer)
    assert first.outcome.kind == outcome_pb2.OUTCOME_KIND_ALLOW
    assert first.transaction_id == made.transfer.transfer_id
    assert second.transaction_id == again.transfer.transfer_id
    assert (first.rules_version, first.card_version) == (7, 3)
    found = {one.feature: one for one in second.features}
    assert found["payer_count_1m"].int_value == 1
    assert found["payer_sum_24h"].int_value == 500
    assert found["pair_count_24h"].int_value == 1
    assert not found["new_payee"].bool_value
    assert {one.feature: one for one in first.features}["new_payee"].bool_value
    assert found["payer_mean_30d"].decimal_value == "500.0"
    assert found["channel"].string_value == "app"
    assert second.score == "1.0"
    assert [(one.feature, one.points) for one in second.contributions] == [
        ("payer_count_1m", "1.0")
    ]


async def test_money_that_came_and_goes_is_told_by_features(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    await wallets.pay(payer, payee, 1_000)
    await wallets.pay(payee, payer, 900)
    (back,) = await decided(wallets, payee)
    found = {one.feature: one for one in back.features}
    assert found["pass_through"].decimal_value == "0.9"
    assert found["drain"].decimal_value == "0.9"


async def test_an_unusual_payment_is_made_and_told(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, risk.NOTICE)
    assert made.transfer.state == transfer_pb2.TRANSFER_STATE_COMPLETED
    (one,) = await decided(wallets, payer)
    assert one.outcome.kind == outcome_pb2.OUTCOME_KIND_ALLOW_WITH_NOTICE
    assert one.reason == "UNUSUAL_AMOUNT"
    assert await notices(wallets, payer) == [1]
    (event,) = await wallets.events(DECISION.decode(one.decision_id))
    assert event[0] == event_pb2.EVENT_TYPE_RISK_DECIDED
    told = event_pb2.RiskDecisionMade.FromString(event[1])
    assert (told.outcome, told.customer_id) == ("ALLOW_WITH_NOTICE", payer.customer)


async def test_a_delayed_payment_waits_and_is_paid(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, risk.DELAY)
    assert made.transfer.state == transfer_pb2.TRANSFER_STATE_SCHEDULED
    assert await wallets.balance(payee) == (0, 0, 0, risk.DELAY)
    with pytest.raises(Refusal) as caught:
        await wallets.ask("ReleaseTransfer", payer.principal, transfer_id=made.transfer.transfer_id)
    (one,) = await decided(wallets, payer)
    assert caught.value.reason == "TRANSFER_HELD_BY_RISK"
    assert caught.value.metadata == {
        "transfer_id": made.transfer.transfer_id,
        "appeal_reference": one.decision_id,
    }
    wallets.clock.advance(risk.DELAY_S + 1)
    await wallets.jobs.run_once()
    assert await wallets.balance(payee) == (risk.DELAY, risk.DELAY, 0, 0)


async def test_a_delayed_payment_can_be_taken_back(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, risk.DELAY)
    await wallets.ask("CancelTransfer", payer.principal, transfer_id=made.transfer.transfer_id)
    assert await wallets.balance(payer) == (FUNDS, FUNDS, 0, 0)


async def test_a_reviewed_payment_waits_for_somebody(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, risk.REVIEW)
    assert made.transfer.state == transfer_pb2.TRANSFER_STATE_HELD
    for method in ("CancelTransfer", "ReleaseTransfer"):
        for principal in (payer.principal, SERVICE):
            with pytest.raises(Refusal) as caught:
                await wallets.ask(method, principal, transfer_id=made.transfer.transfer_id)
            assert caught.value.reason == "TRANSFER_HELD_BY_RISK"
    assert await notices(wallets, payer) == [3]
    wallets.clock.advance(10 * 86_400)
    await wallets.jobs.run_once()
    assert await wallets.balance(payee) == (0, 0, 0, risk.REVIEW)


@pytest.mark.parametrize("amount", [risk.DELAY, risk.REVIEW])
async def test_a_withdrawal_that_is_held_is_not_sent(
    wallets: Wallets, payer: Person, amount: int
) -> None:
    made = await wallets.ask(
        "Withdraw",
        payer.principal,
        account_id=payer.account,
        amount=cash(amount),
        bank_account="6222021234567890",
    )
    await wallets.jobs.run_once()
    await wallets.jobs.run_once()
    assert (await wallets.balance(payer))[2] == amount
    wallets.clock.advance(risk.DELAY_S + 1)
    for _ in range(3):
        await wallets.jobs.run_once()
    found = await wallets.ask("GetTransfer", transfer_id=made.transfer.transfer_id)
    expected = (
        transfer_pb2.TRANSFER_STATE_COMPLETED
        if amount == risk.DELAY
        else transfer_pb2.TRANSFER_STATE_HELD
    )
    assert found.transfer.state == expected


@pytest.mark.parametrize("amount", [risk.DECLINE, risk.FAULT])
async def test_a_declined_payment_says_what_to_appeal_against(
    wallets: Wallets, payer: Person, payee: Person, amount: int
) -> None:
    refusal = await refused(wallets, payer, payee, amount)
    (one,) = await decided(wallets, payer)
    reason = "UNUSUAL_AMOUNT" if amount == risk.DECLINE else "CANNOT_BE_CHECKED"
    assert refusal.reason == "RISK_REJECTED"
    assert refusal.metadata == {"reason_code": reason, "appeal_reference": one.decision_id}
    assert await wallets.balance(payer) == (FUNDS, FUNDS, 0, 0)
    await wallets.pay(payer, payee, 5)
    later = (await decided(wallets, payer))[-1]
    counted = {each.feature: each.int_value for each in later.features}
    assert counted["payer_refused_count_1h"] == 1
    assert counted["payer_count_1m"] == 0


async def test_a_request_that_was_declined_stays_declined(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    request_id = wallets.new_request_id()
    for _ in range(2):
        with pytest.raises(Refusal, match="RISK_REJECTED"):
            await wallets.pay(payer, payee, risk.DECLINE, request_id=request_id)
    assert wallets.replayed
    assert len(await decided(wallets, payer)) == 1


async def test_what_needs_approval_nobody_can_give_is_declined(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    """A token without a session cannot approve, and neither can a top-up."""
    refusal = await refused(wallets, payer, payee, risk.STEP_UP)
    assert refusal.reason == "RISK_REJECTED"
    (one,) = await decided(wallets, payer)
    assert one.outcome.kind == outcome_pb2.OUTCOME_KIND_DECLINE
    assert one.fired[0].outcome.kind == outcome_pb2.OUTCOME_KIND_STEP_UP


@pytest.mark.parametrize("amount", [risk.DELAY, risk.REVIEW])
async def test_a_top_up_cannot_wait(wallets: Wallets, payer: Person, amount: int) -> None:
    with pytest.raises(Refusal, match="RISK_REJECTED"):
        await wallets.top_up(payer, amount)


async def test_of_many_payments_each_is_judged(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    amounts = (10, risk.DECLINE, 20, risk.SHADOW)
    reply = await wallets.ask(
        "BatchTransfers",
        payer.principal,
        from_account_id=payer.account,
        items=[{"payee": {"account_id": payee.account}, "amount": cash(a)} for a in amounts],
    )
    assert [bool(result.transfer_id) for result in reply.results] == [True, False, True, True]
    found = await decided(wallets, payer)
    assert len(found) == 4
    assert found[-1].fired[0].shadow
    assert found[-1].outcome.kind == outcome_pb2.OUTCOME_KIND_ALLOW


async def test_a_freeze_stops_the_wallet_with_all_its_accounts(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    await wallets.ask(
        "OpenAccount", payer.principal, customer_id=payer.customer, currency_code="USD"
    )
    refusal = await refused(wallets, payer, payee, risk.FREEZE)
    assert refusal.reason == "RISK_REJECTED"
    (freeze,) = (await wallets.ask("ListFreezes", payer.principal)).freezes
    assert freeze.scope == outcome_pb2.FREEZE_SCOPE_ONLY_OUT
    assert freeze.decision_id == refusal.metadata["appeal_reference"]
    assert (freeze.placed_by, freeze.customer_id) == ("", payer.customer)
    stopped = await refused(wallets, payer, payee, 5)
    assert stopped.reason == "RISK_FROZEN"
    assert stopped.metadata == {"freeze_id": freeze.freeze_id}
    account = (await wallets.ask("GetAccount", account_id=payer.account)).account
    assert account.state == 2, "no debits, whoever asks"
    await wallets.top_up(payer, 10)
    assert await notices(wallets, payer) == [5]
    told = [type_ for type_, _ in await wallets.events(FREEZE.decode(freeze.freeze_id))]
    assert told == [event_pb2.EVENT_TYPE_RISK_DECIDED, event_pb2.EVENT_TYPE_RISK_FROZEN]


async def test_the_bank_lifts_a_freeze_and_the_customer_may_not(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    await refused(wallets, payer, payee, risk.FREEZE)
    (freeze,) = (await wallets.ask("ListFreezes", payer.principal)).freezes
    with pytest.raises(Refusal) as caught:
        await wallets.ask("LiftFreeze", payer.principal, freeze_id=freeze.freeze_id)
    assert caught.value.reason == "FREEZE_NOT_REVOCABLE"
    lifted = await wallets.ask("LiftFreeze", freeze_id=freeze.freeze_id, reason_text="looked at")
    assert lifted.freeze.state == decision_pb2.FREEZE_STATE_LIFTED
    assert (lifted.freeze.lifted_by, lifted.freeze.reason_text) == ("bank", "looked at")
    await wallets.pay(payer, payee, 5)
    with pytest.raises(Refusal) as caught:
        await wallets.ask("LiftFreeze", freeze_id=freeze.freeze_id)
    assert caught.value.reason == "FREEZE_LIFTED"
    assert await notices(wallets, payer) == [5, 6]


async def test_a_payee_can_be_frozen_and_hears_of_it(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    await refused(wallets, payer, payee, risk.FREEZE_PAYEE)
    assert (await wallets.ask("ListFreezes", payer.principal)).freezes == []
    (freeze,) = (await wallets.ask("ListFreezes", payee.principal)).freezes
    assert freeze.scope == outcome_pb2.FREEZE_SCOPE_FULL
    assert (await refused(wallets, payer, payee, 5)).reason == "CREDIT_ACCOUNT_FROZEN"
    assert (await refused(wallets, payee, payer, 5)).reason == "RISK_FROZEN"
    assert await notices(wallets, payee) == [5]


async def test_an_officer_freezes_by_hand(wallets: Wallets, payer: Person, payee: Person) -> None:
    place: dict[str, Any] = {
        "customer_id": payer.customer,
        "scope": outcome_pb2.FREEZE_SCOPE_ONLY_IN,
        "reason": "CONFIRMED_FRAUD",
        "reason_text": "the police asked",
    }
    placed = await wallets.ask("PlaceFreeze", STAFF, **place)
    assert placed.freeze.placed_by == "staff:risk"
    with pytest.raises(Refusal) as caught:
        await wallets.top_up(payer, 5)
    assert caught.value.reason == "CREDIT_ACCOUNT_FROZEN"
    await wallets.pay(payer, payee, 5)
    with pytest.raises(Refusal) as caught:
        await wallets.ask("PlaceFreeze", STAFF, **place)
    assert caught.value.reason == "FREEZE_EXISTS"
    assert caught.value.metadata == {"freeze_id": placed.freeze.freeze_id}
    nobody = payer.customer[:-8] + "00000001"
    with pytest.raises(Refusal) as caught:
        await wallets.ask("PlaceFreeze", STAFF, **{**place, "customer_id": nobody})
    assert caught.value.reason == "WALLET_NOT_FOUND"


async def test_customers_see_their_own_decisions_and_not_why(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    refusal = await refused(wallets, payer, payee, risk.DECLINE)
    decision_id = refusal.metadata["appeal_reference"]
    own = (await wallets.ask("GetDecision", payer.principal, decision_id=decision_id)).decision
    assert own.reason == "UNUSUAL_AMOUNT"
    assert not (own.fired)
    assert not (own.features)
    assert not (own.rules_digest)
    assert not (own.latency_us)
    bank = (await wallets.ask("GetDecision", decision_id=decision_id)).decision
    assert [one.rule for one in bank.fired] == [f"amount_{risk.DECLINE}"]
    for principal, known in ((payee.principal, decision_id), (SERVICE, _another(decision_id))):
        with pytest.raises(Refusal) as caught:
            await wallets.ask("GetDecision", principal, decision_id=known)
        assert caught.value.reason == "DECISION_NOT_FOUND"
    with pytest.raises(Refusal) as caught:
        await wallets.ask("LiftFreeze", freeze_id=decision_id.replace("dec_", "frz_"))
    assert caught.value.reason == "FREEZE_NOT_FOUND"
    listed = (await wallets.ask("ListDecisions", payer.principal)).decisions
    assert decision_id in {one.decision_id for one in listed}
    assert not any(one.features for one in listed)


def _another(decision_id: str) -> str:
    """An id that was never given out, of the same book."""
    return decision_id[:-12] + "ffffffff" + decision_id[-4:]


async def test_decisions_are_listed_by_outcome_and_page(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    for amount in (5, risk.NOTICE, 6, risk.NOTICE):
        await wallets.pay(payer, payee, amount)
    asked: dict[str, Any] = {
        "customer_id": payer.customer,
        "lowest_outcome": outcome_pb2.OUTCOME_KIND_ALLOW_WITH_NOTICE,
        "page_size": 1,
    }
    first = await wallets.ask("ListDecisions", **asked)
    second = await wallets.ask("ListDecisions", **asked, page_token=first.next_page_token)
    assert not second.next_page_token
    assert first.decisions[0].decision_id > second.decisions[0].decision_id
    assert len((await wallets.ask("ListDecisions", book=BOOK, page_size=3)).decisions) == 3


@pytest.mark.parametrize("amount", [5, risk.NOTICE, risk.DECLINE, risk.FAULT, risk.STEP_UP])
async def test_a_decision_comes_out_the_same_again(
    wallets: Wallets, payer: Person, payee: Person, amount: int
) -> None:
    try:
        await wallets.pay(payer, payee, amount)
    except Refusal as refusal:
        assert refusal.reason == "RISK_REJECTED"  # noqa: PT017 - others fail the test
    (one,) = await decided(wallets, payer)
    wallets.clock.advance(86_400)
    reply = await wallets.ask("ReplayDecision", decision_id=one.decision_id)
    assert reply.same
    assert reply.replayed.outcome == one.outcome
    assert list(reply.replayed.faults) == list(one.faults)


async def test_a_decision_of_other_rules_is_not_replayed(
    wallets: Wallets, payer: Person, payee: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wallets.pay(payer, payee, 5)
    (one,) = await decided(wallets, payer)
    monkeypatch.setattr(risk.AmountRules, "digest", b"b" * 32)
    with pytest.raises(Refusal) as caught:
        await wallets.ask("ReplayDecision", decision_id=one.decision_id)
    assert caught.value.reason == "DECISION_NOT_REPLAYABLE"
    assert caught.value.metadata == {
        "decision_id": one.decision_id,
        "rules_version": "7",
        "card_version": "3",
    }


async def test_a_state_that_cannot_be_read_stops_nobody_and_is_told(
    wallets: Wallets, module_database: Database, payer: Person, payee: Person
) -> None:
    await wallets.pay(payer, payee, 5)
    where = (BOOK, int(SubjectKind.PARTY), payer.customer_id.hex())
    clause = " where book = %s and kind = %s and subject = %s::uuid"
    async with await psycopg.AsyncConnection.connect(module_database.admin_dsn) as link:
        cursor = await link.execute(f"select state from risk_subject{clause}".encode(), where)  # noqa: S608
        record = await cursor.fetchone()
        assert record is not None
        assert check_state(bytes(record[0]))["OUT"] == 1
        await link.execute(f"update risk_subject set state = '\\x0909'{clause}".encode(), where)  # noqa: S608
    with pytest.raises(Refusal) as caught:
        await wallets.pay(payer, payee, 6)
    assert caught.value.metadata["reason_code"] == "CANNOT_BE_CHECKED"
    faults = {fault.source for fault in (await decided(wallets, payer))[-1].faults}
    assert {"payer_count_1m", "payer_payees_10m"} <= faults
    await wallets.pay(await wallets.person(funds=9), payee, 6)


async def test_many_at_once_are_counted_exactly(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    await asyncio.gather(*(wallets.pay(payer, payee, 3) for _ in range(40)))
    found = await decided(wallets, payer)
    counts = [
        next(one.int_value for one in each.features if one.feature == "payer_count_1m")
        for each in found
    ]
    assert sorted(counts) == list(range(40))
    assert TRANSACTION.decode(found[0].transaction_id) != TransactionId(bytes(16))
