"""The guides as newcomers use them: every program in them runs as it stands on the page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from longmen.identity.v1 import identity_pb2, kyc_service_pb2
from longmen.risk.v1 import case_pb2
from longmen_client import Client, Config, Money
from longmen_server.cli import cli
from longmen_server.risk.scorecard import shipped
from tests.support.evidence import resident_id
from tests.support.poll import wait_until
from tests.support.server import Server, data_folder, environment, running, within

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^```(toml|csv)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ID = re.compile(r"\b((?:case|frz)_[0-9a-f]{32})\b")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data) as one:
        yield one


@pytest.mark.parametrize("guide", ["pos-integration", "app-integration"])
def test_the_program_of_a_guide_runs(server: Server, tmp_path: Path, guide: str) -> None:
    text = (ROOT / "docs" / f"{guide}.md").read_text("utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) >= 5
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment(
            LONGMEN_TARGET=server.address,
            LONGMEN_TOKEN=server.token,
            LONGMEN_DATA=str(server.data),
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=within(SECONDS),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_risk_officer_can_follow_the_page_on_rules(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "risk-rules.md").read_text("utf-8")
    examples = dict(EXAMPLE.findall(page))
    (tmp_path / "countries.csv").write_text(examples["csv"], "utf-8")
    (tmp_path / "scorecard.toml").write_bytes(shipped().content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LONGMEN_TARGET", server.address)
    monkeypatch.setenv("LONGMEN_TOKEN", server.token)
    told = []
    rule_set = ""
    for line in "".join(COMMANDS.findall(page)).splitlines():
        typed, _, file = line.replace("CUSTOMER", f"cust_{1:028x}0001").partition(" > ")
        words = shlex.split(typed.replace("SET", rule_set))
        done = CliRunner().invoke(cli, words[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        if file:
            added = f"{done.stdout}\n{examples['toml']}"
            (tmp_path / file).write_text(added, "utf-8")
        found = re.search(r"rset_[0-9a-f]{32}", done.stdout)
        if "draft" in words and found:
            rule_set = found.group()
        told.append(done.stdout)
    whole = "\n".join(told)
    for word in ("nothing is wrong", "takeover_drain", "many_cities", "shadow", "sanctions"):
        assert word in whole
    assert "WRONG" not in whole


LISTED = "Jia, Bao Yu"


def cast(server: Server) -> dict[str, str]:
    """Whom the page on risk speaks of: a payer, a payee, a decision, and somebody on a list."""
    with Client(Config(target=server.address, token=server.token)) as bank:
        payer, payee, listed = [
            bank.accounts.open_wallet(
                phone_number=f"+86139{number:08}", display_name="Page", currency_code="CNY"
            ).message
            for number in (77_000_001, 77_000_002, 77_000_003)
        ]
        bank.transfers.top_up(
            account_id=payer.account.account_id,
            amount=Money(10_000, "CNY"),
            bank_account="6222021234567890",
        )
        decision = bank.risk.list_decisions(customer_id=payer.wallet.customer_id).first(1)[0]
        document = kyc_service_pb2.IdentityDocument(
            kind=identity_pb2.EVIDENCE_RESIDENT_ID, name="Jia Baoyu", number=resident_id()
        )
        bank.kyc.submit_evidence(
            customer_id=listed.wallet.customer_id,
            evidence=kyc_service_pb2.SubmittedEvidence(document=document),
        )
    return {
        "CUSTOMER": payer.wallet.customer_id,
        "ACCOUNT": payer.account.account_id,
        "PAYEE": payee.account.account_id,
        "DECISION": decision.decision_id,
    }


def screening_case(server: Server) -> str:
    """The case that the job opens about the one on the list."""
    with Client(Config(target=server.address, token=server.token)) as bank:

        def found() -> list[case_pb2.Case]:
            return list(bank.cases.list_cases(cause=case_pb2.CASE_CAUSE_SCREENING).first(1))

        wait_until(lambda: bool(found()), "a case about the name", seconds=within(SECONDS))
        return found()[0].case_id


def test_a_risk_officer_can_follow_the_page_on_risk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names.csv").write_text(f'"{LISTED}",programme\n', "utf-8")
    (tmp_path / "call.wav").write_bytes(b"RIFF")
    (tmp_path / "scorecard.toml").write_bytes(shipped().content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LONGMEN_TARGET", server.address)
    monkeypatch.setenv("LONGMEN_TOKEN", server.token)
    known = cast(server)
    told = []
    page = (ROOT / "docs" / "risk.md").read_text("utf-8")
    for line in "".join(COMMANDS.findall(page)).splitlines():
        words = shlex.split(line, comments=True)
        if "SCREENING" in words and "SCREENING" not in known:
            known["SCREENING"] = screening_case(server)
        done = CliRunner().invoke(cli, [known.get(word, word) for word in words[1:]])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        for found in ID.findall(done.stdout):
            known.setdefault("CASE" if found.startswith("case_") else "FREEZE", found)
        told.append(done.stdout)
    whole = "\n".join(told)
    for word in ("The same", "no objection", "screening", "Bao Yu", "confirmed match", "frozen by"):
        assert word in whole, word
