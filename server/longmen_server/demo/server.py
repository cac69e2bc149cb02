"""A server of the demo's own, for when none runs: on a free port, with data that is thrown away."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START_S = 120.0
"""How long the server may take to serve, in seconds: the first start makes a database."""
STOP_S = 60.0
"""How long it may take to stop, in seconds, before it is killed."""
POLL_S = 0.2


class ServerDidNotStartError(Exception):
    """The server ended, or did not serve in time; the message is its own last line."""


@contextmanager
def own_server() -> Iterator[Mapping[str, str]]:
    """Start a server and stop it at the end; gives the environment that finds it.

    Raises:
        ServerDidNotStartError: it ended, or did not serve in time.
    """
    with tempfile.TemporaryDirectory(prefix="longmen-demo-") as folder:
        # The embedded Postgres may run as another user than this one.
        Path(folder).chmod(0o755)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("LONGMEN_")}
        environment = {
            **kept,
            "LONGMEN_DATA": str(Path(folder) / "data"),
            "LONGMEN_PORT": str(free_port()),
            "LONGMEN_LOG_LEVEL": "warning",
        }
        log = Path(folder) / "log"
        with log.open("wb") as lines:
            process = subprocess.Popen(
                [sys.executable, "-m", "longmen_server", "serve"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )
        try:
            wait_until_serving(process, environment["LONGMEN_PORT"], log)
            yield environment
        finally:
            stop(process)


def wait_until_serving(process: subprocess.Popen[bytes], port: str, log: Path) -> None:
    """Wait until the server takes calls."""
    from longmen_client import Client, Config

    ends = time.monotonic() + START_S
    with Client(Config(target=f"127.0.0.1:{port}")) as bank:
        while not bank.is_serving():
            if process.poll() is not None or time.monotonic() > ends:
                text = log.read_text("utf-8", "replace").strip()
                raise ServerDidNotStartError(text.rpartition("\n")[2] or "it said nothing")
            time.sleep(POLL_S)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server as Ctrl-C does, and kill what does not stop."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
