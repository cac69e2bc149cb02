"""EventsService: the change feed, page by page or as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.events.v1 import events_service_pb2 as pb
from longmen_server.events.queries import EventFilter, Page, next_events
from longmen_server.events.tail import Tail
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.ids import ACCOUNT, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["EventsService"]

EVENTS: Final = "events"
"""The kind of the cursors; ListEvents and WatchEvents share it."""

MESSAGE_EVENTS_MAX: Final = 500
"""Events in one message of a stream: about 400 kB."""

CHECKPOINT_SECONDS: Final = 15.0
"""Longest silence of a stream: then a checkpoint says that all is well, and how far it has come."""

READ_SECONDS: Final = 10.0
"""How long a stream's single read may take; its own deadline is an hour away."""


class EventsService:
    """Gives every committed change as an event."""

    def __init__(self, *, reading: ReadTools) -> None:
        self._read = reading
        self._tails = {
            book: Tail(readers=reading.readers, clock=reading.clock, book=book)
            for book in reading.books
        }

    async def ListEvents(self, request: pb.ListEventsRequest, call: Call) -> pb.ListEventsResponse:  # noqa: N802
        """Return the next events after a cursor."""
        book = self._read.book(request.book)
        wanted = _filter(request, book)
        position = self._read.cursors.open(request.cursor, kind=EVENTS, book=book)
        page = await self._page(
            book, position, wanted, limit=page_size(request.page_size), deadline=call.deadline
        )
        return pb.ListEventsResponse(
            events=page.events, cursor=self._seal(page.position, book), caught_up=page.caught_up
        )

    async def WatchEvents(  # noqa: N802
        self, request: pb.WatchEventsRequest, call: Call
    ) -> AsyncIterator[pb.WatchEventsResponse]:
        """Stream events after a cursor, and go on until the call's deadline or the server's end.

        A message without events comes first when there is nothing to give, and later whenever
        nothing else was sent for a while.
        """
        book = self._read.book(request.book)
        wanted = _filter(request, book)
        position = self._read.cursors.open(request.cursor, kind=EVENTS, book=book)
        clock, tail = self._read.clock, self._tails[book]
        checkpoint_at = 0.0
        while True:
            deadline = min(call.deadline, clock.monotonic() + READ_SECONDS)
            page = await self._page(
                book, position, wanted, limit=MESSAGE_EVENTS_MAX, deadline=deadline
            )
            position = page.position
            if page.events or clock.monotonic() >= checkpoint_at:
                yield pb.WatchEventsResponse(events=page.events, cursor=self._seal(position, book))
                checkpoint_at = clock.monotonic() + CHECKPOINT_SECONDS
            if page.caught_up:
                silence = max(0.0, checkpoint_at - clock.monotonic())
                await tail.wait_beyond(position, seconds=silence)

    async def _page(
        self,
        book: int,
        position: Mapping[int, int],
        wanted: EventFilter,
        *,
        limit: int,
        deadline: float,
    ) -> Page:
        async with self._read.readers.snapshot(deadline=deadline) as connection:
            return await next_events(connection, book, position, wanted, limit=limit)

    def _seal(self, position: Mapping[int, int], book: int) -> str:
        return self._read.cursors.seal(position, kind=EVENTS, book=book)


def _filter(request: pb.ListEventsRequest | pb.WatchEventsRequest, book: int) -> EventFilter:
    """Return what a request keeps.

    Raises:
        Refusal: INVALID_REQUEST when the account is of another book than the one asked for.
    """
    types = frozenset(request.types)
    if not request.account_id:
        return EventFilter(types)
    account_id = decode_id(ACCOUNT, request.account_id, "account_id")
    if book_of(account_id) != book:
        raise Refusal(
            "INVALID_REQUEST",
            "the account belongs to another book than the one asked for",
            metadata={"rules": "events.account_in_book"},
            field="account_id",
        )
    return EventFilter(types, account_id)
