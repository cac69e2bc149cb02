"""`python -m bench.edge`: what the edge costs, against the bare stack it stands on.

Two servers answer the same request with nothing: one is grpc.aio alone, the other has the whole
interceptor chain before a servicer that does nothing. Both get the same load in alternating rounds;
told are calls per second, latency, and CPU time per call inside the server, which is the figure to
trust on a machine that also runs the load. A second table takes the chain apart in one process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from longmen.ledger.v1 import ledger_service_pb2
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.metrics import Metrics
from longmen_server.platform.tokens import DevelopmentIssuer, TokenVerifier
from longmen_server.transport.context import Call, Principal
from longmen_server.transport.interceptors.context import Draining
from longmen_server.transport.method import Method, read_methods
from longmen_server.transport.server import (
    Surroundings,
    build_interceptors,
    build_server,
    channel_options,
)
from longmen_server.transport.settings import EdgeSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from longmen_server.transport.chain import Interceptor

SERVICE = "longmen.ledger.v1.LedgerService"
METHOD = "CreateTransfers"
ISSUER, AUDIENCE = "longmen-bench", "longmen"
KINDS = ("bare", "edge")
BAR_US = 120
"""Microseconds of CPU that the whole edge may add to a unary call."""

RUNS, CALLS_PER_RUN = 60, 300
"""How often, and with how many calls at a time, each chain of the second table is run."""

BATCH = 1_000
"""Transfers in the larger request of the second table."""


class Nothing:
    """A servicer whose methods answer nothing at all."""

    def __getattr__(self, name: str) -> Callable[[Any, Call], Awaitable[bytes]]:
        """Return a method for any name."""
        return _nothing


async def _nothing(_request: Any, _call: Call) -> bytes:
    return b""


def request(transfers: int) -> bytes:
    """Return a valid CreateTransfersRequest with a request id of its own."""
    message = ledger_service_pb2.CreateTransfersRequest(request_id=str(uuid.UUID(int=1 << 76)))
    for number in range(transfers):
        spec = message.transfers.add(
            debit_account_id=f"acct_{number:032x}", credit_account_id=f"acct_{number + 1:032x}"
        )
        spec.amount.minor_units = 1_234
        spec.amount.currency_code = "CNY"
    return message.SerializeToString()


# -- The two servers, each in a process of its own.


def surroundings(folder: Path) -> tuple[Surroundings, str]:
    """Return the edge's surroundings, with real tokens, and a token to call with."""
    clock = SystemClock()
    issuer = DevelopmentIssuer(folder, issuer=ISSUER, audience=AUDIENCE, clock=clock)
    verifier = TokenVerifier(
        issuer.jwks, issuer=ISSUER, audience=AUDIENCE, leeway_seconds=0, clock=clock
    )
    token = issuer.mint(
        kind="service", subject="bench", scopes=("ledger.write",), lifetime_seconds=3_600
    )
    made = Surroundings(
        verifier=verifier, metrics=Metrics(), monotonic=clock.monotonic, now_us=clock.now_us
    )
    return made, token


async def serve(kind: str, folder: Path) -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    settings = EdgeSettings(address="127.0.0.1:0", readiness_delay_s=0)
    if kind == "edge":
        made, _ = surroundings(folder)
        edge = build_server({SERVICE: Nothing()}, settings=settings, surroundings=made)
        await edge.start()
        print(edge.port, flush=True)
    else:
        bare = grpc.aio.server(options=channel_options(settings, 1_048_576))
        handler: Any = grpc.unary_unary_rpc_method_handler(_nothing)
        bare.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)
        )
        port = bare.add_insecure_port(settings.address)
        await bare.start()
        print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    # The process ends with its streams: nothing here is worth draining.
    os._exit(0)


@dataclass(frozen=True)
class Round:
    """What one server did in one round."""

    kind: str
    calls_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """CPU time of the server's process per call, in microseconds."""


class Server:
    """A server in a child process."""

    def __init__(self, kind: str, folder: Path) -> None:
        """Start it and wait for its port."""
        self.kind = kind
        self._child = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "bench.edge", "--serve", kind, "--folder", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdout is not None
        self.port = int(self._child.stdout.readline())
        self._process = psutil.Process(self._child.pid)

    def cpu_s(self) -> float:
        """CPU time used so far, in seconds."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def close(self) -> None:
        """End the child."""
        self._child.communicate("")


async def load(
    server: Server, *, token: str, seconds: float, connections: int, in_flight: int
) -> Round:
    """Keep calls in flight for some seconds; return what came of it."""
    payload = request(1)
    metadata = (("authorization", f"Bearer {token}"),)
    latencies: list[float] = []
    channels = [
        grpc.aio.insecure_channel(
            f"127.0.0.1:{server.port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )
        for _ in range(connections)
    ]

    async def caller(channel: grpc.aio.Channel, until: float) -> None:
        unary: Any = channel.unary_unary(f"/{SERVICE}/{METHOD}")
        while (begun := time.perf_counter()) < until:
            await unary(payload, metadata=metadata, timeout=10)
            latencies.append(time.perf_counter() - begun)

    async def run(until: float) -> None:
        await asyncio.gather(*(caller(channels[n % connections], until) for n in range(in_flight)))

    await run(time.perf_counter() + seconds / 10)  # warm
    latencies.clear()
    cpu, begun = server.cpu_s(), time.perf_counter()
    await run(begun + seconds)
    took, used = time.perf_counter() - begun, server.cpu_s() - cpu
    await asyncio.gather(*(channel.close() for channel in channels))
    cuts = statistics.quantiles(latencies, n=100)
    return Round(
        kind=server.kind,
        calls_per_s=len(latencies) / took,
        p50_ms=cuts[49] * 1_000,
        p99_ms=cuts[98] * 1_000,
        cpu_us=used / len(latencies) * 1_000_000,
    )


async def compare(folder: Path, arguments: argparse.Namespace) -> list[Round]:
    """Run the rounds, alternating the servers and which of them begins."""
    _, token = surroundings(folder)
    servers = [Server(kind, folder) for kind in KINDS]
    try:
        return [
            await load(
                server,
                token=token,
                seconds=arguments.seconds,
                connections=arguments.connections,
                in_flight=arguments.in_flight,
            )
            for number in range(arguments.rounds)
            for server in (servers if number % 2 == 0 else reversed(servers))
        ]
    finally:
        for server in servers:
            server.close()


# -- The chain taken apart.


class FakeWire:
    """grpc.aio's side of a call, without grpc.aio."""

    def __init__(self, token: str, payload: bytes) -> None:
        """Have the metadata of a common Python client."""
        self._payload = payload
        self._metadata = (
            ("user-agent", "grpc-python-asyncio/1.85.1 grpc-c/52.0.0 (linux; chttp2)"),
            ("authorization", f"Bearer {token}"),
        )

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return them."""
        return self._metadata

    async def read(self) -> bytes:
        """Return the request."""
        return self._payload

    def time_remaining(self) -> float:
        """Return a deadline that is no trouble."""
        return 10.0


async def take_apart(folder: Path, transfers: int) -> dict[str, float]:
    """Return the microseconds of CPU time that each interceptor adds to a call, by name.

    Chains of growing length are run in turn, in short runs, and the best run of each counts: what
    else the machine does can only make a run slower.
    """
    made, token = surroundings(folder)
    interceptors = build_interceptors(EdgeSettings(), made, Draining(begun=False, streams=set()))
    method = next(m for m in read_methods(SERVICE) if m.name == METHOD)
    wire: Any = FakeWire(token, request(transfers))
    lengths = range(len(interceptors) + 1)
    steps = [_composed(method, interceptors[len(interceptors) - length :]) for length in lengths]
    best = [math.inf for _ in lengths]
    for _ in range(RUNS):
        for length in lengths:
            cost = await _cost(steps[length], method, wire, max(1, CALLS_PER_RUN // transfers))
            best[length] = min(best[length], cost)
    costs = {"servicer": best[0]}
    for length in lengths[1:]:
        costs[interceptors[-length].name] = best[length] - best[length - 1]
    costs["together"] = best[-1]
    return costs


def _composed(method: Method, interceptors: tuple[Interceptor, ...]) -> Any:
    """Compose some of the chain, from the inside."""

    async def step(call: Call, parsed: Any) -> bytes:
        return await _nothing(parsed, call)

    composed: Any = step
    for interceptor in reversed(interceptors):
        composed = interceptor.wrap(method, composed)
    return composed


async def _cost(step: Any, method: Method, wire: Any, count: int) -> float:
    """Return microseconds of CPU time per call of a step."""
    # Inner steps alone need what the outer ones would have found out.
    principal = Principal(
        kind="service",
        subject="bench",
        scopes=frozenset({method.scope}),
        customer_id=None,
        token_id="bench",  # noqa: S106 - an id, not a secret
    )
    authorization = wire.invocation_metadata()[1][1]
    begun = time.thread_time_ns()
    for _ in range(count):
        call = Call(method.path, wire)
        call.principal = principal
        call.authorization = authorization
        call.deadline = math.inf
        await step(call, None)
    return (time.thread_time_ns() - begun) / count / 1_000


# -- The report.


def medians(rounds: list[Round]) -> dict[str, Round]:
    """Return the median of every figure, for each server."""
    return {
        kind: Round(
            kind,
            *(
                statistics.median(getattr(r, figure) for r in rounds if r.kind == kind)
                for figure in ("calls_per_s", "p50_ms", "p99_ms", "cpu_us")
            ),
        )
        for kind in KINDS
    }


def show(report: dict[str, Any], console: Console) -> None:
    """Print both tables."""
    table = Table(title="Empty call: medians of alternating rounds", title_justify="left")
    for column in ("server", "calls/s", "p50 ms", "p99 ms", "CPU per call"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for kind in KINDS:
        row = report["servers"][kind]
        table.add_row(
            kind,
            f"{row['calls_per_s']:,.0f}",
            f"{row['p50_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
            f"{row['cpu_us']:.0f} us",
        )
    console.print(table)
    verdict = "kept" if report["kept"] else "NOT KEPT"
    console.print(
        f"The edge adds {report['edge_cpu_us']:.0f} us of CPU to a call;"
        f" the bar of {BAR_US} us is {verdict}.\n"
    )
    table = Table(title="The chain taken apart, microseconds per call", title_justify="left")
    table.add_column("interceptor")
    table.add_column("1 transfer", justify="right")
    table.add_column(f"{BATCH:,} transfers", justify="right")
    for name, cost in report["chain_us"].items():
        table.add_row(name, f"{cost:.1f}", f"{report['chain_batch_us'][name]:,.1f}")
    console.print(table)


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each server")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure and report; 1 when the bar is not kept."""
    arguments = parse()
    if arguments.serve:
        uvloop.run(serve(arguments.serve, arguments.folder))
        return 0
    with tempfile.TemporaryDirectory(prefix="longmen-edge-") as name:
        folder = Path(name)
        rounds = uvloop.run(compare(folder, arguments))
        found = medians(rounds)
        # A loaded machine can hide what the chain costs, and the edge's several doors save some of
        # it again: the larger of the two figures counts.
        chain_us = uvloop.run(take_apart(folder, 1))
        added_us = max(found["edge"].cpu_us - found["bare"].cpu_us, chain_us["together"])
        report: dict[str, Any] = {
            "servers": {kind: asdict(found[kind]) for kind in KINDS},
            "edge_cpu_us": added_us,
            "kept": added_us <= BAR_US,
            "chain_us": chain_us,
            "chain_batch_us": uvloop.run(take_apart(folder, BATCH)),
            "rounds": [asdict(one) for one in rounds],
        }
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        show(report, Console())
    return 0 if report["kept"] else 1


if __name__ == "__main__":
    sys.exit(main())
