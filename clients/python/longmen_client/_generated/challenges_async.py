"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import challenge_service_pb2, factor_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncChallenges:
    """ChallengesService lets a customer see and approve what a request that was refused as
    NEEDS_AUTH is to do. An approval is bound to the request's id, amount, currency, payee and
    all its other content, is good once, and for five minutes at most.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get_challenge(
        self,
        *,
        challenge_id: str,
        options: CallOptions | None = None,
    ) -> challenge_service_pb2.GetChallengeResponse:
        """Shows what is to be approved, and how.

        Args:
            challenge_id: Challenge id of the refusal.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CHALLENGE_NOT_FOUND.

        Scope: challenges.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = challenge_service_pb2.GetChallengeRequest(challenge_id=challenge_id)
        return await self._caller.ask(methods.CHALLENGES_GET_CHALLENGE, request, options)

    async def approve_challenge(
        self,
        *,
        challenge_id: str,
        proof: factor_pb2.FactorProof,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[challenge_service_pb2.ApproveChallengeResponse]:
        """Proves with one factor that it is the customer who approves.

        Wrong factor, blocked factor and no factor are answered alike.

        Args:
            challenge_id: Challenge id of the refusal.
            proof: Proof by one of the challenge's methods.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CHALLENGE_NOT_FOUND,
                CHALLENGE_EXPIRED, CHALLENGE_CLOSED, METHOD_NOT_ACCEPTED, FACTOR_REJECTED,
                OVERLOADED.

        Scope: challenges.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = challenge_service_pb2.ApproveChallengeRequest(
            challenge_id=challenge_id, proof=proof, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CHALLENGES_APPROVE_CHALLENGE, request, request.request_id, options
        )

    async def send_challenge_code(
        self,
        *,
        challenge_id: str,
        channel: challenge_service_pb2.CodeChannel.ValueType,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[challenge_service_pb2.SendChallengeCodeResponse]:
        """Sends a code that approves one challenge, in a message that tells what it approves; a
        code that was sent before is void.

        Only challenges whose methods have MESSAGE_CODE take one. It is good for as long as the
        challenge, for five tries.

        Args:
            challenge_id: Challenge id of the refusal.
            channel: Channel to send it by.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CHALLENGE_NOT_FOUND,
                CHALLENGE_EXPIRED, CHALLENGE_CLOSED, METHOD_NOT_ACCEPTED, CODE_SENT_RECENTLY,
                EMAIL_NOT_PROVEN.

        Scope: challenges.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = challenge_service_pb2.SendChallengeCodeRequest(
            challenge_id=challenge_id, channel=channel, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CHALLENGES_SEND_CHALLENGE_CODE, request, request.request_id, options
        )

    async def decline_challenge(
        self,
        *,
        challenge_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[challenge_service_pb2.DeclineChallengeResponse]:
        """Turns the request down.

        Sending it again asks anew, with another challenge.

        Args:
            challenge_id: Challenge id of the refusal.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CHALLENGE_NOT_FOUND,
                CHALLENGE_EXPIRED, CHALLENGE_CLOSED.

        Scope: challenges.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = challenge_service_pb2.DeclineChallengeRequest(
            challenge_id=challenge_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CHALLENGES_DECLINE_CHALLENGE, request, request.request_id, options
        )
