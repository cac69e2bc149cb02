"""The time in which a new device may send little money, wherever money leaves a wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import MILLION, device_cooling
from longmen_server.identity.tables import DEVICE
from longmen_server.platform.clock import business_date

if TYPE_CHECKING:
    from longmen_server.challenges.model import Intent, Policy
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.identity.model import DeviceRow
    from longmen_server.platform.ids import DeviceId

__all__ = ["check_cooling", "cooling_device", "is_beyond", "use_cooling"]


def cooling_device(working_set: WorkingSet, device_id: DeviceId | None) -> DeviceRow | None:
    """Return a device that is loaded while it cools; None for any other."""
    device = None if device_id is None else working_set.get(DEVICE, device_id)
    if device is None or working_set.now_us >= device.cooling_until_us:
        return None
    return device


def is_beyond(
    working_set: WorkingSet, device_id: DeviceId | None, intent: Intent, policy: Policy
) -> bool:
    """Whether an intent takes more than a device may send."""
    device = cooling_device(working_set, device_id)
    return device is not None and _used(working_set, device, intent, policy) > MILLION


def check_cooling(
    working_set: WorkingSet, device_id: DeviceId | None, intent: Intent, policy: Policy
) -> None:
    """Refuse more than a device may send.

    Raises:
        Refusal: DEVICE_COOLING.
    """
    device = cooling_device(working_set, device_id)
    if device is None or _used(working_set, device, intent, policy) <= MILLION:
        return
    version = policy.at(business_date(working_set.now_us))
    most = version.cooling_up_to.get(intent.currency_code, 0)
    left = most * (MILLION - device.cooling_used) // MILLION
    raise device_cooling(intent.currency_code, left, device.cooling_until_us)


def use_cooling(
    working_set: WorkingSet, device_id: DeviceId | None, intent: Intent, policy: Policy
) -> None:
    """Count what a cooling device sends."""
    device = cooling_device(working_set, device_id)
    if device is not None and intent.amount:
        used = _used(working_set, device, intent, policy)
        working_set.edit(DEVICE, device.device_id).cooling_used = used


def _used(working_set: WorkingSet, device: DeviceRow, intent: Intent, policy: Policy) -> int:
    """Return the millionths that are used with this; what moves no money uses none."""
    if not intent.amount:
        return device.cooling_used
    version = policy.at(business_date(working_set.now_us))
    return device.cooling_used + version.cooling_share(intent.amount, intent.currency_code)
