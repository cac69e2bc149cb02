"""ListsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from longmen.risk.v1 import lists_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.plans.build import check_day
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import LIST_IMPORT, ListImportId, book_of, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.model import ListedKind
from longmen_server.risklists import build, encode, model, queries
from longmen_server.risklists.commands import BeginListImport, UploadListRows
from longmen_server.risklists.model import ImportRow, ImportState
from longmen_server.risklists.rows import Rows, ValueProblemError, normalise, read_rows
from longmen_server.screening.queries import count_outdated

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.risklists.index import ListIndex
    from longmen_server.risklists.keeper import ListKeeper
    from longmen_server.transport.context import Call

__all__ = ["ListsService"]

NO_ROWS: Final = Rows([], [], 0)
"""Of an import that is not there, which the command refuses."""
LIKENESS: Final = 85
"""Per cent of likeness from which on a name is told, when nobody says: one letter in seven may
differ, which finds other spellings, and not every short name."""


class ListsService:
    """The methods of longmen.risk.v1.ListsService."""

    def __init__(self, *, engine: Engine, reading: ReadTools, keeper: ListKeeper) -> None:
        """Take what runs commands, what reading needs, and the lists as they are now."""
        self._engine = engine
        self._read = reading
        self._keeper = keeper

    async def BeginListImport(self, request: pb.BeginListImportRequest, call: Call) -> bytes:  # noqa: N802
        """Begin an import."""
        check_day(request.as_of_date, "as_of_date")
        book = self._read.book(request.book)
        row = ImportRow(
            list_import_id=ListImportId(new_id(book, self._read.clock)),
            name=request.name,
            kind=request.kind,
            state=ImportState.OPEN,
            source=request.source,
            as_of_date=request.as_of_date,
            chunk_count=0,
            line_count=0,
            entry_count=0,
            bad_row_count=0,
            created_at_us=0,
            committed_at_us=None,
        )
        command = BeginListImport(book, request_key(call), row=row)
        return await submit(self._engine, command, request=request, call=call)

    async def UploadListRows(self, request: pb.UploadListRowsRequest, call: Call) -> bytes:  # noqa: N802
        """Take the next rows."""
        list_import_id = self._decode(request.list_import_id)
        book = book_of(list_import_id)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_import(connection, book, list_import_id)
        first_line, rows = 1, NO_ROWS
        if row is not None:
            first_line = row.line_count + 1
            # Ten thousand rows take some tens of milliseconds: not on the loop that serves others.
            rows = await asyncio.to_thread(
                read_rows, ListedKind(row.kind), request.content, first_line=first_line
            )
        command = UploadListRows(
            book,
            request_key(call),
            list_import_id=list_import_id,
            chunk_number=request.chunk_number,
            first_line=first_line,
            rows=rows,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def CommitListImport(self, request: pb.CommitListImportRequest, call: Call) -> bytes:  # noqa: N802
        """Make an import the list's content."""
        self._decode(request.list_import_id)
        command = build.commit(request, request_key(call))
        return await submit(self._engine, command, request=request, call=call)

    async def ListRiskLists(  # noqa: N802
        self, request: pb.ListRiskListsRequest, call: Call
    ) -> pb.ListRiskListsResponse:
        """List the lists."""
        demand_freshness(request.at_least_as_fresh)
        book = self._read.book(request.book)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            found = await queries.list_lists(connection, book)
            version = await queries.names_version(connection, book)
            waiting = await count_outdated(connection, book, version)
        return pb.ListRiskListsResponse(
            risk_lists=[encode.risk_list(*one) for one in found], waiting_name_count=waiting
        )

    async def CheckListed(  # noqa: N802
        self, request: pb.CheckListedRequest, call: Call
    ) -> pb.CheckListedResponse:
        """Tell which lists something is on."""
        demand_freshness(request.at_least_as_fresh)
        index = await self._index(self._read.book(request.book), call)
        try:
            names = await asyncio.to_thread(index.check, ListedKind(request.kind), request.value)
        except ValueProblemError as error:
            raise _no_value(error, "value") from error
        return pb.CheckListedResponse(list_names=names)

    async def ScreenName(self, request: pb.ScreenNameRequest, call: Call) -> pb.ScreenNameResponse:  # noqa: N802
        """Find entries like a name."""
        demand_freshness(request.at_least_as_fresh)
        try:
            normalise(ListedKind.NAME, request.name)
        except ValueProblemError as error:
            raise _no_value(error, "name") from error
        index = await self._index(self._read.book(request.book), call)
        least = request.minimum_likeness or LIKENESS
        found = await asyncio.to_thread(index.screen, request.name, least)
        return pb.ScreenNameResponse(matches=map(encode.match, found))

    async def _index(self, book: int, call: Call) -> ListIndex:
        """Return the lists as they are now."""
        return (await self._keeper.current(book, deadline=call.deadline)).index

    def _decode(self, text: str) -> ListImportId:
        """Return an import's id, which is of a book that is kept here.

        Raises:
            Refusal: INVALID_REQUEST, RISK_LIST_IMPORT_NOT_FOUND.
        """
        list_import_id = decode_id(LIST_IMPORT, text, "list_import_id")
        if book_of(list_import_id) not in self._engine.writers:
            raise model.import_not_found(list_import_id)
        return list_import_id


def _no_value(error: ValueProblemError, field: str) -> Refusal:
    return Refusal(
        "RISK_LIST_VALUE_INVALID",
        "the text is no value of its kind",
        metadata={"code": str(error)},
        field=field,
    )
