"""Failpoints: named places where a test makes the engine stop, fail or wait.

They are inert unless the settings arm them, which the production profile refuses. A point is armed
as ``name=action`` or ``name=action:argument``, several separated by commas:

    after_commit=kill          end the process as kill -9 would
    loaded=error               raise FailpointError, once
    before_commit=delay:250    wait 250 ms, every time
"""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

#: Every phase boundary of a batch, in the order they are passed.
POINTS = ("gathered", "loaded", "decided", "before_commit", "after_commit", "answered")


class FailpointError(RuntimeError):
    """Raised at a failpoint armed with ``error``."""


@dataclass(slots=True)
class _Armed:
    action: str
    argument: int


class Failpoints:
    """The failpoints of one process."""

    __slots__ = ("_armed",)

    def __init__(self, text: str = "") -> None:
        self._armed: dict[str, _Armed] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            name, _, action = item.partition("=")
            self.arm(name, action)

    @property
    def any_armed(self) -> bool:
        """Whether any point is armed; the engine looks here before it looks anywhere."""
        return bool(self._armed)

    def arm(self, name: str, action: str) -> None:
        """Arm a point. An unknown name or action raises ValueError."""
        verb, _, argument = action.partition(":")
        if name not in POINTS:
            raise ValueError(f"no failpoint is called {name!r}; there are {', '.join(POINTS)}")
        if verb not in {"kill", "error", "delay"}:
            raise ValueError(f"failpoint {name} cannot {verb!r}; it can kill, error or delay")
        self._armed[name] = _Armed(verb, int(argument or 0))

    def disarm(self, name: str) -> None:
        """Disarm a point that may be armed."""
        self._armed.pop(name, None)

    async def hit(self, name: str) -> None:
        """Do what the point is armed with, if it is."""
        armed = self._armed.get(name)
        if armed is None:
            return
        if armed.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if armed.action == "error":
            self.disarm(name)
            raise FailpointError(f"failpoint {name}")
        await asyncio.sleep(armed.argument / 1000)
