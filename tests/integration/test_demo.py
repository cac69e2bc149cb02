"""The demo against a whole server, alone and while workers are killed."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from longmen_client import Config, RetryPolicy
from longmen_server.demo.plan import SMALL
from longmen_server.demo.shop.plan import SMALL_MARKET
from longmen_server.demo.story import play
from tests.support.server import Server, data_folder, environment, longmen, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data, {"LONGMEN_WORKERS": "2"}) as one:
        yield one


def test_a_small_day_is_proven_again_and_again(server: Server) -> None:
    for seed in ("1", "2"):
        done = longmen(
            "demo", "--small", "--json", "--seed", seed,
            LONGMEN_TARGET=server.address, LONGMEN_TOKEN=server.token,
        )  # fmt: skip

        outcome = json.loads(done.stdout)
        parts = {one["name"]: one for one in outcome["parts"]}
        assert done.returncode == 0, done.stderr
        assert outcome["proven"], outcome["problems"]
        assert outcome["trial_balance"]["balanced"]
        assert parts["open wallets"]["done"] == SMALL.wallets + 1
        assert parts["pay"]["done"] > SMALL.payments * 0.9
        assert parts["pay"]["replayed"] > 0
        assert {"INSUFFICIENT_FUNDS", "ALREADY_REVERSED"} <= outcome["refusals"].keys()


@pytest.mark.timeout(180)
async def test_the_day_is_proven_even_when_workers_are_killed(server: Server) -> None:
    steps = 0

    def begin(title: str, _count: int) -> Callable[[], None]:
        def step() -> None:
            nonlocal steps
            steps += title == "pay"
            if title == "pay" and steps in {300, 900}:
                os.kill(server.workers()[0].pid, signal.SIGKILL)

        return step

    config = Config(
        target=server.address,
        token=server.token,
        # So many that no worker is without one: a kill must always break something.
        connections=16,
        deadline_ms=60_000,
        retry=RetryPolicy(max_attempts=20, initial_backoff_ms=200, budget_tokens=10_000),
    )
    outcome = await play(config, dataclasses.replace(SMALL, payments=1_500, seed=3), begin)

    assert outcome.tally.problems == []
    assert outcome.proven
    assert outcome.tally.parts["pay"].sent_again > 0


@pytest.mark.timeout(180)
def test_a_small_market_day_is_proven(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "longmen_server", "demo-shop", "--small", "--json"],
        env=environment(
            LONGMEN_TARGET=server.address,
            LONGMEN_TOKEN=server.token,
            LONGMEN_DATA=str(server.data),
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    parts = {one["name"]: one["done"] for one in outcome["parts"]}
    market, plan = outcome["market"], SMALL_MARKET
    assert (outcome["proven"], outcome["problems"]) == (True, [])
    assert parts["tills scan payers"] == plan.scanned
    assert parts["payers scan tills"] == plan.shown
    assert parts["payers scan printed codes"] == plan.printed
    assert parts["approve on phones"] == plan.approved - 1
    assert parts["refund"] == plan.refunds
    assert parts["sell without a network"] == plan.offline * (plan.offline_sales + 2)
    assert parts["forward what was stored"] == parts["sell without a network"]
    assert {kind: one["count"] for kind, one in market["stored"].items()} == {
        "paid": plan.offline * plan.offline_sales,
        "covered": plan.offline,
        "lost": plan.offline,
    }
    assert market["trade"]["tip"]["count"] == 11
    assert market["trade"]["tip_refund"]["count"] > 0
    assert parts["read bills"] > plan.scanned
    assert market["found_by_reconciling"] == 1
    assert market["trade"]["refund"]["count"] == plan.refunds + 1
    assert market["paid_out"] > 0
    assert outcome["refusals"].keys() >= {
        *("CODE_MALFORMED", "CODE_USED", "DECLINED", "UNREACHABLE", "REFUND_EXCEEDS_PAYMENT"),
    }


FRAUDS = (
    "explain limits before identification",
    "explain limits after it",
    "pay a stranger at night: DELAY",
    "take it back",
    "then hit: STEP_UP",
    "sign in with a stolen number: FACTOR_REQUIRED",
    "send everything: FREEZE by takeover_drain",
    "try once more, little: RISK_FROZEN, ONLY_OUT",
    "message in the outbox: your wallet was frozen",
    "appeal",
    "staff: lift the freeze",
    "pay the friend again",
    "the next one pays from the app: REVIEW by mule_collects",
    "pass on the rest: FREEZE by mule_funnel",
    "staff: confirm the fraud",
    "simulate one more: CREDIT_ACCOUNT_FROZEN",
    "replay the freeze",
    "backtest both acts",
    "longmen verify: nothing to find",
)


@pytest.mark.timeout(180)
def test_frauds_are_caught_told_appealed_and_released(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "longmen_server", "demo-risk"],
        env=environment(
            LONGMEN_TARGET=server.address,
            LONGMEN_TOKEN=server.token,
            LONGMEN_DATA=str(server.data),
            COLUMNS="240",
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("✓")]
    at = -1
    for step in FRAUDS:
        found = [index for index, line in enumerate(told) if line.startswith(f"✓ {step}")]
        assert found, f"{step} is not told: {told}"
        assert found[0] > at, f"{step} comes too early"
        at = found[0]
