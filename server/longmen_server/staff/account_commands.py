"""The commands of accounts of staff: making, granting, resetting, suspending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.staff.v1 import staff_accounts_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.factors.model import FactorState, SecurityRow, places
from longmen_server.factors.tables import FACTOR, SECURITY
from longmen_server.platform.ids import STAFF
from longmen_server.platform.refusal import Refusal
from longmen_server.staff import encode, model
from longmen_server.staff.model import Change, EndCause, StaffRow, StaffState, factors_of
from longmen_server.staff.sessions import end_session
from longmen_server.staff.tables import (
    ADMINS,
    ALL_ADMINS,
    LOGIN,
    OPEN_STAFF_SESSIONS,
    STAFF_ROWS,
    STAFF_SESSION,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import StaffId
    from longmen_server.staff.model import Limits

__all__ = [
    "Bootstrap",
    "CreateStaff",
    "GrantStaff",
    "ResetStaff",
    "SuspendStaff",
    "tell_change",
]


def tell_change(working_set: WorkingSet, staff_id: StaffId, change: Change) -> None:
    """Tell by an event what became of an account."""
    payload = event_pb2.StaffChange(staff_id=STAFF.encode(staff_id), change=change.name)
    body = payload.SerializeToString(deterministic=True)
    at_us = working_set.next_stamp()
    working_set.emit(Event(event_pb2.EVENT_TYPE_STAFF_CHANGED, staff_id, 0, at_us, body, body))


class CreateStaff(Command):
    """Make an account that waits for its owner."""

    __slots__ = ("row",)

    def __init__(self, book: int, request: RequestKey | None, *, row: StaffRow) -> None:
        """Take the account, whose enrolment still lasts from zero."""
        super().__init__(book, request)
        self.row = row

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name whoever has the login."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(LOGIN, self.row.login)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Make it unless the login is taken."""
        row = add(working_set, self.row)
        return pb.CreateStaffResponse(
            staff=encode.staff(row), committed_at=working_set.committed_at
        ).SerializeToString()


def add(working_set: WorkingSet, fresh: StaffRow) -> StaffRow:
    """Add an account.

    Raises:
        Refusal: STAFF_LOGIN_TAKEN.
    """
    model.check_login_free(working_set.get(LOGIN, fresh.login), fresh.login)
    row = fresh.copy()
    row.created_at_us = row.changed_at_us = working_set.now_us
    row.enrol_until_us += working_set.now_us
    working_set.insert(STAFF_ROWS, row.staff_id, row)
    working_set.insert(LOGIN, row.login, row.staff_id)
    tell_change(working_set, row.staff_id, Change.CREATED)
    return row


class Bootstrap(Command):
    """Make the first administrators, of a bank that has none."""

    __slots__ = ("fresh",)

    def __init__(self, book: int, *, fresh: Sequence[StaffRow]) -> None:
        super().__init__(book, None)
        self.fresh = fresh

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name all administrators and whoever has the logins."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(ADMINS, ALL_ADMINS)
            for row in self.fresh:
                yield RowKey(LOGIN, row.login)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Make them unless there is one already, in whatever state."""
        if working_set.get(ADMINS, ALL_ADMINS):
            raise Refusal(
                "PERMISSION_DENIED", "there are administrators already; they make further accounts"
            )
        for row in self.fresh:
            add(working_set, row)
        return b""


class _AccountCommand(Command):
    """A command about one account that may take an administrator away."""

    __slots__ = ("staff_id",)

    def __init__(self, book: int, request: RequestKey | None, *, staff_id: StaffId) -> None:
        super().__init__(book, request)
        self.staff_id = staff_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the account, its sessions, and all administrators."""
        if stage == STAGE_POINTER:
            yield RowKey(ADMINS, ALL_ADMINS)
        elif stage == STAGE_LINK:
            yield RowKey(STAFF_ROWS, self.staff_id)
            yield RowKey(OPEN_STAFF_SESSIONS, self.staff_id)
            for staff_id in working_set.get(ADMINS, ALL_ADMINS) or ():
                yield RowKey(STAFF_ROWS, staff_id)
        elif stage == STAGE_ACCOUNT:
            for session_id in working_set.get(OPEN_STAFF_SESSIONS, self.staff_id) or ():
                yield RowKey(STAFF_SESSION, session_id)

    def edit(self, working_set: WorkingSet) -> StaffRow:
        """Return the account to change, its time already moved on.

        Raises:
            Refusal: STAFF_NOT_FOUND.
        """
        if working_set.get(STAFF_ROWS, self.staff_id) is None:
            raise model.staff_not_found(self.staff_id)
        row = working_set.edit(STAFF_ROWS, self.staff_id)
        row.changed_at_us = max(working_set.now_us, row.changed_at_us + 1)
        return row

    def finish(self, working_set: WorkingSet, change: Change, *, was_admin: bool) -> None:
        """See that administrators are left, end the sessions, tell it.

        Raises:
            Refusal: STAFF_LAST_ADMINS.
        """
        row = working_set.get(STAFF_ROWS, self.staff_id)
        if was_admin and row is not None and not row.is_admin:
            rows = working_set.table(STAFF_ROWS).rows
            model.check_admins_left({key: one for key, one in rows.items() if one is not None})
        for session in list(working_set.table(STAFF_SESSION).rows.values()):
            if session is not None and session.staff_id == self.staff_id:
                end_session(working_set, session.session_id, EndCause.ACCOUNT_CHANGED)
        tell_change(working_set, self.staff_id, change)


class GrantStaff(_AccountCommand):
    """Set roles and branch."""

    __slots__ = ("branch", "roles")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        roles: int,
        branch: str,
    ) -> None:
        super().__init__(book, request, staff_id=staff_id)
        self.roles = roles
        self.branch = branch

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set them; a suspended account is let in again, or waits for its owner as before."""
        row = self.edit(working_set)
        was_admin = row.is_admin
        row.roles, row.branch = self.roles, self.branch
        if row.state == StaffState.SUSPENDED:
            row.state = StaffState.INVITED if row.enrolment else StaffState.ACTIVE
        self.finish(working_set, Change.GRANTED, was_admin=was_admin)
        return pb.GrantStaffResponse(
            staff=encode.staff(row), committed_at=working_set.committed_at
        ).SerializeToString()


class SuspendStaff(_AccountCommand):
    """Shut an account."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Shut it at once."""
        row = self.edit(working_set)
        was_admin = row.is_admin
        row.state = StaffState.SUSPENDED
        self.finish(working_set, Change.SUSPENDED, was_admin=was_admin)
        return pb.SuspendStaffResponse(
            staff=encode.staff(row), committed_at=working_set.committed_at
        ).SerializeToString()


class ResetStaff(_AccountCommand):
    """Let the owner of an account enrol anew."""

    __slots__ = ("enrolment", "limits")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        enrolment: bytes,
        limits: Limits,
    ) -> None:
        super().__init__(book, request, staff_id=staff_id)
        self.enrolment = enrolment
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what the owner proved to be one with, too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, factors_of(self.staff_id))
            for key in places(factors_of(self.staff_id)):
                yield RowKey(FACTOR, key)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take all factors away and wait for whoever has the key."""
        row = self.edit(working_set)
        was_admin = row.is_admin
        row.state = StaffState.INVITED
        row.enrolment = self.enrolment
        row.enrol_until_us = working_set.now_us + self.limits.enrolment_us
        owner = factors_of(self.staff_id)
        for key in places(owner):
            if working_set.get(FACTOR, key) is not None:
                factor = working_set.edit(FACTOR, key)
                factor.state, factor.secret = FactorState.REMOVED, b""
                factor.changed_at_us = max(working_set.now_us, factor.changed_at_us + 1)
        if working_set.get(SECURITY, owner) is None:
            working_set.insert(SECURITY, owner, SecurityRow(owner, 0, 0, 0, working_set.now_us))
        security = working_set.edit(SECURITY, owner)
        security.kinds, security.unblocked_at_us = 0, working_set.now_us
        self.finish(working_set, Change.RESET, was_admin=was_admin)
        return pb.ResetStaffResponse(
            staff=encode.staff(row), committed_at=working_set.committed_at
        ).SerializeToString()
