"""Devices, sessions and verifications as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen.identity.v1 import identity_pb2 as pb
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CUSTOMER, DEVICE, SESSION, VERIFICATION

if TYPE_CHECKING:
    from longmen_server.identity.model import DeviceRow, Limits, SessionRow, VerificationRow


def begun(row: VerificationRow, limits: Limits) -> dict[str, Any]:
    """Return the fields that every reply to a start has."""
    return {
        "verification_id": VERIFICATION.encode(row.verification_id),
        "nonce": row.nonce,
        "expire_time": timestamp(row.expires_at_us),
        "resend_time": timestamp(row.created_at_us + limits.code_resend_us),
    }


def device(row: DeviceRow, now_us: int) -> pb.Device:
    """Return a device as it is at a moment."""
    cools = row.cooling_until_us > row.enrolled_at_us
    return pb.Device(
        device_id=DEVICE.encode(row.device_id),
        customer_id=CUSTOMER.encode(row.customer_id),
        name=row.name,
        algorithm=row.algorithm,  # type: ignore[arg-type]  # enums of the contract are ints
        key_thumbprint=row.thumbprint,
        state=row.state,  # type: ignore[arg-type]  # the same
        enrol_time=timestamp(row.enrolled_at_us),
        cooling_until=timestamp(row.cooling_until_us) if cools else None,
        cooling=now_us < row.cooling_until_us,
    )


def stored_device(row: DeviceRow, now_us: int) -> pb.Device:
    """Return a device for a reply that is recorded: without the name that its owner gave it.

    The record outlives an erased owner; whoever answers puts the name in from the device's row.
    """
    message = device(row, now_us)
    message.ClearField("name")
    return message


def session(row: SessionRow, current: str | None = None) -> pb.Session:
    """Return a session; `current` is the id of the one that the call was made in."""
    text = SESSION.encode(row.session_id)
    return pb.Session(
        session_id=text,
        customer_id=CUSTOMER.encode(row.customer_id),
        device_id=DEVICE.encode(row.device_id),
        create_time=timestamp(row.created_at_us),
        last_seen_time=timestamp(row.seen_at_us),
        end_time=timestamp(row.ends_at_us),
        current=text == current,
    )
