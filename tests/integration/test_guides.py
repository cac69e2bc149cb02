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

from longmen_server.cli import cli
from longmen_server.risk.scorecard import shipped
from tests.support.server import Server, data_folder, environment, running, within

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^```(toml|csv)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
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
