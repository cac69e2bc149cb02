"""The line between a till and the bank, which can be cut or swallow what the bank answers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

CHUNK = 65_536
"""Bytes carried at a time."""


class Line:
    """A TCP relay in front of a server."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._ways: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self._is_deaf = False

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
        self._hang_up()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    @property
    def address(self) -> str:
        """Where tills reach the bank through it."""
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Let nobody through."""
        self._is_cut = True
        self._hang_up()

    def swallow_answers(self) -> None:
        """Carry what the till says, and lose what the bank answers."""
        self._is_deaf = True

    def mend(self) -> None:
        """Let everything through; what was lost leaves a hole, so old links are dropped."""
        self._is_cut = self._is_deaf = False
        self._hang_up()

    def _hang_up(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far_writer}
        ways = [
            asyncio.ensure_future(self._carry(reader, far_writer, answers=False)),
            asyncio.ensure_future(self._carry(far_reader, writer, answers=True)),
        ]
        self._ways.update(ways)
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in (writer, far_writer):
                end.transport.abort()
            self._ends -= {writer, far_writer}
            self._ways.difference_update(ways)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if not (answers and self._is_deaf):
                    writer.write(data)
                    await writer.drain()
