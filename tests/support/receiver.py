"""A merchant's server of every temper, on this machine."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWERS = {
    "ok": b"HTTP/1.1 204 No Content\r\n\r\n",
    "down": b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
    "gone": b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nlocation: /ok/elsewhere\r\ncontent-length: 0\r\n\r\n",
    "liar": b"HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n",
    "huge": b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n" + b"x" * 65_536,
}


class Receiver:
    """Takes posts; the first word of the path says how it answers, unless that was changed."""

    def __init__(self) -> None:
        self.port = 0
        self.got: defaultdict[str, list[tuple[dict[str, str], bytes]]] = defaultdict(list)
        """Headers and bodies by path."""
        self.tempers: dict[str, str] = {}
        self.failing: Counter[str] = Counter()
        """How many posts to a path are answered with 500 before its temper shows."""
        self._hold = asyncio.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1].lstrip("/")
            headers = {
                name.lower(): value
                for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.got[path].append((headers, body))
            temper = self.tempers.get(path) or path.split("/")[0]
            if self.failing[path]:
                self.failing[path] -= 1
                temper = "down"
            if temper == "slow":
                await self._hold.wait()
            writer.write(ANSWERS.get(temper, ANSWERS["ok"]))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def let_go(self) -> None:
        """Let slow answers come."""
        self._hold.set()


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.let_go()
        server.close()
