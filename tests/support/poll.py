"""Waiting for something that tells nobody when it happens."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAUSE_SECONDS = 0.002


async def until(
    condition: Callable[[], bool | Awaitable[bool]], what: str, *, seconds: float = 20
) -> None:
    """Return when the condition holds; fail the test when it does not in time."""
    end = time.monotonic() + seconds
    while True:
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(PAUSE_SECONDS)


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
    """The same for tests without an event loop."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(PAUSE_SECONDS)
