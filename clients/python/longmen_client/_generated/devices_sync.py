"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import device_service_pb2, identity_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Devices:
    """DevicesService keeps the devices of customers. A device is enrolled by registration, by
    signing in with a code, or by a pairing code that a device already enrolled shows.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start_device_enrolment(
        self,
        *,
        customer_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[device_service_pb2.StartDeviceEnrolmentResponse]:
        """Makes a pairing code, for a customer's signed-in device to show and a new one to take.

        Who has a factor has to approve it with one. The code is void once a password, a PIN or
        another factor changes.

        Args:
            customer_id: Customer id; customers may leave their own out.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                DEVICE_LIMIT_REACHED, NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED,
                RISK_REJECTED.

        Scope: identity.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = device_service_pb2.StartDeviceEnrolmentRequest(
            customer_id=customer_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.DEVICES_START_DEVICE_ENROLMENT, request, request.request_id, options
        )

    def complete_device_enrolment(
        self,
        *,
        verification_id: str,
        pairing_code: str,
        device: identity_pb2.DeviceKey,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[device_service_pb2.CompleteDeviceEnrolmentResponse]:
        """Enrols the new device with the pairing code and signs it in.

        It cools off for a day, and the customer is told.

        Args:
            verification_id: Verification id that the start gave.
            pairing_code: Pairing code that the enrolled device shows.
            device: Device key with the proof that the device has it.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: VERIFICATION_NOT_FOUND,
                VERIFICATION_EXPIRED, VERIFICATION_CODE_INVALID, VERIFICATION_ATTEMPTS_EXHAUSTED,
                DEVICE_KEY_INVALID, DEVICE_PROOF_INVALID, DEVICE_LIMIT_REACHED,
                DEVICE_ALREADY_ENROLLED.

        Scope: identity.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = device_service_pb2.CompleteDeviceEnrolmentRequest(
            verification_id=verification_id,
            pairing_code=pairing_code,
            device=device,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.DEVICES_COMPLETE_DEVICE_ENROLMENT, request, request.request_id, options
        )

    def list_devices(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[identity_pb2.Device, device_service_pb2.ListDevicesResponse]:
        """Lists a customer's devices, revoked ones included, in the order they were enrolled.

        Args:
            customer_id: Customer id; customers may leave their own out.
            page_size: Page size, up to 1,000; 0 takes 100.
            page_token: Page token of the page before; empty begins.
            at_least_as_fresh: At least as fresh as this consistency token; empty takes any
                committed state.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: identity.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = device_service_pb2.ListDevicesRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.DEVICES_LIST_DEVICES, request, "devices", options)

    def revoke_device(
        self,
        *,
        device_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[device_service_pb2.RevokeDeviceResponse]:
        """Forbids a device for ever and ends its sessions.

        Args:
            device_id: Device id to forbid.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DEVICE_NOT_FOUND,
                DEVICE_ALREADY_REVOKED.

        Scope: identity.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = device_service_pb2.RevokeDeviceRequest(
            device_id=device_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.DEVICES_REVOKE_DEVICE, request, request.request_id, options
        )
