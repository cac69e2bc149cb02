"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import identity_pb2, registration_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Registration:
    """RegistrationService opens wallets for people who have nothing but a phone, and raises what
    they may do as they identify themselves.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start_registration(
        self,
        *,
        phone_number: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[registration_service_pb2.StartRegistrationResponse]:
        """Sends a code to a phone number.

        The answer is the same whether or not the number has a wallet already; if it has, the
        message says so instead of giving a code.

        Args:
            phone_number: Phone number in E.164 form.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PHONE_NUMBER_INVALID,
                CODE_SENT_RECENTLY.

        Scope: identity.register. Deadline: 5000 ms, at most 30000 ms.
        """
        request = registration_service_pb2.StartRegistrationRequest(
            phone_number=phone_number, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.REGISTRATION_START_REGISTRATION, request, request.request_id, options
        )

    def complete_registration(
        self,
        *,
        verification_id: str,
        phone_number: str,
        code: str,
        device: identity_pb2.DeviceKey,
        display_name: str,
        currency_code: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[registration_service_pb2.CompleteRegistrationResponse]:
        """Opens a wallet of class 4 with its first account, enrols the device and signs it in.

        Args:
            verification_id: Verification id that the start gave.
            phone_number: Phone number in E.164 form.
            code: Code that was sent to the phone number.
            device: Device key with the proof that the device has it.
            display_name: Display name of the customer; others see it masked.
            currency_code: Currency code of the first account.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: VERIFICATION_NOT_FOUND,
                VERIFICATION_EXPIRED, VERIFICATION_CODE_INVALID, VERIFICATION_ATTEMPTS_EXHAUSTED,
                DEVICE_KEY_INVALID, DEVICE_PROOF_INVALID, PHONE_NUMBER_INVALID, PHONE_NUMBER_TAKEN,
                UNKNOWN_CURRENCY.

        Scope: identity.register. Deadline: 5000 ms, at most 30000 ms.
        """
        request = registration_service_pb2.CompleteRegistrationRequest(
            verification_id=verification_id,
            phone_number=phone_number,
            code=code,
            device=device,
            display_name=display_name,
            currency_code=currency_code,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.REGISTRATION_COMPLETE_REGISTRATION, request, request.request_id, options
        )
