"""What is read of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of
from longmen_server.riskcases.model import CaseRow, CaseState, Cause, NoteRow
from longmen_server.riskcases.tables import CASE_COLUMNS, NOTE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CaseId, CustomerId, DecisionId, TransactionId

__all__ = [
    "cases_of",
    "find_case",
    "list_cases",
    "notes_of",
    "position_of",
    "verdicts_of",
    "was_frozen",
]

_FIND: Final = f"select {CASE_COLUMNS} from risk_case where book = $1 and case_id = $2".encode()
_NOTES: Final = (
    f"select {NOTE_COLUMNS} from risk_case_note where book = $1 and case_id = $2 order by number"
).encode()
_LIST: Final = (
    f"select {CASE_COLUMNS} from risk_case where book = $1 and state = $2"
    " and ($3::text = '' or assignee = $3) and ($7::smallint = 0 or cause = $7)"
    " and (opened_at_us, case_id) > ($4, $5)"
    " order by opened_at_us, case_id limit $6"
).encode()
_OF_CUSTOMER: Final = (
    f"select {CASE_COLUMNS} from risk_case where book = $1 and customer_id = $2"
    f" and cause <> {Cause.SCREENING.value} order by case_id"
).encode()

_VERDICTS: Final = (
    b"select case_id, verdict from risk_case where book = $1 and case_id = any($2) and verdict > 0"
)
_WAS_FROZEN: Final = (
    b"select exists (select from risk_freeze where book = $1 and freeze_id = $2 and party = $3)"
)

_TIME_BYTES: Final = 8


async def find_case(connection: Connection, case_id: CaseId) -> CaseRow | None:
    """Return a case, or None when there is none."""
    cursor = await connection.execute(_FIND, (book_of(case_id), Uuid(case_id)))
    record = await cursor.fetchone()
    return None if record is None else CaseRow(*record)


async def notes_of(connection: Connection, case_id: CaseId) -> list[NoteRow]:
    """Return the notes on a case in their order."""
    cursor = await connection.execute(_NOTES, (book_of(case_id), Uuid(case_id)))
    return [NoteRow(*record) for record in await cursor.fetchall()]


def position_of(row: CaseRow) -> bytes:
    """Return where a list goes on after a case."""
    return row.opened_at_us.to_bytes(_TIME_BYTES, "big") + row.case_id


async def list_cases(
    connection: Connection,
    book: int,
    *,
    state: CaseState,
    assignee: str,
    cause: int,
    after: bytes,
    limit: int,
) -> list[CaseRow]:
    """Return cases, the longest waiting first.

    Args:
        connection: where to read.
        book: whose cases.
        state: of interest.
        assignee: whose; empty for everybody's.
        cause: why they were opened; 0 for any.
        after: position of the last one of the page before; empty for the first page.
        limit: how many at most.
    """
    opened_at_us = int.from_bytes(after[:_TIME_BYTES], "big") if after else -1
    last = after[_TIME_BYTES:] if after else bytes(16)
    cursor = await connection.execute(
        _LIST, (book, int(state), assignee, opened_at_us, Uuid(last), limit, cause)
    )
    return [CaseRow(*record) for record in await cursor.fetchall()]


async def cases_of(connection: Connection, customer_id: CustomerId) -> list[CaseRow]:
    """Return all cases about a customer's movements, as the customer may know of them.

    Of a screening nobody tells its customer: who is warned can take money and evidence away.
    """
    cursor = await connection.execute(_OF_CUSTOMER, (book_of(customer_id), Uuid(customer_id)))
    return [CaseRow(*record) for record in await cursor.fetchall()]


async def verdicts_of(
    connection: Connection, book: int, transaction_ids: Sequence[TransactionId]
) -> dict[bytes, int]:
    """Return what came out about movements, of those that somebody has closed a case about."""
    cursor = await connection.execute(_VERDICTS, (book, UuidArray(transaction_ids)))
    return {record[0]: record[1] for record in await cursor.fetchall()}


async def was_frozen(
    connection: Connection, decision_id: DecisionId, customer_id: CustomerId
) -> bool:
    """Return whether a decision froze a customer: its freeze has the decision's id."""
    cursor = await connection.execute(
        _WAS_FROZEN, (book_of(decision_id), Uuid(decision_id), Uuid(customer_id))
    )
    record = await cursor.fetchone()
    return record is not None and bool(record[0])
