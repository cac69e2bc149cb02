"""How resets change, and what signing in has to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.journal import Event
from longmen_server.factors.model import kinds_of
from longmen_server.recovery import model
from longmen_server.recovery.model import ResetState
from longmen_server.recovery.tables import FACTOR_RESET

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CustomerId
    from longmen_server.recovery.model import ResetRow

__all__ = ["check_let_in", "claim", "set_state", "tell"]


def tell(working_set: WorkingSet, row: ResetRow) -> None:
    """Tell by an event what a reset is now, and note when."""
    row.changed_at_us = working_set.next_stamp()
    payload = event_pb2.FactorResetChange(
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        kinds=[int(kind) for kind in kinds_of(row.kinds)],  # type: ignore[misc]
        content_digest=row.content_digest,
    ).SerializeToString(deterministic=True)
    type_ = event_pb2.EVENT_TYPE_FACTOR_RESET_CHANGED
    working_set.emit(Event(type_, row.customer_id, 0, row.changed_at_us, payload, payload))


def set_state(working_set: WorkingSet, customer_id: CustomerId, state: ResetState) -> ResetRow:
    """Bring a customer's reset to another state, and tell it."""
    row = working_set.edit(FACTOR_RESET, customer_id)
    row.state = state
    tell(working_set, row)
    return row


def check_let_in(working_set: WorkingSet, customer_id: CustomerId, thumbprint: str) -> None:
    """Refuse a device that signs in without a factor after a reset, unless the bank has seen it.

    Raises:
        Refusal: FACTOR_RESET_OTHER_DEVICE.
    """
    model.check_device(working_set.get(FACTOR_RESET, customer_id), thumbprint)


def claim(working_set: WorkingSet, customer_id: CustomerId) -> None:
    """End a reset that has had its effect: its customer has signed in a new device."""
    row = working_set.get(FACTOR_RESET, customer_id)
    if row is not None and row.state == ResetState.EFFECTIVE:
        set_state(working_set, customer_id, ResetState.CLAIMED)
