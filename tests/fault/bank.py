"""The outside of the tellers: callers that never give up, and the log of what was acknowledged."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.fault import work
from tests.support.audit import audit

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = frozenset({"OUTCOME_UNKNOWN", "STORAGE_UNAVAILABLE", "CONTENTION", "OVERLOADED"})
"""Answers that ask the caller to ask again."""
READY_SECONDS = 60
PAUSE_SECONDS = 0.02


class Answer(NamedTuple):
    """What a teller said."""

    verdict: str
    replayed: bool
    digest: str


class Teller:
    """One process, alive or not."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[Answer | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.fault.teller", self._dsn),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_SECONDS):
            line = await self._process.stdout.readline()
        assert line == b"ready\n", f"the teller says {line!r}"
        self._reader = asyncio.create_task(self._read(self._process.stdout))

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            if not line.endswith(b"\n"):
                break  # died while it spoke
            number, verdict, replayed, digest = line.decode().split()
            waiting = self._waiting.pop(int(number), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(Answer(verdict, replayed == "1", digest))
        for future in self._waiting.values():
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def _say(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())

    def arm(self, point: str, action: str) -> None:
        self._say(f"arm {point} {action}\n")

    async def ask(self, number: int) -> Answer | None:
        """The answer to a request; None when the teller died over it."""
        if not self.alive or self._reader is None or self._reader.done():
            return None
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._say(f"ask {number}\n")
        return await future

    def kill(self) -> None:
        """As `kill -9`."""
        if self.alive:
            assert self._process is not None
            self._process.kill()

    async def ended(self) -> None:
        """Wait until the process is gone and everything it said was read."""
        assert self._process is not None
        await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def close(self) -> None:
        """Let it finish and end; a dead one has ended already."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.ended()
        except TimeoutError:
            self.kill()
            await self.ended()


class Bank:
    """Tellers, callers, and a log of acknowledgements outside of both."""

    def __init__(self, tellers: Iterable[Teller], log: Path) -> None:
        self.tellers = list(tellers)
        self.done: dict[int, Answer] = {}
        """First definite answer to each request."""
        self.unknown = 0
        """Times that a request was left without a definite answer."""
        self.stopping = False
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._path = log
        self._next = 0

    async def call(self, number: int) -> None:
        """Ask until the answer is definite, of whoever is there."""
        turn = number
        while True:
            answer = await self.tellers[turn % len(self.tellers)].ask(number)
            if answer is not None and answer.verdict not in UNKNOWN:
                break
            self.unknown += 1
            turn += 1
            await asyncio.sleep(PAUSE_SECONDS)
        os.write(self._log, f"{number} {answer.verdict} {answer.digest}\n".encode())
        self.done[number] = answer

    async def caller(self) -> None:
        """Ask for one thing after another until told to stop."""
        while not self.stopping:
            self._next += 1
            await self.call(self._next)

    async def ask_again(self, share: int) -> None:
        """Ask some of the answered requests once more: the answer must be the same."""
        numbers = sorted(self.done)[::share]
        answers = await asyncio.gather(*(self.tellers[0].ask(number) for number in numbers))
        for number, answer in zip(numbers, answers, strict=True):
            first = self.done[number]
            assert answer == Answer(first.verdict, True, first.digest), f"request {number}"

    def check(self, dsn: str) -> None:
        """Prove the books, and every acknowledgement in the log outside."""
        os.close(self._log)
        print(f"{len(self.done)} acknowledged, {self.unknown} times in doubt")  # noqa: T201
        books = audit(dsn)
        work.check_effects(books, {n: answer.verdict for n, answer in self.done.items()})
        lines = self._path.read_text("ascii").splitlines()
        logged = {int(line.split()[0]): line.split()[1] for line in lines}
        assert len(logged) == len(lines) == len(self.done), "acknowledged once each"
        work.check_effects(books, logged)
