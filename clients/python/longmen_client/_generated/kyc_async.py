"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import kyc_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncKyc:
    """KycService leads customers from a wallet known by its phone number to one whose owner was
    seen in person. Evidence is stored encrypted under the customer's own key and shown masked
    only. Classes, limits and evidence are dated data of the server. Customers see and change
    their own identification only; another customer's id answers as one that does not exist.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get_kyc(
        self,
        *,
        customer_id: str = "",
        currency_code: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> kyc_service_pb2.GetKycResponse:
        """Returns a customer's class, since when, what it permits, what is on file, and what each
        better class needs.

        Args:
            customer_id: Customer id; a customer may leave it empty for the own one.
            currency_code: Currency code to tell the limits in; empty is that of the rules. A
                currency that the rules know no equivalent for has limits of 0.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: kyc.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = kyc_service_pb2.GetKycRequest(
            customer_id=customer_id,
            currency_code=currency_code,
            at_least_as_fresh=at_least_as_fresh,
        )
        return await self._caller.ask(methods.KYC_GET_KYC, request, options)

    async def submit_evidence(
        self,
        *,
        evidence: kyc_service_pb2.SubmittedEvidence,
        customer_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[kyc_service_pb2.SubmitEvidenceResponse]:
        """Puts an identity document or a bank account on file, in the place of one given before.

        The class stays as it is. The name in a document is looked up in the bank's lists of names.

        Args:
            evidence: Evidence to put on file.
            customer_id: Customer id; a customer may leave it empty for the own one.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, EVIDENCE_INVALID, EVIDENCE_IN_USE.

        Scope: kyc.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = kyc_service_pb2.SubmitEvidenceRequest(
            evidence=evidence, customer_id=customer_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.KYC_SUBMIT_EVIDENCE, request, request.request_id, options
        )

    async def upgrade_kyc(
        self,
        *,
        identification_class: int,
        customer_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[kyc_service_pb2.UpgradeKycResponse]:
        """Brings a customer to a better class, by the evidence on file.

        Args:
            identification_class: Identification class to come to.
            customer_id: Customer id; a customer may leave it empty for the own one.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, KYC_CLASS_CONFLICT, IDENTIFICATION_HELD, EVIDENCE_MISSING,
                ID_NUMBER_IN_USE.

        Scope: kyc.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = kyc_service_pb2.UpgradeKycRequest(
            identification_class=identification_class,
            customer_id=customer_id,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.KYC_UPGRADE_KYC, request, request.request_id, options
        )

    async def confirm_in_person(
        self,
        *,
        customer_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[kyc_service_pb2.ConfirmInPersonResponse]:
        """Notes that somebody of the bank has seen the customer with the document on file.

        Staff propose it, and another person approves.

        Args:
            customer_id: Customer id of who was seen.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, EVIDENCE_MISSING, EVIDENCE_IN_USE, APPROVAL_REQUIRED.

        Scope: kyc.confirm. Deadline: 5000 ms, at most 30000 ms.
        """
        request = kyc_service_pb2.ConfirmInPersonRequest(
            customer_id=customer_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.KYC_CONFIRM_IN_PERSON, request, request.request_id, options
        )

    async def downgrade_kyc(
        self,
        *,
        customer_id: str,
        identification_class: int,
        cause: kyc_service_pb2.DowngradeCause.ValueType,
        reason_text: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[kyc_service_pb2.DowngradeKycResponse]:
        """Brings a customer to a class with tighter limits, and one of class 0 under the rules of
        classes.

        Evidence that only better classes need is void from then on and has to be given anew. One
        person is enough: it takes nothing but limits away.

        Args:
            customer_id: Customer id to downgrade.
            identification_class: Identification class to come to.
            cause: Cause of the change.
            reason_text: Reason text kept with the change, encrypted like all that is about the
                customer.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, KYC_CLASS_CONFLICT, EVIDENCE_MISSING, ID_NUMBER_IN_USE.

        Scope: kyc.downgrade. Deadline: 5000 ms, at most 30000 ms.
        """
        request = kyc_service_pb2.DowngradeKycRequest(
            customer_id=customer_id,
            identification_class=identification_class,
            cause=cause,
            reason_text=reason_text,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.KYC_DOWNGRADE_KYC, request, request.request_id, options
        )
