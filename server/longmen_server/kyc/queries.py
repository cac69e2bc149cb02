"""Reads of identification, straight from SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.kyc.model import ChangeRow, EvidenceRow, StandingRow
from longmen_server.kyc.tables import CHANGE_COLUMNS, EVIDENCE_COLUMNS, STANDING_COLUMNS
from longmen_server.platform.adapters import Uuid

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId

__all__ = ["find_evidence", "find_standing", "list_changes"]

_STANDING: Final = (
    f"select {STANDING_COLUMNS} from kyc_standing where book = $1 and customer_id = $2"
).encode()
_EVIDENCE: Final = (
    f"select {EVIDENCE_COLUMNS} from kyc_evidence where book = $1 and customer_id = $2"
    " order by category"
).encode()
_CHANGES: Final = (
    f"select {CHANGE_COLUMNS} from kyc_change where book = $1 and customer_id = $2"
    " order by change_number"
).encode()


async def find_standing(
    connection: Connection, book: int, customer_id: CustomerId
) -> StandingRow | None:
    """Return the class of a customer; None for one without."""
    cursor = await connection.execute(_STANDING, (book, Uuid(customer_id)))
    record = await cursor.fetchone()
    return None if record is None else StandingRow(*record)


async def find_evidence(
    connection: Connection, book: int, customer_id: CustomerId
) -> list[EvidenceRow]:
    """Return everything on file of a customer, what does not count any more included."""
    cursor = await connection.execute(_EVIDENCE, (book, Uuid(customer_id)))
    return [EvidenceRow(*record) for record in await cursor.fetchall()]


async def list_changes(
    connection: Connection, book: int, customer_id: CustomerId
) -> list[ChangeRow]:
    """Return every change of a customer's class, the first first."""
    cursor = await connection.execute(_CHANGES, (book, Uuid(customer_id)))
    return [ChangeRow(*record) for record in await cursor.fetchall()]
