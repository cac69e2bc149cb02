"""Lists and their imports as they are kept, and what is refused of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import LIST_IMPORT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import ListImportId

__all__ = [
    "ChunkRow",
    "ImportRow",
    "ImportState",
    "ListKey",
    "ListRow",
    "check_chunk",
    "check_complete",
    "check_open",
    "check_size",
    "import_not_found",
]

ENTRIES_MAX: Final = 500_000
"""Of one import. Every worker keeps all entries in memory, about 300 bytes each."""


class ImportState(IntEnum):
    """Where an import stands; values of longmen.risk.v1.ListImportState."""

    OPEN = 1
    """It takes rows, and nothing goes by it."""
    COMMITTED = 2
    """It is what its list says, or said before another one was committed."""


class ListKey(NamedTuple):
    """Which list: a name has content of several kinds."""

    name: str
    kind: int


@dataclass(slots=True)
class ImportRow:
    """An import of a list's whole content, in the order of its columns."""

    list_import_id: ListImportId
    name: str
    kind: int
    state: int
    source: str
    as_of_date: str
    chunk_count: int
    line_count: int
    entry_count: int
    bad_row_count: int
    created_at_us: int
    committed_at_us: int | None

    def copy(self) -> ImportRow:
        """Return a copy for a command to change."""
        return replace(self)

    @property
    def key(self) -> ListKey:
        """The list it is for."""
        return ListKey(self.name, self.kind)


@dataclass(slots=True)
class ListRow:
    """A list with its current import, in the order of its columns."""

    name: str
    kind: int
    version: int
    """From 1, one more with each import that is committed."""
    list_import_id: ListImportId
    committed_at_us: int

    def copy(self) -> ListRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class ChunkRow:
    """Rows of an import; they never change."""

    list_import_id: ListImportId
    chunk_number: int
    entry_count: int
    content: bytes


def import_not_found(list_import_id: ListImportId) -> Refusal:
    """Return the refusal for an import that is not there."""
    return Refusal(
        "RISK_LIST_IMPORT_NOT_FOUND",
        "there is no such import",
        metadata={"list_import_id": LIST_IMPORT.encode(list_import_id)},
        field="list_import_id",
    )


def check_open(row: ImportRow) -> None:
    """Refuse to change what is a list already, or was one.

    Raises:
        Refusal: RISK_LIST_IMPORT_CLOSED.
    """
    if row.state != ImportState.OPEN:
        raise Refusal(
            "RISK_LIST_IMPORT_CLOSED",
            "the import was committed before",
            metadata={"state": ImportState(row.state).name},
            field="list_import_id",
        )


def check_chunk(row: ImportRow, chunk_number: int, field: str) -> None:
    """Refuse a chunk before its turn, a second time, or a commit that counts others.

    Raises:
        Refusal: RISK_LIST_CHUNK_ORDER.
    """
    expected = row.chunk_count + (field == "chunk_number")
    if chunk_number != expected:
        raise Refusal(
            "RISK_LIST_CHUNK_ORDER",
            "chunks come in the order of their numbers, and all of them",
            metadata={"expected_number": str(expected), "line_count": str(row.line_count)},
            field=field,
        )


def check_size(row: ImportRow, more: int) -> None:
    """Refuse more rows than a list may have.

    Raises:
        Refusal: RISK_LIST_TOO_LARGE.
    """
    if row.entry_count + more > ENTRIES_MAX:
        raise Refusal(
            "RISK_LIST_TOO_LARGE",
            "a list has no place for so many entries",
            metadata={"limit_count": str(ENTRIES_MAX)},
            field="content",
        )


def check_complete(row: ImportRow, *, skip_bad_rows: bool) -> None:
    """Refuse to go by rows of which some could not be read, unless somebody says so.

    Raises:
        Refusal: RISK_LIST_INVALID.
    """
    if row.bad_row_count and not skip_bad_rows:
        raise Refusal(
            "RISK_LIST_INVALID",
            "some rows are no entries: nothing goes by the import",
            metadata={
                "bad_row_count": str(row.bad_row_count),
                "entry_count": str(row.entry_count),
            },
            field="skip_bad_rows",
        )
