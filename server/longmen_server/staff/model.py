"""Accounts of staff and their rules: roles, enrolment, sign-ins, sessions. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import STAFF, CustomerId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from longmen_server.platform.ids import DeviceId, SessionId, StaffId, VerificationId

__all__ = [
    "Change",
    "CustomerBranch",
    "EndCause",
    "Enrolment",
    "Limits",
    "Role",
    "SessionRow",
    "SignInRow",
    "StaffRow",
    "StaffState",
]

SECOND_US: Final = 1_000_000

ADMINS_MIN: Final = 2
"""Persons who have to be left as active administrators: with fewer nothing could be approved."""

PASSWORD_MIN: Final = 12
"""Characters of a password of staff; a second factor always stands beside it."""


class Role(IntEnum):
    """The numbers of the contract's StaffRole; the bits of stored sets."""

    TELLER = 1
    OPERATIONS = 2
    RISK_OFFICER = 3
    AUDITOR = 4
    ADMIN = 5


class StaffState(IntEnum):
    """The numbers of the contract's StaffState."""

    INVITED = 1
    ACTIVE = 2
    SUSPENDED = 3


class Change(IntEnum):
    """What became of an account; the names are told by events."""

    CREATED = 1
    GRANTED = 2
    RESET = 3
    SUSPENDED = 4
    ENROLLED = 5
    PASSKEY_ADDED = 6
    LOCKED = 7


class EndCause(IntEnum):
    """Why a session of staff was ended; the numbers are stored."""

    SIGNED_OUT = 1
    ACCOUNT_CHANGED = 2


class Enrolment(IntEnum):
    """What lets the owner of an account enrol; the first byte of what is stored of it."""

    SECRET = 1
    KEY = 2


class Limits(NamedTuple):
    """The settings that decisions depend on, in microseconds."""

    sign_in_us: int
    enrolment_us: int
    session_absolute_us: int
    fresh_us: int


@dataclass(slots=True)
class StaffRow:
    """One account, in the order of its columns."""

    staff_id: StaffId
    login: str
    person: str
    """The employee, by the number that the personnel department knows them by."""
    branch: str
    roles: int
    """Bits of `Role`."""
    state: int
    enrolment: bytes
    """What opens the enrolment, as `enrolment_of` gives it; empty once used."""
    enrol_until_us: int
    created_at_us: int
    changed_at_us: int
    """Grows with every change, so that what was looked at before one is void."""

    def copy(self) -> StaffRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def is_admin(self) -> bool:
        """Whether it counts among the administrators who can decide."""
        return self.state == StaffState.ACTIVE and bool(self.roles >> Role.ADMIN & 1)


@dataclass(slots=True)
class SignInRow:
    """One sign-in or enrolment that has begun."""

    sign_in_id: VerificationId
    staff_id: StaffId | None
    """None where there is no such account, which nobody is told."""
    nonce: bytes
    """What the device's key and a passkey sign."""
    created_at_us: int
    expires_at_us: int
    used: bool

    def copy(self) -> SignInRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class SessionRow:
    """One session of a member of staff, in the order of its columns."""

    session_id: SessionId
    staff_id: StaffId
    device_id: DeviceId
    thumbprint: str
    """Of the key that its tokens are bound to."""
    created_at_us: int
    seen_at_us: int
    ends_at_us: int
    ended_at_us: int | None
    end_cause: int

    def copy(self) -> SessionRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class CustomerBranch:
    """Which branch a customer is of."""

    customer_id: CustomerId
    branch: str
    changed_at_us: int

    def copy(self) -> CustomerBranch:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


def factors_of(staff_id: StaffId) -> CustomerId:
    """Return the owner that a member of staff's factors are kept under.

    The factors area keeps them by an owner's id and asks nothing else of it. Ids are random, so
    that one of staff never meets one of a customer.
    """
    return CustomerId(staff_id)


def role_bits(roles: Iterable[int]) -> int:
    """Return roles as bits."""
    return sum(1 << role for role in set(roles))


def roles_of(bits: int) -> list[Role]:
    """Return the roles whose bits are set, in order."""
    return [role for role in Role if bits >> role & 1]


def role_names(bits: int) -> list[str]:
    """Return the names of roles as tokens and policies have them."""
    return [role.name.lower() for role in roles_of(bits)]


def enrolment_of(kind: Enrolment, digest: bytes) -> bytes:
    """Return what is stored of what opens an enrolment.

    Args:
        kind: whether it is a secret or the possession of a key.
        digest: SHA-256 of the secret, or the key's thumbprint, which is one as well.
    """
    return bytes([kind]) + digest


def check_login_free(taken: StaffId | None, login: str) -> None:
    """Refuse a login that another account has.

    Raises:
        Refusal: STAFF_LOGIN_TAKEN.
    """
    if taken is not None:
        raise Refusal(
            "STAFF_LOGIN_TAKEN",
            "another account has this login",
            metadata={"login": login},
            field="login",
        )


def check_admins_left(admins: Mapping[StaffId, StaffRow]) -> None:
    """Refuse to leave fewer administrators than can decide anything.

    Args:
        admins: all accounts that were administrators, as they would be.

    Raises:
        Refusal: STAFF_LAST_ADMINS.
    """
    if len({row.person for row in admins.values() if row.is_admin}) < ADMINS_MIN:
        raise Refusal(
            "STAFF_LAST_ADMINS",
            "two persons have to be left who administer staff",
            metadata={"least": str(ADMINS_MIN)},
        )


def check_open(row: SignInRow | None, now_us: int) -> SignInRow:
    """Return a sign-in that can go on.

    Raises:
        Refusal: SIGN_IN_EXPIRED.
    """
    if row is None or row.used or now_us >= row.expires_at_us:
        raise Refusal("SIGN_IN_EXPIRED", "the sign-in is over, or there is none; begin again")
    return row


def check_enrolment(row: StaffRow | None, offered: Iterable[bytes], now_us: int) -> StaffRow:
    """Return the account that what was offered opens.

    Args:
        row: the account; None where there is none.
        offered: what the caller has proven, each as `enrolment_of` gives it.
        now_us: business time.

    Raises:
        Refusal: ENROLMENT_REJECTED.
    """
    if (
        row is None
        or row.state != StaffState.INVITED
        or now_us >= row.enrol_until_us
        or row.enrolment not in set(offered)
    ):
        raise Refusal(
            "ENROLMENT_REJECTED", "no account waits for whoever has this key and this secret"
        )
    return row


def check_fresh(row: SessionRow | None, now_us: int, limits: Limits) -> None:
    """Refuse what may be done only shortly after signing in.

    Raises:
        Refusal: SIGN_IN_STALE.
    """
    if row is not None and now_us - row.created_at_us > limits.fresh_us:
        raise Refusal(
            "SIGN_IN_STALE",
            "sign in again first",
            metadata={"seconds": str(limits.fresh_us // SECOND_US)},
        )


def rejected() -> Refusal:
    """Return the one refusal of a sign-in, whatever is wrong with it."""
    return Refusal("SIGN_IN_REJECTED", "login, password and second factor do not go together")


def staff_not_found(staff_id: StaffId) -> Refusal:
    """Return the refusal for an account that is not there."""
    return Refusal(
        "STAFF_NOT_FOUND",
        "no such account of staff",
        metadata={"staff_id": STAFF.encode(staff_id)},
        field="staff_id",
    )
