"""Alerts and limit orders as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import order_pb2
from longmen_server.fxrates.encode import money
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import ACCOUNT, CONVERSION, CUSTOMER, LIMIT_ORDER, RATE_ALERT

if TYPE_CHECKING:
    from longmen_server.limit_orders.model import AlertRow, OrderRow


def alert(row: AlertRow, now_us: int) -> order_pb2.RateAlert:
    """Return an alert as it stands."""
    return order_pb2.RateAlert(
        alert_id=RATE_ALERT.encode(row.alert_id),
        customer_id=CUSTOMER.encode(row.customer_id),
        source_currency_code=row.source_currency,
        target_currency_code=row.target_currency,
        rate=row.rate,
        direction=row.direction,  # type: ignore[arg-type]  # enums of the contract are ints
        state=int(row.state_at(now_us)),  # type: ignore[arg-type]
        create_time=timestamp(row.created_at_us),
        expire_time=timestamp(row.expires_at_us),
        told_time=None if row.told_at_us is None else timestamp(row.told_at_us),
        told_rate=row.told_rate or "",
    )


def order(row: OrderRow, now_us: int) -> order_pb2.LimitOrder:
    """Return a limit order as it stands."""
    return order_pb2.LimitOrder(
        limit_order_id=LIMIT_ORDER.encode(row.limit_order_id),
        from_account_id=ACCOUNT.encode(row.from_account_id),
        to_account_id=ACCOUNT.encode(row.to_account_id),
        amount=money(row.amount, row.source_currency),
        target_currency_code=row.target_currency,
        rate=row.rate,
        state=int(row.state_at(now_us)),  # type: ignore[arg-type]  # enums are ints
        conversion_id="" if row.conversion_id is None else CONVERSION.encode(row.conversion_id),
        create_time=timestamp(row.created_at_us),
        expire_time=timestamp(row.expires_at_us),
    )


def told(row: AlertRow) -> bytes:
    """Return the payload of the event of an alert."""
    return event_pb2.FxAlertTold(
        alert_id=RATE_ALERT.encode(row.alert_id),
        customer_id=CUSTOMER.encode(row.customer_id),
        rate=row.told_rate or "",
    ).SerializeToString(deterministic=True)


def change(row: OrderRow, state: str) -> bytes:
    """Return the payload of the event of a limit order."""
    return event_pb2.FxLimitOrderChange(
        limit_order_id=LIMIT_ORDER.encode(row.limit_order_id),
        customer_id="" if row.customer_id is None else CUSTOMER.encode(row.customer_id),
        state=state,
        conversion_id="" if row.conversion_id is None else CONVERSION.encode(row.conversion_id),
    ).SerializeToString(deterministic=True)
