"""Shifts and totals as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import shift_pb2
from longmen.type.v1 import money_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.payments.encode import order as encode_order
from longmen_server.platform.ids import (
    CASHIER,
    MERCHANT,
    SHIFT,
    STORE,
    TERMINAL,
    CashierId,
    StoreId,
    TerminalId,
)
from longmen_server.shifts.model import Grouping

if TYPE_CHECKING:
    from longmen_server.shifts.model import DayLine, DayOrder, ShiftRow, Totals

__all__ = ["day_line", "day_order", "shift", "totals"]


def shift(row: ShiftRow) -> shift_pb2.Shift:
    """Return a shift."""
    return shift_pb2.Shift(
        shift_id=SHIFT.encode(row.shift_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        terminal_id=TERMINAL.encode(row.terminal_id),
        cashier_label=row.cashier_label,
        open_time=timestamp(row.opened_at_us),
        cashier_id="" if row.cashier_id is None else CASHIER.encode(row.cashier_id),
        store_id="" if row.store_id is None else STORE.encode(row.store_id),
        close_time=None if row.closed_at_us is None else timestamp(row.closed_at_us),
    )


def day_line(line: DayLine, grouping: Grouping, currency_code: str) -> shift_pb2.DayLine:
    """Return what a store, a cashier or a till has taken on a day."""
    shown = shift_pb2.DayLine(totals=totals(line.totals, currency_code))
    subject = line.subject
    if grouping == Grouping.STORE and subject is not None:
        shown.store_id = STORE.encode(StoreId(subject))
    elif grouping == Grouping.TERMINAL and subject is not None:
        shown.terminal_id = TERMINAL.encode(TerminalId(subject))
    elif grouping == Grouping.CASHIER:
        shown.cashier_label = line.cashier_label
        if subject is not None:
            shown.cashier_id = CASHIER.encode(CashierId(subject))
    return shown


def day_order(one: DayOrder, now_us: int) -> shift_pb2.DayOrder:
    """Return an order of a day."""
    return shift_pb2.DayOrder(
        order=encode_order(one.order, now_us),
        store_id="" if one.store_id is None else STORE.encode(one.store_id),
        cashier_id="" if one.cashier_id is None else CASHIER.encode(one.cashier_id),
        cashier_label=one.cashier_label,
    )


def totals(sums: Totals, currency_code: str) -> shift_pb2.TillTotals:
    """Return what a till has taken."""

    def money(minor_units: int) -> money_pb2.Money:
        return money_pb2.Money(minor_units=minor_units, currency_code=currency_code)

    return shift_pb2.TillTotals(
        sales_count=sums.sales_count,
        sales=money(sums.sales),
        refunds_count=sums.refunds_count,
        refunds=money(sums.refunds),
        unpaid_count=sums.unpaid_count,
        tips=money(sums.tips),
        tips_returned=money(sums.tips_returned),
    )
