"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import list_pb2, lists_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Lists:
    """ListsService keeps lists of whom to allow, to deny and to be careful with, as files that
    come whole, dated and from a named source. A list is a name that rules ask for, with content
    of one or more kinds.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def begin_list_import(
        self,
        *,
        name: str,
        kind: list_pb2.ListKind.ValueType,
        source: str,
        as_of_date: str,
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[lists_service_pb2.BeginListImportResponse]:
        """Begins the import of a list's whole content.

        Nothing goes by it until it is committed.

        Args:
            name: Name that rules know the list by.
            kind: Kind of what the rows name.
            source: Source of the content, such as a file's name or a publisher.
            as_of_date: As of date of the content, YYYY-MM-DD, as its publisher says.
            book: Book of the lists; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed.

        Scope: risk.lists. Deadline: 10000 ms, at most 30000 ms.
        """
        request = lists_service_pb2.BeginListImportRequest(
            name=name,
            kind=kind,
            source=source,
            as_of_date=as_of_date,
            book=book,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LISTS_BEGIN_LIST_IMPORT, request, request.request_id, options
        )

    def upload_list_rows(
        self,
        *,
        list_import_id: str,
        chunk_number: int,
        content: bytes,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[lists_service_pb2.UploadListRowsResponse]:
        """Takes the next rows of an import: whole lines of CSV with a value and, after a comma, a
        label.

        What is no entry is told with its line.

        Args:
            list_import_id: List import id of the import.
            chunk_number: Chunk number, from 1, without gaps.
            content: Content: whole lines of CSV in UTF-8. The first line of the first chunk may be
                the header "value,label".
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RISK_LIST_IMPORT_NOT_FOUND,
                RISK_LIST_IMPORT_CLOSED, RISK_LIST_CHUNK_ORDER, RISK_LIST_TOO_LARGE.

        Scope: risk.lists. Deadline: 10000 ms, at most 30000 ms.
        """
        request = lists_service_pb2.UploadListRowsRequest(
            list_import_id=list_import_id,
            chunk_number=chunk_number,
            content=content,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LISTS_UPLOAD_LIST_ROWS, request, request.request_id, options
        )

    def commit_list_import(
        self,
        *,
        list_import_id: str,
        chunk_count: int = 0,
        skip_bad_rows: bool = False,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[lists_service_pb2.CommitListImportResponse]:
        """Makes an import the list's content, all of it at once.

        From the next seconds on every worker goes by it. Staff do it by two people.

        Args:
            list_import_id: List import id of the import.
            chunk_count: Chunk count of the whole file.
            skip_bad_rows: Skip bad rows: without it an import with bad rows is refused.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RISK_LIST_IMPORT_NOT_FOUND,
                RISK_LIST_IMPORT_CLOSED, RISK_LIST_CHUNK_ORDER, RISK_LIST_INVALID.

        Scope: risk.lists. Deadline: 10000 ms, at most 30000 ms.
        """
        request = lists_service_pb2.CommitListImportRequest(
            list_import_id=list_import_id,
            chunk_count=chunk_count,
            skip_bad_rows=skip_bad_rows,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LISTS_COMMIT_LIST_IMPORT, request, request.request_id, options
        )

    def list_risk_lists(
        self,
        *,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> lists_service_pb2.ListRiskListsResponse:
        """Lists the lists of a book by name and kind.

        Args:
            book: Book of the lists; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed.

        Scope: risk.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = lists_service_pb2.ListRiskListsRequest(
            book=book, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LISTS_LIST_RISK_LISTS, request, options)

    def check_listed(
        self,
        *,
        kind: list_pb2.ListKind.ValueType,
        value: str,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> lists_service_pb2.CheckListedResponse:
        """Tells which lists something is on.

        Args:
            kind: Kind of the value.
            value: Value: an id, an address, a phone number or a country code.
            book: Book of the lists; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RISK_LIST_VALUE_INVALID.

        Scope: risk.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = lists_service_pb2.CheckListedRequest(
            kind=kind, value=value, book=book, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LISTS_CHECK_LISTED, request, options)

    def screen_name(
        self,
        *,
        name: str,
        minimum_likeness: int = 0,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> lists_service_pb2.ScreenNameResponse:
        """Finds entries of lists of names that are like a name, whatever its script, case, width or
        order of words.

        Args:
            name: Name of somebody, in any script.
            minimum_likeness: Likeness in per cent that an entry has at least; 0 means 85.
            book: Book of the lists; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RISK_LIST_VALUE_INVALID.

        Scope: risk.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = lists_service_pb2.ScreenNameRequest(
            name=name,
            minimum_likeness=minimum_likeness,
            book=book,
            at_least_as_fresh=at_least_as_fresh,
        )
        return self._caller.ask(methods.LISTS_SCREEN_NAME, request, options)
