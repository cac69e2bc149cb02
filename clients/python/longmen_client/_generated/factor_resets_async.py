"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_pb2, factor_reset_pb2, factor_reset_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncFactorResets:
    """FactorResetsService lets a customer back in who has lost what the wallet is approved with.
    One member of staff proposes the reset with evidence of who asks, another approves; the
    customer is told on every channel and can turn it down for as long as it cools. When it
    takes effect the factors are gone, every device is revoked, every session has ended, and
    nobody signs in without a factor but the device whose key was shown to the bank.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def reset_factors(
        self,
        *,
        customer_id: str,
        kinds: Iterable[factor_pb2.FactorKind.ValueType],
        evidence: factor_reset_pb2.FactorResetEvidence.ValueType,
        evidence_reference: str,
        key_thumbprint: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_reset_service_pb2.ResetFactorsResponse]:
        """Begins a reset.

        Staff propose it, and another person approves.

        Args:
            customer_id: Customer id of whose factors are lost.
            kinds: Kinds of factors to remove.
            evidence: Evidence of who asks.
            evidence_reference: Evidence reference, where the bank has filed it: letters, digits,
                dot, slash, dash and underscore.
            key_thumbprint: Key thumbprint (RFC 7638) that the customer's device shows: what the
                customer signs in with afterwards.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, APPROVAL_REQUIRED, DEVICE_KEY_INVALID, FACTOR_RESET_OPEN,
                FACTOR_RESET_EMPTY.

        Scope: factors.reset. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_reset_service_pb2.ResetFactorsRequest(
            customer_id=customer_id,
            kinds=kinds,
            evidence=evidence,
            evidence_reference=evidence_reference,
            key_thumbprint=key_thumbprint,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.FACTOR_RESETS_RESET_FACTORS, request, request.request_id, options
        )

    async def get_factor_reset(
        self,
        *,
        customer_id: str = "",
        options: CallOptions | None = None,
    ) -> factor_reset_service_pb2.GetFactorResetResponse:
        """Shows the latest reset of a customer.

        Args:
            customer_id: Customer id; customers may leave their own out.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                FACTOR_RESET_NOT_FOUND.

        Scope: factors.resets. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_reset_service_pb2.GetFactorResetRequest(customer_id=customer_id)
        return await self._caller.ask(methods.FACTOR_RESETS_GET_FACTOR_RESET, request, options)

    async def cancel_factor_reset(
        self,
        *,
        customer_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[factor_reset_service_pb2.CancelFactorResetResponse]:
        """Turns a reset down while it cools.

        A customer approves that with a factor: whoever has one shows by it that the reset is not
        needed, and whoever has but the customer's phone cannot keep the customer out. Staff and
        services do it at the customer's word, without a second person: it changes nothing.

        Args:
            customer_id: Customer id; customers may leave their own out.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                FACTOR_RESET_NOT_FOUND, NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: factors.cancel. Deadline: 5000 ms, at most 30000 ms.
        """
        request = factor_reset_service_pb2.CancelFactorResetRequest(
            customer_id=customer_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.FACTOR_RESETS_CANCEL_FACTOR_RESET, request, request.request_id, options
        )
