"""The servers that are measured: Longmen as users start it, and the bare stack beside it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bench.pgbench import Postgres
from longmen_server.platform.postgres import SUPERUSER
from longmen_server.platform.postgres_home import find_home
from longmen_server.transport.server import channel_options
from longmen_server.transport.settings import EdgeSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.05
WORKER_MODULE: Final = "longmen_server.worker"
LARGEST_REQUEST: Final = 1_048_576
"""Bytes; the largest limit any method states, as the server itself derives it."""


class StartError(Exception):
    """A server did not come up."""


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


class EmptyServer:
    """The bare stack: as many processes on one port, same channel options, nothing else."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._processes: list[subprocess.Popen[bytes]] = []
        self.target = f"127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        port = self.target.rpartition(":")[2]
        options = json.dumps(channel_options(EdgeSettings(), LARGEST_REQUEST))
        command = [sys.executable, "-m", "bench.empty_server", "--port", port, "--options", options]
        for _ in range(self._workers):
            process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our module
            self._processes.append(process)
        for process in self._processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != b"ready":
                self._stop()
                raise StartError("the empty server does not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(STOP_SECONDS)
            assert process.stdout is not None
            process.stdout.close()


class LongmenServer:
    """`longmen serve` with a data folder of its own, on a free port."""

    def __init__(
        self, folder: Path, workers: int, variables: Mapping[str, str] | None = None
    ) -> None:
        # Postgres' own user has to get through where a server started by root keeps its data.
        folder.chmod(0o711)
        self._data = folder / "data"
        self._log = folder / "serve.log"
        self._workers = workers
        self._variables = dict(variables or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.target = f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "longmen_server", "serve"],
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_serving()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _environment(self) -> dict[str, str]:
        """Our environment, with nothing of Longmen's in it but what the bench decides."""
        kept = {name: value for name, value in os.environ.items() if not _steers(name)}
        return kept | {
            "LONGMEN_DATA": str(self._data),
            "LONGMEN_PORT": str(self._port),
            "LONGMEN_WORKERS": str(self._workers),
            **self._variables,
        }

    def _wait_until_serving(self) -> None:
        assert self._process is not None
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            if is_serving(self.target):
                return
            time.sleep(POLL_SECONDS)
        raise StartError(self._log.read_text("utf-8", "replace")[-2000:])

    def _stop(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)

    @property
    def secrets_key(self) -> Path:
        """File of the key that its stored secrets hang on."""
        return self._data / "keys" / "secrets.key"

    def run_cli(self, *arguments: str) -> str:
        """What a `longmen` command against this server prints.

        Raises:
            StartError: the command failed.
        """
        done = subprocess.run(  # noqa: S603 - our program
            [sys.executable, "-m", "longmen_server", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartError(
                f"longmen {arguments[0]}: {done.stderr[-2000:] or done.stdout[-2000:]}"
            )
        return done.stdout

    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text("utf-8", "replace")

    def worker_pids(self) -> list[int]:
        """The processes that serve calls."""
        assert self._process is not None
        found = [
            child.pid
            for child in psutil.Process(self._process.pid).children()
            if WORKER_MODULE in child.cmdline()
        ]
        if len(found) != self._workers:
            raise StartError(f"{len(found)} workers run, not {self._workers}")
        return found

    def cpu_seconds(self) -> float:
        """Processor time that it has taken so far: supervisor, workers, and all of Postgres.

        A process that has ended takes its time with it, but for what its parent has waited for.
        """
        assert self._process is not None
        root = psutil.Process(self._process.pid)
        spent = 0.0
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent += times.user + times.system
        return spent

    def postgres(self) -> Postgres:
        """The Postgres it started, for baselines and questions."""
        home = find_home(self._data)
        password = (self._data / "postgres.password").read_text("ascii").strip()
        dsn = f"host={home.runtime} user={SUPERUSER} password={password} dbname=postgres"
        return Postgres(dsn, home.binaries)


def _steers(name: str) -> bool:
    return name.startswith(("LONGMEN_", "PG"))


def is_serving(target: str) -> bool:
    """Whether the server at this address says that it is ready."""
    with grpc.insecure_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=1.0)
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
