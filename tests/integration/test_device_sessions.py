"""The SDK's sessions and the command line, against the server as its users start it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from longmen.identity.v1 import challenge_pb2, factor_pb2
from longmen_app import AsyncSession, AsyncWallet, Session, Wallet
from longmen_client import Client, Config, Money, errors
from longmen_client.device_key import DeviceKey
from longmen_server.messages.outbox import OUTBOX_FILE, read_outbox
from tests.support.evidence import resident_id
from tests.support.poll import PAUSE_SECONDS, wait_until
from tests.support.server import Server, data_folder, environment, longmen, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data, {"LONGMEN_WORKERS": "2"}) as started:
        yield started


def code_for(server: Server, phone: str) -> str:
    """The code in the latest message to a phone number, once the job has delivered it."""
    codes: list[str] = []

    def came() -> bool:
        texts = [
            m["text"] for m in read_outbox(server.data / OUTBOX_FILE) if m["recipient"] == phone
        ]
        codes[:] = re.findall(r"(?<!\d)\d{6}(?!\d)", texts[-1]) if texts else []
        return bool(codes)

    wait_until(came, "a code arrives")
    return codes[0]


def test_a_device_registers_pays_no_attention_to_tokens_and_signs_out(
    server: Server, tmp_path: Path
) -> None:
    phone = "+8613800138001"
    key = DeviceKey.load_or_make(tmp_path / "device.pem")
    assert (tmp_path / "device.pem").stat().st_mode & 0o777 == 0o600
    with Session(Config(target=server.address), key, device_name="phone") as session:
        pending = session.start_registration(phone)
        session.complete_registration(
            pending, code=code_for(server, phone), display_name="Lin Daiyu", currency_code="CNY"
        )
        wallet = Wallet(session.bank)
        assert [one.currency_code for one in wallet.accounts()] == ["CNY"]
        wallet.open_pocket("USD")
        session.refresh()
        assert len(wallet.accounts()) == 2
        saved = session.save()
    again = DeviceKey.load_or_make(tmp_path / "device.pem")
    with Session(Config(target=server.address), again) as session:
        session.restore(saved)
        assert len(Wallet(session.bank).accounts()) == 2
        pending = session.start_login(phone)
        assert not pending.code_required
        session.complete_login(pending)
        devices = list(session.bank.devices.list_devices())
        assert [one.name for one in devices] == ["phone"]
        token = session.access_token()
        session.sign_out()
        session.restore(saved)
        assert token != session.access_token()


async def test_a_revoked_device_is_refused_by_every_worker_within_five_seconds(
    server: Server,
) -> None:
    phone = "+8613800138002"
    config = Config(target=server.address, connections=8)
    async with (
        AsyncSession(config, DeviceKey.generate(), device_name="mine") as mine,
        AsyncSession(config, DeviceKey.generate(), device_name="lost") as lost,
    ):
        pending = await mine.start_registration(phone)
        code = await asyncio.to_thread(code_for, server, phone)
        await mine.complete_registration(
            pending, code=code, display_name="Lin Daiyu", currency_code="CNY"
        )
        pending = await lost.start_login(phone)
        assert pending.code_required
        await lost.complete_login(pending, code=await new_code(server, phone, code))
        assert await AsyncWallet(lost.bank).accounts()
        devices = [one async for one in mine.bank.devices.list_devices()]
        (theirs,) = [one for one in devices if one.name == "lost"]
        assert theirs.cooling
        await mine.bank.devices.revoke_device(device_id=theirs.device_id)
        revoked_at = time.monotonic()
        refusals = 0
        while refusals < 16:  # in a row: every connection, whichever worker it ends in
            assert time.monotonic() - revoked_at < 5
            try:
                await AsyncWallet(lost.bank).accounts()
                refusals = 0
            except errors.SessionRevoked:
                refusals += 1
            except errors.QuotaExceeded:
                # It is not refused yet, and asks more often than a customer may.
                await asyncio.sleep(PAUSE_SECONDS)
        assert await AsyncWallet(mine.bank).accounts()


async def new_code(server: Server, phone: str, old: str) -> str:
    """The next code to a phone number."""
    deadline = time.monotonic() + 20
    while True:
        code = await asyncio.to_thread(code_for, server, phone)
        if code != old:
            return code
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_the_command_line_is_a_device_too(server: Server, tmp_path: Path) -> None:
    phone = "+8613800138003"
    common = ("--target", server.address, "--device", str(tmp_path / "device"))
    typing = subprocess.Popen(
        [
            *(sys.executable, "-m", "longmen_server", "identity", "register", phone),
            *(*common, "--name", "Lin Daiyu"),
        ],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    answered, _ = typing.communicate(code_for(server, phone) + "\n", timeout=30)
    assert "registered cust_" in answered
    for words, shown in (
        (("login", phone), "signed in cust_"),
        (("sessions",), "this one"),
        (("kyc", "show"), "class 4 since"),
        (("kyc", "upgrade", "3", "--name", "Lin Daiyu", "--number", resident_id()), "class 3"),
        (("kyc", "show"), "on file: resident id 1****************"),
        (("devices",), "ACTIVE"),
        (("logout",), "signed out"),
    ):
        done = longmen("identity", *words, *common)
        assert shown in done.stdout, (words, done.stdout, done.stderr)
    refused = longmen("identity", "devices", *common)
    assert refused.returncode != 0
    for name in ("device.pem", "session"):
        assert (tmp_path / "device" / name).stat().st_mode & 0o777 == 0o600


def test_a_customer_with_nothing_but_a_phone_pays_a_little_by_code(server: Server) -> None:
    phone, codes = "+8613800138004", []
    config = Config(target=server.address)

    def approve(challenge: challenge_pb2.Challenge) -> factor_pb2.FactorProof:
        def came() -> bool:
            codes.append(code_for(server, phone))
            return codes[-1] != codes[0]

        assert list(challenge.methods) == [factor_pb2.FACTOR_KIND_MESSAGE_CODE]
        wait_until(came, "another code arrives")
        return factor_pb2.FactorProof(message_code=codes[-1])

    with (
        Client(replace(config, token=server.token)) as bank,
        Session(config, DeviceKey.generate(), device_name="phone") as session,
    ):
        pending = session.start_registration(phone)
        codes.append(code_for(server, phone))
        session.complete_registration(
            pending, code=codes[0], display_name="Lin Daiyu", currency_code="CNY"
        )
        wallet = Wallet(session.bank, session.customer_id, approver=approve)
        payee = Wallet.open(
            bank, phone_number="+8613800138005", display_name="Shop", currency_code="CNY"
        )
        bank.transfers.top_up(
            account_id=wallet.account_id("CNY"),
            amount=Money(10_000, "CNY"),
            bank_account="6222020200001234567",
        )
        paid = wallet.prepare(payee.account_id("CNY"), Money(8_800, "CNY")).confirm()
        assert paid.amount == Money(8_800, "CNY")
        assert len(set(codes)) == 2
        address = "lin.daiyu@example.com"
        session.bank.profile.update_profile(email=address)
        begun = session.bank.emails.start_email_proof().message
        session.bank.emails.confirm_email(
            verification_id=begun.verification_id, code=code_for(server, address)
        )
        assert session.bank.profile.get_profile().profile.email_proven
