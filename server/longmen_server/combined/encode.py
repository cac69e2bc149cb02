"""Combined orders as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import combined_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.payments.encode import money
from longmen_server.platform.ids import COMBINED, MERCHANT, ORDER, TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.combined.model import CombinedRow
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payments.model import OrderRow

__all__ = ["combined"]


def combined(
    row: CombinedRow, parts: Sequence[tuple[OrderRow, MerchantRow]], now_us: int
) -> combined_pb2.CombinedOrder:
    """Return a combined order as it stands at a moment."""
    return combined_pb2.CombinedOrder(
        combined_order_id=COMBINED.encode(row.combined_id),
        combined_number=row.combined_number,
        total=money(row.total, row.currency_code),
        parts=[_part(order, merchant, now_us) for order, merchant in parts],
        description=row.description,
        expire_time=timestamp(row.expires_at_us),
        create_time=timestamp(row.created_at_us),
        pay_time=None if row.paid_at_us is None else timestamp(row.paid_at_us),
    )


def _part(order: OrderRow, merchant: MerchantRow, now_us: int) -> combined_pb2.CombinedPart:
    return combined_pb2.CombinedPart(
        order_id=ORDER.encode(order.order_id),
        merchant_id=MERCHANT.encode(order.merchant_id),
        merchant_name=merchant.name,
        order_number=order.order_number,
        amount=money(order.amount, order.currency_code),
        state=int(order.state_at(now_us)),  # type: ignore[arg-type]  # enums are ints
        transaction_id=(
            "" if order.transaction_id is None else TRANSACTION.encode(order.transaction_id)
        ),
    )
