"""The embedded Postgres: one private cluster, started and stopped with the server.

It listens on a Unix socket in a private folder only, asks for a SCRAM password kept in a file of
mode 0600, and commits durably. It is a child of the server and, where the kernel can promise that
(Linux), is told to shut down when the server dies, however it dies; a start also stops whatever a
dead server left behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from longmen_server.platform.postgres_home import Home, LaunchError, find_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "APP_ROLE",
    "DATABASE",
    "OWNER_ROLE",
    "SUPERUSER",
    "VERIFIER_ROLE",
    "EmbeddedPostgres",
    "LaunchError",
    "stop_leftover",
]

SUPERUSER: Final = "postgres"
OWNER_ROLE: Final = "longmen"
"""Owns the database; migrations run as this role."""
APP_ROLE: Final = "longmen_app"
"""Serves requests; owns nothing, so that what is granted away stays away."""

VERIFIER_ROLE: Final = "longmen_verifier"
"""Proves the books; reads everything and changes nothing."""
DATABASE: Final = "longmen"

START_SECONDS: Final = 120
"""Longest wait for a start; replaying 2 GB of WAL after a crash takes most of it on a slow disk."""
STOP_SECONDS: Final = 60
"""Longest wait for a fast stop, which ends with a checkpoint, before an immediate one."""
POLL_SECONDS: Final = 0.01
STALE_OUTPUT_BYTES: Final = 4096
PR_SET_PDEATHSIG: Final = 1

SETTINGS: Final[dict[str, str]] = {
    # Durability is the point of a ledger; said aloud so that no file can switch it off.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Reached through the private socket only.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "cluster_name": "longmen",
    "max_connections": "120",
    # Sized for a small machine that also runs the server.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_parallel_workers_per_gather": "1",  # a report must not take every core from payments
    "random_page_cost": "1.1",  # solid-state disks
    "jit": "off",  # compiling costs more than our short statements run
    # Few, spread checkpoints: full-page images after each are most of the WAL.
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "min_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # Hot account rows are updated thousands of times a second: clean often, in small bites.
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "1000",
    "autovacuum_max_workers": "2",
    # Rows are found by their ids, whatever statistics say. Analysing samples 300 rows for each of
    # these: a quarter of the default takes a quarter of a second from payments and not one.
    "default_statistics_target": "25",
    # What an operator wants to read afterwards; a week of logs, overwritten.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %a ",
    "log_lock_waits": "on",
    "log_min_duration_statement": "1s",
    "log_parameter_max_length": "0",  # values are customers' data
    "log_parameter_max_length_on_error": "0",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
}


class EmbeddedPostgres:
    """One cluster in a data folder. Start and stop it from the main thread."""

    def __init__(self, data: Path, announce: Callable[[str], None]) -> None:
        """Describe the cluster of a data folder.

        Args:
            data: the server's data folder, which exists and which we hold the lock of.
            announce: takes one-line messages for the operator.
        """
        self._data = data
        self._announce = announce
        self._password_file = data / "postgres.password"
        self._home: Home | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Home:
        """Where it lives; known once started."""
        if self._home is None:
            raise LaunchError("Postgres has not been started")
        return self._home

    @property
    def pid(self) -> int | None:
        """Process id of the running postmaster."""
        return None if self._process is None else self._process.pid

    def dsn(self, *, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """The connection string of a role; holds the password."""
        return make_conninfo(
            host=str(self.home.runtime),
            user=role,
            password=self._password_file.read_text("ascii").strip(),
            dbname=database,
        )

    def start(self) -> None:
        """Start the cluster, making it first when it is not there, and wait until it answers.

        Raises:
            LaunchError: it cannot be made or does not come up; says why in one line.
        """
        self._home = find_home(self._data)
        for note in self._home.notes:
            self._announce(note)
        self._make_password()
        stop_leftover(self._home.directory, self._announce)
        if not (self._home.directory / "PG_VERSION").exists():
            self._initialise()
        self._launch()
        try:
            self._prepare_roles()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop fast: break connections, roll back what is open, checkpoint; idempotent."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._announce("Postgres does not stop; stopping it without a checkpoint")
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def poll(self) -> int | None:
        """The exit status when Postgres has ended by itself, else None."""
        return None if self._process is None else self._process.poll()

    def _make_password(self) -> None:
        """Keep one random password for all roles; the file is as good as the data beside it."""
        if self._password_file.exists():
            return
        descriptor = os.open(
            self._password_file.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
        self._password_file.with_suffix(".new").rename(self._password_file)

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when complete."""
        home = self.home
        unfinished = home.directory.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        handed_over = home.directory.with_suffix(".password")
        handed_over.touch(mode=0o600)
        home.owner.give(handed_over)
        handed_over.write_text(self._password_file.read_text("ascii"), "ascii")
        try:
            done = subprocess.run(  # noqa: S603 - our own program and arguments
                [
                    home.binaries / "initdb",
                    f"--pgdata={unfinished}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={handed_over}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                env=clean_environment(),
                **home.owner.run_as(),
            )
        except OSError as error:
            raise LaunchError(f"cannot run initdb: {error}") from error
        finally:
            handed_over.unlink()
        if done.returncode != 0:
            raise LaunchError(f"initdb failed: {last_line(done.stderr)}")
        unfinished.rename(home.directory)

    def _launch(self) -> None:
        """Start the postmaster and wait until it accepts connections.

        Raises:
            LaunchError: it ended, or did not answer in time.
        """
        home = self.home
        settings = {**SETTINGS, "unix_socket_directories": str(home.runtime)}
        output_path = self._data / "postgres.start.log"
        with output_path.open("wb") as output:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                    [
                        str(home.binaries / "postgres"),
                        *("-D", str(home.directory)),
                        *(word for n, v in settings.items() for word in ("-c", f"{n}={v}")),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=clean_environment(),
                    # Not in our terminal's group: Ctrl-C is for the server, which stops us in
                    # order.
                    start_new_session=True,
                    preexec_fn=die_with_parent(),  # noqa: PLW1509 - no threads run yet
                    **home.owner.run_as(),
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise LaunchError(f"cannot run Postgres: {error}") from error
        self._await_answer(output_path)

    def _await_answer(self, output_path: Path) -> None:
        """Wait until the postmaster accepts connections."""
        assert self._process is not None
        address = f"host={self.home.runtime} user={SUPERUSER} dbname=postgres".encode()
        until = time.monotonic() + START_SECONDS
        while PGconn.ping(address) != Ping.OK:
            if self._process.poll() is not None:
                self._process = None
                log = output_path.read_bytes()[-STALE_OUTPUT_BYTES:].decode(errors="replace")
                raise LaunchError(f"Postgres ended at once: {failure_line(log)}")
            if time.monotonic() > until:
                self.stop()
                raise LaunchError(f"Postgres did not answer within {START_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def _prepare_roles(self) -> None:
        """Make the roles and the database that are not there yet.

        Raises:
            LaunchError: the password file does not match the cluster.
        """
        try:
            with psycopg.connect(
                self.dsn(role=SUPERUSER, database="postgres"), autocommit=True
            ) as connection:
                prepare_roles(connection, self._password_file.read_text("ascii").strip())
        except psycopg.Error as error:
            raise LaunchError(f"cannot prepare the database: {first_line(str(error))}") from error


def prepare_roles(connection: psycopg.Connection, password: str) -> None:
    """Make the roles and the database, as far as they are missing."""
    for role in (OWNER_ROLE, APP_ROLE, VERIFIER_ROLE):
        row = connection.execute("select from pg_roles where rolname = %s", [role]).fetchone()
        if row is None:
            statement = sql.SQL("create role {} login password {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
    row = connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone()
    if row is None:
        statement = sql.SQL("create database {} owner {}")
        names = (sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
        connection.execute(statement.format(*names))


def stop_leftover(directory: Path, announce: Callable[[str], None]) -> None:
    """Stop the postmaster a dead server left on a cluster, or clear its pid file.

    Raises:
        LaunchError: it does not stop.
    """
    pid_file = directory / "postmaster.pid"
    try:
        pid = int(pid_file.read_text("utf-8").splitlines()[0])
    except FileNotFoundError:
        return
    except (ValueError, IndexError):
        # Torn by a crash; Postgres itself would refuse to start over it.
        pid_file.unlink(missing_ok=True)
        return
    process = postmaster(pid, directory)
    if process is None:
        # The number may by now be another program's, which Postgres would take for a postmaster.
        pid_file.unlink(missing_ok=True)
        return
    announce(f"stopping the Postgres (process {pid}) that an earlier server left behind")
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGINT)
    until = time.monotonic() + STOP_SECONDS
    while postmaster(pid, directory) is not None:
        if time.monotonic() > until:
            raise LaunchError(f"the earlier Postgres (process {pid}) does not stop")
        time.sleep(POLL_SECONDS)


def postmaster(pid: int, directory: Path) -> psutil.Process | None:
    """The process of a number, when it is a postmaster of this cluster."""
    try:
        process = psutil.Process(pid)
        words = process.cmdline()
    except psutil.Error:
        return None
    # A zombie has no command line, so one that only waits to be reaped is not ours either.
    is_ours = bool(words) and Path(words[0]).name == "postgres" and str(directory) in words
    return process if is_ours else None


def die_with_parent() -> Callable[[], None] | None:
    """What the child does first: ask Linux for a fast stop when the server dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def clean_environment() -> dict[str, str]:
    """An environment without anything that could steer libpq or Postgres."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}


def lines_of(text: str) -> Iterator[str]:
    """Lines with something in them."""
    return (line.strip() for line in text.splitlines() if line.strip())


def first_line(text: str) -> str:
    """The first line that says something."""
    return next(lines_of(text), "no message")


def last_line(text: str) -> str:
    """The last line that says something."""
    return next(iter([*lines_of(text)][::-1]), "no message")


def failure_line(log: str) -> str:
    """The line of Postgres' output that says why it ended."""
    for line in lines_of(log):
        for level in ("FATAL:", "PANIC:", "ERROR:"):
            if level in line:
                return line.split(level, 1)[1].strip()
    return last_line(log)
