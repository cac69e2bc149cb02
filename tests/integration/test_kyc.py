"""From a wallet known by its phone number to one seen in person, on a whole server, and back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest

from longmen.errors.v1 import error_reason_pb2
from longmen.events.v1 import event_pb2
from longmen.identity.v1 import identity_pb2
from longmen.staff.v1 import approval_pb2
from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen_server.app import open_parts
from longmen_server.kyc import standing
from longmen_server.kyc.model import Packs
from longmen_server.kyc.packs import load_packs
from tests.integration.test_personal_data import dump, traces
from tests.support.edge import told
from tests.support.evidence import BANK_ACCOUNT, account, card, resident_id
from tests.support.identity import register
from tests.support.proof import proof_of
from tests.support.rpcs import METHODS, short
from tests.support.sample_requests import make_sample, ordered
from tests.support.small_bank import BY_NAME, Person, SmallBank, cash, open_small_bank, open_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from longmen_server.transport.method import Method
    from tests.support.edge import Told
    from tests.support.identity import SignedIn
    from tests.support.postgres import Database

SUBMIT, UPGRADE = "KycService/SubmitEvidence", "KycService/UpgradeKyc"
CONFIRM, DOWNGRADE = "KycService/ConfirmInPerson", "KycService/DowngradeKyc"
TOP_UP, PAY = "TransfersService/TopUp", "TransfersService/CreateTransfer"
YUAN = 100
PHONE, RESIDENT_ID, ACCOUNT, IN_PERSON = (
    identity_pb2.EVIDENCE_PHONE,
    identity_pb2.EVIDENCE_RESIDENT_ID,
    identity_pb2.EVIDENCE_BANK_ACCOUNT,
    identity_pb2.EVIDENCE_IN_PERSON,
)


MONEY = [method for method in METHODS if method.step_up_class == "money"]
UNLIMITED = {"TransfersService/Withdraw", "ConversionsService/SetAutoConversion"}
"""To one's own bank account, which is no payment; and what only later payments may do."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("kyc")) as opened:
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def known_by_phone(bank: SmallBank) -> tuple[Person, str]:
    """A customer of class 4, and a token that needs no approvals."""
    who = await register(bank)
    person = Person(who.customer, who.account, who.phone)
    return person, bank.token("customer", person)


async def known(bank: SmallBank, identification_class: int) -> tuple[Person, str, str]:
    """A customer of class 3 or 2, a token, and the number of the document."""
    person, token = await known_by_phone(bank)
    number = resident_id()
    await bank.do(SUBMIT, token, evidence=card(number))
    if identification_class == 2:
        await bank.do(SUBMIT, token, evidence=account())
    await bank.do(UPGRADE, token, identification_class=identification_class)
    return person, token, number


async def identification(bank: SmallBank, token: str, **fields: Any) -> Any:
    reply = await bank.do("KycService/GetKyc", token, **fields)
    return reply.identification


async def lower(bank: SmallBank, person: Person, target: int, **changes: Any) -> Any:
    fields = {
        "customer_id": person.customer,
        "identification_class": target,
        "cause": "DOWNGRADE_CAUSE_EXPIRED",
        "reason_text": "the card has expired",
        **changes,
    }
    return await bank.do(DOWNGRADE, bank.token("staff"), **fields)


# -- The way up.


async def test_a_phone_number_becomes_a_customer_seen_in_person(bank: SmallBank) -> None:
    person, token = await known_by_phone(bank)
    start = await identification(bank, token)
    assert start.identification_class == 4
    assert start.since_time.seconds > 0
    assert list(start.evidence) == [PHONE]
    assert list(start.missing_evidence) == [RESIDENT_ID]
    assert (start.limits.balance.minor_units, start.limits.single.minor_units) == (10**6, 200_000)
    assert (start.limits.day.minor_units, start.limits.year.minor_units) == (500_000, 5_000_000)
    assert not start.limits.earns_interest
    better = {one.identification_class: one for one in start.better_classes}
    assert list(better) == [3, 2, 1]
    assert [(list(need.any_of)[:1], need.met) for need in better[2].needs] == [
        ([PHONE], True),
        ([RESIDENT_ID], False),
        ([ACCOUNT], False),
    ]
    assert better[3].limits.balance.minor_units == 20_000 * YUAN
    assert not better[1].limits.HasField("balance")

    number = resident_id()
    filed = await bank.do(SUBMIT, token, evidence=card(number))
    assert filed.evidence == RESIDENT_ID
    upgraded = await bank.do(UPGRADE, token, identification_class=3)
    assert upgraded.identification_class == 3
    await bank.do(SUBMIT, token, evidence=account())
    await bank.do(UPGRADE, token, identification_class=2)
    early = await refusal(bank.do(UPGRADE, token, identification_class=1))
    assert (early.reason, early.metadata) == ("EVIDENCE_MISSING", {"missing": "IN_PERSON"})
    await seen_in_person(bank, person)
    await bank.do(UPGRADE, token, identification_class=1)

    last = await identification(bank, token)
    assert last.identification_class == 1
    assert list(last.evidence) == [PHONE, RESIDENT_ID, ACCOUNT, IN_PERSON]
    assert not last.better_classes
    assert not last.missing_evidence
    assert (last.masked_name, last.masked_resident_id) == ("*玉", f"1{'*' * 16}{number[-1]}")
    assert last.masked_bank_account == f"6{'*' * 14}4"
    assert last.limits.earns_interest
    assert not last.limits.HasField("single")
    assert last.rules_effective_from == "2026-01-01"
    for principal in ("service", "staff"):
        other = await identification(bank, bank.token(principal), customer_id=person.customer)
        assert other == last


async def seen_in_person(bank: SmallBank, person: Person) -> None:
    """Let one member of staff propose that the customer was seen, and another approve it."""
    maker, checker = (bank.token_of("staff", name) for name in ("counter-1", "counter-2"))
    alone = await refusal(bank.do(CONFIRM, maker, customer_id=person.customer))
    assert (alone.code.name, alone.reason) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    request = {"request_id": bank.new_request_id(), "customer_id": person.customer}
    proposed = await bank.do(
        "ApprovalsService/ProposeApproval", maker, command={"confirm_in_person": request}
    )
    (change,) = proposed.approval.changes
    assert (change.subject, change.field, change.after) == (person.customer, "in_person", "ACTIVE")
    decided = await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=proposed.approval.approval_id,
        payload_hash=proposed.approval.payload_hash,
    )
    assert decided.approval.state == approval_pb2.APPROVAL_STATE_EXECUTED


async def test_another_passport_voids_that_somebody_was_seen(bank: SmallBank) -> None:
    person, token = await known_by_phone(bank)
    await bank.do(SUBMIT, token, evidence=card())
    await bank.do(CONFIRM, customer_id=person.customer)
    passport = card(
        "E12345678",
        kind=identity_pb2.EVIDENCE_PASSPORT,
        name="Lin Daiyu",
        birth_date="1990-03-07",
        issuing_country="CHN",
    )
    await bank.do(SUBMIT, token, evidence=passport)
    found = await identification(bank, token)
    assert list(found.evidence) == [PHONE, identity_pb2.EVIDENCE_PASSPORT]
    assert (found.masked_name, found.masked_resident_id) == ("L** D***", "E*******8")


async def test_limits_are_told_in_the_currency_asked_for(bank: SmallBank) -> None:
    _, token = await known_by_phone(bank)
    found = await identification(bank, token, currency_code="USD")
    assert (found.limits.single.minor_units, found.limits.single.currency_code) == (28_000, "USD")
    nothing = await identification(bank, token, currency_code="XOF")
    assert nothing.limits.single.minor_units == 0


# -- What is refused.


async def test_what_cannot_be_genuine_or_comes_too_early_is_refused(bank: SmallBank) -> None:
    person, token = await known_by_phone(bank)
    number = resident_id()
    typo = number[:-2] + str((int(number[-2]) + 1) % 10) + number[-1]
    wrong = await refusal(bank.do(SUBMIT, token, evidence=card(typo)))
    assert (wrong.code.name, wrong.reason, wrong.metadata) == (
        "FAILED_PRECONDITION",
        "EVIDENCE_INVALID",
        {"evidence": "RESIDENT_ID", "rule": "check_digit"},
    )
    for target, reason in ((3, "EVIDENCE_MISSING"), (4, "KYC_CLASS_CONFLICT")):
        refused = await refusal(bank.do(UPGRADE, token, identification_class=target))
        assert refused.reason == reason
    unseen = await refusal(bank.do(CONFIRM, customer_id=person.customer))
    documents = "RESIDENT_ID|PASSPORT|TRAVEL_PERMIT"
    assert (unseen.reason, unseen.metadata) == ("EVIDENCE_MISSING", {"missing": documents})


async def test_what_a_class_rests_on_is_not_replaced(bank: SmallBank) -> None:
    _, token, _ = await known(bank, 3)
    replaced = await refusal(bank.do(SUBMIT, token, evidence=card()))
    assert (replaced.reason, replaced.metadata) == (
        "EVIDENCE_IN_USE",
        {"evidence": "RESIDENT_ID", "identification_class": "3"},
    )
    await bank.do(SUBMIT, token, evidence=account())
    await bank.do(SUBMIT, token, evidence=account("GB82WEST12345698765432"))
    assert (await identification(bank, token)).masked_bank_account == f"G{'*' * 20}2"


async def test_wallets_of_services_have_no_class_until_they_are_given_one(bank: SmallBank) -> None:
    person = await bank.person()
    token = bank.token("customer", person)
    found = await identification(bank, token)
    assert found.identification_class == 0
    assert not found.HasField("limits")
    assert not found.better_classes
    refused = await refusal(bank.do(UPGRADE, token, identification_class=1))
    assert (refused.reason, refused.metadata) == (
        "KYC_CLASS_CONFLICT",
        {"identification_class": "0"},
    )
    missing = await refusal(lower(bank, person, 2))
    assert missing.reason == "EVIDENCE_MISSING"
    await lower(bank, person, 4, cause="DOWNGRADE_CAUSE_RISK")
    assert (await identification(bank, token)).identification_class == 4
    again = await refusal(lower(bank, person, 4))
    assert again.reason == "KYC_CLASS_CONFLICT"


# -- One document, so many wallets.


async def test_a_document_has_one_wallet_of_a_class_however_many_try_at_once(
    bank: SmallBank,
) -> None:
    number = resident_id()
    people = [await register(bank) for _ in range(6)]
    for who in people:
        await bank.signed(SUBMIT, who, evidence=card(number))

    async def upgrade(who: SignedIn, channel: Any) -> str:
        try:
            await bank.signed(UPGRADE, who, identification_class=3, channel=channel)
        except grpc.aio.AioRpcError as error:
            refused = told(error)
            assert refused.metadata == {"limit": "1", "identification_class": "3"}
            return refused.reason
        return "OK"

    async with (
        open_parts(bank.parts.settings, 1) as parts,
        open_worker(parts, bank.tokens) as channel,
    ):
        answers = await asyncio.gather(
            *(upgrade(who, channel if at % 2 else None) for at, who in enumerate(people))
        )
    assert sorted(answers) == ["ID_NUMBER_IN_USE"] * 5 + ["OK"]

    winner = people[answers.index("OK")]
    await bank.signed(SUBMIT, winner, evidence=account())
    await bank.signed(UPGRADE, winner, identification_class=2)
    # Its place among wallets of class 3 is free again, and that of class 2 is not.
    another = people[answers.index("ID_NUMBER_IN_USE")]
    await bank.signed(SUBMIT, another, evidence=account())
    taken = await refusal(bank.signed(UPGRADE, another, identification_class=2))
    assert taken.metadata == {"limit": "1", "identification_class": "2"}
    await bank.signed(UPGRADE, another, identification_class=3)


# -- The way down.


async def test_a_lowered_class_needs_its_evidence_anew_and_frees_the_document(
    bank: SmallBank,
) -> None:
    person, token, number = await known(bank, 2)
    await lower(bank, person, 3)
    found = await identification(bank, token)
    assert (found.identification_class, list(found.evidence)) == (3, [PHONE, RESIDENT_ID])
    again = await refusal(bank.do(UPGRADE, token, identification_class=2))
    assert (again.reason, again.metadata) == ("EVIDENCE_MISSING", {"missing": "BANK_ACCOUNT"})
    await lower(bank, person, 4, cause="DOWNGRADE_CAUSE_WRONG")
    _, other = await known_by_phone(bank)
    await bank.do(SUBMIT, other, evidence=card(number))
    await bank.do(UPGRADE, other, identification_class=3)
    events = await told_of(bank, person)
    assert events == [
        (0, 4, "REGISTERED"),
        (4, 2, "UPGRADED"),
        (2, 3, "EXPIRED"),
        (3, 4, "WRONG"),
    ]


async def told_of(bank: SmallBank, person: Person) -> list[tuple[int, int, str]]:
    """What the feed tells of a customer's classes."""
    rows = bank._database.execute(
        "select payload from event where type = 53 and subject = %s::uuid order by booked_at_us",
        [person.customer.removeprefix("cust_")],
    )
    changes = [event_pb2.IdentificationChange.FromString(payload) for (payload,) in rows]
    return [(one.class_before, one.class_after, one.cause) for one in changes]


# -- Limits.


async def top_up(bank: SmallBank, person: Person, yuan: int) -> None:
    await bank.do(
        TOP_UP, account_id=person.account, amount=cash(yuan * YUAN), bank_account="62220212345"
    )


def payment(person: Person, payee: Person, amount: int, **more: Any) -> dict[str, Any]:
    return {
        "from_account_id": person.account,
        "payee": {"account_id": payee.account},
        "amount": cash(amount),
        **more,
    }


async def test_a_class_limits_single_payments_wherever_they_are_made(bank: SmallBank) -> None:
    person, token = await known_by_phone(bank)
    await top_up(bank, person, 10_000)
    limit = {
        "limit": "CLASS_SINGLE",
        "period": "SINGLE",
        "limit_minor_units": "200000",
        "currency_code": "CNY",
        "lifted_by": "UPGRADE",
        "identification_class": "4",
    }
    much = 2_000 * YUAN + 1
    for who in (token, "service"):
        refused = await refusal(bank.do(PAY, who, **payment(person, bank.payee, much)))
        assert (refused.reason, refused.metadata) == ("SINGLE_LIMIT_EXCEEDED", limit)
    await bank.do(PAY, token, **payment(person, bank.payee, much - 1))
    order = (await ordered(bank, person, amount=cash(much))).order
    bought = bank.do(
        "PaymentsService/PayOrder",
        token,
        order_id=order.order_id,
        from_account_id=person.account,
        amount=cash(much),
    )
    assert (await refusal(bought)).reason == "SINGLE_LIMIT_EXCEEDED"
    code = await bank.do("PaymentsService/GetStaticCode", merchant_id=order.merchant_id)
    scanned = bank.do(
        "PaymentsService/PayStaticCode",
        token,
        code=code.code,
        from_account_id=person.account,
        amount=cash(much),
    )
    assert (await refusal(scanned)).reason == "SINGLE_LIMIT_EXCEEDED"
    batch = await bank.do(
        "TransfersService/BatchTransfers",
        token,
        from_account_id=person.account,
        items=[
            {"payee": {"account_id": bank.payee.account}, "amount": cash(amount)}
            for amount in (much, 1)
        ],
    )
    assert [bool(one.transfer_id) for one in batch.results] == [False, True]
    # To one's own bank account all of it may go, and what the ledger does is the bank's.
    await bank.do(
        "TransfersService/Withdraw",
        token,
        account_id=person.account,
        amount=cash(much),
        bank_account="62220212345",
    )


@pytest.mark.parametrize("method", MONEY, ids=short)
async def test_whatever_moves_a_customers_money_asks_for_the_limit(
    bank: SmallBank, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await bank.person()
    request = await make_sample(bank, method, person)
    await lower(bank, person, 4)
    monkeypatch.setattr(standing, "load_packs", tightened)
    asked = bank.call(method, request, bank.token("customer", person))
    name = short(method)
    if name in UNLIMITED:
        assert (await asked).messages
    elif name == "TransfersService/BatchTransfers":
        reply = transfers_service_pb2.BatchTransfersResponse.FromString((await asked).messages[0])
        exceeded = error_reason_pb2.ERROR_REASON_SINGLE_LIMIT_EXCEEDED
        assert {one.reason for one in reply.results} == {exceeded}
    else:
        assert (await refusal(asked)).reason == "SINGLE_LIMIT_EXCEEDED"


def tightened() -> Packs:
    """The packs with one minor unit as the most that customers of a class may pay."""
    return Packs(
        tuple(
            replace(
                pack,
                classes={n: replace(rules, single=1) for n, rules in pack.classes.items()},
            )
            for pack in load_packs().packs
        )
    )


async def test_a_class_limits_the_balance_and_what_is_on_its_way(bank: SmallBank) -> None:
    person, token = await known_by_phone(bank)
    await top_up(bank, person, 9_000)
    refused = await refusal(top_up(bank, person, 1_001))
    assert (refused.reason, refused.metadata) == (
        "BALANCE_LIMIT_EXCEEDED",
        {
            "limit": "CLASS_BALANCE",
            "limit_minor_units": "1000000",
            "currency_code": "CNY",
            "identification_class": "4",
        },
    )
    payer = await bank.person()
    await top_up(bank, payer, 1_000_000)
    delayed = payment(payer, person, 900 * YUAN, delay=transfer_pb2.TRANSFER_DELAY_TWO_HOURS)
    await bank.do(PAY, **delayed)
    over = await refusal(bank.do(PAY, **payment(payer, person, 101 * YUAN)))
    # How well somebody else is known to the bank is not told.
    assert (over.reason, over.metadata) == ("BALANCE_LIMIT_EXCEEDED", {})
    await bank.do(PAY, **payment(payer, person, 100 * YUAN))
    await bank.do(SUBMIT, token, evidence=card())
    await bank.do(UPGRADE, token, identification_class=3)
    await bank.do(PAY, **payment(payer, person, 101 * YUAN))


async def test_wallets_without_a_class_have_no_limits(bank: SmallBank) -> None:
    one, other = await bank.person(), await bank.person()
    await top_up(bank, one, 100_000_000)
    await bank.do(PAY, bank.token("customer", one), **payment(one, other, 10**9))


# -- What is kept.


async def test_a_dump_has_nothing_that_evidence_says_and_the_books_are_proven(
    bank: SmallBank, module_database: Database
) -> None:
    _, _, number = await known(bank, 2)
    passport = card(
        "E87654321",
        kind=identity_pb2.EVIDENCE_PASSPORT,
        name="Lin Daiyu-Quux",
        birth_date="1971-02-03",
        issuing_country="CHN",
    )
    _, other = await known_by_phone(bank)
    await bank.do(SUBMIT, other, evidence=passport)
    await lower(bank, await bank.person(), 4, reason_text="seen with Zebedee")
    content = dump(module_database.admin_dsn)
    secrets = [number, "林黛玉", BANK_ACCOUNT, "E87654321", "Lin Daiyu-Quux", "1971-02-03"]
    assert traces(content, [*secrets, "seen with Zebedee"]) == []
    # The test can fail: what is kept readable is found.
    assert traces(content, ["REGISTERED"]) == ["REGISTERED"]
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not findings
    with psycopg.connect(module_database.app_dsn) as connection:
        for statement in ("update kyc_change set cause = 1", "delete from kyc_change"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
            connection.rollback()


def test_every_method_is_there() -> None:
    assert {name for name in BY_NAME if name.startswith("KycService/")} == {
        "KycService/GetKyc",
        SUBMIT,
        UPGRADE,
        CONFIRM,
        DOWNGRADE,
    }
