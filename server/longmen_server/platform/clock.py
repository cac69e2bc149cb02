"""Time, injected: the only module that asks the machine what time it is.

Business time (bookings, expiries, cut-offs) is an integer of microseconds since 1970-01-01T00:00Z,
UTC, so that it is cheap, exact and sorts. Durations are measured with the monotonic clock, which
nobody can set.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import mmap
import os
import struct
import time
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DEFAULT_ZONE",
    "EPOCH",
    "Clock",
    "ClockMovesBackError",
    "OffsetClock",
    "SystemClock",
    "business_date",
    "from_microseconds",
    "to_microseconds",
]

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DEFAULT_ZONE: Final = ZoneInfo("Asia/Shanghai")
"""The calendar of a book that names no other."""

MICROSECOND: Final = dt.timedelta(microseconds=1)
QUARTER_US: Final = 900 * 1_000_000
QUARTERS_FROM_US: Final = (dt.datetime(1973, 1, 1, tzinfo=dt.UTC) - EPOCH) // MICROSECOND
"""From when on every zone's day begins at a quarter of an hour of UTC, so that nothing but the
quarter tells the day."""


def from_microseconds(at_us: int) -> dt.datetime:
    """The aware UTC datetime of an instant in microseconds since the epoch."""
    return EPOCH + dt.timedelta(microseconds=at_us)


def to_microseconds(at: dt.datetime) -> int:
    """Microseconds since the epoch of an aware datetime.

    Raises:
        ValueError: the datetime is naive, so nobody knows which instant it means.
    """
    if at.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return (at - EPOCH) // MICROSECOND


def business_date(at_us: int, zone: ZoneInfo = DEFAULT_ZONE) -> dt.date:
    """The calendar day of an instant in a book's zone."""
    if at_us < QUARTERS_FROM_US:
        return from_microseconds(at_us).astimezone(zone).date()
    return _date_of(at_us // QUARTER_US, zone)


@lru_cache(maxsize=256)
def _date_of(quarter: int, zone: ZoneInfo) -> dt.date:
    return from_microseconds(quarter * QUARTER_US).astimezone(zone).date()


class Clock(ABC):
    """What time it is, and how much has passed."""

    @property
    @abstractmethod
    def settable(self) -> bool:
        """Whether the business time can be moved."""

    @abstractmethod
    def now_us(self) -> int:
        """The current instant in microseconds since the epoch."""

    def now(self) -> dt.datetime:
        """The current instant as an aware UTC datetime."""
        return from_microseconds(self.now_us())

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never set and never back: for deadlines, durations."""
        return time.monotonic()


class SystemClock(Clock):
    """The machine's own time."""

    __slots__ = ()

    @property
    def settable(self) -> bool:
        """Never: the operating system owns it."""
        return False

    def now_us(self) -> int:
        """The machine's time in microseconds since the epoch."""
        return time.time_ns() // 1000  # noqa: TID251 - this is the clock


class ClockMovesBackError(ValueError):
    """A test clock was asked to show an earlier time than it already has.

    Attributes:
        now_us: What the clock shows, in microseconds since the epoch.
    """

    def __init__(self, now_us: int) -> None:
        super().__init__(f"the clock already shows {from_microseconds(now_us).isoformat()}")
        self.now_us = now_us


class OffsetClock(Clock):
    """The machine's time plus an offset that every process mapping the same file shares.

    The offset is one aligned 64-bit word, so a reader sees either the old or the new one, and a
    change reaches every worker at once without a message. Only non-production servers use it.
    """

    LAYOUT: Final = struct.Struct("=q")

    def __init__(self, path: Path) -> None:
        """Map the file, making it with an offset of zero when it is not there.

        Raises:
            OSError: the file cannot be made or mapped.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < self.LAYOUT.size:
                os.ftruncate(descriptor, self.LAYOUT.size)
            self._map = mmap.mmap(descriptor, self.LAYOUT.size)
        finally:
            os.close(descriptor)
        self._offset = memoryview(self._map).cast("q")

    @property
    def settable(self) -> bool:
        """Always: that is what this clock is for."""
        return True

    def now_us(self) -> int:
        """The machine's time plus the shared offset, in microseconds since the epoch."""
        return time.time_ns() // 1000 + self._offset[0]  # noqa: TID251 - this is the clock

    def set_us(self, target_us: int) -> None:
        """Move the clock of every process forward to an instant; it goes on from there.

        Raises:
            ClockMovesBackError: the clock already shows a later time.
        """
        real_us = time.time_ns() // 1000  # noqa: TID251 - this is the clock
        shown_us = real_us + self._offset[0]
        if target_us < shown_us:
            raise ClockMovesBackError(shown_us)
        self._offset[0] = target_us - real_us

    def close(self) -> None:
        """Unmap the file; the clock must not be read afterwards."""
        self._offset.release()
        with contextlib.suppress(BufferError):
            self._map.close()
