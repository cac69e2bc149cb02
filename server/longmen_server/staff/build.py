"""Commands of staff that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.platform.device_keys import read_b64url
from longmen_server.platform.ids import CUSTOMER, STAFF, StaffId, book_of, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.staff.account_commands import CreateStaff, GrantStaff, ResetStaff
from longmen_server.staff.commands import UnlockFactors
from longmen_server.staff.model import (
    SECOND_US,
    Enrolment,
    Limits,
    StaffRow,
    StaffState,
    enrolment_of,
    role_bits,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.staff.v1 import staff_accounts_service_pb2 as accounts_pb
    from longmen.staff.v1 import staff_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock
    from longmen_server.staff.settings import StaffSettings

__all__ = [
    "create_staff",
    "grant_staff",
    "limits_of",
    "new_account",
    "reset_staff",
    "unlock_factors",
]


def unlock_factors(request: pb.UnlockFactorsRequest, key: RequestKey | None) -> UnlockFactors:
    """Return the command that forgives a customer's wrong tries."""
    customer_id = decode_id(CUSTOMER, request.customer_id, "customer_id")
    return UnlockFactors(book_of(customer_id), key, customer_id=customer_id)


def limits_of(settings: StaffSettings) -> Limits:
    """Return the settings that decisions depend on."""
    return Limits(
        sign_in_us=settings.staff_sign_in_s * SECOND_US,
        enrolment_us=settings.staff_enrolment_s * SECOND_US,
        session_absolute_us=settings.staff_session_absolute_s * SECOND_US,
        fresh_us=settings.staff_fresh_s * SECOND_US,
    )


def new_account(
    staff_id: StaffId,
    *,
    login: str,
    person: str,
    branch: str,
    roles: Iterable[int],
    enrolment: bytes,
    lifetime_us: int,
) -> StaffRow:
    """Return an account that waits for its owner, its times still counted from zero."""
    return StaffRow(
        staff_id=staff_id,
        login=login,
        person=person,
        branch=branch,
        roles=role_bits(roles),
        state=StaffState.INVITED,
        enrolment=enrolment,
        enrol_until_us=lifetime_us,
        created_at_us=0,
        changed_at_us=0,
    )


def create_staff(
    request: accounts_pb.CreateStaffRequest,
    key: RequestKey | None,
    clock: Clock,
    book: int,
    limits: Limits,
) -> CreateStaff:
    """Return the command that makes an account."""
    row = new_account(
        StaffId(new_id(book, clock)),
        login=request.login,
        person=request.person_id,
        branch=request.branch,
        roles=request.roles,
        enrolment=_of_key(request.key_thumbprint),
        lifetime_us=limits.enrolment_us,
    )
    return CreateStaff(book, key, row=row)


def grant_staff(request: accounts_pb.GrantStaffRequest, key: RequestKey | None) -> GrantStaff:
    """Return the command that sets roles and branch."""
    staff_id = decode_id(STAFF, request.staff_id, "staff_id")
    return GrantStaff(
        book_of(staff_id),
        key,
        staff_id=staff_id,
        roles=role_bits(request.roles),
        branch=request.branch,
    )


def reset_staff(
    request: accounts_pb.ResetStaffRequest, key: RequestKey | None, limits: Limits
) -> ResetStaff:
    """Return the command that lets an account's owner enrol anew."""
    staff_id = decode_id(STAFF, request.staff_id, "staff_id")
    return ResetStaff(
        book_of(staff_id),
        key,
        staff_id=staff_id,
        enrolment=_of_key(request.key_thumbprint),
        limits=limits,
    )


def _of_key(thumbprint: str) -> bytes:
    """Return what a key's thumbprint opens.

    Raises:
        Refusal: DEVICE_KEY_INVALID when it is no thumbprint.
    """
    try:
        return enrolment_of(Enrolment.KEY, read_b64url(thumbprint))
    except ValueError:
        raise Refusal(
            "DEVICE_KEY_INVALID", "the thumbprint is none", field="key_thumbprint"
        ) from None
