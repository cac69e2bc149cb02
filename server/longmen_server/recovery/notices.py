"""Finding customers' addresses, to tell them of resets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts.personal import open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.factors.model import kinds_of
from longmen_server.platform.ids import book_of
from longmen_server.recovery import texts
from longmen_server.recovery.commands import ResetFactors
from longmen_server.recovery.model import HOUR_US

if TYPE_CHECKING:
    from longmen_server.engine.command import Command
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.notices import Notices
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import Vault
    from longmen_server.recovery.model import ResetRow

__all__ = ["ResetNotices"]


class ResetNotices:
    """Makes what tells a customer of a reset, before the command that leaves it behind."""

    def __init__(self, vault: Vault, notices: Notices) -> None:
        """Take what opens addresses and what seals messages."""
        self._vault = vault
        self._notices = notices

    async def of_proposed(self, connection: Connection, command: Command) -> None:
        """Give a proposed command that is a reset what tells its customer; leave others alone."""
        if isinstance(command, ResetFactors):
            row = command.row
            hours = row.effective_at_us // HOUR_US
            text = texts.reset_approved(kinds_of(row.kinds), hours)
            command.notices = await self._to(
                connection, row.customer_id, "factor_reset_approved", text
            )

    async def of_effect(self, connection: Connection, row: ResetRow) -> list[MessageRow]:
        """Return what tells a customer that a reset has taken effect."""
        text = texts.reset_effective(kinds_of(row.kinds))
        return await self._to(connection, row.customer_id, "factor_reset_effective", text)

    async def of_cancelling(
        self, connection: Connection, customer_id: CustomerId
    ) -> list[MessageRow]:
        """Return what tells a customer that a reset was turned down."""
        text = texts.reset_cancelled()
        return await self._to(connection, customer_id, "factor_reset_cancelled", text)

    async def _to(
        self, connection: Connection, customer_id: CustomerId, kind: str, text: str
    ) -> list[MessageRow]:
        book = book_of(customer_id)
        found = await find_wallet(connection, book, customer_id)
        person = None if found is None else open_person(self._vault, found)
        return self._notices.to(book, person, kind, text)
