"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import staff_sessions_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen.identity.v1 import factor_pb2, identity_pb2
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncStaffSessions:
    """StaffSessionsService signs staff in: with a password, and a code of an authenticator app or
    a passkey. Tokens are bound to the key of the machine they were issued to. A session ends
    after a quarter of an hour without a call, after twelve hours, and within five seconds of a
    change of roles or a suspension.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def start_staff_sign_in(
        self,
        *,
        login: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.StartStaffSignInResponse]:
        """Begins a sign-in or an enrolment.

        Whether there is such an account is not told.

        Args:
            login: Login is the name to sign in by: small letters, digits, dot, dash and underscore.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed.

        Scope: staff.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.StartStaffSignInRequest(
            login=login, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_START_STAFF_SIGN_IN, request, request.request_id, options
        )

    async def enrol_staff(
        self,
        *,
        sign_in_id: str,
        device: identity_pb2.DeviceKey,
        password: str,
        enrolment_secret: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.EnrolStaffResponse]:
        """Sets the first password of an account that waits for its owner, and gives the seed for an
        authenticator app.

        Args:
            sign_in_id: Sign in id that StartStaffSignIn gave.
            device: Device key that the session is bound to, with its signature over the nonce.
            password: Password to set: at least 12 characters.
            enrolment_secret: Enrolment secret of an administrator made by `longmen staff
                bootstrap`; empty for accounts that name their owner's key.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SIGN_IN_EXPIRED,
                ENROLMENT_REJECTED, PASSWORD_WEAK, DEVICE_KEY_INVALID.

        Scope: staff.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.EnrolStaffRequest(
            sign_in_id=sign_in_id,
            device=device,
            password=password,
            enrolment_secret=enrolment_secret,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_ENROL_STAFF, request, request.request_id, options
        )

    async def confirm_staff_enrolment(
        self,
        *,
        sign_in_id: str,
        device: identity_pb2.DeviceKey,
        totp_code: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.ConfirmStaffEnrolmentResponse]:
        """Ends an enrolment by a code of the authenticator app, and begins the first session.

        Args:
            sign_in_id: Sign in id that StartStaffSignIn gave.
            device: Device key that the session is bound to, with its signature over the nonce.
            totp_code: TOTP code that the authenticator app shows.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SIGN_IN_EXPIRED,
                ENROLMENT_REJECTED, SIGN_IN_REJECTED, DEVICE_KEY_INVALID.

        Scope: staff.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.ConfirmStaffEnrolmentRequest(
            sign_in_id=sign_in_id,
            device=device,
            totp_code=totp_code,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_CONFIRM_STAFF_ENROLMENT, request, request.request_id, options
        )

    async def complete_staff_sign_in(
        self,
        *,
        sign_in_id: str,
        device: identity_pb2.DeviceKey,
        password: str,
        second_factor: factor_pb2.FactorProof,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.CompleteStaffSignInResponse]:
        """Begins a session.

        A wrong password, a wrong code, an unknown or suspended account and one that is locked after
        too many tries have one answer.

        Args:
            sign_in_id: Sign in id that StartStaffSignIn gave.
            device: Device key that the session is bound to, with its signature over the nonce.
            password: Password of the account.
            second_factor: Second factor beside the password: a TOTP code, or an assertion over
                passkey_options_json. Other proofs are refused.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SIGN_IN_EXPIRED,
                SIGN_IN_REJECTED, DEVICE_KEY_INVALID.

        Scope: staff.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.CompleteStaffSignInRequest(
            sign_in_id=sign_in_id,
            device=device,
            password=password,
            second_factor=second_factor,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_COMPLETE_STAFF_SIGN_IN, request, request.request_id, options
        )

    async def renew_staff_session(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.RenewStaffSessionResponse]:
        """Gives the session's next access token, with the roles as they are now.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SESSION_EXPIRED,
                SESSION_REVOKED, SESSION_NOT_FOUND.

        Scope: staff.session. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.RenewStaffSessionRequest(
            request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_RENEW_STAFF_SESSION, request, request.request_id, options
        )

    async def sign_out_staff(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.SignOutStaffResponse]:
        """Ends the session of the call.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SESSION_NOT_FOUND.

        Scope: staff.session. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.SignOutStaffRequest(
            request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_SIGN_OUT_STAFF, request, request.request_id, options
        )

    async def start_staff_passkey(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.StartStaffPasskeyResponse]:
        """Begins to register a passkey for signing in, not long after the caller has signed in.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SIGN_IN_STALE,
                FACTOR_LIMIT_REACHED, STAFF_NOT_FOUND.

        Scope: staff.session. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.StartStaffPasskeyRequest(
            request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_START_STAFF_PASSKEY, request, request.request_id, options
        )

    async def confirm_staff_passkey(
        self,
        *,
        credential_json: str,
        label: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_sessions_service_pb2.ConfirmStaffPasskeyResponse]:
        """Keeps the passkey that the device has made.

        Args:
            credential_json: Credential JSON that the device has made (RegistrationResponseJSON of
                WebAuthn level 3).
            label: Label for the owner to know it by.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ENROLMENT_NOT_FOUND,
                PASSKEY_REJECTED, FACTOR_LIMIT_REACHED, SIGN_IN_STALE.

        Scope: staff.session. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_sessions_service_pb2.ConfirmStaffPasskeyRequest(
            credential_json=credential_json, label=label, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.STAFF_SESSIONS_CONFIRM_STAFF_PASSKEY, request, request.request_id, options
        )
