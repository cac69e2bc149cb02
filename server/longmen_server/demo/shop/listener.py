"""The merchants' web server: takes what the bank tells, and believes only what is signed."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Self

from longmen_app.payer_code import machine_time
from longmen_merchant.webhooks import WebhookError, WebhookEvent, verify

if TYPE_CHECKING:
    from types import TracebackType

TAKEN = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
NOT_NOW = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


class Listener:
    """Takes posts to /<stall>, checks them with the stall's secret, and keeps each event once."""

    def __init__(self) -> None:
        self.events: defaultdict[int, dict[str, WebhookEvent]] = defaultdict(dict)
        """By stall and id."""
        self.secrets: dict[int, str] = {}
        self.repeated = 0
        """Events that came more than once, which is allowed."""
        self.problems: list[str] = []
        self.turned_away: Counter[int] = Counter()
        """How many posts to a stall are still to be answered with "not now"."""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()

    def url(self, stall: int) -> str:
        """Where a stall is told."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/{stall}"

    def count(self, kind: str) -> int:
        """How many different events of a type came to all stalls."""
        return sum(
            event.type == kind for events in self.events.values() for event in events.values()
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            stall = int(head[0].split(" ")[1].lstrip("/"))
            headers = {
                name.lower(): value
                for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            writer.write(TAKEN if self._take(stall, headers, body) else NOT_NOW)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _take(self, stall: int, headers: dict[str, str], body: bytes) -> bool:
        if self.turned_away[stall] > 0:
            self.turned_away[stall] -= 1
            return False
        try:
            event = verify(body, headers, [self.secrets[stall]], now=machine_time())
        except (WebhookError, KeyError) as error:
            self.problems.append(f"a webhook to stall {stall} is not to be believed: {error!r}")
            return False
        if event.is_new_to(self.events[stall]):
            self.events[stall][event.id] = event
        else:
            self.repeated += 1
        return True
