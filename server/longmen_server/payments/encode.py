"""Orders, payments and refunds as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import order_pb2
from longmen.type.v1 import money_pb2
from longmen_server.ledger.encode import fill_timestamp, timestamp
from longmen_server.payments.tips import TipMode
from longmen_server.platform.ids import COMBINED, MERCHANT, ORDER, REFUND, TERMINAL, TRANSACTION

if TYPE_CHECKING:
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payments.model import AttemptRow, OrderRow, RefundRow
    from longmen_server.payments.scan import Scanned


def money(minor_units: int, currency_code: str) -> money_pb2.Money:
    """Return an amount."""
    return money_pb2.Money(minor_units=minor_units, currency_code=currency_code)


def fill_money(message: money_pb2.Money, minor_units: int, currency_code: str) -> None:
    """Write an amount into a message."""
    message.minor_units = minor_units
    message.currency_code = currency_code


def some(minor_units: int, currency_code: str) -> money_pb2.Money | None:
    """Return an amount, or None for nothing."""
    return money(minor_units, currency_code) if minor_units else None


def tip_offer(row: OrderRow) -> order_pb2.TipOffer | None:
    """Return what an order's code says of tips."""
    if not row.tip_mode:
        return None
    return order_pb2.TipOffer(
        mode=row.tip_mode,  # type: ignore[arg-type]  # enums of the contract are ints
        fixed_minor_units=row.tip_value if row.tip_mode == TipMode.FIXED else 0,
        basis_points=row.tip_value if row.tip_mode == TipMode.PERCENT else 0,
    )


def order(row: OrderRow, now_us: int) -> order_pb2.Order:
    """Return an order as it stands at a moment."""
    message = order_pb2.Order()
    fill_order(message, row, now_us)
    return message


def fill_order(message: order_pb2.Order, row: OrderRow, now_us: int) -> None:
    """Write an order as it stands at a moment into a message.

    Written in its place a part is not copied there: half the time, and every payment answers one.
    """
    currency_code = row.currency_code
    message.order_id = ORDER.encode(row.order_id)
    message.merchant_id = MERCHANT.encode(row.merchant_id)
    message.order_number = row.order_number
    message.state = int(row.state_at(now_us))  # type: ignore[assignment]  # enums are ints
    message.description = row.description
    message.version = row.version
    if row.amount:
        fill_money(message.amount, row.amount, currency_code)
        fill_money(message.refunded, row.refunded, currency_code)
    if row.terminal_id is not None:
        message.terminal_id = TERMINAL.encode(row.terminal_id)
    message.trace_number = row.trace_number or 0
    message.business_date = row.business_date or ""
    if row.transaction_id is not None:
        message.transaction_id = TRANSACTION.encode(row.transaction_id)
    fill_timestamp(message.expire_time, row.expires_at_us)
    fill_timestamp(message.create_time, row.created_at_us)
    fill_timestamp(message.update_time, row.updated_at_us)
    if row.paid_at_us is not None:
        fill_timestamp(message.pay_time, row.paid_at_us)
    if row.fee:
        fill_money(message.fee, row.fee, currency_code)
    if row.fee_returned:
        fill_money(message.fee_returned, row.fee_returned, currency_code)
    if row.combined_id is not None:
        message.combined_order_id = COMBINED.encode(row.combined_id)
    if row.tip or row.tip_mode:
        _fill_tips(message, row)


def _fill_tips(message: order_pb2.Order, row: OrderRow) -> None:
    if row.tip:
        fill_money(message.tip, row.tip, row.currency_code)
    if row.tip_refunded:
        fill_money(message.tip_refunded, row.tip_refunded, row.currency_code)
    offer = tip_offer(row)
    if offer is not None:
        message.tip_offer.CopyFrom(offer)


def payment(row: OrderRow) -> order_pb2.Payment:
    """Return what the payer of a paid order sees."""
    assert row.transaction_id is not None, "a paid order has a transaction"
    assert row.paid_at_us is not None, "a paid order has a time"
    return order_pb2.Payment(
        order_id=ORDER.encode(row.order_id),
        transaction_id=TRANSACTION.encode(row.transaction_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        amount=money(row.amount, row.currency_code),
        description=row.description,
        pay_time=timestamp(row.paid_at_us),
        tip=some(row.tip, row.currency_code),
    )


def refund(row: RefundRow) -> order_pb2.Refund:
    """Return a refund."""
    return order_pb2.Refund(
        refund_id=REFUND.encode(row.refund_id),
        order_id=ORDER.encode(row.order_id),
        refund_number=row.refund_number,
        amount=money(row.amount, row.currency_code),
        transaction_id=TRANSACTION.encode(row.transaction_id),
        reason_text=row.reason_text,
        create_time=timestamp(row.created_at_us),
        tip=some(row.tip, row.currency_code),
        terminal_id="" if row.terminal_id is None else TERMINAL.encode(row.terminal_id),
        business_date=row.business_date or "",
    )


def attempt(row: AttemptRow) -> order_pb2.Attempt:
    """Return a scan as its merchant sees it, who learns nothing of the payer."""
    return order_pb2.Attempt(
        outcome=row.outcome,  # type: ignore[arg-type]  # enums of the contract are ints
        reason=row.reason,
        create_time=timestamp(row.created_at_us),
    )


def scanned(
    code: Scanned, merchant: MerchantRow, row: OrderRow | None, now_us: int
) -> order_pb2.ScannedCode:
    """Return what a payer is shown of a code."""
    shown = order_pb2.ScannedCode(
        merchant_id=MERCHANT.encode(code.merchant_id),
        merchant_name=merchant.name,
        merchant_local_name=merchant.local_name,
        city=merchant.city,
        category_code=merchant.category_code,
        currency_code=merchant.currency_code,
    )
    if row is not None:
        shown.order_id = ORDER.encode(row.order_id)
        shown.amount.CopyFrom(money(row.amount, row.currency_code))
        shown.state = int(row.state_at(now_us))  # type: ignore[assignment]
        shown.description = row.description
        shown.expire_time.CopyFrom(timestamp(row.expires_at_us))
        if row.tip:
            shown.tip.CopyFrom(money(row.tip, row.currency_code))
        offer = tip_offer(row)
        if offer is not None:
            shown.tip_offer.CopyFrom(offer)
    return shown


def change(row: OrderRow) -> bytes:
    """Return the payload of the event that tells what became of an order."""
    return event_pb2.OrderChange(
        order_id=ORDER.encode(row.order_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=_name(row.state),
        refunded_minor_units=row.refunded,
        version=row.version,
        tip_minor_units=row.tip,
        tip_refunded_minor_units=row.tip_refunded,
    ).SerializeToString(deterministic=True)


def _name(state: int) -> str:
    return order_pb2.OrderState.Name(state).removeprefix("ORDER_STATE_")  # type: ignore[arg-type]
