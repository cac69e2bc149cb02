"""A customer has lost the factors: two members of staff, days to say no, and one way back in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.identity.v1 import factor_pb2, factor_reset_pb2, identity_pb2
from longmen_server.jobs.due_resets import DueResets
from longmen_server.staff_desk import build_reset_notices
from tests.integration.test_new_devices import COMPLETE, Owner, approved, refusal
from tests.support.edge import Claims
from tests.support.identity import Device, code_in, login, signed_in
from tests.support.proof import proof_of
from tests.support.small_bank import SCOPES, SmallBank, open_small_bank
from tests.support.step_up import Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

RESETS, FACTORS = "FactorResetsService", "FactorsService"
KIND_PIN, KIND_TOTP = factor_pb2.FACTOR_KIND_PAYMENT_PIN, factor_pb2.FACTOR_KIND_TOTP
COOLING_S = 72 * 3_600
OTHER_PIN = "714093"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("resets")) as opened:
        yield opened


def staff(bank: SmallBank, name: str, *roles: str) -> str:
    """A token of somebody at the bank, held to roles if any are named."""
    token = f"{name} as {' '.join(roles)}"
    bank.tokens.known[token] = Claims(
        kind="staff", subject=name, scopes=SCOPES, roles=frozenset(roles) or None
    )
    return token


def wanted(bank: SmallBank, customer: str, **changes: Any) -> dict[str, Any]:
    """The command that resets a customer's PIN."""
    fields: dict[str, Any] = {
        "request_id": bank.new_request_id(),
        "customer_id": customer,
        "kinds": [KIND_PIN],
        "evidence": factor_reset_pb2.FACTOR_RESET_EVIDENCE_IN_PERSON,
        "evidence_reference": "SH-01/2026-118",
        "key_thumbprint": Device().key.thumbprint,
    }
    return {"reset_factors": {**fields, **changes}}


async def propose(bank: SmallBank, command: dict[str, Any], who: str = "tess") -> Any:
    token = staff(bank, who, "teller")
    return (await bank.do("ApprovalsService/ProposeApproval", token, command=command)).approval


async def approve(bank: SmallBank, proposal: Any, who: str = "ruth") -> Any:
    return await bank.do(
        "ApprovalsService/ApproveApproval",
        staff(bank, who, "teller", "risk_officer"),
        approval_id=proposal.approval_id,
        payload_hash=proposal.payload_hash,
    )


async def begun(bank: SmallBank, customer: str, **changes: Any) -> None:
    """Have a reset approved."""
    await approve(bank, await propose(bank, wanted(bank, customer, **changes)))


async def state(bank: SmallBank, customer: str) -> str:
    reply = await bank.do(f"{RESETS}/GetFactorReset", customer_id=customer)
    name = factor_reset_pb2.FactorResetState.Name(reply.reset.state)
    return name.removeprefix("FACTOR_RESET_STATE_")


async def worked(bank: SmallBank, customer: str) -> str:
    """The state of a customer's reset once the job has done what is due."""
    async with bank.workplace() as workplace:
        await DueResets(build_reset_notices(bank.parts)).take(workplace)
    return await state(bank, customer)


async def test_a_customer_without_factors_comes_back_on_the_device_the_bank_has_seen(
    bank: SmallBank, module_database: Database
) -> None:
    owner = await Owner.new(bank, "pin")
    customer, phone = owner.who.customer, owner.who.phone
    await bank.do("ProfileService/UpdateProfile", customer_id=customer, email="lost@example.com")
    proof = await approved(bank, owner.who, "EmailsService/StartEmailProof")
    await bank.signed(
        "EmailsService/ConfirmEmail",
        owner.who,
        verification_id=proof.verification_id,
        code=code_in(bank, "lost@example.com"),
    )
    device = Device()
    proposal = await propose(bank, wanted(bank, customer, key_thumbprint=device.key.thumbprint))
    shown = {one.field: one.after for one in proposal.changes if one.subject == customer}
    assert shown["reset.kinds"] == "PAYMENT_PIN"
    assert shown["reset.evidence"] == "IN_PERSON"
    assert shown["reset.key_thumbprint"] == device.key.thumbprint
    assert "reset" not in bank.last_message(phone), "nothing is told that is not decided"
    await approve(bank, proposal)
    for address in (phone, "lost@example.com"):
        assert "in 72 hours" in bank.last_message(address)
    assert await worked(bank, customer) == "COOLING"
    assert len((await bank.signed(f"{FACTORS}/ListFactors", owner.who)).factors) == 1
    again = await refusal(propose(bank, wanted(bank, customer)))
    assert (again.code.name, again.reason) == ("FAILED_PRECONDITION", "FACTOR_RESET_OPEN")
    assert again.metadata.keys() == {"effective_time"}
    later(bank, COOLING_S - 1)
    assert await worked(bank, customer) == "COOLING", "the customer has all of the time"
    later(bank, 2)
    for _ in range(2):
        assert await worked(bank, customer) == "EFFECTIVE"
    for address in (phone, "lost@example.com"):
        assert "was reset" in bank.last_message(address)
    devices = await bank.do("DevicesService/ListDevices", customer_id=customer)
    assert [one.state for one in devices.devices] == [identity_pb2.DEVICE_STATE_REVOKED]
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not findings
    # Whoever has the old device, or the phone number, has nothing.
    for other in (owner.who.device, Device()):
        fields = await login(bank, owner.who, device=other)
        assert fields["code"], "no device signs in without a code"
        answer = await refusal(bank.do(COMPLETE, "", **fields))
        assert (answer.code.name, answer.reason) == (
            "PERMISSION_DENIED",
            "FACTOR_RESET_OTHER_DEVICE",
        )
        later(bank, 61)
    fields = await login(bank, owner.who, device=device)
    back = signed_in(device, phone, await bank.do(COMPLETE, "", **fields))
    assert back.customer == customer
    assert back.reply.device.cooling, "it may send little money at first"
    assert await state(bank, customer) == "CLAIMED"
    await bank.signed(f"{FACTORS}/SetPaymentPin", back, pin=OTHER_PIN)
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not findings


async def test_sessions_end_when_it_takes_effect_and_not_before(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await begun(bank, payer.person.customer)
    assert len(await payer.factors()) == 1
    later(bank, COOLING_S + 1)
    assert await worked(bank, payer.person.customer) == "EFFECTIVE"
    await bank.parts.watch.look()
    assert (await payer.refused(f"{FACTORS}/ListFactors")).reason == "SESSION_REVOKED"


async def test_an_owner_turns_it_down_with_a_factor_and_a_thief_of_the_phone_cannot(
    bank: SmallBank,
) -> None:
    owner = await Owner.new(bank, "pin")
    customer = owner.who.customer
    await begun(bank, customer)
    cancel: dict[str, Any] = {"request_id": bank.new_request_id()}
    asked = await refusal(bank.signed(f"{RESETS}/CancelFactorReset", owner.who, **cancel))
    assert asked.reason == "NEEDS_AUTH"
    assert await state(bank, customer) == "COOLING"
    reply = await approved(bank, owner.who, f"{RESETS}/CancelFactorReset", **cancel)
    assert reply.reset.state == factor_reset_pb2.FACTOR_RESET_STATE_CANCELLED
    assert "was turned down" in bank.last_message(owner.who.phone)
    over = await refusal(bank.do(f"{RESETS}/CancelFactorReset", customer_id=customer))
    assert (over.code.name, over.reason) == ("NOT_FOUND", "FACTOR_RESET_NOT_FOUND")
    assert over.metadata == {"customer_id": customer}
    later(bank, COOLING_S + 1)
    assert await worked(bank, customer) == "CANCELLED"
    # The same person can come to the bank again.
    await begun(bank, customer)
    assert await state(bank, customer) == "COOLING"


async def test_one_member_of_staff_turns_it_down(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    customer = payer.person.customer
    await begun(bank, customer)
    teller = staff(bank, "theo", "teller")
    await bank.do(f"{RESETS}/CancelFactorReset", teller, customer_id=customer)
    assert await state(bank, customer) == "CANCELLED"


async def test_what_was_set_while_it_cooled_stays(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.add_totp()
    later(bank, 60)
    await begun(bank, payer.person.customer, kinds=[KIND_PIN, KIND_TOTP])
    later(bank, 60)
    await payer.approved(f"{FACTORS}/SetPaymentPin", pin=OTHER_PIN)
    later(bank, COOLING_S)
    assert await worked(bank, payer.person.customer) == "EFFECTIVE"
    left = await bank.do(f"{FACTORS}/ListFactors", bank.token("customer", payer.person))
    assert [one.kind for one in left.factors] == [KIND_PIN]


async def test_nothing_is_reset_by_one_person_or_for_nothing(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    customer = payer.person.customer
    command = wanted(bank, customer)
    direct = bank.do(
        f"{RESETS}/ResetFactors", staff(bank, "tess", "teller"), **command["reset_factors"]
    )
    answer = await refusal(direct)
    assert (answer.code.name, answer.reason) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    proposal = await propose(bank, command)
    assert (await refusal(approve(bank, proposal, "tess"))).reason == "APPROVAL_BY_MAKER"
    auditor = bank.do(
        "ApprovalsService/ProposeApproval", staff(bank, "olga", "admin"), command=command
    )
    assert (await refusal(auditor)).reason == "PERMISSION_DENIED"
    for changes, expected in (
        ({"kinds": [KIND_TOTP]}, ("FAILED_PRECONDITION", "FACTOR_RESET_EMPTY")),
        ({"key_thumbprint": "A" * 42 + "B"}, ("INVALID_ARGUMENT", "DEVICE_KEY_INVALID")),
        ({"customer_id": "cust_" + "0" * 28 + "0001"}, ("NOT_FOUND", "WALLET_NOT_FOUND")),
        ({"kinds": [KIND_PIN, KIND_PIN]}, ("INVALID_ARGUMENT", "INVALID_REQUEST")),
        ({"evidence_reference": ""}, ("INVALID_ARGUMENT", "INVALID_REQUEST")),
    ):
        answer = await refusal(propose(bank, wanted(bank, customer, **changes)))
        assert (answer.code.name, answer.reason) == expected, changes
    nothing = await refusal(bank.do(f"{RESETS}/GetFactorReset", customer_id=customer))
    assert nothing.reason == "FACTOR_RESET_NOT_FOUND"
    assert len(await payer.factors()) == 1


async def test_a_sign_in_with_a_factor_that_is_left_needs_no_other_device(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin", "password")
    await begun(bank, owner.who.customer)
    later(bank, COOLING_S + 1)
    assert await worked(bank, owner.who.customer) == "EFFECTIVE"
    _, fields = await owner.begin()
    await bank.do(COMPLETE, "", **fields, proof={"password": "correct horse battery staple"})
    assert await state(bank, owner.who.customer) == "CLAIMED"
