"""Resets as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_reset_pb2
from longmen_server.factors.model import kinds_of
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CUSTOMER

if TYPE_CHECKING:
    from longmen_server.recovery.model import ResetRow

__all__ = ["reset"]


def reset(row: ResetRow) -> factor_reset_pb2.FactorReset:
    """Return a reset."""
    return factor_reset_pb2.FactorReset(
        customer_id=CUSTOMER.encode(row.customer_id),
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        kinds=[int(kind) for kind in kinds_of(row.kinds)],  # type: ignore[misc]
        evidence=row.evidence,  # type: ignore[arg-type]
        evidence_reference=row.evidence_reference,
        key_thumbprint=row.thumbprint,
        approve_time=timestamp(row.approved_at_us),
        effective_time=timestamp(row.effective_at_us),
        change_time=timestamp(row.changed_at_us),
    )
