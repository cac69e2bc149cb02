"""From a phone number to a session and its end, on a whole server with real tokens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc.aio
import jwt
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from longmen.identity.v1 import identity_pb2
from longmen_server.app import open_parts
from tests.support.edge import told
from tests.support.identity import (
    Device,
    SignedIn,
    code_in,
    enrolment,
    login,
    pair,
    register,
    registration,
    sign_in,
    signed_in,
)
from tests.support.poll import until
from tests.support.small_bank import BY_NAME, SmallBank, cash, open_small_bank, open_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.support.edge import Told
    from tests.support.postgres import Database

START, COMPLETE = (
    "RegistrationService/StartRegistration",
    "RegistrationService/CompleteRegistration",
)
LOGIN, REFRESH = "SessionsService/CompleteLogin", "SessionsService/RefreshSession"
MINUTE = 60


@pytest_asyncio.fixture
async def bank(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(database, tmp_path_factory.mktemp("identity")) as opened:
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def reason(call: Awaitable[Any]) -> str:
    return (await refusal(call)).reason


def forward(bank: SmallBank, seconds: float) -> None:
    clock: Any = bank.parts.clock
    clock.set_us(clock.now_us() + round(seconds * 1_000_000))


def balance(bank: SmallBank, who: SignedIn, **more: Any) -> Awaitable[Any]:
    return bank.signed("AccountsService/GetBalance", who, account_id=who.account, **more)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


# -- Registration.


@pytest.mark.parametrize("ed25519", [False, True])
async def test_a_phone_becomes_a_wallet_with_a_signed_in_device(
    bank: SmallBank, *, ed25519: bool
) -> None:
    who = await register(bank, ed25519=ed25519)
    assert who.reply.wallet.display_name == "Lin Daiyu"
    assert not who.reply.device.cooling
    assert (await balance(bank, who)).balance.posted.minor_units == 0
    (session,) = (await bank.signed("SessionsService/ListSessions", who)).sessions
    assert (session.session_id, session.current) == (who.session, True)
    (device,) = (await bank.signed("DevicesService/ListDevices", who)).devices
    assert device.key_thumbprint == who.device.key.thumbprint


async def test_nobody_can_see_whether_a_phone_number_has_a_wallet(bank: SmallBank) -> None:
    person = await bank.person()
    replies = []
    for phone in (person.phone, bank.new_phone()):
        begun = await bank.do(START, "", phone_number=phone)
        asked = await bank.do(
            "SessionsService/StartLogin",
            "",
            phone_number=phone,
            key_thumbprint=Device().key.thumbprint,
        )
        assert asked.code_required
        device = Device()
        answers = []
        for method, start in ((COMPLETE, begun), (LOGIN, asked)):
            fields = {
                "verification_id": start.verification_id,
                "phone_number": phone,
                "code": "000000",
                "device": device.offer(method.rpartition("/")[2], start.nonce),
            }
            if method == COMPLETE:
                fields |= {"display_name": "x", "currency_code": "CNY"}
            answers.append((await refusal(bank.do(method, "", **fields))).whole)
        shape = [
            (len(start.verification_id), len(start.nonce), start.expire_time.seconds > 0)
            for start in (begun, asked)
        ]
        again = (await refusal(bank.do(START, "", phone_number=phone))).reason
        replies.append((shape, answers, again))
    assert replies[0] == replies[1]
    assert "已开通" in bank.last_message(person.phone) or "sign in" in bank.last_message(
        person.phone
    )


async def test_a_code_opens_one_wallet_only(bank: SmallBank) -> None:
    fields = await registration(bank)
    await bank.do(COMPLETE, "", **fields)
    assert await reason(bank.do(COMPLETE, "", **fields)) == "VERIFICATION_EXPIRED"


async def test_a_wallet_opened_meanwhile_keeps_its_phone_number(bank: SmallBank) -> None:
    fields = await registration(bank)
    await bank.do(
        "AccountsService/OpenWallet",
        phone_number=fields["phone_number"],
        display_name="x",
        currency_code="CNY",
    )
    assert await reason(bank.do(COMPLETE, "", **fields)) == "PHONE_NUMBER_TAKEN"


async def test_of_fifty_guesses_at_once_five_are_judged(bank: SmallBank) -> None:
    fields = await registration(bank)
    guesses = [f"{(int(fields['code']) + n) % 1_000_000:06}" for n in range(1, 51)]
    answers = await asyncio.gather(
        *(refusal(bank.do(COMPLETE, "", **{**fields, "code": guess})) for guess in guesses)
    )
    reasons = [answer.reason for answer in answers]
    assert reasons.count("VERIFICATION_CODE_INVALID") == 5
    assert reasons.count("VERIFICATION_ATTEMPTS_EXHAUSTED") == 45
    left = sorted(answer.metadata.get("attempts_left", "") for answer in answers)
    assert left[-5:] == ["0", "1", "2", "3", "4"]
    assert await reason(bank.do(COMPLETE, "", **fields)) == "VERIFICATION_ATTEMPTS_EXHAUSTED"


async def test_a_code_ends_with_its_time_and_with_the_next_one(bank: SmallBank) -> None:
    late = await registration(bank)
    forward(bank, 5 * MINUTE)
    assert await reason(bank.do(COMPLETE, "", **late)) == "VERIFICATION_EXPIRED"
    first = await registration(bank)
    forward(bank, MINUTE)
    second = await registration(bank, phone=first["phone_number"])
    assert await reason(bank.do(COMPLETE, "", **first)) == "VERIFICATION_EXPIRED"
    await bank.do(COMPLETE, "", **second)


async def test_codes_are_not_sent_too_often(bank: SmallBank) -> None:
    phone = bank.new_phone()
    await bank.do(START, "", phone_number=phone)
    at_once = await refusal(bank.do(START, "", phone_number=phone))
    assert (at_once.reason, at_once.code.name) == ("CODE_SENT_RECENTLY", "RESOURCE_EXHAUSTED")
    assert 0 < int(at_once.metadata["retry_after_seconds"]) <= MINUTE
    for _ in range(9):
        forward(bank, MINUTE)
        await bank.do(START, "", phone_number=phone)
    forward(bank, MINUTE)
    tomorrow = await refusal(bank.do(START, "", phone_number=phone))
    assert int(tomorrow.metadata["retry_after_seconds"]) > 23 * 3600
    forward(bank, 86_400)
    await bank.do(START, "", phone_number=phone)


async def test_a_verification_is_for_its_purpose_and_phone_only(bank: SmallBank) -> None:
    fields = await registration(bank)
    other = {**fields, "phone_number": bank.new_phone()}
    assert await reason(bank.do(COMPLETE, "", **other)) == "VERIFICATION_NOT_FOUND"
    del fields["display_name"], fields["currency_code"]
    assert await reason(bank.do(LOGIN, "", **fields)) == "VERIFICATION_NOT_FOUND"


async def test_the_proof_is_the_devices_own_for_this_nonce_and_method(bank: SmallBank) -> None:
    fields = await registration(bank)
    good = fields["device"]
    stolen = identity_pb2.DeviceKey()
    stolen.CopyFrom(good)
    stolen.public_key = Device().key.public
    elsewhere = Device().offer("CompleteLogin", b"n" * 32)
    for device in (stolen, elsewhere):
        refused = await refusal(bank.do(COMPLETE, "", **{**fields, "device": device}))
        assert (refused.reason, refused.code.name) == ("DEVICE_PROOF_INVALID", "UNAUTHENTICATED")
    broken = identity_pb2.DeviceKey()
    broken.CopyFrom(good)
    broken.public_key = b"\x01" * 64
    refused = await refusal(bank.do(COMPLETE, "", **{**fields, "device": broken}))
    assert (refused.reason, refused.fields) == ("DEVICE_KEY_INVALID", ["device.public_key"])
    unknown = {**fields, "currency_code": "ZZZ"}
    assert await reason(bank.do(COMPLETE, "", **unknown)) == "UNKNOWN_CURRENCY"
    await bank.do(COMPLETE, "", **fields)


async def test_no_secret_is_in_the_database(bank: SmallBank, database: Database) -> None:
    fields = await registration(bank)
    device = Device()
    reply = await bank.do(COMPLETE, "", **fields)
    paired = await pair(bank, signed_in(device, fields["phone_number"], reply))
    secrets = [reply.tokens.refresh_token, reply.tokens.access_token, paired.refresh_token]
    with psycopg.connect(database.admin_dsn) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r'"
            " and relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(
                sql.SQL("select t::text from {} as t").format(sql.Identifier(table))
            ).fetchall()
            text = "\n".join(row[0] for row in rows)
            for secret in secrets:
                assert secret not in text, table
                assert secret.encode().hex() not in text, table
            assert fields["phone_number"] not in text, table
            assert fields["phone_number"].encode().hex() not in text, table
            assert b"Lin Daiyu".hex() not in text, table


# -- Sessions.


async def test_an_enrolled_device_signs_in_without_a_code(bank: SmallBank) -> None:
    who = await register(bank)
    again = await sign_in(bank, who, device=who.device)
    assert again.device_id == who.device_id
    assert again.session != who.session
    assert not again.reply.device.cooling


async def test_a_new_device_needs_a_code_cools_off_and_is_told_of(bank: SmallBank) -> None:
    who = await register(bank)
    new = await sign_in(bank, who)
    assert new.reply.device.cooling
    cooling = new.reply.device.cooling_until.seconds - new.reply.device.enrol_time.seconds
    assert cooling == 86_400
    assert new.device.name in bank.last_message(who.phone)
    forward(bank, 86_400)
    again = await sign_in(bank, new, device=new.device)
    assert not again.reply.device.cooling


async def test_another_key_cannot_take_an_enrolled_devices_place(bank: SmallBank) -> None:
    who = await register(bank)
    fields = await login(bank, who, device=who.device)
    assert not fields["code"]
    thief = Device()
    begun = await bank.do(
        "SessionsService/StartLogin",
        "",
        phone_number=who.phone,
        key_thumbprint=who.device.key.thumbprint,
    )
    stolen = {
        **fields,
        "verification_id": begun.verification_id,
        "device": thief.offer("CompleteLogin", begun.nonce),
    }
    assert await reason(bank.do(LOGIN, "", **stolen)) == "DEVICE_PROOF_INVALID"
    devices = await bank.do("DevicesService/ListDevices", customer_id=who.customer)
    assert [one.device_id for one in devices.devices] == [who.device_id]


async def test_tokens_are_short_lived_bound_and_say_whose_they_are(bank: SmallBank) -> None:
    who = await register(bank)
    claims = jwt.decode(who.access_token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 900
    assert claims["cnf"] == {"jkt": who.device.key.thumbprint}
    assert (claims["sid"], claims["did"]) == (who.session, who.device_id)
    assert claims["customer"] == who.customer
    assert jwt.get_unverified_header(who.access_token)["typ"] == "at+jwt"


async def test_refreshing_gives_new_tokens_and_a_lost_reply_again(bank: SmallBank) -> None:
    who = await register(bank)
    fields = {**who.refreshing(), "request_id": bank.new_request_id()}
    first = await bank.do(REFRESH, "", **fields)
    assert (await bank.do(REFRESH, "", **fields)).tokens == first.tokens
    assert first.tokens.refresh_token != who.refresh_token
    later = replace(who, access_token=first.tokens.access_token)
    await balance(bank, later)


async def test_a_refresh_token_used_twice_ends_the_session(bank: SmallBank) -> None:
    who = await register(bank)
    other = await sign_in(bank, who)
    fresh = await bank.do(REFRESH, "", **who.refreshing())
    used = await refusal(bank.do(REFRESH, "", **who.refreshing()))
    assert (used.reason, used.code.name) == ("REFRESH_TOKEN_REUSED", "UNAUTHENTICATED")
    newest = replace(
        who,
        access_token=fresh.tokens.access_token,
        refresh_token=fresh.tokens.refresh_token,
    )
    assert await reason(bank.do(REFRESH, "", **newest.refreshing())) == "SESSION_REVOKED"
    assert await reason(balance(bank, newest)) == "SESSION_REVOKED"
    await bank.signed("SessionsService/ListSessions", other)


async def test_refresh_tokens_that_nobody_was_given_end_nothing(bank: SmallBank) -> None:
    who = await register(bank)
    token = who.refresh_token
    for forged in ("A" * 86, token[:30] + ("B" if token[30] == "A" else "A") + token[31:]):
        fields = {**replace(who, refresh_token=forged).refreshing()}
        assert await reason(bank.do(REFRESH, "", **fields)) == "REFRESH_TOKEN_INVALID"
    thief = replace(who, device=Device())
    assert await reason(bank.do(REFRESH, "", **thief.refreshing())) == "DEVICE_PROOF_INVALID"
    await balance(bank, who)
    await bank.do(REFRESH, "", **who.refreshing())


async def test_of_parallel_refreshes_one_wins_and_the_session_ends(bank: SmallBank) -> None:
    who = await register(bank)
    fields = who.refreshing()
    answers = await asyncio.gather(
        *(bank.do(REFRESH, "", **fields) for _ in range(10)), return_exceptions=True
    )
    won = [one for one in answers if not isinstance(one, BaseException)]
    assert len(won) == 1
    reasons = {told(one).reason for one in answers if isinstance(one, grpc.aio.AioRpcError)}
    assert reasons <= {"REFRESH_TOKEN_REUSED", "SESSION_REVOKED"}
    assert await reason(balance(bank, who)) == "SESSION_REVOKED"


async def test_a_session_ends_after_five_minutes_without_a_call(bank: SmallBank) -> None:
    who = await register(bank)
    for _ in range(3):
        forward(bank, 4 * MINUTE)
        await balance(bank, who)
    forward(bank, 5 * MINUTE + 1)
    idle = await refusal(balance(bank, who))
    assert (idle.reason, idle.metadata) == ("SESSION_EXPIRED", {"limit": "idle"})
    assert await reason(bank.do(REFRESH, "", **who.refreshing())) == "SESSION_EXPIRED"


async def test_a_session_ends_after_twelve_hours_of_use(bank: SmallBank) -> None:
    who = await register(bank)
    for _ in range(179):
        forward(bank, 4 * MINUTE)
        await balance(bank, who)
    forward(bank, 4 * MINUTE)
    over = await refusal(balance(bank, who))
    assert (over.reason, over.metadata) == ("SESSION_EXPIRED", {"limit": "absolute"})
    assert await reason(bank.do(REFRESH, "", **who.refreshing())) == "SESSION_EXPIRED"


async def test_a_session_that_is_revoked_is_over_at_once_and_others_are_not(
    bank: SmallBank,
) -> None:
    who = await register(bank)
    other = await sign_in(bank, who)
    listed = await bank.signed("SessionsService/ListSessions", other)
    assert [(one.session_id, one.current) for one in listed.sessions] == [
        (who.session, False),
        (other.session, True),
    ]
    await bank.signed("SessionsService/RevokeSession", other, session_id=who.session)
    assert await reason(balance(bank, who)) == "SESSION_REVOKED"
    assert await reason(bank.do(REFRESH, "", **who.refreshing())) == "SESSION_REVOKED"
    listed = await bank.signed("SessionsService/ListSessions", other)
    assert [one.session_id for one in listed.sessions] == [other.session]


async def test_a_stream_of_a_revoked_session_sends_nothing_more(bank: SmallBank) -> None:
    owner = await bank.person()
    method = BY_NAME["AccountsService/WatchBalance"]
    request = method.request_class(account_id=owner.account)
    stream = bank.channel.unary_stream(f"/{method.path}")(
        request.SerializeToString(),
        metadata=(("authorization", f"Bearer {bank.session_token(owner)}"),),
        timeout=30,
    )
    assert await stream.read()
    await bank.do("SessionsService/RevokeAllSessions", customer_id=owner.customer)
    await bank.do(
        "TransfersService/CreateTransfer",
        from_account_id=owner.account,
        payee={"account_id": bank.payee.account},
        amount=cash(7),
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert told(caught.value).reason == "SESSION_REVOKED"


async def test_all_sessions_but_the_current_one_can_be_ended(bank: SmallBank) -> None:
    who = await register(bank)
    others = [await sign_in(bank, who, device=who.device) for _ in range(2)]
    await balance(bank, replace(others[0], account=who.account))
    ended = await bank.signed("SessionsService/RevokeAllSessions", who, keep_current=True)
    assert ended.revoked_count == 2
    for one in others:
        assert await reason(bank.signed("SessionsService/ListSessions", one)) == "SESSION_REVOKED"
    await balance(bank, who)
    ended = await bank.do("SessionsService/RevokeAllSessions", customer_id=who.customer)
    assert ended.revoked_count == 1
    assert await reason(balance(bank, who)) == "SESSION_REVOKED"


async def test_another_worker_refuses_within_five_seconds(bank: SmallBank) -> None:
    who = await register(bank)
    async with (
        open_parts(bank.parts.settings, 1) as parts,
        open_worker(parts, bank.tokens) as channel,
    ):
        await balance(bank, who, channel=channel)
        await bank.signed("SessionsService/RevokeSession", who, session_id=who.session)
        loop = asyncio.get_running_loop()
        revoked_at = loop.time()

        async def refused() -> bool:
            try:
                await balance(bank, who, channel=channel)
            except grpc.aio.AioRpcError as error:
                return told(error).reason == "SESSION_REVOKED"
            return False

        await until(refused, "the session is revoked", seconds=5)
        assert loop.time() - revoked_at <= 5


async def test_a_session_that_moves_to_another_worker_is_not_taken_for_idle(
    bank: SmallBank,
) -> None:
    who = await register(bank)
    async with (
        open_parts(bank.parts.settings, 1) as parts,
        open_worker(parts, bank.tokens) as channel,
    ):
        await balance(bank, who)
        looked_at = bank.parts.watch._looked_at
        forward(bank, 4 * MINUTE)
        await balance(bank, who)
        await bank.parts.watch.look()
        assert bank.parts.watch._looked_at > looked_at
        forward(bank, 4 * MINUTE)
        await balance(bank, who, channel=channel)


async def test_a_worker_that_cannot_look_takes_no_customers_token(
    bank: SmallBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await register(bank)
    await balance(bank, who)
    monkeypatch.setattr(bank.parts.watch, "_looked_at", float("-inf"))
    blind = await refusal(balance(bank, who))
    assert (blind.reason, blind.code.name) == ("SESSIONS_UNKNOWN", "UNAVAILABLE")
    assert blind.retry_ms is not None
    await bank.do("AccountsService/GetBalance", account_id=who.account)


# -- Devices.


async def test_a_pairing_code_enrols_one_more_device(bank: SmallBank) -> None:
    who = await register(bank)
    begun = await bank.signed("DevicesService/StartDeviceEnrolment", who)
    device = Device()
    fields = {
        "verification_id": begun.verification_id,
        "pairing_code": begun.pairing_code,
        "device": device.offer("CompleteDeviceEnrolment", begun.nonce),
    }
    guess = {**fields, "pairing_code": wrong(begun.pairing_code)}
    name = "DevicesService/CompleteDeviceEnrolment"
    assert await reason(bank.do(name, "", **guess)) == "VERIFICATION_CODE_INVALID"
    paired = signed_in(device, who.phone, await bank.do(name, "", **fields))
    assert paired.customer == who.customer
    assert paired.reply.device.cooling
    assert device.name in bank.last_message(who.phone)
    await balance(bank, replace(paired, account=who.account))
    assert await reason(bank.do(name, "", **fields)) == "VERIFICATION_EXPIRED"


async def test_a_revoked_device_is_out_for_good(bank: SmallBank) -> None:
    who = await register(bank)
    lost = await sign_in(bank, who)
    revoked = await bank.signed("DevicesService/RevokeDevice", who, device_id=lost.device_id)
    assert revoked.device.state == identity_pb2.DEVICE_STATE_REVOKED
    gone = bank.signed("SessionsService/ListSessions", lost)
    assert await reason(gone) == "SESSION_REVOKED"
    assert await reason(bank.do(REFRESH, "", **lost.refreshing())) == "SESSION_REVOKED"
    twice = bank.signed("DevicesService/RevokeDevice", who, device_id=lost.device_id)
    assert await reason(twice) == "DEVICE_ALREADY_REVOKED"
    forward(bank, MINUTE)
    assert (await login(bank, who, device=lost.device))["code"], "it is a stranger again"
    await balance(bank, who)


async def test_a_customer_has_so_many_devices_and_no_more(bank: SmallBank) -> None:
    who = await register(bank)
    for _ in range(4):
        await pair(bank, who)
    refused = await refusal(bank.signed("DevicesService/StartDeviceEnrolment", who))
    assert (refused.reason, refused.metadata) == ("DEVICE_LIMIT_REACHED", {"limit": "5"})
    assert await reason(bank.do(LOGIN, "", **await login(bank, who))) == "DEVICE_LIMIT_REACHED"


async def test_the_code_of_a_login_is_the_one_sent(bank: SmallBank) -> None:
    who = await register(bank)
    fields = await login(bank, who)
    assert fields["code"] == code_in(bank, who.phone)
    refused = await refusal(bank.do(LOGIN, "", **{**fields, "code": wrong(fields["code"])}))
    assert (refused.reason, refused.metadata) == (
        "VERIFICATION_CODE_INVALID",
        {"attempts_left": "4"},
    )
    await bank.do(LOGIN, "", **fields)


async def test_a_device_that_is_enrolled_twice_at_once_is_enrolled_once(bank: SmallBank) -> None:
    who, device = await register(bank), Device()
    offers = [await enrolment(bank, who, device=device) for _ in range(2)]
    name = "DevicesService/CompleteDeviceEnrolment"
    answers = await asyncio.gather(
        *(bank.do(name, "", **offer) for offer in offers), return_exceptions=True
    )
    refused = [
        told(answer).reason for answer in answers if isinstance(answer, grpc.aio.AioRpcError)
    ]
    # A request that is read after the other one is done signs the device in that is there by then.
    assert refused in ([], ["DEVICE_ALREADY_ENROLLED"])
    listed = await bank.signed("DevicesService/ListDevices", who)
    assert len(listed.devices) == 2


async def test_nobody_ends_what_is_not_there_or_another_customers(bank: SmallBank) -> None:
    who, other = await register(bank), await register(bank)
    for device_id in (other.device_id, f"dev_{'0' * 28}0001"):
        refused = bank.signed("DevicesService/RevokeDevice", who, device_id=device_id)
        assert await reason(refused) == "DEVICE_NOT_FOUND"
    for session_id in (other.session, f"sess_{'0' * 28}0001"):
        refused = bank.signed("SessionsService/RevokeSession", who, session_id=session_id)
        assert await reason(refused) == "SESSION_NOT_FOUND"
    await balance(bank, other)
