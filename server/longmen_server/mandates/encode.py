"""Mandates as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import mandate_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.mandates.model import MandateState, cycle_of
from longmen_server.payments.encode import money
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import ACCOUNT, MANDATE, MERCHANT
from longmen_server.settlements.calendar import CALENDAR, DAY

if TYPE_CHECKING:
    from longmen_server.mandates.model import MandateRow


def cycle_end_us(row: MandateRow, now_us: int) -> int:
    """Return when the present cycle of a mandate ends: at midnight before the next one."""
    following = cycle_of(row.cycle, business_date(now_us, CALENDAR.zone))[1]
    return CALENDAR.midnight_us(following - DAY)


def mandate(row: MandateRow, now_us: int) -> mandate_pb2.Mandate:
    """Return a mandate as it stands at a moment."""
    currency = row.currency_code
    is_announced = row.announced > 0
    return mandate_pb2.Mandate(
        mandate_id=MANDATE.encode(row.mandate_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        mandate_number=row.mandate_number,
        account_id=ACCOUNT.encode(row.account_id),
        state=int(row.state_at(now_us)),  # type: ignore[arg-type]  # enums of the contract are ints
        single_cap=money(row.single_cap, currency),
        cycle_cap=money(row.cycle_cap, currency),
        cycle=row.cycle,  # type: ignore[arg-type]
        cycle_used=money(row.used(business_date(now_us, CALENDAR.zone)), currency),
        cycle_end_time=timestamp(cycle_end_us(row, now_us)),
        notice_hours=row.notice_hours,
        announced=money(row.announced, currency) if is_announced else None,
        charge_from_time=timestamp(row.charge_from_us) if is_announced else None,
        description=row.description,
        expire_time=timestamp(row.expires_at_us),
        create_time=timestamp(row.created_at_us),
        update_time=timestamp(row.updated_at_us),
        version=row.version,
    )


def change(row: MandateRow, cause: str) -> bytes:
    """Return the payload of the event that tells what became of a mandate."""
    return event_pb2.MandateChange(
        mandate_id=MANDATE.encode(row.mandate_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=MandateState(row.state).name,
        cause=cause,
        version=row.version,
    ).SerializeToString(deterministic=True)
