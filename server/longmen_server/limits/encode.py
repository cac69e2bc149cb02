"""Limits as the contract tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.limits.v1 import limit_pb2
from longmen.type.v1 import money_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.limits.model import Period, day_text
from longmen_server.limits.rules import resets_at_us, shown
from longmen_server.platform.ids import CUSTOMER

if TYPE_CHECKING:
    from longmen_server.kyc.model import Pack
    from longmen_server.limits.model import OwnRow
    from longmen_server.limits.queries import TotalRow
    from longmen_server.limits.rules import Finding

__all__ = ["limit", "own_limit", "total"]


def money(amount: int, currency_code: str) -> money_pb2.Money:
    """Return an amount."""
    return money_pb2.Money(minor_units=amount, currency_code=currency_code)


def limit(finding: Finding, pack: Pack, currency_code: str, day: int) -> limit_pb2.Limit:
    """Return a cap as it stands, in a currency."""
    cap = finding.cap
    message = limit_pb2.Limit(
        name=cap.name,
        period=limit_pb2.LimitPeriod.ValueType(cap.period),
        tracks=[limit_pb2.LimitTrack.ValueType(track) for track in cap.tracks],
        count=cap.count or 0,
        used_count=finding.times if cap.count else 0,
        restores_on_refund=cap.restores,
        lifted_by=[limit_pb2.LimitLift.ValueType(lift) for lift in cap.lifted_by],
        exceeded=finding.exceeded,
        source=cap.source,
        effective_from="" if cap.effective_from is None else cap.effective_from.isoformat(),
    )
    if cap.amount is not None:
        message.amount.CopyFrom(money(shown(pack, cap.amount, currency_code), currency_code))
        message.used.CopyFrom(money(shown(pack, finding.spent, currency_code), currency_code))
        left = money(shown(pack, finding.left, currency_code), currency_code)
        message.remaining.CopyFrom(left)
    ends = resets_at_us(cap.period, day)
    if ends is not None:
        message.reset_time.CopyFrom(timestamp(ends))
    return message


def own_limit(row: OwnRow, now_us: int, currency_code: str) -> limit_pb2.OwnLimit:
    """Return a customer's own limit as it is, and will be."""
    message = limit_pb2.OwnLimit(period=limit_pb2.LimitPeriod.ValueType(Period(row.period)))
    present = row.at(now_us)
    if present is not None:
        message.amount.CopyFrom(money(present, currency_code))
    if row.from_us > now_us:
        if row.next_amount is not None:
            message.next_amount.CopyFrom(money(row.next_amount, currency_code))
        message.effective_time.CopyFrom(timestamp(row.from_us))
    return message


def total(row: TotalRow, currency_code: str) -> limit_pb2.LimitTotal:
    """Return what a customer's movements of a day came to."""
    return limit_pb2.LimitTotal(
        day=day_text(row.day),
        customer_id=CUSTOMER.encode(row.customer_id),
        movement_count=row.movement_count,
        used=money(row.used, currency_code),
        reserved=money(row.reserved, currency_code),
        restored=money(row.restored, currency_code),
    )
