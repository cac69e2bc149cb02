"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncFactors:
    """FactorsService keeps what customers prove themselves with. Who has a factor already has to
    approve with one before another is set, replaced or removed: the call is refused as
    NEEDS_AUTH, the challenge is approved, and the same call is sent again. Every factor that is
    set, replaced or removed ends all of the customer's other sessions, on every server process
    within five seconds, and voids sign-ins and pairing codes that were begun before; the
    session of the call goes on. The customer is told by message.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def set_password(
        self,
        *,
        password: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.SetPasswordResponse]:
        """Sets or replaces the password, after Unicode normalization to form C: at least 8
        characters where there is another factor, else at least 15, at most 128, any characters,
        none of the passwords that everybody tries first.

        Args:
            password: Password, in any script; compared exactly after normalization.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PASSWORD_WEAK, OVERLOADED,
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.SetPasswordRequest(
            password=password, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTORS_SET_PASSWORD, request, request.request_id, options
        )

    async def set_payment_pin(
        self,
        *,
        pin: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.SetPaymentPinResponse]:
        """Sets or replaces the payment PIN: six digits, no run, no repetition, no date, no part of
        the customer's phone number.

        Args:
            pin: PIN of six digits.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PIN_WEAK, OVERLOADED,
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.SetPaymentPinRequest(
            pin=pin, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTORS_SET_PAYMENT_PIN, request, request.request_id, options
        )

    async def start_totp(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.StartTotpResponse]:
        """Makes a new seed for an authenticator app; ConfirmTotp has to follow within ten minutes.

        The present one stays until then.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: NEEDS_AUTH,
                STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.StartTotpRequest(request_id=request_id or new_request_id())
        return await self._caller.change(
            methods.FACTORS_START_TOTP, request, request.request_id, options
        )

    async def confirm_totp(
        self,
        *,
        code: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.ConfirmTotpResponse]:
        """Puts the seed of StartTotp into use, once the app shows the right code.

        Args:
            code: Code of six digits that the app shows.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ENROLMENT_NOT_FOUND,
                FACTOR_REJECTED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.ConfirmTotpRequest(
            code=code, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTORS_CONFIRM_TOTP, request, request.request_id, options
        )

    async def start_passkey(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.StartPasskeyResponse]:
        """Begins the registration of a passkey; ConfirmPasskey has to follow within ten minutes.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FACTOR_LIMIT_REACHED,
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.StartPasskeyRequest(request_id=request_id or new_request_id())
        return await self._caller.change(
            methods.FACTORS_START_PASSKEY, request, request.request_id, options
        )

    async def confirm_passkey(
        self,
        *,
        credential_json: str,
        label: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.ConfirmPasskeyResponse]:
        """Registers the passkey that the device has made.

        Args:
            credential_json: Credential that the device made, as JSON (RegistrationResponseJSON of
                WebAuthn level 3).
            label: Label to know it by, such as "work phone".
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ENROLMENT_NOT_FOUND,
                PASSKEY_REJECTED, FACTOR_LIMIT_REACHED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.ConfirmPasskeyRequest(
            credential_json=credential_json, label=label, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTORS_CONFIRM_PASSKEY, request, request.request_id, options
        )

    async def create_backup_codes(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.CreateBackupCodesResponse]:
        """Makes ten codes and shows them this once; earlier ones are void.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: OVERLOADED, NEEDS_AUTH,
                STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.CreateBackupCodesRequest(
            request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTORS_CREATE_BACKUP_CODES, request, request.request_id, options
        )

    async def list_factors(
        self,
        *,
        options: CallOptions | None = None,
    ) -> factor_service_pb2.ListFactorsResponse:
        """Shows what the customer can prove to be one with, in the order of their kinds.

        Raises:
            LongmenError: the call did not succeed.

        Scope: factors.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.ListFactorsRequest()
        return await self._caller.ask(methods.FACTORS_LIST_FACTORS, request, options)

    async def remove_factor(
        self,
        *,
        factor_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_service_pb2.RemoveFactorResponse]:
        """Takes a factor away.

        Args:
            factor_id: Factor id to remove.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FACTOR_NOT_FOUND,
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_service_pb2.RemoveFactorRequest(
            factor_id=factor_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTORS_REMOVE_FACTOR, request, request.request_id, options
        )
