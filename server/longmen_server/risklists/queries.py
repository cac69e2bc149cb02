"""What is read of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.platform.adapters import Uuid
from longmen_server.risk.model import ListedKind
from longmen_server.risklists.index import ListIndex
from longmen_server.risklists.model import ImportRow, ListRow
from longmen_server.risklists.rows import read_entries
from longmen_server.risklists.tables import IMPORT_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import ListImportId

__all__ = [
    "find_import",
    "index_of",
    "list_lists",
    "lists_version",
    "names_version",
    "read_lists",
]


async def lists_version(connection: Connection, book: int) -> int:
    """Return a number that grows with every commit of any list."""
    cursor = await connection.execute(
        b"select sum(version) from risk_list where book = $1", (book,)
    )
    record = await cursor.fetchone()
    return int(record[0]) if record and record[0] is not None else 0


async def names_version(connection: Connection, book: int) -> int:
    """Return a number that grows with every commit of a list of names; 0 before the first."""
    cursor = await connection.execute(
        b"select sum(version) from risk_list where book = $1 and kind = $2",
        (book, int(ListedKind.NAME)),
    )
    record = await cursor.fetchone()
    return int(record[0]) if record and record[0] is not None else 0


async def find_import(
    connection: Connection, book: int, list_import_id: ListImportId
) -> ImportRow | None:
    """Return an import."""
    cursor = await connection.execute(
        f"select {IMPORT_COLUMNS} from risk_list_import"
        " where book = $1 and list_import_id = $2".encode(),
        (book, Uuid(list_import_id)),
    )
    record = await cursor.fetchone()
    return None if record is None else ImportRow(*record)


async def list_lists(connection: Connection, book: int) -> list[tuple[ListRow, ImportRow]]:
    """Return every list with its content's import, by name and kind."""
    lists = ", ".join(f"l.{name}" for name in ListRow.__slots__)
    imports = ", ".join(f"i.{name}" for name in ImportRow.__slots__)
    cursor = await connection.execute(
        f"select {lists}, {imports} from risk_list as l join risk_list_import as i"
        " on i.book = $1 and i.list_import_id = l.list_import_id"
        " where l.book = $1 order by l.name, l.kind".encode(),
        (book,),
    )
    cut = len(ListRow.__slots__)
    return [
        (ListRow(*record[:cut]), ImportRow(*record[cut:])) for record in await cursor.fetchall()
    ]


async def read_lists(connection: Connection, book: int) -> list[tuple[str, int, list[bytes]]]:
    """Return every list with the stored rows of its content."""
    cursor = await connection.execute(
        b"select l.name, l.kind, array_agg(c.content order by c.chunk_number)"
        b" from risk_list as l join risk_list_chunk as c"
        b" on c.book = $1 and c.list_import_id = l.list_import_id"
        b" where l.book = $1 group by l.name, l.kind",
        (book,),
    )
    return [(record[0], record[1], list(record[2])) for record in await cursor.fetchall()]


def index_of(stored: list[tuple[str, int, list[bytes]]]) -> ListIndex:
    """Return stored lists ready to be looked into; 10⁵ entries take a good part of a second."""
    return ListIndex(
        (name, ListedKind(kind), (entry for chunk in chunks for entry in read_entries(chunk)))
        for name, kind, chunks in stored
    )
