"""Settlements as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import settlement_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import MERCHANT, SETTLEMENT, TRANSACTION
from longmen_server.settlements.model import SettlementState

if TYPE_CHECKING:
    from longmen_server.settlements.model import SettlementRow


def settlement(row: SettlementRow) -> settlement_pb2.Settlement:
    """Return a settlement."""
    return settlement_pb2.Settlement(
        settlement_id=SETTLEMENT.encode(row.settlement_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        business_date=row.business_date,
        settlement_date=row.settlement_date,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        currency_code=row.currency_code,
        sale_count=row.sale_count,
        sale_minor_units=row.sales,
        refund_count=row.refund_count,
        refund_minor_units=row.refunds,
        fee_minor_units=row.fees,
        fee_returned_minor_units=row.fees_returned,
        other_minor_units=row.other,
        tip_minor_units=row.tips,
        tip_returned_minor_units=row.tips_returned,
        net_minor_units=row.sums.net,
        carried_in_minor_units=row.carried_in,
        paid_minor_units=row.paid,
        carried_out_minor_units=row.carried_out,
        transaction_id=(
            "" if row.transaction_id is None else TRANSACTION.encode(row.transaction_id)
        ),
        create_time=timestamp(row.created_at_us),
        settle_time=None if row.settled_at_us is None else timestamp(row.settled_at_us),
    )


def change(row: SettlementRow) -> bytes:
    """Return the payload of the event that tells what became of a settlement."""
    return event_pb2.SettlementChange(
        settlement_id=SETTLEMENT.encode(row.settlement_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        business_date=row.business_date,
        state=SettlementState(row.state).name,
        paid_minor_units=row.paid,
    ).SerializeToString(deterministic=True)
