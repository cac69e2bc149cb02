"""What follows from a change of what protects a wallet: others are out, and the owner is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.accounts.v1 import wallet_pb2
from longmen.events.v1 import event_pb2
from longmen.identity.v1 import challenge_pb2, factor_pb2
from longmen_server.app import open_parts
from tests.support.edge import told
from tests.support.identity import Device, login, register, sign_in
from tests.support.poll import until
from tests.support.small_bank import SmallBank, open_small_bank, open_worker
from tests.support.step_up import PIN, WRONG_PIN, Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.support.edge import Told
    from tests.support.postgres import Database

PASSWORD = "correct horse battery staple"
MINUTE = 60


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("changes")) as opened:
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def remove(payer: Payer, kind: factor_pb2.FactorKind.ValueType) -> None:
    factor = next(one for one in await payer.factors() if one.kind == kind)
    await payer.approved("FactorsService/RemoveFactor", factor_id=factor.factor_id)


CHANGES: list[tuple[str, str]] = [
    ("set a password", "New on your wallet: login password"),
    ("replace the PIN", "New on your wallet: payment PIN"),
    ("add an app", "New on your wallet: authenticator app"),
    ("remove the app", "Removed from your wallet: authenticator app"),
    ("add a passkey", "New on your wallet: passkey"),
    ("remove the passkey", "Removed from your wallet: passkey"),
    ("make backup codes", "New on your wallet: backup codes"),
]


async def change(payer: Payer, what: str) -> None:
    """Do it, with the approval it needs."""
    match what:
        case "set a password":
            await payer.approved("FactorsService/SetPassword", password=PASSWORD)
        case "replace the PIN":
            await payer.approved("FactorsService/SetPaymentPin", pin=PIN)
        case "add an app":
            await payer.add_totp()
        case "remove the app":
            await remove(payer, factor_pb2.FACTOR_KIND_TOTP)
        case "add a passkey":
            await payer.add_passkey()
        case "remove the passkey":
            await remove(payer, factor_pb2.FACTOR_KIND_PASSKEY)
        case "make backup codes":
            await payer.approved("FactorsService/CreateBackupCodes")


# -- Sessions.


async def test_every_change_ends_all_other_sessions_and_is_told(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    assert "New on your wallet: payment PIN" in bank.last_message(payer.person.phone)
    for device, (what, notice) in enumerate(CHANGES, 2):
        others = [payer.on_device(device), payer.on_device(1)]
        for other in others:
            await other.factors()
        await change(payer, what)
        for other in others:
            refused = await other.refused("FactorsService/ListFactors")
            assert refused.reason == "SESSION_REVOKED", what
        assert await payer.factors(), "the session of the change goes on"
        assert notice in bank.last_message(payer.person.phone)


async def test_what_only_prepares_a_change_or_is_refused_ends_nothing(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    other = payer.on_device(2)
    before = bank.last_message(payer.person.phone)
    for name in ("FactorsService/StartTotp", "FactorsService/StartPasskey"):
        await payer.approved(name)
    assert (await payer.refused("FactorsService/SetPaymentPin", pin="503918")).reason == (
        "NEEDS_AUTH"
    )
    assert (await payer.refused("FactorsService/ConfirmTotp", code="000000")).reason == (
        "FACTOR_REJECTED"
    )
    assert await other.factors()
    assert bank.last_message(payer.person.phone) == before


async def test_real_sessions_end_everywhere_and_so_does_what_was_begun(bank: SmallBank) -> None:
    who = await register(bank)
    thief = await sign_in(bank, who)
    paired = await bank.signed("DevicesService/StartDeviceEnrolment", thief)
    later(bank, MINUTE)
    begun = await login(bank, who)
    async with (
        open_parts(bank.parts.settings, 1) as parts,
        open_worker(parts, bank.tokens) as channel,
    ):
        await bank.signed("FactorsService/ListFactors", thief, channel=channel)
        await bank.signed("FactorsService/SetPaymentPin", who, pin=PIN)
        loop = asyncio.get_running_loop()
        changed_at = loop.time()

        async def refused() -> bool:
            try:
                await bank.signed("FactorsService/ListFactors", thief, channel=channel)
            except grpc.aio.AioRpcError as error:
                return told(error).reason == "SESSION_REVOKED"
            return False

        await until(refused, "the session has ended on the other worker", seconds=5)
        assert loop.time() - changed_at <= 5
        await bank.signed("FactorsService/ListFactors", who, channel=channel)
    refresh = bank.do("SessionsService/RefreshSession", "", **thief.refreshing())
    assert (await refusal(refresh)).reason == "SESSION_REVOKED"
    await bank.do("SessionsService/RefreshSession", "", **who.refreshing())
    device = Device()
    pairing = bank.do(
        "DevicesService/CompleteDeviceEnrolment",
        "",
        verification_id=paired.verification_id,
        pairing_code=paired.pairing_code,
        device=device.offer("CompleteDeviceEnrolment", paired.nonce),
    )
    assert (await refusal(pairing)).reason == "VERIFICATION_EXPIRED"
    late = bank.do("SessionsService/CompleteLogin", "", **begun)
    assert (await refusal(late)).reason == "VERIFICATION_EXPIRED"
    reply = await bank.do(
        "EventsService/ListEvents", types=[event_pb2.EVENT_TYPE_SESSION_ENDED], page_size=1000
    )
    (ended,) = [one for one in reply.events if one.session_change.session_id == thief.session]
    assert ended.session_change.cause == "CREDENTIAL_CHANGED"


async def test_a_block_is_told_to_the_customer(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    for _ in range(5):
        challenge_id = await payer.challenged(payer.payment())
        assert "maybe blocked" not in bank.last_message(payer.person.phone)
        refused = await payer.approve_refused(challenge_id, payment_pin=WRONG_PIN)
        assert refused.reason == "FACTOR_REJECTED"
        later(bank, MINUTE)
    assert "maybe blocked: payment PIN" in bank.last_message(payer.person.phone)


# -- What needs a factor.


async def test_pairing_another_device_needs_a_factor_once_there_is_one(bank: SmallBank) -> None:
    name = "DevicesService/StartDeviceEnrolment"
    payer = await Payer.new(bank, pin=False, funds=1)
    assert (await payer.do(name)).pairing_code
    await payer.do("FactorsService/SetPaymentPin", pin=PIN)
    request = payer.request(name)
    refused = await payer.told(name, request)
    assert (refused.reason, refused.metadata["methods"]) == ("NEEDS_AUTH", "PAYMENT_PIN")
    challenge_id = refused.metadata["challenge_id"]
    shown = await payer.challenge(challenge_id)
    assert shown.operation == challenge_pb2.CHALLENGE_OPERATION_DEVICE_ENROLMENT
    assert (shown.text, shown.HasField("amount")) == ("Enrol another device.", False)
    assert (await payer.told(name, request)).reason == "NEEDS_AUTH"
    await payer.approve(challenge_id)
    code = (await payer.send(name, request)).pairing_code
    assert (await payer.send(name, request)).pairing_code == code
    assert (await payer.refused(name)).reason == "NEEDS_AUTH", "an approval is good once"


async def test_lifting_ones_own_freeze_needs_a_factor_once_there_is_one(bank: SmallBank) -> None:
    name = "AccountsService/UnfreezeAccount"
    payer = await Payer.new(bank, pin=False)
    account = {"account_id": payer.person.account, "reason_text": "found the phone"}

    async def freeze() -> None:
        await payer.do("AccountsService/FreezeAccount", **account)

    await freeze()
    await payer.do(name, **account)
    await payer.do("FactorsService/SetPaymentPin", pin=PIN)
    await freeze()
    request = payer.request(name, **account)
    refused = await payer.told(name, request)
    assert refused.reason == "NEEDS_AUTH"
    shown = await payer.challenge(refused.metadata["challenge_id"])
    assert shown.operation == challenge_pb2.CHALLENGE_OPERATION_UNFREEZE
    assert payer.person.account in shown.text
    await payer.approve(shown.challenge_id)
    reply = await payer.send(name, request)
    assert reply.account.state == wallet_pb2.WALLET_ACCOUNT_STATE_OPEN
    stranger = await Payer.new(bank)
    refused = await stranger.refused(name, **account)
    assert refused.reason == "ACCOUNT_NOT_FOUND"
