"""The server's clock as the market moves it: on to a morning, over half an hour, into the night."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from longmen_client import AsyncClient

ZONE: Final = ZoneInfo("Asia/Shanghai")
"""Of the institution's business dates."""
OPENS: Final = dt.time(9, 0)
"""When the market opens: so early that the whole day is on one business date."""
NIGHT: Final = dt.time(0, 10)
"""When the bank's jobs of a date are looked for."""


class MarketClock:
    """What the server takes for the time; only ever moved forward, and only where that is let."""

    def __init__(self, bank: AsyncClient) -> None:
        self._bank = bank
        self._base_s = 0.0
        self._set_at_s = 0.0
        self.day = dt.date.min
        """The market's business date."""

    async def open(self) -> None:
        """Move on to the next morning.

        Raises:
            LongmenError: the server is one whose clock cannot be moved.
        """
        found = await self._bank.admin.get_clock()
        self.day = dt.date.fromisoformat(found.business_date) + dt.timedelta(days=1)
        await self.move_to(self.day, OPENS)

    async def move_to(self, day: dt.date, at: dt.time) -> None:
        """Move the server's clock on to a local time."""
        await self._set(dt.datetime.combine(day, at, tzinfo=ZONE))

    async def pass_by(self, span: dt.timedelta) -> None:
        """Let some time pass."""
        await self._set(dt.datetime.fromtimestamp(self.seconds(), dt.UTC) + span)

    def seconds(self) -> float:
        """Seconds since 1970 by the server's clock, as phones in the market have them."""
        return self._base_s + time.monotonic() - self._set_at_s

    async def _set(self, moment: dt.datetime) -> None:
        await self._bank.admin.set_clock(time=moment)
        self._base_s, self._set_at_s = moment.timestamp(), time.monotonic()
