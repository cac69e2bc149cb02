"""Commands of lists that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import LIST_IMPORT, book_of
from longmen_server.risklists.commands import CommitListImport

if TYPE_CHECKING:
    from longmen.risk.v1 import lists_service_pb2 as pb
    from longmen_server.engine.command import RequestKey

__all__ = ["commit"]


def commit(request: pb.CommitListImportRequest, key: RequestKey | None) -> CommitListImport:
    """Return the command that makes an import the list's content."""
    list_import_id = decode_id(LIST_IMPORT, request.list_import_id, "list_import_id")
    return CommitListImport(
        book_of(list_import_id),
        key,
        list_import_id=list_import_id,
        chunk_count=request.chunk_count,
        skip_bad_rows=request.skip_bad_rows,
    )
