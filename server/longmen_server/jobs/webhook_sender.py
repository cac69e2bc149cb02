"""Posts what is queued to merchants' endpoints, each at its own pace."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.jobs.job import Done
from longmen_server.messages.model import Channel
from longmen_server.platform.ids import ENDPOINT
from longmen_server.platform.sealing import BrokenSealError
from longmen_server.webhooks import model, queries
from longmen_server.webhooks.commands import GiveEndpointUp
from longmen_server.webhooks.model import DeliveryState
from longmen_server.webhooks.queries import Attempted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.jobs.job import Workplace
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.post_office import PostOffice
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.ids import EndpointId
    from longmen_server.platform.sealing import Sealer
    from longmen_server.webhooks.model import DeliveryRow, EndpointRow
    from longmen_server.webhooks.poster import Poster
    from longmen_server.webhooks.settings import WebhookSettings

__all__ = ["WebhookSender"]

log = structlog.get_logger("longmen.webhooks")

DAY_US: Final = 86_400_000_000
NOTICE_LIFETIME_US: Final = 3 * DAY_US
REST_US_MAX: Final = 3_600_000_000
"""Longest rest of an endpoint between two attempts."""


@dataclass(slots=True)
class _Visit:
    """What became of the deliveries taken to one endpoint."""

    endpoint: EndpointRow
    attempts: list[Attempted] = field(default_factory=list)
    gone: bool = False


class WebhookSender:
    """Keeps one visit under way for each endpoint that something is due for.

    A take never waits for a receiver: it writes down what visits have come to and starts others. So
    a receiver that is slow holds up itself only.
    """

    name = "webhook_sender"

    def __init__(
        self,
        *,
        poster: Poster,
        sealer: Sealer,
        office: PostOffice,
        clock: Clock,
        settings: WebhookSettings,
    ) -> None:
        """Take what sending needs: who posts, what opens secrets, who writes notices."""
        self._poster = poster
        self._sealer = sealer
        self._office = office
        self._clock = clock
        self._settings = settings
        self._visits: dict[EndpointId, asyncio.Task[_Visit]] = {}

    async def take(self, workplace: Workplace) -> Done:
        """Settle visits that have ended and begin others."""
        ended = await self._settle(workplace)
        now_us = workplace.clock.now_us()
        ended += await queries.expire_deliveries(
            workplace.connection,
            workplace.book,
            before_us=now_us - model.LIFETIME_US,
            now_us=now_us,
        )
        room = self._settings.webhook_parallel_max - len(self._visits)
        if room > 0:
            endpoints = await queries.due_endpoints(
                workplace.connection,
                workplace.book,
                now_us=now_us,
                busy=list(self._visits),
                limit=room,
            )
            for endpoint in endpoints:
                due = await queries.due_deliveries(
                    workplace.connection,
                    endpoint.endpoint_id,
                    now_us=now_us,
                    limit=self._settings.webhook_batch_max,
                )
                if due:
                    visit = self._visit(endpoint, due)
                    self._visits[endpoint.endpoint_id] = asyncio.create_task(visit)
        return Done(ended, more=False)

    async def wait(self) -> None:
        """Wait until the visits under way have ended."""
        if self._visits:
            await asyncio.wait(self._visits.values())

    async def close(self) -> None:
        """Break off what is under way, which is sent again later, and let go of the client."""
        for task in self._visits.values():
            task.cancel()
        await self.wait()
        self._visits.clear()
        await self._poster.close()

    # -- one visit -----------------------------------------------------------------------------

    async def _visit(self, endpoint: EndpointRow, due: Sequence[DeliveryRow]) -> _Visit:
        """Post one delivery after the other, up to the first that is not taken."""
        visit = _Visit(endpoint)
        secrets = self._secrets(endpoint)
        for row in due:
            answer = await self._poster.post(endpoint.url, row.event_id, row.body, secrets)
            now_us = self._clock.now_us()
            if not answer.failure:
                visit.attempts.append(
                    Attempted(row.delivery_id, DeliveryState.DELIVERED, now_us, answer.status, "")
                )
                continue
            pause_us = model.pause_us(row.attempts + 1, row.delivery_id)
            visit.attempts.append(
                Attempted(
                    row.delivery_id,
                    DeliveryState.PENDING,
                    now_us + pause_us,
                    answer.status,
                    answer.failure,
                )
            )
            visit.gone = answer.status == model.GONE
            break
        return visit

    def _secrets(self, endpoint: EndpointRow) -> list[bytes]:
        """Return the secrets that sign now: the present one, and the one before while it lasts."""
        sealed = [endpoint.secret]
        until_us = endpoint.previous_until_us
        if endpoint.previous_secret and until_us and until_us > self._clock.now_us():
            sealed.append(endpoint.previous_secret)
        return [self._sealer.open(one, endpoint.endpoint_id) for one in sealed]

    # -- what became of visits -----------------------------------------------------------------

    async def _settle(self, workplace: Workplace) -> int:
        ended = [key for key, task in self._visits.items() if task.done()]
        settled = 0
        for key in ended:
            task = self._visits.pop(key)
            error = task.exception()
            if error is not None:
                # Secrets that cannot be opened any more, say; the log names the endpoint only.
                kind = type(error).__name__
                log.warning("webhook_visit_failed", endpoint_id=ENDPOINT.encode(key), error=kind)
                await self._rest(workplace, key)
                continue
            visit = task.result()
            settled += len(visit.attempts)
            await queries.settle_deliveries(
                workplace.connection,
                workplace.book,
                visit.attempts,
                now_us=workplace.clock.now_us(),
            )
            await self._note(workplace, visit)
        return settled

    async def _note(self, workplace: Workplace, visit: _Visit) -> None:
        """Note how an endpoint does, and give it up when it has failed for too long."""
        endpoint, now_us = visit.endpoint, workplace.clock.now_us()
        if not visit.attempts[-1].failure:
            await self._well(workplace, endpoint.endpoint_id)
            return
        log.warning(
            "webhook_not_taken",
            endpoint_id=ENDPOINT.encode(endpoint.endpoint_id),
            failure=visit.attempts[-1].failure,
        )
        since_us = endpoint.failing_since_us or now_us
        if len(visit.attempts) > 1:
            # It took something in the same visit: it is failing since now.
            since_us = now_us
            await self._well(workplace, endpoint.endpoint_id)
        await self._rest(workplace, endpoint.endpoint_id)
        patience_us = self._settings.webhook_failing_days * DAY_US
        if visit.gone or now_us - since_us >= patience_us:
            cause = "GONE" if visit.gone else "FAILING"
            notice = self._notice(workplace, endpoint, cause)
            command = GiveEndpointUp(
                workplace.book, endpoint_id=endpoint.endpoint_id, cause=cause, notice=notice
            )
            await workplace.submit([command])

    async def _well(self, workplace: Workplace, endpoint_id: EndpointId) -> None:
        """Note that an endpoint takes what it is sent."""
        await queries.note_endpoint(
            workplace.connection,
            endpoint_id,
            failures=0,
            resume_at_us=0,
            now_us=workplace.clock.now_us(),
        )

    async def _rest(self, workplace: Workplace, endpoint_id: EndpointId) -> None:
        """Leave an endpoint alone for a while, the longer the more it has failed."""
        now_us = workplace.clock.now_us()
        failures = 1 + await queries.failures_of(workplace.connection, endpoint_id)
        pause_us = min(model.pause_us(failures, endpoint_id), REST_US_MAX)
        await queries.note_endpoint(
            workplace.connection,
            endpoint_id,
            failures=failures,
            resume_at_us=now_us + pause_us,
            now_us=now_us,
        )

    def _notice(self, workplace: Workplace, endpoint: EndpointRow, cause: str) -> MessageRow | None:
        """Return the letter that tells of a switch-off; None without an address."""
        if endpoint.notice_address is None:
            return None
        try:
            address = self._sealer.open(endpoint.notice_address, endpoint.endpoint_id)
        except BrokenSealError:
            return None
        endpoint_id = ENDPOINT.encode(endpoint.endpoint_id)
        why = (
            "it answered that it is gone (HTTP 410)"
            if cause == "GONE"
            else f"it has taken nothing for {self._settings.webhook_failing_days} days"
        )
        return self._office.accept(
            workplace.book,
            channel=Channel.EMAIL,
            kind="webhook_endpoint_failed",
            recipient=address.decode(),
            subject="Your webhook endpoint was switched off",
            text=f"The endpoint {endpoint_id} at {endpoint.url} was switched off: {why}."
            " Mend it, then enable it again; ListDeliveries shows what it missed.",
            lifetime_us=NOTICE_LIFETIME_US,
        )
