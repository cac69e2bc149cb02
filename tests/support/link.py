"""A bad network between an engine and its Postgres.

It understands as much of Postgres' protocol as it needs to see a commit pass, and can then lose the
commit, its answer, or everything from there on.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

Fate = Literal["lose_request", "lose_reply", "strand", "silence", "pass"]
"""What becomes of a commit:
lose_request: the link ends before it arrives;
lose_reply: the link ends after it took effect;
strand: the client's side ends, and the server's stays in its transaction, with its locks;
silence: it arrives, and nothing is ever heard again;
pass: nothing."""

CHUNK = 65_536
COMMITTED = b"COMMIT\0"


class Link:
    """Listens on a Unix socket and passes everything on to the real one."""

    def __init__(self, dsn: str) -> None:
        self._given: dict[str, Any] = conninfo_to_dict(dsn)
        self._folder = tempfile.TemporaryDirectory(prefix="longmen-link-")
        self._target = f"{self._given['host']}/.s.PGSQL.5432"
        self._server: asyncio.Server | None = None
        self._open: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.fates: deque[Fate] = deque()
        """Of the commits to come; when there are none left, they pass."""
        self.met: list[Fate] = []
        """What commits have met so far."""
        self.cut = False
        """Whether new connections are refused."""
        self.cut_with_commit = False
        """Whether they are from the moment on that a commit is lost."""

    @property
    def dsn(self) -> str:
        """Where the link listens."""
        return make_conninfo(**{**self._given, "host": self._folder.name})

    async def __aenter__(self) -> Self:
        path = Path(self._folder.name) / ".s.PGSQL.5432"
        self._server = await asyncio.start_unix_server(self._accept, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._folder.cleanup()

    def reset(self) -> None:
        """End every connection, whatever is under way on it."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.cut:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self._target)
        wire = _Wire(self, reader, writer, server_reader, server_writer)
        self._open |= {writer, server_writer}
        try:
            # Cancelled when the test ends; what started this handler would log that as an error.
            with contextlib.suppress(asyncio.CancelledError):
                await wire.run()
        finally:
            self._open -= {writer, server_writer}

    def next_fate(self) -> Fate:
        fate = self.fates.popleft() if self.fates else "pass"
        self.met.append(fate)
        if fate != "pass" and self.cut_with_commit:
            self.cut = True
        return fate


class _Wire:
    """One connection through the link."""

    def __init__(
        self,
        link: Link,
        client: StreamReader,
        to_client: StreamWriter,
        server: StreamReader,
        to_server: StreamWriter,
    ) -> None:
        self._link = link
        self._client, self._to_client = client, to_client
        self._server, self._to_server = server, to_server
        self._commits: set[bytes] = set()
        self._fate: Fate = "pass"
        self._started = False

    async def run(self) -> None:
        """Pass on both ways until either side ends."""
        ways = [asyncio.ensure_future(self._upward()), asyncio.ensure_future(self._downward())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if self._fate in {"strand", "silence"}:
                await asyncio.gather(*ways, return_exceptions=True)
                if self._fate == "strand":
                    await self._server.read()  # until the server is told to end its side
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (self._to_client, self._to_server):
                writer.transport.abort()

    async def _upward(self) -> None:
        pending = b""
        with contextlib.suppress(ConnectionError):
            while data := await self._client.read(CHUNK):
                pending += data
                passed, pending = self._judge(pending)
                if self._fate == "lose_request":
                    return
                if self._fate == "strand":
                    self._to_client.transport.abort()
                    return
                self._to_server.write(passed)
                await self._to_server.drain()

    async def _downward(self) -> None:
        answered = b""
        with contextlib.suppress(ConnectionError):
            while data := await self._server.read(CHUNK):
                if self._fate == "lose_reply":
                    answered += data
                    if COMMITTED in answered:
                        return
                elif self._fate == "pass":
                    self._to_client.write(data)
                    await self._to_client.drain()

    def _judge(self, data: bytes) -> tuple[bytes, bytes]:
        """Cut data into messages; what may pass, and what is incomplete or held back."""
        at = 0
        while True:
            size = self._size(data, at)
            if size is None or at + size > len(data):
                return data[:at], data[at:]
            if self._is_commit(data[at : at + size]):
                self._fate = self._link.next_fate()
                if self._fate in {"lose_request", "strand"}:
                    return data[:at], data[at:]
            at += size

    def _size(self, data: bytes, at: int) -> int | None:
        """The length of the message that begins here, or None when that cannot be told yet."""
        head = 0 if not self._started else 1
        if len(data) < at + head + 4:
            return None
        size = head + int.from_bytes(data[at + head : at + head + 4], "big")
        if not self._started and len(data) >= at + size:
            self._started = True  # the first message of a connection has no type
        return size

    def _is_commit(self, message: bytes) -> bool:
        kind, body = message[:1], message[5:]
        if kind == b"P":
            name, query, _ = body.split(b"\0", 2)
            if query == b"commit":
                self._commits.add(name)
        if kind != b"B":
            return False
        _, name, _ = body.split(b"\0", 2)
        return name in self._commits
