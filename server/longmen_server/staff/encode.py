"""Accounts of staff as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import staff_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import SESSION, STAFF
from longmen_server.staff.model import StaffState, roles_of

if TYPE_CHECKING:
    from longmen_server.staff.model import SessionRow, StaffRow

__all__ = ["session", "staff"]


def staff(row: StaffRow) -> staff_pb2.Staff:
    """Return an account."""
    message = staff_pb2.Staff(
        staff_id=STAFF.encode(row.staff_id),
        login=row.login,
        person_id=row.person,
        roles=[int(role) for role in roles_of(row.roles)],  # type: ignore[misc]  # enums are ints
        branch=row.branch,
        state=row.state,  # type: ignore[arg-type]  # enums are ints
        create_time=timestamp(row.created_at_us),
        change_time=timestamp(row.changed_at_us),
    )
    if row.state == StaffState.INVITED:
        message.enrolment_expire_time.CopyFrom(timestamp(row.enrol_until_us))
    return message


def session(row: SessionRow, account: StaffRow) -> staff_pb2.StaffSession:
    """Return a session without its token."""
    return staff_pb2.StaffSession(
        session_id=SESSION.encode(row.session_id),
        staff=staff(account),
        end_time=timestamp(row.ends_at_us),
    )
