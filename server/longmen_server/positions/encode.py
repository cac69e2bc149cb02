"""Positions and their revaluations as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import position_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.positions.model import RevaluationRow


def revaluation(row: RevaluationRow) -> position_pb2.Revaluation:
    """Return what a position came to."""
    return position_pb2.Revaluation(
        business_date=row.business_date,
        currency_code=row.currency_code,
        amount_minor_units=row.amount,
        bought_minor_units=row.bought,
        sold_minor_units=row.sold,
        cost_minor_units=row.cost,
        value_minor_units=row.value,
        realised_minor_units=row.realised,
        unrealised_minor_units=row.unrealised,
        home_currency_code=row.home_currency,
        mid=row.mid,
        observe_time=timestamp(row.observed_us) if row.observed_us else None,
        transaction_id="" if row.transaction_id is None else TRANSACTION.encode(row.transaction_id),
        create_time=timestamp(row.created_at_us),
    )


def revalued(rows: Sequence[RevaluationRow]) -> bytes:
    """Return the payload of the event of a business date; there is at least one row."""
    return event_pb2.FxRevaluation(
        business_date=rows[0].business_date,
        realised_minor_units=sum(row.realised for row in rows),
        unrealised_minor_units=sum(row.unrealised for row in rows),
        home_currency_code=rows[0].home_currency,
    ).SerializeToString(deterministic=True)
