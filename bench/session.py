"""One bench run from the first process started to the last invariant checked."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench import bars, invariants, memory, storage
from bench.load import Load, Result
from bench.pgbench import Pgbench
from bench.plan import OPEN_LOOP_SHARE
from bench.seed import open_accounts
from bench.wire import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

    from bench.driver import Driver
    from bench.plan import Plan
    from bench.report import Bar
    from bench.servers import EmptyServer, LongmenServer

DATABASE: Final = "longmen"
"""The server's database in its embedded Postgres."""

PERCENTILES: Final = (50.0, 99.0, 99.9)

OPEN_LOOP_OUTSTANDING: Final = 4_096
"""Calls that may be outstanding before the schedule itself has to wait; latency counts that too."""

ENDLESS: Final = 600.0
"""Seconds given to a load that ends by count."""


@dataclass(slots=True)
class Seen:
    """Everything a run has seen so far, for the report."""

    rounds: bars.Rounds = field(default_factory=bars.Rounds)
    latencies: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    """Percentiles in milliseconds of every load by its name."""
    acknowledged: int = 0
    """Transfers the server has acknowledged since its start."""
    invariants: list[str] = field(default_factory=list)
    verify_seconds: float = 0.0
    """How long `longmen verify` took to prove it all."""


class Session:
    """The steps of a run against servers that are up."""

    def __init__(
        self,
        plan: Plan,
        *,
        driver: Driver,
        longmen: LongmenServer,
        empty: EmptyServer,
        token: str,
        progress: Progress,
    ) -> None:
        self._plan = plan
        self._driver = driver
        self._longmen = longmen
        self._empty = empty
        self._token = token
        self._progress = progress
        self._postgres = longmen.postgres()
        self._dsn = self._postgres.with_database(DATABASE)
        self.pgbench = Pgbench(self._postgres, plan.accounts)
        self.seen = Seen()

    def run(self) -> list[Bar]:
        """Seed, measure, judge; raises when a load, an invariant or the verification fails."""
        self._seed()
        found = self._rounds()
        self._open_loop()
        found += self._memory_and_storage()
        self._check()
        return found

    # -- steps ---------------------------------------------------------------------------------

    def _seed(self) -> None:
        task = self._progress.add_task("accounts", total=self._plan.accounts + 1)
        open_accounts(
            self._longmen.target,
            self._token,
            self._plan.accounts,
            lambda count: self._progress.advance(task, count),
        )
        self.pgbench.prepare()

    def _rounds(self) -> list[Bar]:
        """The rounds in which the server and its baselines alternate."""
        steps = self._steps()
        task = self._progress.add_task("rounds", total=self._plan.rounds * len(steps))
        for number in range(self._plan.rounds):
            # Every second round runs backwards, so that no step always follows the same other.
            for name, step in steps if number % 2 == 0 else steps[::-1]:
                self._progress.update(task, description=name)
                step()
                self._progress.advance(task)
        self._progress.update(task, description="rounds")
        self.pgbench.check()
        return bars.of_rounds(self.seen.rounds)

    def _steps(self) -> list[tuple[str, Callable[[], None]]]:
        rounds, plan = self.seen.rounds, self._plan
        uniform = Shape("ledger", plan.accounts)
        hot = Shape("ledger", plan.accounts, hot=True)
        customer = Shape("customer", plan.accounts)
        batch = Shape("ledger", plan.accounts, batch=plan.batch)
        batch_hot = Shape("ledger", plan.accounts, hot=True, batch=plan.batch)
        return [
            ("empty calls", lambda: rounds.empty.append(self._bare().rate)),
            ("uniform transfers", lambda: self._measure("uniform", uniform, rounds.uniform)),
            ("pgbench, uniform", self._baseline_uniform),
            (
                "batches, uniform",
                lambda: self._batches("batch_uniform", batch, rounds.batch_uniform),
            ),
            ("hot transfers", lambda: self._measure("hot", hot, rounds.hot)),
            ("pgbench, hot", self._baseline_hot),
            ("customers' transfers", lambda: self._measure("customer", customer, rounds.customer)),
            ("batches, hot", lambda: self._batches("batch_hot", batch_hot, rounds.batch_hot)),
            ("a single caller", lambda: self._serial(uniform)),
        ]

    def _bare(self) -> Result:
        return self._put(
            "empty",
            Load(
                target=self._empty.target,
                shape=Shape("empty"),
                seconds=self._plan.window,
                in_flight=self._plan.in_flight,
                connections=self._plan.connections,
                warm_up=self._plan.warm_up,
                token=self._token,
            ),
        )

    def _measure(self, name: str, shape: Shape, figures: list[float]) -> None:
        figures.append(self._put(name, self._unary(shape)).transfer_rate)

    def _unary(self, shape: Shape) -> Load:
        return Load(
            target=self._longmen.target,
            shape=shape,
            seconds=self._plan.window,
            in_flight=self._plan.in_flight,
            connections=self._plan.connections,
            warm_up=self._plan.warm_up,
            token=self._token,
        )

    def _batches(self, name: str, shape: Shape, figures: list[float]) -> None:
        figures.append(self._put(name, self._in_batches(shape)).transfer_rate)

    def _in_batches(self, shape: Shape) -> Load:
        return Load(
            target=self._longmen.target,
            shape=shape,
            seconds=self._plan.window,
            in_flight=self._plan.batches_in_flight,
            connections=self._plan.batches_in_flight,
            warm_up=self._plan.warm_up,
            token=self._token,
        )

    def _baseline_uniform(self) -> None:
        runs = [
            self.pgbench.run("uniform", clients=clients, seconds=self._plan.baseline_window)
            for clients in self._plan.uniform_clients
        ]
        self.seen.rounds.baseline_uniform.append(max(run.rate for run in runs))

    def _baseline_hot(self) -> None:
        run = self.pgbench.run(
            "hot", clients=self._plan.hot_clients, seconds=self._plan.baseline_window
        )
        self.seen.rounds.baseline_hot.append(run.rate)

    def _serial(self, shape: Shape) -> None:
        """One caller, one call at a time: ours, an empty one, and pgbench's bare commit.

        A lone caller's latency is mostly waking up, so it follows the mood of the machine from one
        second to the next: the three take short turns.
        """
        rounds, seconds = self.seen.rounds, self._plan.serial_window
        for _ in range(self._plan.serial_turns):
            bare = Load(self._empty.target, Shape("empty"), seconds, token=self._token)
            rounds.serial_empty.append(self._put("serial_empty", bare).percentile(50))
            ours = Load(self._longmen.target, shape, seconds, token=self._token)
            rounds.serial.append(self._put("serial", ours).percentile(50))
            commit = self.pgbench.run("commit", clients=1, seconds=max(1, round(seconds)))
            rounds.commit.append(commit.percentile(50))

    def _open_loop(self) -> None:
        """Latency from the moment a call should have started, at a rate well below the most."""
        plan = self._plan
        task = self._progress.add_task("calls by schedule", total=None)
        load = Load(
            target=self._longmen.target,
            shape=Shape("ledger", plan.accounts),
            seconds=plan.open_loop,
            in_flight=OPEN_LOOP_OUTSTANDING,
            connections=plan.connections,
            rate=OPEN_LOOP_SHARE * median(self.seen.rounds.uniform),
            warm_up=plan.warm_up,
            token=self._token,
            # The schedule does not wait: on a machine busy with other work the server sheds,
            # and the refusals are counted in the report.
            tolerate_refusals=True,
        )
        self._put("open_loop", load)
        self._progress.update(task, total=1, completed=1)

    def _memory_and_storage(self) -> list[Bar]:
        """B6 and B5: memory after many transfers, then what unary load adds to memory and disk."""
        plan, pids = self._plan, self._longmen.worker_pids()
        task = self._progress.add_task("memory and disk", total=None)
        self._reach(plan.memory_transfers)
        largest, transfers = max(memory.resident(pids)), self.seen.acknowledged
        before = storage.measure(self._dsn)
        uniform = Shape("ledger", plan.accounts)
        with memory.Watch(pids) as watch:
            made = self._put("soak", replace(self._unary(uniform), seconds=plan.soak)).acknowledged
        missing = plan.storage_transfers - made
        if missing > 0:
            rest = replace(self._unary(uniform), seconds=ENDLESS, warm_up=0, total=missing)
            made += self._put("storage", rest).acknowledged
        after = storage.measure(self._dsn)
        self._progress.update(task, total=1, completed=1)
        grown = bars.Storage(
            made,
            after.ledger() - before.ledger(),
            after.everything() - before.everything(),
            after.since(before),
        )
        kept = bars.Memory(transfers, largest, watch.fastest_growth(), plan.soak)
        return [*bars.of_storage(grown), *bars.of_memory(kept)]

    def _reach(self, transfers: int) -> None:
        """Let the server make transfers in batches until it has made so many in all."""
        missing = transfers - self.seen.acknowledged
        if missing > 0:
            calls = -(-missing // self._plan.batch)
            batch = self._in_batches(Shape("ledger", self._plan.accounts, batch=self._plan.batch))
            self._put("memory", replace(batch, seconds=ENDLESS, warm_up=0, total=calls))

    def _check(self) -> None:
        task = self._progress.add_task("invariants", total=None)
        self.seen.invariants = invariants.verify(self._dsn, acknowledged=self.seen.acknowledged)
        begun = time.monotonic()
        self._longmen.run_cli("verify", "--json")
        self.seen.verify_seconds = time.monotonic() - begun
        self._progress.update(task, total=1, completed=1)

    # -- bookkeeping ---------------------------------------------------------------------------

    def _put(self, name: str, load: Load) -> Result:
        """Put a load on a server and remember what was seen."""
        result = self._driver.run(load)
        self.seen.acknowledged += result.acknowledged
        self.seen.latencies.setdefault(name, []).append(
            {f"p{percent:g}": result.percentile(percent) for percent in PERCENTILES}
            | {"rate": result.rate, "driver_us_per_call": result.client_cpu_per_call}
        )
        return result

    def details(self) -> dict[str, Any]:
        """What the report keeps besides the bars."""
        return {
            "plan": asdict(self._plan),
            "rounds": asdict(self.seen.rounds),
            "latencies_ms": self.seen.latencies,
            "invariants": self.seen.invariants,
            "acknowledged": self.seen.acknowledged,
            "verify_seconds": self.seen.verify_seconds,
            "median_rates": {
                name: median(values) for name, values in asdict(self.seen.rounds).items() if values
            },
        }
