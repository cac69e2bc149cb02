"""`python -m bench.fx`: exchanges through the whole server, against the bare stack.

F1, F2: CreateQuote and Convert through every interceptor, divided by empty calls in the same
rounds. F3: conversions that all buy one currency divided by those spread over eight. F4: seconds
that the whole history of the European Central Bank takes to be imported.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
from rich.console import Console

from bench import report
from bench.bars import medians, ratio
from bench.driver import Driver
from bench.fx_wire import ExchangeShape, accounts_of
from bench.load import Load, Result
from bench.report import Bar
from bench.seed import ACCOUNTS_PER_CALL, CUSTOMER_DEPOSITS, FLOOR_MINOR_UNITS
from bench.servers import EmptyServer, LongmenServer
from bench.wire import BOOK, Shape, request_id
from longmen.fx.v1 import rates_service_pb2, rates_service_pb2_grpc
from longmen.ledger.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from longmen_server.fxrates.seed import packaged_history

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS, IN_FLIGHT = 32, 256
OWNERS_PER_CALL: Final = ACCOUNTS_PER_CALL // 3
DEFAULT_PATH: Final = report.ROOT / "bench" / "out" / "fx.json"
SEEDED: Final = {"LONGMEN_FX_SEED_DAYS": "0"}
"""Settings of the server: its history comes by the import that is timed."""


def import_history(target: str, token: str) -> Bar:
    """Import the whole history; returns F4."""
    request = rates_service_pb2.ImportRatesRequest(
        request_id=_request_id(), content=packaged_history()
    )
    with grpc.insecure_channel(target) as channel:
        stub = rates_service_pb2_grpc.RatesServiceStub(channel)
        begun = time.perf_counter()
        reply = stub.ImportRates(request, metadata=_metadata(token), timeout=60)
        seconds = time.perf_counter() - begun
    parts = {"days": float(reply.day_count)}
    return Bar("F4", "import of the whole ECB history", seconds, 10, "<=", "s", parts)


def open_owners(target: str, token: str, count: int) -> None:
    """Open the accounts of owners, who can pay for ever."""
    with grpc.insecure_channel(target) as channel:
        stub = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        for first in range(0, count, OWNERS_PER_CALL):
            request = ledger_service_pb2.CreateAccountsRequest(request_id=_request_id(), book=BOOK)
            for owner in range(first, min(first + OWNERS_PER_CALL, count)):
                for account_id, currency in accounts_of(owner):
                    request.accounts.add(
                        account_id=account_id,
                        currency_code=currency,
                        chart_code=CUSTOMER_DEPOSITS,
                        owner_id=f"cust_019000000003{0x7000:04x}8{owner:011x}{BOOK:04x}",
                        floor_minor_units=FLOOR_MINOR_UNITS,
                    )
            stub.CreateAccounts(request, metadata=_metadata(token), timeout=30)


def _request_id() -> str:
    return request_id(random.getrandbits(128)).decode()


def _metadata(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


class Bench:
    """One run against servers that are up."""

    def __init__(
        self, arguments: argparse.Namespace, *, driver: Driver, longmen: LongmenServer, token: str
    ) -> None:
        self._arguments = arguments
        self._driver = driver
        self._longmen = longmen
        self._token = token
        self.rates: dict[str, list[float]] = {}

    def rounds(self, empty: EmptyServer) -> list[Bar]:
        """Alternate exchanges and empty calls; returns F1 to F3."""
        owners, target = self._arguments.owners, self._longmen.target
        quote, hot = (
            ExchangeShape("CreateQuote", owners, True),
            ExchangeShape("Convert", owners, True),
        )
        spread = replace(hot, hot=False)
        steps: list[tuple[str, Callable[[], Result]]] = [
            ("empty", lambda: self._run(Load(empty.target, Shape("empty"), 0.0))),
            ("quote", lambda: self._run(Load(target, quote, 0.0, token=self._token))),
            ("convert_hot", lambda: self._run(Load(target, hot, 0.0, token=self._token))),
            ("convert", lambda: self._run(Load(target, spread, 0.0, token=self._token))),
        ]
        for number in range(self._arguments.rounds):
            for name, step in steps if number % 2 == 0 else steps[::-1]:
                self.rates.setdefault(name, []).append(step().rate)
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
                ("F1", "CreateQuote ÷ empty call on the bare stack", "quote", "empty", 0.5),
                ("F2", "Convert ÷ empty call on the bare stack", "convert", "empty", 0.35),
                ("F3", "Convert, one hot position ÷ eight", "convert_hot", "convert", 0.9),
            )
        ]

    def _run(self, load: Load) -> Result:
        return self._driver.run(
            replace(
                load,
                seconds=self._arguments.seconds,
                warm_up=self._arguments.seconds / 5,
                in_flight=IN_FLIGHT,
                connections=CONNECTIONS,
            )
        )


def main() -> int:
    """Parse the command line, run, report; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.fx", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which loads alternate")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of each load")
    parser.add_argument("--owners", type=int, default=10_000, help="who exchange")
    parser.add_argument("--no-fail", action="store_true", help="exit 0 even if a bar is missed")
    parser.add_argument("--report", type=Path, default=DEFAULT_PATH, help="where to write")
    arguments = parser.parse_args()
    console, workers = Console(), os.cpu_count() or 1
    busy = report.busy()
    with (
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as folder,
        Driver(2) as driver,
        EmptyServer(workers) as empty,
        LongmenServer(Path(folder), workers, SEEDED) as longmen,
    ):
        token = longmen.run_cli("token").strip()
        imported = import_history(longmen.target, token)
        open_owners(longmen.target, token, arguments.owners)
        bench = Bench(arguments, driver=driver, longmen=longmen, token=token)
        bars = [*bench.rounds(empty), imported]
        longmen.run_cli("verify")
    report.write(arguments.report, bars, {"busy": busy, "rates": bench.rates, "workers": workers})
    report.show(console, bars)
    console.print(f"[dim]report: {arguments.report}")
    return 0 if arguments.no_fail or all(bar.ok for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
