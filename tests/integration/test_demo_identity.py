"""The first day of a customer, as `make demo-identity` plays it, against a whole server."""

from __future__ import annotations

import re
import subprocess
import sys

from longmen_server.demo.identity import PIN, WRONG_PINS
from tests.support.server import environment

STEPS = (
    "open wallet",
    "set payment PIN",
    "enrol passkey",
    "pay a little again",
    "pay a lot too early",
    "identify: class 3",
    "identify: class 2",
    "pay a lot:",
    "type three wrong PINs",
    "staff: approve one's own",
    "staff: approve another's",
    "type the right PIN again",
    "sign out",
    "trial balance",
)


def test_every_step_comes_as_it_has_to() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "longmen_server", "demo-identity", "--serve"],
        env=environment(COLUMNS="200", LONGMEN_LOG_LEVEL="debug"),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("✓")]
    titles = [line.removeprefix("✓ ").partition(": ")[0] for line in told]
    at = -1
    for step in STEPS:
        full = [index for index, line in enumerate(told) if line.startswith(f"✓ {step}")]
        assert full, f"{step} is not told: {titles}"
        assert full[0] > at, f"{step} comes too early"
        at = full[0]
    # Neither the server's log, which says all it can, nor the story itself shows what was typed.
    shown = done.stdout + done.stderr
    for pin in (PIN, *WRONG_PINS):
        assert re.search(rf"(?<![0-9a-f]){pin}(?![0-9a-f])", shown) is None
