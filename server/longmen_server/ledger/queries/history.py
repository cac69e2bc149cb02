"""What other areas read of the ledger: accounts, postings, holds and filtered histories.

Everything here answers with the ledger's rows, not with messages: each area shows them in its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import AccountRow, HoldRow, HoldState, PostingKind, PostingRow
from longmen_server.ledger.queries.rows import ACCOUNT_COLUMNS, POSTING_COLUMNS, posting_row
from longmen_server.platform.adapters import Int2Array, Uuid, UuidArray
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId, TransactionId

__all__ = [
    "HistoryEntry",
    "HistoryFilter",
    "expired_holds",
    "find_account_rows",
    "find_first_postings",
    "find_hold_rows",
    "read_history",
    "reference_is_own",
]

MINOR_UNITS_MAXIMUM: Final = 2**63 - 1

_KNOWN_CODES: Final = ", ".join(str(code.value) for code in PostingCode)

_ACCOUNTS: Final = (
    f"select {ACCOUNT_COLUMNS} from ledger_account where book = $1 and account_id = any($2)"
).encode()
_FIRST_POSTINGS: Final = (
    f"select {POSTING_COLUMNS} from ledger_posting as p"
    " where p.book = $1 and p.transaction_id = any($2) and p.ordinal = 0"
).encode()
_HOLDS: Final = (
    f"select {', '.join(HoldRow.__slots__)} from ledger_hold"
    " where book = $1 and transaction_id = any($2) and ordinal = 0"
).encode()
_EXPIRED: Final = (
    "select transaction_id, ordinal from ledger_hold"
    f" where book = $1 and state = {HoldState.HELD:d} and expires_at_us <= $2"
    " order by expires_at_us limit $3"
).encode()


def _own_reference(side: str) -> str:
    """Return the condition under which a posting's reference is that of the account on a side."""
    return "true" if side == "debit" else f"p.code = {PostingCode.TOP_UP:d}"


def _side(side: str, order: str) -> str:
    """Return the query for one side of an account within a range of versions."""
    other = "credit" if side == "debit" else "debit"
    return f"""(
        select {POSTING_COLUMNS}, p.{side}_version as version, '{side}' = 'debit' as is_debit
        from ledger_posting as p
        where p.book = $1 and p.{side}_account_id = $2 and p.{side}_version between $3 and $4
            and p.amount between $6 and $7
            and ($8::uuid is null or p.{other}_account_id = $8)
            and ($9::text = '' or position(lower($9) in lower(p.description)) > 0
                or ({_own_reference(side)} and position(lower($9) in lower(p.reference)) > 0))
            and case
                when p.reverses_transaction_id is not null then $10::bool
                else p.kind = any($11) or (p.kind = any($12)
                    and (p.code = any($13) or ($14::bool and p.code not in ({_KNOWN_CODES}))))
                end
        order by p.{side}_version {order} limit $5
    )"""


def _statement(order: str) -> bytes:
    return (
        f"with p as ({_side('debit', order)} union all {_side('credit', order)}"
        f" order by version {order} limit $5)"
        f" select {POSTING_COLUMNS}, p.is_debit from p order by p.version {order}"
    ).encode()


_OLDEST_FIRST: Final = _statement("asc")
_NEWEST_FIRST: Final = _statement("desc")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which entries of an account's history to keep; the default keeps all."""

    minimum: int = 0
    """Smallest amount, in minor units."""
    maximum: int = MINOR_UNITS_MAXIMUM
    """Largest amount, in minor units."""
    counterparty_id: AccountId | None = None
    text: str = ""
    """Text in the description, or in the reference where that is the account's own; in any case."""
    reversals: bool = True
    """Keep postings that take others back; the fields below are about all the rest."""
    kinds: Sequence[PostingKind] = tuple(PostingKind)
    """Kinds to keep, whatever their code."""
    coded_kinds: Sequence[PostingKind] = ()
    """Kinds to keep if their code is wanted."""
    codes: Sequence[PostingCode] = ()
    """Codes of the server that are wanted."""
    other_codes: bool = False
    """Whether all codes that are not the server's are wanted."""


class HistoryEntry(NamedTuple):
    """A posting as one of its accounts sees it."""

    posting: PostingRow
    is_debit: bool
    """Whether the account was debited."""

    @property
    def version(self) -> int:
        """Version of the account after the entry."""
        return self.posting.debit_version if self.is_debit else self.posting.credit_version

    @property
    def posted_after(self) -> int:
        """Posted balance of the account after the entry, in minor units."""
        if self.is_debit:
            return self.posting.debit_posted_after
        return self.posting.credit_posted_after

    @property
    def available_after(self) -> int:
        """Available of the account after the entry, in minor units."""
        held = self.posting.debit_held_after if self.is_debit else self.posting.credit_held_after
        return self.posted_after - (held or 0)

    @property
    def counterparty_id(self) -> AccountId:
        """The other account."""
        return self.posting.credit_account_id if self.is_debit else self.posting.debit_account_id


def reference_is_own(code: int, *, is_debit: bool) -> bool:
    """Whether a posting's reference is that of the account on a side.

    It is the payer's; a top-up's payer is the bank's clearing, and its reference the customer's.
    """
    return is_debit or code == PostingCode.TOP_UP


async def find_account_rows(
    connection: Connection, book: int, account_ids: Sequence[AccountId]
) -> dict[AccountId, AccountRow]:
    """Return those accounts that exist."""
    cursor = await connection.execute(_ACCOUNTS, (book, UuidArray(account_ids)))
    return {record[0]: AccountRow(*record) for record in await cursor.fetchall()}


async def find_first_postings(
    connection: Connection, book: int, transaction_ids: Sequence[TransactionId]
) -> dict[TransactionId, PostingRow]:
    """Return the first posting of those transactions that exist."""
    cursor = await connection.execute(_FIRST_POSTINGS, (book, UuidArray(transaction_ids)))
    return {record[0]: PostingRow._make(record) for record in await cursor.fetchall()}


async def find_hold_rows(
    connection: Connection, book: int, transaction_ids: Sequence[TransactionId]
) -> dict[TransactionId, HoldRow]:
    """Return what became of the holds of those first postings that are pending ones."""
    cursor = await connection.execute(_HOLDS, (book, UuidArray(transaction_ids)))
    return {record[0]: HoldRow(*record) for record in await cursor.fetchall()}


async def expired_holds(
    connection: Connection, book: int, *, now_us: int, limit: int
) -> list[tuple[TransactionId, int]]:
    """Return holds whose time was up by a moment in microseconds, the longest ago first."""
    cursor = await connection.execute(_EXPIRED, (book, now_us, limit))
    return [(record[0], record[1]) for record in await cursor.fetchall()]


async def read_history(
    connection: Connection,
    account_id: AccountId,
    versions: tuple[int, int],
    wanted: HistoryFilter,
    *,
    newest_first: bool,
    limit: int,
) -> list[HistoryEntry]:
    """Return up to `limit` entries from one version to another that pass a filter.

    Versions have no gaps, so the width of the range bounds what is read, whatever the filter.
    """
    parameters: tuple[Any, ...] = (
        book_of(account_id),
        Uuid(account_id),
        *versions,
        limit,
        wanted.minimum,
        wanted.maximum,
        None if wanted.counterparty_id is None else Uuid(wanted.counterparty_id),
        wanted.text,
        wanted.reversals,
        Int2Array(wanted.kinds),
        Int2Array(wanted.coded_kinds),
        Int2Array(wanted.codes),
        wanted.other_codes,
    )
    statement = _NEWEST_FIRST if newest_first else _OLDEST_FIRST
    cursor = await connection.execute(statement, parameters)
    return [HistoryEntry(posting_row(record), record[-1]) for record in await cursor.fetchall()]
