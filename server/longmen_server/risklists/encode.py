"""Lists as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import list_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import LIST_IMPORT

if TYPE_CHECKING:
    from longmen_server.risklists.index import Match
    from longmen_server.risklists.model import ImportRow, ListRow
    from longmen_server.risklists.rows import BadRow

__all__ = ["bad_row", "change", "list_import", "match", "risk_list"]


def list_import(row: ImportRow) -> list_pb2.ListImport:
    """Return an import."""
    return list_pb2.ListImport(
        list_import_id=LIST_IMPORT.encode(row.list_import_id),
        name=row.name,
        kind=row.kind,  # type: ignore[arg-type]  # enums of the contract are ints
        state=row.state,  # type: ignore[arg-type]
        source=row.source,
        as_of_date=row.as_of_date,
        chunk_count=row.chunk_count,
        line_count=row.line_count,
        entry_count=row.entry_count,
        bad_row_count=row.bad_row_count,
        create_time=timestamp(row.created_at_us),
    )


def risk_list(row: ListRow, content: ImportRow) -> list_pb2.RiskList:
    """Return a list with the import that is its content."""
    return list_pb2.RiskList(
        name=row.name,
        kind=row.kind,  # type: ignore[arg-type]  # enums of the contract are ints
        version=row.version,
        entry_count=content.entry_count,
        list_import_id=LIST_IMPORT.encode(row.list_import_id),
        source=content.source,
        as_of_date=content.as_of_date,
        commit_time=timestamp(row.committed_at_us),
    )


def bad_row(row: BadRow) -> list_pb2.BadRow:
    """Return a row that is no entry."""
    return list_pb2.BadRow(line=row.line, code=row.code, value=row.value)


def match(found: Match) -> list_pb2.ListMatch:
    """Return an entry like a name."""
    return list_pb2.ListMatch(
        list_name=found.list_name,
        entry=found.entry,
        label=found.label,
        likeness=found.likeness,
    )


def change(row: ListRow, content: ImportRow) -> bytes:
    """Return the payload of the event of a changed list."""
    return event_pb2.RiskListChange(
        name=row.name,
        kind=list_pb2.ListKind.Name(row.kind).removeprefix("LIST_KIND_"),  # type: ignore[arg-type]
        version=row.version,
        entry_count=content.entry_count,
        source=content.source,
        as_of_date=content.as_of_date,
    ).SerializeToString(deterministic=True)
