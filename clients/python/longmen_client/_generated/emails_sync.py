"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import email_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Emails:
    """EmailsService proves e-mail addresses. Only to a proven one go codes and notices; another
    address in the profile has to be proven anew.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start_email_proof(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[email_service_pb2.StartEmailProofResponse]:
        """Sends a code to the e-mail address of the profile.

        Who has a factor has to approve it with one, since codes for payments may go to the address
        from then on.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, EMAIL_MISSING, CODE_SENT_RECENTLY, NEEDS_AUTH, STEP_UP_UNAVAILABLE,
                CHALLENGE_CONTENT_CHANGED.

        Scope: profile.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = email_service_pb2.StartEmailProofRequest(
            request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.EMAILS_START_EMAIL_PROOF, request, request.request_id, options
        )

    def confirm_email(
        self,
        *,
        verification_id: str,
        code: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[email_service_pb2.ConfirmEmailResponse]:
        """Proves the address with the code.

        Args:
            verification_id: Verification id that the start gave.
            code: Code of six digits that was sent to the address.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: VERIFICATION_NOT_FOUND,
                VERIFICATION_EXPIRED, VERIFICATION_CODE_INVALID, VERIFICATION_ATTEMPTS_EXHAUSTED.

        Scope: profile.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = email_service_pb2.ConfirmEmailRequest(
            verification_id=verification_id, code=code, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.EMAILS_CONFIRM_EMAIL, request, request.request_id, options
        )
