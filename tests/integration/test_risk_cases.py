"""Cases: from what risk stopped or a customer says, over notes, to a verdict and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import case_pb2
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import CASE, DECISION, FREEZE
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.subjects import check_state
from longmen_server.riskcases.model import NOTES_MAX
from tests.support import risk
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK, PATIENCE
from tests.support.wallets import STAFF, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database
    from tests.support.wallets import Person, Wallets

FUNDS = 1_000_000
HONEST, FRAUD = case_pb2.CASE_VERDICT_FALSE_POSITIVE, case_pb2.CASE_VERDICT_CONFIRMED_FRAUD


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


async def refusal(wallets: Wallets, method: str, *who: Any, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await wallets.ask(method, *who, **fields)
    return caught.value


async def decision(wallets: Wallets, payer: Person) -> Any:
    """The latest decision about a customer's movements."""
    return (await wallets.ask("ListDecisions", customer_id=payer.customer)).decisions[0]


async def case_of(wallets: Wallets, made: Any) -> Any:
    """The open case of a transfer."""
    case_id = "case_" + made.transfer.transfer_id.removeprefix("txn_")
    return (await wallets.ask("GetCase", STAFF, case_id=case_id)).case_found


async def close(wallets: Wallets, case_id: str, verdict: int, **more: Any) -> Any:
    return await wallets.ask(
        "CloseCase", STAFF, case_id=case_id, verdict=verdict, reason_text="looked at", **more
    )


async def flagged(wallets: Wallets, party: bytes) -> int:
    """How many movements to a party count as fraud."""
    async with wallets.readers.connection(deadline=wallets.clock.monotonic() + PATIENCE) as link:
        cursor = await link.execute(
            b"select state from risk_subject where book = $1 and kind = $2 and subject = $3",
            (BOOK, int(SubjectKind.PARTY), Uuid(party)),
        )
        record = await cursor.fetchone()
    return check_state(record[0]).get("FLAGGED", 0) if record else 0


async def test_held_money_goes_on_when_it_was_honest(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, risk.REVIEW)
    case = await case_of(wallets, made)
    one = await decision(wallets, payer)
    assert (case.state, case.cause) == (case_pb2.CASE_STATE_OPEN, case_pb2.CASE_CAUSE_REVIEW)
    assert (case.decision_id, case.customer_id) == (one.decision_id, payer.customer)
    assert case.transaction_id == made.transfer.transfer_id
    assert (case.reference_minor_units, case.reason) == (risk.REVIEW, one.reason)

    assigned = await wallets.ask("AssignCase", STAFF, case_id=case.case_id)
    assert assigned.assigned.assignee == STAFF.subject
    evidence = {"reference": "call 2026-11-22/7", "sha256": bytes(32)}
    noted = await wallets.ask(
        "AddCaseNote", STAFF, case_id=case.case_id, text="called the payer", evidence=evidence
    )
    assert (noted.note.number, noted.note.author) == (1, "staff:risk")
    closed = await close(wallets, case.case_id, HONEST)
    assert (closed.money_released, closed.money_returned) == (True, False)
    assert await wallets.balance(payee) == (risk.REVIEW, risk.REVIEW, 0, 0)
    assert (await wallets.balance(payer))[:3] == (FUNDS - risk.REVIEW, FUNDS - risk.REVIEW, 0)
    assert await flagged(wallets, payee.customer_id) == 0

    found = await wallets.ask("GetCase", STAFF, case_id=case.case_id)
    assert found.case_found.verdict == HONEST
    assert found.case_found.closed_by == "staff:risk"
    assert [(note.text, note.evidence.reference) for note in found.notes] == [
        ("called the payer", "call 2026-11-22/7")
    ]
    told = [
        event_pb2.RiskCaseChange.FromString(payload)
        for kind, payload in await wallets.events(CASE.decode(case.case_id))
        if kind == event_pb2.EVENT_TYPE_RISK_CASE_CHANGED
    ]
    assert [(each.state, each.verdict) for each in told] == [
        ("OPEN", ""),
        ("CLOSED", "FALSE_POSITIVE"),
    ]
    late = await refusal(wallets, "AddCaseNote", STAFF, case_id=case.case_id, text="too late")
    assert (late.reason, late.metadata) == ("CASE_CLOSED", {"case_id": case.case_id})


async def test_held_money_goes_back_when_it_was_fraud_and_counts_against_the_payee(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    made = await wallets.pay(payer, payee, risk.REVIEW)
    case = await case_of(wallets, made)
    closed = await close(wallets, case.case_id, FRAUD)
    assert (closed.money_released, closed.money_returned) == (False, True)
    assert (await wallets.balance(payer))[:3] == (FUNDS, FUNDS, 0)
    assert (await wallets.balance(payee))[:2] == (0, 0)
    assert await flagged(wallets, payee.customer_id) == 1
    again = await refusal(
        wallets, "CloseCase", STAFF, case_id=case.case_id, verdict=HONEST, reason_text="no"
    )
    assert again.reason == "CASE_CLOSED"


async def test_a_frozen_customer_appeals_and_is_freed_with_the_verdict(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    with pytest.raises(Refusal, match="stopped"):
        await wallets.pay(payer, payee, risk.FREEZE)
    one = await decision(wallets, payer)
    freeze_id = FREEZE.encode(DECISION.decode(one.decision_id))  # type: ignore[arg-type]
    appealed = await wallets.ask(
        "AppealDecision",
        payer.principal,
        decision_id=one.decision_id,
        claim=case_pb2.CLAIM_MINE,
        text="it was my rent",
    )
    case = appealed.appealed
    assert (case.cause, case.appealed) == (case_pb2.CASE_CAUSE_FREEZE, True)
    assert (case.assignee, case.note_count) == ("", 0), "the bank's own business"
    seen = await wallets.ask("GetCase", payer.principal, case_id=case.case_id)
    assert not seen.notes
    queue = await wallets.ask("ListCases", STAFF)
    assert case.case_id in [each.case_id for each in queue.cases]

    other = await wallets.ask("ListFreezes", STAFF, customer_id=payer.customer)
    assert [each.freeze_id for each in other.freezes] == [freeze_id]
    fields = {"case_id": case.case_id, "reason_text": "known landlord"}
    wrong = await refusal(wallets, "CloseCase", STAFF, **fields, verdict=FRAUD, freeze_id=freeze_id)
    assert (wrong.reason, wrong.metadata["freeze_id"]) == ("CASE_OF_OTHER_FREEZE", freeze_id)
    closed = await wallets.ask("CloseCase", STAFF, **fields, verdict=HONEST, freeze_id=freeze_id)
    assert (closed.freeze_lifted, closed.money_released) == (True, False)
    await wallets.pay(payer, payee, 100)


async def test_a_mule_who_was_frozen_may_appeal_and_sees_nothing_of_the_payer(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    with pytest.raises(Refusal):
        await wallets.pay(payer, payee, risk.FREEZE_PAYEE)
    one = await decision(wallets, payer)
    appealed = await wallets.ask(
        "AppealDecision", payee.principal, decision_id=one.decision_id, claim=case_pb2.CLAIM_MINE
    )
    assert (appealed.appealed.customer_id, appealed.appealed.transaction_id) == ("", "")
    hidden = await refusal(wallets, "GetCase", payee.principal, case_id=appealed.appealed.case_id)
    assert hidden.reason == "CASE_NOT_FOUND"


async def test_a_payment_that_was_let_through_can_be_disputed_and_not_appealed(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    await wallets.pay(payer, payee, 500)
    one = await decision(wallets, payer)
    fields = {"decision_id": one.decision_id}
    mine = await refusal(
        wallets, "AppealDecision", payer.principal, **fields, claim=case_pb2.CLAIM_MINE
    )
    assert (mine.reason, mine.metadata) == ("NOTHING_TO_APPEAL", fields)
    stranger = await refusal(
        wallets, "AppealDecision", payee.principal, **fields, claim=case_pb2.CLAIM_NOT_MINE
    )
    assert (stranger.reason, stranger.metadata) == ("DECISION_NOT_FOUND", fields)
    disputed = await wallets.ask(
        "AppealDecision", payer.principal, **fields, claim=case_pb2.CLAIM_NOT_MINE, text="not me"
    )
    assert disputed.appealed.cause == case_pb2.CASE_CAUSE_DISPUTE
    twice = await refusal(wallets, "OpenCase", STAFF, **fields, text="look")
    case_id = disputed.appealed.case_id
    assert (twice.reason, twice.metadata) == ("CASE_EXISTS", {"case_id": case_id})
    closed = await close(wallets, case_id, FRAUD)
    assert (closed.money_released, closed.money_returned) == (False, False)
    assert await flagged(wallets, payee.customer_id) == 1
    late = await refusal(
        wallets, "AppealDecision", payer.principal, **fields, claim=case_pb2.CLAIM_NOT_MINE
    )
    assert late.reason == "CASE_CLOSED"


async def test_the_bank_opens_a_case_and_the_queue_has_pages(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    opened = []
    for _ in range(3):
        await wallets.pay(payer, payee, 300)
        one = await decision(wallets, payer)
        reply = await wallets.ask(
            "OpenCase", STAFF, decision_id=one.decision_id, text="a tip from the police"
        )
        assert reply.opened.cause == case_pb2.CASE_CAUSE_BANK
        assert reply.opened.note_count == 1
        await wallets.ask("AssignCase", STAFF, case_id=reply.opened.case_id, assignee="pages")
        opened.append(reply.opened.case_id)
    found, token = [], ""
    while True:
        page = await wallets.ask(
            "ListCases", STAFF, assignee="pages", page_size=2, page_token=token
        )
        found += [each.case_id for each in page.cases]
        token = page.next_page_token
        if not token:
            break
    assert found == opened


async def test_a_case_takes_so_many_notes_and_no_more(
    wallets: Wallets, payer: Person, payee: Person
) -> None:
    case = await case_of(wallets, await wallets.pay(payer, payee, risk.REVIEW))
    note = {"case_id": case.case_id, "text": "once more"}
    for _ in range(NOTES_MAX):
        await wallets.ask("AddCaseNote", STAFF, **note)
    full = await refusal(wallets, "AddCaseNote", STAFF, **note)
    assert (full.reason, full.metadata) == (
        "CASE_FULL",
        {"case_id": case.case_id, "maximum": str(NOTES_MAX)},
    )
    assert (await close(wallets, case.case_id, FRAUD)).money_returned


async def test_what_there_is_not_is_not_found(wallets: Wallets) -> None:
    absent = CASE.encode(wallets.new_transaction_id())  # type: ignore[arg-type]
    for method, fields in (
        ("GetCase", {}),
        ("AssignCase", {}),
        ("AddCaseNote", {"text": "hello"}),
        ("CloseCase", {"verdict": HONEST, "reason_text": "none"}),
    ):
        found = await refusal(wallets, method, STAFF, case_id=absent, **fields)
        assert (found.reason, found.metadata) == ("CASE_NOT_FOUND", {"case_id": absent})
    decision_id = DECISION.encode(wallets.new_transaction_id())  # type: ignore[arg-type]
    none = await refusal(wallets, "OpenCase", STAFF, decision_id=decision_id, text="look")
    assert none.reason == "DECISION_NOT_FOUND"
