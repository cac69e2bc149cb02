"""A customer who used everything, on a whole server: what the export has, what erasing leaves."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest

from longmen.identity.v1 import profile_service_pb2
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_server.platform.pii import IndexKind
from tests.integration.test_personal_data import dump, traces
from tests.support import bills, donations
from tests.support.edge import told
from tests.support.evidence import card, resident_id
from tests.support.identity import (
    Device,
    claims_for,
    pair,
    register,
    registration,
    sign_in,
    signed_in,
)
from tests.support.proof import proof_of
from tests.support.sample_requests import new_mandate
from tests.support.small_bank import BY_NAME, Person, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.support.identity import SignedIn
    from tests.support.postgres import Database

BANK_ACCOUNT = "6222021234567894"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("erasure")) as opened:
        yield opened


class Words:
    """What one customer is called and calls things, as nobody else does."""

    def __init__(self) -> None:
        mark = f"Quux{next(_marks)}q"
        self.name, self.document_name = f"Lin {mark}daiyu", f"Lin {mark}-Daiyu"
        self.email, self.reason = f"lin.{mark}@example.com", f"{mark} at the counter"
        self.device, self.nickname, self.label = f"{mark}phone", f"{mark}trip", f"{mark}key"


_marks = itertools.count()


@dataclass(frozen=True)
class Resident:
    """A customer, and what the bank knows of the person."""

    who: SignedIn
    other: SignedIn
    """On a second device."""
    number: str
    pocket: str
    words: Words

    @property
    def secrets(self) -> list[str]:
        """What no dump may have, erased or not."""
        words = self.words
        texts = [words.name, words.document_name, words.email, words.reason]
        return [*texts, self.who.phone, self.number, BANK_ACCOUNT]

    @property
    def texts(self) -> list[str]:
        """What no dump may have once the customer is erased."""
        return [*self.secrets, *self.readable]

    @property
    def readable(self) -> list[str]:
        """What is kept readable until then."""
        return [self.words.device, self.words.nickname, self.words.label]


async def reason(call: Awaitable[Any]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value).reason


async def resident(bank: SmallBank) -> Resident:
    """Somebody who registers, and then uses everything that keeps something."""
    words, device = Words(), Device()
    device.name = words.device
    fields = {**await registration(bank, device=device), "display_name": words.name}
    reply = await bank.do("RegistrationService/CompleteRegistration", "", **fields)
    assert reply.device.name == words.device
    who = signed_in(device, fields["phone_number"], reply)
    other = await pair(bank, who)
    await bank.signed("ProfileService/UpdateProfile", who, email=words.email)
    opened = await bank.signed(
        "AccountsService/OpenAccount", who, currency_code="USD", nickname=words.nickname
    )
    assert opened.account.nickname == words.nickname
    await bank.signed("PayerCodesService/EnrolPayerCode", who, account_id=who.account)
    started = await bank.signed("FactorsService/StartPasskey", who)
    credential = SoftwareAuthenticator().create(started.options_json)
    confirmed = await bank.signed(
        "FactorsService/ConfirmPasskey", who, credential_json=credential, label=words.label
    )
    assert confirmed.factor.label == words.label
    number = resident_id()
    evidence = "KycService/SubmitEvidence"
    await bank.signed(evidence, who, evidence=card(number, name=words.document_name))
    await bank.signed(evidence, who, evidence={"bank_account": BANK_ACCOUNT})
    await bank.signed("KycService/UpgradeKyc", who, identification_class=2)
    await bank.do(
        "KycService/DowngradeKyc",
        customer_id=who.customer,
        identification_class=3,
        cause="DOWNGRADE_CAUSE_RISK",
        reason_text=words.reason,
    )
    payment = bank.signed(
        "TransfersService/CreateTransfer",
        who,
        from_account_id=who.account,
        payee={"phone_number": bank.payee.phone},
        amount=cash(50_000),
    )
    assert await reason(payment) == "NEEDS_AUTH"
    return Resident(who, other, number, opened.account.account_id, words)


async def exported(bank: SmallBank, who: SignedIn) -> dict[str, list[dict[str, Any]]]:
    """The caller's data by section."""
    method = BY_NAME["ProfileService/ExportMyData"]
    now_s = bank.parts.trusted_clock.now_us() // 1_000_000
    proof = who.device.proof(claims_for(method.path, who.access_token, b"", now_s))
    metadata = (("authorization", f"Bearer {who.access_token}"), ("dpop", proof))
    found: dict[str, list[dict[str, Any]]] = {}
    stream = bank.channel.unary_stream(f"/{method.path}")
    async for payload in stream(b"", metadata=metadata, timeout=20):
        record = profile_service_pb2.ExportMyDataResponse.FromString(payload)
        found.setdefault(record.section, []).append(json.loads(record.json))
    return found


async def erase(bank: SmallBank, one: Resident) -> None:
    for account in (one.who.account, one.pocket):
        closed = await bank.do("AccountsService/CloseAccount", account_id=account)
        assert closed.account.nickname == (one.words.nickname if account == one.pocket else "")
    await bank.do("ProfileService/EraseCustomer", customer_id=one.who.customer)


async def test_an_export_has_all_that_is_kept_and_no_secret(bank: SmallBank) -> None:
    one = await resident(bank)
    owner = Person(one.who.customer, one.who.account, one.who.phone)
    await bank.do("MandatesService/SignMandate", **await new_mandate(bank, owner))
    await bills.linked(bank, owner, await bills.biller(bank, owner), label="my parents' flat")
    await bank.do(
        "TransfersService/TopUp",
        account_id=owner.account,
        amount=cash(500),
        bank_account=BANK_ACCOUNT,
    )
    await donations.given(bank, owner, message="in memory of my teacher")
    found = await exported(bank, one.who)
    assert list(found) == [
        "profile",
        "identification",
        "evidence",
        "identification_changes",
        "bill_accounts",
        "donations",
        "devices",
        "sessions",
        "factors",
        "payer_codes",
        "challenges",
        "risk_decisions",
        "accounts",
        "movements",
        "mandates",
    ]
    assert found["identification"][0]["identification_class"] == 3
    document, account = found["evidence"]
    assert (document["number"], document["name"]) == (one.number, one.words.document_name)
    assert document["birth_date"].replace("-", "") == one.number[6:14]
    assert (account["number"], account["valid"]) == (BANK_ACCOUNT, False)
    assert [each["cause"] for each in found["identification_changes"]] == [
        "REGISTERED",
        "UPGRADED",
        "RISK",
    ]
    assert found["identification_changes"][-1]["reason_text"] == one.words.reason
    assert {each["name"] for each in found["devices"]} == {one.words.device, one.other.device.name}
    assert {each["session_id"] for each in found["sessions"]} == {
        one.who.session,
        one.other.session,
    }
    assert [each["label"] for each in found["factors"]] == [one.words.label]
    assert len(found["challenges"]) == 1
    assert [each["account_id"] for each in found["mandates"]] == [one.who.account]
    assert [each["message"] for each in found["donations"]] == ["in memory of my teacher"]
    assert [(each["account_number"], each["label"]) for each in found["bill_accounts"]] == [
        (bills.ACCOUNT_NUMBER, "my parents' flat")
    ]
    whole = json.dumps(found)
    for secret in (one.who.access_token, one.who.refresh_token, "secret", "public_key"):
        assert secret not in whole


async def test_nothing_of_an_erased_customer_is_left(
    bank: SmallBank, module_database: Database
) -> None:
    one = await resident(bank)
    who = one.who
    owner = Person(who.customer, who.account, who.phone)
    biller_id = await bills.biller(bank, owner)
    await bills.linked(bank, owner, biller_id)
    before = dump(module_database.admin_dsn)
    assert traces(before, one.secrets) == []
    # The test can fail: what is kept readable until then is found.
    assert traces(before, one.readable) == one.readable
    vault = bank.parts.vault
    indexes = [
        vault.index(IndexKind.PHONE_NUMBER, who.phone).hex(),
        vault.index(IndexKind.ID_NUMBER, f"RESIDENT_ID::{one.number}").hex(),
        bank.parts.office.index(who.phone).hex(),
    ]
    assert traces(before, indexes) == indexes
    await erase(bank, one)
    after = dump(module_database.admin_dsn)
    assert traces(after, [*one.texts, *indexes[:2]]) == []

    assert await reason(bank.signed("SessionsService/ListSessions", who)) == "SESSION_REVOKED"
    for signed in (who, one.other):
        refresh = bank.do("SessionsService/RefreshSession", "", **signed.refreshing())
        assert await reason(refresh) == "SESSION_REVOKED"
    customer = who.customer.removeprefix("cust_")
    with psycopg.connect(module_database.admin_dsn) as connection:
        for statement, wanted in (
            ("select count(*) from identity_device where customer_id = %s and state = 1", 0),
            ("select count(*) from identity_session where customer_id = %s and end_cause = 5", 1),
            ("select count(*) from factor where customer_id = %s", 0),
            ("select count(*) from customer_security where customer_id = %s", 0),
            ("select count(*) from challenge where customer_id = %s and state in (1, 2)", 0),
            ("select count(*) from challenge where customer_id = %s and text <> ''", 0),
            ("select count(*) from kyc_evidence where customer_id = %s and state <> 3", 0),
            ("select count(*) from payer_code where customer_id = %s and state <> 2", 0),
            ("select count(*) from customer_key where customer_id = %s", 0),
            ("select count(*) from bill_link where customer_id = %s and removed_at_us is null", 0),
            ("select count(*) from bill_link where customer_id = %s and label is not null", 0),
            ("select count(account_index) from bill_link where customer_id = %s", 0),
        ):
            assert connection.execute(statement.encode(), [customer]).fetchone() == (wanted,), (
                statement
            )
        waiting = connection.execute(
            "select count(*) from message_outbox where recipient_index = %s and sealed is not null",
            [bytes.fromhex(indexes[2])],
        ).fetchone()
        assert waiting == (0,)
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not findings


async def test_number_and_document_of_an_erased_customer_are_free(bank: SmallBank) -> None:
    one = await resident(bank)
    await erase(bank, one)
    clock: Any = bank.parts.clock
    clock.set_us(clock.now_us() + 120_000_000)
    fields = await registration(bank, phone=one.who.phone)
    again = await bank.do("RegistrationService/CompleteRegistration", "", **fields)
    assert again.session.customer_id != one.who.customer
    another = await register(bank)
    await bank.signed("KycService/SubmitEvidence", another, evidence=card(one.number))
    await bank.signed("KycService/UpgradeKyc", another, identification_class=3)


async def test_a_sign_in_that_was_begun_before_comes_to_nothing(bank: SmallBank) -> None:
    one = await resident(bank)
    again = await sign_in(bank, one.who, device=one.who.device)
    begun = await bank.do(
        "SessionsService/StartLogin",
        "",
        phone_number=one.who.phone,
        key_thumbprint=one.who.device.key.thumbprint,
    )
    await erase(bank, one)
    completed = bank.do(
        "SessionsService/CompleteLogin",
        "",
        verification_id=begun.verification_id,
        phone_number=one.who.phone,
        device=one.who.device.offer("CompleteLogin", begun.nonce),
    )
    assert await reason(completed) == "VERIFICATION_NOT_FOUND"
    assert await reason(bank.signed("SessionsService/ListSessions", again)) == "SESSION_REVOKED"


REACHED = {
    "wallet": "emptied",
    "wallet_account": "its nickname is",
    "alias": "deleted",
    "customer_key": "deleted",
    "customer_security": "deleted",
    "factor": "deleted",
    "factor_attempt": "deleted",
    "challenge": "its texts are emptied",
    "challenge_code": "deleted",
    "known_payee": "deleted",
    "identity_customer": "has a time only, by which sessions are void",
    "identity_device": "revoked, its name is emptied",
    "identity_session": "ended",
    "identity_verification": "deleted",
    "kyc_standing": "a number of nobody",
    "kyc_change": "its reason is sealed under the key that is deleted",
    "kyc_evidence": "emptied",
    "payer_code": "revoked",
    "bill_link": "emptied",
    "customer_branch": "a branch of nobody",
    "risk_notice": "deleted",
    "risk_case": "what was written on it is emptied",
    "name_screening": "deleted",
    "name_match": "deleted",
    "factor_reset": "deleted",
    "fx_quote": "amounts and a number of nobody",
    "limit_own": "emptied",
    "limit_entry": "amounts and a number of nobody, beside the postings",
    "fx_conversion": "a number of nobody: what was booked stays",
    "fx_auto_conversion": "caps and numbers of nobody, whose pockets pay nothing any more",
    "fx_quota": "an amount and a number of nobody",
    "fx_limit_order": "a number of nobody: what was held stays",
    "fx_rate_alert": "currencies and a number of nobody, who is told nothing",
}
"""What becomes of each table's rows of an erased customer: a new table is thought about here."""


def test_every_table_of_customers_is_thought_about(module_database: Database) -> None:
    with psycopg.connect(module_database.admin_dsn) as connection:
        rows = connection.execute(
            "select table_name from information_schema.columns"
            " where table_schema = 'public' and column_name = 'customer_id'"
        ).fetchall()
    assert {table for (table,) in rows} == REACHED.keys()
