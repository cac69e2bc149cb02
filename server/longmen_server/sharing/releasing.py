"""How held money goes back to the merchant: by refunds, on request, or when the window ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.command import RowKey
from longmen_server.engine.journal import Event
from longmen_server.ledger.chart import MERCHANT_SHARES, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.ids import TransactionId, derived_id
from longmen_server.sharing import encode, model
from longmen_server.sharing.tables import SHARING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import OrderId
    from longmen_server.sharing.model import SharingRow

__all__ = ["held_keys", "release", "release_for_refund", "tell"]


def held_keys(working_set: WorkingSet, order_id: OrderId) -> Iterable[RowKey]:
    """Name, at the stage of accounts, those that money held of an order moves between."""
    row = working_set.get(SHARING, order_id)
    if row is not None:
        yield RowKey(ACCOUNT, row.account_id)
        shares_id = system_account_id(working_set.book, row.currency_code, MERCHANT_SHARES)
        yield RowKey(ACCOUNT, shares_id)


def release(
    working_set: WorkingSet,
    row: SharingRow,
    amount: int,
    *,
    transaction_id: TransactionId,
    reference: str,
) -> SharingRow:
    """Give held money back to the merchant.

    Raises:
        Refusal: of the posting.
    """
    book_posting(
        working_set,
        PostingIntent(
            transaction_id=transaction_id,
            debit_account_id=system_account_id(
                working_set.book, row.currency_code, MERCHANT_SHARES
            ),
            credit_account_id=row.account_id,
            currency_code=row.currency_code,
            amount=amount,
            code=PostingCode.SHARE_RELEASED,
            reference=reference,
        ),
    )
    changed = working_set.edit(SHARING, row.order_id)
    changed.released += amount
    return changed


def release_for_refund(
    working_set: WorkingSet, order: OrderRow, brought: int, transaction_id: TransactionId
) -> None:
    """Release what may be held no longer once an order has brought less, before it is refunded.

    Args:
        working_set: of the refund, which has named the order's sharing and its accounts.
        order: that is refunded.
        brought: what it has brought once that is done, without the tip.
        transaction_id: of the refund; the release is one of its own beside it.

    Raises:
        Refusal: of the posting.
    """
    row = working_set.get(SHARING, order.order_id)
    if row is None or not row.left:
        return
    amount = model.to_release(row, brought)
    if not amount:
        return
    beside = TransactionId(derived_id(transaction_id, "share release"))
    row = release(working_set, row, amount, transaction_id=beside, reference=order.order_number)
    tell(working_set, row)


def tell(working_set: WorkingSet, row: SharingRow) -> None:
    """Number the change and tell it by an event; the row is one that was made or is edited."""
    row.version += 1
    row.updated_at_us = working_set.next_stamp()
    payload, kind = encode.change(row), event_pb2.EVENT_TYPE_SHARING_CHANGED
    working_set.emit(Event(kind, row.order_id, 0, row.updated_at_us, payload, payload))
