"""What is read of payouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.payouts.model import (
    PayoutAccountRow,
    PayoutAccountState,
    PayoutRow,
    PayoutState,
)
from longmen_server.payouts.tables import ACCOUNT_COLUMNS, PAYOUT_COLUMNS
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId, SettlementId, TransactionId

__all__ = [
    "find_account",
    "find_payout",
    "list_payouts",
    "payable",
    "payouts_in_state",
    "payouts_of_transactions",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""

_ACCOUNT: Final = (
    f"select {ACCOUNT_COLUMNS} from merchant_payout_account where book = $1 and merchant_id = $2"
).encode()
_FROM: Final = f"select {PAYOUT_COLUMNS} from merchant_payout"
_FIND: Final = f"{_FROM} where book = $1 and settlement_id = $2".encode()
_LIST: Final = (
    f"{_FROM} where book = $1 and merchant_id = $2 and settlement_id < $3"
    " order by settlement_id desc limit $4"
).encode()
_PAYABLE: Final = (
    f"{_FROM} as p where book = $1 and state = {PayoutState.WAITING:d} and exists"
    " (select 1 from merchant_payout_account as a where a.book = $1"
    f" and a.merchant_id = p.merchant_id and a.state = {PayoutAccountState.ACTIVE:d})"
    " order by settlement_id limit $2"
).encode()
_IN_STATE: Final = (
    f"{_FROM} where book = $1 and state = $2 and settlement_id > $3 order by settlement_id limit $4"
).encode()
_BY_TRANSACTION: Final = f"{_FROM} where book = $1 and transaction_id = any($2)".encode()


async def find_account(connection: Connection, merchant_id: MerchantId) -> PayoutAccountRow | None:
    """Return where a merchant is paid; None before it registered an account."""
    cursor = await connection.execute(_ACCOUNT, (book_of(merchant_id), Uuid(merchant_id)))
    record = await cursor.fetchone()
    return None if record is None else PayoutAccountRow(*record)


async def find_payout(connection: Connection, settlement_id: SettlementId) -> PayoutRow | None:
    """Return the payout of a settlement, or None when it has none."""
    cursor = await connection.execute(_FIND, (book_of(settlement_id), Uuid(settlement_id)))
    record = await cursor.fetchone()
    return None if record is None else PayoutRow(*record)


async def list_payouts(
    connection: Connection, merchant_id: MerchantId, *, before: bytes, limit: int
) -> list[PayoutRow]:
    """Return up to `limit` payouts of a merchant, newest first."""
    cursor = await connection.execute(
        _LIST, (book_of(merchant_id), Uuid(merchant_id), Uuid(before or _LAST_ID), limit)
    )
    return [PayoutRow(*record) for record in await cursor.fetchall()]


async def payable(connection: Connection, book: int, *, limit: int) -> list[PayoutRow]:
    """Return payouts that wait for an account and have one."""
    cursor = await connection.execute(_PAYABLE, (book, limit))
    return [PayoutRow(*record) for record in await cursor.fetchall()]


async def payouts_in_state(
    connection: Connection, book: int, state: PayoutState, *, after: bytes | None, limit: int
) -> list[PayoutRow]:
    """Return payouts in a state, in the order of their settlements' ids."""
    parameters = (book, int(state), Uuid(after or bytes(16)), limit)
    cursor = await connection.execute(_IN_STATE, parameters)
    return [PayoutRow(*record) for record in await cursor.fetchall()]


async def payouts_of_transactions(
    connection: Connection, book: int, transaction_ids: Collection[TransactionId]
) -> dict[TransactionId, PayoutRow]:
    """Return the payouts that those transactions booked, by transaction."""
    cursor = await connection.execute(_BY_TRANSACTION, (book, UuidArray(sorted(transaction_ids))))
    rows = [PayoutRow(*record) for record in await cursor.fetchall()]
    return {row.transaction_id: row for row in rows if row.transaction_id is not None}
