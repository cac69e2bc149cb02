"""Names in documents against lists of names: matched, held, looked at by people, and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest

from longmen.identity.v1 import profile_service_pb2
from longmen.risk.v1 import case_pb2, decision_pb2, outcome_pb2
from tests.support.clock import SettableClock
from tests.support.edge import told
from tests.support.evidence import card
from tests.support.proof import proof_of
from tests.support.screening import named, names_listed, newcomer, screen_again, screenings
from tests.support.small_bank import BY_NAME, SERVICE, Person, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.support.edge import Told
    from tests.support.postgres import Database

FALSE, MATCH = case_pb2.CASE_VERDICT_FALSE_POSITIVE, case_pb2.CASE_VERDICT_CONFIRMED_MATCH
UPGRADE, SUBMIT = "KycService/UpgradeKyc", "KycService/SubmitEvidence"
CLOSE, GET_CASE = "CasesService/CloseCase", "CasesService/GetCase"
LISTED = "Viktor Anatoljewitsch But"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("names")) as opened:
        await names_listed(opened, "sanctions", LISTED, "王小明")
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def upgrade(bank: SmallBank, token: str) -> Any:
    return await bank.do(UPGRADE, token, identification_class=3)


async def held(bank: SmallBank, token: str) -> None:
    """An upgrade is refused, and whoever asked learns nothing of lists."""
    said = await refusal(upgrade(bank, token))
    assert (said.reason, said.metadata) == ("IDENTIFICATION_HELD", {})
    assert said.message == "the bank does not change the identification at present"


async def the_case(bank: SmallBank, person: Person) -> Any:
    (case,) = await screenings(bank, person)
    return case


async def close(bank: SmallBank, case: Any, verdict: int, **more: Any) -> Any:
    fields = {"case_id": case.case_id, "verdict": verdict, "reason_text": "looked at", **more}
    return await bank.do(CLOSE, SERVICE, **fields)


async def test_a_match_holds_the_upgrade_until_two_people_say_that_it_is_somebody_else(
    bank: SmallBank,
) -> None:
    person, token = await named(bank, "BUT, Viktor Anatoljewitsch")
    await held(bank, token)
    case = await the_case(bank, person)
    assert (case.state, case.decision_id, case.transaction_id) == (1, "", "")
    seen = await bank.do(GET_CASE, case_id=case.case_id)
    assert [(one.list_name, one.entry, one.label, one.likeness) for one in seen.matches] == [
        ("sanctions", LISTED, "sanctions programme", 100)
    ]
    await bank.do(SUBMIT, token, evidence=card(name="Ｖｉｋｔоr Anatoljewitsch But"))
    assert len(await screenings(bank, person)) == 1, "the same name opens nothing again"

    maker, checker = (bank.token_of("staff", name) for name in ("ines", "omar"))
    await bank.do("CasesService/AssignCase", maker, case_id=case.case_id)
    await bank.do("CasesService/AddCaseNote", maker, case_id=case.case_id, text="born elsewhere")
    verdict = {"case_id": case.case_id, "verdict": FALSE, "reason_text": "another birth date"}
    alone = await refusal(bank.do(CLOSE, maker, **verdict))
    assert alone.reason == "APPROVAL_REQUIRED"
    proposed = await bank.do(
        "ApprovalsService/ProposeApproval",
        maker,
        command={"close_case": {**verdict, "request_id": bank.new_request_id()}},
        reason_text="cleared",
    )
    await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=proposed.approval.approval_id,
        payload_hash=proposed.approval.payload_hash,
    )
    closed = (await bank.do(GET_CASE, case_id=case.case_id)).case_found
    assert (closed.verdict, closed.assignee, closed.note_count) == (FALSE, "ines", 1)
    assert (await upgrade(bank, token)).identification_class == 3

    await names_listed(bank, "sanctions", LISTED, "王小明")
    assert sum(await screen_again(bank)) > 0
    assert len(await screenings(bank, person)) == 1, "nor does the same entry of a newer list"


async def test_the_customer_never_learns_of_a_screening(bank: SmallBank) -> None:
    person, token = await named(bank, "王 小明")
    case = await the_case(bank, person)
    hidden = await refusal(bank.do(GET_CASE, token, case_id=case.case_id))
    assert (hidden.reason, hidden.metadata) == ("CASE_NOT_FOUND", {"case_id": case.case_id})
    exported = await _exported(bank, token)
    assert case.case_id.encode() not in exported
    assert b"sanctions" not in exported

    placed = await close(bank, case, MATCH)
    (freeze,) = (await bank.do("RiskService/ListFreezes", token)).freezes
    assert freeze.freeze_id == placed.freeze_id
    assert (freeze.scope, freeze.reason) == (outcome_pb2.FREEZE_SCOPE_FULL, "BANK_ORDER")
    assert (freeze.revocable, freeze.reason_text, freeze.placed_by) == (False, "", "")
    assert case.case_id.encode() not in await _exported(bank, token)


async def _exported(bank: SmallBank, token: str) -> bytes:
    request = profile_service_pb2.ExportMyDataRequest()
    answer = await bank.call(BY_NAME["ProfileService/ExportMyData"], request, token)
    return b"".join(bytes(message) for message in answer.messages)


async def test_a_confirmed_match_freezes_fully_and_only_two_people_take_that_back(
    bank: SmallBank,
) -> None:
    person, token = await named(bank, LISTED)
    case = await the_case(bank, person)
    fraud = await refusal(close(bank, case, case_pb2.CASE_VERDICT_CONFIRMED_FRAUD))
    assert (fraud.reason, fraud.metadata) == (
        "CASE_VERDICT_MISMATCH",
        {"case_id": case.case_id, "verdict": "CONFIRMED_FRAUD"},
    )
    placed = await close(bank, case, MATCH)
    assert placed.closed.verdict == MATCH
    fields = {
        "from_account_id": person.account,
        "payee": {"account_id": bank.payee.account},
        "amount": cash(1),
    }
    stopped = await refusal(bank.do("TransfersService/CreateTransfer", token, **fields))
    assert (stopped.reason, stopped.metadata) == ("RISK_FROZEN", {"freeze_id": placed.freeze_id})
    await held(bank, token)
    own = await refusal(bank.do("RiskService/LiftFreeze", token, freeze_id=placed.freeze_id))
    assert own.reason == "FREEZE_NOT_REVOCABLE"
    await bank.do(SUBMIT, token, evidence=card(name="林黛玉"))
    await held(bank, token)
    await bank.do("RiskService/LiftFreeze", freeze_id=placed.freeze_id, reason_text="an error")
    assert (await upgrade(bank, token)).identification_class == 3
    assert len(await screenings(bank, person)) == 1


async def test_a_full_freeze_takes_the_place_of_the_one_that_holds(bank: SmallBank) -> None:
    person, token = await named(bank, LISTED)
    case = await the_case(bank, person)
    first = await bank.do(
        "RiskService/PlaceFreeze",
        customer_id=person.customer,
        scope=outcome_pb2.FREEZE_SCOPE_ONLY_OUT,
        reason="CONFIRMED_FRAUD",
    )
    first_id = first.freeze.freeze_id
    exists = await refusal(close(bank, case, MATCH))
    assert (exists.reason, exists.metadata) == ("FREEZE_EXISTS", {"freeze_id": first_id})
    other = "frz_" + "0" * 28 + first_id[-4:]
    told_ = {"case_id": case.case_id, "freeze_id": other}
    wrong = await refusal(close(bank, case, MATCH, freeze_id=other))
    assert (wrong.reason, wrong.metadata) == ("CASE_OF_OTHER_FREEZE", told_)
    cleared = await refusal(close(bank, case, FALSE, freeze_id=first_id))
    assert (cleared.reason, cleared.metadata["freeze_id"]) == ("CASE_OF_OTHER_FREEZE", first_id)
    placed = await close(bank, case, MATCH, freeze_id=first_id)
    freezes = (await bank.do("RiskService/ListFreezes", customer_id=person.customer)).freezes
    assert {(one.freeze_id, one.state, one.scope) for one in freezes} == {
        (first_id, decision_pb2.FREEZE_STATE_LIFTED, outcome_pb2.FREEZE_SCOPE_ONLY_OUT),
        (placed.freeze_id, decision_pb2.FREEZE_STATE_ACTIVE, outcome_pb2.FREEZE_SCOPE_FULL),
    }
    await held(bank, token)


async def waiting(bank: SmallBank) -> int:
    """How many names wait to be looked up in the newest lists."""
    reply = await bank.do("ListsService/ListRiskLists")
    return int(reply.waiting_name_count)


async def test_a_new_list_looks_at_customers_of_before_some_at_a_time(bank: SmallBank) -> None:
    people = [await named(bank, name) for name in ("Jia Baoyu", "Xue Baochai", "Shi Xiangyun")]
    await screen_again(bank)
    assert await screen_again(bank) == [0], "nothing has changed"
    await names_listed(bank, "watch", "JIA, Bao Yu", "Xue Baochai")
    assert await waiting(bank) >= len(people)
    takes = await screen_again(bank, items_max=2)
    assert max(takes) == 2
    assert await waiting(bank) == 0
    assert sum(takes) >= len(people)
    assert [len(await screenings(bank, person)) for person, _ in people] == [1, 1, 0]
    assert await screen_again(bank) == [0]

    await names_listed(bank, "watched_too", "Baoyu Jia")
    await screen_again(bank)
    case = await the_case(bank, people[0][0])
    matches = (await bank.do(GET_CASE, case_id=case.case_id)).matches
    assert {one.list_name for one in matches} == {"watch", "watched_too"}, "one case for both"


async def test_an_upgrade_looks_the_name_up_whatever_the_job_has_done(bank: SmallBank) -> None:
    person, token = await named(bank, "Wang Xifeng")
    assert not await screenings(bank, person)
    await names_listed(bank, "late", "Wang Xifeng")
    await held(bank, token)
    case = await the_case(bank, person)
    await held(bank, token)
    assert (await the_case(bank, person)).case_id == case.case_id
    await close(bank, case, FALSE)
    assert (await upgrade(bank, token)).identification_class == 3


async def test_nobody_is_forgotten_while_a_case_is_open(bank: SmallBank) -> None:
    person, _ = await named(bank, LISTED)
    await bank.settle_clearing()
    await bank.do(
        "AccountsService/CloseAccount",
        account_id=person.account,
        sweep_to_account_id=bank.payee.account,
    )
    said = await refusal(bank.do("ProfileService/EraseCustomer", customer_id=person.customer))
    assert (said.reason, said.metadata) == ("IDENTIFICATION_HELD", {})
    await close(bank, await the_case(bank, person), FALSE)
    await bank.do("ProfileService/EraseCustomer", customer_id=person.customer)
    (case,) = await screenings(bank, person)
    assert not (await bank.do(GET_CASE, case_id=case.case_id)).matches


async def test_whose_name_is_on_no_list_is_upgraded_and_a_bank_account_has_no_name(
    bank: SmallBank,
) -> None:
    person, token = await named(bank, "Liu Laolao")
    assert (await upgrade(bank, token)).identification_class == 3
    await bank.do(SUBMIT, token, evidence={"bank_account": "6222021234567894"})
    assert not await screenings(bank, person)
    _, unknown = await newcomer(bank)
    missing = await refusal(upgrade(bank, unknown))
    assert missing.reason == "EVIDENCE_MISSING"


async def test_what_was_matched_is_sealed_like_the_name_itself(bank: SmallBank) -> None:
    person, _ = await named(bank, LISTED)
    assert await the_case(bank, person)
    assert bank.parts.settings.dsn is not None
    with psycopg.connect(bank.parts.settings.dsn) as connection:
        (rows,) = (
            connection.execute("select array_agg(m::text) from name_match as m").fetchone() or ()
        )
    assert rows
    assert not [row for row in rows if "Viktor" in row or "programme" in row]


async def test_the_books_agree_with_what_was_screened(bank: SmallBank) -> None:
    dsn = bank.parts.settings.dsn
    assert dsn is not None
    later = SettableClock(bank.parts.clock.now_us() + 60_000_000)
    findings, _, _ = await proof_of(dsn, later)
    assert not findings
