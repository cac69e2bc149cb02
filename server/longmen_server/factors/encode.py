"""Factors as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_pb2
from longmen_server.factors.model import FactorKind, codes_left
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import FACTOR

if TYPE_CHECKING:
    from longmen_server.factors.model import FactorRow

__all__ = ["factor", "stored_factor"]

LATEST_US = 253_402_300_799_000_000
"""The last second of the year 9999, which a Timestamp can tell."""


def factor(row: FactorRow, blocked_until_us: int = 0) -> factor_pb2.Factor:
    """Return a factor as its owner may see it.

    Args:
        row: the factor.
        blocked_until_us: until when no try is taken; 0 for now.
    """
    message = factor_pb2.Factor(
        factor_id=FACTOR.encode(row.factor_id),
        kind=row.kind,  # type: ignore[arg-type]  # enums of the contract are ints
        label=row.label,
        create_time=timestamp(row.created_at_us),
        flagged=row.flagged,
    )
    if row.kind == FactorKind.BACKUP_CODES:
        message.codes_left = codes_left(row.counter)
    if blocked_until_us:
        message.blocked_until.CopyFrom(timestamp(min(blocked_until_us, LATEST_US)))
    return message


def stored_factor(row: FactorRow) -> factor_pb2.Factor:
    """Return a factor for a reply that is recorded: without the label that its owner gave it.

    The record outlives an erased owner; whoever answers puts the label in.
    """
    message = factor(row)
    message.ClearField("label")
    return message
