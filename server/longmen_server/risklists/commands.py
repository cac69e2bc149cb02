"""The commands of imports: begun, filled and committed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import lists_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.risklists import encode, model
from longmen_server.risklists.model import ChunkRow, ImportRow, ImportState, ListRow
from longmen_server.risklists.rows import write_entries
from longmen_server.risklists.tables import LIST_CHUNK, LIST_IMPORT_ROWS, RISK_LIST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import ListImportId
    from longmen_server.risklists.rows import Rows

__all__ = ["BeginListImport", "CommitListImport", "UploadListRows"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_RISK_LIST_CHANGED)
BAD_ROWS_TOLD: Final = 100
"""Of one chunk, in its reply."""


class BeginListImport(Command):
    """Begin an import."""

    __slots__ = ("row",)

    def __init__(self, book: int, request: RequestKey | None, *, row: ImportRow) -> None:
        super().__init__(book, request)
        self.row = row

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write it down."""
        row = self.row.copy()
        row.created_at_us = working_set.next_stamp()
        working_set.insert(LIST_IMPORT_ROWS, row.list_import_id, row)
        return pb.BeginListImportResponse(
            list_import=encode.list_import(row), committed_at=working_set.committed_at
        ).SerializeToString()


class _ImportCommand(Command):
    """A command about one import."""

    __slots__ = ("list_import_id",)

    def __init__(
        self, book: int, request: RequestKey | None, *, list_import_id: ListImportId
    ) -> None:
        super().__init__(book, request)
        self.list_import_id = list_import_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the import."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(LIST_IMPORT_ROWS, self.list_import_id)

    def load(self, working_set: WorkingSet) -> ImportRow:
        """Return the import, which is open.

        Raises:
            Refusal: RISK_LIST_IMPORT_NOT_FOUND, RISK_LIST_IMPORT_CLOSED.
        """
        row = working_set.get(LIST_IMPORT_ROWS, self.list_import_id)
        if row is None:
            raise model.import_not_found(self.list_import_id)
        model.check_open(row)
        return row


class UploadListRows(_ImportCommand):
    """Take the next rows of an import."""

    __slots__ = ("chunk_number", "first_line", "rows")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        list_import_id: ListImportId,
        chunk_number: int,
        first_line: int,
        rows: Rows,
    ) -> None:
        super().__init__(book, request, list_import_id=list_import_id)
        self.chunk_number = chunk_number
        self.first_line = first_line
        """Line that the rows were read from, as of when they were."""
        self.rows = rows

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep the rows."""
        row = self.load(working_set)
        # Rows that were read before the chunk ahead of them was kept have no line numbers yet.
        is_next = row.line_count + 1 == self.first_line
        model.check_chunk(row, self.chunk_number if is_next else -1, "chunk_number")
        entries = self.rows.entries
        model.check_size(row, len(entries))
        row = working_set.edit(LIST_IMPORT_ROWS, self.list_import_id)
        row.chunk_count = self.chunk_number
        row.line_count += self.rows.lines
        row.entry_count += len(entries)
        row.bad_row_count += len(self.rows.bad)
        chunk = ChunkRow(
            self.list_import_id, self.chunk_number, len(entries), write_entries(entries)
        )
        working_set.insert(LIST_CHUNK, (self.list_import_id, self.chunk_number), chunk)
        return pb.UploadListRowsResponse(
            list_import=encode.list_import(row),
            bad_rows=map(encode.bad_row, self.rows.bad[:BAD_ROWS_TOLD]),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class CommitListImport(_ImportCommand):
    """Make an import the list's content."""

    __slots__ = ("chunk_count", "skip_bad_rows")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        list_import_id: ListImportId,
        chunk_count: int,
        skip_bad_rows: bool,
    ) -> None:
        super().__init__(book, request, list_import_id=list_import_id)
        self.chunk_count = chunk_count
        self.skip_bad_rows = skip_bad_rows

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the import and the list."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK:
            row = working_set.get(LIST_IMPORT_ROWS, self.list_import_id)
            if row is not None:
                yield RowKey(RISK_LIST, row.key)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Let the list be what was imported, all of it at once."""
        row = self.load(working_set)
        model.check_chunk(row, self.chunk_count, "chunk_count")
        model.check_complete(row, skip_bad_rows=self.skip_bad_rows)
        at_us = working_set.next_stamp()
        row = working_set.edit(LIST_IMPORT_ROWS, self.list_import_id)
        row.state = ImportState.COMMITTED
        row.committed_at_us = at_us
        known = working_set.get(RISK_LIST, row.key)
        if known is None:
            current = ListRow(row.name, row.kind, 1, row.list_import_id, at_us)
            working_set.insert(RISK_LIST, row.key, current)
        else:
            current = working_set.edit(RISK_LIST, row.key)
            current.version += 1
            current.list_import_id = row.list_import_id
            current.committed_at_us = at_us
        payload = encode.change(current, row)
        working_set.emit(Event(_CHANGED, row.list_import_id, 0, at_us, payload, payload))
        return pb.CommitListImportResponse(
            risk_list=encode.risk_list(current, row), committed_at=working_set.committed_at
        ).SerializeToString()
