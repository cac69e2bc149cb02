"""Reading proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.approvals.model import ApprovalRow, ApprovalState
from longmen_server.approvals.tables import COLUMNS
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import ApprovalId

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

__all__ = ["find", "list_page"]

NO_APPROVAL: Final = ApprovalId(bytes(16))
"""An id before every other one."""

_FIND: Final = (f"select {COLUMNS} from approval where book = $1 and approval_id = $2").encode()

# Stored states are asked for, besides the time: a pending proposal expires without being touched.
_LIST: Final = (
    f"select {COLUMNS} from approval where book = $1 and approval_id > $2"
    " and ($3::smallint = 0 or (state = $3 and (state <> 1 or expires_at_us > $5))"
    "  or ($3 = 5 and state = 1 and expires_at_us <= $5))"
    " and ($4::text = '' or maker = $4) order by approval_id limit $6"
).encode()


async def find(connection: Connection, book: int, approval_id: ApprovalId) -> ApprovalRow | None:
    """Return one proposal; None when there is none."""
    cursor = await connection.execute(_FIND, (book, Uuid(approval_id)))
    record = await cursor.fetchone()
    return None if record is None else ApprovalRow(*record)


async def list_page(
    connection: Connection,
    book: int,
    *,
    after: ApprovalId,
    state: ApprovalState | None,
    maker: str,
    now_us: int,
    limit: int,
) -> list[ApprovalRow]:
    """Return proposals in the order they were made, after one of them."""
    cursor = await connection.execute(
        _LIST, (book, Uuid(after), int(state or 0), maker, now_us, limit)
    )
    return [ApprovalRow(*record) for record in await cursor.fetchall()]
