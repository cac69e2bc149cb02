"""One embedded Postgres for a whole test run, and fresh migrated databases on demand."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from unittest.mock import patch

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from longmen_server import migrate
from longmen_server.platform.postgres import (
    APP_ROLE,
    OWNER_ROLE,
    SETTINGS,
    SUPERUSER,
    EmbeddedPostgres,
)
from tests.support.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = "longmen_template"
UNSAFE_AND_FAST = {"fsync": "off", "full_page_writes": "off"}
"""No server of ours would start on it: `longmen serve` refuses such a database."""
OTHERS_SECONDS = 600
"""How long the process that started Postgres waits for the others' tests to end."""


@dataclass(frozen=True)
class Database:
    """One database of its own, migrated and empty."""

    name: str
    app_dsn: str
    """As the role that serves requests."""
    owner_dsn: str
    """As the role that owns the tables: for tests that break them."""
    admin_dsn: str
    """As the superuser."""


class SharedPostgres:
    """The run's Postgres, started by whichever test process needs it first.

    Its databases live as long as the run, so it does not wait for the disk. What is promised of
    power failures is tried with servers of the tests' own.
    """

    def __init__(self, *, durable: bool = False) -> None:
        """Describe it.

        Args:
            durable: for what `longmen serve` is pointed at, which refuses any other.
        """
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        kind = "durable" if durable else "fast"
        # Not below pytest's own folder, which the system user that runs Postgres cannot enter.
        self.folder = scratch() / f"longmen-tests-{kind}-{run}"
        self._settings = {} if durable else UNSAFE_AND_FAST
        self._started: EmbeddedPostgres | None = None
        self._state: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        with self._locked():
            self._user_file(os.getpid()).touch()
            state = self.folder / "state.json"
            if not state.exists():
                self._start()
                state.write_text(json.dumps(self._state), "utf-8")
            self._state = json.loads(state.read_text("utf-8"))
        return self

    def __exit__(self, *_: object) -> None:
        self._user_file(os.getpid()).unlink(missing_ok=True)
        if self._started is not None:
            self._await_others()
            self._started.stop()
            shutil.rmtree(self._started.home.directory.parent, ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, *, role: str = SUPERUSER, database: str = "postgres") -> str:
        return make_conninfo(**self._state, user=role, dbname=database)

    @property
    def binaries(self) -> Path:
        """Folder of psql, pgbench and the rest."""
        return Path((self.folder / "binaries").read_text("utf-8"))

    def create(self, *, template: str = TEMPLATE) -> Database:
        """A fresh database, or a copy of one that nobody is connected to.

        It takes 20 ms in memory and ten times as long on a disk.
        """
        name = f"t_{os.getpid()}_{next(self._numbers)}"
        # Copying files takes half the time of copying pages through the log.
        statement = sql.SQL("create database {} template {} owner {} strategy file_copy")
        names = (sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER_ROLE))
        self._administer(statement.format(*names))
        return Database(
            name,
            app_dsn=self.dsn(role=APP_ROLE, database=name),
            owner_dsn=self.dsn(role=OWNER_ROLE, database=name),
            admin_dsn=self.dsn(database=name),
        )

    def drop(self, database: Database) -> None:
        statement = sql.SQL("drop database {} with (force)")
        self._administer(statement.format(sql.Identifier(database.name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)

    def _start(self) -> None:
        data = self.folder / "data"
        data.mkdir(mode=0o755)
        postgres = EmbeddedPostgres(data, print)
        with patch.dict(SETTINGS, self._settings):
            postgres.start()
        self._started = postgres
        self._state = {
            "host": str(postgres.home.runtime),
            "password": (data / "postgres.password").read_text("ascii"),
        }
        (self.folder / "binaries").write_text(str(postgres.home.binaries), "utf-8")
        statement = sql.SQL("create database {} owner {}")
        self._administer(statement.format(sql.Identifier(TEMPLATE), sql.Identifier(OWNER_ROLE)))
        migrate.upgrade(self.dsn(role=OWNER_ROLE, database=TEMPLATE))

    def _user_file(self, pid: int) -> Path:
        return self.folder / f"{pid}.user"

    def _await_others(self) -> None:
        until = time.monotonic() + OTHERS_SECONDS
        while time.monotonic() < until:
            pids = [int(path.stem) for path in self.folder.glob("*.user")]
            if not any(psutil.pid_exists(pid) for pid in pids):
                return
            time.sleep(0.05)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o755, exist_ok=True)
        self.folder.chmod(0o755)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
