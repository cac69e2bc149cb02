"""`python -m bench.hot`: one hot account against pgbench, on disks from fast to slow.

pgbench's transactions on one account follow each other at the pace of the disk, ours share commits:
how many times faster that is depends on how long a commit takes. `commit_delay` makes each commit
of both wait as long as a slower disk would make it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import psycopg
from rich.console import Console
from rich.table import Table

from bench.driver import Driver
from bench.load import Load
from bench.pgbench import Pgbench
from bench.plan import FULL
from bench.seed import open_accounts
from bench.servers import LongmenServer
from bench.wire import Shape

if TYPE_CHECKING:
    from bench.pgbench import Postgres

DELAYS_US: Final = (0, 250, 500, 1_000, 3_000)
"""Microseconds by which commits are made longer."""
ACCOUNTS: Final = 10_000
CLIENT_PROCESSES: Final = 2


def delay(postgres: Postgres, delay_us: int) -> None:
    """Make every commit wait, whoever else is at work."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(f"alter system set commit_delay = {delay_us}".encode())
        connection.execute(b"alter system set commit_siblings = 0")
        connection.execute(b"select pg_reload_conf()")


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="bench.hot", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds at each delay")
    rounds = parser.parse_args().rounds
    table = Table("delay, us", "commit, ms", "pgbench", "longmen", "times", title="One hot account")
    with (
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as folder,
        Driver(CLIENT_PROCESSES) as driver,
        LongmenServer(Path(folder), os.cpu_count() or 1) as longmen,
    ):
        token = longmen.run_cli("token").strip()
        open_accounts(longmen.target, token, ACCOUNTS, lambda _: None)
        postgres = longmen.postgres()
        pgbench = Pgbench(postgres, ACCOUNTS)
        pgbench.prepare()
        load = Load(
            target=longmen.target,
            shape=Shape("ledger", ACCOUNTS, hot=True),
            seconds=FULL.window,
            in_flight=FULL.in_flight,
            connections=FULL.connections,
            warm_up=FULL.warm_up,
            token=token,
        )
        for delay_us in DELAYS_US:
            delay(postgres, delay_us)
            commits, theirs, ours = [], [], []
            for _ in range(rounds):
                ours.append(driver.run(load).transfer_rate)
                baseline = pgbench.run(
                    "hot", clients=FULL.hot_clients, seconds=FULL.baseline_window
                )
                theirs.append(baseline.rate)
                commits.append(pgbench.run("commit", clients=1, seconds=1).percentile(50))
            table.add_row(
                f"{delay_us:,}",
                f"{median(commits):.2f}",
                f"{median(theirs):,.0f}",
                f"{median(ours):,.0f}",
                f"{median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}",
            )
        pgbench.check()
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
