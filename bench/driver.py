"""The load driver: client processes that call a server and measure what they see."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING, Self

from bench import client
from bench.load import Load, LoadError, Result, Share, divide, merge

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

CONNECT_SECONDS = 0.5
"""Between all being ready and the common start; channels are opened and warm by then."""

PREPARE_SECONDS = 30.0
"""How long a client process may take to make its requests before the load counts as failed."""

DRAIN_SECONDS = 30.0
"""How long calls in flight at the end of a load may take before the load counts as failed."""


class Driver:
    """Client processes that live as long as the bench and take one load after another."""

    def __init__(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._processes: list[SpawnProcess] = []
        self._pipes: list[Connection] = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=client.main, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)
        self._seed = time.monotonic_ns()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(5)
            if process.is_alive():
                process.kill()

    def run(self, load: Load) -> Result:
        """Put the load on its target and wait for the end.

        Raises:
            LoadError: a call failed, or a client process did.
        """
        shares = divide(load, len(self._pipes))
        active = self._pipes[: len(shares)]
        for pipe, share in zip(active, shares, strict=True):
            self._seed += 1
            pipe.send((share, self._seed))
        for pipe in active:
            self._await(pipe, PREPARE_SECONDS)
        start = time.monotonic() + CONNECT_SECONDS
        for pipe in active:
            pipe.send(start)
        limit = CONNECT_SECONDS + load.warm_up + load.seconds + DRAIN_SECONDS
        return merge([self._receive(pipe, limit) for pipe in active])

    def _receive(self, pipe: Connection, limit: float) -> Share:
        share = self._await(pipe, limit)
        assert isinstance(share, Share)
        return share

    @staticmethod
    def _await(pipe: Connection, limit: float) -> object:
        if not pipe.poll(limit):
            raise LoadError("a client process did not answer in time")
        try:
            return pipe.recv()
        except EOFError:
            raise LoadError("a client process died") from None
