"""Looks the names of customers up again when a list of names was imported, some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.jobs.job import COMMAND_SECONDS_MAX, Done
from longmen_server.kyc.personal import clear_name
from longmen_server.platform.ids import CUSTOMER, CaseId, new_id
from longmen_server.platform.pii import SealBrokenError
from longmen_server.screening.commands import RecordScreenings, Rescreened
from longmen_server.screening.queries import outdated

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace
    from longmen_server.platform.pii import Vault
    from longmen_server.screening.queries import Outdated
    from longmen_server.screening.screener import Screener

NAMES_MAX: Final = 100
"""At a time: so many of a hundred thousand entries take a second or two, and then other jobs
have their turn."""

log = structlog.get_logger("longmen.screening")


class NameScreening:
    """Walks through the customers whose names were looked up in earlier lists."""

    name = "name_screening"

    def __init__(self, vault: Vault, screener: Screener) -> None:
        """Take what opens names, and what looks them up."""
        self._vault = vault
        self._screener = screener

    async def take(self, workplace: Workplace) -> Done:
        """Look up some of the names, those first that were looked up longest ago."""
        deadline = workplace.clock.monotonic() + COMMAND_SECONDS_MAX
        version = await self._screener.version(workplace.book, deadline=deadline)
        limit = min(workplace.items_max, NAMES_MAX)
        waiting = await outdated(workplace.connection, workplace.book, version, limit)
        people = [await self._screened(workplace, one, deadline) for one in waiting]
        done = [one for one in people if one is not None]
        if done:
            await workplace.submit([RecordScreenings(workplace.book, people=done)])
        # Names that do not open stay first in the queue and are logged each time.
        return Done(len(done), more=bool(done) and len(waiting) == limit)

    async def _screened(
        self, workplace: Workplace, one: Outdated, deadline: float
    ) -> Rescreened | None:
        book = workplace.book
        try:
            key = self._vault.data_key(book, one.customer_id, one.wrapped_key)
            name = clear_name(key, one.customer_id, one.sealed_name)
        except SealBrokenError:
            customer_id = CUSTOMER.encode(one.customer_id)
            log.error("screened_name_does_not_open", customer_id=customer_id)  # noqa: TRY400
            return None
        screened = await self._screener.screen(
            one.customer_id, name, key=key, sealed_name=one.sealed_name, deadline=deadline
        )
        return Rescreened(one.customer_id, screened, CaseId(new_id(book, workplace.clock)))
