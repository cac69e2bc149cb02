"""The guides as newcomers use them: every program in them runs as it stands on the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.server import Server, data_folder, environment, running, within

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
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
