"""Billers, bills and linked accounts as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import bill_pb2
from longmen_server.billers.model import BillerState, DueState
from longmen_server.ledger.encode import timestamp
from longmen_server.payments.encode import money
from longmen_server.platform.ids import BILL_LINK, BILLER, DUE, MERCHANT, ORDER

if TYPE_CHECKING:
    import datetime as dt

    from longmen_server.billers.model import BillerRow, DueRow, LinkRow


def biller(row: BillerRow) -> bill_pb2.Biller:
    """Return a biller."""
    return bill_pb2.Biller(
        biller_id=BILLER.encode(row.biller_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        name=row.name,
        category=row.category,  # type: ignore[arg-type]  # enums of the contract are ints
        account_format=bill_pb2.AccountFormat(
            digits_only=row.digits_only,
            minimum_length=row.minimum_length,
            maximum_length=row.maximum_length,
            check=row.number_check,  # type: ignore[arg-type]
            hint=row.hint,
        ),
        currency_code=row.currency_code,
        state=row.state,  # type: ignore[arg-type]
        create_time=timestamp(row.created_at_us),
        version=row.version,
    )


def due(row: DueRow, masked_number: str, today: dt.date) -> bill_pb2.Due:
    """Return a bill as it stands on a day."""
    return bill_pb2.Due(
        due_id=DUE.encode(row.due_id),
        biller_id=BILLER.encode(row.biller_id),
        bill_number=row.bill_number,
        masked_account_number=masked_number,
        amount=money(row.amount, row.currency_code),
        period=row.period,
        due_date=row.due_date,
        last_date=row.last_date,
        description=row.description,
        state=int(row.state_on(today)),  # type: ignore[arg-type]
        overdue=row.is_overdue(today),
        order_id="" if row.order_id is None else ORDER.encode(row.order_id),
        pay_time=None if row.paid_at_us is None else timestamp(row.paid_at_us),
        create_time=timestamp(row.created_at_us),
        version=row.version,
    )


def link(row: LinkRow, masked_number: str, label: str) -> bill_pb2.BillLink:
    """Return a linked account."""
    return bill_pb2.BillLink(
        link_id=BILL_LINK.encode(row.link_id),
        biller_id=BILLER.encode(row.biller_id),
        masked_account_number=masked_number,
        label=label,
        create_time=timestamp(row.created_at_us),
    )


def due_change(row: DueRow) -> bytes:
    """Return the payload of the event that tells what became of a bill."""
    return event_pb2.DueChange(
        due_id=DUE.encode(row.due_id),
        biller_id=BILLER.encode(row.biller_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=DueState(row.state).name,
        version=row.version,
    ).SerializeToString(deterministic=True)


def biller_change(row: BillerRow) -> bytes:
    """Return the payload of the event that tells what became of a biller."""
    return event_pb2.BillerChange(
        biller_id=BILLER.encode(row.biller_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=BillerState(row.state).name,
        version=row.version,
    ).SerializeToString(deterministic=True)
