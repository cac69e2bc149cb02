"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_pb2, identity_pb2, session_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Sessions:
    """SessionsService signs devices in. Tokens are bound to the device's key: every call with one
    proves the key by RFC 9449.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start_login(
        self,
        *,
        phone_number: str,
        key_thumbprint: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[session_service_pb2.StartLoginResponse]:
        """Begins a sign-in.

        A device that is enrolled needs no code; any other is sent one, and enrolled with it. The
        answer is the same whether or not the phone number has a wallet.

        Args:
            phone_number: Phone number in E.164 form.
            key_thumbprint: Key thumbprint of the device by RFC 7638, 43 characters of base64url.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PHONE_NUMBER_INVALID,
                CODE_SENT_RECENTLY.

        Scope: identity.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = session_service_pb2.StartLoginRequest(
            phone_number=phone_number,
            key_thumbprint=key_thumbprint,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SESSIONS_START_LOGIN, request, request.request_id, options
        )

    def complete_login(
        self,
        *,
        verification_id: str,
        phone_number: str,
        device: identity_pb2.DeviceKey,
        code: str = "",
        proof: factor_pb2.FactorProof | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[session_service_pb2.CompleteLoginResponse]:
        """Begins a session.

        A device that was not enrolled is, with a cooling-off time, in which it may send little
        money, and a notice to the customer. It needs one of the customer's factors beside the code,
        where there are any: without one the answer to a right code is FACTOR_REQUIRED, and the same
        sign-in is completed with a proof. Sign-ins of enrolled devices are told once a day.

        Args:
            verification_id: Verification id that the start gave.
            phone_number: Phone number in E.164 form.
            device: Device key with the proof that the device has it.
            code: Code that was sent to the phone number; empty if none was required.
            proof: Proof by one of the methods that FACTOR_REQUIRED names; unset for an enrolled
                device. A passkey signs the passkey_options_json of that refusal.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: VERIFICATION_NOT_FOUND,
                VERIFICATION_EXPIRED, VERIFICATION_CODE_INVALID, VERIFICATION_ATTEMPTS_EXHAUSTED,
                DEVICE_KEY_INVALID, DEVICE_PROOF_INVALID, DEVICE_LIMIT_REACHED,
                PHONE_NUMBER_INVALID, FACTOR_REQUIRED, METHOD_NOT_ACCEPTED, FACTOR_REJECTED,
                RISK_REJECTED, OVERLOADED.

        Scope: identity.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = session_service_pb2.CompleteLoginRequest(
            verification_id=verification_id,
            phone_number=phone_number,
            device=device,
            code=code,
            proof=proof,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SESSIONS_COMPLETE_LOGIN, request, request.request_id, options
        )

    def refresh_session(
        self,
        *,
        refresh_token: str,
        signature: bytes,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[session_service_pb2.RefreshSessionResponse]:
        """Exchanges a refresh token for new tokens.

        A refresh token works once; using it again ends the session, since one of the two users has
        stolen it.

        Args:
            refresh_token: Refresh token of the session.
            signature: Signature of 64 bytes by the device's key over the text "longmen-device-
                proof-v1", a zero byte, "RefreshSession", a zero byte, and the SHA-256 of the
                refresh token's text.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: REFRESH_TOKEN_INVALID,
                REFRESH_TOKEN_REUSED, SESSION_EXPIRED, SESSION_REVOKED, DEVICE_PROOF_INVALID.

        Scope: identity.login. Deadline: 5000 ms, at most 30000 ms.
        """
        request = session_service_pb2.RefreshSessionRequest(
            refresh_token=refresh_token,
            signature=signature,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SESSIONS_REFRESH_SESSION, request, request.request_id, options
        )

    def list_sessions(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[identity_pb2.Session, session_service_pb2.ListSessionsResponse]:
        """Lists a customer's sessions that have not ended, oldest first.

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
        request = session_service_pb2.ListSessionsRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.SESSIONS_LIST_SESSIONS, request, "sessions", options)

    def revoke_session(
        self,
        *,
        session_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[session_service_pb2.RevokeSessionResponse]:
        """Ends one session; within five seconds no server process takes its tokens.

        Args:
            session_id: Session id to end.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SESSION_NOT_FOUND.

        Scope: identity.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = session_service_pb2.RevokeSessionRequest(
            session_id=session_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.SESSIONS_REVOKE_SESSION, request, request.request_id, options
        )

    def revoke_all_sessions(
        self,
        *,
        customer_id: str = "",
        keep_current: bool = False,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[session_service_pb2.RevokeAllSessionsResponse]:
        """Ends every session of a customer, or all but the one it is called in.

        Args:
            customer_id: Customer id; customers may leave their own out.
            keep_current: Keep current leaves the session alone in which the call is made.
            request_id: Request id makes a repetition of the call harmless.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: identity.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = session_service_pb2.RevokeAllSessionsRequest(
            customer_id=customer_id,
            keep_current=keep_current,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.SESSIONS_REVOKE_ALL_SESSIONS, request, request.request_id, options
        )
