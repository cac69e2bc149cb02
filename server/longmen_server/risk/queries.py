"""What is read of decisions, freezes and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of, first_id_at
from longmen_server.risk.rows import DecisionRow, FreezeRow, NoticeRow
from longmen_server.risk.tables import DECISION_COLUMNS, FREEZE_COLUMNS, NOTICE_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId, DecisionId

__all__ = [
    "count_past",
    "find_decision",
    "list_decisions",
    "list_freezes",
    "owner_of",
    "past_decisions",
    "waiting_notices",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""

_FIND: Final = (
    f"select {DECISION_COLUMNS} from risk_decision where book = $1 and decision_id = $2"
).encode()
_LIST: Final = (
    f"select {DECISION_COLUMNS} from risk_decision where book = $1"
    " and decision_id < $2 and decision_id >= $3 and outcome >= $4"
    " order by decision_id desc limit $5"
).encode()
_LIST_OF: Final = (
    f"select {DECISION_COLUMNS} from risk_decision where book = $1 and party = $6"
    " and decision_id < $2 and decision_id >= $3 and outcome >= $4"
    " order by decision_id desc limit $5"
).encode()
_PAST: Final = (
    f"select {DECISION_COLUMNS} from risk_decision where book = $1"
    " and decision_id > $2 and decision_id < $3 order by decision_id limit $4"
).encode()
_COUNT_PAST: Final = (
    b"select count(*) from (select from risk_decision where book = $1"
    b" and decision_id > $2 and decision_id < $3 limit $4) as d"
)
_FREEZES: Final = (
    f"select {FREEZE_COLUMNS} from risk_freeze where book = $1 and party = $2"
    " and freeze_id < $3 order by freeze_id desc limit $4"
).encode()
_NOTICES: Final = (
    f"select {NOTICE_COLUMNS} from risk_notice where book = $1 and not done"
    " order by created_at_us, decision_id, kind limit $2"
).encode()
_IS_CUSTOMER: Final = b"select exists (select from wallet where book = $1 and customer_id = $2)"


async def find_decision(connection: Connection, decision_id: DecisionId) -> DecisionRow | None:
    """Return a decision, or None when there is none."""
    cursor = await connection.execute(_FIND, (book_of(decision_id), Uuid(decision_id)))
    record = await cursor.fetchone()
    return None if record is None else _decision(record)


async def list_decisions(
    connection: Connection,
    book: int,
    *,
    party: bytes | None,
    lowest: int,
    between_us: tuple[int | None, int | None],
    before: bytes,
    limit: int,
) -> list[DecisionRow]:
    """Return decisions, newest first.

    Args:
        connection: where to read.
        book: whose decisions.
        party: whose movements; None for all of the book.
        lowest: the lowest outcome of interest.
        between_us: the first moment of interest and the first that is not, in microseconds.
        before: id of the last decision of the page before; empty for the first page.
        limit: how many at most.
    """
    first_us, end_us = between_us
    first = bytes(16) if first_us is None else first_id_at(first_us)
    last = _LAST_ID if end_us is None else first_id_at(end_us)
    if before:
        last = min(last, before)
    parameters: tuple[object, ...] = (book, Uuid(last), Uuid(first), lowest, limit)
    if party is None:
        cursor = await connection.execute(_LIST, parameters)
    else:
        cursor = await connection.execute(_LIST_OF, (*parameters, Uuid(party)))
    return [_decision(record) for record in await cursor.fetchall()]


def _decision(record: tuple[object, ...]) -> DecisionRow:
    return DecisionRow(*record)  # type: ignore[arg-type]  # columns are in the order of the fields


async def past_decisions(
    connection: Connection, book: int, *, after: bytes, before: bytes, limit: int
) -> list[DecisionRow]:
    """Return decisions between two ids, the oldest first."""
    cursor = await connection.execute(_PAST, (book, Uuid(after), Uuid(before), limit))
    return [_decision(record) for record in await cursor.fetchall()]


async def count_past(
    connection: Connection, book: int, *, after: bytes, before: bytes, limit: int
) -> int:
    """Return how many decisions are between two ids, counting no further than a limit."""
    cursor = await connection.execute(_COUNT_PAST, (book, Uuid(after), Uuid(before), limit))
    record = await cursor.fetchone()
    return record[0] if record else 0


async def owner_of(connection: Connection, row: DecisionRow) -> CustomerId | None:
    """Return the customer whose movement it was; None for a merchant's or nobody's."""
    if row.party is None:
        return None
    book = book_of(row.decision_id)
    cursor = await connection.execute(_IS_CUSTOMER, (book, Uuid(row.party)))
    record = await cursor.fetchone()
    return row.party if record is not None and record[0] else None  # type: ignore[return-value]


async def list_freezes(
    connection: Connection, book: int, party: bytes, *, before: bytes, limit: int
) -> list[FreezeRow]:
    """Return the freezes of a party, newest first."""
    cursor = await connection.execute(
        _FREEZES, (book, Uuid(party), Uuid(before or _LAST_ID), limit)
    )
    return [FreezeRow(*record) for record in await cursor.fetchall()]


async def waiting_notices(connection: Connection, book: int, limit: int) -> list[NoticeRow]:
    """Return what customers are still to be told, the oldest first."""
    cursor = await connection.execute(_NOTICES, (book, limit))
    return [NoticeRow(*record) for record in await cursor.fetchall()]
