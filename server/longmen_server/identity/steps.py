"""What the commands of identity have in common: codes, devices and sessions that begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen.events.v1 import event_pb2
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.identity import model
from longmen_server.identity.model import (
    CustomerRow,
    DeviceCount,
    DeviceKeyKey,
    DeviceRow,
    DeviceState,
    EndCause,
    Limits,
    Purpose,
    SendingKey,
    SessionRow,
    VerificationRow,
)
from longmen_server.identity.tables import (
    CUSTOMER,
    DEVICE,
    DEVICE_COUNT,
    DEVICE_KEY,
    OPEN_SESSIONS,
    SENDING,
    SESSION,
    VERIFICATION,
)
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import DEVICE as DEVICE_TEXT
from longmen_server.platform.ids import SESSION as SESSION_TEXT
from longmen_server.platform.ids import CustomerId, DeviceId, SessionId, VerificationId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.device_keys import DeviceKey


class Challenge(NamedTuple):
    """A verification that is begun: everything random about it, made before it is decided."""

    verification_id: VerificationId
    code_digest: bytes
    nonce: bytes


class Offer(NamedTuple):
    """The device that a request brings, with the proof already judged."""

    device_id: DeviceId
    """Id it gets if it is enrolled."""
    key: DeviceKey
    name: str
    proven: bool
    """Whether its signature over the verification's nonce was good."""


class Draft(NamedTuple):
    """A session that may begin, or the next secret of one that goes on."""

    session_id: SessionId
    family_digest: bytes
    refresh_digest: bytes
    sealed: bytes
    """The tokens, sealed for the reply: no record of it has them in clear."""


def start(
    working_set: WorkingSet,
    challenge: Challenge,
    purpose: Purpose,
    limits: Limits,
    *,
    phone_index: bytes = b"",
    customer_id: CustomerId | None = None,
    device_id: DeviceId | None = None,
) -> VerificationRow:
    """Begin a verification."""
    now_us = working_set.now_us
    row = VerificationRow(
        verification_id=challenge.verification_id,
        purpose=purpose,
        phone_index=phone_index,
        customer_id=customer_id,
        device_id=device_id,
        code_digest=challenge.code_digest,
        nonce=challenge.nonce,
        created_at_us=now_us,
        expires_at_us=now_us + limits.code_lifetime_us,
        attempts=0,
        used=False,
    )
    working_set.insert(VERIFICATION, row.verification_id, row)
    return row


def send(
    working_set: WorkingSet, key: SendingKey, verification_id: VerificationId, limits: Limits
) -> None:
    """Note that a code goes to a phone number.

    Raises:
        Refusal: CODE_SENT_RECENTLY.
    """
    row = model.next_sending(
        working_set.get(SENDING, key), key, verification_id, working_set.now_us, limits
    )
    if working_set.get(SENDING, key) is None:
        working_set.insert(SENDING, key, row)
    else:
        kept = working_set.edit(SENDING, key)
        kept.verification_id, kept.sent_at_us = row.verification_id, row.sent_at_us
        kept.day_began_us, kept.sends = row.day_began_us, row.sends


def lock_customer(working_set: WorkingSet, customer_id: CustomerId) -> CustomerRow:
    """Return a customer's row to change; it is made at the first need."""
    if working_set.get(CUSTOMER, customer_id) is None:
        working_set.insert(CUSTOMER, customer_id, CustomerRow(customer_id, 0))
    return working_set.edit(CUSTOMER, customer_id)


def enrol(
    working_set: WorkingSet, customer_id: CustomerId, offer: Offer, limits: Limits, *, cools: bool
) -> DeviceRow:
    """Enrol a device for a customer.

    Raises:
        Refusal: DEVICE_ALREADY_ENROLLED, DEVICE_LIMIT_REACHED.
    """
    key = DeviceKeyKey(customer_id, offer.key.thumbprint)
    if working_set.get(DEVICE_KEY, key) is not None:
        raise Refusal("DEVICE_ALREADY_ENROLLED", "the customer has a device with this key")
    if working_set.get(DEVICE_COUNT, customer_id) is None:
        working_set.insert(DEVICE_COUNT, customer_id, DeviceCount(customer_id, 0))
    count = working_set.edit(DEVICE_COUNT, customer_id)
    if count.count >= limits.devices_max:
        raise model.device_limit_reached(limits)
    count.count += 1
    at_us = working_set.next_stamp()
    cooling_us = limits.policy.at(business_date(working_set.now_us)).cooling_us
    row = DeviceRow(
        device_id=offer.device_id,
        customer_id=customer_id,
        algorithm=offer.key.algorithm,
        public_key=offer.key.public,
        thumbprint=offer.key.thumbprint,
        name=offer.name,
        state=DeviceState.ACTIVE,
        enrolled_at_us=at_us,
        cooling_until_us=at_us + cooling_us if cools else 0,
        revoked_at_us=None,
        cooling_used=0,
        told_at_us=working_set.now_us,
    )
    working_set.insert(DEVICE, row.device_id, row)
    working_set.insert(DEVICE_KEY, key, row.device_id)
    tell_device(working_set, row, event_pb2.EVENT_TYPE_DEVICE_ENROLLED, at_us)
    return row


def revoke_device(working_set: WorkingSet, device_id: DeviceId) -> DeviceRow:
    """Forbid an active device for ever; its customer's count and the device are loaded."""
    row = working_set.edit(DEVICE, device_id)
    row.state = DeviceState.REVOKED
    row.revoked_at_us = working_set.next_stamp()
    working_set.edit(DEVICE_COUNT, row.customer_id).count -= 1
    tell_device(working_set, row, event_pb2.EVENT_TYPE_DEVICE_REVOKED, row.revoked_at_us)
    return row


def begin_session(
    working_set: WorkingSet,
    customer_id: CustomerId,
    device_id: DeviceId,
    draft: Draft,
    limits: Limits,
) -> SessionRow:
    """Begin a session of a device."""
    lock_customer(working_set, customer_id)
    now_us = working_set.now_us
    row = SessionRow(
        session_id=draft.session_id,
        customer_id=customer_id,
        device_id=device_id,
        created_at_us=now_us,
        seen_at_us=now_us,
        ends_at_us=now_us + limits.session_absolute_us,
        family_digest=draft.family_digest,
        refresh_digest=draft.refresh_digest,
        ended_at_us=None,
        end_cause=0,
    )
    working_set.insert(SESSION, row.session_id, row)
    at_us = working_set.next_stamp()
    tell_session(working_set, row, event_pb2.EVENT_TYPE_SESSION_STARTED, at_us, "")
    return row


def end_session(working_set: WorkingSet, session_id: SessionId, cause: EndCause) -> None:
    """End a session that is loaded and has not ended."""
    row = working_set.edit(SESSION, session_id)
    row.ended_at_us = working_set.next_stamp()
    row.end_cause = cause
    ended = event_pb2.EVENT_TYPE_SESSION_ENDED
    tell_session(working_set, row, ended, row.ended_at_us, cause.name)


def open_session_keys(
    working_set: WorkingSet, stage: int, customer_id: CustomerId
) -> Iterable[RowKey]:
    """Name what :func:`end_sessions` needs: the customer's lock, then the sessions that go on."""
    if stage == STAGE_POINTER:
        yield RowKey(CUSTOMER, customer_id)
    elif stage == STAGE_LINK:
        yield RowKey(OPEN_SESSIONS, customer_id)
    elif stage == STAGE_ACCOUNT:
        for session_id in working_set.get(OPEN_SESSIONS, customer_id) or ():
            yield RowKey(SESSION, session_id)


def end_sessions(
    working_set: WorkingSet,
    customer_id: CustomerId,
    cause: EndCause,
    *,
    device_id: DeviceId | None = None,
    but: SessionId | None = None,
) -> int:
    """End a customer's sessions, and what was begun to begin others; return how many ended.

    Args:
        working_set: with what :func:`open_session_keys` names.
        customer_id: whose.
        cause: why.
        device_id: of which device; None for all, when sign-ins and pairing codes that were begun
            before are void as well.
        but: the one that goes on.
    """
    ended = 0
    for row in list(working_set.table(SESSION).rows.values()):
        if (
            row is not None
            and row.customer_id == customer_id
            and row.ended_at_us is None
            and row.session_id != but
            and device_id in {None, row.device_id}
        ):
            end_session(working_set, row.session_id, cause)
            ended += 1
    customer = lock_customer(working_set, customer_id)
    if device_id is None:
        customer.sessions_void_at_us = working_set.next_stamp()
    return ended


def tell_device(working_set: WorkingSet, row: DeviceRow, type_: int, at_us: int) -> None:
    """Tell by an event what became of a device."""
    payload = event_pb2.DeviceChange(device_id=DEVICE_TEXT.encode(row.device_id))
    body = payload.SerializeToString(deterministic=True)
    working_set.emit(Event(type_, row.customer_id, 0, at_us, body, body))


def tell_session(
    working_set: WorkingSet, row: SessionRow, type_: int, at_us: int, cause: str
) -> None:
    """Tell by an event what became of a session."""
    payload = event_pb2.SessionChange(
        session_id=SESSION_TEXT.encode(row.session_id),
        device_id=DEVICE_TEXT.encode(row.device_id),
        cause=cause,
    )
    body = payload.SerializeToString(deterministic=True)
    working_set.emit(Event(type_, row.customer_id, 0, at_us, body, body))
