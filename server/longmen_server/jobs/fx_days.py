"""Revalues positions in foreign currencies once a business date has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.jobs.job import COMMAND_SECONDS_MAX, Done
from longmen_server.platform.refusal import Refusal
from longmen_server.positions.commands import Revalue
from longmen_server.settlements.calendar import CALENDAR, DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.jobs.job import Workplace

PAUSE_SECONDS: Final = 60.0


class FxDays:
    """Closes each business date once; its progress is the date that follows the last one closed.

    What is refused, such as for rates that are too old, is tried again every minute: once there are
    rates the date is closed.
    """

    name = "fx_days"

    def __init__(self, age_max_us: Callable[[int], int]) -> None:
        """Take how old a rate may be, from what the price list says."""
        self._age_max_us = age_max_us
        self._again_at: dict[int, float] = {}
        """Monotonic seconds before which a refused book is left alone."""

    async def take(self, workplace: Workplace) -> Done:
        """Close the business date before the present one."""
        today = CALENDAR.date_of(workplace.clock.now_us())
        now = workplace.clock.monotonic()
        if workplace.progress >= today.toordinal() or now < self._again_at.get(workplace.book, now):
            return Done(0, more=False)
        command = Revalue(
            workplace.book,
            None,
            business_date=today - DAY,
            transaction_id=workplace.new_transaction_id(),
            age_max_us=self._age_max_us,
        )
        try:
            await workplace.engine.submit(command, deadline=now + COMMAND_SECONDS_MAX)
        except Refusal as refusal:
            # Somebody may have closed the present date already, by hand.
            if refusal.reason != "FX_REVALUATION_SUPERSEDED":
                self._again_at[workplace.book] = now + PAUSE_SECONDS
                raise
        return Done(1, more=False, progress=today.toordinal())
