"""Drops replies to requests when the time they are kept for is over.

The request's id and content stay for ever: a late repetition is told REPLY_EXPIRED, never done
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.jobs.job import Done
from longmen_server.jobs.queries import first_request_us, forget_replies

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace

DAY_US: Final = 86_400 * 1_000_000

SPAN_US: Final = 3600 * 1_000_000
"""Width of the span of time looked at by one statement."""

PAUSE_US: Final = 60 * 1_000_000
"""Spans narrower than this are left for later: replies need not go to the second."""


class ReplyExpiry:
    """Walks behind the present at the distance that replies are kept for."""

    name = "reply_expiry"

    def __init__(self, *, kept_days: int) -> None:
        """Take how many days replies are kept."""
        self._kept_us = kept_days * DAY_US

    async def take(self, workplace: Workplace) -> Done:
        """Drop the replies of one span of time, or some of them."""
        book, connection = workplace.book, workplace.connection
        cutoff_us = workplace.clock.now_us() - self._kept_us
        from_us = workplace.progress
        if not from_us:
            first_us = await first_request_us(connection, book)
            if first_us is None:
                return Done(0, more=False)
            from_us = first_us
        to_us = min(from_us + SPAN_US, cutoff_us)
        if to_us - from_us < PAUSE_US:
            return Done(0, more=False, progress=from_us)
        dropped = await forget_replies(
            connection, book, from_us=from_us, to_us=to_us, limit=workplace.items_max
        )
        if dropped == workplace.items_max:
            return Done(dropped, more=True, progress=from_us)
        return Done(dropped, more=to_us < cutoff_us, progress=to_us)
