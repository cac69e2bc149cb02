"""The rules of verifications, devices and sessions: how long, how often, how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from longmen_server.challenges.model import method_names
from longmen_server.platform.ids import DEVICE, SESSION, VERIFICATION
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.challenges.model import Policy
    from longmen_server.platform.ids import CustomerId, DeviceId, SessionId, VerificationId

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US

TOLD_EVERY_US: Final = DAY_US
"""How often sign-ins of a device are told: a session ends after five idle minutes, so people sign
in many times a day, and whoever is told of each reads none."""

PROOF_LABEL: Final = b"longmen-device-proof-v1"
"""Begins everything that devices sign, so that no signature can be taken for another's."""


class Purpose(IntEnum):
    """What a verification is for; the numbers are stored."""

    REGISTRATION = 1
    LOGIN = 2
    ENROLMENT = 3
    EMAIL = 4
    CHALLENGE = 5


_BY_PHONE: Final = frozenset({Purpose.REGISTRATION, Purpose.LOGIN})
"""Purposes whose requests name a phone number."""


class DeviceState(IntEnum):
    """The numbers of the contract's DeviceState."""

    ACTIVE = 1
    REVOKED = 2


class EndCause(IntEnum):
    """Why a session was ended; the numbers are stored."""

    REVOKED = 1
    DEVICE_REVOKED = 2
    REFRESH_TOKEN_REUSED = 3
    CREDENTIAL_CHANGED = 4
    CUSTOMER_ERASED = 5
    FACTORS_RESET = 6


@dataclass(slots=True)
class VerificationRow:
    """One code sent, or one nonce to be signed."""

    verification_id: VerificationId
    purpose: int
    phone_index: bytes
    """Blind index of the phone number; empty for a pairing code."""
    customer_id: CustomerId | None
    """Who signs in; None for a registration and for a phone number without a wallet."""
    device_id: DeviceId | None
    """The enrolled device that signs in without a code."""
    code_digest: bytes
    """Keyed digest of the code; of one that was sent to nobody where there is nobody to sign in."""
    nonce: bytes
    """What the device signs."""
    created_at_us: int
    expires_at_us: int
    attempts: int
    """Wrong codes so far."""
    used: bool

    def copy(self) -> VerificationRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class SendingKey(NamedTuple):
    """Codes of one purpose to one phone number."""

    purpose: int
    phone_index: bytes


@dataclass(slots=True)
class SendingRow:
    """How often codes went to a phone number."""

    purpose: int
    phone_index: bytes
    verification_id: VerificationId
    """The latest; all before it are void."""
    sent_at_us: int
    day_began_us: int
    sends: int
    """Since the day began."""

    def copy(self) -> SendingRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class DeviceRow:
    """One enrolled device."""

    device_id: DeviceId
    customer_id: CustomerId
    algorithm: int
    public_key: bytes
    thumbprint: str
    name: str
    state: int
    enrolled_at_us: int
    cooling_until_us: int
    """Until when it may do less; not later than it was enrolled for a wallet's first device."""
    revoked_at_us: int | None
    cooling_used: int
    """Millionths of what a cooling device may send that it has sent."""
    told_at_us: int
    """When the customer was last told that it has signed in."""

    def copy(self) -> DeviceRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class DeviceKeyKey(NamedTuple):
    """An active device by its key."""

    customer_id: CustomerId
    thumbprint: str


@dataclass(slots=True)
class DeviceCount:
    """How many active devices a customer has."""

    customer_id: CustomerId
    count: int

    def copy(self) -> DeviceCount:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class CustomerRow:
    """The lock that beginning and ending a customer's sessions take turns by."""

    customer_id: CustomerId
    sessions_void_at_us: int
    """When all sessions, or all but one, were last ended; 0 for never. Sign-ins and pairing codes
    that were begun before end with them."""

    def copy(self) -> CustomerRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class SessionRow:
    """One sign-in of a device."""

    session_id: SessionId
    customer_id: CustomerId
    device_id: DeviceId
    created_at_us: int
    seen_at_us: int
    ends_at_us: int
    family_digest: bytes
    """SHA-256 of the part that all refresh tokens of the session have in common."""
    refresh_digest: bytes
    """SHA-256 of the secret of the refresh token that is good now."""
    ended_at_us: int | None
    end_cause: int

    def copy(self) -> SessionRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class ErasedOwner(NamedTuple):
    """Whose devices, codes and numbers are to be forgotten."""

    customer_id: CustomerId
    phone_index: bytes
    """Empty where it was not known."""
    erased_at_us: int


class Limits(NamedTuple):
    """The settings that decisions depend on, times in microseconds."""

    code_lifetime_us: int
    code_attempts_max: int
    code_resend_us: int
    code_sends_per_day_max: int
    session_idle_us: int
    session_absolute_us: int
    devices_max: int
    policy: Policy
    """What signs a new device in, and how long it cools."""


def proof_message(method: str, challenge: bytes) -> bytes:
    """Return what a device signs to prove its key.

    Args:
        method: name of the RPC that takes the proof.
        challenge: the nonce of a verification, or the SHA-256 of a refresh token.
    """
    return b"\x00".join((PROOF_LABEL, method.encode(), challenge))


def next_sending(
    row: SendingRow | None,
    key: SendingKey,
    verification_id: VerificationId,
    now_us: int,
    limits: Limits,
) -> SendingRow:
    """Return the record of codes after one more.

    Raises:
        Refusal: CODE_SENT_RECENTLY.
    """
    if row is None or now_us - row.day_began_us >= DAY_US:
        began_us, sends = now_us, 0
    else:
        began_us, sends = row.day_began_us, row.sends
        wait_us = row.sent_at_us + limits.code_resend_us - now_us
        if sends >= limits.code_sends_per_day_max:
            wait_us = began_us + DAY_US - now_us
        if wait_us > 0:
            raise Refusal(
                "CODE_SENT_RECENTLY",
                "a code was sent not long ago",
                metadata={"retry_after_seconds": str(-(-wait_us // SECOND_US))},
                field="phone_number" if key.purpose in _BY_PHONE else None,
            )
    return SendingRow(*key, verification_id, now_us, began_us, sends + 1)


def check_verification(
    row: VerificationRow | None,
    verification_id: VerificationId,
    purpose: Purpose,
    phone_index: bytes,
    now_us: int,
) -> VerificationRow:
    """Return a verification that can be completed.

    Raises:
        Refusal: VERIFICATION_NOT_FOUND, VERIFICATION_EXPIRED.
    """
    if row is None or row.purpose != purpose or row.phone_index != phone_index:
        raise verification_not_found(verification_id)
    if row.used or now_us >= row.expires_at_us:
        raise verification_expired()
    return row


def check_code(row: VerificationRow, digest: bytes, limits: Limits) -> None:
    """Refuse a wrong code, or any once there were too many.

    Raises:
        Refusal: VERIFICATION_ATTEMPTS_EXHAUSTED, VERIFICATION_CODE_INVALID.
    """
    left = limits.code_attempts_max - row.attempts
    if left <= 0:
        raise Refusal(
            "VERIFICATION_ATTEMPTS_EXHAUSTED", "there were too many wrong codes; begin again"
        )
    # Both are keyed digests: how long it takes to compare them tells nothing about the code.
    if row.code_digest != digest:
        raise Refusal(
            "VERIFICATION_CODE_INVALID",
            "the code is not the one that was sent",
            metadata={"attempts_left": str(left - 1)},
        )


class Lasting(Protocol):
    """A session of a customer or of staff, as far as its lasting goes."""

    @property
    def seen_at_us(self) -> int:
        """When it was last used, as far as is noted."""

    @property
    def ends_at_us(self) -> int:
        """When it ends however it is used."""

    @property
    def ended_at_us(self) -> int | None:
        """When it was ended."""


def check_alive(row: Lasting, seen_at_us: int, now_us: int, idle_us: int) -> None:
    """Refuse a session that has ended.

    Args:
        row: the session.
        seen_at_us: when it was last used, as far as is known.
        now_us: business time.
        idle_us: how long it may go unused.

    Raises:
        Refusal: SESSION_REVOKED, SESSION_EXPIRED.
    """
    if row.ended_at_us is not None:
        raise session_revoked()
    if now_us >= row.ends_at_us:
        raise session_expired("absolute")
    if now_us - max(row.seen_at_us, seen_at_us) > idle_us:
        raise session_expired("idle")


def verification_not_found(verification_id: VerificationId) -> Refusal:
    """Return the refusal for a verification that is not there."""
    return Refusal(
        "VERIFICATION_NOT_FOUND",
        "no such verification",
        metadata={"verification_id": VERIFICATION.encode(verification_id)},
        field="verification_id",
    )


def verification_expired() -> Refusal:
    """Return the refusal for a verification that is over."""
    return Refusal("VERIFICATION_EXPIRED", "the verification is over; begin again")


def session_revoked() -> Refusal:
    """Return the refusal for a session that was ended."""
    return Refusal("SESSION_REVOKED", "the session was ended")


def session_expired(limit: str) -> Refusal:
    """Return the refusal for a session whose time is over, by the limit's name."""
    return Refusal("SESSION_EXPIRED", "the session's time is over", metadata={"limit": limit})


def session_not_found(session_id: SessionId) -> Refusal:
    """Return the refusal for a session that is not there, or not the caller's to see."""
    return Refusal(
        "SESSION_NOT_FOUND",
        "no such session",
        metadata={"session_id": SESSION.encode(session_id)},
        field="session_id",
    )


def device_not_found(device_id: DeviceId) -> Refusal:
    """Return the refusal for a device that is not there, or not the caller's to see."""
    return Refusal(
        "DEVICE_NOT_FOUND",
        "no such device",
        metadata={"device_id": DEVICE.encode(device_id)},
        field="device_id",
    )


def device_proof_invalid() -> Refusal:
    """Return the refusal for a signature that is not the device key's."""
    return Refusal("DEVICE_PROOF_INVALID", "the signature does not prove the device's key")


def factor_required(methods: int) -> Refusal:
    """Return the refusal of a new device that offered nothing but a code sent to the phone."""
    refusal = Refusal(
        "FACTOR_REQUIRED",
        "a new device signs in with one of the customer's factors as well",
        metadata={"methods": method_names(methods), "passkey_options_json": ""},
        field="proof",
    )
    refusal.final = False
    return refusal


def passkey_challenge(verification_id: VerificationId, nonce: bytes) -> bytes:
    """Return what a passkey signs to sign a new device in."""
    return sha256(b"longmen.sign-in.v1\x00" + verification_id + nonce).digest()


def device_limit_reached(limits: Limits) -> Refusal:
    """Return the refusal for one device too many."""
    return Refusal(
        "DEVICE_LIMIT_REACHED",
        "the customer has as many devices as are allowed",
        metadata={"limit": str(limits.devices_max)},
    )
