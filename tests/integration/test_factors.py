"""Setting factors up and proving with them, against guessers, races, copies and thieves."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import argon2
import grpc.aio
import psycopg
import pytest

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import challenge_pb2, factor_pb2
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_server.factors.commands import UnlockFactor
from longmen_server.platform.hashing import keyed
from longmen_server.platform.ids import CUSTOMER
from tests.support.edge import told
from tests.support.small_bank import BOOK, SmallBank, open_small_bank
from tests.support.step_up import PIN, WRONG_PIN, Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

APPROVED = challenge_pb2.CHALLENGE_STATE_APPROVED
MINUTE, HOUR, DAY = 60, 3_600, 86_400
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("factors")) as opened:
        yield opened


async def try_pins(payer: Payer, challenge_id: str, pins: list[str]) -> list[str]:
    """What becomes of PINs offered all at once: OK or a reason."""

    async def one(pin: str) -> str:
        try:
            await payer.approve(challenge_id, payment_pin=pin)
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "OK"

    return await asyncio.gather(*(one(pin) for pin in pins))


async def wrong_tries(payer: Payer, challenge_id: str, count: int) -> None:
    """Wrong tries one after the other, each after the pause before it."""
    for _ in range(count):
        assert await try_pins(payer, challenge_id, [WRONG_PIN]) == ["FACTOR_REJECTED"]
        later(payer.bank, MINUTE)


async def is_taken(payer: Payer) -> bool:
    """Whether the right PIN is taken for a fresh payment."""
    challenge_id = await payer.challenged(payer.payment())
    return await try_pins(payer, challenge_id, [PIN]) == ["OK"]


def rows(database: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.admin_dsn) as connection:
        return connection.execute(statement.encode(), values).fetchall()


async def unlock(payer: Payer) -> None:
    parts = payer.bank.parts
    customer_id = CUSTOMER.decode(payer.person.customer)
    command = UnlockFactor(BOOK, None, customer_id=customer_id)
    await parts.engine.submit(command, deadline=parts.clock.monotonic() + 10)


# -- Wrong PINs.


async def test_fifty_wrong_pins_at_once_get_no_further_than_the_rules(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    challenge_id = await payer.challenged(payer.payment())
    guesses = [f"{number:06d}" for number in range(300_001, 300_051)]
    # The hashing pool may turn some away; that is no answer to a guess.
    found = set(await try_pins(payer, challenge_id, guesses))
    assert found <= {"FACTOR_REJECTED", "OVERLOADED"}
    (tries,) = rows_of_attempts(bank, payer)
    assert tries[0] == 3
    # The right one after them is refused like a wrong one: the pause has begun.
    assert await try_pins(payer, challenge_id, [PIN]) == ["FACTOR_REJECTED"]
    later(bank, MINUTE)
    assert await try_pins(payer, challenge_id, [PIN]) == ["OK"]


async def test_among_fifty_guesses_a_late_right_one_is_not_looked_at(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    challenge_id = await payer.challenged(payer.payment())
    await wrong_tries(payer, challenge_id, 2)
    found = await try_pins(payer, challenge_id, [WRONG_PIN, *["311337"] * 48, PIN])
    assert found.count("OK") <= 1
    taken = rows_of_attempts(bank, payer)
    assert taken == [] or taken[0][0] <= 3


def rows_of_attempts(bank: SmallBank, payer: Payer) -> list[tuple[Any, ...]]:
    customer = CUSTOMER.decode(payer.person.customer)
    found = bank._database.execute(
        "select failures, blocks from factor_attempt where customer_id = %s",
        (customer.hex(),),
    )
    return found.fetchall()


async def test_the_third_try_pauses_and_the_fifth_blocks(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    challenge_id = await payer.challenged(payer.payment())
    for _ in range(3):
        assert await try_pins(payer, challenge_id, [WRONG_PIN]) == ["FACTOR_REJECTED"]
    assert not await is_taken(payer)
    later(bank, MINUTE)
    await wrong_tries(payer, await payer.challenged(payer.payment()), 2)
    assert not await is_taken(payer)
    later(bank, HOUR)
    assert not await is_taken(payer)
    (pin,) = await payer.factors()
    assert pin.HasField("blocked_until")
    later(bank, 2 * HOUR)
    assert await is_taken(payer)
    (pin,) = await payer.factors()
    assert not pin.HasField("blocked_until")


async def test_blocks_grow_until_only_the_bank_can_lift_them(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    for length in (3 * HOUR, DAY, None):
        for _ in range(5):
            await wrong_tries(payer, await payer.challenged(payer.payment()), 1)
        later(bank, (length or 365 * DAY) - HOUR)
        assert not await is_taken(payer)
        later(bank, HOUR)
    assert not await is_taken(payer)
    await unlock(payer)
    assert await is_taken(payer)


async def test_a_right_pin_takes_the_count_back(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    for _ in range(4):
        challenge_id = await payer.challenged(payer.payment())
        assert await try_pins(payer, challenge_id, [WRONG_PIN]) == ["FACTOR_REJECTED"]
        assert await try_pins(payer, challenge_id, [WRONG_PIN]) == ["FACTOR_REJECTED"]
        assert await try_pins(payer, challenge_id, [PIN]) == ["OK"]


async def test_another_device_cannot_lock_the_owners_out(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    thief = payer.on_device(2)
    challenge_id = await payer.challenged(payer.payment())
    for _ in range(3):
        assert await try_pins(thief, challenge_id, [WRONG_PIN]) == ["FACTOR_REJECTED"]
    assert await try_pins(thief, challenge_id, [PIN]) == ["FACTOR_REJECTED"]
    assert await try_pins(payer, challenge_id, [PIN]) == ["OK"]


async def test_a_block_is_told_by_an_event_and_to_the_customer(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    for _ in range(5):
        await wrong_tries(payer, await payer.challenged(payer.payment()), 1)
    reply = await bank.do(
        "EventsService/ListEvents", types=[event_pb2.EVENT_TYPE_FACTOR_BLOCKED], page_size=1000
    )
    mine = [e for e in reply.events if e.subject_id == payer.person.customer]
    assert len(mine) == 1
    assert mine[0].factor_change.kind == factor_pb2.FACTOR_KIND_PAYMENT_PIN


# -- What a thief of the database has.


async def test_a_dump_without_the_key_file_gives_no_pin(
    bank: SmallBank, module_database: Database
) -> None:
    payer = await Payer.new(bank)
    customer_id = CUSTOMER.decode(payer.person.customer)
    found = rows(
        module_database,
        "select secret from factor where customer_id = %s and kind = 2",
        customer_id.hex(),
    )
    stored = bytes(found[0][0]).decode()
    guesses = [PIN.encode(), keyed(bytes(32), b"pin", customer_id, PIN.encode())]
    guesses += [PIN.encode() + customer_id, customer_id + PIN.encode()]
    for guess in guesses:
        with pytest.raises(argon2.exceptions.VerifyMismatchError):
            argon2.PasswordHasher().verify(stored, guess)
    # With the key it is the PIN: the guesses above were made the right way.
    pepper = bank.parts.secrets.derive("factors/pepper")
    right = keyed(pepper, b"pin", customer_id, PIN.encode())
    assert argon2.PasswordHasher().verify(stored, right)


async def test_no_secret_stands_in_the_database(bank: SmallBank, module_database: Database) -> None:
    payer = await Payer.new(bank)
    await payer.add_totp()
    codes = (await payer.approved("FactorsService/CreateBackupCodes")).codes
    await payer.approved("FactorsService/SetPassword", password=PASSWORD)
    seed = base64.b32decode(payer.seed)
    secrets = [PIN, payer.seed, PASSWORD, *codes]
    plain = {secret.encode() for secret in secrets} | {seed}
    plain |= {code.replace("-", "").encode() for code in codes}
    dump = b""
    for (table,) in rows(
        module_database,
        "select relname from pg_class where relkind = 'r'"
        " and relnamespace = 'public'::regnamespace",
    ):
        for (text,) in rows(module_database, f"select t::text from {table} as t"):  # noqa: S608
            dump += text.encode() + b"\n"
    assert len(dump) > 10_000
    # Six digits may stand somewhere by chance; as a field or as hexadecimal they may not.
    for secret in plain - {PIN.encode()}:
        assert secret not in dump
        assert secret.hex().encode() not in dump
    assert f",{PIN},".encode() not in dump
    assert PIN.encode().hex().encode() not in dump


# -- Which secrets are taken.


@pytest.mark.parametrize(
    ("pin", "rule"),
    [
        ("123456", "run"),
        ("987654", "run"),
        ("111111", "repetition"),
        ("121212", "repetition"),
        ("123123", "repetition"),
        ("900714", "date"),
        ("140790", "date"),
        ("071490", "date"),
        ("199007", "date"),
    ],
)
async def test_pins_that_are_guessed_first_are_refused(
    bank: SmallBank, pin: str, rule: str
) -> None:
    payer = await Payer.new(bank, pin=False, funds=1)
    refused = await payer.refused("FactorsService/SetPaymentPin", pin=pin)
    assert (refused.reason, refused.metadata) == ("PIN_WEAK", {"rule": rule})
    assert await payer.factors() == []


async def test_the_end_of_ones_phone_number_is_no_pin(bank: SmallBank) -> None:
    payer = await Payer.new(bank, pin=False, funds=1)
    tail = payer.person.phone[-6:]
    refused = await payer.refused("FactorsService/SetPaymentPin", pin=tail)
    assert refused.reason == "PIN_WEAK"


@pytest.mark.parametrize(
    ("password", "rule", "minimum"),
    [
        ("fourteen chars", "length.alone", "15"),
        ("qwertyuiop", "common", "8"),
        ("QWERTYUIOP", "common", "8"),
        ("aaaaaaaaaaaaaaaa", "common", "8"),
        ("abcdefghijklmnop", "common", "8"),
    ],
)
async def test_passwords_that_are_guessed_first_are_refused(
    bank: SmallBank, password: str, rule: str, minimum: str
) -> None:
    payer = await Payer.new(bank, pin=False, funds=1)
    refused = await payer.refused("FactorsService/SetPassword", password=password)
    assert refused.reason == "PASSWORD_WEAK"
    assert refused.metadata == {"rule": rule, "minimum": minimum}


async def test_beside_another_factor_a_shorter_password_will_do(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.approved("FactorsService/SetPassword", password="fourteen chars")


async def test_a_password_is_compared_whatever_the_keyboard_composes(bank: SmallBank) -> None:
    payer = await Payer.new(bank, pin=False)
    await payer.do("FactorsService/SetPassword", password="caf\u00e9 au lait le matin")
    change = payer.request("FactorsService/SetPaymentPin", pin=PIN)
    challenge_id = (await payer.told("FactorsService/SetPaymentPin", change)).metadata[
        "challenge_id"
    ]
    for wrong in ("cafe au lait le matin", "CAF\u00c9 au lait le matin"):
        refused = await payer.approve_refused(challenge_id, password=wrong)
        assert refused.reason == "FACTOR_REJECTED"
    approved = await payer.approve(challenge_id, password="cafe\u0301 au lait le matin")
    assert approved.state == APPROVED


# -- Changing factors.


async def test_changing_the_pin_needs_the_present_one(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    change = payer.request("FactorsService/SetPaymentPin", pin="503918")
    refused = await payer.told("FactorsService/SetPaymentPin", change)
    assert refused.reason == "NEEDS_AUTH"
    challenge_id = refused.metadata["challenge_id"]
    assert (await payer.challenge(challenge_id)).text == "Set a new payment PIN."
    assert await try_pins(payer, challenge_id, ["503918"]) == ["FACTOR_REJECTED"]
    await payer.approve(challenge_id)
    await payer.send("FactorsService/SetPaymentPin", change)
    fresh = await payer.challenged(payer.payment())
    assert await try_pins(payer, fresh, [PIN]) == ["FACTOR_REJECTED"]
    assert await try_pins(payer, fresh, ["503918"]) == ["OK"]


async def test_another_pin_than_approved_is_not_set(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    change: Any = payer.request("FactorsService/SetPaymentPin", pin="503918")
    told_ = await payer.told("FactorsService/SetPaymentPin", change)
    await payer.approve(told_.metadata["challenge_id"])
    change.pin = "503919"
    refused = await payer.told("FactorsService/SetPaymentPin", change)
    assert refused.reason == "CHALLENGE_CONTENT_CHANGED"
    assert await is_taken(payer)


async def test_a_removed_factor_approves_nothing(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.add_totp()
    challenge_id = await payer.challenged(payer.payment())
    totp = next(f for f in await payer.factors() if f.kind == factor_pb2.FACTOR_KIND_TOTP)
    await payer.approved("FactorsService/RemoveFactor", factor_id=totp.factor_id)
    assert [f.kind for f in await payer.factors()] == [factor_pb2.FACTOR_KIND_PAYMENT_PIN]
    refused = await payer.approve_refused(challenge_id, totp_code=payer.code(1))
    assert refused.reason == "FACTOR_REJECTED"
    gone = await payer.refused("FactorsService/RemoveFactor", factor_id=totp.factor_id)
    assert (gone.reason, gone.metadata) == ("FACTOR_NOT_FOUND", {"factor_id": totp.factor_id})


# -- One-time codes.


async def test_a_code_is_good_once_however_many_offer_it(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.add_totp()
    # The code that confirmed the app is used up already.
    challenge_id = await payer.challenged(payer.payment())
    refused = await payer.approve_refused(challenge_id, totp_code=payer.code())
    assert refused.reason == "FACTOR_REJECTED"
    await unlock(payer)
    code = payer.code(1)
    challenges = [await payer.challenged(payer.payment()) for _ in range(3)]

    async def offer(challenge_id: str) -> str:
        try:
            await payer.approve(challenge_id, totp_code=code)
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "OK"

    found = await asyncio.gather(*(offer(challenges[n % 3]) for n in range(50)))
    assert found.count("OK") == 1
    assert set(found) == {"OK", "FACTOR_REJECTED"}


async def test_a_code_is_good_a_step_early_or_late_and_no_more(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.add_totp()
    later(bank, 10 * MINUTE)
    for steps, good in ((-2, False), (2, False), (-1, True), (1, True)):
        await unlock(payer)
        challenge_id = await payer.challenged(payer.payment())
        proof = {"totp_code": payer.code(steps)}
        if good:
            assert (await payer.approve(challenge_id, **proof)).state == APPROVED
        else:
            assert (await payer.approve_refused(challenge_id, **proof)).reason == "FACTOR_REJECTED"


async def test_an_app_is_in_use_only_once_its_code_was_right(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    nothing = await payer.refused("FactorsService/ConfirmTotp", code="123456")
    assert nothing.reason == "ENROLMENT_NOT_FOUND"
    payer.seed = (await payer.approved("FactorsService/StartTotp")).seed
    wrong = "000000" if payer.code() != "000000" else "000001"
    refused = await payer.refused("FactorsService/ConfirmTotp", code=wrong)
    assert refused.reason == "FACTOR_REJECTED"
    assert len(await payer.factors()) == 1
    later(bank, 10 * MINUTE)
    late = await payer.refused("FactorsService/ConfirmTotp", code=payer.code())
    assert late.reason == "ENROLMENT_NOT_FOUND"


async def test_backup_codes_are_good_once_each_and_void_when_replaced(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    first = list((await payer.approved("FactorsService/CreateBackupCodes")).codes)
    assert len(set(first)) == 10

    async def offer(code: str) -> str:
        change = payer.request("FactorsService/StartTotp")
        refused = await payer.told("FactorsService/StartTotp", change)
        try:
            await payer.approve(refused.metadata["challenge_id"], backup_code=code)
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "OK"

    assert await offer(first[0].lower().replace("-", "")) == "OK"
    assert await offer(first[0]) == "FACTOR_REJECTED"
    assert await offer(first[9]) == "OK"
    codes = next(f for f in await payer.factors() if f.kind == factor_pb2.FACTOR_KIND_BACKUP_CODES)
    assert codes.codes_left == 8
    await payer.approved("FactorsService/CreateBackupCodes")
    assert await offer(first[1]) == "FACTOR_REJECTED"


# -- Passkeys.


async def passkey_payer(bank: SmallBank) -> tuple[Payer, str]:
    payer = await Payer.new(bank)
    await payer.add_passkey()
    return payer, await payer.challenged(payer.payment())


async def assertion_reason(payer: Payer, challenge_id: str, assertion: str) -> str:
    refused = await payer.approve_refused(challenge_id, passkey_assertion_json=assertion)
    return refused.reason


async def test_an_assertion_is_for_one_challenge_only(bank: SmallBank) -> None:
    payer, challenge_id = await passkey_payer(bank)
    signed = await payer.signed(challenge_id)
    other = await payer.challenged(payer.payment())
    assert await assertion_reason(payer, other, signed) == "FACTOR_REJECTED"
    await payer.approve(challenge_id, passkey_assertion_json=signed)
    # Replayed under another request id: its counter is no longer higher.
    assert await assertion_reason(payer, challenge_id, signed) == "FACTOR_REJECTED"


@pytest.mark.parametrize("fault", ["origin", "unverified", "signature", "stranger", "garbage"])
async def test_assertions_that_prove_nothing_are_refused(bank: SmallBank, fault: str) -> None:
    payer, challenge_id = await passkey_payer(bank)
    options = (await payer.challenge(challenge_id)).passkey_options_json
    device = payer.device
    if fault == "origin":
        device.origin = "https://longmen.example"
    if fault == "unverified":
        device.user_verified = False
    assertion = device.get(options)
    if fault == "signature":
        broken = json.loads(assertion)
        broken["response"]["signature"] = broken["response"]["signature"][::-1]
        assertion = json.dumps(broken)
    if fault == "stranger":
        stranger = SoftwareAuthenticator()
        for name in device.keys:
            stranger.create((await payer.approved("FactorsService/StartPasskey")).options_json)
            stranger.keys = {name: next(iter(stranger.keys.values()))}
        assertion = stranger.get(options)
    if fault == "garbage":
        assertion = '{"rawId": [[]]}'
    assert await assertion_reason(payer, challenge_id, assertion) == "FACTOR_REJECTED"


async def test_a_passkey_that_counts_backwards_is_flagged_and_done_with(bank: SmallBank) -> None:
    payer, challenge_id = await passkey_payer(bank)
    payer.device.counter = 10
    await payer.approve(challenge_id, passkey_assertion_json=await payer.signed(challenge_id))
    again = await payer.challenged(payer.payment())
    payer.device.counter = 5  # a copy made before
    assert await assertion_reason(payer, again, await payer.signed(again)) == "FACTOR_REJECTED"
    passkey = next(f for f in await payer.factors() if f.kind == factor_pb2.FACTOR_KIND_PASSKEY)
    assert passkey.flagged
    assert "There may be a copy of your passkey" in bank.last_message(payer.person.phone)
    payer.device.counter = 100
    assert await assertion_reason(payer, again, await payer.signed(again)) == "FACTOR_REJECTED"


@pytest.mark.parametrize("fault", ["origin", "unverified", "challenge", "garbage"])
async def test_registrations_that_prove_nothing_are_refused(bank: SmallBank, fault: str) -> None:
    payer = await Payer.new(bank)
    options = (await payer.approved("FactorsService/StartPasskey")).options_json
    device = payer.device
    if fault == "origin":
        device.origin = "https://localhost.example"
    if fault == "unverified":
        device.user_verified = False
    if fault == "challenge":
        options = (await payer.approved("FactorsService/StartPasskey")).options_json
        await payer.approved("FactorsService/StartPasskey")
    credential = device.create(options) if fault != "garbage" else "[" * 8_000
    refused = await payer.refused("FactorsService/ConfirmPasskey", credential_json=credential)
    assert refused.reason == "PASSKEY_REJECTED"
    assert len(await payer.factors()) == 1


async def test_passkeys_are_kept_up_to_a_number(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    for _ in range(10):
        await payer.add_passkey()
    refused = await payer.refused("FactorsService/StartPasskey")
    assert (refused.reason, refused.metadata) == ("FACTOR_LIMIT_REACHED", {"limit": "10"})
    none = await payer.refused("FactorsService/ConfirmPasskey", credential_json="{}")
    assert none.reason == "ENROLMENT_NOT_FOUND"
