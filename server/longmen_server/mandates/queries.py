"""What is read of mandates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.mandates.model import MandateRow
from longmen_server.mandates.tables import MANDATE_COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import CustomerId, book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId, MandateId

__all__ = ["find_mandate", "list_mandates", "owner_of"]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""

_FIND: Final = f"select {MANDATE_COLUMNS} from mandate where book = $1 and mandate_id = $2".encode()
_LIST: Final = (
    f"select {MANDATE_COLUMNS} from mandate where book = $1 and account_id = $2"
    " and mandate_id < $3 order by mandate_id desc limit $4"
).encode()
_OWNER: Final = b"select owner_id from ledger_account where book = $1 and account_id = $2"


async def find_mandate(connection: Connection, mandate_id: MandateId) -> MandateRow | None:
    """Return a mandate, or None when there is none."""
    cursor = await connection.execute(_FIND, (book_of(mandate_id), Uuid(mandate_id)))
    record = await cursor.fetchone()
    return None if record is None else MandateRow(*record)


async def list_mandates(
    connection: Connection, account_id: AccountId, *, before: bytes, limit: int
) -> list[MandateRow]:
    """Return up to `limit` mandates on an account, newest first."""
    cursor = await connection.execute(
        _LIST, (book_of(account_id), Uuid(account_id), Uuid(before or _LAST_ID), limit)
    )
    return [MandateRow(*record) for record in await cursor.fetchall()]


async def owner_of(connection: Connection, account_id: AccountId) -> tuple[bool, CustomerId | None]:
    """Return whether there is such an account, and whose it is."""
    cursor = await connection.execute(_OWNER, (book_of(account_id), Uuid(account_id)))
    record = await cursor.fetchone()
    return (False, None) if record is None else (True, record[0])
