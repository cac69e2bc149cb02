"""The commands `longmen approval`, `longmen key` and `longmen audit` against a whole server."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pyotp
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from google.protobuf.json_format import MessageToJson, ParseDict

from longmen.staff.v1 import approval_pb2
from longmen_client import Config
from longmen_server.cli import cli
from longmen_server.console.staff_session import StaffMachine
from tests.support.sample_requests import freeze_order
from tests.support.small_bank import SERVICE, SmallBank, open_small_bank
from tests.support.staff import PASSWORD
from tests.support.step_up import later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

    from tests.support.postgres import Database


PUBLIC = PublicFormat.SubjectPublicKeyInfo


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("console")) as opened:
        yield opened


async def run(bank: SmallBank, subject: str, *words: str) -> Result:
    """A command of a member of staff."""
    environment = {
        "LONGMEN_TARGET": bank.tokens.target,
        "LONGMEN_TOKEN": bank.token_of("staff", subject),
    }
    return await asyncio.to_thread(CliRunner().invoke, cli, words, env=environment)


async def test_a_proposal_from_file_to_execution(bank: SmallBank, tmp_path: Path) -> None:
    owner = await bank.person()
    order = ParseDict(freeze_order(owner), approval_pb2.ProposedCommand())
    file = tmp_path / "order.json"
    file.write_text(MessageToJson(order), "utf-8")
    made = await run(bank, "ann", "approval", "propose", str(file), "--reason", "court", "--json")
    assert made.exit_code == 0, made.output
    approval_id = json.loads(made.output)["approvalId"]
    shown = await run(bank, "bob", "approval", "show", approval_id)
    assert owner.account in shown.output
    assert "DEBIT_FROZEN" in shown.output
    own = await run(bank, "ann", "approval", "approve", approval_id, "--yes")
    assert own.exit_code != 0
    assert "another person" in own.output
    done = await run(bank, "boris", "approval", "approve", approval_id, "--yes")
    assert done.exit_code == 0, done.output
    assert "EXECUTED" in done.output
    listed = await run(bank, "bob", "approval", "list", "--maker", "ann")
    assert approval_id in listed.output
    trail = await run(bank, "eve", "audit", "list", "--who", "boris", "--json")
    records = [json.loads(line) for line in trail.output.splitlines()]
    assert [one["method"].rpartition("/")[2] for one in records] == ["ApproveApproval"]


async def test_proposals_are_rejected_and_cancelled(bank: SmallBank, tmp_path: Path) -> None:
    owner = await bank.person()
    file = tmp_path / "order.json"
    order = ParseDict(freeze_order(owner), approval_pb2.ProposedCommand())
    file.write_text(MessageToJson(order), "utf-8")
    for word, who, state in (("reject", "bob", "REJECTED"), ("cancel", "ann", "CANCELLED")):
        made = await run(bank, "ann", "approval", "propose", str(file), "--json")
        approval_id = json.loads(made.output)["approvalId"]
        ended = await run(bank, who, "approval", word, approval_id, "--text", "no")
        assert state in ended.output, ended.output


async def test_a_key_from_its_making_to_its_end(bank: SmallBank) -> None:
    made = await run(bank, "ann", "key", "create", "till", "--scope", "admin.read")
    assert made.exit_code == 0, made.output
    shown = made.output.strip()
    key_id, _, secret = shown.partition(".")
    assert len(secret) == 43
    listed = await run(bank, "ann", "key", "list", "--owner", "till")
    assert key_id in listed.output
    assert secret not in listed.output
    rotated = await run(bank, "ann", "key", "rotate", key_id)
    assert rotated.output.startswith("key_")
    revoked = await run(bank, "ann", "key", "revoke", key_id, "--json")
    assert json.loads(revoked.output)["revokedTime"]


async def test_a_key_is_proposed_and_claimed(bank: SmallBank, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "till.pem", tmp_path / "till.pub"
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PUBLIC))
    words = ("key", "propose", "mer-cli", str(public), "--merchant", "--scope", "orders.write")
    made = await run(bank, "ann", *words, "--json")
    assert made.exit_code == 0, made.output
    proposal = json.loads(made.output)
    print_of = await command("key", "fingerprint", str(public))
    assert print_of.stdout.strip() in {one["after"] for one in proposal["changes"]}
    done = await run(bank, "bob", "approval", "approve", proposal["approvalId"], "--yes")
    assert "EXECUTED" in done.output, done.output
    listed = await run(bank, "ann", "key", "list", "--owner", "mer-cli", "--json")
    key_id = json.loads(listed.output)["keyId"]
    target = {"LONGMEN_TARGET": bank.tokens.target, "LONGMEN_TOKEN": SERVICE}
    claimed = await command("key", "claim", key_id, str(private), **target)
    assert claimed.exit_code == 0, claimed.output
    assert len(claimed.output.strip().partition(".")[2]) == 43
    signing = await run(bank, "ann", "key", "sign", key_id, str(public), "--propose")
    assert "another one approves" in signing.output


async def test_a_customer_comes_to_be_of_a_branch(bank: SmallBank) -> None:
    person = await bank.person()
    done = await run(bank, "ann", "staff", "assign-branch", person.customer, "sh-01")
    assert done.output.strip() == f"{person.customer} is of sh-01"


async def test_a_certificate_is_proposed(bank: SmallBank) -> None:
    words = ("key", "certificate", "gate", "spiffe://bank.example/gate", "--scope", "ledger.read")
    made = await run(bank, "ann", *words, "--json")
    assert made.exit_code == 0, made.output
    proposal = json.loads(made.output)
    assert proposal["method"].endswith("/RegisterCertificate")
    done = await run(bank, "carl", "approval", "approve", proposal["approvalId"], "--yes")
    assert "EXECUTED" in done.output, done.output


async def test_lost_factors_are_reset_and_the_reset_turned_down(
    bank: SmallBank, tmp_path: Path
) -> None:
    owner = await bank.person()
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="835207")
    key = await command("identity", "key", "--device", str(tmp_path / "phone"))
    words = ("--kind", "payment-pin", "--evidence", "in-person", "--reference", "SH-01/7")
    made = await run(
        *(bank, "ann", "recovery", "propose", owner.customer, *words),
        *("--thumbprint", key.stdout.strip(), "--json"),
    )
    assert made.exit_code == 0, made.output
    approval_id = json.loads(made.output)["approvalId"]
    done = await run(bank, "bob", "approval", "approve", approval_id, "--yes")
    assert "EXECUTED" in done.output, done.output
    shown = await run(bank, "ann", "recovery", "show", owner.customer)
    assert "COOLING" in shown.output
    assert key.stdout.strip() in shown.output
    ended = await run(bank, "ann", "recovery", "cancel", owner.customer, "--json")
    assert json.loads(ended.output)["reset"]["state"] == "FACTOR_RESET_STATE_CANCELLED"


async def command(*words: str, **environment: str) -> Result:
    """A command of somebody at a machine of their own."""
    return await asyncio.to_thread(CliRunner().invoke, cli, words, env=environment)


async def test_staff_from_bootstrap_to_suspension(
    bank: SmallBank, module_database: Database, tmp_path: Path
) -> None:
    server = {"LONGMEN_DSN": module_database.app_dsn, "LONGMEN_DATA": str(tmp_path / "data")}
    made = await command("staff", "bootstrap", "ada=E-1", "bo=E-2", **server)
    assert made.exit_code == 0, made.output
    secrets = dict(line.split() for line in made.stdout.splitlines())
    assert set(secrets) == {"ada", "bo"}
    again = await command("staff", "bootstrap", "eve=E-3", "joe=E-4", **server)
    assert again.exit_code == 1
    assert "there are administrators already" in again.output
    same = await command("staff", "bootstrap", "eve=E-3", "joe=E-3", **server)
    assert "two persons are wanted" in same.output
    config = Config(target=bank.tokens.target)
    seeds = {}
    for login, secret in secrets.items():
        machine = StaffMachine.open(tmp_path / login)

        def enrol(machine: StaffMachine = machine, login: str = login, secret: str = secret) -> str:
            with machine.door(config) as door:
                begun = machine.begin(door, login)
                seed = machine.enrol(door, begun, password=PASSWORD, secret=secret).seed
                machine.confirm(door, begun, code=pyotp.TOTP(seed).now())
                return str(seed)

        seeds[login] = await asyncio.to_thread(enrol)
    assert (tmp_path / "ada" / "session").stat().st_mode & 0o077 == 0
    target = {"LONGMEN_TARGET": bank.tokens.target}
    ada, bo = ({**target, "LONGMEN_STAFF": str(tmp_path / login)} for login in ("ada", "bo"))
    key = await command("staff", "key", "--machine", str(tmp_path / "cy"))
    hired = await command(
        *("staff", "create", "cy", "--person", "E-5", "--role", "teller", "--branch", "sh-01"),
        *("--key", key.output.strip(), "--json"),
        **ada,
    )
    assert hired.exit_code == 0, hired.output
    approval_id = json.loads(hired.output)["approvalId"]
    own = await command("approval", "approve", approval_id, "--yes", **ada)
    assert "another person" in own.output
    done = await command("approval", "approve", approval_id, "--yes", **bo)
    assert "EXECUTED" in done.output, done.output
    listed = await command("staff", "list", "--login", "cy", "--json", **bo)
    account = json.loads(listed.output)
    assert (account["personId"], account["branch"]) == ("E-5", "sh-01")
    gone = await command("staff", "suspend", account["staffId"], **ada)
    assert "suspended cy" in gone.output
    assert (await command("staff", "sign-out", **ada)).exit_code == 0
    assert "nobody has signed in" in (await command("staff", "sign-out", **ada)).output
    later(bank, 60)
    code = pyotp.TOTP(seeds["ada"]).at(bank.parts.clock.now_us() // 1_000_000)
    back = await command("staff", "sign-in", "ada", "--password", PASSWORD, "--code", code, **ada)
    assert "signed in stf_" in back.output, back.output


async def test_an_export_is_lines_of_json_and_ends_with_the_heads(bank: SmallBank) -> None:
    await bank.person()
    result = await run(bank, "eve", "audit", "export")
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(record["recordId"].startswith("evt_") for record in records)
    assert "writer 1 block " in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("cursor ")
