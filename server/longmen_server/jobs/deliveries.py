"""Takes queued messages to their recipients: at least once, and never a word of them in a log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from longmen_server.jobs.job import Done
from longmen_server.messages.model import Channel, MessageState, backoff_us
from longmen_server.messages.port import UndeliverableError
from longmen_server.messages.queries import (
    Settlement,
    due_messages,
    expire_messages,
    settle_messages,
)
from longmen_server.platform.ids import MESSAGE
from longmen_server.platform.sealing import BrokenSealError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.jobs.job import Workplace
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.port import Carrier
    from longmen_server.messages.post_office import PostOffice

log = structlog.get_logger("longmen.messages")


class Deliveries:
    """Delivers what is due. A crash between sending and noting it sends the message again."""

    name = "deliveries"

    def __init__(
        self,
        office: PostOffice,
        carriers: Mapping[Channel, Carrier],
        *,
        attempts_max: int,
        parallel_max: int,
    ) -> None:
        """Take what opens letters, who takes them, and the limits of the settings."""
        self._office = office
        self._carriers = carriers
        self._attempts_max = attempts_max
        self._parallel_max = parallel_max

    async def take(self, workplace: Workplace) -> Done:
        """Give up what is too late and try some of what is due."""
        book, connection = workplace.book, workplace.connection
        now_us = workplace.clock.now_us()
        expired = await expire_messages(connection, book, now_us=now_us)
        rows = await due_messages(connection, book, now_us=now_us, limit=self._parallel_max)
        if not rows:
            return Done(expired, more=False)
        settlements = await asyncio.gather(*(self._try(row, now_us) for row in rows))
        await settle_messages(connection, book, settlements, now_us=now_us)
        return Done(expired + len(rows), more=len(rows) == self._parallel_max)

    async def close(self) -> None:
        """Let go of the carriers' connections."""
        for carrier in set(self._carriers.values()):
            await carrier.close()

    async def _try(self, row: MessageRow, now_us: int) -> Settlement:
        """Try to deliver one message; return what has become of it."""
        carrier = self._carriers.get(Channel(row.channel))
        if carrier is None:
            return self._failed(row, UndeliverableError("no_carrier", final=True), now_us)
        try:
            await carrier.deliver(self._office.open(row))
        except BrokenSealError:
            return self._failed(row, UndeliverableError("unsealable", final=True), now_us)
        except UndeliverableError as error:
            return self._failed(row, error, now_us)
        except Exception as error:  # noqa: BLE001 - one bad message must not hold up the others
            # The class alone: the text of an unforeseen error could repeat the letter.
            failure = UndeliverableError(type(error).__name__, final=False)
            return self._failed(row, failure, now_us)
        return Settlement(row.message_id, MessageState.DELIVERED, now_us, "")

    def _failed(self, row: MessageRow, error: UndeliverableError, now_us: int) -> Settlement:
        final = error.final or row.attempts + 1 >= self._attempts_max
        log.warning(
            "message_not_delivered",
            message_id=MESSAGE.encode(row.message_id),
            channel=Channel(row.channel).name,
            kind=row.kind,
            failure=error.failure,
            attempts=row.attempts + 1,
            given_up=final,
        )
        state = MessageState.FAILED if final else MessageState.QUEUED
        return Settlement(row.message_id, state, now_us + backoff_us(row.attempts), error.failure)
