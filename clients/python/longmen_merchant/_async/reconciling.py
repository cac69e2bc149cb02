"""Comparing a merchant's own list with the bill of a day, however long both are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_merchant.reconciling import Reconciled, ranges_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.merchants.v1 import settlement_pb2
    from longmen_client._async.client import AsyncClient

__all__ = ["reconcile"]


async def reconcile(
    bank: AsyncClient,
    *,
    merchant_id: str,
    business_date: str,
    lines: Iterable[settlement_pb2.ListedLine],
) -> Reconciled:
    """Compare a list of any length: in the order of its numbers, a range of them at a time.

    Args:
        bank: the connection.
        merchant_id: whose list it is.
        business_date: YYYY-MM-DD, that has ended.
        lines: of the list, in any order.

    Raises:
        LongmenError: it could not be compared, such as BillNotReady.
        ValueError: one order has more lines than fit in a call.
    """
    whole = Reconciled()
    for part in ranges_of(lines):
        reply = await bank.settlements.reconcile(
            merchant_id=merchant_id,
            business_date=business_date,
            lines=part.lines,
            after_order_number=part.after,
            through_order_number=part.through,
        )
        whole.add(reply)
    return whole
