"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2, events_service_pb2
from longmen_client._generated import methods

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions


class AsyncEvents:
    """EventsService gives every committed change as an event, without gaps and, for each account,
    transaction or wallet, in order. It is the change feed for data warehouses, notifications
    and webhooks.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list_events(
        self,
        *,
        book: int = 0,
        cursor: str = "",
        types: Iterable[event_pb2.EventType.ValueType] = (),
        account_id: str = "",
        page_size: int = 0,
        options: CallOptions | None = None,
    ) -> events_service_pb2.ListEventsResponse:
        """Returns the next events after a cursor, and a cursor to go on from.

        Args:
            book: Book to read; 0 means the server's default book.
            cursor: Cursor of the last event handled; empty starts at the first event kept.
            types: Types keeps events of these types; empty means all.
            account_id: Account id keeps events that touch this account; empty means all.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_CURSOR,
                UNKNOWN_BOOK.

        Scope: events.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = events_service_pb2.ListEventsRequest(
            book=book, cursor=cursor, types=types, account_id=account_id, page_size=page_size
        )
        return await self._caller.ask(methods.EVENTS_LIST_EVENTS, request, options)

    def watch_events(
        self,
        *,
        book: int = 0,
        cursor: str = "",
        types: Iterable[event_pb2.EventType.ValueType] = (),
        account_id: str = "",
        options: CallOptions | None = None,
    ) -> AsyncStream[events_service_pb2.WatchEventsResponse]:
        """Streams events after a cursor and goes on with new ones.

        A message without events is a checkpoint: nothing below its cursor is left.

        Args:
            book: Book to read; 0 means the server's default book.
            cursor: Cursor of the last event handled; empty starts at the first event kept.
            types: Types keeps events of these types; empty means all.
            account_id: Account id keeps events that touch this account; empty means all.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_CURSOR,
                UNKNOWN_BOOK, QUOTA_EXCEEDED.

        Scope: events.read. Deadline: 3600000 ms, at most 3600000 ms.
        """
        request = events_service_pb2.WatchEventsRequest(
            book=book, cursor=cursor, types=types, account_id=account_id
        )
        return self._caller.open(methods.EVENTS_WATCH_EVENTS, request, options)
