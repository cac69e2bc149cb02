"""A client of either stack, for tests that drive both."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from longmen_client import AsyncClient, Client, Config


class Bank:
    """A client of either stack behind plain calls, so that one test drives both."""

    def __init__(self, kind: str, config: Config) -> None:
        self.kind = kind
        self._loop = asyncio.new_event_loop() if kind == "asyncio" else None
        self.client: Any = AsyncClient(config) if self._loop else Client(config)

    def call(self, path: str, **arguments: Any) -> Any:
        """Call ``service.method`` and wait for its answer."""
        service, _, name = path.partition(".")
        target = getattr(self.client, service)
        return self.wait((getattr(target, name) if name else target)(**arguments))

    def wait(self, result: Any) -> Any:
        """The value behind a result that may have to be awaited."""
        if inspect.isawaitable(result):
            assert self._loop is not None
            return self._loop.run_until_complete(_awaited(result))
        return result

    def take(self, stream: Any, count: int | None = None) -> list[Any]:
        """So many items of a stream or pager, or all."""
        if self._loop is not None:
            return self._loop.run_until_complete(_collect(stream, count))
        found = []
        for item in stream:
            found.append(item)
            if len(found) == count:
                break
        return found

    def close(self) -> None:
        if self._loop is None:
            self.client.close()
            return
        self._loop.run_until_complete(self.client.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


async def _awaited(result: Any) -> Any:
    return await result


async def _collect(stream: Any, count: int | None) -> list[Any]:
    found = []
    async for item in stream:
        found.append(item)
        if len(found) == count:
            break
    return found
