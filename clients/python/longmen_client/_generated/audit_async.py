"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.audit.v1 import audit_pb2, audit_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_time

if TYPE_CHECKING:
    from datetime import datetime

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions


class AsyncAudit:
    """AuditService shows the audit trail. The trail stands in the journals, so `longmen verify`
    proves it with the books.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    def list_audit(
        self,
        *,
        book: int = 0,
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        principal_subject: str = "",
        method: str = "",
        refused_only: bool = False,
        page_size: int = 0,
        page_token: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[audit_pb2.AuditRecord, audit_service_pb2.ListAuditResponse]:
        """Returns records in the order in which they were committed.

        A page may have fewer records than asked for, or none, and still not be the last one: only a
        page without next_page_token is.

        Args:
            book: Book whose trail to read; 0 means the server's default book, which also has what
                concerns no book, such as denials.
            from_time: From time leaves out records committed before it.
            to_time: To time leaves out records committed at it or later.
            principal_subject: Principal subject keeps the records of one caller; empty keeps all.
            method: Method keeps the records of one method, written as in records; empty keeps all.
            refused_only: Refused only leaves out calls that succeeded.
            page_size: Page size is the most records in the page; 0 means 100, and at most 1000 are
                given.
            page_token: Page token of the page before; empty for the first.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK,
                INVALID_PAGE_TOKEN, TIME_RANGE_INVALID.

        Scope: audit.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = audit_service_pb2.ListAuditRequest(
            book=book,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            principal_subject=principal_subject,
            method=method,
            refused_only=refused_only,
            page_size=page_size,
            page_token=page_token,
        )
        return AsyncPager(self._caller, methods.AUDIT_LIST_AUDIT, request, "records", options)

    def export_audit(
        self,
        *,
        book: int = 0,
        cursor: str = "",
        options: CallOptions | None = None,
    ) -> AsyncStream[audit_service_pb2.ExportAuditResponse]:
        """Streams every record after a cursor, journal by journal, so that none is ever skipped or
        given twice.

        It ends when the trail as of its beginning was given; the last message says how far each
        journal had come.

        Args:
            book: Book whose trail to export; 0 means the server's default book.
            cursor: Cursor of the last message received before; empty exports from the beginning.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK,
                INVALID_CURSOR.

        Scope: audit.export. Deadline: 600000 ms, at most 3600000 ms.
        """
        request = audit_service_pb2.ExportAuditRequest(book=book, cursor=cursor)
        return self._caller.open(methods.AUDIT_EXPORT_AUDIT, request, options)
