"""What is read of settlements, and of the movements that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingKind
from longmen_server.platform.adapters import TextArray, Uuid
from longmen_server.platform.ids import AccountId, MerchantId, OrderId, TransactionId, book_of
from longmen_server.settlements.model import PositionRow, SettlementRow, SettlementState, Sums
from longmen_server.settlements.tables import SETTLEMENT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import SettlementId

__all__ = [
    "MOVED",
    "BillEntry",
    "OpenDay",
    "bill_entries",
    "due_settlements",
    "find_position",
    "find_settlement",
    "last_version",
    "list_settlements",
    "open_days",
    "orders_by_number",
    "settlement_of_day",
    "sums_of",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""

MOVED: Final = f"{PostingKind.POST:d}, {PostingKind.CAPTURE:d}"
"""Kinds of posting that move money; the others hold and free it."""

# The first movement of each merchant that no closed date has: exactly one posting has the version.
_OPEN_DAYS: Final = b"""
select m.merchant_id, m.account_id, coalesce(p.closed_version, 0), coalesce(p.closed_date, ''),
    f.booked_at_us
from merchant as m
join ledger_account as a on a.book = $1 and a.account_id = m.account_id
left join merchant_position as p on p.book = $1 and p.merchant_id = m.merchant_id
cross join lateral (
    (select booked_at_us from ledger_posting as l where l.book = $1
        and l.debit_account_id = m.account_id
        and l.debit_version = coalesce(p.closed_version, 0) + 1 limit 1)
    union all
    (select booked_at_us from ledger_posting as l where l.book = $1
        and l.credit_account_id = m.account_id
        and l.credit_version = coalesce(p.closed_version, 0) + 1 limit 1)
) as f
where m.book = $1 and a.version > coalesce(p.closed_version, 0) and f.booked_at_us < $2
order by m.merchant_id limit $3
"""
_LAST_VERSION: Final = b"""
select max(version) from (
    (select debit_version as version from ledger_posting where book = $1
        and debit_account_id = $2 and debit_version > $3 and booked_at_us < $4
        order by debit_version desc limit 1)
    union all
    (select credit_version from ledger_posting where book = $1
        and credit_account_id = $2 and credit_version > $3 and booked_at_us < $4
        order by credit_version desc limit 1)
) as l
"""
_SUMS: Final = f"""
select code, is_debit, count(*), sum(amount)::bigint from (
    select code, kind, amount, true as is_debit from ledger_posting
    where book = $1 and debit_account_id = $2 and debit_version > $3 and debit_version <= $4
    union all
    select code, kind, amount, false from ledger_posting
    where book = $1 and credit_account_id = $2 and credit_version > $3 and credit_version <= $4
) as l where kind in ({MOVED}) group by code, is_debit
""".encode()
_DUE: Final = (
    f"select {SETTLEMENT_COLUMNS} from merchant_settlement as s where book = $1 and state ="
    f" {SettlementState.PENDING:d} and settlement_date <= $2"
    # In the order of their dates: a merchant's later one waits for its earlier one.
    " and not exists (select 1 from merchant_settlement as e where e.book = $1"
    f" and e.merchant_id = s.merchant_id and e.state = {SettlementState.PENDING:d}"
    " and e.business_date < s.business_date)"
    " and settlement_id > $3 order by settlement_id limit $4"
).encode()
_FIND: Final = (
    f"select {SETTLEMENT_COLUMNS} from merchant_settlement where book = $1 and settlement_id = $2"
).encode()
_OF_DAY: Final = (
    f"select {SETTLEMENT_COLUMNS} from merchant_settlement"
    " where book = $1 and merchant_id = $2 and business_date = $3"
).encode()
_LIST: Final = (
    f"select {SETTLEMENT_COLUMNS} from merchant_settlement"
    " where book = $1 and merchant_id = $2 and business_date < $3"
    " order by business_date desc limit $4"
).encode()
_POSITION: Final = (
    b"select merchant_id, closed_version, closed_date, settled_date, carried"
    b" from merchant_position where book = $1 and merchant_id = $2"
)


class OpenDay(NamedTuple):
    """The earliest movement of a merchant that no closed date has."""

    merchant_id: MerchantId
    account_id: AccountId
    closed_version: int
    closed_date: str
    booked_at_us: int


async def open_days(
    connection: Connection, book: int, *, before_us: int, limit: int
) -> list[OpenDay]:
    """Return merchants with movements before a moment that no closed date has."""
    cursor = await connection.execute(_OPEN_DAYS, (book, before_us, limit))
    return [OpenDay(*record) for record in await cursor.fetchall()]


async def last_version(
    connection: Connection, account_id: AccountId, *, after: int, before_us: int
) -> int:
    """Return the last version of an account booked before a moment; `after` when there is none."""
    cursor = await connection.execute(
        _LAST_VERSION, (book_of(account_id), Uuid(account_id), after, before_us)
    )
    record = await cursor.fetchone()
    return after if record is None or record[0] is None else int(record[0])


async def sums_of(
    connection: Connection, account_id: AccountId, *, after: int, to_version: int
) -> Sums:
    """Return what an account's movements of some versions came to, payouts left out."""
    cursor = await connection.execute(
        _SUMS, (book_of(account_id), Uuid(account_id), after, to_version)
    )
    found = {"sale_count": 0, "sales": 0, "refund_count": 0, "refunds": 0}
    fees = {"fees": 0, "fees_returned": 0, "other": 0, "tips": 0, "tips_returned": 0}
    for code, is_debit, count, amount in await cursor.fetchall():
        if (code, is_debit) == (PostingCode.PURCHASE, False):
            found["sale_count"], found["sales"] = count, amount
        elif (code, is_debit) == (PostingCode.REFUND, True):
            found["refund_count"], found["refunds"] = count, amount
        elif (code, is_debit) == (PostingCode.MERCHANT_FEE, True):
            fees["fees"] = amount
        elif (code, is_debit) == (PostingCode.FEE_RETURN, False):
            fees["fees_returned"] = amount
        elif (code, is_debit) == (PostingCode.TIP, False):
            fees["tips"] = amount
        elif (code, is_debit) == (PostingCode.TIP_REFUND, True):
            fees["tips_returned"] = amount
        elif (code, is_debit) != (PostingCode.SETTLEMENT, True):
            fees["other"] += -amount if is_debit else amount
    return Sums(**found, **fees)


async def due_settlements(
    connection: Connection, book: int, *, today: str, after: bytes, limit: int
) -> list[SettlementRow]:
    """Return settlements whose day has come, in the order of their ids."""
    cursor = await connection.execute(_DUE, (book, today, Uuid(after), limit))
    return [SettlementRow(*record) for record in await cursor.fetchall()]


async def find_settlement(
    connection: Connection, settlement_id: SettlementId
) -> SettlementRow | None:
    """Return a settlement, or None when there is none."""
    cursor = await connection.execute(_FIND, (book_of(settlement_id), Uuid(settlement_id)))
    record = await cursor.fetchone()
    return None if record is None else SettlementRow(*record)


async def settlement_of_day(
    connection: Connection, merchant_id: MerchantId, business_date: str
) -> SettlementRow | None:
    """Return the settlement of a business date, or None when it has none."""
    cursor = await connection.execute(
        _OF_DAY, (book_of(merchant_id), Uuid(merchant_id), business_date)
    )
    record = await cursor.fetchone()
    return None if record is None else SettlementRow(*record)


async def list_settlements(
    connection: Connection, merchant_id: MerchantId, *, before: str, limit: int
) -> list[SettlementRow]:
    """Return up to `limit` settlements of a merchant, newest first."""
    cursor = await connection.execute(
        _LIST, (book_of(merchant_id), Uuid(merchant_id), before or "9", limit)
    )
    return [SettlementRow(*record) for record in await cursor.fetchall()]


async def find_position(connection: Connection, merchant_id: MerchantId) -> PositionRow | None:
    """Return how far a merchant's dates are closed; None when none was."""
    cursor = await connection.execute(_POSITION, (book_of(merchant_id), Uuid(merchant_id)))
    record = await cursor.fetchone()
    return None if record is None else PositionRow(*record)


# -- bills -------------------------------------------------------------------------------------


class BillEntry(NamedTuple):
    """One movement of a merchant's account, with the order behind it."""

    version: int
    booked_at_us: int
    code: int
    is_debit: bool
    amount: int
    balance: int
    transaction_id: TransactionId
    ordinal: int
    reference: str | None
    description: str | None
    order_id: OrderId | None
    refund_number: str | None


def _side(side: str) -> str:
    return (
        f"(select {side}_version as version, booked_at_us, code, kind,"
        f" '{side}' = 'debit' as is_debit, amount, {side}_posted_after as balance,"
        " transaction_id, ordinal, reference, description"
        f" from ledger_posting where book = $1 and {side}_account_id = $2"
        f" and {side}_version > $4 and {side}_version <= $5 order by {side}_version limit $6)"
    )


# The page is cut by version before what holds and frees is left out, so that it always moves on.
_ENTRIES: Final = f"""
with page as (
    select * from ({_side("debit")} union all {_side("credit")}) as l order by version limit $6
)
select l.version, l.booked_at_us, l.code, l.is_debit, l.amount, l.balance, l.transaction_id,
    l.ordinal, l.reference, l.description, o.order_id, r.refund_number, l.kind in ({MOVED})
from page as l
left join lateral (
    select order_id from merchant_order as m where m.book = $1 and m.merchant_id = $3
        and m.order_number = l.reference and l.code in
        ({PostingCode.PURCHASE:d}, {PostingCode.REFUND:d}, {PostingCode.MERCHANT_FEE:d},
        {PostingCode.FEE_RETURN:d}, {PostingCode.TIP:d}, {PostingCode.TIP_REFUND:d},
        {PostingCode.SHARE_HELD:d}, {PostingCode.SHARE_RELEASED:d}) limit 1
) as o on true
left join lateral (
    select refund_number from order_refund as f where f.book = $1 and f.order_id = o.order_id
        and f.transaction_id = l.transaction_id limit 1
) as r on true
order by l.version
""".encode()
_ORDERS: Final = (
    b"select order_number, order_id, state, paid_at_us from merchant_order"
    b" where book = $1 and merchant_id = $2 and order_number = any($3)"
)


async def bill_entries(
    connection: Connection,
    merchant_id: MerchantId,
    account_id: AccountId,
    *,
    after: int,
    to_version: int,
    limit: int,
) -> tuple[list[BillEntry], int]:
    """Return some movements of an account after a version, and the last version looked at."""
    cursor = await connection.execute(
        _ENTRIES,
        (book_of(account_id), Uuid(account_id), Uuid(merchant_id), after, to_version, limit),
    )
    records: list[tuple[Any, ...]] = await cursor.fetchall()
    entries = [BillEntry(*record[:-1]) for record in records if record[-1]]
    return entries, records[-1][0] if records else to_version


async def orders_by_number(
    connection: Connection, merchant_id: MerchantId, numbers: Sequence[str]
) -> dict[str, tuple[OrderId, int, int | None]]:
    """Return id, state and time of payment of those orders that exist, by number."""
    cursor = await connection.execute(
        _ORDERS, (book_of(merchant_id), Uuid(merchant_id), TextArray(list(numbers)))
    )
    return {record[0]: (record[1], record[2], record[3]) for record in await cursor.fetchall()}
