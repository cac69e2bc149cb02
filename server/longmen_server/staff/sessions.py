"""How sessions of staff begin and end in a working set, and what events tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.journal import Event
from longmen_server.platform.ids import DEVICE, SESSION
from longmen_server.staff.tables import STAFF_SESSION

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import SessionId
    from longmen_server.staff.model import EndCause, SessionRow

__all__ = ["begin_session", "end_session"]


def begin_session(working_set: WorkingSet, row: SessionRow) -> None:
    """Begin a session; the caller has locked the account."""
    working_set.insert(STAFF_SESSION, row.session_id, row)
    _tell(working_set, row, event_pb2.EVENT_TYPE_STAFF_SESSION_STARTED, "")


def end_session(working_set: WorkingSet, session_id: SessionId, cause: EndCause) -> None:
    """End a session that is loaded, unless it has ended."""
    present = working_set.get(STAFF_SESSION, session_id)
    if present is None or present.ended_at_us is not None:
        return
    row = working_set.edit(STAFF_SESSION, session_id)
    row.ended_at_us = working_set.now_us
    row.end_cause = cause
    _tell(working_set, row, event_pb2.EVENT_TYPE_STAFF_SESSION_ENDED, cause.name)


def _tell(
    working_set: WorkingSet, row: SessionRow, type_: event_pb2.EventType.ValueType, cause: str
) -> None:
    payload = event_pb2.SessionChange(
        session_id=SESSION.encode(row.session_id),
        device_id=DEVICE.encode(row.device_id),
        cause=cause,
    )
    body = payload.SerializeToString(deterministic=True)
    at_us = working_set.next_stamp()
    working_set.emit(Event(type_, row.staff_id, 0, at_us, body, body))
