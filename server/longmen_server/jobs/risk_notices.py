"""Tells customers what risk decided: turns the notices that decisions leave into messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.accounts.personal import open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.jobs.job import Done
from longmen_server.risk.commands import SendNotice
from longmen_server.risk.queries import waiting_notices
from longmen_server.risk.texts import text_of

if TYPE_CHECKING:
    from longmen_server.accounts.personal import Person
    from longmen_server.jobs.job import Workplace
    from longmen_server.messages.notices import Notices
    from longmen_server.platform.pii import Vault
    from longmen_server.risk.rows import NoticeRow

KIND: Final = "risk"
"""What the messages are about, in logs."""


class RiskNotices:
    """Makes messages of notices; a decision has no time to open personal data."""

    name = "risk_notices"

    def __init__(self, vault: Vault, notices: Notices) -> None:
        """Take what opens personal data, and what makes messages."""
        self._vault = vault
        self._notices = notices

    async def take(self, workplace: Workplace) -> Done:
        """Send the notices that have waited longest."""
        waiting = await waiting_notices(workplace.connection, workplace.book, workplace.items_max)
        commands = []
        for notice in waiting:
            person = await self._person(workplace, notice)
            messages = self._notices.to(workplace.book, person, KIND, text_of(notice))
            commands.append(SendNotice(workplace.book, notice=notice, messages=messages))
        await workplace.submit(commands)
        return Done(len(waiting), more=len(waiting) == workplace.items_max)

    async def _person(self, workplace: Workplace, notice: NoticeRow) -> Person | None:
        found = await find_wallet(
            workplace.connection,
            workplace.book,
            notice.customer_id,  # type: ignore[arg-type]
        )
        return None if found is None else open_person(self._vault, found)
