"""Movements: an account's history in the words that customers know it by."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from longmen.accounts.v1 import wallet_pb2
from longmen_server.accounts.encode import money
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.queries.history import HistoryFilter, reference_is_own
from longmen_server.platform.ids import ACCOUNT, TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from longmen_server.ledger.model import PostingRow
    from longmen_server.ledger.queries.history import HistoryEntry
    from longmen_server.platform.ids import AccountId


class MovementKind(IntEnum):
    """The sort of a movement; values are those of longmen.accounts.v1.MovementKind."""

    TRANSFER = 1
    TOP_UP = 2
    WITHDRAWAL = 3
    HOLD = 4
    RELEASE = 5
    REVERSAL = 6
    SWEEP = 7
    OTHER = 8
    PURCHASE = 9
    REFUND = 10
    EXCHANGE = 11


KIND_BY_CODE = {
    PostingCode.PAYMENT: MovementKind.TRANSFER,
    PostingCode.TOP_UP: MovementKind.TOP_UP,
    PostingCode.WITHDRAWAL: MovementKind.WITHDRAWAL,
    PostingCode.SWEEP: MovementKind.SWEEP,
    PostingCode.PURCHASE: MovementKind.PURCHASE,
    PostingCode.REFUND: MovementKind.REFUND,
    PostingCode.EXCHANGE: MovementKind.EXCHANGE,
    PostingCode.EXCHANGE_FEE: MovementKind.EXCHANGE,
    PostingCode.TIP: MovementKind.PURCHASE,
    PostingCode.TIP_REFUND: MovementKind.REFUND,
}
FREEING_KINDS = (PostingKind.VOID, PostingKind.EXPIRE)
FINAL_KINDS = (PostingKind.POST, PostingKind.CAPTURE)

#: What changes the posted balance, and so stands on statements.
STATED = HistoryFilter(kinds=FINAL_KINDS)


def kind_of(posting: PostingRow) -> MovementKind:
    """Return what a customer calls a posting."""
    if posting.reverses_transaction_id is not None:
        return MovementKind.REVERSAL
    if posting.kind == PostingKind.PENDING:
        return MovementKind.HOLD
    if posting.kind in FREEING_KINDS:
        return MovementKind.RELEASE
    return KIND_BY_CODE.get(posting.code, MovementKind.OTHER)  # type: ignore[call-overload, no-any-return]


def is_incoming(entry: HistoryEntry) -> bool:
    """Whether money came in, seen from a customer's account; a release gives back what a hold took.

    The account is a liability of the bank, so its credits are what comes in.
    """
    freed = entry.posting.kind in FREEING_KINDS
    return entry.is_debit == freed


def filter_by_kinds(
    kinds: Collection[int],
    *,
    minimum: int,
    maximum: int,
    counterparty_id: AccountId | None,
    text: str,
) -> HistoryFilter:
    """Return the ledger's filter for movements of some kinds; no kinds mean all."""
    wanted = frozenset(kinds) or frozenset(MovementKind)
    held = (PostingKind.PENDING,) if MovementKind.HOLD in wanted else ()
    freed = FREEING_KINDS if MovementKind.RELEASE in wanted else ()
    return HistoryFilter(
        minimum=minimum,
        maximum=maximum,
        counterparty_id=counterparty_id,
        text=text,
        reversals=MovementKind.REVERSAL in wanted,
        kinds=(*held, *freed),
        coded_kinds=FINAL_KINDS,
        codes=tuple(code for code, kind in KIND_BY_CODE.items() if kind in wanted),
        other_codes=MovementKind.OTHER in wanted,
    )


def movement(entry: HistoryEntry, masked_names: Mapping[AccountId, str]) -> wallet_pb2.Movement:
    """Return one line of an account's history."""
    posting = entry.posting
    currency = posting.currency_code
    counterparty_id = entry.counterparty_id
    own = reference_is_own(posting.code, is_debit=entry.is_debit)
    return wallet_pb2.Movement(
        transaction_id=TRANSACTION.encode(posting.transaction_id),
        version=entry.version,
        kind=int(kind_of(posting)),  # type: ignore[arg-type]  # enums of the contract are ints
        direction=(wallet_pb2.DIRECTION_IN if is_incoming(entry) else wallet_pb2.DIRECTION_OUT),
        amount=money(posting.amount, currency),
        posted_after=money(entry.posted_after, currency),
        available_after=money(entry.available_after, currency),
        counterparty_account_id=ACCOUNT.encode(counterparty_id),
        counterparty_masked_name=masked_names.get(counterparty_id, ""),
        description=posting.description or "",
        reference=(posting.reference or "") if own else "",
        booked_time=timestamp(posting.booked_at_us),
    )
