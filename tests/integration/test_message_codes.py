"""Codes by message: what they approve and what not, and the addresses they go to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import challenge_pb2, challenge_service_pb2, factor_pb2
from tests.support.edge import told
from tests.support.identity import code_in, register, sign_in
from tests.support.small_bank import SmallBank, cash, open_small_bank
from tests.support.step_up import LARGE, MEDIUM, PIN, SMALL, Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

SMS = challenge_service_pb2.CODE_CHANNEL_SMS
EMAIL = challenge_service_pb2.CODE_CHANNEL_EMAIL
APPROVED = challenge_pb2.CHALLENGE_STATE_APPROVED
SEND = "ChallengesService/SendChallengeCode"
MINUTE = 60


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("codes")) as opened:
        yield opened


async def small(bank: SmallBank) -> tuple[Payer, Any, str]:
    """Somebody with nothing but a phone, and a small payment that waits for approval."""
    payer = await Payer.new(bank, pin=False)
    payment = payer.payment(SMALL)
    return payer, payment, await payer.challenged(payment)


async def sent(payer: Payer, challenge_id: str, channel: Any = SMS) -> str:
    """The code that comes when one is asked for."""
    await payer.do(SEND, challenge_id=challenge_id, channel=channel)
    return code_in(payer.bank, payer.person.phone)


async def not_sent(payer: Payer, challenge_id: str, channel: Any = SMS) -> Told:
    return await payer.refused(SEND, challenge_id=challenge_id, channel=channel)


async def tried(payer: Payer, challenge_id: str, code: str) -> str:
    try:
        challenge = await payer.approve(challenge_id, message_code=code)
    except grpc.aio.AioRpcError as error:
        return told(error).reason
    assert challenge.state == APPROVED
    return "OK"


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06}"


# -- What a code approves.


async def test_a_small_payment_is_approved_by_a_code_that_says_what_for(bank: SmallBank) -> None:
    payer, payment, challenge_id = await small(bank)
    shown = await payer.challenge(challenge_id)
    assert list(shown.methods) == [factor_pb2.FACTOR_KIND_MESSAGE_CODE]
    reply = await payer.do(SEND, challenge_id=challenge_id, channel=SMS)
    assert payer.person.phone not in reply.recipient
    assert reply.recipient.endswith(payer.person.phone[-4:])
    assert reply.expire_time == shown.expire_time
    text = bank.last_message(payer.person.phone)
    assert "200.00 CNY" in text
    assert bank.payee.account in text
    assert await tried(payer, challenge_id, code_in(bank, payer.person.phone)) == "OK"
    assert (await payer.pay(payment)).transfer.transfer_id
    feed = await bank.do(
        "EventsService/ListEvents",
        types=[event_pb2.EVENT_TYPE_CHALLENGE_CODE_SENT],
        page_size=1000,
    )
    assert challenge_id in {one.challenge_change.challenge_id for one in feed.events}


async def test_of_fifty_guesses_at_once_five_are_looked_at(bank: SmallBank) -> None:
    payer, _, challenge_id = await small(bank)
    code = await sent(payer, challenge_id)
    guesses = [wrong(code, by) for by in range(1, 51)]
    answers = await asyncio.gather(*(tried(payer, challenge_id, guess) for guess in guesses))
    assert set(answers) == {"FACTOR_REJECTED"}
    assert await tried(payer, challenge_id, code) == "FACTOR_REJECTED"
    rows = bank._database.execute(
        "select tries from challenge_code where challenge_id = %s", (challenge_id[5:],)
    )
    assert rows.fetchall() == [(5,)]
    later(bank, MINUTE)
    assert await tried(payer, challenge_id, await sent(payer, challenge_id)) == "OK"


async def test_a_code_is_for_one_challenge_and_good_once(bank: SmallBank) -> None:
    payer, _, challenge_id = await small(bank)
    code = await sent(payer, challenge_id)
    other = await payer.challenged(payer.payment(SMALL))
    assert await tried(payer, other, code) == "FACTOR_REJECTED"
    answers = await asyncio.gather(*(tried(payer, challenge_id, code) for _ in range(10)))
    assert answers.count("OK") == 1
    assert set(answers) == {"OK", "FACTOR_REJECTED"}


async def test_another_code_voids_the_first_and_none_come_too_often(bank: SmallBank) -> None:
    payer, _, challenge_id = await small(bank)
    first = await sent(payer, challenge_id)
    again = await not_sent(payer, challenge_id)
    assert (again.reason, again.code.name) == ("CODE_SENT_RECENTLY", "RESOURCE_EXHAUSTED")
    assert 0 < int(again.metadata["retry_after_seconds"]) <= MINUTE
    # Nor for another challenge: what is counted is what the phone gets.
    other = await payer.challenged(payer.payment(SMALL))
    assert (await not_sent(payer, other)).reason == "CODE_SENT_RECENTLY"
    later(bank, MINUTE)
    second = await sent(payer, challenge_id)
    if first != second:
        assert await tried(payer, challenge_id, first) == "FACTOR_REJECTED"
    assert await tried(payer, challenge_id, second) == "OK"


async def test_a_code_ends_with_its_challenge(bank: SmallBank) -> None:
    payer, payment, challenge_id = await small(bank)
    code = await sent(payer, challenge_id)
    later(bank, 5 * MINUTE)
    assert await tried(payer, challenge_id, code) == "CHALLENGE_EXPIRED"
    assert (await not_sent(payer, challenge_id)).reason == "CHALLENGE_EXPIRED"
    fresh = await payer.challenged(payment)
    assert await tried(payer, fresh, code) == "FACTOR_REJECTED"


async def test_nothing_larger_and_nobody_with_a_factor_is_approved_by_a_code(
    bank: SmallBank,
) -> None:
    payer, _, challenge_id = await small(bank)
    for amount in (MEDIUM, LARGE):
        refused = await payer.pay_refused(payer.payment(amount))
        assert refused.reason == "STEP_UP_UNAVAILABLE"
        assert refused.metadata["methods"] == "PAYMENT_PIN,TOTP,PASSKEY"
    await payer.do("FactorsService/SetPaymentPin", pin=PIN)
    for request in (payer.payment(SMALL), payer.payment(MEDIUM)):
        needed = await payer.challenged(request)
        refused = await not_sent(payer, needed)
        assert (refused.reason, refused.metadata) == (
            "METHOD_NOT_ACCEPTED",
            {"methods": "PAYMENT_PIN"},
        )
        assert await tried(payer, needed, "000000") == "METHOD_NOT_ACCEPTED"
    change = await payer.refused("FactorsService/SetPaymentPin", pin="503918")
    assert change.metadata["methods"] == "PAYMENT_PIN"
    stranger = await Payer.new(bank)
    assert (await not_sent(stranger, challenge_id)).reason == "CHALLENGE_NOT_FOUND"


async def test_a_device_that_a_code_let_in_is_asked_for_something_else(bank: SmallBank) -> None:
    who = await register(bank)
    later(bank, MINUTE)
    new = await sign_in(bank, who)
    pay = bank.signed(
        "TransfersService/CreateTransfer",
        new,
        from_account_id=who.account,
        payee={"account_id": bank.payee.account},
        amount=cash(SMALL),
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await pay
    assert told(caught.value).reason == "STEP_UP_UNAVAILABLE"


# -- Addresses.


def address_of(payer: Payer) -> str:
    return f"owner{payer.person.phone[1:]}x@example.com"


async def begin_proof(payer: Payer) -> dict[str, str]:
    """What confirms the address of a profile."""
    begun = await payer.do("EmailsService/StartEmailProof")
    code = code_in(payer.bank, address_of(payer))
    return {"verification_id": begun.verification_id, "code": code}


async def test_a_code_goes_to_an_address_only_once_that_is_proven(bank: SmallBank) -> None:
    payer, _, challenge_id = await small(bank)
    missing = await payer.refused("EmailsService/StartEmailProof")
    assert missing.reason == "EMAIL_MISSING"
    await payer.do("ProfileService/UpdateProfile", email=address_of(payer))
    unproven = await not_sent(payer, challenge_id, EMAIL)
    assert (unproven.reason, unproven.fields) == ("EMAIL_NOT_PROVEN", ["channel"])
    proof = await begin_proof(payer)
    guess = await payer.refused(
        "EmailsService/ConfirmEmail", **proof | {"code": wrong(proof["code"])}
    )
    assert (guess.reason, guess.metadata) == ("VERIFICATION_CODE_INVALID", {"attempts_left": "4"})
    soon = await payer.refused("EmailsService/StartEmailProof")
    assert soon.reason == "CODE_SENT_RECENTLY"
    await payer.do("EmailsService/ConfirmEmail", **proof)
    assert "proven" in bank.last_message(payer.person.phone)
    profile = (await payer.do("ProfileService/GetProfile")).profile
    assert profile.email_proven
    used = await payer.refused("EmailsService/ConfirmEmail", **proof)
    assert used.reason == "VERIFICATION_EXPIRED"
    reply = await payer.do(SEND, challenge_id=challenge_id, channel=EMAIL)
    assert reply.recipient == "o***@example.com"
    assert "200.00 CNY" in bank.last_message(address_of(payer))
    assert await tried(payer, challenge_id, code_in(bank, address_of(payer))) == "OK"


async def test_another_address_is_told_everywhere_and_has_to_be_proven_anew(
    bank: SmallBank,
) -> None:
    payer, _, challenge_id = await small(bank)
    old, new = address_of(payer), f"new.{address_of(payer)}"
    await payer.do("ProfileService/UpdateProfile", email=old)
    stale = await begin_proof(payer)
    await payer.do("EmailsService/ConfirmEmail", **stale)
    await payer.do("ProfileService/UpdateProfile", email=old)
    assert (await payer.do("ProfileService/GetProfile")).profile.email_proven, "it is the same"
    later(bank, MINUTE)
    late = await begin_proof(payer)
    await payer.do("ProfileService/UpdateProfile", email=new)
    for recipient in (payer.person.phone, old, new):
        assert "n***@example.com" in bank.last_message(recipient)
    assert not (await payer.do("ProfileService/GetProfile")).profile.email_proven
    expired = await payer.refused("EmailsService/ConfirmEmail", **late)
    assert expired.reason == "VERIFICATION_EXPIRED"
    assert (await not_sent(payer, challenge_id, EMAIL)).reason == "EMAIL_NOT_PROVEN"


async def test_where_there_is_a_factor_it_lets_codes_go_to_an_address(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.do("ProfileService/UpdateProfile", email=address_of(payer))
    begun = await payer.approved("EmailsService/StartEmailProof")
    proof = {
        "verification_id": begun.verification_id,
        "code": code_in(bank, address_of(payer)),
    }
    stranger = await Payer.new(bank)
    refused = await stranger.refused("EmailsService/ConfirmEmail", **proof)
    assert refused.reason == "VERIFICATION_NOT_FOUND"
    await payer.do("EmailsService/ConfirmEmail", **proof)
    # From now on notices go there too.
    await payer.approved("FactorsService/SetPaymentPin", pin="503918")
    for recipient in (payer.person.phone, address_of(payer)):
        assert "New on your wallet: payment PIN" in bank.last_message(recipient)
