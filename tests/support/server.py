"""A whole server as its users start it: the `longmen serve` program, in a folder of its own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.support.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVE_SECONDS = 30
STOP_SECONDS = 30
LISTENING = re.compile(r"gRPC +(\S+):(\d+) ")
TOKEN = re.compile(r"export LONGMEN_TOKEN=(\S+)")


def within(seconds: float) -> float:
    """A bound that holds on an idle machine, as long as this one now takes for the same work.

    Starting a process is pure computing, so what shares the cores with us stretches it.
    """
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def environment(**variables: str) -> dict[str, str]:
    """Our environment with LONGMEN_* as given and nothing else of that prefix.

    What programs keep for a moment goes where ours does.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LONGMEN_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "TMPDIR": str(scratch()), **variables}


def longmen(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "longmen_server", *words],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=SERVE_SECONDS,
    )


class Server:
    """A running `longmen serve` and what it has printed."""

    def __init__(self, data: Path, **variables: str) -> None:
        self.data = data
        self.text = ""
        self.errors = ""
        chosen = {"LONGMEN_PORT": "0", "LONGMEN_WORKERS": "1", "LONGMEN_DATA": str(data)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "longmen_server", "serve"],
            env=environment(**{**chosen, **variables}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._collect, args=(name,), daemon=True)
            for name in ("text", "errors")
        ]
        for reader in self._readers:
            reader.start()

    def _collect(self, name: str) -> None:
        stream = self.process.stdout if name == "text" else self.process.stderr
        assert stream is not None
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def await_text(
        self, pattern: str | re.Pattern[str], seconds: float = SERVE_SECONDS
    ) -> re.Match[str]:
        """Wait for something on either output."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            match = re.search(pattern, self.text) or re.search(pattern, self.errors)
            if match is not None:
                return match
            assert self.process.poll() is None or self._readers[0].is_alive(), self.describe()
            time.sleep(0.01)
        raise AssertionError(f"no {pattern!r} within {seconds} s\n{self.describe()}")

    def describe(self) -> str:
        return f"status {self.process.poll()}\n--- output\n{self.text}\n--- errors\n{self.errors}"

    def await_serving(self) -> None:
        self.await_text(r"Ctrl-C stops the server|LONGMEN serves\Z")

    @property
    def address(self) -> str:
        match = self.await_text(LISTENING)
        return f"{match[1]}:{match[2]}"

    @property
    def token(self) -> str:
        return self.await_text(TOKEN)[1]

    def workers(self) -> list[psutil.Process]:
        return [p for p in self._children() if "longmen_server.worker" in p.cmdline()]

    def postmaster(self) -> psutil.Process:
        return next(p for p in self._children() if p.name() == "postgres")

    def _children(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [p for p in children if p.status() != psutil.STATUS_ZOMBIE]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS)
        self.close()
        return status

    def kill(self) -> None:
        """As `kill -9`."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.close()

    def close(self) -> None:
        """Let go of the outputs of a process that has ended."""
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def data_folder(*, used: bool = True) -> Iterator[Path]:
    """A folder for a server's data that the system user of Postgres can enter.

    Args:
        used: whether a server has run there before, which spares it two seconds of its start; the
            folder is not there yet otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="longmen-data-", dir=scratch()) as folder:
        path = Path(folder)
        path.chmod(0o755)
        if used:
            copy(_used_data(), path / "data")
        yield path / "data"


def _used_data() -> Path:
    """The folder that a server made and left in order, once for all processes of the run."""
    with _used_locked() as folder:
        (folder / f"{os.getpid()}.user").touch()
        if not (folder / "complete").exists():
            with running(folder / "data") as server:
                assert server.stop() == 0, server.describe()
            (folder / "complete").touch()
        return folder / "data"


def leave_used_data() -> None:
    """Say that this process begins no more servers; the last one cleans up."""
    with _used_locked() as folder:
        (folder / f"{os.getpid()}.user").unlink(missing_ok=True)
        if not any(folder.glob("*.user")):
            shutil.rmtree(folder)


@contextmanager
def _used_locked() -> Iterator[Path]:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = scratch() / f"longmen-tests-used-{run}"
    folder.mkdir(mode=0o755, exist_ok=True)
    folder.chmod(0o755)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def copy(source: Path, target: Path) -> None:
    """Copy a folder with its owners and modes, which Postgres insists on."""
    subprocess.run(["cp", "--archive", "--reflink=auto", str(source), str(target)], check=True)


@contextmanager
def running(data: Path, variables: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server that serves; stopped at the end, whatever happened."""
    server = Server(data, **(variables or {}))
    try:
        server.await_serving()
        yield server
    finally:
        server.stop()
