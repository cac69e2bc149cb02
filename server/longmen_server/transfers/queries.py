"""What is read of transfers: one, an account's, those that are due, and the clearing's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.accounts.queries import Versions, read_page
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.queries.history import (
    HistoryFilter,
    find_account_rows,
    find_first_postings,
    find_hold_rows,
)
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of
from longmen_server.transfers.model import (
    TRANSFER_CODES,
    InstructionRow,
    InstructionState,
    ScheduleRow,
    TransferState,
    is_transfer,
    standing,
)
from longmen_server.transfers.tables import INSTRUCTION_COLUMNS, SCHEDULE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from longmen_server.ledger.model import PostingRow
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId, CustomerId, TransactionId
    from longmen_server.transfers.model import Standing

__all__ = [
    "FoundInstruction",
    "FoundTransfer",
    "TransferPage",
    "count_open_instructions",
    "due_transfers",
    "find_instructions",
    "find_transfer",
    "list_transfers",
    "open_instructions",
]

_TRANSFERS: Final = HistoryFilter(
    reversals=False,
    kinds=(),
    coded_kinds=(PostingKind.POST, PostingKind.PENDING),
    codes=TRANSFER_CODES,
)

PAGES_TRIED_MAX: Final = 5
"""How often a list that keeps few states looks further before it ends a page that is not full."""

_SCHEDULES: Final = (
    f"select {SCHEDULE_COLUMNS} from transfer_schedule where book = $1 and transaction_id = any($2)"
).encode()
_DUE: Final = (
    "select transaction_id from transfer_schedule where book = $1"
    f" and ((state = {TransferState.SCHEDULED:d} and due_at_us <= $2)"
    f" or (state = {TransferState.HELD:d} and due_at_us <= $3))"
    " order by due_at_us limit $4"
).encode()
_FROM_INSTRUCTIONS: Final = (
    f"select {', '.join(f'i.{column}' for column in INSTRUCTION_COLUMNS.split(', '))}, k.wrapped"
    " from clearing_instruction as i"
    " left join customer_key as k on k.book = $1 and k.customer_id = i.key_owner"
)
_OPEN_COUNT: Final = (
    "select count(*) from clearing_instruction as i where i.book = $1"
    f" and i.state in ({InstructionState.QUEUED:d}, {InstructionState.SENT:d},"
    f" {InstructionState.HELD:d}) and i.account_id in"
    " (select a.account_id from wallet_account as a where a.book = $1 and a.customer_id = $2)"
).encode()
_INSTRUCTIONS_OF: Final = (
    f"{_FROM_INSTRUCTIONS} where i.book = $1 and i.transaction_id = any($2)"
).encode()
_INSTRUCTIONS: Final = (
    f"{_FROM_INSTRUCTIONS}"
    " where i.book = $1 and i.state = $2 and i.transaction_id > $3"
    " order by i.transaction_id limit $4"
).encode()


class FoundInstruction(NamedTuple):
    """An instruction to the clearing with the data key its bank account is sealed under."""

    row: InstructionRow
    wrapped_key: bytes | None
    """None when the key's owner was erased."""


class FoundTransfer(NamedTuple):
    """A transfer as it stands."""

    posting: PostingRow
    stands: Standing


async def find_transfer(
    connection: Connection, transfer_id: TransactionId, now_us: int
) -> tuple[FoundTransfer, CustomerId | None, CustomerId | None] | None:
    """Return a transfer with the owners of the accounts it is from and to; None when there is none.

    The connection is on one snapshot.
    """
    book = book_of(transfer_id)
    posting = (await find_first_postings(connection, book, [transfer_id])).get(transfer_id)
    if posting is None or not is_transfer(posting):
        return None
    found = (await _standings(connection, book, [posting], now_us))[0]
    both = [posting.debit_account_id, posting.credit_account_id]
    accounts = await find_account_rows(connection, book, both)
    return found, accounts[both[0]].owner_id, accounts[both[1]].owner_id


class TransferPage(NamedTuple):
    """Part of an account's transfers."""

    transfers: list[FoundTransfer]
    next_version: int
    """Where to go on; 0 when none is left."""


async def list_transfers(
    connection: Connection,
    account_id: AccountId,
    versions: Versions,
    states: Collection[int],
    *,
    now_us: int,
    limit: int,
) -> TransferPage:
    """Return the newest transfers of an account within a range of its versions.

    The connection is on one snapshot. What is read is bounded, so a page may end before it is full.
    """
    book = book_of(account_id)
    found: list[FoundTransfer] = []
    first, last = versions.first, versions.last
    for _ in range(PAGES_TRIED_MAX):
        wanted = limit - len(found)
        if last < first or not wanted:
            break
        page = await read_page(
            connection, account_id, Versions(first, last), _TRANSFERS, limit=wanted
        )
        postings = [entry.posting for entry in page.entries]
        standings = await _standings(connection, book, postings, now_us)
        found.extend(each for each in standings if not states or each.stands.state in states)
        last = page.next_version
    return TransferPage(found, last if last >= first else 0)


async def _standings(
    connection: Connection, book: int, postings: Sequence[PostingRow], now_us: int
) -> list[FoundTransfer]:
    """Return where the transfers of some first postings stand."""
    if not postings:
        return []
    ids = [posting.transaction_id for posting in postings]
    cursor = await connection.execute(_SCHEDULES, (book, UuidArray(ids)))
    schedules = {record[0]: ScheduleRow(*record) for record in await cursor.fetchall()}
    pending = [p.transaction_id for p in postings if p.kind == PostingKind.PENDING]
    holds = await find_hold_rows(connection, book, pending) if pending else {}
    return [
        FoundTransfer(
            posting,
            standing(
                posting,
                schedules.get(posting.transaction_id),
                holds.get(posting.transaction_id),
                now_us,
            ),
        )
        for posting in postings
    ]


async def due_transfers(
    connection: Connection, book: int, *, now_us: int, held_until_us: int, limit: int
) -> list[TransactionId]:
    """Return scheduled transfers whose time has come, and held ones whose money no longer is.

    Args:
        connection: where to read.
        book: whose transfers.
        now_us: scheduled transfers due by then, in microseconds.
        held_until_us: held transfers that were due by then.
        limit: how many at most, the longest due first.
    """
    cursor = await connection.execute(_DUE, (book, now_us, held_until_us, limit))
    return [record[0] for record in await cursor.fetchall()]


async def count_open_instructions(
    connection: Connection, book: int, customer_id: CustomerId
) -> int:
    """Return how many instructions of a customer's accounts the clearing has not answered yet."""
    cursor = await connection.execute(_OPEN_COUNT, (book, Uuid(customer_id)))
    record = await cursor.fetchone()
    return 0 if record is None else int(record[0])


async def find_instructions(
    connection: Connection, book: int, transfer_ids: Collection[TransactionId]
) -> list[FoundInstruction]:
    """Return the instructions of those transfers that have one."""
    cursor = await connection.execute(_INSTRUCTIONS_OF, (book, UuidArray(sorted(transfer_ids))))
    return [
        FoundInstruction(InstructionRow(*record[:-1]), record[-1])
        for record in await cursor.fetchall()
    ]


async def open_instructions(
    connection: Connection,
    book: int,
    state: InstructionState,
    *,
    after: TransactionId | None,
    limit: int,
) -> list[FoundInstruction]:
    """Return instructions to the clearing that are queued, or sent, in the order they were made."""
    parameters = (book, int(state), Uuid(after or bytes(16)), limit)
    cursor = await connection.execute(_INSTRUCTIONS, parameters)
    return [
        FoundInstruction(InstructionRow(*record[:-1]), record[-1])
        for record in await cursor.fetchall()
    ]
