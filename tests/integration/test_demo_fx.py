"""A traveller's day in five currencies, as `make demo-fx` plays it, against a whole server."""

from __future__ import annotations

import os
import subprocess
import sys

STEPS = (
    "import the history",
    "exchange CNY into USD",
    "exchange USD into EUR",
    "exchange EUR into GBP",
    "exchange CNY into JPY",
    "exchange CNY into THB",
    "confirm a quote twice",
    "there and back",
    "take an exchange back",
    "place a limit order",
    "the rate comes",
    "send a damaged feed",
    "deal at a stale feed",
    "close the day",
    "positions and ledger",
    "longmen verify",
)


def test_every_step_comes_as_it_has_to() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGMEN_")}
    done = subprocess.run(
        [sys.executable, "-m", "longmen_server", "demo-fx", "--serve"],
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("✓")]
    assert [line.removeprefix("✓ ").partition(": ")[0] for line in told] == list(STEPS)
    assert "FX_RATE_STALE" in done.stdout
