"""A clock that stands still until a test moves it."""

from __future__ import annotations

from longmen_server.platform.clock import Clock

START_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z, where every test begins."""


class SettableClock(Clock):
    """Business time by hand; the monotonic clock stays real, so deadlines work."""

    def __init__(self, now_us: int = START_US) -> None:
        self._now_us = now_us

    @property
    def settable(self) -> bool:
        return True

    def now_us(self) -> int:
        return self._now_us

    def set_us(self, now_us: int) -> None:
        self._now_us = now_us

    def advance(self, seconds: float) -> None:
        self._now_us += round(seconds * 1_000_000)
