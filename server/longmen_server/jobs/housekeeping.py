"""Removes what has served its purpose: codes, sessions, challenges, nonces, settled messages.

Rows go in bounded takes, the oldest first, by indexes that are there anyway: ids begin with the
time that they were made at. How long each is kept is a setting with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.jobs.job import Done
from longmen_server.jobs.queries_sweeps import (
    ENDED_SESSIONS,
    ENDED_STAFF_SESSIONS,
    FORGOTTEN_SUBJECTS,
    MESSAGE_CODES,
    NONCES,
    SENDINGS,
    SETTLED_DELIVERIES,
    SETTLED_MESSAGES,
    SIGN_INS,
    TOLD_NOTICES,
    UNUSED_CHALLENGES,
    USED_CHALLENGES,
    VERIFICATIONS,
    sweep,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.jobs.job import Workplace
    from longmen_server.jobs.queries_sweeps import Sweep
    from longmen_server.jobs.settings import JobSettings
    from longmen_server.platform.clock import Clock

__all__ = ["Housekeeping"]

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
PAUSE_US: Final = 60 * SECOND_US
"""How often it looks once it is done: nothing here goes to the second."""

SENDINGS_KEPT_US: Final = 2 * DAY_US
"""How long it is counted what went to a phone number: limits are of one day, begun at any time."""

STAFF_ABSOLUTE_US: Final = DAY_US
"""Longer than any session of staff goes on."""

SUBJECTS_KEPT_US: Final = 40 * DAY_US
"""Longer than anything that is counted of a subject looks back: after it an empty row is left."""

TRIED_DAYS: Final = 4
"""Days after which no webhook is tried any more, and the verification looks for none."""


class Housekeeping:
    """Deletes rows that nobody can need any more."""

    name = "housekeeping"

    def __init__(
        self, settings: JobSettings, session_absolute_s: int, trusted_clock: Clock
    ) -> None:
        """Take how long what is kept.

        Args:
            settings: the days.
            session_absolute_s: after how many seconds a customer's session is over.
            trusted_clock: by which nonces expire; a test clock does not move them.
        """
        self._settings = settings
        self._session_us = session_absolute_s * SECOND_US
        self._trusted_clock = trusted_clock

    async def take(self, workplace: Workplace) -> Done:
        """Delete some of everything that is old enough."""
        now_us = workplace.clock.now_us()
        if now_us - workplace.progress < PAUSE_US:
            return Done(0, more=False)
        items, more = 0, False
        for chore, before_us in self._chores(now_us):
            deleted = await sweep(
                workplace.connection,
                chore,
                workplace.book,
                before_us=before_us,
                now_us=now_us,
                limit=workplace.items_max,
            )
            items += deleted
            more = more or deleted == workplace.items_max
        return Done(items, more=more, progress=None if more else now_us)

    def _chores(self, now_us: int) -> Iterator[tuple[Sweep, int]]:
        """Yield what to delete, and the time before which a row has to be from."""
        kept = self._settings
        yield VERIFICATIONS, now_us - kept.verification_kept_days * DAY_US
        yield SIGN_INS, now_us - kept.verification_kept_days * DAY_US
        yield SENDINGS, now_us - SENDINGS_KEPT_US
        session_us = kept.session_kept_days * DAY_US
        yield ENDED_SESSIONS, now_us - session_us - self._session_us
        yield ENDED_STAFF_SESSIONS, now_us - session_us - STAFF_ABSOLUTE_US
        # Codes before their challenges: a code without one is a finding of the verification.
        yield MESSAGE_CODES, now_us - kept.challenge_kept_days * DAY_US
        yield UNUSED_CHALLENGES, now_us - kept.challenge_kept_days * DAY_US
        yield USED_CHALLENGES, now_us - kept.approval_kept_days * DAY_US
        yield SETTLED_MESSAGES, now_us - kept.message_kept_days * DAY_US
        yield SETTLED_DELIVERIES, now_us - max(kept.webhook_kept_days, TRIED_DAYS) * DAY_US
        yield FORGOTTEN_SUBJECTS, now_us - SUBJECTS_KEPT_US
        yield TOLD_NOTICES, now_us - kept.message_kept_days * DAY_US
        yield NONCES, self._trusted_clock.now_us()
