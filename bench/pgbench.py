"""Baselines by pgbench: what the same Postgres does with one transaction per transfer.

The scripts are in bench/baseline/. One transfer there is one transaction of eight statements:
begin, lock both accounts in the order of their numbers and check the floor, two balance updates,
one posting, one event, one request record, commit; prepared statements, closed loop, no think time.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import psycopg
from hdrh.histogram import HdrHistogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER: Final = Path(__file__).resolve().parent / "baseline"

DATABASE: Final = "longmen_bench_baseline"
"""Beside the measured server's database, in the same Postgres."""

Script = Literal["uniform", "hot", "commit"]


class BaselineError(Exception):
    """pgbench did not do what was asked of it."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """The Postgres that everything runs on."""

    dsn: str
    """Connection string of a role that may create databases."""
    programs: Path
    """Folder with pgbench."""

    def with_database(self, name: str) -> str:
        """The connection string with another database in it."""
        return psycopg.conninfo.make_conninfo(self.dsn, dbname=name)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one run of pgbench showed."""

    rate: float
    """Transactions per second."""
    completed: int
    latency: HdrHistogram
    """Microseconds of each transaction."""

    def percentile(self, percent: float) -> float:
        """Latency in milliseconds that this share of the transactions did not exceed."""
        return float(self.latency.get_value_at_percentile(percent)) / 1000


class Pgbench:
    """The baseline's database and the runs against it."""

    def __init__(self, postgres: Postgres, accounts: int) -> None:
        self._postgres = postgres
        self._accounts = accounts
        self._transfers = 0

    def prepare(self) -> None:
        """Create the baseline's database anew, with its accounts."""
        with psycopg.connect(self._postgres.dsn, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
        schema = (FOLDER / "schema.sql").read_text("utf-8")
        schema = schema.replace(":accounts", str(self._accounts))
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            for statement in schema.split(";\n"):
                if statement.strip():
                    connection.execute(statement.encode())

    @property
    def _dsn(self) -> str:
        return self._postgres.with_database(DATABASE)

    def run(self, script: Script, *, clients: int, seconds: int) -> Baseline:
        """Run a script with this many connections.

        Raises:
            BaselineError: pgbench failed, or a transaction in it did.
        """
        with tempfile.TemporaryDirectory(prefix="longmen-bench-") as folder:
            path = Path(folder) / "script.sql"
            path.write_text(text_of(script), "utf-8")
            output = self._pgbench(path, clients=clients, seconds=seconds)
            latency = read_log(Path(folder).glob("log.*"))
        if script != "commit":
            self._transfers += latency.get_total_count()
        return Baseline(rate_in(output), latency.get_total_count(), latency)

    def _pgbench(self, script: Path, *, clients: int, seconds: int) -> str:
        command: Sequence[str] = [
            str(self._postgres.programs / "pgbench"),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={clients}",
            f"--jobs={min(clients, 2)}",
            f"--time={seconds}",
            f"--define=accounts={self._accounts}",
            f"--file={script}",
            "--log",
            f"--log-prefix={script.parent / 'log'}",
            self._dsn,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our pgbench
        if done.returncode != 0:
            raise BaselineError(done.stderr[-2000:])
        return done.stdout

    def check(self) -> None:
        """Compare the rows with what pgbench reported: a script that does nothing looks fast.

        Raises:
            BaselineError: the tables do not hold what the runs claim.
        """
        query = """
            SELECT (SELECT count(*) FROM posting), (SELECT count(*) FROM event),
                   (SELECT count(*) FROM request_record), (SELECT sum(version) FROM account),
                   (SELECT sum(debits_posted) - sum(credits_posted) FROM account)
        """
        with psycopg.connect(self._dsn) as connection:
            found = connection.execute(query).fetchone()
        expected = (self._transfers,) * 3 + (2 * self._transfers, 0)
        if found is None or tuple(int(value) for value in found) != expected:
            raise BaselineError(f"the baseline's tables hold {found}, expected {expected}")


def text_of(script: Script) -> str:
    """The whole text of a script."""
    text = (FOLDER / f"{script}.sql").read_text("utf-8")
    if script == "commit":
        return text
    return text + (FOLDER / "transfer.sql").read_text("utf-8")


def rate_in(output: str) -> float:
    """The rate in pgbench's report.

    Raises:
        BaselineError: there is none, or transactions failed.
    """
    rate = re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", output, re.MULTILINE)
    if rate is None or (failed is not None and failed[1] != "0"):
        raise BaselineError(output[-2000:])
    return float(rate[1])


def read_log(paths: Iterable[Path]) -> HdrHistogram:
    """The latencies in pgbench's log files, whose third column is microseconds."""
    latency = HdrHistogram(1, 60_000_000, 3)
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            latency.record_value(max(1, int(line.split()[2])))
    return latency
