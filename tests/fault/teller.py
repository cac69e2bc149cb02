"""A worker process for tests to kill: an engine that does numbered work, asked over its pipes.

Reads lines ``ask <number>`` and ``arm <failpoint> <action>``; answers each ask with a line of
``<number> <verdict> <replayed> <digest of the reply>``.
"""

from __future__ import annotations

import asyncio
import sys
from hashlib import sha256

import structlog

from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.engine.writer import WriterLimits
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.refusal import Refusal
from tests.fault import work
from tests.support import booking

PATIENCE_SECONDS = 60


class Teller:
    def __init__(self, dsn: str) -> None:
        self.clock = SystemClock()
        self.points = Failpoints()
        self.engine = Engine(
            dsn=dsn,
            books=[1],
            clock=self.clock,
            failpoints=self.points,
            limits=WriterLimits(batch_commands_max=16),  # many batches, for many boundaries
        )

    async def run(self) -> None:
        await self.engine.start()
        for command in work.opening(self.clock):
            await self.engine.submit(command, deadline=self.clock.monotonic() + PATIENCE_SECONDS)
        print("ready", flush=True)  # noqa: T201 - its way of talking
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        tasks = set()
        while line := await reader.readline():
            verb, *words = line.decode().split()
            if verb == "arm":
                self.points.arm(words[0], words[1])
                continue
            task = asyncio.create_task(self.answer(int(words[0])))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        await self.engine.stop()

    async def answer(self, number: int) -> None:
        command = work.command_of(number, self.clock)
        replayed, reply = False, b""
        try:
            outcome = await self.engine.submit(
                command, deadline=self.clock.monotonic() + PATIENCE_SECONDS
            )
            reply, replayed = outcome
            verdict = "CREATED"
            if number % 10 != 8:
                verdict = "/".join({booking.verdict_of(r) for r in booking.results(outcome)})
        except Refusal as refusal:
            verdict = refusal.reason
        digest = sha256(reply).hexdigest()[:16]
        print(number, verdict, int(replayed), digest, flush=True)  # noqa: T201 - its way of talking


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(Teller(sys.argv[1]).run())
