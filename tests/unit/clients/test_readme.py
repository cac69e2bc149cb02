"""The examples of the client's README are programs that the checker and the importer accept."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "clients" / "python" / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
GIVEN = """\
token = customers_token = last_cursor = credential = shop = till_1 = scanned_code = ""

def sign(digest: bytes) -> bytes:
    return digest

def ask(question: str) -> bool:
    return bool(question)

"""


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_well_typed(number: int, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(GIVEN + EXAMPLES[number], "utf-8")

    checked = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"),
            "--disable-error-code", "truthy-bool", str(program),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout
