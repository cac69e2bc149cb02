"""Authorizations and captures as the contract tells them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import authorization_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.payments import authorizations, encode
from longmen_server.payments.model import OrderState
from longmen_server.platform.ids import CAPTURE as CAPTURE_TEXT
from longmen_server.platform.ids import ORDER as ORDER_TEXT
from longmen_server.platform.ids import TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.payments.authorizations import AuthorizationRow, CaptureRow
    from longmen_server.payments.model import OrderRow

__all__ = ["authorization_message", "capture_message"]


def authorization_message(
    row: AuthorizationRow, order: OrderRow, captures: Sequence[CaptureRow], now_us: int
) -> authorization_pb2.Authorization:
    """Return an authorization as it stands at a moment."""
    captured = order.captured or 0
    is_held = order.state_at(now_us) == OrderState.AUTHORIZED
    left = authorizations.capturable(row, captured) if is_held else 0
    currency = order.currency_code
    return authorization_pb2.Authorization(
        order_id=ORDER_TEXT.encode(row.order_id),
        authorized=encode.money(row.authorized, currency),
        captured=encode.money(captured, currency),
        capturable=encode.money(left, currency),
        expire_time=timestamp(order.expires_at_us),
        create_time=timestamp(row.created_at_us),
        captures=[capture_message(one, currency) for one in captures],
    )


def capture_message(row: CaptureRow, currency_code: str) -> authorization_pb2.Capture:
    """Return a capture."""
    return authorization_pb2.Capture(
        capture_id=CAPTURE_TEXT.encode(row.capture_id),
        capture_number=row.capture_number,
        amount=encode.money(row.amount, currency_code),
        final=row.final,
        transaction_id=TRANSACTION.encode(row.transaction_id),
        create_time=timestamp(row.created_at_us),
    )
