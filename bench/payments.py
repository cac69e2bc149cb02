"""`python -m bench.payments`: payments through the whole server, against the bare stack.

P1, P2: PayByCode and PayOrder through every interceptor, with code or order, posting, attempt,
events and request record, divided by empty calls in the same rounds. P3: one hot merchant divided
by many. P4: latency by a schedule that keeps the processors 70 % busy (docs/adr/0011). P5, P6: two
thousand open streams on one worker: its memory, and how long after a payment's reply its stream
tells it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
import psutil
from rich.console import Console

from bench import report
from bench.bars import BYTES_PER_MIB, medians, ratio
from bench.driver import Driver
from bench.load import Load, Result
from bench.report import Bar
from bench.servers import EmptyServer, LongmenServer
from bench.till_seed import open_merchants, open_orders, open_payers, renew_payers
from bench.till_wire import AMOUNT, PaymentShape, order_hex, payer_account
from bench.wire import CURRENCY, Shape, request_id
from longmen.payments.v1 import payments_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.till_wire import Kind

DATABASE: Final = "longmen"
MERCHANTS: Final = 10_000
CONNECTIONS, IN_FLIGHT = 32, 384
LOADED_SHARE: Final = 0.7
"""Share of the processors' time that is taken where latency is told."""
LOADED_TOLERANCE: Final = 0.04
PROBES_MAX: Final = 5
"""Loads by which the rate is looked for that comes within the tolerance of that share."""
LOADED_TIMES: Final = 3
"""Times as long as other loads, so that one slow commit is not the slowest hundredth of all."""
FIRST_SHARE: Final = 0.5
"""Share of the closed loop's rate at which the search for that rate begins."""
STREAMS: Final = 2_000
STREAMS_PER_CHANNEL: Final = 100
PAID_WHILE_WATCHED: Final = 100
"""Payments whose news are timed."""
MICROSECONDS: Final = 1_000_000
DEFAULT_PATH: Final = report.ROOT / "bench" / "out" / "payments.json"


class Bench:
    """One run against servers that are up."""

    def __init__(
        self, arguments: argparse.Namespace, *, driver: Driver, longmen: LongmenServer, token: str
    ) -> None:
        self._arguments = arguments
        self._driver = driver
        self._longmen = longmen
        self._token = token
        self._dsn = longmen.postgres().with_database(DATABASE)
        self._merchants: list[tuple[str, str]] = []
        self._orders = 0
        self._cost = 0.0
        """Seconds of all processors that a payment of the last load took, the driver's included."""
        self.rates: dict[str, list[float]] = {}
        self.latency: dict[str, dict[str, float]] = {}

    def seed(self) -> None:
        """Open what takes part."""
        self._merchants = open_merchants(self._longmen.target, self._token, MERCHANTS)
        open_payers(
            self._longmen.target,
            self._token,
            self._dsn,
            self._longmen.secrets_key,
            self._arguments.payers,
        )

    def rounds(self, empty: EmptyServer) -> list[Bar]:
        """Alternate payments and empty calls; returns P1 to P3."""
        steps: list[tuple[str, Callable[[], Result]]] = [
            ("empty", lambda: self._run(Load(empty.target, Shape("empty"), 0.0))),
            ("code", lambda: self._pay("PayByCode")),
            ("code_hot", lambda: self._pay("PayByCode", hot=True)),
            ("order", lambda: self._pay("PayOrder")),
            ("order_hot", lambda: self._pay("PayOrder", hot=True)),
        ]
        # The first round is not counted: a new server's plans and caches are made in it.
        for number in range(1 + self._arguments.rounds):
            for name, step in steps if number % 2 == 0 else steps[::-1]:
                rate = step().rate
                if number:
                    self.rates.setdefault(name, []).append(rate)
        rates = self.rates
        return [
            Bar(
                name,
                title,
                ratio(rates[above], rates[below]),
                bar,
                ">=",
                parts=medians(**{above: rates[above], below: rates[below]}),
            )
            for name, title, above, below, bar in (
                ("P1", "PayByCode ÷ empty call on the bare stack", "code", "empty", 0.35),
                ("P2", "PayOrder ÷ empty call on the bare stack", "order", "empty", 0.35),
                ("P3", "PayByCode, one hot merchant ÷ many", "code_hot", "code", 0.9),
                ("P3-order", "PayOrder, one hot merchant ÷ many", "order_hot", "order", 0.9),
            )
        ]

    def scheduled(self) -> list[Bar]:
        """Pay by a schedule; returns P4."""
        found = []
        for kind, name in (("PayByCode", "code"), ("PayOrder", "order")):
            first = FIRST_SHARE * statistics.median(self.rates[name])
            rate, half = self._loaded_rate(kind, first)  # type: ignore[arg-type]
            seen = self._pay(kind, rate=rate, times=LOADED_TIMES)  # type: ignore[arg-type]
            parts = {
                "rate": rate,
                "busy": self._busy(rate),
                "p50_ms": seen.percentile(50),
                "p99_9_ms": seen.percentile(99.9),
                "half_rate_p99_ms": half,
            }
            title = f"{kind}, 99th percentile at 70 % load"
            found.append(Bar(f"P4-{name}", title, seen.percentile(99), 100, "<=", "ms", parts))
        return found

    def _loaded_rate(self, kind: Kind, rate: float) -> tuple[float, float]:
        """Return the rate that keeps the processors 70 % busy, and the percentile at the first one.

        Halving the rate saves a third of the work, for short batches are dearer, so each step goes
        twice as far as it is off.
        """
        first = 0.0
        for _ in range(PROBES_MAX):
            seen = self._pay(kind, rate=rate)
            first = first or seen.percentile(99)
            busy = self._busy(rate)
            if abs(busy - LOADED_SHARE) <= LOADED_TOLERANCE:
                break
            rate *= (LOADED_SHARE / busy) ** 2
        return rate, first

    def _busy(self, rate: float) -> float:
        """Share of the processors that calls at a rate take, by what the last ones took."""
        return rate * self._cost / (os.cpu_count() or 1)

    def pay_orders(self) -> Result:
        """Pay orders of many merchants for one load."""
        return self._pay("PayOrder")

    def _pay(
        self, kind: Kind, *, hot: bool = False, rate: float | None = None, times: int = 1
    ) -> Result:
        count = self._arguments.payers
        merchants = self._merchants[:1] if hot else self._merchants
        first = 0
        if kind == "PayOrder":
            first, self._orders = self._orders, self._orders + count
            open_orders(self._dsn, merchants, first, count)
        renew_payers(self._dsn)
        shape = PaymentShape(kind, tuple(one for one, _ in merchants), first, count)
        load = Load(self._longmen.target, shape, 0.0, rate=rate, token=self._token)
        return self._run(load, times)

    def _run(self, load: Load, times: int = 1) -> Result:
        from dataclasses import replace

        before = self._longmen.cpu_seconds()
        seen = self._driver.run(
            replace(
                load,
                seconds=self._arguments.seconds * times,
                warm_up=self._arguments.seconds / 5,
                in_flight=IN_FLIGHT if load.rate is None else 4 * IN_FLIGHT,
                connections=CONNECTIONS,
            )
        )
        used = self._longmen.cpu_seconds() - before
        self._cost = used / max(1, seen.acknowledged) + seen.client_cpu_per_call / MICROSECONDS
        return seen


# -- Streams.


async def watch_all(target: str, token: str, orders: range, worker: psutil.Process) -> list[Bar]:
    """Open a stream for every order, pay some, and time the news; returns P5 and P6."""
    loop = asyncio.get_running_loop()
    told: dict[int, asyncio.Future[float]] = {number: loop.create_future() for number in orders}
    opened = asyncio.Semaphore(0)
    metadata = (("authorization", f"Bearer {token}"),)
    channels = [
        grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(-(-len(orders) // STREAMS_PER_CHANNEL))
    ]
    path = "/longmen.payments.v1.PaymentsService/"

    async def watch(place: int, number: int) -> None:
        stub: Any = channels[place // STREAMS_PER_CHANNEL].unary_stream(f"{path}WatchOrder")
        request = payments_service_pb2.WatchOrderRequest(order_id=f"ord_{order_hex(number)}")
        first = True
        async for _ in stub(request.SerializeToString(), metadata=metadata):
            if first:
                opened.release()
                first = False
            else:
                told[number].set_result(time.perf_counter())

    watches = [asyncio.create_task(watch(place, number)) for place, number in enumerate(orders)]
    for _ in orders:
        await asyncio.wait_for(opened.acquire(), 60)
    pay: Any = channels[0].unary_unary(f"{path}PayOrder")
    delays = []
    for number in orders[:: max(1, len(orders) // PAID_WHILE_WATCHED)]:
        request = payments_service_pb2.PayOrderRequest(
            request_id=request_id(number + (time.perf_counter_ns() << 32)).decode(),
            order_id=f"ord_{order_hex(number)}",
            from_account_id=payer_account(0),
        )
        request.amount.minor_units, request.amount.currency_code = AMOUNT, CURRENCY
        await pay(request.SerializeToString(), metadata=metadata, timeout=10)
        committed = time.perf_counter()
        heard = await asyncio.wait_for(told[number], 10)
        delays.append(max(0.0, heard - committed) * 1_000)
    memory = worker.memory_info().rss / BYTES_PER_MIB
    for task in watches:
        task.cancel()
    await asyncio.gather(*watches, return_exceptions=True)
    await asyncio.gather(*(channel.close() for channel in channels))
    delays.sort()
    parts = {"p50_ms": statistics.median(delays), "max_ms": delays[-1], "payments": len(delays)}
    title = f"memory of a worker with {len(orders)} streams of orders"
    late = delays[int(len(delays) * 0.99) - 1]
    return [
        Bar("P5", title, memory, 300, "<=", "MiB"),
        Bar(
            "P6", "news of a payment after its reply, 99th percentile", late, 50, "<=", "ms", parts
        ),
    ]


def streams(count: int) -> list[Bar]:
    """Start a server with one worker and watch so many orders on it."""
    limits = {
        "LONGMEN_STREAMS_OPEN_MAX": str(2 * count),
        "LONGMEN_STREAMS_PER_PRINCIPAL_MAX": str(2 * count),
    }
    with (
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as folder,
        LongmenServer(Path(folder), 1, limits) as longmen,
    ):
        token = longmen.run_cli("token").strip()
        dsn = longmen.postgres().with_database(DATABASE)
        merchants = open_merchants(longmen.target, token, 1)
        open_payers(longmen.target, token, dsn, longmen.secrets_key, 1)
        open_orders(dsn, merchants, 0, count)
        (pid,) = longmen.worker_pids()
        return asyncio.run(watch_all(longmen.target, token, range(count), psutil.Process(pid)))


def main() -> int:
    """Parse the command line, run, report; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.payments", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds in which loads alternate")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of each load")
    parser.add_argument("--payers", type=int, default=40_000, help="payers, and orders of a load")
    parser.add_argument("--streams", type=int, default=STREAMS, help="orders watched at once")
    parser.add_argument("--no-fail", action="store_true", help="exit 0 even if a bar is missed")
    parser.add_argument("--report", type=Path, default=DEFAULT_PATH, help="where to write")
    arguments = parser.parse_args()
    console, workers = Console(), os.cpu_count() or 1
    busy = report.busy()
    with (
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as folder,
        Driver(2) as driver,
        EmptyServer(workers) as empty,
        LongmenServer(Path(folder), workers) as longmen,
    ):
        token = longmen.run_cli("token").strip()
        bench = Bench(arguments, driver=driver, longmen=longmen, token=token)
        bench.seed()
        bars = bench.rounds(empty) + bench.scheduled()
        longmen.run_cli("verify")
    bars += streams(arguments.streams)
    details = {"busy": busy, "rates": bench.rates, "workers": workers}
    report.write(arguments.report, bars, details)
    report.show(console, bars)
    console.print(f"[dim]report: {arguments.report}")
    return 0 if arguments.no_fail or all(bar.ok for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
