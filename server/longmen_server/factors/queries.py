"""Reads of factors, straight from SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.factors.model import AttemptRow, FactorRow, SecurityRow
from longmen_server.factors.tables import ATTEMPT_COLUMNS, FACTOR_COLUMNS, SECURITY_COLUMNS
from longmen_server.platform.adapters import Uuid

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId

FACTORS = (
    f"select {FACTOR_COLUMNS} from factor where book = $1 and customer_id = $2"
    " order by kind, slot".encode()
)
SECURITY = (
    f"select {SECURITY_COLUMNS} from customer_security where book = $1 and customer_id = $2"
).encode()
ATTEMPTS = (
    f"select {ATTEMPT_COLUMNS} from factor_attempt"
    " where book = $1 and customer_id = $2 and device_id = $3"
).encode()


async def find_factors(
    connection: Connection, book: int, customer_id: CustomerId
) -> list[FactorRow]:
    """Return everything kept of a customer's factors, pending and removed ones included."""
    cursor = await connection.execute(FACTORS, (book, Uuid(customer_id)))
    return [FactorRow(*record) for record in await cursor.fetchall()]


async def find_security(
    connection: Connection, book: int, customer_id: CustomerId
) -> SecurityRow | None:
    """Return the one row that payments look at."""
    cursor = await connection.execute(SECURITY, (book, Uuid(customer_id)))
    record = await cursor.fetchone()
    return None if record is None else SecurityRow(*record)


async def find_attempts(
    connection: Connection, book: int, customer_id: CustomerId, device_id: bytes
) -> dict[int, AttemptRow]:
    """Return a device's wrong tries by kind of factor."""
    cursor = await connection.execute(ATTEMPTS, (book, Uuid(customer_id), Uuid(device_id)))
    rows = [AttemptRow(*record) for record in await cursor.fetchall()]
    return {row.kind: row for row in rows}
