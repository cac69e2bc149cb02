"""What is read of screenings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.kyc.model import Category
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of
from longmen_server.screening.model import MatchRow

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId
    from longmen_server.riskcases.model import CaseRow

__all__ = ["Outdated", "count_outdated", "matches_of", "outdated"]

_MATCHES: Final = (
    f"select k.wrapped, {', '.join(f'm.{column}' for column in MatchRow.__slots__)}"
    " from name_match as m"
    " join customer_key as k on k.book = $1 and k.customer_id = m.customer_id"
    " where m.book = $1 and m.case_id = $2 order by m.likeness desc, m.list_name, m.match_id"
).encode()
# Those looked up longest ago first; a name that was looked up meanwhile is not there any more.
_OUTDATED: Final = f"""
    select s.customer_id, e.name, k.wrapped
    from name_screening as s
    join kyc_evidence as e on e.book = $1 and e.customer_id = s.customer_id
        and e.category = {Category.DOCUMENT.value} and e.name is not null
    join customer_key as k on k.book = $1 and k.customer_id = s.customer_id
    where s.book = $1 and s.lists_version < $2
    order by s.lists_version, s.customer_id limit $3
""".encode()

_COUNT: Final = b"select count(*) from name_screening where book = $1 and lists_version < $2"


class Outdated(NamedTuple):
    """A customer whose name was looked up in earlier lists."""

    customer_id: CustomerId
    sealed_name: bytes
    wrapped_key: bytes


async def matches_of(connection: Connection, case: CaseRow) -> list[tuple[bytes, MatchRow]]:
    """Return the customer's wrapped key with each match of a case, the likest first."""
    cursor = await connection.execute(_MATCHES, (book_of(case.case_id), Uuid(case.case_id)))
    return [(record[0], MatchRow(*record[1:])) for record in await cursor.fetchall()]


async def count_outdated(connection: Connection, book: int, lists_version: int) -> int:
    """Return how many customers wait for their names to be looked up in lists of this version."""
    cursor = await connection.execute(_COUNT, (book, lists_version))
    record = await cursor.fetchone()
    return int(record[0]) if record else 0


async def outdated(
    connection: Connection, book: int, lists_version: int, limit: int
) -> list[Outdated]:
    """Return customers whose names were not looked up in lists of this version yet."""
    cursor = await connection.execute(_OUTDATED, (book, lists_version, limit))
    return [Outdated(*record) for record in await cursor.fetchall()]
