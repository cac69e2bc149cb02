"""How factors change: putting one into its place, keeping the brief row true, telling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.journal import Event
from longmen_server.factors.model import FactorRow, SecurityRow, bits, places
from longmen_server.factors.tables import FACTOR, SECURITY
from longmen_server.platform.ids import FACTOR as FACTOR_TEXT

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CustomerId, FactorId

__all__ = ["active_kinds", "put_factor", "refresh_security", "tell_factor"]


def put_factor(working_set: WorkingSet, row: FactorRow) -> None:
    """Put a factor into its place, whatever was there."""
    if working_set.get(FACTOR, row.key) is None:
        working_set.insert(FACTOR, row.key, row)
        return
    present = working_set.edit(FACTOR, row.key)
    for name in FactorRow.__slots__:
        setattr(present, name, getattr(row, name))


def active_kinds(working_set: WorkingSet, customer_id: CustomerId) -> int:
    """Return the bits of the kinds that count; every place has to be loaded."""
    rows = (working_set.get(FACTOR, key) for key in places(customer_id))
    return bits(row.kind for row in rows if row is not None and row.is_active)


def refresh_security(working_set: WorkingSet, customer_id: CustomerId) -> None:
    """Let the row that payments look at tell what is true now."""
    if working_set.get(SECURITY, customer_id) is None:
        fresh = SecurityRow(customer_id, 0, 0, 0, working_set.now_us)
        working_set.insert(SECURITY, customer_id, fresh)
    row = working_set.edit(SECURITY, customer_id)
    row.kinds = active_kinds(working_set, customer_id)
    row.changed_at_us = working_set.now_us


def tell_factor(
    working_set: WorkingSet,
    type_: event_pb2.EventType.ValueType,
    customer_id: CustomerId,
    kind: int,
    factor_id: FactorId | None = None,
) -> None:
    """Tell by an event what became of a factor; what it is made of is told to nobody."""
    payload = event_pb2.FactorChange(
        factor_id="" if factor_id is None else FACTOR_TEXT.encode(factor_id),
        kind=kind,  # type: ignore[arg-type]  # enums of the contract are ints
    ).SerializeToString(deterministic=True)
    at_us = working_set.next_stamp()
    working_set.emit(Event(type_, customer_id, 0, at_us, payload, payload))
