"""One client process of the load driver."""

from __future__ import annotations

import asyncio
import gc
import random
import time
import traceback
from typing import TYPE_CHECKING

import grpc.aio
import uvloop

from bench.load import Load, Share

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from multiprocessing.connection import Connection

    from bench.wire import Source

    Stub = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

BURST = 512
"""Open loop: calls started at one go when the schedule has fallen behind."""


def main(pipe: Connection) -> None:
    """Take loads from the pipe and answer with what was seen, until the other end closes."""
    # Collections in the middle of a window would show up as latency of the server.
    gc.disable()
    while True:
        try:
            load, seed = pipe.recv()
            requests = load.shape.requests(seed)
            pipe.send(None)
            start = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        pipe.send(run(load, requests, seed, start))
        del requests
        gc.collect()


def run(load: Load, requests: Source, seed: int, start: float) -> Share:
    """Carry out a load whose first call starts at a moment of the monotonic clock."""
    share = Share()
    try:
        uvloop.run(Session(load, requests, seed, start, share).run())
    except Exception:  # noqa: BLE001 - the parent process reports whatever it was
        share.problem = traceback.format_exc()
    return share


class Session:
    """The calls of one process during one load."""

    def __init__(self, load: Load, requests: Source, seed: int, start: float, share: Share) -> None:
        self._load = load
        self._requests = requests
        self._random = random.Random(seed)
        self._start = start
        self._from = start + load.warm_up
        self._until = self._from + load.seconds
        self._left = load.total
        self._last = self._from
        self._share = share
        self._metadata = (
            None if load.token is None else (("authorization", f"Bearer {load.token}"),)
        )

    async def run(self) -> None:
        """Connect, call until the end of the window, wait for what is still in flight."""
        channels = [self._channel(number) for number in range(self._load.connections)]
        try:
            await asyncio.gather(*(channel.channel_ready() for channel in channels))
            stubs: list[Stub] = [
                channel.unary_unary(self._load.shape.method) for channel in channels
            ]
            await asyncio.sleep(max(0.0, self._start - time.monotonic()))
            cpu = time.process_time()
            await (self._closed_loop(stubs) if self._load.rate is None else self._open_loop(stubs))
            self._share.cpu = time.process_time() - cpu
        finally:
            await asyncio.gather(*(channel.close() for channel in channels))
        finished = self._left is not None and self._left <= 0
        self._share.window = (self._last if finished else self._until) - self._from

    def _channel(self, number: int) -> grpc.aio.Channel:
        # Channels with equal arguments share one socket unless told otherwise.
        options = [("grpc.use_local_subchannel_pool", 1), ("longmen.bench.channel", number)]
        return grpc.aio.insecure_channel(self._load.target, options=options)

    async def _closed_loop(self, stubs: list[Stub]) -> None:
        async with asyncio.TaskGroup() as group:
            for index in range(self._load.in_flight):
                group.create_task(self._caller(stubs[index % len(stubs)]))

    async def _caller(self, stub: Stub) -> None:
        while True:
            now = time.monotonic()
            if now >= self._until or (self._left is not None and self._left <= 0):
                return
            if self._left is not None:
                self._left -= 1
            await self._call(stub, now)

    async def _open_loop(self, stubs: list[Stub]) -> None:
        assert self._load.rate is not None
        # A semaphore bounds memory only: latency counts from the schedule, waiting included.
        slots = asyncio.Semaphore(self._load.in_flight)
        due, number = self._start, 0
        async with asyncio.TaskGroup() as group:
            while due < self._until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                for _ in range(BURST):
                    if due > time.monotonic() or due >= self._until:
                        break
                    await slots.acquire()
                    task = self._call(stubs[number % len(stubs)], due)
                    group.create_task(released(task, slots.release))
                    number += 1
                    due += self._random.expovariate(self._load.rate)

    async def _call(self, stub: Stub, intended: float) -> None:
        share = self._share
        share.calls += 1
        try:
            reply = await stub(
                self._requests.make(), timeout=self._load.timeout, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            self._refused(error, time.monotonic() - intended)
            return
        made = self._requests.check(reply)
        now = time.monotonic()
        share.acknowledged += made
        if self._from <= now < self._until:
            share.completed += 1
            share.transfers += made
            share.latencies.append(now - intended)
            self._last = now

    def _refused(self, error: grpc.aio.AioRpcError, seconds: float) -> None:
        if not self._load.tolerate_refusals:
            raise error
        self._share.refusals[error.code().name] += 1
        if self._from <= time.monotonic() < self._until:
            self._share.refusal_latencies.append(seconds)


async def released(task: Coroutine[object, object, None], release: Callable[[], None]) -> None:
    """Await a call and then give its slot back."""
    try:
        await task
    finally:
        release()
