"""The workers of a server: started, watched, restarted when they crash, drained at the end.

Runs in the supervisor, in one thread, around one selector: signals, workers' reports and a tick for
what has to be polled. Workers have sessions of their own, so that Ctrl-C reaches the supervisor
alone and stops them in order.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self

from longmen_server.config import to_environment
from longmen_server.platform.postgres import EmbeddedPostgres, LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from longmen_server.config import Settings

__all__ = ["Crew", "CrewError", "signals"]

READY_SECONDS: Final = 60.0
"""How long the workers of a new server may take until they serve."""
STEADY_SECONDS: Final = 30.0
"""A worker that ran this long starts over with the shortest delay when it crashes."""
POSTGRES_PAUSE_SECONDS: Final = 0.2
POSTGRES_SECONDS: Final = 60.0
"""How long a Postgres that died is tried to be started again before the server gives up."""
TICK_SECONDS: Final = 0.1

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CrewError(Exception):
    """The workers do not come up, or cannot go on; the message is one line for the operator."""


class Signals:
    """How often we were asked to stop, and a socket that wakes a selector when it happens."""

    def __init__(self) -> None:
        self.asked = 0
        self.receiver, self._sender = socket.socketpair()
        self.receiver.setblocking(False)
        self._sender.setblocking(False)

    def handle(self, _number: int, _frame: object) -> None:
        """Note a signal; the wake-up byte is written by the interpreter."""
        self.asked += 1

    @property
    def sender_fd(self) -> int:
        """For `signal.set_wakeup_fd`."""
        return self._sender.fileno()

    def close(self) -> None:
        """Close both ends."""
        self.receiver.close()
        self._sender.close()


@contextmanager
def signals() -> Iterator[Signals]:
    """Take over the signals that stop a program, and give them back at the end."""
    taken = Signals()
    before = {number: signal.signal(number, taken.handle) for number in STOPPING}
    wakeup_before = signal.set_wakeup_fd(taken.sender_fd)
    try:
        yield taken
    finally:
        signal.set_wakeup_fd(wakeup_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        taken.close()


class Worker:
    """One place in the crew and the process that fills it at the moment."""

    def __init__(self, index: int, settings: Settings, selector: selectors.BaseSelector) -> None:
        self.index = index
        self.ready = False
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.restart_at = 0.0
        self.crashes_in_a_row = 0
        self._settings = settings
        self._selector = selector
        self._report: int | None = None

    def start(self) -> None:
        """Start the process and hand it its settings through its standard input."""
        self._report, theirs = os.pipe()
        os.set_blocking(self._report, False)
        self._selector.register(self._report, selectors.EVENT_READ, self)
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "longmen_server.worker", str(self.index), str(theirs)],
            stdin=subprocess.PIPE,
            pass_fds=(theirs,),
            start_new_session=True,
        )
        os.close(theirs)
        assert self.process.stdin is not None
        line = json.dumps(to_environment(self._settings)).encode() + b"\n"
        # When it is dead already, the next look at it will find so.
        with suppress(BrokenPipeError):
            self.process.stdin.write(line)
            self.process.stdin.flush()

    def read_report(self) -> None:
        """Take the line that says the worker serves."""
        assert self._report is not None
        if os.read(self._report, 64):
            self.ready = True
        else:
            self._close_report()

    def ended(self) -> int | None:
        """The exit status when the process has ended since the last look."""
        if self.process is None:
            return None
        status = self.process.poll()
        if status is not None:
            self._forget()
        return status

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, if there is one."""
        if self.process is not None:
            self.process.send_signal(number)

    def wait(self, until: float) -> None:
        """Wait for the end of the process; kill it when the time is up."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._forget()

    def _forget(self) -> None:
        """Close what belonged to a process that has ended."""
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process = None
        self.ready = False
        self._close_report()

    def _close_report(self) -> None:
        if self._report is not None:
            self._selector.unregister(self._report)
            os.close(self._report)
            self._report = None


class Crew:
    """All workers of a server."""

    def __init__(
        self, settings: Settings, announce: Callable[[str], None], stopping: Signals
    ) -> None:
        """Describe the crew; `start` starts it."""
        self._settings = settings
        self._announce = announce
        self._stopping = stopping
        self._selector = selectors.DefaultSelector()
        self._selector.register(stopping.receiver, selectors.EVENT_READ, None)
        self._workers = [
            Worker(index, settings, self._selector) for index in range(settings.workers)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drain()
        self._selector.close()

    def start(self) -> None:
        """Start every worker."""
        for worker in self._workers:
            worker.start()

    def await_ready(self) -> bool:
        """Wait until every worker serves; False when we were asked to stop first.

        Raises:
            CrewError: a worker ended, or takes too long.
        """
        until = time.monotonic() + READY_SECONDS
        while not all(worker.ready for worker in self._workers):
            self._look(TICK_SECONDS)
            if self._stopping.asked:
                return False
            for worker in self._workers:
                if worker.ended() is not None:
                    raise CrewError(f"worker {worker.index} could not start; see the line above")
            if time.monotonic() > until:
                raise CrewError(f"the workers did not serve within {READY_SECONDS:.0f} s")
        return True

    def keep_running(self, postgres: EmbeddedPostgres | None) -> None:
        """Restart what crashes until we are asked to stop.

        Raises:
            CrewError: the embedded Postgres died and does not come back.
        """
        while not self._stopping.asked:
            self._look(TICK_SECONDS)
            if postgres is not None and postgres.poll() is not None:
                self._revive(postgres)
            for worker in self._workers:
                self._mend(worker)

    def _look(self, seconds: float) -> None:
        """Sleep until something happens, and take reports."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Worker):
                key.data.read_report()
            else:
                self._stopping.receiver.recv(64)

    def _mend(self, worker: Worker) -> None:
        """Start a worker that has ended again, later with each crash in a row."""
        status = worker.ended()
        now = time.monotonic()
        if status is not None:
            if now - worker.started_at > STEADY_SECONDS:
                worker.crashes_in_a_row = 0
            shortest, longest = (
                self._settings.restart_delay_ms_min,
                self._settings.restart_delay_ms_max,
            )
            delay_ms = min(longest, shortest << min(worker.crashes_in_a_row, 20))
            worker.crashes_in_a_row += 1
            worker.restart_at = now + delay_ms / 1000
            self._announce(
                f"worker {worker.index} ended ({outcome(status)}); "
                f"starting it again in {delay_ms} ms"
            )
        elif worker.process is None and now >= worker.restart_at:
            worker.start()

    def _revive(self, postgres: EmbeddedPostgres) -> None:
        """Start a Postgres again that died; workers wait and reconnect by themselves."""
        self._announce("Postgres has died; starting it again")
        until = time.monotonic() + POSTGRES_SECONDS
        while not self._stopping.asked:
            try:
                postgres.start()
            except LaunchError as error:
                # Its last children may still hold the shared memory for a moment.
                if time.monotonic() > until:
                    raise CrewError(f"Postgres does not come back: {error}") from error
                self._look(POSTGRES_PAUSE_SECONDS)
            else:
                self._announce("Postgres is back")
                return

    def _drain(self) -> None:
        """Ask all workers to finish and wait; a second signal, or too long a wait, kills them."""
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        edge = self._settings.edge
        seconds = edge.readiness_delay_s + edge.drain_grace_s + self._settings.drain_margin_s
        until = time.monotonic() + seconds
        asked = self._stopping.asked
        while any(w.process is not None and w.process.poll() is None for w in self._workers):
            if time.monotonic() > until or self._stopping.asked > asked:
                break
            self._look(TICK_SECONDS)
        for worker in self._workers:
            worker.wait(time.monotonic())


def outcome(status: int) -> str:
    """How a process ended, in words."""
    if status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with status {status}"
