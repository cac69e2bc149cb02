"""Two writers over a database that fails at random: every request has one effect and one answer.

Everything happens in one thread and without a database, so a seed plays the same failures again.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from longmen_server.engine.writer import WriterLimits
from longmen_server.platform.refusal import Refusal
from tests.support.simulation import (
    Add,
    Fault,
    SimulatedDatabase,
    SimulatedSession,
    request,
    simulated_engine,
    submit,
)

SEEDS = range(150)
CALLERS = 8
CALLS = 12
COUNTERS = 3
FAULTS: dict[str, tuple[Fault, ...]] = {
    "open": ("refused",),
    "claim": ("interface", "exhausted"),
    "read": ("broken", "40P01", "55P03"),
    "commit": ("lost", "unseen", "limbo", "broken", "40001", "53100"),
    "rollback": ("broken",),
}
AGAIN = frozenset({"OUTCOME_UNKNOWN", "STORAGE_UNAVAILABLE", "CONTENTION"})


class Storm:
    """Faults by a seed, until it is calm."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.share = self.random.choice((0.02, 0.1, 0.3))
        self.calm = False
        self.met = Counter[str]()

    def __call__(self, operation: str) -> Fault | None:
        if self.calm or operation not in FAULTS or self.random.random() >= self.share:
            return None
        fault = self.random.choice(FAULTS[operation])
        self.met[f"{operation} {fault}"] += 1
        return fault


@pytest.mark.parametrize("block", range(5))
async def test_no_order_of_failures_loses_or_doubles_an_effect(block: int) -> None:
    met = Counter[str]()
    for seed in SEEDS[block::5]:
        play = Play(seed)
        await play.run()
        met += play.storm.met
    kinds = {f"{operation} {fault}" for operation, faults in FAULTS.items() for fault in faults}
    assert kinds <= met.keys(), "some failure was never met"


class Play:
    """One storm over two engines, and what their callers were told."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.storm = Storm(seed)
        self.database = SimulatedDatabase()
        limits = WriterLimits(batch_commands_max=4, settle_ms_max=40)
        self.engines = [
            simulated_engine(SimulatedSession(self.database, self.storm), limits=limits)
            for _ in range(2)
        ]
        self.told: dict[int, tuple[int, str]] = {}
        """Counter and reply of every request."""

    async def run(self) -> None:
        self.storm.calm = True
        for engine in self.engines:
            await engine.start()
        self.storm.calm = False
        await asyncio.gather(*(self.caller(n * CALLS) for n in range(CALLERS)))
        self.storm.calm = True
        self.check_effects()
        self.check_journals()
        for number, (counter, reply) in self.told.items():
            engine = self.engines[number % 2]
            again = await submit(engine, Add(request(number, counter), counter, 1))
            assert again == (reply.encode(), True), f"seed {self.seed}"
        for engine in self.engines:
            await engine.stop()

    async def caller(self, first: int) -> None:
        for number in range(first, first + CALLS):
            counter = self.storm.random.randrange(COUNTERS)
            for attempt in range(400):
                reply = await self.ask(number, counter, attempt)
                if reply is not None:
                    self.told[number] = (counter, reply)
                    break
            else:
                raise AssertionError(f"seed {self.seed}: request {number} found no answer")

    async def ask(self, number: int, counter: int, attempt: int) -> str | None:
        """The reply, or None to ask again."""
        engine = self.engines[(number + attempt) % 2]
        try:
            outcome = await submit(engine, Add(request(number, counter), counter, 1))
        except Refusal as refusal:
            if refusal.reason not in AGAIN:
                raise
        except RuntimeError:
            pass  # no writer number was free: an incident, and then asked again
        else:
            return outcome.reply.decode()
        await asyncio.sleep(0)
        return None

    def check_effects(self) -> None:
        """Every counter is the sum of what was told, and nobody was told the same."""
        state = self.database.state
        assert not self.database.limbo, f"seed {self.seed}: answered before it was decided"
        replies: dict[int, list[int]] = {}
        for counter, reply in self.told.values():
            replies.setdefault(counter, []).append(int(reply))
        for counter, found in replies.items():
            assert sorted(found) == list(range(1, len(found) + 1)), f"seed {self.seed}"
            assert state.counters[counter] == len(found), f"seed {self.seed}"
        assert len(self.told) == CALLERS * CALLS
        assert len(state.requests) == len(state.events) == CALLERS * CALLS

    def check_journals(self) -> None:
        """Every writer's chain is whole."""
        blocks = self.database.state.blocks
        for writer in {writer for writer, _ in blocks}:
            previous, sequence = bytes(32), 1
            own = sorted(number for w, number in blocks if w == writer)
            assert own == list(range(1, len(own) + 1)), f"seed {self.seed}: a journal has a gap"
            for number in own:
                found = blocks[writer, number]
                assert (found.previous_hash, found.first_sequence) == (previous, sequence)
                previous, sequence = found.hash, sequence + found.record_count
