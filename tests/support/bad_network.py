"""A bad network between a till and the bank: what one side says is lost, or links break."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from types import TracebackType

Mood = Literal["pass", "lose_requests", "lose_replies", "refuse"]
"""What becomes of traffic: it passes; what one side says vanishes; nobody is let in and all links
that there are break."""

CHUNK = 65_536


class BadNetwork:
    """A TCP proxy in front of a server, whose mood can be changed at any time."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.mood: Mood = "pass"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def become(self, mood: Mood) -> None:
        """Change the mood; a network that refuses breaks what there is as well."""
        self.mood = mood
        if mood == "refuse":
            self.reset()

    def reset(self) -> None:
        """Break every link."""
        for writer in self._links:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mood == "refuse":
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._links |= {writer, far_writer}
        ways = [
            asyncio.ensure_future(self._carry(reader, far_writer, "lose_requests")),
            asyncio.ensure_future(self._carry(far_reader, writer, "lose_replies")),
        ]
        self._tasks.update(ways)
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in (writer, far_writer):
                end.transport.abort()
            self._links -= {writer, far_writer}
            self._tasks.difference_update(ways)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost_when: Mood
    ) -> None:
        lost = False
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                # What vanished once leaves a hole: nothing behind it can be understood either.
                lost = lost or self.mood == lost_when
                if not lost:
                    writer.write(data)
                    await writer.drain()
